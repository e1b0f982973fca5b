"""Unrolling: the unrolled updates are those that V's optimiser would make from its present state, with their graph."""

import pytest
import torch
from benchmarks.agreement import double
from remedied import FEW, drawn, following, grown, population
from small import driven, run

from fgan.divergences import DIVERGENCES
from fgan.engine.training import gradients, rounds, step

PAIRS = [run(d, o) for d in DIVERGENCES for o in ("saddle", "alternative")]
ADAM = {"kind": "adam", "generator": 3e-4, "variational": 1e-3, "beta1": 0.5}
SGD = {"kind": "sgd", "generator": 1e-2, "variational": 1e-2}
METHODS = pytest.mark.parametrize("method", [{"kind": "single_step"}, {"kind": "k_step", "k": 2}], ids=["single", "k"])


@pytest.fixture(autouse=True)
def float64():
    with double():
        yield


def unrolling(steps):
    return [{"kind": "unrolling", "steps": steps}]


def spied(p):
    """A list that receives, whenever G's loss is taken, the population's state then and the views of the last V."""
    seen, remedy = [], p.remedies[0]

    def ahead(population, play, loss):
        views = []
        loss = type(remedy).ahead(remedy, population, lambda own: views.append(own) or play(own), loss)
        seen.append(({name: value.clone() for name, value in p.state().items()}, [v.detach() for v in views[-1]]))
        return loss

    remedy.ahead = ahead
    return seen


@METHODS
@pytest.mark.parametrize("rule", [ADAM, ADAM | {"beta1": 0.9, "clip": 0.1}, SGD], ids=["adam", "clipped", "sgd"])
def test_v_1_is_the_next_iterate_of_v_on_the_same_samples(rule, method):
    """From the state of 50 steps, with the moments that V then has, for every divergence and both objectives."""
    p = grown(PAIRS, unrolling(1), optimiser=rule, method=method)
    (data, noise), seen = following(p), spied(p)
    step(p, data, noise)
    ((state, ahead),) = seen
    own = population(PAIRS, [], optimiser=rule)
    own.load(state)
    before = own.omega.clone()
    step(own, data[:, -1:], noise[:, rounds(p) :])
    moved, wanted = torch.cat([view.flatten(1) for view in ahead], dim=1) - before, own.omega - before
    assert (wanted.norm(dim=1) > 1e-5).all()
    assert ((moved - wanted).norm(dim=1) / wanted.norm(dim=1)).max() < 1e-6
    if method["kind"] == "single_step":
        torch.testing.assert_close(torch.cat([v.flatten(1) for v in ahead], dim=1), p.omega, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("trained", [0, 50])
@pytest.mark.parametrize("rule", [ADAM, SGD], ids=["adam", "sgd"])
@pytest.mark.parametrize("k", [1, 3])
def test_k_unrolled_updates_are_k_steps_of_v_alone(rule, k, trained):
    """The same batch at every step, and a G that stands still: k steps of training are the k unrolled ones."""
    p = grown(FEW, unrolling(k), trained, optimiser=rule) if trained else population(FEW, unrolling(k), optimiser=rule)
    alone = driven(FEW, optimiser=rule | {"generator": 0.0})
    alone.load(p.state())
    (data, noise), seen = following(p), spied(p)
    step(p, data, noise)
    for _ in range(k):
        step(alone, data, noise)
    for unrolled, moved in zip(seen[0][1], alone.omega_views, strict=True):
        torch.testing.assert_close(unrolled, moved.detach(), rtol=1e-6, atol=1e-9)


@METHODS
@pytest.mark.parametrize("trained", [1, 50])
def test_the_unrolled_v_depends_on_g(trained, method):
    p = grown(PAIRS, unrolling(2), trained, method=method)
    remedy, seen = p.remedies[0], []
    p.remedies[0].ahead = lambda population, play, loss: type(remedy).ahead(
        remedy, population, lambda own: seen.append(own) or play(own), loss
    )
    p.losses(*drawn(p))
    through = torch.autograd.grad(sum(view.sum() for view in seen[-1]), p.theta_views)
    assert all((gradient.abs().flatten(1).amax(dim=1) > 0).all() for gradient in through)


@pytest.mark.parametrize("rule", [ADAM, ADAM | {"clip": 0.1}, SGD | {"variational": 0.05}], ids=["adam", "clip", "sgd"])
@pytest.mark.parametrize("trained", [1, 50])
def test_the_unrolled_gradient_is_the_derivative_of_the_unrolled_loss(trained, rule):
    p = grown([run("kl"), run("gan"), run("gan", "alternative")], unrolling(2), trained, optimiser=rule)
    x, z = drawn(p)
    exact = gradients(p.losses(x, z)[1], p.theta_views)
    direction = torch.randn(p.theta.shape, generator=torch.Generator().manual_seed(1))
    moved = []
    for shift in (1e-5, -2e-5, 1e-5):
        with torch.no_grad():
            p.theta.add_(direction, alpha=shift)
        moved.append(p.losses(x, z)[1].detach())
    torch.testing.assert_close((exact * direction).sum(1), (moved[0] - moved[1]) / 2e-5, rtol=1e-5, atol=1e-8)
