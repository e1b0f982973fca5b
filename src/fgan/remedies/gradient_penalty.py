"""R1: a penalty on the gradient of V at the data."""

import torch

from fgan.remedies.base import Remedy


class GradientPenalty(Remedy):
    """V ascends F - weight / 2 E_P |dV/dx|^2. Source: Mescheder et al. 2018, eq. 9 (of V, not of T = g_f(V))."""

    def __init__(self, weight):
        self.weight = weight

    def penalty(self, population, views, real):
        with torch.enable_grad():
            x = real.detach().requires_grad_()
            (slope,) = torch.autograd.grad(population.variational(views, x).sum(), x, create_graph=True)
        return self.weight / 2 * slope.square().sum(dim=2).mean(dim=1)
