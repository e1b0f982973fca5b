"""Stacked networks: one architecture, many runs, every product a batched product over the runs.

A network owns no parameters. It defines their number and initial values, and applies a flat stack
`[runs, parameters]` to inputs `[runs, batch, inputs]`; run r sees only row r of the stack.
"""

import functools
import math

import torch
import torch.nn.functional as F

from fgan.design import DesignError

ACTIVATIONS = {
    "tanh": torch.tanh,
    "relu": F.relu,
    "elu": F.elu,
    "leaky_relu": lambda x, slope=0.2: F.leaky_relu(x, slope),
    "sigmoid": torch.sigmoid,
    "identity": lambda x: x,
}


# A CPU's kernels process channels in vectors of at most this length and the rest one by one, with other rounding: at a
# width that is no multiple of it, a run's bits would depend on its place among the channels.
VECTOR = 16


def start_values(shapes, inputs, init, generator):
    """Weights and biases uniform within 1/sqrt(inputs), or weights by `init` (an sd or a function) and zero biases."""
    if init is None:
        bound = 1 / math.sqrt(inputs)
        return [(torch.rand(shape, generator=generator) * 2 - 1) * bound for shape in shapes]
    weight, *biases = shapes
    weights = init(weight, generator) if callable(init) else torch.randn(weight, generator=generator) * init
    return [weights, *map(torch.zeros, biases)]


def orthogonal_start(shape, generator, gain):
    """A random matrix of this shape whose rows or columns, the fewer, are orthogonal and of length `gain`.

    Source: Saxe et al. 2014. In float64, so that machines differ by rounding at most.
    """
    q, r = torch.linalg.qr(torch.randn(max(shape), min(shape), dtype=torch.float64, generator=generator))
    q = gain * q * r.diagonal().sign()  # without the signs q would not be uniform
    return (q if shape[0] >= shape[1] else q.mT).to(torch.get_default_dtype())


class Linear:
    """y = x W + b for every run; weights [runs, inputs, outputs], bias [runs, 1, outputs].

    Starts uniform within 1/sqrt(inputs), or by `init` (see `start_values`) and with zero bias.
    """

    def __init__(self, inputs, outputs, init=None):
        self.shapes = [(inputs, outputs), (1, outputs)]
        self.init = init

    def start(self, generator):
        return start_values(self.shapes, self.shapes[0][0], self.init, generator)

    def __call__(self, x, weight, bias):
        return torch.baddbmm(bias, x, weight)


def fold(x):
    """The runs as channels: [batch, runs channels, ...] of [runs, batch, channels, ...]."""
    return x.transpose(0, 1).flatten(1, 2)


def unfold(x, runs):
    """The inverse of `fold`."""
    return x.unflatten(1, (runs, -1)).transpose(0, 1)


class BatchNorm:
    """Batch normalisation per run and channel (Ioffe and Szegedy 2015): the batch's own statistics, no averages."""

    def __init__(self, width):
        self.shapes = [(1, width), (1, width)]

    def start(self, generator):
        return [torch.ones(1, self.shapes[0][1]), torch.zeros(1, self.shapes[1][1])]

    def __call__(self, x, scale, shift):
        # The fused kernel takes a quarter of the time of var_mean over a dimension of the stack.
        if x.dim() == 3 and x.device.type == "cpu" and x.shape[2] % VECTOR:
            single = [self.normalised(one[None], *own) for one, *own in zip(x, scale, shift, strict=True)]
            return torch.cat(single)
        return self.normalised(x, scale, shift)

    def normalised(self, x, scale, shift):
        own = (None, None, scale.flatten(), shift.flatten())
        if x.dim() == 5 and (rows := x.transpose(1, 2)).is_contiguous():  # from an unfolded convolution
            return (
                F.batch_norm(rows.flatten(2).flatten(0, 1)[None], *own, training=True).view(rows.shape).transpose(1, 2)
            )
        return unfold(F.batch_norm(fold(x), *own, training=True), len(x))


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
    """An elementwise function without parameters; `settings` are its keywords, like leaky_relu's slope."""

    shapes = ()

    def __init__(self, name, **settings):
        self.name, self.settings = name, settings
        self.function = functools.partial(ACTIVATIONS[name], **settings)

    def start(self, generator):
        return []

    def __call__(self, x):
        return self.function(x)


class Maxout:
    """The largest of `pieces` linear units (Goodfellow et al. 2013): [runs, batch, pieces width] to [.., width].

    The pieces of unit i are the inputs i, i + width, i + 2 width ...
    """

    shapes = ()

    def __init__(self, pieces):
        self.pieces = pieces

    def start(self, generator):
        return []

    def __call__(self, x):
        return x.unflatten(-1, (self.pieces, -1)).amax(-2)


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


class Pair(Network):
    """Two networks in one stack of parameters; a call applies the first."""

    def __init__(self, first, second):
        super().__init__(*first.layers, *second.layers)
        self.cut = len(first.shapes)
        self._first, self._second = first, second

    def __call__(self, views, x):
        return self._first(views[: self.cut], x)

    def second(self, views, x):
        """The second network's outputs [runs, batch, outputs] for inputs [runs, batch, inputs]."""
        return self._second(views[self.cut :], x)


def mlp(inputs, outputs, hidden, activation, batch_norm=False, output="identity", init=None, pieces=5, orthogonal=None):
    """A multilayer perceptron: hidden linear layers, each with its activation, and a linear output.

    With the activation `maxout`, each hidden unit is the largest of `pieces` linear units. Weights start by `init`, or
    orthogonal with the gain `orthogonal`.
    """
    layers = []
    if orthogonal:
        init = functools.partial(orthogonal_start, gain=orthogonal)
    for width in hidden:
        units = width * pieces if activation == "maxout" else width
        layers.append(Linear(inputs, units, init))
        if batch_norm:
            layers.append(BatchNorm(units))
        layers.append(Maxout(pieces) if activation == "maxout" else Activation(activation))
        inputs = width
    layers += [Linear(inputs, outputs, init)] + ([Activation(output)] if output != "identity" else [])
    return Network(*layers)


def of(settings, dimension):
    """G and V of a design for points [.., dimension]: perceptrons, or G(z) = mu + sigma z for a design with `start`.

    Raises DesignError for a design of convolutions, which this function does not build.
    """
    for name in ("generator", "variational"):
        if "channels" in settings.get(name, {}):
            raise DesignError(f"{name}.channels: this experiment builds perceptrons; write 'hidden' and 'activation'")
    latent = settings["noise"]["dimension"]
    affine = "start" in settings
    generator = Network(Affine(settings["start"])) if affine else mlp(latent, dimension, **settings["generator"])
    return generator, mlp(dimension, 1, **settings["variational"])
