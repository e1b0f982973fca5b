"""The hooks through which a remedy changes the game; those of the base class leave it as it is."""

from fgan.engine.networks import Network


class Remedy:
    """A change of the game that is meant to prevent mode collapse, for any divergence and either objective.

    Points are stacks [runs, batch, values].
    """

    def generator(self, network, inputs, latent):
        """G with any network trained beside it; a point of P has `inputs` values, z has `latent`."""
        return network

    def width(self, inputs, latent):
        """Number of values of a point that V sees, if it saw `inputs` before."""
        return inputs

    def variational(self, network):
        """V's network."""
        return network

    def values(self, inputs):
        """Number of random values, N(0, 1), that the remedy needs for each point of P and of Q."""
        return 0

    def real(self, population, x, values):
        """V's inputs for points x of P; `values` is None if V is evaluated outside of a training step."""
        return x

    def fake(self, population, x, z, values):
        """V's inputs for points x = G(z)."""
        return x

    def penalty(self, population, views, real, fake):
        """Penalty subtracted from V's objective [runs], for V's parameters `views` and its inputs from P and from Q."""
        return 0.0

    def cost(self, population, x, z):
        """Term added to G's loss [runs]."""
        return 0.0

    def ahead(self, population, play, loss):
        """G's loss [runs]; `play(views)` is (F, G's loss, V's objective) of the game with other parameters of V."""
        return loss


def around(network, change):
    """The network with `change` applied to every layer that has weights."""
    return Network(*(change(layer) if layer.shapes else layer for layer in network.layers))
