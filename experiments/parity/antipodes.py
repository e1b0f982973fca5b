"""Antipodal pairs of modes, and the part of a generator that is even in z."""

import math

import torch

from fgan.engine.population import seeded


def opposite(target):
    """The mode opposite to each mode across the mean of all [modes]; None where one of them has none."""
    means = target.means
    distance, mode = torch.cdist(2 * means.mean(0) - means, means).min(1)
    return mode if (distance < target.variances.sqrt()).all() else None


def measured(covered, target):
    """Metrics [runs] of which modes are covered, bool [runs, modes].

    even number: whether m, the number of covered modes, is even; undefined for none and for all modes
    paired: the share of the covered modes whose antipode is covered; undefined for none
    pairs beyond chance: (that share - c) / (1 - c), where c = (m - 1) / (modes - 1) is its mean over all sets of m
        modes: 1 if all come in pairs, 0 by chance, and 0 for none and for all, which say nothing
    Where modes have no antipode, the last two are undefined.
    """
    m, modes, across = covered.sum(1).double(), covered.shape[1], opposite(target)
    nothing = torch.full_like(m, math.nan)
    pairs = (covered & covered[:, across]).sum(1) if across is not None else nothing
    chance, incomplete = (m - 1) / (modes - 1), (m > 0) & (m < modes)
    beyond = torch.where(incomplete, (pairs / m - chance) / (1 - chance), 0 * pairs)
    return {
        "even number": ((m % 2) == 0).double().where(incomplete, nothing),
        "paired": pairs / m, "pairs beyond chance": beyond,
    }  # fmt: skip


@torch.no_grad()
def even_part(population):
    """The share of G's variance that is even in z [runs]: E|G(z) + G(-z) - 2c|^2 / 4 E|G(z) - c|^2.

    c is the mean of G. 0 if G is odd about c, 1 if it is even, 1/2 if G(z) and G(-z) are unrelated. Where z is not
    symmetric, G is taken on z and on -z all the same.
    """
    n, device = population.settings["measure"]["samples"], population.device
    noise = [population.noise((n,), seeded(device, stream, "even part")) for stream in population.streams]
    z = population.spread(torch.stack(noise))
    plus, minus = (population.generate(sign * z)[: population.n_runs].double() for sign in (1, -1))
    c = (plus + minus).mean(1, keepdim=True) / 2
    even, odd = (((plus - c) + sign * (minus - c)).square().sum((1, 2)) for sign in (1, -1))
    return even / (even + odd)
