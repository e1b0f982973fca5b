"""The variational autoencoder as a population: encoder and decoder climb one bound, and nobody plays against it."""

import math

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from fgan.population import Population


class VAE(Population):
    """A decoder (in the place of G) and an encoder (in the place of V), trained to maximise the ELBO.

    ELBO = E_q(z|x)[log p(x|z)] - KL(q(z|x) || N(0, I)) <= log p(x), in nats per image, with Bernoulli pixels and
    q(z|x) = N(mean, diag exp(log variance)): it bounds KL(P||Q) from above, up to P's own entropy.
    The generator's output are logits [runs, batch, d], the variational network's the 2 k parameters of q; noise
    [runs, batch, k] is normal. Samples are the decoder's means. Source: Kingma and Welling 2014, eq. 3 and 10.
    """

    def offset(self):
        return torch.zeros(len(self.runs), device=self.device)

    @property
    def lower(self):
        """No constant network gives the ELBO a floor [runs]."""
        return torch.full((self.wanted,), -math.inf, device=self.device)

    def generate(self, z):
        return self.generator(self.theta_views, z).sigmoid()

    def losses(self, x, z, inner=False):
        """The ELBO, which the encoder ascends, and its negative, which the decoder descends, each [runs]."""
        mean, log_variance = self.judge(x).chunk(2, dim=-1)
        logits = self.generator(self.theta_views, mean + (log_variance / 2).exp() * z)
        reconstruction = -binary_cross_entropy_with_logits(logits, x, reduction="none").sum(-1)
        divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1) / 2
        elbo = (reconstruction - divergence).mean(-1)
        return elbo, -elbo
