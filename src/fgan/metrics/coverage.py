"""Modes of a mixture that samples cover, under one headline rule, beside the same samples under others.

A sample is of high quality within the radius in which P itself has the share `quantile` of its samples; a mode is
covered by at least `fair_share` of its fair share of the samples. In two dimensions .989 is three standard deviations.
"""

import torch

from fgan.metrics import modes

# Rules of counting, as (quantile of P, least part of the fair share; 0 stands for one sample).
RULES = {"99%, tenth": (0.989, 0.1), "99%, one": (0.989, 0.0), "90%, tenth": (0.9, 0.1), "99%, half": (0.989, 0.5)}


def radius(target, quantile):
    """The distance from its mode within which P has this share of its samples: the quantile of a chi distribution.

    P(chi_d <= r) = gammainc(d / 2, r^2 / 2), solved by bisection, d the dimensions in which P spreads, r in units of
    the widest mode's standard deviation.
    """
    dimension = getattr(target, "mixture", target).means.shape[1]
    low, high = torch.zeros((), dtype=torch.float64), torch.tensor(10.0 + 2 * dimension**0.5, dtype=torch.float64)
    half = torch.tensor(dimension / 2, dtype=torch.float64)
    for _ in range(60):
        middle = (low + high) / 2
        inside = torch.special.gammainc(half, middle**2 / 2) < quantile
        low, high = torch.where(inside, middle, low), torch.where(inside, high, middle)
    return float(high) * float(target.variances.max().sqrt())


def judged(samples, target, rule):
    """Modes, quality and reverse KL (see modes.summary) of samples [runs, n, d] under the headline rule."""
    hits = modes.counts(samples, target.means, radius(target, rule["quantile"]))
    return modes.summary(hits, samples.shape[1], rule["fair_share"])


def by_rule(samples, target):
    """Modes covered under every rule of counting: {'modes [rule]': [runs]}."""
    found, n = {}, samples.shape[1]
    for name, (quantile, share) in RULES.items():
        hits = modes.counts(samples, target.means, radius(target, quantile))
        found[f"modes [{name}]"] = (hits >= max(1.0, share * n / len(target.means))).sum(dim=1)
    return found


def untrained(target, rule, generator):
    """Metrics of P itself (ceiling) and of one of its modes (floor), of as many samples as a run's: by sampler."""
    draws = target.draw((1, rule["samples"]), generator)
    nearest = torch.cdist(draws, target.means.float()[None]).argmin(dim=2)[..., None]
    one = draws - target.means.float()[nearest.squeeze(-1)] + target.means[0].float()
    return {
        name: judged(samples, target, rule) | by_rule(samples, target)
        for name, samples in {"fresh samples of P": draws, "one mode": one}.items()
    }
