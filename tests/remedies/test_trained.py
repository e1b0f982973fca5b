"""Every remedy under both methods from a state that training has reached: moments, counts and fading noise included."""

import pytest
import torch
from benchmarks.agreement import double
from remedied import EVERY, example, following, grown, population
from small import run

from fgan.engine.training import gradients, rounds, step
from fgan.remedies import REMEDIES

METHODS = pytest.mark.parametrize("method", [{"kind": "single_step"}, {"kind": "k_step", "k": 2}], ids=["single", "k"])
KINDS = pytest.mark.parametrize("kind", REMEDIES)
RUNS = [run("kl"), run("reverse_kl", "alternative"), run("gan"), run("gan", "alternative"), run("gan", "logit")]


def inputs(p):
    """Data and noise of the next step's last draw, for every run."""
    data, noise = following(p)
    return p.spread(data[:, -1]), p.spread(noise[:, rounds(p)])


@METHODS
@KINDS
def test_a_state_holds_all_that_the_next_steps_depend_on(kind, method):
    p, other = grown(EVERY[::3], example(kind), method=method), population(EVERY[::3], example(kind), method=method)
    other.load({name: value.clone() for name, value in p.state().items()})
    for _ in range(3):
        mine, theirs = (step(one, *following(p)) for one in (p, other))
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    assert torch.equal(p.theta, other.theta) and torch.equal(p.omega, other.omega)


@METHODS
@KINDS
def test_g_descends_its_loss_and_v_climbs_its_objective(kind, method):
    """G's gradient is the derivative of its loss; a small step along V's raises F, less what a penalty takes."""
    with double():
        p = grown(RUNS, example(kind), method=method)
        x, z = inputs(p)
        value, loss = p.losses(x, z)
        exact, ascent = gradients(loss, p.theta_views, retain_graph=True), gradients(value, p.omega_views)
        direction = torch.randn(p.theta.shape, generator=torch.Generator().manual_seed(1))
        moved = []
        for shift in (1e-6, -2e-6, 1e-6):
            with torch.no_grad():
                p.theta.add_(direction, alpha=shift)
            moved.append(p.losses(x, z)[1].detach())
        torch.testing.assert_close((exact * direction).sum(1), (moved[0] - moved[1]) / 2e-6, rtol=1e-4, atol=1e-7)
        own = climbed(p, x, z)
        with torch.no_grad():
            p.omega.add_(ascent, alpha=1e-6)
        torch.testing.assert_close(climbed(p, x, z) - own, 1e-6 * ascent.square().sum(dim=1), rtol=1e-3, atol=1e-13)


def climbed(p, x, z):
    """What V climbs [runs]: F less the penalty of every remedy."""
    value, _ = p.losses(x, z, inner=True)
    points = [remedy.real(p, x, z[..., 2:4]) for remedy in p.remedies], p.generate(z).detach()
    penalty = sum(r.penalty(p, p.omega_views, real, points[1]) for r, real in zip(p.remedies, points[0], strict=True))
    return (value - penalty).detach()


def test_the_objective_logit_descends_the_mean_raw_output_of_v_beside_the_reconstruction():
    with double():
        p = grown([run("gan", "logit"), run("gan", "alternative"), run("gan")], example("reconstructor"))
        x, z = inputs(p)
        raw = p.variational(p.omega_views, torch.cat([p.generate(z), z], dim=2)).mean(dim=(1, 2))
        _, loss = p.losses(x, z)
        wanted = p.remedies[0].cost(p, p.generate(z), z) - raw
        torch.testing.assert_close(loss[0], wanted[0])
        assert (loss[1:] - wanted[1:]).abs().min() > 1e-3


def test_an_unrolled_logit_has_no_term_of_the_data():
    """Only the saddle objective minimises F's data term through the V that depends on G."""
    with double():
        p = grown([run("gan", "logit"), run("gan")], example("reconstructor", "unrolling"))
        assert p.saddle.tolist() == [False, True] and p.logit.tolist() == [True, False]
        (x, z), seen = inputs(p), []
        p.remedies[1].ahead = lambda population, play, loss: seen.append(play(p.omega_views)[1]) or loss
        cost = p.losses(x, z)[1] - seen[0]
        torch.testing.assert_close(cost, p.remedies[0].cost(p, p.generate(z), z))
