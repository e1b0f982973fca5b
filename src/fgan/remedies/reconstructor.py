"""VEEGAN's reconstructor: noise is found again from the sample, so no two z may share one x."""

import torch

from fgan.networks import Network, mlp
from fgan.remedies.base import Remedy


class Reconstructor(Remedy):
    """V judges pairs, (x, R(x)) of P against (G(z), z) of Q, and G's loss gets weight E |z - R(G(z))|^2.

    R, a perceptron with the `hidden` widths, is trained with G and learns from the second term alone. Source: VEEGAN,
    Srivastava et al. 2017, Algorithm 1, for the objective of GAN; other divergences are this repository's extension.
    """

    def __init__(self, hidden, activation, weight):
        self.hidden, self.activation, self.weight = hidden, activation, weight

    def generator(self, network, inputs, latent):
        return Pair(network, mlp(inputs, latent, self.hidden, self.activation))

    def width(self, inputs, latent):
        return inputs + latent

    def real(self, population, x, values):
        with torch.no_grad():
            found = population.generator.second(population.theta_views, x)
        return torch.cat([x, found], dim=2)

    def fake(self, population, x, z, values):
        return torch.cat([x, z], dim=2)

    def cost(self, population, x, z):
        found = population.generator.second(population.theta_views, x)
        return self.weight * (z - found).square().sum(dim=2).mean(dim=1)


class Pair(Network):
    """G and a second network in one stack of parameters; called, it is G."""

    def __init__(self, network, beside):
        super().__init__(*network.layers, *beside.layers)
        self.network, self.beside = network, beside

    def __call__(self, views, z):
        return self.network(views[: len(self.network.shapes)], z)

    def second(self, views, x):
        """The second network's outputs [runs, batch, outputs] for inputs [runs, batch, inputs]."""
        return self.beside(views[len(self.network.shapes) :], x)
