"""Decides: a Gaussian in the plane that cannot fit P, and networks on a ring that can, under every divergence."""

import torch

from fgan.metrics import exact, modes, plane, saturation
from fgan.networks import Linear, Network, mlp
from fgan.population import Population, seeded
from fgan.targets.mixtures import Mixture, ring

TARGETS = {"ring": ring, "mixture": Mixture}


class Map(Linear):
    """x = mu + L z in the plane, started at mu = (m, m) and L = s I for the start values (m, s)."""

    def __init__(self, start):
        super().__init__(2, 2)
        self.values = start

    def start(self, generator):
        m, s = self.values
        return [s * torch.eye(2), torch.full((1, 2), m)]


def target(settings, device="cpu"):
    chosen = dict(settings["target"])
    return TARGETS[chosen.pop("kind")](**chosen, device=device)


def population(settings, runs, device="cpu", data=None):
    p = target(settings, device)
    generator = Network(Map(settings["start"])) if "start" in settings else mlp(2, 2, **settings["generator"])
    return Population(runs, p, generator, mlp(2, 1, **settings["variational"]), settings, device)


def observe(population):
    """The Gaussian's mean and covariance C = L L^T; nothing on the ring, where the last step alone is judged."""
    if "start" not in population.settings:
        return {}
    weight, bias = (view.detach() for view in population.theta_views)
    covariance = weight.mT @ weight  # x = z W + mu, so L = W^T
    named = {"mu_1": bias[:, 0, 0], "mu_2": bias[:, 0, 1]}
    return named | {f"C_{i + 1}{j + 1}": covariance[:, i, j] for i, j in ((0, 0), (0, 1), (1, 1))}


def shape(mu, covariance, mixture):
    """Width det(C)^(1/4), the geometric mean of the two standard deviations, and |mu - m_1|: where P has most mass."""
    heaviest = mixture.means[mixture.weights.argmax()]
    return {"width": torch.linalg.det(covariance) ** 0.25, "distance": (mu - heaviest).norm(dim=-1)}


def judged(samples, settings):
    """Modes and quality of samples [runs, n, 2] under the ring experiment's rule."""
    rule, p = settings["measure"], target(settings, samples.device)
    hits = modes.counts(samples, p.means, rule["radius_sd"] * settings["target"]["sd"])
    return modes.summary(hits, samples.shape[1], rule["fair_share"])


def evaluate(population, steps, history):
    """Ring: modes of the last step. Gaussian: mean of mu and C over the last steps, and the exact D there."""
    settings = population.settings
    if "start" not in settings:
        found = judged(population.sample(settings["measure"]["samples"], "evaluation"), settings)
        return found | {"saturated": saturation.saturated(population)}, {}
    last = torch.tensor(steps) > settings["steps"] - settings["measure"]["averaged"]
    parameters = ("mu_1", "mu_2", "C_11", "C_12", "C_22")
    means = {name: history[name][last].double().mean(dim=0).cpu() for name in parameters}
    mu = torch.stack([means["mu_1"], means["mu_2"]], dim=-1)
    covariance = torch.stack([means[f"C_{k}"] for k in ("11", "12", "12", "22")], dim=-1).unflatten(-1, (2, 2))
    # The quadrature of a few models is the CPU's, on whatever device they were trained.
    p = target(settings)
    names, points = [run.divergence for run in population.runs[: population.wanted]], plane.grid(p)
    models = zip(names, mu, covariance, strict=True)
    distances = [plane.divergence(exact.of(name), p, m, c, points) for name, m, c in models]
    found = {f"mean {name}": values for name, values in (means | shape(mu, covariance, p)).items()}
    found |= {"mean D": mu.new_tensor(distances), "saturated": saturation.saturated(population)}
    return found, {}


def baselines(settings, data=None):
    """The exact optimum of each divergence among all Gaussians; samplers of the ring without training."""
    rule, rows = settings["measure"], []
    mixture = Mixture(**rule["fitted"])
    for name in settings["divergences"]:
        minima = plane.optima(exact.of(name), mixture)
        value, mu, covariance = minima[0]
        found = {"mu_1": mu[0], "mu_2": mu[1], "C_11": covariance[0, 0], "C_12": covariance[0, 1]}
        found |= {"C_22": covariance[1, 1], "D": value, "minima": len(minima)} | shape(mu, covariance, mixture)
        rows += [(name, 0, f"exact {metric}", float(number)) for metric, number in found.items()]
        others = [(k, f"other mu_{i + 1}", float(mu[i])) for k, (_, mu, _) in enumerate(minima[1:]) for i in (0, 1)]
        rows += [(name, *other) for other in others]
    p, n = target(settings), rule["samples"]
    for seed in range(rule["baseline_seeds"]):
        generator = seeded("cpu", "decides", "baseline", seed)
        samplers = {"fresh samples of P": p.draw((n,), generator)}
        one_mode = p.means[0].float() + settings["target"]["sd"] * torch.randn((n, 2), generator=generator)
        for name, samples in (samplers | {"one mode": one_mode}).items():
            metrics = judged(samples[None], settings)
            rows += [(name, seed, metric, float(value)) for metric, value in metrics.items()]
    return rows, {}
