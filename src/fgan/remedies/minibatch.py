"""Minibatch discrimination: V sees how close each point lies to the others of its batch."""

import torch

from fgan.engine.machines import kind
from fgan.engine.networks import Linear, Network, start_values
from fgan.remedies.base import Remedy


class MinibatchDiscrimination(Remedy):
    """V's last layer also gets o(x_i)_b = mean_j exp(-|M_ib - M_jb|_1), M_i = h(x_i) T, in each of `kernels` b.

    h is V's last hidden layer, T a tensor of parameters with `dimensions` values for each kernel. Source: Salimans et
    al. 2016, sec. 3.2 (there a sum over the batch, here its mean, whose scale is that of h).
    """

    def __init__(self, kernels, dimensions):
        self.kernels, self.dimensions = kernels, dimensions

    def variational(self, network):
        *hidden, last = network.layers
        inputs, outputs = last.shapes[0]
        close = Closeness(inputs, self.kernels, self.dimensions)
        return Network(*hidden, close, Linear(inputs + self.kernels, outputs, last.init))


class Closeness:
    """Features [runs, batch, inputs] with their closeness to the batch in every kernel: [.., inputs + kernels]."""

    def __init__(self, inputs, kernels, dimensions):
        self.kernels, self.shapes = kernels, [(inputs, kernels * dimensions)]

    def start(self, generator):
        return start_values(self.shapes, self.shapes[0][0], None, generator)

    def __call__(self, h, tensor):
        m = torch.bmm(h, tensor).unflatten(-1, (self.kernels, -1))
        distance = Apart.apply(m) if kind(m) == "cuda" else distances(m)
        return torch.cat([h, (-distance).exp().mean(dim=2)], dim=-1)


def distances(m):
    """|M_ib - M_jb|_1 of all pairs of a batch [runs, batch, batch, kernels], for M [runs, batch, kernels, values]."""
    return (m[:, :, None] - m[:, None]).abs().sum(dim=-1)


class Apart(torch.autograd.Function):
    """`distances`, one value of M after the other: the backward pass makes the differences again and keeps none."""

    @staticmethod
    def forward(ctx, m):
        ctx.save_for_backward(m)
        distance = 0
        for part in m.unbind(-1):
            distance += (part[:, :, None] - part[:, None]).abs_()
        return distance

    @staticmethod
    def backward(ctx, grad):
        (m,) = ctx.saved_tensors
        both = grad + grad.transpose(1, 2)
        parts = [(both * (part[:, :, None] - part[:, None]).sign()).sum(dim=2) for part in m.unbind(-1)]
        return torch.stack(parts, dim=-1)
