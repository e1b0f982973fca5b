"""Stacked layers and networks for images, whose convolutions have three ways, chosen by the table of machines.

Images of a stack are `[runs, batch, channels, height, width]`, stored as [batch, runs, channels, ...] between looped
and grouped convolutions and as [runs, channels, batch, ...] between unfolded ones. Folding the runs into the channels,
which batch norm requires, therefore copies nothing between layers.
"""

import math
from itertools import pairwise

import torch
import torch.nn.functional as F

from fgan.engine.machines import MACHINES, kind
from fgan.engine.networks import Activation, BatchNorm, Linear, Network, fold, start_values, unfold

WAYS = ("looped", "grouped", "unfolded")


class Conv:
    """A convolution for every run; weights [runs, outputs, inputs, kernel, kernel], bias [runs, outputs].

    Starts as torch.nn does, uniform within 1/sqrt(fan in), or normal with standard deviation `init` and zero bias.
    """

    function = staticmethod(F.conv2d)

    def __init__(self, inputs, outputs, kernel, stride=1, padding=0, bias=True, init=None):
        self.shapes = [(outputs, inputs, kernel, kernel)] + [(outputs,)] * bias
        self.settings = {"stride": stride, "padding": padding}
        self.init = init

    def start(self, generator):
        return start_values(self.shapes, math.prod(self.shapes[0][1:]), self.init, generator)

    def __call__(self, x, weight, *bias):
        return getattr(self, MACHINES[kind(x)]["convolutions"])(x, weight, *bias)

    def looped(self, x, weight, *bias):
        """A call for each run. On a CPU core, DCGANs of 24 runs take 1.3 to 1.5 times as long grouped."""
        single = [self.function(*run, **self.settings) for run in zip(x, weight, *bias, strict=True)]
        return torch.stack(single, dim=1).transpose(0, 1)

    def grouped(self, x, weight, *bias):
        """One call, with a group of channels for each run."""
        weight, *bias = (parameter.flatten(0, 1) for parameter in (weight, *bias))
        return unfold(self.function(fold(x), weight, *bias, groups=len(x), **self.settings), len(x))

    def unfolded(self, x, weight, *bias):
        """One product for each run: its weights times all windows [runs, inputs kernel kernel, batch height width]."""
        kernel, stride, padding = self.shapes[0][2], self.settings["stride"], self.settings["padding"]
        windows = F.pad(x.transpose(1, 2), [padding] * 4).unfold(3, kernel, stride).unfold(4, kernel, stride)
        columns = windows.permute(0, 1, 5, 6, 2, 3, 4).flatten(4).flatten(1, 3)
        y = torch.baddbmm(bias[0][..., None], weight.flatten(2), columns) if bias else weight.flatten(2) @ columns
        return y.unflatten(2, windows.shape[2:5]).transpose(1, 2)


class ConvTranspose(Conv):
    """A transposed convolution for every run; weights [runs, inputs, outputs, kernel, kernel], bias [runs, outputs]."""

    function = staticmethod(F.conv_transpose2d)

    def __init__(self, inputs, outputs, kernel, stride=1, padding=0, output_padding=0, bias=True, init=None):
        super().__init__(inputs, outputs, kernel, stride, padding, bias, init)
        self.shapes[0] = (inputs, outputs, kernel, kernel)
        self.settings["output_padding"] = output_padding

    def unfolded(self, x, weight, *bias):
        """One product for each run, whose windows are added up where they overlap: the transpose of Conv.unfolded."""
        kernel, stride, padding = self.shapes[0][2], self.settings["stride"], self.settings["padding"]
        x = x.transpose(1, 2)  # [runs, inputs, batch, height, width]
        columns = weight.flatten(2).mT @ x.flatten(2)
        y = columns.unflatten(1, weight.shape[2:]).unflatten(4, x.shape[2:]).permute(0, 1, 4, 5, 6, 2, 3)
        for dimension in (4, 3):
            size = list(y.shape[:-1])
            size[dimension] = (size[dimension] - 1) * stride + kernel + self.settings["output_padding"]
            y = torch.ops.aten.unfold_backward(y, size, dimension, kernel, stride)
        y = y[..., padding : y.shape[3] - padding, padding : y.shape[4] - padding]
        return (y + bias[0][..., None, None, None] if bias else y).transpose(1, 2)


class Reshape:
    """Reshapes each point: (channels, height, width) turns flat points into images, (-1,) does the reverse."""

    shapes = ()

    def __init__(self, *shape):
        self.shape = shape

    def start(self, generator):
        return []

    def __call__(self, x):
        return x.reshape(*x.shape[:2], *self.shape)


def dcgan_generator(
    noise, channels, size, widths, kernel=5, output_stride=2, output="tanh", init=0.02, activation="relu"
):
    """DCGAN's generator (Radford et al. 2016): noise [runs, batch, noise] to images [runs, batch, channels size size].

    A linear map of widths[0] channels, then transposed convolutions of stride 2 to the other widths and to the image,
    batch norm and `activation` between them. `output_stride` 1 makes the last one keep the size, as in Unrolled's
    networks. Sides are halved backwards from `size`, rounded up: 28, 14, 7, 4, 2. An even kernel needs even sides.
    """
    strides, padding, sides = [2] * (len(widths) - 1) + [output_stride], (kernel - 1) // 2, [size]
    for stride in reversed(strides):
        sides.insert(0, -(-sides[0] // stride))
    layers = [Linear(noise, widths[0] * sides[0] ** 2, init), Reshape(widths[0], sides[0], sides[0])]
    maps = zip(pairwise([*widths, channels]), pairwise(sides), strides, strict=True)
    for place, ((inputs, outputs), (side, wanted), stride) in enumerate(maps, 1):
        missing = wanted - ((side - 1) * stride - 2 * padding + kernel)
        bias = place == len(widths)  # batch norm cancels the others
        layers += [BatchNorm(inputs), Activation(activation)]
        layers += [ConvTranspose(inputs, outputs, kernel, stride, padding, missing, bias, init)]
    return Network(*layers, Activation(output), Reshape(-1))


def dcgan_variational(
    channels, size, widths, kernel=5, batch_norm_from=1, slope=0.2, init=0.02, activation="leaky_relu"
):
    """DCGAN's discriminator as V (Radford et al. 2016): flat images [runs, batch, channels size size] to [.., 1].

    Convolutions of stride 2 with `activation` (`slope` is leaky ReLU's) and a linear output; batch norm from layer
    `batch_norm_from` on, counted from 0: DCGAN leaves out the first, Unrolled's networks none, and len(widths)
    switches it off.
    """
    own = {"slope": slope} if activation == "leaky_relu" else {}
    layers, inputs, side = [Reshape(channels, size, size)], channels, size
    for i, width in enumerate(widths):
        normed = i >= batch_norm_from
        layers.append(Conv(inputs, width, kernel, 2, (kernel - 1) // 2, bias=not normed, init=init))
        layers += [BatchNorm(width)] * normed + [Activation(activation, **own)]
        inputs, side = width, -(-side // 2)
    return Network(*layers, Reshape(-1), Linear(inputs * side**2, 1, init))


def generator_of(settings, channels, size):
    """The DCGAN generator of a design for images with this number of channels and this side."""
    return dcgan_generator(settings["noise"]["dimension"], channels, size, **_keywords(settings["generator"]))


def variational_of(settings, channels, size):
    """The DCGAN V of a design for images with this number of channels and this side."""
    return dcgan_variational(channels, size, **_keywords(settings["variational"]))


def _keywords(network):
    """A network's settings as keywords: its `channels` are widths; without `init` the weights start as torch's do."""
    return {"init": None} | {"widths" if key == "channels" else key: value for key, value in network.items()}
