"""Relativistic objectives: the published loss, a divergence for every f, gradients of the formula as it is written."""

import itertools

import pytest
import torch
from benchmarks.agreement import double
from remedied import EVERY, example, following, grown, population
from small import run, trained
from torch.nn.functional import logsigmoid

from fgan.divergences import DIVERGENCES
from fgan.engine.relativistic import DIRECT, SWAPPED, Pairs
from fgan.engine.training import gradients

PAIRED = [run(d, o, k % 2) for k, d in enumerate(DIVERGENCES) for o in (DIRECT, SWAPPED)]
PENALTIES = [(), ("gradient_penalty",), ("gradient_penalty", "fake_gradient_penalty")]
# g_f^-1(f'(u)) is a multiple of log u, so that the optimal V of a pair is a difference.
LOG_RATIOS = ("kl", "reverse_kl", "neyman", "squared_hellinger", "jensen_shannon", "gan")


def formula(name, d):
    """g_f(v_0 + d) - f*(g_f(v_0 - d)), from the literal conjugate."""
    own = DIVERGENCES[name]
    return own.activation(own.threshold_v + d) - own.conjugate(own.activation(own.threshold_v - d))


def network(views, x):
    *hidden, weight, bias = views
    for w, b in zip(hidden[::2], hidden[1::2], strict=True):
        x = torch.tanh(x @ w + b)
    return x @ weight + bias


@pytest.mark.parametrize("kinds", PENALTIES, ids=lambda kinds: "+".join(kinds) or "alone")
def test_from_a_trained_state_both_players_have_the_gradients_of_the_written_formula(kinds):
    """After 50 ordinary steps, run by run, for every divergence; the weight of both penalties is 0.1."""
    with double():
        p = grown(PAIRED, example(*kinds))
        x, z = (p.spread(draws[:, 0]) for draws in following(p))
        value, loss = p.losses(x, z)
        found = [value, loss, gradients(value, p.omega_views, retain_graph=True), gradients(loss, p.theta_views)]
        for r, one in enumerate(PAIRED):
            theta, omega = ([v[r].detach().clone().requires_grad_() for v in w] for w in (p.theta_views, p.omega_views))
            real, fake = x[r].clone().requires_grad_(), network(theta, z[r])
            v_real, v_fake = network(omega, real), network(omega, fake)
            d = v_real - v_fake
            wanted = formula(one.divergence, d).mean()
            cost = wanted if one.objective == DIRECT else -formula(one.divergence, -d).mean()
            climbed = wanted
            for kind, points, outputs in (("gradient", real, v_real), ("fake", fake, v_fake)):
                if any(name.startswith(kind) for name in kinds):
                    (slope,) = torch.autograd.grad(outputs.sum(), points, create_graph=True)
                    climbed = climbed - 0.05 * slope.square().sum(dim=1).mean()
            up = torch.autograd.grad(climbed, omega, retain_graph=True)
            down = torch.autograd.grad(cost, theta)
            wanted = [wanted, cost, *(torch.cat([part.flatten() for part in parts]) for parts in (up, down))]
            for mine, theirs in zip(found, wanted, strict=True):
                torch.testing.assert_close(mine[r], theirs, rtol=1e-9, atol=1e-12, msg=f"{one}")
            assert down[0].any() and up[0].any()


@pytest.mark.parametrize(("name", "constant"), [("gan", 0.0), ("jensen_shannon", 2 * torch.tensor(2.0).log())])
def test_gan_has_the_published_losses_of_both_players(name, constant):
    """Twice log sigmoid(V(x) - V(G(z))) for V, and for G its negative with the pair swapped (2018, sec. 4)."""
    v_real, v_fake = 5 * torch.randn(2, 2, 50, 1, generator=torch.Generator().manual_seed(0))
    p = population([run(name, DIRECT), run(name, SWAPPED)], [])
    value, loss = p.pairs.value_and_loss(p.slices, v_real, v_fake)
    published = 2 * logsigmoid(v_real - v_fake).mean(dim=(1, 2)) + constant
    torch.testing.assert_close(value, published)
    torch.testing.assert_close(loss[0], published[0])
    torch.testing.assert_close(loss[1], -2 * logsigmoid(v_fake[1] - v_real[1]).mean() - constant)


def test_pearson_is_the_published_least_squares_loss():
    """4 h(d / 4) with h(d) = 1 - (1 - d)^2 of Jolicoeur-Martineau 2020."""
    d = torch.linspace(-9, 9, 100, dtype=torch.float64)
    torch.testing.assert_close(formula("pearson", d), 4 * (1 - (1 - d / 4) ** 2))


def ascended(name, p, q, v):
    """F_rel of distributions p and q over a few points, and V's outputs there, at the end of an ascent from v."""
    own, weights, v = DIVERGENCES[name], p[:, None] * q[None, :], v.clone().requires_grad_()
    climber = torch.optim.LBFGS([v], lr=0.5, max_iter=200, line_search_fn="strong_wolfe", tolerance_grad=1e-12)

    def descend():
        climber.zero_grad()
        d = v[:, None] - v[None, :]
        value = -(
            weights * (own.activation(own.threshold_v + d) - own.conjugate_of_activation(own.threshold_v - d))
        ).sum()
        value.backward()
        return value.detach()

    climber.step(descend)
    return -float(descend())


@pytest.mark.parametrize("name", DIVERGENCES)
def test_its_supremum_is_a_symmetric_divergence_below_that_of_the_pairs(name):
    """f(1) at P = Q, more elsewhere, and at most D_f(P x Q || Q x P), which is reached where V may be a log-ratio."""
    p, q = torch.tensor([[0.6, 0.3, 0.1], [0.2, 0.3, 0.5]], dtype=torch.float64)
    f, start = DIVERGENCES[name].f, torch.tensor([0.1, 0.0, -0.1], dtype=torch.float64)
    at_one = float(f(torch.ones((), dtype=torch.float64)))
    ratio = (p[:, None] * q[None, :]) / (q[:, None] * p[None, :])
    bound = float(((q[:, None] * p[None, :]) * f(ratio)).sum())
    assert ascended(name, p, p, start) == pytest.approx(at_one, abs=1e-9)
    for v in torch.randn(200, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 2:
        assert (p[:, None] * p[None, :] * formula(name, v[:, None] - v[None, :])).sum() <= at_one + 1e-12
    found = ascended(name, p, q, start)
    assert at_one + 0.05 < found <= bound + 1e-9
    assert ascended(name, q, p, -start) == pytest.approx(found, abs=1e-7)
    assert (found == pytest.approx(bound, abs=1e-7)) == (name in LOG_RATIOS or name == "total_variation")


def test_where_the_integrand_is_concave_it_is_one_of_the_published_ones():
    """Less f(1): 0 at 0 with a slope there and, but for three, concave."""
    d = torch.linspace(-8, 8, 801, dtype=torch.float64).requires_grad_()
    for name, own in DIVERGENCES.items():
        value = formula(name, d)
        (slope,) = torch.autograd.grad(value.sum(), d)
        torch.testing.assert_close(value[400], own.f(torch.ones((), dtype=torch.float64)), atol=1e-12, rtol=0)
        assert slope[400] > 0.5
        assert (slope.diff() <= 1e-9).all() == (name not in ("total_variation", "neyman", "alpha_m2")), name


@pytest.mark.parametrize("kinds", PENALTIES, ids=lambda kinds: "+".join(kinds) or "alone")
def test_bits_of_a_run_do_not_depend_on_the_runs_beside_it(kinds):
    """Neither those of a relativistic run nor those of a plain one beside it, alone or in any order."""
    both = [*EVERY[::6], *PAIRED]
    whole = population(both, example(*kinds))
    trained(whole)
    for piece in (PAIRED[5:9], PAIRED[::-3], EVERY[::6], [PAIRED[6]]):
        p = population(piece, example(*kinds))
        trained(p)
        rows = torch.tensor([both.index(one) for one in p.runs])
        assert torch.equal(whole.theta[rows], p.theta) and torch.equal(whole.omega[rows], p.omega)


@pytest.mark.parametrize("twins", [("kl", "reverse_kl"), ("jensen_shannon", "gan")])
def test_twins_are_one_algorithm(twins):
    """Under both objectives, over the first 20 steps, up to rounding: V's own constant cancels in a difference."""
    p = population([run(*pair) for pair in itertools.product(twins, (DIRECT, SWAPPED))], [])
    history, _ = trained(p)
    torch.testing.assert_close(p.theta[:2], p.theta[2:], rtol=1e-4, atol=2e-5)
    assert not torch.allclose(p.theta[0], p.theta[1], rtol=1e-4, atol=2e-5)
    spread = (history["F"][:, :2] - history["F"][:, 2:]).std(dim=0)
    assert (spread < 1e-5).all()


def test_only_relativistic_runs_see_pairs():
    runs = [run("kl"), run("kl", "alternative"), run("gan", DIRECT)]
    v_real, v_fake = torch.randn(2, 3, 6, 1, generator=torch.Generator().manual_seed(0))
    real, fake = Pairs(runs).outputs(v_real, v_fake)
    assert torch.equal(real[:2], v_real[:2]) and torch.equal(fake[:2], v_fake[:2])
    torch.testing.assert_close(real[2], v_real[2] - v_fake[2])
    torch.testing.assert_close(fake[2], v_fake[2] - v_real[2])


@pytest.mark.parametrize("kinds", [("unrolling",), ("fake_gradient_penalty", "unrolling"), ("packing",)])
def test_g_descends_its_loss_with_the_remedies_that_change_it(kinds):
    """G's gradient is the derivative of its loss from a trained state: R2's points follow G through the unrolled V."""
    with double():
        p = grown([run("gan"), *PAIRED[2:4], *PAIRED[-8:-4]], example(*kinds))
        x, z = (p.spread(draws[:, 0]) for draws in following(p))
        exact = gradients(p.losses(x, z)[1], p.theta_views)
        direction, moved = torch.randn(p.theta.shape, generator=torch.Generator().manual_seed(1)), []
        for shift in (1e-6, -2e-6):
            with torch.no_grad():
                p.theta.add_(direction, alpha=shift)
            moved.append(p.losses(x, z)[1].detach())
        torch.testing.assert_close((exact * direction).sum(1), (moved[0] - moved[1]) / 2e-6, rtol=1e-4, atol=1e-7)
