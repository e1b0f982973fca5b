"""Stacked digits as the target P: independent images are the channels of one image, each tuple of classes is a mode."""


class Stacked:
    """`count` independent images of a set as channels: flat points [.., count h w], scaled from [0, 1] to [-1, 1].

    Every tuple of classes is a mode: ten classes make 10^count of nearly equal weight. Source: Unrolled GAN, Metz et
    al. 2017, which stacks three images of MNIST as the colours of one.
    """

    def __init__(self, images, count):
        self.images, self.count = images, count
        self.shape = (count, *images.shape)

    @property
    def dimension(self):
        return self.count * self.images.dimension

    def draw(self, shape, generator):
        """Indices [*shape, count] of training images, uniform with replacement and independent."""
        return self.images.draw((*shape, self.count), generator)

    def __call__(self, indices):
        return self.images.train[indices].flatten(-2) * 2 - 1
