"""Shares of the variance of an outcome that the divergence, the settings and the seed explain.

An outcome y[d, b, s] has a divergence d, a block b (a setting that all divergences share) and a seed s, which stands
for the same data, noise and initial weights, in every block as far as shapes allow. NaN is a run that is left out.
  y[d, b, s] = mean + divergence_d + block_b + interaction_db + seed_bs + rest_dbs
A share is an effect's sum of squares less the part expected from noise alone, over the total (epsilon squared, Kelley
1935): 0 on average without an effect, so it can be negative. With the seeds' and the rest's, shares sum to 1.
"""

import numpy as np

BOOTSTRAPS, PERMUTATIONS = 400, 999


def shares(y, weights=None, factors=None):
    """{divergence, block, interaction, seed}: shares of the variance of y [divergences, blocks, seeds]; NaN if unknown.

    `weights` [blocks, seeds] say how often each seed counts. `factors` {name: level of each block [blocks]} adds the
    share of each factor of the blocks alone. Blocks are fitted first, the divergences beside them, where y has gaps.
    """
    there = np.isfinite(y)
    w = there * (1.0 if weights is None else weights)
    y = np.where(there, y, 0.0)
    names = ["divergence", "block", "interaction", "seed", *(factors or {})]
    n, sums, total = w.sum(2), (w * y).sum(2), w.sum()
    d, b, cells = (n.sum(1) > 0).sum(), (n.sum(0) > 0).sum(), (n > 0).sum()
    if d < 2 or not total > cells:
        return dict.fromkeys(names, np.nan)
    grand = sums.sum() ** 2 / total
    means = sums / np.maximum(n, 1e-300)
    all_squares = (w * y**2).sum() - grand

    def between(levels):
        """Sum of squares between groups of blocks."""
        groups = [levels == level for level in np.unique(levels)]
        return sum(sums[:, g].sum() ** 2 / max(n[:, g].sum(), 1e-300) for g in groups) - grand

    # The additive model by its normal equations, over divergences and blocks.
    normal = np.block([[np.diag(n.sum(1)), n], [n.T, np.diag(n.sum(0))]])
    right = np.concatenate([sums.sum(1), sums.sum(0)])
    additive = right @ np.linalg.lstsq(normal, right, rcond=None)[0] - grand
    block, within = between(np.arange(y.shape[1])), all_squares - ((n * means**2).sum() - grand)
    # Seeds of a block, after the means of its divergences: the shared part, and the rest that is a run's own.
    per_seed = w.sum(0)
    seed = ((w * (y - means[:, :, None])).sum(0) ** 2 / np.maximum(per_seed, 1e-300)).sum()
    seeds = (np.where(per_seed > 0, 1 if weights is None else weights, 0)).sum() - b
    rest_ms = max(within - seed, 0.0) / max(total - cells - seeds, 1)
    seed_ms = seed / max(seeds, 1)
    effects = {
        "divergence": additive - block - (d - 1) * rest_ms,
        "block": block - (b - 1) * seed_ms,
        "interaction": all_squares - within - additive - (cells - d - b + 1) * rest_ms,
    }
    if not all_squares > 1e-12 * max((w * y**2).sum(), 1e-300):
        return dict.fromkeys(names, np.nan)
    parts = {name: float(value / all_squares) for name, value in effects.items()}
    parts["seed"] = 1 - sum(parts.values())
    for name, levels in (factors or {}).items():
        levels = np.asarray(levels)
        parts[name] = float((between(levels) - (len(np.unique(levels)) - 1) * seed_ms) / all_squares)
    return parts


def means(y, weights=None):
    """Means over the seeds of y [divergences, blocks, seeds], each counted as often as its weight [blocks, seeds]."""
    weights = np.isfinite(y) * (1.0 if weights is None else weights)
    sums, counts = (weights * np.nan_to_num(y)).sum(2), weights.sum(2)
    return np.where(counts > 0, sums / np.maximum(counts, 1e-300), np.nan)


def interval(y, statistic, confidence=0.95, seed=0):
    """(estimate, low, high) of statistic(y, weights): a bootstrap over the seeds, which all blocks share.

    The quantiles are shifted by the bootstrap's own bias: seeds drawn twice make noise look like an effect. Without any
    effect 95 % intervals reach 0 in 91 % of cases with three seeds, in nearly all from eight on: claims need those.
    Infinite ends if a block has fewer than two seeds or a resample leaves the statistic undefined.
    """
    estimate = statistic(y, None)
    there = np.isfinite(y).any(0)
    seeds = there.any(0)
    if not np.isfinite(estimate) or (there.sum(1) < 2).any():
        return float(estimate), -np.inf, np.inf
    generator = np.random.default_rng(seed)
    draws = np.empty(BOOTSTRAPS)
    for k in range(BOOTSTRAPS):
        draws[k] = statistic(y, there * generator.multinomial(seeds.sum(), seeds / seeds.sum()))
    draws = draws[np.isfinite(draws)]
    if len(draws) < BOOTSTRAPS / 2 or np.ptp(draws) == 0:
        return float(estimate), -np.inf, np.inf
    low, high = np.quantile(draws - draws.mean(), [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(estimate), float(estimate + low), float(estimate + high)


def pairing(y, weights=None):
    """Share r of the variance of a difference of two blocks that pairing by seed takes away, of y as in `shares`.

    var(a - b) = 2 v (1 - r), with the mean variance v over seeds and the mean covariance r v of two blocks, over all
    divergences; seeds that lack a run are left out. NaN if no two blocks vary.
    """
    whole = np.isfinite(y).all((0, 1))
    y, w = y[:, :, whole], np.ones(whole.sum()) if weights is None else weights[0, whole]
    off = y - (w * y).sum(2, keepdims=True) / max(w.sum(), 1e-300)
    own, together = (w * off**2).sum(), (w * off.sum(1) ** 2).sum()
    return float((together - own) / ((y.shape[1] - 1) * own)) if own > 0 and y.shape[1] > 1 else np.nan


def permutation(y, seed=0):
    """p of 'the divergences are exchangeable': their labels permuted within each (block, seed), which shares a stream.

    The statistic is the divergences' share; the smallest p is 1 / (PERMUTATIONS + 1).
    """
    observed = shares(y)["divergence"]
    if not np.isfinite(observed):
        return np.nan
    generator = np.random.default_rng(seed)
    count = 0
    for _ in range(PERMUTATIONS):
        order = generator.random(y.shape).argsort(axis=0)
        count += not shares(np.take_along_axis(y, order, axis=0))["divergence"] < observed - 1e-12
    return (count + 1) / (PERMUTATIONS + 1)
