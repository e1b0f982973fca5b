"""The timed configurations: published architectures, each with its batch and data dimension, trained as a GAN."""

from dataclasses import dataclass, field

import torch

from fgan.design import Run
from fgan.engine.convolutions import dcgan_generator, dcgan_variational
from fgan.engine.networks import Network, mlp
from fgan.engine.population import Population

ADAM = {"kind": "adam", "generator": 2e-4, "variational": 2e-4, "beta1": 0.5}


class Noise:
    """A target of uniform noise, because speed does not depend on the data."""

    def __init__(self, dimension, device):
        self.dimension, self.device = dimension, device

    def draw(self, shape, generator):
        return torch.rand((*shape, self.dimension), generator=generator, device=self.device)

    def __call__(self, drawn):
        return drawn


@dataclass(frozen=True)
class Configuration:
    """A pair of networks (functions without arguments), noise and data dimensions, and the batch."""

    title: str
    generator: object
    variational: object
    noise: int
    data: int
    batch: int
    optimiser: dict = field(default_factory=lambda: ADAM)

    def networks(self) -> tuple[Network, Network]:
        return self.generator(), self.variational()

    @property
    def settings(self):
        return {
            "noise": {"kind": "normal", "dimension": self.noise}, "batch": self.batch, "optimiser": self.optimiser,
            "method": {"kind": "single_step"}, "steps": 0, "history": 1,
        }  # fmt: skip

    def population(self, runs, device):
        stack = [Run("benchmark", "main", "gan", "saddle", seed) for seed in range(runs)]
        return Population(stack, Noise(self.data, device), *self.networks(), self.settings, device)


IMAGE = 3 * 28 * 28
CONFIGURATIONS = {
    "ring 2x64": Configuration(
        "Ring, G and V 2x64 tanh, batch 128",
        lambda: mlp(2, 2, [64, 64], "tanh"), lambda: mlp(2, 1, [64, 64], "tanh"), 2, 2, 128),
    "ring 2x128": Configuration(
        "Ring, G and V 2x128 tanh, batch 512 (Unrolled GAN)",
        lambda: mlp(2, 2, [128, 128], "tanh"), lambda: mlp(2, 1, [128, 128], "tanh"), 2, 2, 512),
    "ring 4x400": Configuration(
        "Ring, G 4x400, V 4x200 leaky ReLU, batch 128 (the 200-seed ring)",
        lambda: mlp(2, 2, [400] * 4, "relu"), lambda: mlp(2, 1, [200] * 4, "leaky_relu"), 2, 2, 128,
        ADAM | {"generator": 1e-4, "variational": 1e-4, "beta1": 0.9, "beta2": 0.99}),
    "ring maxout": Configuration(
        "Ring, G 4x400 with batch norm, V 3x200 maxout 5, batch 100 (PacGAN)",
        lambda: mlp(2, 2, [400] * 4, "relu", batch_norm=True, init=0.02),
        lambda: mlp(2, 1, [200] * 3, "maxout", pieces=5, init=0.02), 2, 2, 100),
    "MNIST small": Configuration(
        "MNIST, G 20-400-784, V 784-400-1, batch 100",
        lambda: mlp(20, 784, [400], "relu", output="sigmoid"), lambda: mlp(784, 1, [400], "relu"), 20, 784, 100),
    "MNIST f-GAN": Configuration(
        "MNIST, G 100-1200-1200-784 with batch norm, V 784-240-240-1, batch 4096 (f-GAN)",
        lambda: mlp(100, 784, [1200, 1200], "relu", batch_norm=True, output="sigmoid", init=0.05),
        lambda: mlp(784, 1, [240, 240], "elu", init=0.005), 100, 784, 4096),
    "DCGAN small": Configuration(
        "28x28x3, G 64-32-16-8, V 4-8-16, batch 128 (Unrolled GAN, stacked MNIST)",
        lambda: dcgan_generator(256, 3, 28, [64, 32, 16, 8], kernel=3, output_stride=1),
        lambda: dcgan_variational(3, 28, [4, 8, 16], kernel=3, batch_norm_from=0, slope=0.3), 256, IMAGE, 128),
    "DCGAN 28": Configuration(
        "28x28x3, G 512-256-128-64, V 64-128-256-512, batch 64 (VEEGAN, stacked MNIST)",
        lambda: dcgan_generator(100, 3, 28, [512, 256, 128, 64]),
        lambda: dcgan_variational(3, 28, [64, 128, 256, 512]), 100, IMAGE, 64),
    "DCGAN 32": Configuration(
        "32x32x3, G 256-128-64, V 64-128-256, batch 64",
        lambda: dcgan_generator(100, 3, 32, [256, 128, 64]),
        lambda: dcgan_variational(3, 32, [64, 128, 256]), 100, 3 * 32 * 32, 64),
}  # fmt: skip
