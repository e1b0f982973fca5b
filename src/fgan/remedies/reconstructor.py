"""VEEGAN's reconstructor: a network recovers z from the sample, so G is penalised if two z share one x."""

import torch

from fgan.engine.networks import Pair, mlp
from fgan.remedies.base import Remedy


class Reconstructor(Remedy):
    """V judges pairs, (x, R(x)) of P against (G(z), z) of Q, and G's loss gets weight E |z - R(G(z))|^2.

    R, a perceptron with the `hidden` widths, is trained with G and learns from the second term alone. Source: VEEGAN,
    Srivastava et al. 2017, Algorithm 1, which is the divergence GAN and the objective `logit`: G's loss beside the
    reconstruction is the mean of -V, V's raw output. With any other divergence or objective it is our extension.
    """

    def __init__(self, hidden, activation, weight):
        self.hidden, self.activation, self.weight = hidden, activation, weight

    def generator(self, network, inputs, latent):
        return Pair(network, mlp(inputs, latent, self.hidden, self.activation))

    def width(self, inputs, latent):
        return inputs + latent

    def real(self, population, x, values):
        with torch.no_grad():
            guess = population.generator.second(population.theta_views, x)
        return torch.cat([x, guess], dim=2)

    def fake(self, population, x, z, values):
        return torch.cat([x, z], dim=2)

    def cost(self, population, x, z):
        guess = population.generator.second(population.theta_views, x)
        return self.weight * (z - guess).square().sum(dim=2).mean(dim=1)
