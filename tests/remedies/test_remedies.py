"""Remedies: each changes the game as it says, works for every divergence, and composes with the others."""

import itertools

import pytest
import torch
from remedied import EVERY, EXAMPLES, FEW, drawn, example, population
from small import population as plain_population
from small import trained

from fgan.design import DesignError
from fgan.engine import cost
from fgan.engine.cost import Counter
from fgan.engine.networks import BatchNorm, mlp
from fgan.engine.training import gradients
from fgan.remedies import REMEDIES, build
from fgan.remedies.minibatch import Apart, Closeness, distances
from fgan.remedies.spectral_norm import Normalised, SpectralNorm, largest_singular_value


def test_every_remedy_has_an_example_here():
    assert list(EXAMPLES) == list(REMEDIES), "add an example to EXAMPLES in tests/remedied.py, in the order of REMEDIES"


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
    found = p.remedies[0].penalty(p, views, torch.randn(2, 7, 2), None)
    torch.testing.assert_close(found, torch.tensor([0.05 * 25, 0.05]))


@pytest.mark.parametrize("shape", [(5, 64, 64), (3, 2, 16), (3, 240, 32)])
def test_the_largest_singular_value_is_that_of_a_decomposition(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    exact = torch.linalg.svdvals(matrix)[:, 0]
    torch.testing.assert_close(largest_singular_value(matrix), exact, rtol=5e-3, atol=0)


def test_its_gradient_is_that_of_a_decomposition_where_two_singular_values_almost_agree():
    draw = torch.randn(2, 64, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    u, v = torch.linalg.qr(draw)[0]
    values = torch.cat([torch.ones(1), torch.linspace(0.99, 0.1, 63)]).double()
    matrix = ((u * values) @ v.mT).float()[None].requires_grad_()
    (gradient,) = torch.autograd.grad(largest_singular_value(matrix), matrix)
    torch.testing.assert_close(gradient[0].double(), torch.outer(u[:, 0], v[:, 0]), rtol=0, atol=1e-4)


def test_spectral_normalisation_makes_v_stretch_nothing():
    p = population(FEW, example("spectral_norm"))
    with torch.no_grad():
        p.omega.mul_(50)
    a, b = torch.randn(2, 2, 100, 2, generator=torch.Generator().manual_seed(0))
    rise = (p.judge(a) - p.judge(b)).abs().squeeze(-1) / (a - b).norm(dim=-1)
    assert rise.max() <= 1.001


def test_spectral_normalisation_leaves_batch_norm_alone():
    plain = mlp(2, 1, [16, 16], "relu", batch_norm=True)
    normed = SpectralNorm().variational(plain)
    assert [type(layer) for layer in normed.layers if layer.shapes] == [Normalised, BatchNorm] * 2 + [Normalised]
    stack = torch.stack([plain.start(torch.Generator().manual_seed(s)) for s in (0, 1)])
    with torch.no_grad():
        plain.views(stack)[2].mul_(torch.tensor([1.0, 7.0])[:, None, None])  # the first scale: 7 times that of a run
    x, scaled = torch.randn(2, 50, 2, generator=torch.Generator().manual_seed(0)), normed.views(stack.clone())
    scaled[2] /= torch.tensor([1.0, 7.0])[:, None, None]
    hidden = [type(normed)(*normed.layers[:2])(views[:4], x) for views in (normed.views(stack), scaled)]
    torch.testing.assert_close(hidden[0][1], 7 * hidden[1][1])  # a scale that is normalised would be lost


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
    after = p.remedies[0].cost(p, p.generate(z), z)
    assert ((after > 0) & (after < before / 2)).all()


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
