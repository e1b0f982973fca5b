"""Remedies against mode collapse: small classes that compose and work for every divergence."""

import torch

from fgan.design import DesignError, nearest
from fgan.engine.population import Population
from fgan.engine.relativistic import Pairs
from fgan.remedies.gradient_penalty import FakeGradientPenalty, GradientPenalty
from fgan.remedies.instance_noise import InstanceNoise
from fgan.remedies.minibatch import MinibatchDiscrimination
from fgan.remedies.packing import Packing
from fgan.remedies.reconstructor import Reconstructor
from fgan.remedies.spectral_norm import SpectralNorm
from fgan.remedies.unrolling import Unrolling

# In the order in which they act, whatever the order in a design: noise on points, then pairs, then packs of them.
REMEDIES = {
    "instance_noise": InstanceNoise,
    "reconstructor": Reconstructor,
    "packing": Packing,
    "minibatch_discrimination": MinibatchDiscrimination,
    "spectral_norm": SpectralNorm,
    "gradient_penalty": GradientPenalty,
    "fake_gradient_penalty": FakeGradientPenalty,
    "unrolling": Unrolling,
}


def build(designs):
    """The remedies of a design's list of mappings {kind, ...}; raises DesignError for an unknown kind or setting."""
    built = {}
    for design in designs:
        own = dict(design)
        kind = own.pop("kind", None)
        if kind not in REMEDIES:
            raise DesignError(f"unknown remedy '{kind}'; {nearest(kind, REMEDIES)}")
        try:
            built[kind] = REMEDIES[kind](**own)
        except TypeError as error:
            raise DesignError(f"the remedy '{kind}': {error}") from None
    return [built[kind] for kind in REMEDIES if kind in built]


class Remedied(Population):
    """A population whose game is changed by the remedies in its settings.

    `variational(inputs)` makes V's network for points of `inputs` values. Without remedies it is the plain game, bit
    for bit. It knows one more objective, `logit`: the generator minimises -E_Q[V], VEEGAN's loss beside the
    reconstruction, which for GAN and the optimal V = log p/q is KL(Q || P). Source: VEEGAN, Algorithm 1.
    """

    def __init__(self, runs, target, generator, variational, settings, device="cpu"):
        self.remedies = build(settings.get("remedies", []))
        self.latent, inputs = settings["noise"]["dimension"], target.dimension
        self.extra_values = []
        for remedy in self.remedies:
            generator = remedy.generator(generator, inputs, self.latent)
        for remedy in self.remedies:
            self.extra_values.append(remedy.values(inputs))
            inputs = remedy.width(inputs, self.latent)
        network = variational(inputs)
        for remedy in self.remedies:
            network = remedy.variational(network)
        super().__init__(runs, target, generator, network, settings, device)
        self.saddle, self.logit = (
            torch.tensor([run.objective == name for run in self.runs], device=self.device)
            for name in ("saddle", "logit")
        )
        self.raw = any(run.objective == "logit" for run in self.runs)
        self.pairs = Pairs(self.runs, self.device)

    def noise(self, shape, generator):
        """Noise z of the latent distribution, followed by the remedies' random values for points of P and of Q."""
        z, more = super().noise(shape, generator), 2 * sum(self.extra_values)
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
        z, *values = z.split([self.latent, *(n for n in self.extra_values for _ in range(2))], dim=-1)
        with torch.set_grad_enabled(not inner):
            made = self.generate(z)
            real, fake = x, made
            for i, remedy in enumerate(self.remedies):
                real = remedy.real(self, real, values[2 * i])
                fake = remedy.fake(self, fake, z, values[2 * i + 1])

        def play(views):
            v_fake = self.variational(views, fake)
            value, loss = self.pairs.value_and_loss(self.slices, self.variational(views, real), v_fake)
            if self.raw:
                loss = torch.where(self.logit, -v_fake.mean(dim=(1, 2)), loss)
            return value, loss, value - sum(remedy.penalty(self, views, real, fake) for remedy in self.remedies)

        value, loss, objective = play(self.omega_views)
        if not inner:
            for remedy in self.remedies:
                loss = remedy.ahead(self, play, loss)
            loss = loss + sum(remedy.cost(self, made, z) for remedy in self.remedies)
        # V ascends its whole objective, but the reported value is F.
        return objective + (value - objective).detach(), loss
