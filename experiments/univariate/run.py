"""Univariate: G(z) = mu + sigma z fitted to a mixture of two Gaussians under every divergence, by Algorithm 1."""

import torch

from fgan.metrics import exact, saturation
from fgan.networks import Affine, Network, mlp
from fgan.population import Population
from fgan.targets.mixtures import Mixture


def target(settings, device="cpu"):
    return Mixture(**{k: v for k, v in settings["target"].items() if k != "kind"}, device=device)


def population(settings, runs, device="cpu", data=None):
    p = target(settings, device)
    return Population(
        runs, p, Network(Affine(settings["start"])), mlp(1, 1, **settings["variational"]), settings, device
    )


def observe(population):
    mu, sigma = population.theta.T
    return {"mu": mu, "sigma": sigma}


def evaluate(population, steps, history):
    """Mean of mu, sigma and F over the last steps, and every exact divergence at the mean (mu, sigma)."""
    settings = population.settings
    last = torch.tensor(steps) > settings["steps"] - settings["measure"]["averaged"]
    metrics = {f"mean {name}": history[name][last].double().mean(dim=0) for name in ("mu", "sigma", "F")}
    generators = [exact.of(name) for name in settings["divergences"]]
    found = exact.divergences(generators, population.target, metrics["mean mu"], metrics["mean sigma"])
    metrics |= {f"D {name}": values for name, values in zip(settings["divergences"], found, strict=True)}
    metrics["saturated"] = saturation.saturated(population)
    return metrics, {}


def baselines(settings, data=None):
    """Exact optima (mu, sigma, D) of every divergence and of its effective one, and all divergences at the former."""
    mixture, rows = target(settings), []
    generators = [exact.of(name) for name in settings["divergences"]]
    for name in settings["divergences"]:
        for kind, generator in (("exact", exact.of(name)), ("effective", exact.effective(name))):
            optimum = exact.optimum(generator, mixture)
            rows += [(name, 0, f"{kind} {m}", value) for m, value in zip(("mu", "sigma", "D"), optimum, strict=True)]
            if kind == "exact":
                model = torch.tensor(optimum[:2], dtype=torch.float64)[:, None]
                crossed = zip(settings["divergences"], exact.divergences(generators, mixture, *model), strict=True)
                rows += [(name, 0, f"crossed {judge}", float(value)) for judge, value in crossed]
    return rows, {}
