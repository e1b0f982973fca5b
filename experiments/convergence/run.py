"""Convergence: Theorem 1 measured on quadratic games, and Algorithm 1 against inner loops on ring and mixture."""

import math

import torch

from fgan import targets
from fgan.engine import networks
from fgan.engine.population import Population
from fgan.engine.training import rounds
from fgan.metrics import exact, modes, saturation

from . import theorem


def population(settings, runs, device="cpu", data=None):
    p = targets.of(settings, device)
    return Population(runs, p, *networks.of(settings, p.dimension), settings, device)


def distance(population):
    """D_f(P || N(mu, sigma^2)) in nats of every run, under the divergence that it is trained on [runs], float64."""
    mu, sigma = population.theta.T.double()
    return torch.cat([
        exact.divergences([exact.convex(divergence.name)], population.target, mu[first:last], sigma[first:last])[0]
        for divergence, first, last, _ in population.slices
    ])  # fmt: skip


def observe(population):
    return {"D": distance(population)} if "start" in population.settings else modes.watched(population)


def evaluate(population, steps, history):
    """Ring: modes and quality of the last step. Mixture: mean D over the last updates of V."""
    settings, measure = population.settings, population.settings["measure"]
    if "start" in settings:
        ahead = (settings["steps"] - torch.tensor(steps)) * max(1, rounds(population))
        metrics = {"mean D": history["D"][ahead < measure["averaged"]].mean(dim=0)}
    else:
        metrics = modes.measured(population.sample(measure["samples"], "evaluation"), population.target, measure)
    return metrics | {"saturated": saturation.saturated(population)}, {}


def baselines(settings, data=None):
    """Theorem 1 on the grid of games, the quality of P itself on the ring, and the least D where P is a mixture."""
    rows, arrays = theorem.baselines(settings["measure"])
    # In the plane, half the squared distance from a mode, in standard deviations, is exponentially distributed.
    arrays["high_quality of P"] = -math.expm1(-(modes.RULES[settings["measure"]["rule"]].sd ** 2) / 2)
    if "start" in settings:
        mixture = targets.of(settings)
        optima = {name: exact.optimum(exact.convex(name), mixture) for name in settings["divergences"]}
        rows += [("exact optimum", name, 0, {"D": least}) for name, (_, _, least) in optima.items()]
    return rows, arrays
