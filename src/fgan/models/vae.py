"""The variational autoencoder as a population: encoder and decoder maximise one bound, without an adversary."""

import math

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from fgan.models.base import GAN, one_hot


class Bound:
    """ELBO = E_q(z|x)[log p(x|z)] - KL(q(z|x) || p(z)) <= log p(x), in nats per image, with Bernoulli pixels.

    `model` has the decoder, whose outputs are logits [runs, batch, d]. Normal latents: q(z|x) = N(mean, diag
    exp(log variance)), so q has 2 k parameters. Categorical: q is a softmax in each vector, and its KL to the uniform
    prior is exact, sum q log(c q). The code is softmax((log q + Gumbel) / temperature) (Jang et al. 2017, eq. 2), a
    relaxation that passes a gradient to the encoder; without `temperature` it is a sampled one-hot vector, which
    passes none. Source: Kingma and Welling 2014, eq. 3 and 10.
    """

    def __init__(self, model):
        self.model = model

    def terms(self, q, x, z, hard=False):
        """E_q[log p(x|z)] and KL(q(z|x) || p(z)), each [runs, batch], from q's parameters; `hard`: no relaxed code."""
        groups, temperature = self.model.groups, self.model.model.get("temperature")
        if self.model.categories:
            log_q = groups(q).log_softmax(-1)
            scores = log_q + groups(z)
            code = one_hot(scores) if hard or temperature is None else (scores / temperature).softmax(-1)
            code = code.flatten(-2)
            divergence = (log_q.exp() * (log_q + math.log(self.model.categories))).sum((-2, -1))
        else:
            mean, log_variance = q.chunk(2, dim=-1)
            code = mean + (log_variance / 2).exp() * z
            divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1) / 2
        logits = self.model.generator(self.model.theta_views, code)
        return -binary_cross_entropy_with_logits(logits, x, reduction="none").sum(-1), divergence

    def __call__(self, q, x, z, hard=False):
        """The ELBO of each run [runs], the mean over its images."""
        reconstruction, divergence = self.terms(q, x, z, hard)
        return (reconstruction - divergence).mean(-1)

    @torch.enable_grad()
    def gradients(self, q, x, z, views):
        """Norms of the gradient in the encoder's views through the reconstruction and through the KL, each [runs]."""
        norms = []
        for term in self.terms(q, x, z):
            # A term that does not depend on the encoder has the gradient 0.
            parts = torch.autograd.grad(
                term.mean(-1).sum(), views, retain_graph=True, allow_unused=True, materialize_grads=True
            )
            norms.append(torch.cat([part.flatten(1) for part in parts], dim=1).norm(dim=1))
        return norms


class VAE(GAN):
    """A decoder (in the place of G) and an encoder (in the place of V), trained to maximise the ELBO (see Bound).

    It bounds KL(P||Q) from above, up to P's own entropy. Samples are the decoder's means.
    """

    rises = True

    def __init__(self, runs, target, generator, variational, settings, device="cpu"):
        super().__init__(runs, target, generator, variational, settings, device)
        self.bound = Bound(self)

    def output_bias(self):
        return torch.zeros(len(self.runs), device=self.device)

    @property
    def f_at_one(self):
        """-inf [runs], because no constant network gives the ELBO a lower limit."""
        return torch.full((self.n_runs,), -math.inf, device=self.device)

    def shades(self, code):
        return super().shades(code).sigmoid()

    def losses(self, x, noise, inner=False):
        """The ELBO, which the encoder ascends, and its negative, which the decoder descends, each [runs]."""
        elbo = self.bound(self.judge(x), x, self.split(noise)[0])
        return elbo, -elbo

    def objective(self, x, noise):
        """The ELBO with sampled latents, never with a relaxed code [runs]."""
        return self.bound(self.judge(x), x, self.split(noise)[0], hard=True)

    @torch.enable_grad()
    def encoder_gradients(self, x, noise):
        """Norms of the encoder's gradient through the reconstruction and through the KL, each [runs]."""
        return self.bound.gradients(self.judge(x), x, self.split(noise)[0], self.omega_views)
