"""Samplers without training whose collisions, derivative and preimages are known."""

import torch


def linear(offset, matrix, count, generator):
    """A linear map of normal noise: z [1, n, k], x = offset + z matrix [1, n, d], its singular values [1, 1, k]."""
    z = torch.randn((count, len(matrix)), generator=generator, dtype=torch.float64)
    return z[None], (offset + z @ matrix)[None], torch.linalg.svdvals(matrix)[None, None]


def root(x):
    """A matrix A [d, d] with A^T A the covariance of x [n, d]: z A + mean has the first two moments of x."""
    values, vectors = torch.linalg.eigh(x.double().mT.cov())
    return values.clamp(min=0).sqrt()[:, None] * vectors.mT


def atoms(number, common, count, generator, sd=1e-3):
    """Samples [1, n, 1] of `number` atoms at the integers, with a little noise; the first `common` hold half the mass.

    sum_k p_k^2 = common a^2 + (number - common) b^2 with b = 1/(2 number) and a = b + 1/(2 common), so 1/number
    where all are common.
    """
    shares = torch.full((number,), 0.5 / number, dtype=torch.float64)
    shares[:common] += 0.5 / common
    drawn = torch.multinomial(shares, count, replacement=True, generator=generator)[:, None].double()
    return (drawn + sd * torch.randn(drawn.shape, generator=generator, dtype=torch.float64))[None]
