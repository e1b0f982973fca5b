"""Stacked digits: independent images as the channels of one."""

import torch

from fgan.targets import images
from fgan.targets.stacked import Stacked

STACKED = Stacked(images.digits(), 3)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_channels_are_training_images_scaled_to_minus_one_to_one():
    indices = STACKED.draw((2, 5), generator())
    x = STACKED(indices)
    assert STACKED.shape == (3, 8, 8) and STACKED.dimension == 192 and indices.shape == (2, 5, 3)
    assert x.shape == (2, 5, 192) and x.min() == -1 and x.max() == 1
    for channel in range(3):
        own = x[1, 4].view(3, 64)[channel]
        assert torch.equal(own, STACKED.images.train[indices[1, 4, channel]] * 2 - 1)


def test_channels_are_independent_and_draws_repeat():
    indices = STACKED.draw((20_000,), generator())
    assert torch.equal(indices, STACKED.draw((20_000,), generator()))
    assert torch.corrcoef(indices.T.double()).fill_diagonal_(0).abs().max() < 0.03
    assert indices.min() == 0 and indices.max() == len(STACKED.images.train) - 1
