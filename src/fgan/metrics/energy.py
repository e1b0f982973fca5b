"""The energy distance between samples and images: a distance that no variational network has a part in."""

import torch


def energy_distance(samples, images):
    """2 E|x - y| - E|x - x'| - E|y - y'| of each run [runs], for samples x [runs, n, d] and images y [m, d].

    0 for equal distributions, here with the pairs of a point with itself. Source: Szekely and Rizzo 2013.
    """

    def mean(x, y):
        return torch.cdist(x, y).mean()

    own = mean(images, images)
    # One run at a time: a stacked product's last bits depend on what is beside it.
    return torch.stack([2 * mean(x, images) - mean(x, x) - own for x in samples])
