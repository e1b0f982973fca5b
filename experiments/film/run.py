"""Film: the same points of z, followed through the training, and the modes that they win and lose."""

import torch

from fgan.metrics import coverage, modes
from fgan.networks import mlp
from fgan.population import Population
from fgan.targets import multimodal


class Filmed(Population):
    """A population that keeps, at each entry of its history, some samples and the modes that more samples cover."""

    def __init__(self, runs, target, generator, variational, settings, device):
        super().__init__(runs, target, generator, variational, settings, device)
        entries = -(-settings["steps"] // settings["history"])
        shown, number = settings["measure"]["shown"], len(target.means)
        self.frames = torch.zeros(len(self.runs), entries, shown, target.dimension, device=device)
        self.covered = torch.zeros(len(self.runs), entries, number, dtype=torch.uint8, device=device)

    def state(self):
        return super().state() | {"frames": self.frames, "covered": self.covered}


def population(settings, runs, device="cpu", data=None):
    p = multimodal.of(settings, device)
    generator = mlp(settings["noise"]["dimension"], p.dimension, **settings["generator"])
    variational = mlp(p.dimension, 1, **settings["variational"])
    return Filmed(runs, p, generator, variational, settings, device)


def observe(population):
    """Takes a picture: always of the same z, so that what moves is G."""
    settings, target = population.settings, population.target
    measure, wanted = settings["measure"], population.wanted
    samples = population.sample(measure["samples"], "film")
    hits = modes.counts(samples, target.means, coverage.radius(target, measure["quantile"]))
    covered = hits >= measure["fair_share"] * measure["samples"] / len(target.means)
    entry = ((population.steps - 1) / settings["history"]).long().view(1)
    population.frames[:wanted].index_copy_(1, entry, samples[:, None, : measure["shown"]])
    population.covered[:wanted].index_copy_(1, entry, covered[:, None].to(torch.uint8))
    return {"watched modes": covered.sum(dim=1)}


def evaluate(population, steps, history):
    """Counts the modes won and lost between two pictures, and those that were covered at any time."""
    covered = population.covered[: population.wanted].bool()
    before, after = covered[:, :-1], covered[:, 1:]
    metrics = {
        "modes": covered[:, -1].sum(dim=1),
        "forgotten": (covered.any(dim=1) & ~covered[:, -1]).sum(dim=1),
        "ever covered": covered.any(dim=1).sum(dim=1),
        "won": (after & ~before).sum(dim=(1, 2)),
        "lost": (before & ~after).sum(dim=(1, 2)),
    }
    return metrics, {"frames": population.frames[: population.wanted].half(), "covered": covered.to(torch.uint8)}


def baselines(settings, data=None):
    """Nothing is compared with samplers here."""
    return [], {}
