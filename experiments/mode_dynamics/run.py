"""Mode dynamics: the same points z are followed through the training, with the modes that they win and lose."""

import math

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
    rule = modes.RULES[measure["rule"]]
    hits = modes.counts(samples, population.target.means, rule.radius(population.target))
    covered = hits >= rule.least(samples.shape[1], hits.shape[1])
    entry = ((population.steps - 1) / population.settings["history"]).long().view(1)
    population.pictures[:runs].index_copy_(1, entry, samples[:, None, : measure["shown"]])
    population.covered[:runs].index_copy_(1, entry, covered[:, None].to(torch.uint8))
    return {"watched modes": covered.sum(dim=1), "watched high_quality": hits.sum(dim=1) / samples.shape[1]}


def spells(covered, steps):
    """When each mode was first covered, and when it was first lost again, in steps: each [runs, modes], NaN for never.

    `covered` [runs, entries, modes] says which modes were covered at the `steps` of the entries.
    """
    when = torch.tensor([*steps, math.nan], dtype=torch.float64, device=covered.device)
    ever = covered.cummax(dim=1).values
    first = (~ever).sum(dim=1)  # entries before the first cover; their number if it never comes
    lost = (~(ever & ~covered).cummax(dim=1).values).sum(dim=1)
    return when[first], when[lost]


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
    if steps:
        metrics["high_quality"] = history["watched high_quality"][-1]
        for name, times in zip(("first covered", "first lost"), spells(covered, steps), strict=True):
            metrics |= {(name, f"mode {k + 1}"): times[:, k] for k in range(times.shape[1])}
    return metrics, {"pictures": pictures.half(), "covered": covered.to(torch.uint8)}


def baselines(settings, data=None):
    """Returns nothing, because this experiment compares with no samplers."""
    return [], {}
