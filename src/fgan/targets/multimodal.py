"""The mixtures on which the literature counts modes, by the kind of a design's target; a new one is a function."""

import itertools

import torch
from torch.nn.functional import pad

from fgan.targets.mixtures import Mixture, ring


class Embedded:
    """A mixture in the first values of points that have more, all of them zero: samples [.., dimension]."""

    def __init__(self, mixture, dimension):
        self.mixture, self.dimension, self.variances = mixture, dimension, mixture.variances
        self.means = self._pad(mixture.means)

    def _pad(self, points):
        return pad(points, (0, self.dimension - points.shape[-1]))

    def draw(self, shape, generator):
        return self._pad(self.mixture.draw(shape, generator))

    def __call__(self, drawn):
        return drawn


def grid(side, spacing, sd, device="cpu"):
    """`side` times `side` equal Gaussians of standard deviation `sd`, `spacing` apart, around the origin."""
    line = [spacing * (i - (side - 1) / 2) for i in range(side)]
    means = torch.tensor(list(itertools.product(line, line)), dtype=torch.float64)
    return Mixture([1 / side**2] * side**2, means, [sd**2] * side**2, device)


def embedded(levels, inner, dimension, sd, device="cpu"):
    """One equal Gaussian for each level m, N(m 1, sd^2 I) in the first `inner` of `dimension` values, zero behind.

    Source: VEEGAN, Srivastava et al. 2017, sec. 4.1, with the levels of PacGAN's code.
    """
    levels = torch.tensor(levels, dtype=torch.float64)
    means = levels[:, None].expand(-1, inner).contiguous()
    return Embedded(Mixture([1 / len(levels)] * len(levels), means, [sd**2] * len(levels), device), dimension)


MIXTURES = {"ring": ring, "grid": grid, "embedded": embedded}


def of(settings, device="cpu"):
    """The mixture of the target in a design's settings."""
    own = dict(settings["target"])
    return MIXTURES[own.pop("kind")](**own, device=device)
