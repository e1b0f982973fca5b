"""What a remedy may change: every hook of the base class leaves the game as it is."""

from fgan.networks import Network


class Remedy:
    """A change of the game that is meant to prevent mode collapse, for any divergence and either objective.

    Points are stacks [runs, batch, values].
    """

    def generator(self, network, inputs, latent):
        """G with what is trained beside it; `inputs` values of a point of P, `latent` of z."""
        return network

    def width(self, inputs, latent):
        """How many values V sees of a point, where it saw `inputs` before."""
        return inputs

    def variational(self, network):
        """V's network."""
        return network

    def values(self, inputs):
        """Random values, N(0, 1), that the remedy wants for each point of P and of Q."""
        return 0

    def real(self, population, x, values):
        """What V sees of points x of P; `values` is None where V is only asked."""
        return x

    def fake(self, population, x, z, values):
        """What V sees of points x = G(z)."""
        return x

    def penalty(self, population, views, real):
        """What is taken from V's objective [runs], for V's parameters `views` and the points of P that it sees."""
        return 0.0

    def cost(self, population, x, z):
        """What is added to G's loss [runs]."""
        return 0.0

    def ahead(self, population, play, loss):
        """G's loss [runs]; `play(views)` is (F, G's loss, V's objective) of the game with other parameters of V."""
        return loss


def around(network, change):
    """The network with every layer that has weights changed."""
    return Network(*(change(layer) if layer.shapes else layer for layer in network.layers))
