"""A variational autoencoder whose decoder also plays against V."""

from fgan.models.base import GAN
from fgan.models.vae import Bound


class Hybrid(GAN):
    """V judges samples from the prior and ascends F; decoder and encoder descend -ELBO + weight x (f-GAN's loss of G).

    Decoder and encoder are a `Pair` in the place of G. One draw of z serves both terms. After Larsen et al. 2016, with
    the reconstruction measured in pixels.
    """

    rises = True

    def __init__(self, runs, target, generator, variational, settings, device="cpu"):
        super().__init__(runs, target, generator, variational, settings, device)
        self.bound = Bound(self)

    def encode(self, x):
        """Parameters of q(z|x) for images [runs, batch, d]."""
        return self.generator.second(self.theta_views, x)

    def shades(self, code):
        return super().shades(code).sigmoid()

    def losses(self, x, noise, inner=False):
        value, loss = super().losses(x, noise, inner)
        elbo = self.bound(self.encode(x), x, self.split(noise)[0])
        return value, self.model["adversarial_weight"] * loss - elbo

    def objective(self, x, noise):
        """The ELBO with sampled latents, never with a relaxed code [runs]."""
        return self.bound(self.encode(x), x, self.split(noise)[0], hard=True)
