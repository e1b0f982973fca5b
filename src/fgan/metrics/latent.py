"""Collapse seen from the latent space: how many pairs of z share an x, at a stated resolution.

Functions of a stack of runs [runs, ...] return [runs] in float64, for each run what it would get alone; nan for a run
that is not finite.
"""

import math

import torch

from fgan.population import seeded


def each(measure, *stacks, shape=()):
    """measure(row of each stack, in float64), of the given shape, for every run: [runs, *shape]."""
    values = stacks[0].new_full((len(stacks[0]), *shape), math.nan, dtype=torch.float64)
    for r, rows in enumerate(zip(*stacks, strict=True)):
        if all(row.isfinite().all() for row in rows):
            # Fresh copies, because bits can depend on how memory is aligned.
            values[r] = measure(*(row.to(torch.float64, copy=True) for row in rows))
    return values


@torch.no_grad()
def drawn(population, count, purpose):
    """`population.sample(count, purpose)` with the noise of each sample: z [runs, count, k], x [runs, count, ...]."""
    batch, wanted = population.settings["batch"], population.wanted
    generators = [seeded(population.device, stream, purpose) for stream in population.streams]
    noise, samples = [], []
    for _ in range(-(-count // batch)):
        z = population.spread(torch.stack([population.noise((batch,), g) for g in generators]))
        noise.append(z[:wanted])
        samples.append(population.generate(z)[:wanted])
    return torch.cat(noise, dim=1)[:, :count], torch.cat(samples, dim=1)[:, :count]


def nearest(x):
    """Distance of each sample to its nearest other one [runs, n], for samples [runs, n, d]."""

    def distance(own):
        between = torch.cdist(own, own, compute_mode="donot_use_mm_for_euclid_dist")
        return between.fill_diagonal_(math.inf).amin(1)

    return each(distance, x, shape=x.shape[1:2])


def collisions(x, radius, z=None):
    """Share of the n (n - 1) / 2 pairs of samples [runs, n, d] that lie within `radius` of each other, [runs].

    An unbiased estimate of P(|x - x'| <= radius), sum_k p_k^2 where the samples are atoms of mass p_k further apart.
    With noise z [runs, n, k] only pairs count that lie further apart in z than the median pair.
    Source: Arora and Zhang 2017 (the birthday paradox), by pairs instead of by batches.
    """

    def share(own, noise=None):
        close = (torch.nn.functional.pdist(own) <= radius).double()
        if noise is None:
            return close.mean()
        apart = torch.nn.functional.pdist(noise)
        return close[apart > apart.median()].mean()

    return each(share, x) if z is None else each(share, x, z)


def closest(x, pairs):
    """The closest disjoint pairs of samples [runs, n, d], nearest first and side by side: [runs, 2 pairs, d]."""
    found = []
    for own in x.nan_to_num():
        between, chosen = torch.cdist(own, own).fill_diagonal_(math.inf), []
        for _ in range(pairs):
            pair = list(divmod(int(between.argmin()), len(own)))
            chosen += pair
            between[pair] = between[:, pair] = math.inf
        found.append(own[chosen])
    return torch.stack(found)


def effective(hits):
    """1 / sum_k p_k^2 by pairs: modes that as many equal ones would stand for, from counts [runs, modes], [runs].

    sum_k h_k (h_k - 1) / (h (h - 1)) estimates sum_k p_k^2 without bias; infinite where no two samples share a mode.
    """
    hits = hits.double()
    total = hits.sum(1)
    return total * (total - 1) / (hits * (hits - 1)).sum(1)


def birthday(probability):
    """The batch size s at which a collision has probability 1/2 where a pair has `probability`; any shape.

    s (s - 1) / 2 pairs, nearly independent, collide with 1 - exp(-probability s (s - 1) / 2). For rare collisions
    s^2 = 2 log 2 / probability. Source: Arora and Zhang 2017.
    """
    return 0.5 + (0.25 + 2 * math.log(2) / probability).sqrt()


def rank_correlation(a, b):
    """Spearman's correlation of a and b [runs, n], [runs]; ties take the order in which they stand."""

    def spearman(*values):
        ranks = [v.argsort(stable=True).argsort(stable=True).double() for v in values]
        return torch.corrcoef(torch.stack(ranks))[0, 1]

    return each(spearman, a, b)


def distance_correlation(z, x):
    """Spearman's correlation of |z - z'| and |x - x'| over n/2 disjoint pairs of z [runs, n, k] and x [runs, n, d]."""
    apart = [torch.linalg.vector_norm((stack[:, 1::2] - stack[:, :-1:2]).double(), dim=-1) for stack in (z, x)]
    return rank_correlation(*apart)
