"""Stacked networks: one architecture, many runs, every product a batched product over the runs.

A network owns no parameters. It says how many it has, how they start, and how to apply a flat stack
`[runs, parameters]` to inputs `[runs, batch, inputs]`; run r sees only row r of the stack.
"""

import math

import torch
import torch.nn.functional as F

ACTIVATIONS = {
    "tanh": torch.tanh,
    "relu": F.relu,
    "elu": F.elu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
    "sigmoid": torch.sigmoid,
    "identity": lambda x: x,
}


class Linear:
    """y = x W + b for every run; weights [runs, inputs, outputs], bias [runs, 1, outputs].

    Starts uniform within 1/sqrt(inputs), or normal with standard deviation `init` and zero bias.
    """

    def __init__(self, inputs, outputs, init=None):
        self.shapes = [(inputs, outputs), (1, outputs)]
        self.init = init

    def start(self, generator):
        (inputs, outputs), _ = self.shapes
        if self.init is not None:
            weight = torch.randn(inputs, outputs, generator=generator) * self.init
            return [weight, torch.zeros(1, outputs)]
        bound = 1 / math.sqrt(inputs)
        return [(torch.rand(shape, generator=generator) * 2 - 1) * bound for shape in self.shapes]

    def __call__(self, x, weight, bias):
        return torch.baddbmm(bias, x, weight)


class BatchNorm:
    """Batch normalisation with each run's own batch statistics (Ioffe and Szegedy 2015), no running averages."""

    def __init__(self, width):
        self.shapes = [(1, width), (1, width)]

    def start(self, generator):
        return [torch.ones(1, self.shapes[0][1]), torch.zeros(1, self.shapes[1][1])]

    def __call__(self, x, scale, shift):
        variance, mean = torch.var_mean(x, dim=1, keepdim=True, correction=0)
        return torch.addcmul(shift, (x - mean) * torch.rsqrt(variance + 1e-5), scale)


class Affine:
    """x = mu + sigma z, the generator of f-GAN's univariate experiment."""

    def __init__(self, start):
        self.shapes = [(1, 1), (1, 1)]
        self.values = start

    def start(self, generator):
        return [torch.full((1, 1), float(value)) for value in self.values]

    def __call__(self, z, mu, sigma):
        return mu + sigma * z


class Activation:
    """An elementwise function without parameters."""

    shapes = ()

    def __init__(self, name):
        self.function = ACTIVATIONS[name]

    def start(self, generator):
        return []

    def __call__(self, x):
        return self.function(x)


class Network:
    """A chain of layers applied to a stack of runs."""

    def __init__(self, *layers):
        self.layers = layers
        self.shapes = [shape for layer in layers for shape in layer.shapes]
        self.size = sum(math.prod(shape) for shape in self.shapes)

    def start(self, generator):
        """Initial parameters of one run, flat: [parameters]."""
        return torch.cat([t.flatten() for layer in self.layers for t in layer.start(generator)])

    def views(self, flat):
        """The tensors of each layer as views of the stack [runs, parameters]."""
        views, offset = [], 0
        for shape in self.shapes:
            size = math.prod(shape)
            views.append(flat[:, offset : offset + size].view(-1, *shape))
            offset += size
        return views

    def __call__(self, views, x):
        """Outputs [runs, batch, outputs] for inputs [runs, batch, inputs]."""
        views = iter(views)
        for layer in self.layers:
            x = layer(x, *(next(views) for _ in layer.shapes))
        return x


def mlp(inputs, outputs, hidden, activation, batch_norm=False, output="identity", init=None):
    """A multilayer perceptron: hidden linear layers, each with its activation, and a linear output."""
    layers = []
    for width in hidden:
        layers.append(Linear(inputs, width, init))
        if batch_norm:
            layers.append(BatchNorm(width))
        layers.append(Activation(activation))
        inputs = width
    layers += [Linear(inputs, outputs, init)] + ([Activation(output)] if output != "identity" else [])
    return Network(*layers)
