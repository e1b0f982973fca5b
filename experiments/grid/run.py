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
    """Samplers without training: P itself (best case) and one of its modes (full collapse).

    And the share of P that VEEGAN's rule accepts in 1200 dimensions, which is computed.
    """
    measure = settings["measure"]
    share = modes.share_within(measure["veegan"]["radius"], measure["veegan"]["spread"])
    rows = modes.baselines(targets.of(settings), measure, "grid")
    return [*rows, ("P in 1200 dimensions", "", 0, {"accepted": share})], {}
