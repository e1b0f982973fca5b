"""Divergence or settings: a Gaussian in the plane that cannot fit P, and networks that can fit a ring."""

import torch

from fgan import targets
from fgan.engine import networks
from fgan.engine.population import Population
from fgan.metrics import exact, modes, saturation
from fgan.targets.mixtures import Mixture

from . import plane

PARAMETERS = ("mu_1", "mu_2", "C_11", "C_12", "C_22")  # of the Gaussian N(mu, C)


class Map(networks.Linear):
    """x = mu + L z in the plane, started at mu = (m, m) and L = s I for the start values (m, s)."""

    def __init__(self, start):
        super().__init__(2, 2)
        self.values = start

    def start(self, generator):
        m, s = self.values
        return [s * torch.eye(2), torch.full((1, 2), m)]


def population(settings, runs, device="cpu", data=None):
    p = targets.of(settings, device)
    generator, variational = networks.of(settings, 2)
    if "start" in settings:
        generator = networks.Network(Map(settings["start"]))
    return Population(runs, p, generator, variational, settings, device)


def observe(population):
    """The Gaussian's mean and covariance C = L L^T; on the ring modes and quality of fewer samples."""
    if "start" not in population.settings:
        return modes.watched(population)
    weight, bias = (view.detach() for view in population.theta_views)
    covariance = weight.mT @ weight  # x = z W + mu, so L = W^T
    entries = bias[:, 0, 0], bias[:, 0, 1], covariance[:, 0, 0], covariance[:, 0, 1], covariance[:, 1, 1]
    return dict(zip(PARAMETERS, entries, strict=True))


def shape(mu, covariance, mixture):
    """Width det(C)^(1/4), the geometric mean of the two standard deviations, and |mu - m_1|, m_1 the heaviest mode."""
    heaviest = mixture.means[mixture.weights.argmax()]
    return {"width": torch.linalg.det(covariance) ** 0.25, "distance": (mu - heaviest).norm(dim=-1)}


def evaluate(population, steps, history):
    """Ring: modes of the last step. Gaussian: mean of mu and C over the last steps, and the exact D there."""
    settings, measure = population.settings, population.settings["measure"]
    saturated = {"saturated": saturation.saturated(population)}
    if "start" not in settings:
        samples = population.sample(measure["samples"], "evaluation")
        return modes.measured(samples, population.target, measure) | saturated, {}
    last = torch.tensor(steps) > settings["steps"] - measure["averaged"]
    means = [history[name][last].double().mean(dim=0).cpu() for name in PARAMETERS]
    mu = torch.stack(means[:2], dim=-1)
    covariance = torch.stack([*means[2:4], *means[3:]], dim=-1).unflatten(-1, (2, 2))
    # The quadrature of a few models runs on the CPU, even if they were trained on a GPU.
    p = targets.of(settings)
    models, points = zip(population.runs[: population.n_runs], mu, covariance, strict=True), plane.grid(p)
    distances = [plane.divergence(exact.convex(run.divergence), p, m, c, points) for run, m, c in models]
    metrics = dict(zip(PARAMETERS, means, strict=True)) | shape(mu, covariance, p) | {"D": mu.new_tensor(distances)}
    return {f"mean {name}": values for name, values in metrics.items()} | saturated, {}


def optima(name, mixture):
    """Rows of the exact optimum of a divergence among all Gaussians, and of the means of its other local minima."""
    minima = plane.optima(exact.convex(name), mixture)
    least, mu, covariance = minima[0]
    values = (*mu, covariance[0, 0], covariance[0, 1], covariance[1, 1])
    best = dict(zip(PARAMETERS, values, strict=True)) | shape(mu, covariance, mixture)
    others = [("other minimum", name, k, {"mu_1": m[0], "mu_2": m[1]}) for k, (_, m, _) in enumerate(minima[1:])]
    return [("exact optimum", name, 0, best | {"D": least, "minima": len(minima)}), *others]


def samplers(p, n, generator):
    """n samples of the ring itself (best case) and of one of its modes (full collapse)."""
    fresh, sd = p.draw((n,), generator), p.variances.max().sqrt().item()
    one = p.means[0].float() + sd * torch.randn((n, 2), generator=generator)
    return {"fresh samples of P": fresh, "one mode": one}


def baselines(settings, data=None):
    """The exact optimum of each divergence among all Gaussians; samplers of the ring without training."""
    measure = settings["measure"]
    mixture = Mixture(**measure["fitted"])
    rows = [row for name in settings["divergences"] for row in optima(name, mixture)]
    # "decides" is the stream of its first record.
    return rows + modes.baselines(targets.of(settings), measure, "decides", samplers), {}
