"""Small populations that several tests share."""

from pathlib import Path

from fgan import design
from fgan.design import Run, merge
from fgan.networks import mlp
from fgan.population import Population
from fgan.targets import images
from fgan.targets.mixtures import ring
from fgan.training import train

EXPERIMENTS = Path(__file__).parents[1] / "experiments"

SETTINGS = {
    "noise": {"kind": "normal", "dimension": 2},
    "generator": {"hidden": [16, 16], "activation": "tanh"},
    "variational": {"hidden": [16, 16], "activation": "tanh"},
    "optimiser": {"kind": "adam", "generator": 3e-4, "variational": 1e-3, "beta1": 0.5},
    "method": {"kind": "single_step"}, "batch": 32, "steps": 20, "history": 1,
}  # fmt: skip


def run(divergence="gan", objective="saddle", seed=0, arm="main"):
    return Run("ring", arm, divergence, objective, seed)


def settings(**changes):
    """SETTINGS with changes laid over them, mappings key by key."""
    return merge(SETTINGS, changes)


def population(runs, device="cpu", **changes):
    """Small tanh networks on a wide ring of eight modes."""
    chosen = settings(**changes)
    generator = mlp(chosen["noise"]["dimension"], 2, **chosen["generator"])
    return Population(runs, ring(8, 2.0, 0.1), generator, mlp(2, 1, **chosen["variational"]), chosen, device)


def driven(runs, **changes):
    """A small population with whole settings replaced, not merged (SGD knows no decays)."""
    p = population(runs)
    return Population(p.runs, p.target, p.generator, p.variational, p.settings | changes)


def published(experiment, runs, steps):
    """A population of an experiment as it is at the scale `quick`, cut to a number of steps."""
    chosen = design.load(experiment, "quick", EXPERIMENTS, max_steps=steps)
    arm = next(iter(chosen.arms.values()))
    data = images.digits() if experiment == "digits" else None
    return chosen.run.population(arm | {"history": 10}, runs, data=data)


def nothing(population):
    """Observes no further metric."""
    return {}


def trained(population, **options):
    """(history, step of divergence) of a population after its training; the population itself is changed."""
    _, history, diverged = train(population, nothing, **options)
    return history, diverged
