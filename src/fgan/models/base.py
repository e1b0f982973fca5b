"""A population whose latents and pixels may be discrete, by the settings `noise` and `model`."""

from dataclasses import replace

import torch

from fgan.engine import objectives
from fgan.engine.population import Population


def one_hot(scores):
    """1 at the largest of the last dimension's scores and 0 elsewhere, of the same shape; no gradient passes."""
    return torch.zeros_like(scores).scatter_(-1, scores.argmax(-1, keepdim=True), 1.0)


def draw(shades, uniform, straight_through=False):
    """Pixels 0 or 1, each 1 with its shade's probability, from uniform numbers on [0, 1) of the same shape.

    ceil(shade - u) has the derivative 0 almost everywhere, and autograd uses this 0. `straight_through` uses the
    derivative of the shade instead. Source: Bengio, Leonard and Courville 2013, sec. 4.
    """
    hard = (shades - uniform).ceil()
    return hard.detach() + (shades - shades.detach()) if straight_through else hard


def thresholded(images):
    """The image set with every pixel 1 if its shade is above a half, else 0."""
    return replace(images, **{part: (getattr(images, part) > 0.5).float() for part in ("train", "held_out", "test")})


class GAN(Population):
    """f-GAN's population with a choice of latents and pixels.

    Latents: normal or uniform, or (`kind: gumbel`, `categories: c`) dimension / c one-hot vectors of c equally likely
    categories, each the argmax of c Gumbel variables. Pixels: shades, or (`binary`) drawn 0 or 1 with the shades as
    probabilities. Noise is [runs, batch, dimension], followed by d uniform numbers if pixels are drawn.
    """

    noises = ("normal", "uniform", "gumbel")
    rises = False  # whether a better model has a higher objective: F falls, because it estimates a divergence

    @property
    def model(self):
        return self.settings.get("model", {})

    @property
    def categories(self):
        """Categories of each one-hot vector of the latents; None for other latents."""
        return self.model.get("categories")

    def noise(self, shape, generator):
        latent = self.settings["noise"]
        if latent["kind"] == "gumbel":
            size = (*shape, latent["dimension"])
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
        return x.unflatten(-1, (-1, self.categories))

    def shades(self, code):
        """Expected pixels [runs, batch, d] of a code [runs, batch, dimension]."""
        return self.generator(self.theta_views, code)

    def generate(self, noise):
        z, uniform = self.split(noise)
        shades = self.shades(one_hot(self.groups(z)).flatten(-2) if self.categories else z)
        return draw(shades, uniform, self.model["binary"] == "straight_through") if "binary" in self.model else shades

    def objective(self, x, noise):
        """The objective on given images and noise [runs], without a step: F."""
        return objectives.value_and_loss(self.slices, self.judge(x), self.judge(self.generate(noise)))[0]
