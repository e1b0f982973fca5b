"""Decoupled: with h = f the saddle objective, with h'' = f''/u the alternative one, at the start and after training."""

import itertools

import pytest
import torch
from benchmarks.agreement import double
from small import EXPERIMENTS, run, settings, trained

from fgan import design
from fgan.divergences import DIVERGENCES, LEAST
from fgan.engine.networks import mlp
from fgan.engine.population import Population
from fgan.engine.training import gradients
from fgan.targets.mixtures import ring

RUN = design.module(EXPERIMENTS, "decoupled", "run")
Decoupled = RUN.Decoupled
NAMES = [name for name, d in DIVERGENCES.items() if d.log_ratio]
# f, the entries h of the table whose sum h'' = f''/u, and their factors.
ALTERNATIVES = [
    ("kl", {"reverse_kl": 1}), ("pearson", {"kl": 2}), ("reverse_kl", {"neyman": 0.5}), ("neyman", {"alpha_m2": 2}),
    ("alpha_3", {"pearson": 0.5}), ("jeffrey", {"reverse_kl": 1, "neyman": 0.5}),
]  # fmt: skip


def game(kind, runs, **changes):
    chosen = settings(**changes)
    networks = mlp(2, 2, **chosen["generator"]), mlp(2, 1, **chosen["variational"])
    return kind(runs, ring(8, 2.0, 0.1), *networks, chosen)


def played(runs, steps):
    """A decoupled game after so many steps, with points of P and noise that it has not seen."""
    p = game(Decoupled, runs, steps=max(steps, 1), history=1)
    if steps:
        trained(p)
    data, noise = p.draws(50, 1, 1)
    return p, p.target(p.spread(data[:, 0, 0])).to(p.theta.dtype), p.spread(noise[:, 0, 0])


def of_both(p, x, z):
    """F and G's loss of a game, with V's gradient of the first and G's of both, a row for each run."""
    value, loss = p.losses(x, z)
    return value, loss, gradients(value, p.omega_views, retain_graph=True), gradients(loss, p.theta_views)


def coupled(p, runs):
    """The game of f-GAN in the state of a decoupled one."""
    other = game(Population, runs)
    with torch.no_grad():
        other.theta.copy_(p.theta)
        other.omega.copy_(p.omega)
    return other


def positive(p, x, z):
    """Runs whose V implies a positive ratio on all samples of Q."""
    v = p.judge(p.generate(z))
    parts = [d.log_ratio(v[first:last]) for d, first, last, _ in p.slices]
    return (torch.cat(parts) > torch.tensor(LEAST).log() + 1e-6).all(dim=1)[:, 0]


@pytest.mark.parametrize("steps", [0, 60])
def test_with_h_equal_to_f_it_is_the_saddle_objective(steps):
    with double():
        p, x, z = played([run(name, name, seed) for name in NAMES for seed in (0, 1)], steps)
        found = of_both(p, x, z)
        known = of_both(coupled(p, [run(name, "saddle", seed) for name in NAMES for seed in (0, 1)]), x, z)
        there = positive(p, x, z)
        assert there.sum() >= len(there) - 4  # of Pearson's and alpha's V alone some fakes have no positive ratio
        for mine, theirs in zip(found, known, strict=True):
            torch.testing.assert_close(mine[there], theirs[there], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("steps", [0, 60])
@pytest.mark.parametrize(("f", "sum_of_h"), ALTERNATIVES)
def test_with_h_second_derivative_f_over_u_it_is_the_alternative_objective(f, sum_of_h, steps):
    with double():
        p, x, z = played([run(f, h) for h in sum_of_h] + [run(f, f)], steps)
        with torch.no_grad():  # all in the state of the last run, which has trained against its own h
            p.theta.copy_(p.theta[-1:].expand_as(p.theta))
            p.omega.copy_(p.omega[-1:].expand_as(p.omega))
        assert positive(p, x, z).all()
        *_, mine = of_both(p, x, z)
        *_, theirs = of_both(coupled(p, [run(f, "alternative")] * len(mine)), x, z)
        weighted = sum(factor * row for factor, row in zip(sum_of_h.values(), mine, strict=False))
        torch.testing.assert_close(weighted, theirs[0], rtol=1e-9, atol=1e-12)


def test_every_pair_descends_h_through_the_ratio_of_its_v():
    """Against the definition, u h''(u) du, with u from V by autograd of the table's f* and g_f."""
    runs = [run(f, h) for f, h in itertools.product(NAMES, NAMES)]
    with double():
        p, x, z = played(runs, 30)
        _, loss = p.losses(x, z)
        mine = gradients(loss, p.theta_views)
        there = positive(p, x, z)
        v = p.judge(p.generate(z))
        parts = []
        for one, row in zip(runs, v, strict=True):
            f, h = DIVERGENCES[one.divergence], DIVERGENCES[one.objective]
            slope = lambda function, at: torch.autograd.grad(function(at).sum(), at, create_graph=True)[0]
            at = row.detach().requires_grad_()
            u = slope(f.conjugate_of_activation, at) / slope(f.activation, at)  # f*'(g_f(v))
            weight = u * slope(h.f_prime, u) * slope(lambda a, u=u: u, at)
            parts.append(-(weight.detach() * row).mean())
        theirs = gradients(torch.stack(parts), p.theta_views)
        torch.testing.assert_close(mine[there], theirs[there], rtol=1e-6, atol=1e-10)
        assert there.sum() > 100


def test_the_order_of_the_runs_does_not_matter():
    runs = [run(f, h) for f, h in itertools.product(("kl", "gan", "neyman"), ("kl", "jeffrey", "neyman"))]
    shuffled = [runs[i] for i in (4, 0, 8, 2, 6, 1, 3, 7, 5)]
    with double():
        one, other = (of_both(*played(order, 0)) for order in (runs, shuffled))
        for mine, theirs in zip(one, other, strict=True):
            torch.testing.assert_close(theirs, mine[[runs.index(r) for r in shuffled]])
