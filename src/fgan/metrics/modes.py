"""Modes covered by samples of a mixture. A count means nothing without its rule, so every rule is an argument."""

import math

import torch


def counts(samples, means, radius):
    """Samples within `radius` of their nearest mean: counts per mode [runs, modes] for samples [runs, n, d]."""
    means = means.to(samples).expand(len(samples), -1, -1)
    # Not by the matrix product of the default, which would lose the digits of a small radius.
    distances = torch.cdist(samples, means, compute_mode="donot_use_mm_for_euclid_dist")
    distance, nearest = distances.min(dim=-1)
    hits = torch.zeros(len(samples), means.shape[1], device=samples.device)
    return hits.scatter_add_(1, nearest, (distance <= radius).to(hits))


def summary(hits, n, fair_share=0.1):
    """Metrics of mode counts [runs, modes] of n samples, each [runs].

    modes:         modes with at least `fair_share` of their fair share n / modes (the headline rule)
    modes_any:     modes with at least one sample (the rule of most papers)
    high_quality:  share of samples within the radius of a mode
    reverse_kl:    KL(histogram of the high-quality samples || uniform) in nats; undefined (NaN) without such a sample
    """
    modes = hits.shape[1]
    total = hits.sum(dim=1)
    share = hits / total[:, None]
    divergence = torch.special.xlogy(share, share * modes).sum(dim=1)
    return {
        "modes": (hits >= fair_share * n / modes).sum(dim=1),
        "modes_any": (hits >= 1).sum(dim=1),
        "high_quality": total / n,
        "reverse_kl": torch.where(total > 0, divergence, math.nan),
    }
