"""Parity: does a generator cover antipodal pairs of the ring's modes because it is an odd function of symmetric noise?

Target: rings of 7, 8 and 9 Gaussians, one off the origin. Networks: those of the ring, with scaled biases or ReLU.
Measured: modes, their antipodes, the part of G that is even, and coverage, density and diversity without modes.
"""

import math

import torch

from fgan import targets
from fgan.engine import networks
from fgan.engine.population import Population, seeded
from fgan.metrics import diversity, modes

from . import antipodes

SHOWN = 500  # samples of each run that are kept for the figures
FOLDED_MEAN = math.sqrt(2 / math.pi)  # of |z|


class Shaped(Population):
    """A population whose generators start with scaled biases, and whose noise may be |z|, also with mean 0 and sd 1."""

    def __init__(self, runs, target, generator, variational, settings, device="cpu"):
        super().__init__(runs, target, generator, variational, settings, device)
        with torch.no_grad():
            for bias in self.theta_views[1::2]:
                bias *= settings["biases"]

    def noise(self, shape, generator):
        z, drawn = super().noise(shape, generator), self.settings["drawn"]
        z = z if drawn == "symmetric" else z.abs()
        return (z - FOLDED_MEAN) / math.sqrt(1 - FOLDED_MEAN**2) if drawn == "skewed" else z


def population(settings, runs, device="cpu", data=None):
    p = targets.of(settings, device)
    return Shaped(runs, p, *networks.of(settings, p.dimension), settings, device)


def observe(population):
    return modes.watched(population)


def described(samples, target, measure):
    """Metrics of samples [runs, n, d] by modes and pairs of modes, and by density, coverage and the Vendi score."""
    metrics = modes.measured(samples, target, measure)
    metrics |= antipodes.measured(modes.covered(samples, target, measure["rule"]), target)
    real = target.draw((measure["compared"],), seeded(samples.device, "parity", "real"))
    return metrics | diversity.measured(samples[:, : measure["compared"]], real, measure)


def evaluate(population, steps, history):
    """Judges the last step."""
    measure = population.settings["measure"]
    samples = population.sample(measure["samples"], "evaluation")
    metrics = described(samples, population.target, measure)
    return metrics | {"even part": antipodes.even_part(population)}, {"samples": samples[:, :SHOWN]}


def baselines(settings, data=None):
    """Samplers without training on the centred ring: P (ceiling), one mode (floor), and a Gaussian (no structure)."""
    p, measure, rows = targets.of(settings), settings["measure"], []
    for seed in range(measure["baseline_seeds"]):
        generator = seeded("cpu", "parity", "baseline", seed)
        samplers = modes.ends(p, measure["samples"], generator)
        spread = p.draw((measure["samples"],), generator).std(0)
        samplers["Gaussian"] = spread * torch.randn((measure["samples"], p.dimension), generator=generator)
        rows += [(name, "", seed, described(x[None], p, measure)) for name, x in samplers.items()]
    return rows, {}
