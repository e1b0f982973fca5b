"""Grid: an expressive generator on 25 Gaussians in the plane, and on ten in 1200 dimensions."""

from fgan.metrics import coverage, saturation
from fgan.networks import mlp
from fgan.population import Population, seeded
from fgan.targets import multimodal

SHOWN = 400  # samples of each run that are kept for the figures


def population(settings, runs, device="cpu", data=None):
    p = multimodal.of(settings, device)
    generator = mlp(settings["noise"]["dimension"], p.dimension, **settings["generator"])
    variational = mlp(p.dimension, 1, **settings["variational"])
    return Population(runs, p, generator, variational, settings, device)


def observe(population):
    measure = population.settings["measure"]
    watched = coverage.judged(population.sample(measure["watched"], "watch"), population.target, measure)
    return {f"watched {name}": watched[name] for name in ("modes", "high_quality")}


def evaluate(population, steps, history):
    """Judges the last step; of points in many dimensions the first two are kept."""
    target, measure = population.target, population.settings["measure"]
    samples = population.sample(measure["samples"], "evaluation")
    metrics = coverage.judged(samples, target, measure) | coverage.by_rule(samples, target)
    metrics["saturated"] = saturation.saturated(population)
    return metrics, {"samples": samples[:, :SHOWN, :2].half()}


def baselines(settings, data=None):
    """Samplers without training: P itself (ceiling) and one of its modes (floor)."""
    target, measure = multimodal.of(settings), settings["measure"]
    return [
        (name, seed, metric, float(value))
        for seed in range(measure["baseline_seeds"])
        for name, metrics in coverage.untrained(target, measure, seeded("cpu", "grid", "baseline", seed)).items()
        for metric, value in metrics.items()
    ], {}
