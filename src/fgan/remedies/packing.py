"""Packing: V judges several points together, so it sees whether they are alike."""

from fgan.remedies.base import Remedy


class Packing(Remedy):
    """V(x_1, ..., x_m) on m independent points of P, or of Q, side by side; a batch makes batch / m such packs.

    F then bounds D_f between the m-fold products, which is larger for a collapsed Q. Source: PacGAN, Lin et al. 2018.
    """

    def __init__(self, points):
        self.points = points

    def width(self, inputs, latent):
        return self.points * inputs

    def real(self, population, x, values):
        whole = x.shape[1] // self.points * self.points  # points beyond the last full pack are not judged
        return x[:, :whole].reshape(len(x), -1, self.points * x.shape[2])

    def fake(self, population, x, z, values):
        return self.real(population, x, values)
