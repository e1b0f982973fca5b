"""Whether an objective tracks the quality of samples: one rank correlation for each run, over its history."""

import pandas as pd
import torch


def correlation(a, b):
    """Spearman's rank correlation of each column of a and b [entries, runs]; nan if one is constant."""
    ranks = [pd.DataFrame(x.cpu().numpy()).rank() for x in (a, b)]
    return torch.tensor(ranks[0].corrwith(ranks[1]).to_numpy())


def tracking(objective, distance, rises):
    """Agreement of an objective with a distance to real images (both [entries, runs]), by metric and rule, each [runs].

    tracking: rank correlation, signed by `rises` (whether better is higher), so that at 1 the distance falls whenever
    the objective improves; over all entries, and over their second half, where a common trend matters less.
    rising share: part of the entries at which the objective is better than at the entry before.
    """
    loss, late = -objective if rises else objective, len(objective) // 2
    return {
        "tracking": correlation(loss, distance),
        ("tracking", "second half"): correlation(loss[late:], distance[late:]),
        "rising share": (loss.diff(dim=0) < 0).double().mean(0),
    }
