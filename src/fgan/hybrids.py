"""GAN, variational autoencoder (VAE) and a hybrid of both as populations whose latents and pixels may be discrete."""

import math
from dataclasses import replace

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from fgan.population import Population
from fgan.vae import VAE


def one_hot(scores):
    """1 at the largest of the last dimension's scores and 0 elsewhere, of the same shape; no gradient passes."""
    return torch.zeros_like(scores).scatter_(-1, scores.argmax(-1, keepdim=True), 1.0)


def draw(shades, uniform, straight_through=False):
    """Pixels 0 or 1, each 1 with its shade's probability, from uniform numbers on [0, 1) of the same shape.

    ceil(shade - u) has the derivative 0 almost everywhere, and that is what autograd uses. `straight_through` takes
    the derivative of the shade in its place. Source: Bengio, Leonard and Courville 2013, sec. 4.
    """
    hard = (shades - uniform).ceil()
    return hard.detach() + (shades - shades.detach()) if straight_through else hard


def thresholded(images):
    """The image set with every pixel 0 or 1: whether its shade is above a half."""
    return replace(images, **{part: (getattr(images, part) > 0.5).float() for part in ("train", "held_out", "test")})


class Pair:
    """Two networks whose parameters lie side by side in one stack; calling it applies the first."""

    def __init__(self, first, second):
        self.first, self.second, self.size = first, second, first.size + second.size

    def start(self, generator):
        return torch.cat([self.first.start(generator), self.second.start(generator)])

    def views(self, flat):
        return self.first.views(flat[:, : self.first.size]) + self.second.views(flat[:, self.first.size :])

    def __call__(self, views, x):
        return self.first(views[: len(self.first.shapes)], x)


class GAN(Population):
    """f-GAN's population with a choice of latents and pixels, by the settings `noise` and `model`.

    Latents: normal or uniform, or (`kind: gumbel`, `categories: c`) dimension / c one-hot vectors of c equally likely
    categories, each the argmax of c Gumbel variables. Pixels: shades, or (`binary`) drawn 0 or 1 with the shades as
    probabilities. Noise is [runs, batch, dimension], with d uniform numbers behind it where pixels are drawn.
    """

    rises = False  # whether a better model has a higher objective: F falls, as the divergence that it estimates

    @property
    def model(self):
        return self.settings["model"]

    def noise(self, shape, generator):
        if self.settings["noise"]["kind"] == "gumbel":
            size = (*shape, self.settings["noise"]["dimension"])
            z = -torch.empty(size, device=self.device).exponential_(generator=generator).log()
        else:
            z = super().noise(shape, generator)
        if "binary" not in self.model:
            return z
        uniform = torch.rand((*shape, self.target.dimension), generator=generator, device=self.device)
        return torch.cat([z, uniform], dim=-1)

    def split(self, noise):
        """The latent's noise and the uniform numbers of the pixels, which may be none."""
        latent = self.settings["noise"]["dimension"]
        return noise[..., :latent], noise[..., latent:]

    def groups(self, x):
        """Values [.., dimension] as [.., vectors, categories]."""
        return x.unflatten(-1, (-1, self.model["categories"]))

    def generate(self, noise):
        z, uniform = self.split(noise)
        shades = super().generate(one_hot(self.groups(z)).flatten(-2) if "categories" in self.model else z)
        return draw(shades, uniform, self.model["binary"] == "straight_through") if "binary" in self.model else shades

    def objective(self, x, noise):
        """The objective on given images and noise [runs], without a step: F."""
        return Population.losses(self, x, noise)[0]


class Autoencoder(GAN, VAE):
    """A VAE with normal or categorical latents: maximises E_q[log p(x|z)] - KL(q(z|x) || p(z)), nats per image.

    Categorical: q is a softmax in each vector, and its KL to the uniform prior is exact, sum q log(c q). The code is
    softmax((log q + Gumbel) / temperature) (Jang et al. 2017, eq. 2), a relaxation through which the encoder has a
    gradient; without `temperature` it is a sampled one-hot vector, through which it has none.
    """

    rises = True

    def encode(self, x):
        """Parameters of q(z|x): mean and log variance [runs, batch, 2 k], or logits [runs, batch, k]."""
        return self.judge(x)

    @property
    def encoder_views(self):
        return self.omega_views

    def terms(self, x, noise, hard=False):
        """Reconstruction E_q[log p(x|z)] and KL(q(z|x) || p(z)), each [runs, batch]; `hard` forbids a relaxed code."""
        q, (z, _) = self.encode(x), self.split(noise)
        if "categories" in self.model:
            log_q, temperature = self.groups(q).log_softmax(-1), self.model.get("temperature")
            scores = log_q + self.groups(z)
            code = one_hot(scores) if hard or temperature is None else (scores / temperature).softmax(-1)
            code = code.flatten(-2)
            divergence = (log_q.exp() * (log_q + math.log(self.model["categories"]))).sum((-2, -1))
        else:
            mean, log_variance = q.chunk(2, dim=-1)
            code = mean + (log_variance / 2).exp() * z
            divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1) / 2
        logits = self.generator(self.theta_views, code)
        return -binary_cross_entropy_with_logits(logits, x, reduction="none").sum(-1), divergence

    def elbo(self, x, noise, hard=False):
        reconstruction, divergence = self.terms(x, noise, hard)
        return (reconstruction - divergence).mean(-1)

    def losses(self, x, noise, inner=False):
        elbo = self.elbo(x, noise)
        return elbo, -elbo

    def objective(self, x, noise):
        """The ELBO, always of the model that samples: never of a relaxed code [runs]."""
        return self.elbo(x, noise, hard=True)

    @torch.enable_grad()
    def encoder_gradients(self, x, noise):
        """Norms of the encoder's gradient through the reconstruction and through the KL, each [runs]."""
        norms = []
        for term in self.terms(x, noise):
            # A term that does not depend on the encoder has the gradient 0.
            parts = torch.autograd.grad(
                term.mean(-1).sum(), self.encoder_views, retain_graph=True, allow_unused=True, materialize_grads=True
            )
            norms.append(torch.cat([part.flatten(1) for part in parts], dim=1).norm(dim=1))
        return norms


class Hybrid(Autoencoder):
    """A VAE whose decoder also plays against a V that judges its samples from the prior.

    V ascends F; decoder and encoder (a `Pair` in the place of G) descend -ELBO + weight x (f-GAN's generator loss).
    One draw of z serves both terms. After Larsen et al. 2016, with the reconstruction measured in pixels.
    """

    offset, lower = Population.offset, Population.lower

    def encode(self, x):
        return self.generator.second(self.encoder_views, x)

    @property
    def encoder_views(self):
        return self.theta_views[len(self.generator.first.shapes) :]

    def losses(self, x, noise, inner=False):
        value, loss = Population.losses(self, x, noise, inner)
        return value, self.model["adversarial_weight"] * loss - self.elbo(x, noise)
