"""Grid: an expressive generator on 25 Gaussians in the plane, and on ten in 1200 dimensions."""

from fgan import targets
from fgan.engine import networks
from fgan.engine.population import Population
from fgan.metrics import modes, saturation

SHOWN = 400  # samples of each run that are kept for the figures


def population(settings, runs, device="cpu", data=None):
    p = targets.of(settings, device)
    return Population(runs, p, *networks.of(settings, p.dimension), settings, device)


def observe(population):
    return modes.watched(population)


def evaluate(population, steps, history):
    """Judges the last step; keeps the first two dimensions of the points."""
    samples = population.sample(population.settings["measure"]["samples"], "evaluation")
    metrics = modes.measured(samples, population.target, population.settings["measure"])
    return metrics | {"saturated": saturation.saturated(population)}, {"samples": samples[:, :SHOWN, :2]}


def baselines(settings, data=None):
    """Samplers without training: P itself (best case) and one of its modes (full collapse)."""
    return modes.baselines(targets.of(settings), settings["measure"], "grid"), {}
