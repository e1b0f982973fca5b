"""Spectral normalisation: no weight matrix of V stretches a vector."""

import torch

from fgan.engine.networks import BatchNorm
from fgan.remedies.base import Remedy, around

# Of W'W: as good as 2^12 iterations of the power method, without a state to keep. The gradient needs more of them than
# the norm does: 2^6 have not found the vectors where the two largest singular values are within some per cent.
SQUARINGS = 12


class SpectralNorm(Remedy):
    """Every weight matrix W of V is divided by its largest singular value. Source: Miyato et al. 2018, eq. 7.

    The source keeps a vector and takes one iteration of the power method a step; here each step iterates to the end. In
    both the gradient is that of u' W v with the vectors held fixed. The scale of a batch norm is no matrix and stays.
    """

    def variational(self, network):
        return around(network, lambda layer: layer if isinstance(layer, BatchNorm) else Normalised(layer))


class Normalised:
    """A layer with its weights W [runs, ...] divided by the largest singular value of each run's matrix."""

    def __init__(self, layer):
        self.layer, self.shapes = layer, layer.shapes

    def start(self, generator):
        return self.layer.start(generator)

    def __call__(self, x, weight, *others):
        norm = largest_singular_value(weight.flatten(2))
        return self.layer(x, weight / norm.view(-1, *(1 for _ in weight.shape[1:])), *others)


def largest_singular_value(matrix):
    """sigma_1 of matrices [runs, rows, columns]: [runs], differentiable as u' W v with u and v held fixed."""
    with torch.no_grad():
        tall = matrix if matrix.shape[1] >= matrix.shape[2] else matrix.mT
        square = tall.mT @ tall
        for _ in range(SQUARINGS):
            square = square / square.norm(dim=(1, 2), keepdim=True).clamp_min(1e-30)
            square = square @ square
        right = square.sum(dim=2, keepdim=True)
        right = right / right.norm(dim=1, keepdim=True).clamp_min(1e-30)
        left = tall @ right
        left = left / left.norm(dim=1, keepdim=True).clamp_min(1e-30)
        left, right = (left, right) if tall is matrix else (right, left)
    return (left.mT @ matrix @ right).flatten()
