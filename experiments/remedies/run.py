"""Remedies: the same game with one change each, on targets whose modes can be counted, and the cost of each change."""

import torch

from fgan import targets
from fgan.engine import cost, networks
from fgan.metrics import modes
from fgan.remedies import Remedied


def population(settings, runs, device="cpu", data=None):
    p = targets.of(settings, device)
    generator, _ = networks.of(settings, p.dimension)

    def variational(inputs):
        """V for points of `inputs` values: with some remedies V sees more values than a point of P has."""
        return networks.of(settings, inputs)[1]

    return Remedied(runs, p, generator, variational, settings, device)


def observe(population):
    return modes.watched(population)


def evaluate(trained, steps, history):
    """Judges the last step, and counts the operations of a run's step."""
    settings, runs = trained.settings, trained.runs[: trained.n_runs]
    samples = trained.sample(settings["measure"]["samples"], "evaluation")
    counted = cost.counted(lambda: population(settings, runs, "meta"))
    operations = torch.full((len(runs),), counted.operations / counted.runs, dtype=torch.float64)
    return modes.measured(samples, trained.target, settings["measure"]) | {"operations": operations}, {}


def baselines(settings, data=None):
    """Samplers without training: P itself (best case) and one of its modes (full collapse)."""
    return modes.baselines(targets.of(settings), settings["measure"], "remedies"), {}
