"""The three ways of a stacked convolution: the same numbers for every network with convolutions in the designs."""

import pytest
import torch
from benchmarks import agreement
from small import EXPERIMENTS, settle

from fgan import design
from fgan.engine import cost
from fgan.engine.convolutions import BatchNorm, Conv, ConvTranspose
from fgan.engine.networks import Network

LAYERS = {
    "conv": Conv(2, 3, 3, stride=2, padding=1),
    "conv_plain": Conv(2, 3, 4, bias=False),
    "transpose": ConvTranspose(2, 3, 5, 2, 2, 1),
    "transpose_plain": ConvTranspose(2, 3, 3, bias=False),
}


def randn(*shape, seed=1):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def rows(network, runs=3):
    """A stack of different parameters."""
    return 0.3 * randn(runs, network.size)


def outcome(network, flat, x):
    """Outputs, and the gradients of parameters and inputs of a weighted sum of them."""
    flat, x = flat.clone().requires_grad_(), x.clone().requires_grad_()
    y = network(network.views(flat), x)
    return y.detach(), *torch.autograd.grad((y * randn(*y.shape[1:], seed=2)).sum(), (flat, x))


def published():
    """Every network with convolutions in the designs, with few channels: {name: (network, values of a point)}."""
    found, seen = {}, set()
    for scale in agreement.SCALES:
        for name in design.find(EXPERIMENTS):
            chosen = design.load(name, scale, EXPERIMENTS)
            for arm, values in chosen.arms.items():
                if "channels" in values.get("generator", {}):
                    p = agreement.population(chosen, arm, agreement.small(values), scale, "meta")
                    sides = (p.settings["noise"]["dimension"], p.target.dimension)
                    for network, inputs in zip((p.generator, p.variational), sides, strict=True):
                        inputs *= 1 + (network is p.variational and "packing" in arm)
                        if (key := (inputs, *network.shapes)) not in seen:
                            seen.add(key)
                            found[f"{scale}/{name}/{arm}/{'GV'[network is p.variational]}"] = network, inputs
    return found


PUBLISHED = published()


@pytest.mark.parametrize("way", ["grouped", "unfolded"])
@pytest.mark.parametrize("name", PUBLISHED)
def test_every_published_network_is_the_same_in_every_way(name, way, monkeypatch):
    network, inputs = PUBLISHED[name]
    flat, x = rows(network, 2), randn(2, 3, inputs)
    loop = outcome(network, flat, x)
    settle(monkeypatch, convolutions=way)
    for found, wanted in zip(outcome(network, flat, x), loop, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-10)


def test_the_published_networks_are_all_there():
    assert len(PUBLISHED) >= 8 and {name.split("/")[1] for name in PUBLISHED} == {"stacked", "natural"}


@pytest.mark.parametrize("name", LAYERS)
def test_unfolded_products_have_second_derivatives(name, monkeypatch):
    """As R1 and unrolling need them: of the squared gradient in x, in the weights."""
    network = Network(LAYERS[name])

    def second():
        flat, x = rows(network).requires_grad_(), randn(3, 4, 2, 6, 6).requires_grad_()
        (slope,) = torch.autograd.grad(network(network.views(flat), x).pow(3).sum(), x, create_graph=True)
        return torch.autograd.grad(slope.square().sum(), flat)[0]

    loop = second()
    settle(monkeypatch, convolutions="unfolded")
    torch.testing.assert_close(second(), loop, rtol=1e-10, atol=1e-10)
    assert loop.abs().max() > 1


def test_nothing_is_copied_between_unfolded_layers(monkeypatch):
    """A batch norm and an activation between two convolutions see memory that is dense as they need it."""
    settle(monkeypatch, convolutions="unfolded")
    conv, norm = Conv(2, 3, 3, padding=1, bias=False), BatchNorm(3)
    x, own = conv(randn(3, 4, 2, 6, 6), randn(3, 3, 2, 3, 3)), randn(2, 3, 1, 3)
    with cost.Counter() as counter:
        y = norm(x, *own)
    assert y.transpose(1, 2).is_contiguous() and counter.kernels == 2  # the norm, and its empty averages
