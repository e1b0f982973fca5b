"""Modes covered by samples of a mixture. A count means nothing without its rule, so every rule has a name.

A sample within a radius of its nearest mode is of high quality; a mode is covered by a least number of such samples.
"""

import math
from dataclasses import dataclass

import torch

from fgan.engine.population import seeded


@dataclass(frozen=True)
class Rule:
    """A radius, in standard deviations or as the share of P's samples within it, and the least part of a fair share.

    A share of 0 asks for one sample. In two dimensions the share .989 lies within three standard deviations.
    """

    share: float
    sd: float | None = None
    quantile: float | None = None

    def radius(self, target):
        """The radius of a mode of the target, in the units of its points."""
        units = self.sd if self.sd is not None else quantile_radius(target, self.quantile)
        return units * float(target.variances.max().sqrt())

    def least(self, n, modes):
        """Samples of n that a mode needs to be covered."""
        return max(1.0, self.share * n / modes)


RULES = {
    "3 sd, tenth": Rule(0.1, sd=3.0),
    "3 sd, one": Rule(0.0, sd=3.0),
    "2 sd, tenth": Rule(0.1, sd=2.0),
    "5 sd, tenth": Rule(0.1, sd=5.0),
    "3 sd, half": Rule(0.5, sd=3.0),
    "99 %, tenth": Rule(0.1, quantile=0.989),
    "99 %, one": Rule(0.0, quantile=0.989),
    "90 %, tenth": Rule(0.1, quantile=0.9),
    "99 %, half": Rule(0.5, quantile=0.989),
}


def quantile_radius(target, quantile):
    """The distance from its mode within which P has this share of its samples, in standard deviations: a chi quantile.

    Solved by bisection, in the dimensions in which P spreads.
    """
    dimension = getattr(target, "mixture", target).means.shape[1]
    low, high = torch.zeros((), dtype=torch.float64), torch.tensor(10.0 + 2 * dimension**0.5, dtype=torch.float64)
    for _ in range(60):
        middle = (low + high) / 2
        inside = share_within(middle, dimension) < quantile
        low, high = torch.where(inside, middle, low), torch.where(inside, high, middle)
    return float(high)


def share_within(radius, dimension):
    """The share of N(0, I) in d dimensions within a radius: P(chi_d <= r) = gammainc(d / 2, r^2 / 2), in float64."""
    half, radius = (torch.as_tensor(value, dtype=torch.float64) for value in (dimension / 2, radius))
    return torch.special.gammainc(half, radius**2 / 2)


def counts(samples, means, radius):
    """Samples within `radius` of their nearest mean: counts per mode [runs, modes] for samples [runs, n, d]."""
    means = means.to(samples).expand(len(samples), -1, -1)
    # The default computes a matrix product, which would lose the digits of a small radius.
    distances = torch.cdist(samples, means, compute_mode="donot_use_mm_for_euclid_dist")
    distance, nearest = distances.min(dim=-1)
    hits = torch.zeros(len(samples), means.shape[1], device=samples.device)
    return hits.scatter_add_(1, nearest, (distance <= radius).to(hits))


def covered(samples, target, rule):
    """Which modes samples [runs, n, d] cover under a named rule: bool [runs, modes]."""
    rule = RULES[rule]
    return counts(samples, target.means, rule.radius(target)) >= rule.least(samples.shape[1], len(target.means))


def summary(hits, n, rule):
    """Metrics of mode counts [runs, modes] of n samples under a Rule, each [runs].

    modes:         modes with at least as many samples as the rule asks for
    modes_any:     modes with at least one sample (the rule of most papers)
    high_quality:  share of samples within the radius of a mode
    reverse_kl:    KL(histogram of the high-quality samples || uniform) in nats; undefined (NaN) without such a sample
    """
    modes = hits.shape[1]
    total = hits.sum(dim=1)
    histogram = hits / total[:, None]
    divergence = torch.special.xlogy(histogram, histogram * modes).sum(dim=1)
    return {
        "modes": (hits >= rule.least(n, modes)).sum(dim=1),
        "modes_any": (hits >= 1).sum(dim=1),
        "high_quality": total / n,
        "reverse_kl": torch.where(total > 0, divergence, math.nan),
    }


def measured(samples, target, measure):
    """Metrics of samples [runs, n, d] under the headline rule, and modes under each of the further rules.

    `measure` holds the names of the headline `rule` and of the further `rules`, if there are any.
    """
    headline = RULES[measure["rule"]]
    hits = counts(samples, target.means, headline.radius(target))
    further = {("modes", name): covered(samples, target, name).sum(dim=1) for name in measure.get("rules", ())}
    return summary(hits, samples.shape[1], headline) | further


def watched(population):
    """Modes and quality of fewer samples, for each entry of a history."""
    measure = population.settings["measure"]
    samples = population.sample(measure["watched"], "watch")
    metrics = measured(samples, population.target, {"rule": measure["rule"]})
    return {f"watched {name}": metrics[name] for name in ("modes", "high_quality")}


def ends(target, n, generator):
    """n samples of P itself (the best case) and of one of its modes (full collapse), each [n, d], by name."""
    draws = target.draw((1, n), generator)[0]
    nearest = torch.cdist(draws, target.means.float()).argmin(dim=1)
    one = draws - target.means.float()[nearest] + target.means[0].float()
    return {"fresh samples of P": draws, "one mode": one}


def baselines(target, measure, stream, samplers=ends):
    """Baselines (sampler, "", seed, metrics) of `samplers(target, n, generator)`, drawn anew `baseline_seeds` times."""
    return [
        (name, "", seed, measured(samples[None], target, measure))
        for seed in range(measure["baseline_seeds"])
        for name, samples in samplers(target, measure["samples"], seeded("cpu", stream, "baseline", seed)).items()
    ]
