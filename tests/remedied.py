"""Populations with remedies that several tests share, at their start and after training."""

from small import run, settings, trained

from fgan.divergences import DIVERGENCES
from fgan.engine.networks import mlp
from fgan.engine.training import rounds
from fgan.remedies import Remedied
from fgan.targets.mixtures import ring

EXAMPLES = {
    "instance_noise": {"sd": 0.5, "until": 1000},
    "reconstructor": {"hidden": [16], "activation": "relu", "weight": 1.0},
    "packing": {"points": 2},
    "minibatch_discrimination": {"kernels": 8, "dimensions": 4},
    "spectral_norm": {},
    "gradient_penalty": {"weight": 0.1},
    "fake_gradient_penalty": {"weight": 0.1},
    "unrolling": {"steps": 2},
}
EVERY = [run(d, o, s) for d in DIVERGENCES for o in ("saddle", "alternative") for s in (0, 1)]
FEW = [run("kl"), run("gan", "alternative")]


def example(*kinds):
    return [{"kind": kind} | EXAMPLES[kind] for kind in kinds]


def population(runs, remedies, device="cpu", **changes):
    chosen = settings(**changes) | {"remedies": remedies}
    generator = mlp(2, 2, **chosen["generator"])
    variational = lambda inputs: mlp(inputs, 1, **chosen["variational"])
    return Remedied(runs, ring(8, 2.0, 0.1, device), generator, variational, chosen, device)


def drawn(p):
    """Data and noise of the first step, for every run."""
    data, noise = p.draws(0, 1, 1)
    return p.target(p.spread(data[:, 0, 0])), p.spread(noise[:, 0, 0])


def grown(runs, remedies, steps=50, **changes):
    """A population after a training: its optimisers have moments, its V tells P from Q, its noise has begun to fade."""
    p = population(runs, remedies, steps=steps, history=steps, **changes)
    trained(p)
    return p


def following(p):
    """Data and noise of the step after that training, as a step takes them."""
    data, noise = p.draws(2, max(rounds(p), 1), rounds(p) + 1)
    return data[:, 10], noise[:, 10]
