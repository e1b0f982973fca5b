"""Stacked image layers and DCGANs against the same modules of torch.nn, one for each run, in each of the three ways."""

import pytest
import torch
from small import run, settle
from torch import nn

from fgan.engine.convolutions import BatchNorm, Conv, ConvTranspose, Reshape, dcgan_generator, dcgan_variational
from fgan.engine.networks import Network
from fgan.engine.population import Population
from fgan.engine.training import train

RUNS, BATCH = 3, 4
# Unrolled's small networks, with fewer channels, and VEEGAN's DCGAN down to 2 x 2.
UNROLLED = {"widths": [6, 4, 3, 2], "kernel": 3, "output_stride": 1}, {
    "widths": [2, 3, 4], "kernel": 3, "batch_norm_from": 0, "slope": 0.3,
}  # fmt: skip
VEEGAN = {"widths": [8, 6, 4, 2]}, {"widths": [2, 4, 6, 8]}
LAYERS = {
    "conv": (Conv(2, 3, 3, stride=2, padding=1), lambda: nn.Conv2d(2, 3, 3, 2, 1)),
    "conv_plain": (Conv(2, 3, 4, bias=False), lambda: nn.Conv2d(2, 3, 4, bias=False)),
    "transpose": (ConvTranspose(2, 3, 5, 2, 2, 1), lambda: nn.ConvTranspose2d(2, 3, 5, 2, 2, 1)),
    "transpose_plain": (ConvTranspose(2, 3, 3, bias=False), lambda: nn.ConvTranspose2d(2, 3, 3, bias=False)),
    "batch_norm": (BatchNorm(2), lambda: nn.BatchNorm2d(2)),
    "reshape": (Reshape(-1), lambda: nn.Flatten()),
    "generator": (
        dcgan_generator(5, 3, 28, **UNROLLED[0]),
        lambda: nn.Sequential(
            nn.Linear(5, 96), nn.Unflatten(1, (6, 4, 4)), nn.BatchNorm2d(6), nn.ReLU(),
            nn.ConvTranspose2d(6, 4, 3, 2, 1, 0, bias=False), nn.BatchNorm2d(4), nn.ReLU(),
            nn.ConvTranspose2d(4, 3, 3, 2, 1, 1, bias=False), nn.BatchNorm2d(3), nn.ReLU(),
            nn.ConvTranspose2d(3, 2, 3, 2, 1, 1, bias=False), nn.BatchNorm2d(2), nn.ReLU(),
            nn.ConvTranspose2d(2, 3, 3, 1, 1), nn.Tanh(), nn.Flatten(),
        ),
    ),
    "variational": (
        dcgan_variational(1, 14, [2, 3, 4], slope=0.1),
        lambda: nn.Sequential(
            nn.Unflatten(1, (1, 14, 14)), nn.Conv2d(1, 2, 5, 2, 2), nn.LeakyReLU(0.1),
            nn.Conv2d(2, 3, 5, 2, 2, bias=False), nn.BatchNorm2d(3), nn.LeakyReLU(0.1),
            nn.Conv2d(3, 4, 5, 2, 2, bias=False), nn.BatchNorm2d(4), nn.LeakyReLU(0.1), nn.Flatten(), nn.Linear(16, 1),
        ),
    ),
}  # fmt: skip
INPUTS = {"generator": (5,), "variational": (196,)}


@pytest.fixture(params=["looped", "grouped", "unfolded"])
def path(request, monkeypatch):
    settle(monkeypatch, convolutions=request.param)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def randn(*shape, seed=1, dtype=torch.float64):
    return torch.randn(shape, generator=seeded(seed), dtype=dtype)


def rows(network, runs=RUNS, dtype=torch.float64):
    """A stack of different parameters, batch norm's scale and shift among them."""
    flat = torch.stack([network.start(seeded(seed)) for seed in range(runs)]).to(dtype)
    return flat + 0.1 * randn(*flat.shape, dtype=dtype)


def outcome(network, flat, x):
    """Outputs, and the gradients of parameters and inputs of a weighted sum of them."""
    flat, x = flat.clone().requires_grad_(), x.clone().requires_grad_()
    y = network(network.views(flat), x)
    weight = randn(*y.shape[1:], seed=2, dtype=y.dtype)
    return y.detach(), *torch.autograd.grad((y * weight).sum(), (flat, x), materialize_grads=True)


@pytest.mark.parametrize("name", LAYERS)
def test_a_stack_is_its_single_modules(name, path):
    network, module = LAYERS[name]
    network = network if isinstance(network, Network) else Network(network)
    flat = rows(network) if network.size else torch.zeros(RUNS, 0, dtype=torch.float64)
    x = randn(RUNS, BATCH, *INPUTS.get(name, (2, 6, 6)))
    y, gradient, x_gradient = outcome(network, flat, x)
    for r in range(RUNS):
        single, point = module().double().train(), x[r].clone().requires_grad_()
        with torch.no_grad():
            for parameter, view in zip(single.parameters(), network.views(flat), strict=True):
                parameter.copy_(view[r].mT if parameter.dim() == 2 else view[r].view(parameter.shape))
        theirs = single(point)
        torch.testing.assert_close(y[r], theirs)
        (theirs * randn(*theirs.shape, seed=2)).sum().backward()
        torch.testing.assert_close(x_gradient[r], point.grad)
        for mine, parameter in zip(network.views(gradient), single.parameters(), strict=True):
            wanted = parameter.grad.mT if parameter.dim() == 2 else parameter.grad
            torch.testing.assert_close(mine[r].view(wanted.shape), wanted)


@pytest.mark.parametrize(("generator", "variational"), [UNROLLED, VEEGAN], ids=["unrolled", "veegan"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [28, 32])
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_a_pair_makes_and_judges_flat_images(generator, variational, channels, size, device):
    g, v = dcgan_generator(7, channels, size, **generator), dcgan_variational(channels, size, **variational)
    theta, omega = (rows(network, 2, torch.float32).to(device) for network in (g, v))
    images = g(g.views(theta), randn(2, BATCH, 7, dtype=torch.float32).to(device))
    assert images.shape == (2, BATCH, channels * size**2) and images.device.type == device
    assert v(v.views(omega), images).shape == (2, BATCH, 1) and v.shapes[-1] == (1, 1)
    if device == "cpu":
        assert images.min() < 0 and images.abs().max() <= 1


def test_published_shapes():
    """As many parameters as the published networks have in each layer, less the biases that batch norm cancels."""
    unrolled = dcgan_generator(256, 3, 28, [64, 32, 16, 8], kernel=3, output_stride=1)
    assert unrolled.shapes[0] == (256, 4 * 4 * 64) and unrolled.shapes[-2:] == [(8, 3, 3, 3), (3,)]
    assert dcgan_variational(3, 28, [4, 8, 16], kernel=3, batch_norm_from=0).shapes[-2] == (4 * 4 * 16, 1)
    dcgan = dcgan_generator(100, 3, 28, [512, 256, 128, 64])
    assert dcgan.shapes[0] == (100, 2 * 2 * 512) and dcgan.shapes[-2:] == [(64, 3, 5, 5), (3,)]
    assert dcgan_generator(100, 1, 28, [128, 64], kernel=4).shapes[0] == (100, 7 * 7 * 128)
    assert dcgan_generator(100, 1, 32, [256, 128, 64]).shapes[0] == (100, 4 * 4 * 256)


def test_the_output_and_batch_norm_are_settings():
    g = dcgan_generator(7, 1, 28, [4, 2], output="sigmoid")
    assert 0 <= g(g.views(rows(g)), randn(RUNS, BATCH, 7)).min()
    norms = [
        sum(isinstance(layer, BatchNorm) for layer in dcgan_variational(1, 28, [2, 3, 4], batch_norm_from=k).layers)
        for k in (0, 1, 3)
    ]
    assert norms == [3, 2, 0]


PAIR = [
    (dcgan_generator(16, 3, 28, [32, 16, 8], kernel=3, output_stride=1), (16,)),
    (dcgan_generator(16, 3, 28, [32, 16, 16, 8]), (16,)),
    (dcgan_variational(3, 28, [4, 8, 16], kernel=3, batch_norm_from=0), (2352,)),
    (dcgan_variational(3, 28, [8, 16, 16, 32]), (2352,)),
]


@pytest.mark.parametrize(("network", "inputs"), PAIR)
def test_what_a_run_computes_is_bit_identical_in_any_stack(network, inputs):
    flat, x = rows(network, 5, torch.float32), randn(5, 32, *inputs, dtype=torch.float32)
    whole = outcome(network, flat, x)
    for chosen in ([0, 1], [4, 2]):
        for all_, few in zip(whole, outcome(network, flat[chosen], x[chosen]), strict=True):
            assert torch.equal(all_[chosen], few)


@pytest.mark.parametrize("layer", ["conv", "transpose"])
def test_the_default_start_is_that_of_torch(layer):
    """Uniform within the same bound, which is reached."""
    ours, module = {
        "conv": (Conv(30, 50, 5), nn.Conv2d(30, 50, 5)),
        "transpose": (ConvTranspose(50, 30, 5), nn.ConvTranspose2d(50, 30, 5)),
    }[layer]
    weight, bias = ours.start(seeded(0))
    assert weight.shape == module.weight.shape and bias.shape == module.bias.shape
    assert weight.abs().max().item() == pytest.approx(module.weight.abs().max().item(), rel=1e-3)
    assert weight.std().item() == pytest.approx(module.weight.std().item(), rel=0.02)
    assert 0 < bias.abs().max() <= weight.abs().max() * 1.001


def test_a_normal_start_has_its_standard_deviation_and_no_bias():
    weight, bias = Conv(50, 60, 5, init=0.02).start(seeded(0))
    assert weight.std().item() == pytest.approx(0.02, rel=0.01) and not bias.any()
    for network in (dcgan_generator(50, 3, 32, [64, 32, 16]), dcgan_variational(3, 32, [16, 32, 64])):
        views = [view for view in network.views(network.start(seeded(0))[None]) if view.numel() > 1000]
        weights = [view.std().item() for view in views if view.any()]
        assert len(weights) == 4 and weights == pytest.approx([0.02] * 4, rel=0.1)


class Noise:
    """Uniform images with a bright first half."""

    def draw(self, shape, generator):
        return torch.rand((*shape, 784), generator=generator)

    def __call__(self, drawn):
        return torch.cat([drawn[..., :392], drawn[..., 392:] - 1], dim=-1)


def test_a_population_of_dcgans_trains(path):
    settings = {
        "noise": {"kind": "uniform", "dimension": 5}, "method": {"kind": "single_step"},
        "optimiser": {"kind": "adam", "generator": 1e-3, "variational": 1e-3, "beta1": 0.5},
        "batch": 16, "steps": 6, "history": 1,
    }  # fmt: skip
    pair = dcgan_generator(5, 1, 28, [8, 4]), dcgan_variational(1, 28, [4, 8])
    population = Population([run("gan"), run("pearson"), run("kl", seed=1)], Noise(), *pair, settings)
    start = population.theta.clone(), population.omega.clone()
    _, history, diverged = train(population, lambda population: {})
    assert history["F"].isfinite().all() and diverged.isnan().all()
    for now, before in zip((population.theta, population.omega), start, strict=True):
        assert now.isfinite().all() and (now != before).any(dim=1).all()
    assert population.sample(20, "samples").shape == (3, 20, 784)
