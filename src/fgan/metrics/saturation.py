"""Saturation: a bounded g_f at its bound passes no gradient, and total variation's networks end there."""

import math

import torch

NEAR = 0.99  # part of the way from the middle of dom f* to its bound
SHARE = 0.99  # part of the data


@torch.no_grad()
def saturated(population):
    """1 for a run whose g_f(V) lies at a bound of dom f* on nearly all fresh data, else 0 [runs].

    Only divergences whose dom f* is bounded on both sides can saturate (total variation).
    """
    data, _ = population.draws("saturation", 1, 1)
    v = population.judge(population.target(population.spread(data[:, 0, 0])))
    flags = torch.zeros(len(v), device=v.device)
    for divergence, first, last, _ in population.slices:
        low, high = divergence.domain
        if math.isfinite(low) and math.isfinite(high):
            distance = (divergence.activation(v[first:last]) - (low + high) / 2).abs() / ((high - low) / 2)
            flags[first:last] = (distance > NEAR).float().mean(dim=(1, 2)) > SHARE
    return flags[: population.n_runs]
