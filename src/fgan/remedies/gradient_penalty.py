"""R1 and R2: penalties on the gradient of V at the data and at the generated points."""

import torch

from fgan.remedies.base import Remedy


class GradientPenalty(Remedy):
    """R1: V ascends F - weight / 2 E_P |dV/dx|^2. Source: Mescheder et al. 2018, eq. 9 (of V, not of T = g_f(V))."""

    def __init__(self, weight):
        self.weight = weight

    def penalty(self, population, views, real, fake):
        return self.weight / 2 * square_slope(population.variational, views, real)


class FakeGradientPenalty(GradientPenalty):
    """R2: V ascends F - weight / 2 E_Q |dV/dx|^2. Source: Mescheder et al. 2018, eq. 10 (of V, not of T = g_f(V))."""

    def penalty(self, population, views, real, fake):
        return self.weight / 2 * square_slope(population.variational, views, fake)


def square_slope(network, views, x):
    """The mean of |dV/dx|^2 over the points x of each run [runs], as a function of V's parameters, and of x."""
    with torch.enable_grad():
        x = x if x.requires_grad else x.detach().requires_grad_()  # generated points keep their graph for unrolling
        (slope,) = torch.autograd.grad(network(views, x).sum(), x, create_graph=True)
    return slope.square().sum(dim=2).mean(dim=1)
