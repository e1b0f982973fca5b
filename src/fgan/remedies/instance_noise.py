"""Instance noise: noise on V's inputs makes the supports of P and Q overlap."""

from fgan.remedies.base import Remedy


class InstanceNoise(Remedy):
    """V sees x + sd_t e with e ~ N(0, I), of P and of Q alike; sd_t falls linearly from `sd` to 0 at step `until`.

    Source: Sonderby et al. 2017, sec. 3.3; Arjovsky and Bottou 2017, sec. 3.
    """

    def __init__(self, sd, until):
        self.sd, self.until = sd, until

    def values(self, inputs):
        return inputs

    def real(self, population, x, values):
        if values is None:
            return x
        return x + self.sd * (1 - population.steps / self.until).clamp(min=0) * values

    def fake(self, population, x, z, values):
        return self.real(population, x, values)
