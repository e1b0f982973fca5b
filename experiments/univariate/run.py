"""Univariate: G(z) = mu + sigma z fitted to a mixture of two Gaussians under every divergence, by Algorithm 1."""

import torch

from fgan import targets
from fgan.engine import networks
from fgan.engine.population import Population
from fgan.metrics import exact, saturation


def population(settings, runs, device="cpu", data=None):
    p = targets.of(settings, device)
    return Population(runs, p, *networks.of(settings, p.dimension), settings, device)


def observe(population):
    mu, sigma = population.theta.T
    return {"mu": mu, "sigma": sigma}


def every_divergence(settings, mixture, mu, sigma):
    """{("D", name): D_f(P || N(mu, sigma^2)) [models]} of every divergence of the design, in nats."""
    names = settings["divergences"]
    values = exact.divergences([exact.convex(name) for name in names], mixture, mu, sigma)
    return {("D", name): row for name, row in zip(names, values, strict=True)}


def evaluate(population, steps, history):
    """Mean of mu, sigma and F over the last steps, and every exact divergence at the mean (mu, sigma)."""
    settings = population.settings
    last = torch.tensor(steps) > settings["steps"] - settings["measure"]["averaged"]
    metrics = {f"mean {name}": history[name][last].double().mean(dim=0) for name in ("mu", "sigma", "F")}
    metrics |= every_divergence(settings, population.target, metrics["mean mu"], metrics["mean sigma"])
    return metrics | {"saturated": saturation.saturated(population)}, {}


def baselines(settings, data=None):
    """Exact optima of every divergence and of the one that its alternative descends, with all divergences there."""
    mixture, rows, metrics = targets.of(settings), [], ("mu", "sigma", "D")
    for name in settings["divergences"]:
        optimum = dict(zip(metrics, exact.optimum(exact.convex(name), mixture), strict=True))
        effective = dict(zip(metrics, exact.optimum(exact.effective(name), mixture), strict=True))
        model = (torch.tensor([optimum[metric]], dtype=torch.float64) for metric in ("mu", "sigma"))
        rows.append(("exact optimum", name, 0, optimum | every_divergence(settings, mixture, *model)))
        rows.append(("effective optimum", name, 0, effective))
    return rows, {}
