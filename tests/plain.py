"""Plain ways to compute and to compare what the library computes in stacks and blocks."""

import numpy as np
import torch
from scipy.special import logsumexp


def points(n, d, seed, dtype=torch.float64):
    """Normal points [n, d]."""
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def log_likelihood(samples, test, h):
    """The formula of a kernel density on float64 differences [m]."""
    x, y = samples.double().numpy(), test.double().numpy()
    squares = ((y[:, None] - x[None]) ** 2).sum(-1)
    constant = np.log(len(x)) + x.shape[1] / 2 * np.log(2 * np.pi * h**2)
    return logsumexp(-squares / (2 * h**2), axis=1) - constant


def permutation(one, other, draws=4000):
    """p-value of a difference of means, for two samples of runs, one for each column."""
    rng, both = np.random.default_rng(0), np.concatenate([one, other])
    seen = np.abs(one.mean(axis=0) - other.mean(axis=0))
    larger = []
    for _ in range(draws):
        both = rng.permutation(both)
        larger.append(np.abs(both[: len(one)].mean(axis=0) - both[len(one) :].mean(axis=0)) >= seen)
    return np.mean(larger, axis=0)
