"""Mixtures of isotropic Gaussians as targets P, in any dimension."""

import math

import torch


class Mixture:
    """sum_k w_k N(m_k, v_k I): weights [k], means [k, d], variances [k].

    Raises ValueError where the weights are no distribution or a variance is not positive.
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
        # What drawing needs, in its precision: a GPU would cast them again for every stream.
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


def ring(modes, radius, sd, device="cpu"):
    """`modes` equal Gaussians of standard deviation `sd`, evenly on a circle of the given radius."""
    angle = 2 * math.pi * torch.arange(modes, dtype=torch.float64) / modes
    means = radius * torch.stack([angle.cos(), angle.sin()], dim=1)
    return Mixture([1 / modes] * modes, means, [sd**2] * modes, device)
