"""Remedies: each changes the game and works for every divergence; unrolled updates are V's own, with their graph."""

import itertools

import pytest
import torch
from small import driven, run, settings, trained
from small import population as plain_population

from fgan.design import DesignError
from fgan.divergences import DIVERGENCES
from fgan.engine import cost
from fgan.engine.cost import Counter
from fgan.engine.networks import mlp
from fgan.engine.training import gradients, step
from fgan.remedies import REMEDIES, Remedied, build
from fgan.remedies.minibatch import Apart, Closeness, distances
from fgan.remedies.spectral_norm import largest_singular_value
from fgan.remedies.unrolling import ascent
from fgan.targets.mixtures import ring

EXAMPLES = {
    "instance_noise": {"sd": 0.5, "until": 1000},
    "reconstructor": {"hidden": [16], "activation": "relu", "weight": 1.0},
    "packing": {"points": 2},
    "minibatch_discrimination": {"kernels": 8, "dimensions": 4},
    "spectral_norm": {},
    "gradient_penalty": {"weight": 0.1},
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


def test_every_remedy_has_an_example_here():
    assert list(EXAMPLES) == list(REMEDIES), "add an example to EXAMPLES in this file, in the order of REMEDIES"


def test_without_remedies_it_is_the_plain_game():
    plain, same = plain_population(EVERY), population(EVERY, [])
    trained(plain), trained(same)
    assert torch.equal(plain.theta, same.theta) and torch.equal(plain.omega, same.omega)


@pytest.mark.parametrize("kind", REMEDIES)
def test_a_remedy_changes_the_game_of_every_divergence_and_leaves_it_finite(kind):
    plain, p = population(EVERY, []), population(EVERY, example(kind))
    trained(plain)
    history, diverged = trained(p)
    assert diverged.isnan().all() and all(values.isfinite().all() for values in history.values())
    assert ((p.theta[:, : plain.theta.shape[1]] - plain.theta).abs().amax(dim=1) > 0).all()


@pytest.mark.parametrize("kinds", [(kind,) for kind in REMEDIES] + [("unrolling", "gradient_penalty")])
def test_a_run_does_not_depend_on_the_runs_beside_it(kinds):
    whole, piece = population(EVERY, example(*kinds)), population(EVERY[10:14], example(*kinds))
    trained(whole), trained(piece)
    assert torch.equal(whole.theta[10:14], piece.theta) and torch.equal(whole.omega[10:14], piece.omega)


@pytest.mark.parametrize("kinds", [*itertools.combinations(REMEDIES, 2), tuple(REMEDIES)])
def test_remedies_compose_in_any_order(kinds):
    one, other = population(FEW, example(*kinds), steps=2), population(FEW, example(*kinds[::-1]), steps=2)
    history, _ = trained(one)
    trained(other)
    assert torch.equal(one.theta, other.theta) and history["F"].isfinite().all()


@pytest.mark.parametrize("kind", REMEDIES)
def test_a_remedy_samples_and_judges_like_the_plain_game(kind):
    p = population(FEW, example(kind))
    assert p.sample(50, "some").shape == (2, 50, 2)
    assert p.judge(p.target.draw((2, 40), torch.Generator().manual_seed(0))).shape[::2] == (2, 1)


def test_the_reported_value_is_f_and_not_what_v_climbs():
    plain, p = population(FEW, []), population(FEW, example("gradient_penalty", "unrolling"))
    torch.testing.assert_close(p.losses(*drawn(p))[0], plain.losses(*drawn(plain))[0])
    climbed, own = (gradients(q.losses(*drawn(q))[0], q.omega_views) for q in (p, plain))
    assert not torch.allclose(climbed, own)


# --- unrolling


def test_the_unrolled_v_depends_on_g():
    p = population(FEW, example("unrolling"))
    x, z = drawn(p)
    fake, move, views = p.generate(z), ascent(p), p.omega_views
    real, made = (p.variational(views, points) for points in (x, fake))
    value = torch.stack([d.activation(real[i]).mean() - d.conjugate_of_activation(made[i]).mean()
                         for i, (d, *_) in enumerate(p.slices)])  # fmt: skip
    found = torch.autograd.grad(value.sum(), views, create_graph=True)
    moved = [view + update for view, update in zip(views, move(found), strict=True)]
    through = torch.autograd.grad(sum(view.sum() for view in moved), p.theta_views)
    assert all(gradient.abs().amax() > 0 for gradient in through)


@pytest.mark.parametrize("rule", [{"kind": "sgd"}, {"kind": "adam", "beta1": 0.5}])
@pytest.mark.parametrize("k", [1, 3])
def test_the_unrolled_updates_are_those_that_v_would_make(rule, k):
    # The same batch at every step, and a G that stands still: k steps of training are the k unrolled ones.
    own = {"optimiser": rule | {"generator": 0.0, "variational": 1e-2}, "fresh": False}
    p, reference = population(FEW, [{"kind": "unrolling", "steps": k}]), driven(FEW, **own)
    p = Remedied(FEW, p.target, p.generator, lambda n: mlp(n, 1, [16, 16], "tanh"), p.settings | own)
    seen = []
    play = lambda views: seen.append([view.detach() for view in views]) or real_play(views)
    real_play = None

    def spy(population, game, loss):
        nonlocal real_play
        real_play = game
        return type(p.remedies[0]).ahead(p.remedies[0], population, play, loss)

    p.remedies[0].ahead = spy
    data, noise = p.draws(0, 1, 1)
    p.losses(p.target(p.spread(data[:, 0, 0])), p.spread(noise[:, 0, 0]))
    for _ in range(k):
        step(reference, data[:, 0], noise[:, 0])
    for unrolled, moved in zip(seen[-1], reference.variational.views(reference.omega), strict=True):
        torch.testing.assert_close(unrolled, moved, rtol=1e-5, atol=1e-6)


def test_the_unrolled_gradient_is_the_derivative_of_the_unrolled_loss():
    p = population([run("kl"), run("gan")], example("unrolling"))
    p.settings["optimiser"] = {"kind": "sgd", "generator": 1e-2, "variational": 0.2}
    p = Remedied(p.runs, p.target, p.generator, lambda n: mlp(n, 1, [8], "tanh"), p.settings)
    for name in ("theta", "omega"):
        flat = getattr(p, name).detach().double()
        setattr(p, name, flat)
        network = p.generator if name == "theta" else p.variational
        setattr(p, f"{name}_views", [view.requires_grad_() for view in network.views(flat)])
    x, z = (points.double() for points in drawn(p))
    _, loss = p.losses(x, z)
    exact = gradients(loss, p.theta_views)
    direction = torch.randn(p.theta.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    moved = []
    for sign in (1, -1):
        with torch.no_grad():
            p.theta.add_(direction, alpha=sign * 1e-5)
        moved.append(p.losses(x, z)[1].detach())
        with torch.no_grad():
            p.theta.add_(direction, alpha=-sign * 1e-5)
    torch.testing.assert_close((exact * direction).sum(1), (moved[0] - moved[1]) / 2e-5, rtol=1e-5, atol=1e-8)


# --- the others


def test_packing_judges_neighbours_in_the_batch_together():
    p = population(FEW, example("packing"))
    points = torch.arange(2 * 5 * 2.0).view(2, 5, 2)
    packed = p.remedies[0].real(p, points, None)
    assert p.variational.shapes[0] == (4, 16)
    assert torch.equal(packed[0], torch.tensor([[0.0, 1, 2, 3], [4, 5, 6, 7]]))


def test_the_gradient_penalty_of_a_linear_v_is_its_squared_slope():
    p = population(FEW, example("gradient_penalty"))
    linear = mlp(2, 1, [], "tanh")
    p.variational = linear
    views = [torch.tensor([[[3.0], [4.0]], [[1.0], [0.0]]], requires_grad=True), torch.zeros(2, 1, 1)]
    found = p.remedies[0].penalty(p, views, torch.randn(2, 7, 2))
    torch.testing.assert_close(found, torch.tensor([0.05 * 25, 0.05]))


@pytest.mark.parametrize("shape", [(5, 64, 64), (3, 2, 16), (3, 240, 32)])
def test_the_largest_singular_value_is_that_of_a_decomposition(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    exact = torch.linalg.svdvals(matrix)[:, 0]
    torch.testing.assert_close(largest_singular_value(matrix), exact, rtol=5e-3, atol=0)


def test_spectral_normalisation_makes_v_stretch_nothing():
    p = population(FEW, example("spectral_norm"))
    with torch.no_grad():
        p.omega.mul_(50)
    a, b = torch.randn(2, 2, 100, 2, generator=torch.Generator().manual_seed(0))
    rise = (p.judge(a) - p.judge(b)).abs().squeeze(-1) / (a - b).norm(dim=-1)
    assert rise.max() <= 1.001


def test_instance_noise_fades_and_leaves_no_trace():
    plain, faded = population(FEW, []), population(FEW, [{"kind": "instance_noise", "sd": 1.0, "until": 1}])
    trained(plain), trained(faded)
    assert torch.equal(plain.theta, faded.theta)


def test_the_reconstructor_learns_to_find_z_and_does_not_move_with_v():
    own = {"kind": "reconstructor", "hidden": [32], "activation": "tanh", "weight": 1.0}
    p = population(FEW, [own], steps=400, optimiser={"generator": 3e-3})
    x, z = drawn(p)
    before = p.remedies[0].cost(p, p.generate(z), z).detach()
    value, _ = p.losses(x, z)
    own = torch.autograd.grad(value.sum(), p.theta_views, allow_unused=True)[p.generator.cut :]
    assert all(gradient is None or not gradient.any() for gradient in own)
    trained(p)
    assert (p.remedies[0].cost(p, p.generate(z), z) < before / 2).all()


def test_minibatch_discrimination_sees_equal_points():
    layer = Closeness(3, 4, 2)
    tensor = torch.randn(1, 3, 8, generator=torch.Generator().manual_seed(0))
    equal, far = torch.ones(1, 6, 3), 1000 * torch.randn(1, 6, 3, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(layer(equal, tensor)[..., 3:], torch.ones(1, 6, 4))
    torch.testing.assert_close(layer(far, tensor)[..., 3:], torch.full((1, 6, 4), 1 / 6))


def test_closeness_on_a_gpu_has_the_same_values_and_derivatives_in_less_memory():
    m = torch.randn(2, 40, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    found, peaks = [], []
    for apart in (distances, Apart.apply):
        with Counter() as counter:
            value = (-apart(m)).exp().mean(dim=2)
            (slope,) = torch.autograd.grad(value.square().sum(), m, create_graph=True)
        peaks.append(counter.peak)
        (second,) = torch.autograd.grad(slope.pow(3).sum(), m)
        found.append((value.detach(), slope.detach(), second))
    torch.testing.assert_close(found[1], found[0])
    assert all(part.abs().max() > 1e-6 for part in found[0]) and peaks[1] < 0.7 * peaks[0]


def test_a_remedy_costs_what_is_counted():
    counted = {k: cost.counted(lambda k=k: population(FEW, example(*k), "meta")).operations
               for k in ((), ("unrolling",), ("gradient_penalty",), ("packing",))}  # fmt: skip
    assert counted["unrolling",] > 2 * counted[()] and counted["gradient_penalty",] > counted[()]
    assert counted["packing",] < counted[()]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"kind": "unroling", "steps": 1}, "did you mean 'unrolling'"), ({"kind": "packing"}, "points"),
     ({"kind": "packing", "point": 2}, "point")],
)  # fmt: skip
def test_a_remedy_that_cannot_be_built_says_why(wrong, message):
    with pytest.raises(DesignError, match=message):
        build([wrong])
