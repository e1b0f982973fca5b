"""Collapse seen from the latent space: how many z share an x, at a resolution and in the map's derivative.

Functions of a stack of runs [runs, ...] return [runs] in float64, for each run what it would get alone; nan for a run
that is not finite.
"""

import math

import torch

from fgan.networks import BatchNorm, Linear
from fgan.population import seeded

EPS = 1e-5  # what torch's batch normalisation adds to a variance
POINTS = 8  # points whose preimages are counted at once: more would not fit a CPU's cache, fewer leave a GPU idle


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


@torch.no_grad()
def jacobian(network, views, z, points):
    """dG/dz [runs, points, k, d] at the first `points` of z [runs, n, k], float64, layer by layer (forward mode).

    What one z moves while the batch's statistics stay, so batch normalisation is an affine map here. For networks of
    linear layers, batch normalisation and elementwise activations.
    """
    x, views = z.double(), iter(views)
    slope = torch.eye(z.shape[-1], dtype=x.dtype, device=x.device).expand(len(z), points, -1, -1)
    for layer in network.layers:
        own = [next(views).double() for _ in layer.shapes]
        if isinstance(layer, Linear):
            x, slope = layer(x, *own), slope @ own[0][:, None]
        elif isinstance(layer, BatchNorm):
            gain = own[0] * (x.var(dim=1, keepdim=True, correction=0) + EPS).rsqrt()
            x, slope = (x - x.mean(dim=1, keepdim=True)) * gain + own[1], slope * gain[:, :, None]
        else:
            with torch.enable_grad():
                before = x.detach().requires_grad_()
                after = layer(before)
                (steepness,) = torch.autograd.grad(after.sum(), before)
            x, slope = after.detach(), slope * steepness[:, :points, None]
    return slope


def singular_values(network, views, z, points):
    """Singular values of dG/dz, largest first, [runs, points, min(k, d)]: as `jacobian`, run by run to save memory."""
    found = []
    for r in range(len(z)):
        slope = jacobian(network, [view[r : r + 1] for view in views], z[r : r + 1], points)
        found.append(each(torch.linalg.svdvals, slope, shape=(points, min(slope.shape[2:]))))
    return torch.cat(found)


def spectrum(values, threshold):
    """Medians over points of three measures of the singular values s_1 >= ... >= s_k of dG/dz [runs, points, k].

    log condition: log10 s_1 / s_k; local rank: share of directions with s_i > threshold s_1; log volume: the mean of
    log10 s_i, by which the map stretches a direction of z. Each [runs]; where s_k is 0 they are infinite.
    """
    logs = values.log10()
    found = {
        "log condition": logs[..., 0] - logs[..., -1],
        "local rank": (values > threshold * values[..., :1])
        .double()
        .mean(2)
        .where(values[..., 0].isfinite(), math.nan),
        "log volume": logs.mean(2),
    }
    return {name: measure.median(dim=1).values for name, measure in found.items()}


def preimages(mesh, x):
    """Mean number of z with G(z) = x over the samples x [runs, n, 2] of a map from the plane to the plane, [runs].

    mesh [runs, m, m, 2] is G on an even grid of z. On each triangle of the grid G is taken as linear: the number is
    that of the triangles whose image holds x, at least 1 because x has a z.
    """

    def number(grid, points):
        a, b, c, d = grid[:-1, :-1], grid[1:, :-1], grid[:-1, 1:], grid[1:, 1:]
        corners = torch.cat([torch.stack(three).flatten(1, 2) for three in ((a, b, c), (d, c, b))], dim=1)
        edges = corners.roll(-1, dims=0) - corners
        counts = []
        for some in points.split(POINTS):
            to = some[:, None, None] - corners
            side = edges[..., 0] * to[..., 1] - edges[..., 1] * to[..., 0]
            counts.append(((side >= 0).all(1) | (side <= 0).all(1)).sum(1))
        return torch.cat(counts).clamp(min=1).double().mean()

    return each(number, mesh, x)
