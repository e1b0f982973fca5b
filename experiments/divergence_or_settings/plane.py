"""Exact divergences between a mixture and a Gaussian in the plane, by quadrature, and their local minima.

D_f(P||Q) = int q f(p/q) dx with Q = N(mu, C), C = L L^T. Finiteness is decided first, from the tails
(`fgan.metrics.exact`): along every direction, so at the smallest and the largest eigenvalue of C.
"""

import math

import numpy as np
import torch

from fgan.metrics import exact

REACH, STEP = 8.0, 0.7  # of the grid: in standard deviations of the widest component, and of the narrowest
EDGE = 200.0  # largest |log(p/q)| in a gradient


def grid(mixture):
    """Points x [n, 2], log p(x) [n] and the area of a cell: a square around all components of P.

    The sum over an even grid of a smooth density with narrowest standard deviation s errs by exp(-2 pi^2 s^2 / step^2).
    """
    sds = mixture.variances.sqrt()
    reach = float(mixture.means.abs().max() + REACH * sds.max())
    step = float(STEP * sds.min())
    line = torch.arange(-math.ceil(reach / step), math.ceil(reach / step) + 1, dtype=torch.float64) * step
    x = torch.cartesian_prod(line, line)
    return x, mixture.log_density(x), step**2


def finite(function, mixture, covariance):
    """Whether D_f(P || N(mu, C)) is finite, for C [..., 2, 2]."""
    widest = mixture.variances.max().sqrt()
    small, large = torch.linalg.eigvalsh(covariance).unbind(-1)
    at_small, at_large = (exact.finite(function, widest, end.clamp(min=1e-12).sqrt()) for end in (small, large))
    return at_small & at_large & (small > 0)


def log_q(x, mu, covariance):
    """log density [n] of N(mu, C) at the points x [n, 2]."""
    inverse = torch.linalg.inv(covariance)
    centred = x - mu
    square = ((centred @ inverse) * centred).sum(-1)
    return -square / 2 - torch.logdet(covariance) / 2 - math.log(2 * math.pi)


@torch.no_grad()
def divergence(function, mixture, mu, covariance, points=None):
    """D_f(P || N(mu, C)) in nats, math.inf if it is infinite; `points` is a `grid` of the mixture."""
    if not (mu.isfinite().all() and covariance.isfinite().all()) or not finite(function, mixture, covariance):
        return math.inf
    x, log_p, cell = points or grid(mixture)
    return float(exact.perspective(function, log_p, log_q(x, mu, covariance)).sum() * cell)


def unpack(p):
    """(mu [2], L [2, 2]) of mu_1, mu_2, log L_11, L_21, log L_22."""
    return p[:2], torch.stack([torch.stack([p[2].exp(), 0 * p[3]]), torch.stack([p[3], p[4].exp()])])


def slope(function, mixture, parameters, points):
    """D_f and its gradient [5] in the parameters of `unpack`: int q [f(u) - u f'(u)] grad log q dx with u = p/q."""
    x, log_p, cell = points
    p = torch.tensor(parameters, dtype=torch.float64, requires_grad=True)
    mu, lower = unpack(p)
    value = divergence(function, mixture, mu.detach(), (lower @ lower.T).detach(), points)
    if not math.isfinite(value):
        return 1e6, 0 * parameters
    log_density = log_q(x, mu, lower @ lower.T)
    u = (log_p - log_density.detach()).clamp(-EDGE, EDGE).exp().requires_grad_()
    f = function.f(u)
    (prime,) = torch.autograd.grad(f.sum(), u)
    weight = log_density.detach().exp() * (f - u * prime).detach() * cell
    (gradient,) = torch.autograd.grad((weight * log_density).sum(), p)
    return value, gradient.numpy()


def optima(function, mixture):
    """Local minima of D_f over all Gaussians, the best first: [(D, mu, C)]; those that agree to .01 are one.

    Searched by L-BFGS from the middle of the mixture and from each component, with the width of the widest one, at
    which every divergence is finite. A start that no step leaves is no minimum.
    """
    from scipy.optimize import minimize  # a machine that only trains need not have it

    points, minima = grid(mixture), []
    width = math.log(mixture.variances.max().sqrt())
    for mu in [mixture.weights @ mixture.means, *mixture.means]:
        start = np.array([*mu.tolist(), width, 0.0, width])
        best = minimize(lambda p: slope(function, mixture, p, points), start, jac=True, method="L-BFGS-B")
        mu, lower = unpack(torch.tensor(best.x))
        minima.append((best.fun, mu, lower @ lower.T))
    different = []
    for one in sorted(minima, key=lambda minimum: minimum[0]):
        apart = [max(float((a - b).abs().max()) for a, b in zip(one[1:], o[1:], strict=True)) for o in different]
        if min(apart, default=1.0) > 0.01 and one[0] < 1e6:
            different.append(one)
    return different
