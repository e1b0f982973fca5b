"""Ring: an expressive generator on eight well separated Gaussians, under every divergence and both objectives."""

import math

import torch

from fgan.metrics import modes, saturation
from fgan.networks import mlp
from fgan.population import Population, seeded
from fgan.targets.mixtures import ring

# Rules of counting, as (radius in sd, least part of the fair share; 0 stands for one sample).
RULES = {
    "3 sd, n/80": (3.0, 0.1),
    "3 sd, one": (3.0, 0.0),
    "2 sd, n/80": (2.0, 0.1),
    "5 sd, n/80": (5.0, 0.1),
    "3 sd, n/16": (3.0, 0.5),
}


def target(settings, device="cpu"):
    return ring(**{k: v for k, v in settings["target"].items() if k != "kind"}, device=device)


def population(settings, runs, device="cpu", data=None):
    p = target(settings, device)
    generator = mlp(settings["noise"]["dimension"], 2, **settings["generator"])
    variational = mlp(2, 1, **settings["variational"])
    return Population(runs, p, generator, variational, settings, device)


def judged(samples, settings):
    """Modes, quality and reverse KL of samples [runs, n, 2] under the headline rule."""
    rule = settings["measure"]
    hits = modes.counts(samples, target(settings, samples.device).means, rule["radius_sd"] * settings["target"]["sd"])
    return modes.summary(hits, samples.shape[1], rule["fair_share"])


def by_rule(samples, settings):
    """Modes covered under every rule of counting: {'modes [rule]': [runs]}."""
    p, n = target(settings, samples.device), samples.shape[1]
    found = {}
    for name, (radius, share) in RULES.items():
        hits = modes.counts(samples, p.means, radius * settings["target"]["sd"])
        found[f"modes [{name}]"] = (hits >= max(1.0, share * n / len(p.means))).sum(dim=1)
    return found


def observe(population):
    settings = population.settings
    samples = population.sample(settings["measure"]["watched"], "watch")
    watched = judged(samples, settings)
    return {f"watched {name}": watched[name] for name in ("modes", "high_quality")}


def evaluate(population, steps, history):
    """Judges the last step; keeps 500 samples of each run for the figures."""
    settings = population.settings
    samples = population.sample(settings["measure"]["samples"], "evaluation")
    metrics = judged(samples, settings) | by_rule(samples, settings)
    return metrics | {"saturated": saturation.saturated(population)}, {"samples": samples[:, :500]}


def baselines(settings, data=None):
    """Samplers without training: P itself (ceiling), one mode (floor), a thin circle and a Gaussian (no structure)."""
    p, n = target(settings), settings["measure"]["samples"]
    radius, sd = settings["target"]["radius"], settings["target"]["sd"]
    rows = []
    for seed in range(settings["measure"]["baseline_seeds"]):
        generator = seeded("cpu", "ring", "baseline", seed)
        normal = torch.randn((n, 2), generator=generator)
        angle = 2 * math.pi * torch.rand(n, generator=generator)
        samplers = {
            "fresh samples of P": p.draw((n,), generator),
            "one mode": p.means[0].float() + sd * normal,
            "thin circle": radius * torch.stack([angle.cos(), angle.sin()], dim=1),
            "Gaussian": radius / math.sqrt(2) * normal,
        }
        for name, samples in samplers.items():
            metrics = judged(samples[None], settings) | by_rule(samples[None], settings)
            rows += [(name, seed, metric, float(value)) for metric, value in metrics.items()]
    return rows, {}
