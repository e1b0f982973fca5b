"""Mixtures of isotropic Gaussians as targets P, in any dimension, and those on which the literature counts modes."""

import itertools
import math

import torch


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
        if not len(self.weights) == len(self.means) == len(self.variances):
            raise ValueError("a mixture needs as many weights as means and variances")
        if not self.means.isfinite().all():
            raise ValueError("the means of a mixture must be finite")
        if not torch.isclose(self.weights.sum(), self.weights.new_tensor(1.0)) or (self.weights <= 0).any():
            raise ValueError("the weights of a mixture must be positive and sum to 1")
        if not ((self.variances > 0) & self.variances.isfinite()).all():
            raise ValueError("the variances of a mixture must be positive")
        self.weights, self.means, self.variances = (t.to(device) for t in (self.weights, self.means, self.variances))
        # Cast to the precision of drawing once, because a GPU would cast them again for every stream.
        self._edges = self.weights.cumsum(0)[:-1].float()
        self._centres, self._sds = self.means.float(), self.variances.sqrt().float()

    @property
    def dimension(self):
        return self.means.shape[1]

    def draw(self, shape, generator):
        """Samples [*shape, d], float32, from one generator."""
        return self.drawn(shape, generator)[1]

    def drawn(self, shape, generator):
        """Components [*shape] and samples of them [*shape, d], float32, from one generator."""
        device = self.means.device
        component = torch.bucketize(torch.rand(shape, generator=generator, device=device), self._edges, right=True)
        normal = torch.randn((*shape, self.dimension), generator=generator, device=device)
        return component, torch.addcmul(self._centres[component], normal, self._sds[component][..., None])

    def __call__(self, drawn):
        return drawn

    def log_density(self, x):
        """log p(x) in nats for points [..., d], in the dtype of x."""
        w, m, v = (t.to(x) for t in (self.weights, self.means, self.variances))
        square = (x[..., None, :] - m).square().sum(-1)
        return torch.logsumexp(w.log() - square / (2 * v) - self.dimension / 2 * (2 * math.pi * v).log(), dim=-1)


class Embedded:
    """A mixture in the first coordinates of points whose other coordinates are those of their mode's mean [k, d]."""

    def __init__(self, mixture, means):
        self.mixture, self.means, self.variances = mixture, means.to(mixture.means), mixture.variances
        self.dimension = means.shape[1]
        self._outer = self.means[:, mixture.dimension :].float()

    def draw(self, shape, generator):
        component, inner = self.mixture.drawn(shape, generator)
        return torch.cat([inner, self._outer[component]], dim=-1)

    def __call__(self, drawn):
        return drawn


def ring(modes, radius, sd, device="cpu", closed=False, centre=(0.0, 0.0)):
    """`modes` equal Gaussians of standard deviation `sd`, evenly on a circle of the given radius and centre.

    If `closed`, the last lies on the first: one mode fewer, of which the first has twice the weight of the others, as
    in the notebook of Unrolled GAN's authors.
    """
    places = modes - closed
    angle = 2 * math.pi * torch.arange(places, dtype=torch.float64) / places
    means = radius * torch.stack([angle.cos(), angle.sin()], dim=1) + torch.tensor(centre, dtype=torch.float64)
    weights = [(1 + closed) / modes] + [1 / modes] * (places - 1)
    return Mixture(weights, means, [sd**2] * places, device)


def grid(side, spacing, sd, device="cpu"):
    """`side` times `side` equal Gaussians of standard deviation `sd`, `spacing` apart, around the origin."""
    line = [spacing * (i - (side - 1) / 2) for i in range(side)]
    means = torch.tensor(list(itertools.product(line, line)), dtype=torch.float64)
    return Mixture([1 / side**2] * side**2, means, [sd**2] * side**2, device)


def embedded(levels, inner, dimension, sd, device="cpu"):
    """One equal Gaussian for each level m, N(m 1, sd^2 I) in the first `inner` of `dimension` values, m in the rest.

    Source: VEEGAN, Srivastava et al. 2017, sec. 4.1, as PacGAN's code has it.
    """
    means = torch.tensor(levels, dtype=torch.float64)[:, None].repeat(1, dimension)
    return Embedded(Mixture([1 / len(levels)] * len(levels), means[:, :inner], [sd**2] * len(levels), device), means)


KINDS = {"mixture": Mixture, "ring": ring, "grid": grid, "embedded": embedded}


def of(target, device="cpu"):
    """The mixture that a design's target {kind, ...} describes."""
    return KINDS[target["kind"]](**{key: value for key, value in target.items() if key != "kind"}, device=device)
