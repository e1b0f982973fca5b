"""The population against a plain loop over single runs: to rounding at first, in distribution for good."""

import numpy as np
import pytest
import torch
from benchmarks.configurations import CONFIGURATIONS, Configuration
from benchmarks.plain import Loop, module
from plain import permutation

from fgan.engine.networks import mlp
from fgan.engine.training import step

SMALL = {
    name: c for name, c in CONFIGURATIONS.items() if name in ("ring 2x64", "ring maxout", "MNIST small", "DCGAN small")
}


def both(chosen, runs):
    """A population and a plain loop for each of its runs, from the same weights."""
    p = chosen.population(runs, "cpu")
    flats = zip(p.theta.detach(), p.omega.detach(), strict=True)
    loops = [Loop(*map(module, chosen.networks(), flat), chosen.optimiser) for flat in flats]
    return p, loops


def flat(plain):
    """Parameters of nn.Sequential in the order and shapes of the stack, [parameters]."""
    return torch.cat([(p.mT if p.dim() == 2 else p).detach().flatten() for p in plain.parameters()])


@pytest.fixture
def double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def differences(chosen, steps=20):
    """Largest differences of F and of the parameters, these in units of the longest way that Adam can take."""
    p, loops = both(chosen, 2)
    data, noise = p.draws(0, 1, 1)
    value, moved = 0.0, 0.0
    for i in range(steps):
        entry = step(p, data[:, i], noise[:, i])
        for r, loop in enumerate(loops):
            value = max(value, float((entry["F"][r] - loop(data[r, i, 0], noise[r, i, 0])).detach().abs()))
    for r, loop in enumerate(loops):
        for mine, plain, rate in ((p.theta, loop.generator, "generator"), (p.omega, loop.variational, "variational")):
            moved = max(moved, float((mine[r] - flat(plain)).detach().abs().max()) / chosen.optimiser[rate] / steps)
    return value, moved


@pytest.mark.parametrize("name", SMALL)
def test_twenty_steps_are_those_of_the_plain_loop(name, double):
    """In double precision, where rounding is so small that a gradient's sign never hangs on it."""
    value, moved = differences(SMALL[name])
    assert value < 1e-9 and moved < 1e-3


@pytest.mark.parametrize("name", SMALL)
def test_twenty_steps_agree_in_single_precision(name):
    # Batch norm over tiny activations, the DCGAN's at its start, multiplies rounding.
    assert differences(SMALL[name])[0] < (2e-3 if name == "DCGAN small" else 1e-4)


# Quick to become chaotic, and quick to train.
TINY = Configuration(
    "tiny", lambda: mlp(2, 2, [12, 12], "relu"), lambda: mlp(2, 1, [12, 12], "relu"), 2, 2, 16,
    {"kind": "adam", "generator": 0.01, "variational": 0.01, "beta1": 0.5},
)  # fmt: skip
RUNS, STEPS = 24, 900


def stacked(p):
    """Parameters' norms of every run [runs, 2] after the training of a population."""
    for at in range(STEPS):
        if at % 20 == 0:
            data, noise = p.draws(at // 20, 1, 1)
        step(p, data[:, at % 20], noise[:, at % 20])
    return torch.stack([p.theta.norm(dim=1), p.omega.norm(dim=1)], dim=1).detach().numpy()


@pytest.mark.slow
def test_long_training_agrees_in_distribution_and_a_wrong_rate_does_not():
    """Rounding has grown to order one by then, so runs differ; what they measure is distributed alike."""
    p, loops = both(TINY, RUNS)
    for at in range(STEPS):
        if at % 20 == 0:
            data, noise = p.draws(at // 20, 1, 1)
        for r, loop in enumerate(loops):
            loop(data[r, at % 20, 0], noise[r, at % 20, 0])
    plain = np.array([[flat(net).norm() for net in (loop.generator, loop.variational)] for loop in loops])
    mine = stacked(p)
    assert np.abs(mine / plain - 1).max() > 1e-3
    assert permutation(mine, plain).min() > 0.05
    wrong = TINY.population(RUNS, "cpu")
    wrong.omega_optimiser.rate.mul_(4)
    assert permutation(stacked(wrong), plain).min() < 0.01
