"""Collapse measured from the latent space: the share of pairs of z that give one x, at a stated resolution.

Functions of a stack of runs [runs, ...] return [runs] in float64, for each run the value that it would get alone; nan
for a run that is not finite.
"""

import math

import torch

from fgan.engine.population import seeded


def each(measure, *stacks, shape=()):
    """measure(row of each stack, in float64), of the given shape, for every run: [runs, *shape]."""
    values = stacks[0].new_full((len(stacks[0]), *shape), math.nan, dtype=torch.float64)
    for r, rows in enumerate(zip(*stacks, strict=True)):
        if all(row.isfinite().all() for row in rows):
            # Fresh copies, because bits can depend on how memory is aligned.
            values[r] = measure(*(row.to(torch.float64, copy=True) for row in rows))
    return values


def noise(population, count, purpose):
    """The noise z [runs, count, k] from which `population.sample(count, purpose)` is made."""
    batch = population.settings["batch"]
    generators = [seeded(population.device, stream, purpose) for stream in population.streams]
    batches = [torch.stack([population.noise((batch,), g) for g in generators]) for _ in range(-(-count // batch))]
    return population.spread(torch.cat(batches, dim=1))[: population.n_runs, :count]


def nearest(x):
    """Distance of each sample to its nearest other one [runs, n], for samples [runs, n, d]."""

    def distance(own):
        between = torch.cdist(own, own, compute_mode="donot_use_mm_for_euclid_dist")
        return between.fill_diagonal_(math.inf).amin(1)

    return each(distance, x, shape=x.shape[1:2])


def share(x, radius, z=None):
    """Share of the n (n - 1) / 2 pairs of samples [runs, n, d] that lie within `radius` of each other, [runs].

    An unbiased estimate of P(|x - x'| <= radius), sum_k p_k^2 if the samples are atoms of mass p_k further apart.
    With noise z [runs, n, k], only pairs that lie further apart in z than the median pair count.
    Source: Arora and Zhang 2017 (the birthday paradox), by pairs instead of by batches.
    """

    def close_pairs(own, noise=None):
        close = (torch.nn.functional.pdist(own) <= radius).double()
        if noise is None:
            return close.mean()
        apart = torch.nn.functional.pdist(noise)
        return close[apart > apart.median()].mean()

    return each(close_pairs, x) if z is None else each(close_pairs, x, z)


def closest(x, pairs):
    """The closest disjoint pairs of samples [runs, n, d], nearest first and side by side: [runs, 2 pairs, d]."""
    samples = []
    for own in x.nan_to_num():
        between, members = torch.cdist(own, own).fill_diagonal_(math.inf), []
        for _ in range(pairs):
            pair = list(divmod(int(between.argmin()), len(own)))
            members += pair
            between[pair] = between[:, pair] = math.inf
        samples.append(own[members])
    return torch.stack(samples)


def effective_modes(hits):
    """1 / sum_k p_k^2 by pairs, the equivalent number of equal modes, from counts [runs, modes], [runs].

    sum_k h_k (h_k - 1) / (h (h - 1)) estimates sum_k p_k^2 without bias; infinite if no two samples share a mode.
    """
    hits = hits.double()
    total = hits.sum(1)
    return total * (total - 1) / (hits * (hits - 1)).sum(1)


def birthday(probability):
    """The batch size s at which a collision has probability 1/2 if a pair's is `probability`; any shape.

    s (s - 1) / 2 pairs, nearly independent, collide with 1 - exp(-probability s (s - 1) / 2). For rare collisions
    s^2 = 2 log 2 / probability. Source: Arora and Zhang 2017.
    """
    return 0.5 + (0.25 + 2 * math.log(2) / probability).sqrt()


def distance_correlation(z, x):
    """Spearman's correlation of |z - z'| and |x - x'| over n/2 disjoint pairs of z [runs, n, k] and x [runs, n, d].

    Ties are ranked in the order of the samples.
    """

    def spearman(*distances):
        ranks = [values.argsort(stable=True).argsort(stable=True).double() for values in distances]
        return torch.corrcoef(torch.stack(ranks))[0, 1]

    apart = [torch.linalg.vector_norm((stack[:, 1::2] - stack[:, :-1:2]).double(), dim=-1) for stack in (z, x)]
    return each(spearman, *apart)
