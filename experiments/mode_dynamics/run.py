"""Mode dynamics: the same points z are followed through the training, with the modes that they win and lose."""

import torch

from fgan import targets
from fgan.engine import networks
from fgan.engine.population import Population
from fgan.metrics import modes


class Pictured(Population):
    """A population that keeps, at each entry of its history, a picture (some samples) and the modes that it covers."""

    def __init__(self, runs, target, generator, variational, settings, device):
        super().__init__(runs, target, generator, variational, settings, device)
        size = len(self.runs), -(-settings["steps"] // settings["history"])
        self.pictures = torch.zeros(*size, settings["measure"]["shown"], target.dimension, device=device)
        self.covered = torch.zeros(*size, len(target.means), dtype=torch.uint8, device=device)

    def state(self):
        return super().state() | {"pictures": self.pictures, "covered": self.covered}


def population(settings, runs, device="cpu", data=None):
    p = targets.of(settings, device)
    return Pictured(runs, p, *networks.of(settings, p.dimension), settings, device)


def observe(population):
    """Takes a picture, always of the same z, so that only G moves the points."""
    measure, runs = population.settings["measure"], population.n_runs
    samples = population.sample(measure["samples"], "film")
    covered = modes.covered(samples, population.target, measure["rule"])
    entry = ((population.steps - 1) / population.settings["history"]).long().view(1)
    population.pictures[:runs].index_copy_(1, entry, samples[:, None, : measure["shown"]])
    population.covered[:runs].index_copy_(1, entry, covered[:, None].to(torch.uint8))
    return {"watched modes": covered.sum(dim=1)}


def evaluate(population, steps, history):
    """Counts the modes won and lost between two pictures, and those that were covered at any time."""
    pictures, covered = population.pictures[: population.n_runs], population.covered[: population.n_runs].bool()
    before, after, ever = covered[:, :-1], covered[:, 1:], covered.any(dim=1)
    metrics = {
        "modes": covered[:, -1].sum(dim=1),
        "forgotten": (ever & ~covered[:, -1]).sum(dim=1),
        "ever covered": ever.sum(dim=1),
        "won": (after & ~before).sum(dim=(1, 2)),
        "lost": (before & ~after).sum(dim=(1, 2)),
    }
    return metrics, {"pictures": pictures.half(), "covered": covered.to(torch.uint8)}


def baselines(settings, data=None):
    """Returns nothing, because this experiment compares with no samplers."""
    return [], {}
