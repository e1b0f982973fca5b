"""Decoupled: V ascends F_f for one divergence f, G descends D_h for another one, through the ratio that V implies.

Targets: the mixture of `univariate`, which the model cannot fit, then the ring and the grid, which it can. Measured:
the mean of mu and sigma over the last steps against the exact optima of D_h and D_f; modes covered.
"""

import torch

from fgan import targets
from fgan.engine import networks
from fgan.metrics import exact, modes

from .decoupled import Decoupled

SHOWN = 200  # samples of each run that are kept
FAR = 3  # standard deviations of P; the optima lie within one


def population(settings, runs, device="cpu", data=None):
    p = targets.of(settings, device)
    return Decoupled(runs, p, *networks.of(settings, p.dimension), settings, device)


def observe(population):
    if "start" not in population.settings:
        return modes.watched(population)
    mu, sigma = population.theta.T
    return {"mu": mu, "sigma": sigma.abs()}


def evaluate(population, steps, history):
    """Mixture: mean of mu and sigma over the last steps. Ring and grid: modes of the last step."""
    settings, measure = population.settings, population.settings["measure"]
    if "start" not in settings:
        samples = population.sample(measure["samples"], "evaluation")
        return modes.measured(samples, population.target, measure), {"samples": samples[:, :SHOWN]}
    last = torch.tensor(steps) > settings["steps"] - measure["averaged"]
    mu, sigma = (history[name][last].double().mean(dim=0) for name in ("mu", "sigma"))
    return {"mean mu": mu, "mean sigma": sigma, "lost": lost(population.target, mu, sigma)}, {}


def lost(mixture, mu, sigma):
    """1 for a model that lies or spreads more than FAR standard deviations of P away from it, else 0 [models]."""
    weights, means = mixture.weights, mixture.means[:, 0]
    centre = weights @ means
    sd = (weights @ (mixture.variances + (means - centre) ** 2)).sqrt()
    return ~(((mu - centre).abs() <= FAR * sd) & (sigma <= FAR * sd))


def baselines(settings, data=None):
    """The exact optimum of every divergence of the mixture's arm."""
    mixture, rows = targets.of(settings), []
    for name in settings["divergences"]:
        optimum = exact.optimum(exact.convex(name), mixture)
        rows.append(("exact optimum", name, 0, dict(zip(("mu", "sigma", "D"), optimum, strict=True))))
    return rows, {}
