"""Remedies: the same game with one thing changed, on targets whose modes can be counted, and what each change costs."""

import torch

from fgan import cost
from fgan.metrics import coverage
from fgan.networks import mlp
from fgan.population import seeded
from fgan.remedies import Remedied
from fgan.targets import multimodal


def population(settings, runs, device="cpu", data=None):
    p = multimodal.of(settings, device)
    generator = mlp(settings["noise"]["dimension"], p.dimension, **settings["generator"])
    return Remedied(runs, p, generator, lambda inputs: mlp(inputs, 1, **settings["variational"]), settings, device)


def observe(population):
    measure = population.settings["measure"]
    watched = coverage.judged(population.sample(measure["watched"], "watch"), population.target, measure)
    return {f"watched {name}": watched[name] for name in ("modes", "high_quality")}


def evaluate(trained, steps, history):
    """Judges the last step, and counts the operations of a run's step."""
    settings, runs = trained.settings, trained.runs[: trained.wanted]
    samples = trained.sample(settings["measure"]["samples"], "evaluation")
    metrics = coverage.judged(samples, trained.target, settings["measure"])
    metrics |= coverage.by_rule(samples, trained.target)
    counted = cost.counted(lambda: population(settings, runs, "meta"))
    metrics["operations"] = torch.full((len(runs),), counted.operations / counted.runs, dtype=torch.float64)
    return metrics, {}


def baselines(settings, data=None):
    """Samplers without training: P itself (ceiling) and one of its modes (floor)."""
    target, measure = multimodal.of(settings), settings["measure"]
    return [
        (name, seed, metric, float(value))
        for seed in range(measure["baseline_seeds"])
        for name, metrics in coverage.untrained(target, measure, seeded("cpu", "remedies", "baseline", seed)).items()
        for metric, value in metrics.items()
    ], {}
