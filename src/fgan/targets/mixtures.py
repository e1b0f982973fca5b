"""Mixtures of isotropic Gaussians as targets P, in any dimension, and those on which the literature counts modes."""

import itertools
import math

import torch
from torch.nn.functional import pad


class Mixture:
    """sum_k w_k N(m_k, v_k I): weights [k], means [k, d], variances [k].

    Raises ValueError if the weights are no distribution or a variance is not positive.
    """

    def __init__(self, weights, means, variances, device="cpu"):
        self.weights, self.means, self.variances = (
            torch.as_tensor(t, dtype=torch.float64) for t in (weights, means, variances)
        )
        if self.means.dim() == 1:
            self.means = self.means[:, None]
        if not torch.isclose(self.weights.sum(), self.weights.new_tensor(1.0)) or (self.weights <= 0).any():
            raise ValueError("the weights of a mixture must be positive and sum to 1")
        if not ((self.variances > 0) & self.variances.isfinite()).all():
            raise ValueError("the variances of a mixture must be positive")
        if not len(self.weights) == len(self.means) == len(self.variances):
            raise ValueError("a mixture needs as many weights as means and variances")
        self.weights, self.means, self.variances = (t.to(device) for t in (self.weights, self.means, self.variances))
        # Cast to the precision of drawing once, because a GPU would cast them again for every stream.
        self._edges = self.weights.cumsum(0)[:-1].float()
        self._centres, self._sds = self.means.float(), self.variances.sqrt().float()

    @property
    def dimension(self):
        return self.means.shape[1]

    def draw(self, shape, generator):
        """Samples [*shape, d], float32, from one generator."""
        device = self.means.device
        component = torch.bucketize(torch.rand(shape, generator=generator, device=device), self._edges, right=True)
        normal = torch.randn((*shape, self.dimension), generator=generator, device=device)
        return torch.addcmul(self._centres[component], normal, self._sds[component][..., None])

    def __call__(self, drawn):
        return drawn

    def log_density(self, x):
        """log p(x) in nats for points [..., d], in the dtype of x."""
        w, m, v = (t.to(x) for t in (self.weights, self.means, self.variances))
        square = (x[..., None, :] - m).square().sum(-1)
        return torch.logsumexp(w.log() - square / (2 * v) - self.dimension / 2 * (2 * math.pi * v).log(), dim=-1)


class Embedded:
    """A mixture in the first coordinates of points [.., dimension] whose other coordinates are all zero."""

    def __init__(self, mixture, dimension):
        self.mixture, self.dimension, self.variances = mixture, dimension, mixture.variances
        self.means = self._pad(mixture.means)

    def _pad(self, points):
        return pad(points, (0, self.dimension - points.shape[-1]))

    def draw(self, shape, generator):
        return self._pad(self.mixture.draw(shape, generator))

    def __call__(self, drawn):
        return drawn


def ring(modes, radius, sd, device="cpu"):
    """`modes` equal Gaussians of standard deviation `sd`, evenly on a circle of the given radius."""
    angle = 2 * math.pi * torch.arange(modes, dtype=torch.float64) / modes
    means = radius * torch.stack([angle.cos(), angle.sin()], dim=1)
    return Mixture([1 / modes] * modes, means, [sd**2] * modes, device)


def grid(side, spacing, sd, device="cpu"):
    """`side` times `side` equal Gaussians of standard deviation `sd`, `spacing` apart, around the origin."""
    line = [spacing * (i - (side - 1) / 2) for i in range(side)]
    means = torch.tensor(list(itertools.product(line, line)), dtype=torch.float64)
    return Mixture([1 / side**2] * side**2, means, [sd**2] * side**2, device)


def embedded(levels, inner, dimension, sd, device="cpu"):
    """One equal Gaussian for each level m, N(m 1, sd^2 I) in the first `inner` of `dimension` values, zero in the rest.

    Source: VEEGAN, Srivastava et al. 2017, sec. 4.1, with the levels of PacGAN's code.
    """
    levels = torch.tensor(levels, dtype=torch.float64)
    means = levels[:, None].expand(-1, inner).contiguous()
    return Embedded(Mixture([1 / len(levels)] * len(levels), means, [sd**2] * len(levels), device), dimension)


KINDS = {"mixture": Mixture, "ring": ring, "grid": grid, "embedded": embedded}


def of(target, device="cpu"):
    """The mixture that a design's target {kind, ...} describes."""
    return KINDS[target["kind"]](**{key: value for key, value in target.items() if key != "kind"}, device=device)
