"""Relativistic pairing against gradient penalties: the same games with V's outputs judged alone or in pairs.

Targets: ring, grid. Networks: ReLU perceptrons. Objectives: each of the plain two and its relativistic counterpart,
from the same start, on the same data and noise. Measured: modes covered; and exactly, what the objective measures.
"""

from fgan import targets
from fgan.engine import networks
from fgan.metrics import modes
from fgan.remedies import Remedied

from . import exact


def population(settings, runs, device="cpu", data=None):
    p = targets.of(settings, device)
    generator, _ = networks.of(settings, p.dimension)
    return Remedied(runs, p, generator, lambda inputs: networks.of(settings, inputs)[1], settings, device)


def observe(population):
    return modes.watched(population)


def evaluate(population, steps, history):
    """Judges the last step."""
    samples = population.sample(population.settings["measure"]["samples"], "evaluation")
    return modes.measured(samples, population.target, population.settings["measure"]), {}


def baselines(settings, data=None):
    """Samplers without training, P itself and one of its modes, and the exact values of every divergence."""
    measure = settings["measure"]
    return modes.baselines(targets.of(settings), measure, "relativistic") + exact.rows(measure), {}
