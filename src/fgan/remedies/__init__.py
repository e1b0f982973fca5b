"""Remedies against mode collapse: small parts that compose, and work for every divergence. A new one is a class."""

import torch

from fgan import objectives
from fgan.population import Population
from fgan.remedies.gradient_penalty import GradientPenalty
from fgan.remedies.instance_noise import InstanceNoise
from fgan.remedies.minibatch import MinibatchDiscrimination
from fgan.remedies.packing import Packing
from fgan.remedies.reconstructor import Reconstructor
from fgan.remedies.spectral_norm import SpectralNorm
from fgan.remedies.unrolling import Unrolling
from fgan.validation import DesignError, nearest

# In the order in which they act, whatever the order in a design: noise on points, then pairs, then packs of them.
REMEDIES = {
    "instance_noise": InstanceNoise,
    "reconstructor": Reconstructor,
    "packing": Packing,
    "minibatch_discrimination": MinibatchDiscrimination,
    "spectral_norm": SpectralNorm,
    "gradient_penalty": GradientPenalty,
    "unrolling": Unrolling,
}


def build(designs):
    """The remedies of a design's list of mappings {kind, ...}; raises DesignError for what they do not know."""
    found = {}
    for design in designs:
        own = dict(design)
        kind = own.pop("kind", None)
        if kind not in REMEDIES:
            raise DesignError(f"unknown remedy '{kind}'; {nearest(kind, REMEDIES)}")
        try:
            found[kind] = REMEDIES[kind](**own)
        except TypeError as error:
            raise DesignError(f"the remedy '{kind}': {error}") from None
    return [found[kind] for kind in REMEDIES if kind in found]


class Remedied(Population):
    """A population whose game is changed by the remedies in its settings.

    `variational(inputs)` makes V's network for points of so many values. Without remedies it is the plain game, bit
    for bit.
    """

    def __init__(self, runs, target, generator, variational, settings, device="cpu"):
        self.remedies = build(settings.get("remedies", []))
        self.latent, inputs = settings["noise"]["dimension"], target.dimension
        self.wanted_values = []
        for remedy in self.remedies:
            generator = remedy.generator(generator, inputs, self.latent)
        for remedy in self.remedies:
            self.wanted_values.append(remedy.values(inputs))
            inputs = remedy.width(inputs, self.latent)
        network = variational(inputs)
        for remedy in self.remedies:
            network = remedy.variational(network)
        super().__init__(runs, target, generator, network, settings, device)
        self.saddle = torch.tensor([run.objective == "saddle" for run in self.runs], device=self.device)

    def noise(self, shape, generator):
        """Noise z of the latent distribution, and behind it what the remedies want for both of their points."""
        z, more = super().noise(shape, generator), 2 * sum(self.wanted_values)
        if not more:
            return z
        return torch.cat([z, torch.randn((*shape, more), generator=generator, device=self.device)], dim=-1)

    def generate(self, z):
        return super().generate(z[..., : self.latent])

    def judge(self, x):
        for remedy in self.remedies:
            x = remedy.real(self, x, None)
        return super().judge(x)

    def losses(self, x, z, inner=False):
        z, *values = z.split([self.latent, *(n for n in self.wanted_values for _ in range(2))], dim=-1)
        with torch.set_grad_enabled(not inner):
            made = self.generate(z)
            real, fake = x, made
            for i, remedy in enumerate(self.remedies):
                real = remedy.real(self, real, values[2 * i])
                fake = remedy.fake(self, fake, z, values[2 * i + 1])

        def play(views):
            value, loss = objectives.objective(
                self.slices, self.variational(views, real), self.variational(views, fake)
            )
            return value, loss, value - sum(remedy.penalty(self, views, real) for remedy in self.remedies)

        value, loss, objective = play(self.omega_views)
        if not inner:
            for remedy in self.remedies:
                loss = remedy.ahead(self, play, loss)
            loss = loss + sum(remedy.cost(self, made, z) for remedy in self.remedies)
        # V climbs its whole objective, but what is reported is F.
        return objective + (value - objective).detach(), loss
