"""Stacked networks against the same networks of torch.nn, one for each run."""

import pytest
import torch
from torch import nn

from fgan.design import DesignError
from fgan.engine.networks import ACTIVATIONS, Activation, Affine, BatchNorm, Linear, Network, mlp, of

MODULES = {
    "tanh": nn.Tanh, "relu": nn.ReLU, "elu": nn.ELU, "leaky_relu": lambda: nn.LeakyReLU(0.2),
    "sigmoid": nn.Sigmoid, "identity": nn.Identity,
}  # fmt: skip
RUNS, BATCH = 3, 11
EVERY = pytest.mark.parametrize("batch_norm", [False, True], ids=["plain", "batch_norm"])


def generator(seed):
    return torch.Generator().manual_seed(seed)


def stack(network):
    """A stack of different parameters, batch norm's scale and shift among them."""
    rows = torch.stack([network.start(generator(seed)) for seed in range(RUNS)]).double()
    return rows + 0.1 * torch.randn(rows.shape, generator=generator(9), dtype=rows.dtype)


def reference(views, hidden, activation, batch_norm, output):
    """torch.nn's modules with the parameters of one run: views of shapes [inputs, outputs] and [1, outputs]."""
    views, layers = iter(views), []
    for place in range(hidden + 1):
        weight, bias = next(views), next(views)
        linear = nn.Linear(*weight.shape, dtype=torch.float64)
        linear.weight, linear.bias = nn.Parameter(weight.mT.clone()), nn.Parameter(bias[0].clone())
        layers.append(linear)
        if place < hidden and batch_norm:
            norm = nn.BatchNorm1d(weight.shape[1], dtype=torch.float64)
            norm.weight, norm.bias = nn.Parameter(next(views)[0].clone()), nn.Parameter(next(views)[0].clone())
            layers.append(norm)
        layers.append(MODULES[activation if place < hidden else output]())
    return nn.Sequential(*layers).train()


@EVERY
@pytest.mark.parametrize("activation", MODULES)
def test_a_stack_is_its_single_networks(activation, batch_norm):
    network = mlp(4, 2, [6, 5], activation, batch_norm=batch_norm, output="sigmoid")
    flat = stack(network).requires_grad_()
    x = torch.randn(RUNS, BATCH, 4, generator=generator(1), dtype=torch.float64)
    weight = torch.randn(RUNS, BATCH, 2, generator=generator(2), dtype=torch.float64)
    y = network(network.views(flat), x)
    (gradient,) = torch.autograd.grad((y * weight).sum(), flat)
    for r in range(RUNS):
        views = [view[r] for view in network.views(flat.detach())]
        single = reference(views, 2, activation, batch_norm, "sigmoid")
        theirs = single(x[r])
        torch.testing.assert_close(y[r], theirs)
        (theirs * weight[r]).sum().backward()
        for mine, parameter in zip(network.views(gradient), single.parameters(), strict=True):
            wanted = parameter.grad.mT if parameter.dim() == 2 else parameter.grad
            torch.testing.assert_close(mine[r].squeeze(0), wanted)


def test_maxout_is_the_largest_of_its_linear_pieces():
    network = mlp(4, 2, [6, 5], "maxout", pieces=3)
    flat = stack(network).requires_grad_()
    x = torch.randn(RUNS, BATCH, 4, generator=generator(1), dtype=torch.float64)
    y = network(network.views(flat), x)
    (gradient,) = torch.autograd.grad(y.square().sum(), flat)
    for r in range(RUNS):
        views = [view[r].clone().requires_grad_() for view in network.views(flat.detach())]
        h = x[r]
        for weight, bias in zip(views[:4:2], views[1:4:2], strict=True):
            pieces = [h @ w + b for w, b in zip(weight.chunk(3, dim=1), bias.chunk(3, dim=1), strict=True)]
            h = torch.maximum(torch.maximum(*pieces[:2]), pieces[2])
        theirs = h @ views[4] + views[5]
        torch.testing.assert_close(y[r], theirs)
        for mine, wanted in zip(
            network.views(gradient), torch.autograd.grad(theirs.square().sum(), views), strict=True
        ):
            torch.testing.assert_close(mine[r], wanted)


def test_pacgans_maxout_network_has_three_layers_of_200_units_with_5_pieces():
    network = mlp(2, 1, [200, 200, 200], "maxout", init=0.02)
    assert network.shapes[::2] == [(2, 1000), (200, 1000), (200, 1000), (200, 1)]


def test_leaky_relu_takes_another_slope():
    x = torch.tensor([-2.0, 3.0])
    assert torch.equal(Activation("leaky_relu", slope=0.3)(x), nn.LeakyReLU(0.3)(x))


def test_every_activation_has_its_reference():
    assert set(MODULES) == set(ACTIVATIONS)


@EVERY
def test_a_run_sees_only_its_own_row(batch_norm):
    network = mlp(3, 2, [5], "tanh", batch_norm=batch_norm)
    flat, x = stack(network), torch.randn(RUNS, BATCH, 3, generator=generator(1), dtype=torch.float64)
    before = network(network.views(flat), x)
    flat[1], x[1] = torch.nan, torch.nan
    after = network(network.views(flat), x)
    assert after[1].isnan().all() and torch.equal(after[::2], before[::2])


def test_views_share_the_memory_of_the_stack():
    network = mlp(3, 2, [5], "tanh", batch_norm=True)
    flat = torch.zeros(RUNS, network.size)
    views = network.views(flat)
    for number, view in enumerate(views):
        view.fill_(number + 1.0)
    assert [tuple(view.shape[1:]) for view in views] == network.shapes
    assert flat[0].unique().tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0] and (flat == flat[0]).all()


def test_the_start_repeats_for_a_stream_and_differs_between_streams():
    network = mlp(3, 2, [5], "relu")
    first, again, other = (network.start(generator(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, again) and (first != other).all()


def test_the_default_start_is_that_of_torch():
    """Uniform within 1/sqrt(inputs), weights and biases: the bound is kept and reached."""
    weight, bias = Linear(100, 2000).start(generator(0))
    for tensor in (weight, bias):
        assert tensor.abs().max() <= 0.1 and tensor.max() > 0.0999 and tensor.min() < -0.0999
    assert abs(weight.mean()) < 1e-3


def test_a_normal_start_has_its_standard_deviation_and_no_bias():
    weight, bias = Linear(100, 2000, init=0.005).start(generator(0))
    assert weight.std().item() == pytest.approx(0.005, rel=0.01) and not bias.any()


@pytest.mark.parametrize("inputs", [2, 128, 256])
def test_an_orthogonal_start_stretches_every_direction_by_its_gain(inputs):
    network = mlp(inputs, 2, [128], "tanh", orthogonal=1.4)
    views = network.views(network.start(generator(0))[None])
    for weight, bias in (views[:2], views[2:]):
        values = torch.linalg.svdvals(weight[0])
        torch.testing.assert_close(values, torch.full_like(values, 1.4), rtol=1e-5, atol=0)
        assert not bias.any()


def test_affine_is_mu_plus_sigma_z():
    network = Network(Affine([0.5, 2.0]))
    flat = torch.stack([network.start(generator(0)), torch.tensor([-1.0, 3.0])])
    z = torch.randn(2, BATCH, 1, generator=generator(1))
    torch.testing.assert_close(network(network.views(flat), z), torch.stack([0.5 + 2 * z[0], -1 + 3 * z[1]]))


@pytest.mark.parametrize("width", [1, 13, 16, 100, 128])
def test_batch_norm_gives_a_run_the_same_bits_wherever_it_stands(width):
    """Widths that fill a CPU's vectors and widths that do not."""
    x, scale, shift, weight = (
        torch.randn(6, *shape, generator=generator(k))
        for k, shape in enumerate([(9, width), (1, width), (1, width), (9, width)])
    )

    def outcome(runs):
        own = [t[runs].clone().requires_grad_() for t in (x, scale, shift)]
        y = BatchNorm(width)(*own)
        return y, *torch.autograd.grad(y, own, weight[runs])

    whole = outcome(list(range(6)))
    for runs in ([0], [1, 0], [5, 2, 4], [3, 4, 5, 1, 2]):
        for mine, wanted in zip(outcome(runs), whole, strict=True):
            assert torch.equal(mine, wanted[runs])


@pytest.mark.parametrize("name", ["generator", "variational"])
def test_convolutions_are_refused_where_perceptrons_are_built(name):
    plain = {"hidden": [8], "activation": "tanh"}
    settings = {"noise": {"kind": "normal", "dimension": 2}, "generator": plain, "variational": plain}
    assert of(settings, 2)[0].size == 2 * 8 + 8 + 8 * 2 + 2
    with pytest.raises(DesignError, match=f"{name}.channels"):
        of(settings | {name: {"channels": [8]}}, 2)
