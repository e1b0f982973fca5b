"""Does an objective track the quality of samples? One rank correlation for each run, over its history."""

import pandas as pd
import torch


def correlation(a, b):
    """Spearman's rank correlation of each column of a and b [entries, runs]; nan where one is constant."""
    ranks = [pd.DataFrame(x.cpu().numpy()).rank() for x in (a, b)]
    return torch.tensor(ranks[0].corrwith(ranks[1]).to_numpy())


def tracking(objective, distance, rises):
    """How an objective goes with a distance to real images (both [entries, runs]), by name, each [runs].

    tracking: rank correlation, signed by `rises` (whether better is higher) so that 1 says: whenever the objective
    improves, the distance falls; `[second half]` of the entries alone, where less is left of a common trend.
    rising share: part of the entries at which the objective is better than at the entry before.
    """
    loss, late = -objective if rises else objective, len(objective) // 2
    return {
        "tracking": correlation(loss, distance),
        "tracking [second half]": correlation(loss[late:], distance[late:]),
        "rising share": (loss.diff(dim=0) < 0).double().mean(0),
    }
