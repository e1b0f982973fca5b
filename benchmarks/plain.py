"""The same training written for a single run, with torch.nn and torch.optim.Adam, one run after the other."""

import torch
from torch import nn
from torch.nn.functional import logsigmoid

from fgan.engine import convolutions, networks


class BatchNorm(nn.BatchNorm1d):
    """Batch normalisation of flat points and of images."""

    def _check_input_dim(self, x):
        pass


class Maxout(nn.Module):
    def __init__(self, pieces):
        super().__init__()
        self.pieces = pieces

    def forward(self, x):
        return x.unflatten(-1, (self.pieces, -1)).amax(-2)


MODULES = {
    "tanh": nn.Tanh, "relu": nn.ReLU, "elu": nn.ELU, "sigmoid": nn.Sigmoid,
    "leaky_relu": lambda slope=0.2: nn.LeakyReLU(slope),
}  # fmt: skip


def layer(stacked):
    """The module of torch.nn that does the computation of a stacked layer for one run."""
    match stacked:
        case networks.Linear(shapes=[(inputs, outputs), _]):
            return nn.Linear(inputs, outputs)
        case networks.BatchNorm(shapes=[(_, width), _]):
            return BatchNorm(width, track_running_stats=False)
        case networks.Maxout(pieces=pieces):
            return Maxout(pieces)
        case convolutions.ConvTranspose(shapes=[(inputs, outputs, kernel, _), *bias], settings=settings):
            return nn.ConvTranspose2d(inputs, outputs, kernel, bias=bool(bias), **settings)
        case convolutions.Conv(shapes=[(outputs, inputs, kernel, _), *bias], settings=settings):
            return nn.Conv2d(inputs, outputs, kernel, bias=bool(bias), **settings)
        case convolutions.Reshape(shape=shape):
            return nn.Unflatten(1, shape) if len(shape) > 1 else nn.Flatten()
        case networks.Activation(name=name, settings=settings):
            return MODULES[name](**settings)
    raise ValueError(f"no plain layer for {stacked}")


def module(network, flat=None):
    """A stacked network as nn.Sequential; with the parameters of one run [parameters], if they are given."""
    plain = nn.Sequential(*map(layer, network.layers))
    if flat is not None:
        views = iter(network.views(flat[None]))
        for stacked, own in zip(network.layers, plain, strict=True):
            for parameter in own.parameters():
                view = next(views)[0]
                # nn.Linear keeps its weight as [outputs, inputs].
                view = view.mT if isinstance(stacked, networks.Linear) and parameter.dim() == 2 else view
                parameter.data.copy_(view.reshape(parameter.shape))
    return plain


class Loop:
    """A GAN of one run by Algorithm 1 (single-step, saddle objective), called with a batch of data and of noise."""

    def __init__(self, generator, variational, optimiser, device="cpu", compiled=False):
        self.generator, self.variational = generator.to(device), variational.to(device)
        decays = (optimiser.get("beta1", 0.9), optimiser.get("beta2", 0.999))
        self.rules = [
            torch.optim.Adam(net.parameters(), lr=optimiser[name], betas=decays, foreach=True)
            for net, name in ((self.generator, "generator"), (self.variational, "variational"))
        ]
        # Two gradients of one forward pass need its buffers twice. On a GPU this mode captures the step as a graph.
        torch._functorch.config.donated_buffer = False
        mode = "reduce-overhead" if device == "cuda" else "default"
        self.losses = torch.compile(self.forward, mode=mode) if compiled else self.forward

    def forward(self, x, z):
        v_fake, v_real = self.variational(self.generator(z)), self.variational(x)
        loss = logsigmoid(-v_fake).mean()
        return logsigmoid(v_real).mean() + loss, loss

    def __call__(self, x, z):
        value, loss = self.losses(x, z)
        omega, theta = list(self.variational.parameters()), list(self.generator.parameters())
        gradients = torch.autograd.grad(-value, omega, retain_graph=True), torch.autograd.grad(loss, theta)
        for rule, parameters, slopes in zip(self.rules[::-1], (omega, theta), gradients, strict=True):
            for parameter, gradient in zip(parameters, slopes, strict=True):
                parameter.grad = gradient
            rule.step()
        return value
