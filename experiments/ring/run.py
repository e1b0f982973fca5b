"""Ring: an expressive generator on eight well separated Gaussians, under every divergence and both objectives."""

import math

import torch

from fgan import targets
from fgan.engine import networks
from fgan.engine.population import Population
from fgan.metrics import modes, saturation

from . import symmetric

SHOWN = 500  # samples of each run that are kept for the figures


def population(settings, runs, device="cpu", data=None):
    p = targets.of(settings, device)
    return Population(runs, p, *networks.of(settings, p.dimension), settings, device)


def observe(population):
    return modes.watched(population)


def evaluate(population, steps, history):
    """Judges the last step."""
    samples = population.sample(population.settings["measure"]["samples"], "evaluation")
    metrics = modes.measured(samples, population.target, population.settings["measure"])
    return metrics | {"saturated": saturation.saturated(population)}, {"samples": samples[:, :SHOWN]}


def samplers(p, n, generator):
    """n samples of P itself (best case), one mode (full collapse), a thin circle and a Gaussian (no structure)."""
    radius, sd = p.means.norm(dim=1).mean().item(), p.variances.max().sqrt().item()
    normal = torch.randn((n, 2), generator=generator)
    angle = 2 * math.pi * torch.rand(n, generator=generator)
    return {
        "fresh samples of P": p.draw((n,), generator),
        "one mode": p.means[0].float() + sd * normal,
        "thin circle": radius * torch.stack([angle.cos(), angle.sin()], dim=1),
        "Gaussian": radius / math.sqrt(2) * normal,
    }


def baselines(settings, data=None):
    """The samplers without training, and exact symmetric divergences on sequences of densities."""
    return modes.baselines(targets.of(settings), settings["measure"], "ring", samplers) + symmetric.rows(), {}
