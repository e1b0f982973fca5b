"""Samplers without training whose collisions, derivative and preimages are known."""

import math

import torch

from fgan.targets.mixtures import Mixture


def samplers(target, ring, data, generator):
    """{name: (x, z, singular values)} of data (best case), one mode or image (full collapse), and a linear map with the
    data's two moments; `ring` {radius, sd} describes the target if it is a mixture."""
    if isinstance(target, Mixture):
        one, sd, centre = target.means[0], ring["sd"], torch.zeros(2, dtype=torch.float64)
        moments = ring["radius"] / math.sqrt(2) * torch.eye(2, dtype=torch.float64)
    else:
        one, sd, centre, moments = target.train[0].double(), 0.01, target.train.double().mean(0), root(target.train)
    floor, n = sd * torch.eye(len(one), dtype=torch.float64), data.shape[1]
    return {
        "data": (data, None, None),
        "one mode": linear(one, floor, n, generator),
        "linear map": linear(centre, moments, n, generator),
    }


def linear(offset, matrix, count, generator):
    """A linear map of normal noise: x = offset + z matrix [1, n, d], z [1, n, k], its singular values [1, 1, k]."""
    z = torch.randn((count, len(matrix)), generator=generator, dtype=torch.float64)
    return (offset + z @ matrix)[None], z[None], torch.linalg.svdvals(matrix)[None, None]


def root(x):
    """A matrix A [d, d] with A^T A the covariance of x [n, d]: z A + mean has the first two moments of x."""
    values, vectors = torch.linalg.eigh(x.double().mT.cov())
    return values.clamp(min=0).sqrt()[:, None] * vectors.mT


def atoms(number, common, count, generator, sd=1e-3):
    """Samples [1, n, 1] of `number` atoms at the integers, with a little noise; the first `common` hold half the mass.

    sum_k p_k^2 = common a^2 + (number - common) b^2 with b = 1/(2 number) and a = b + 1/(2 common), so 1/number
    if all are common.
    """
    shares = torch.full((number,), 0.5 / number, dtype=torch.float64)
    shares[:common] += 0.5 / common
    drawn = torch.multinomial(shares, count, replacement=True, generator=generator)[:, None].double()
    return (drawn + sd * torch.randn(drawn.shape, generator=generator, dtype=torch.float64))[None]
