"""What decides an outcome y[f, h]: shares of its variance over the pairs, and slopes on what f and h alone predict.

  y[f, h] = mean + f + h + rest
A share is an effect's sum of squares less the part expected from the rest, over the total (epsilon squared, Kelley
1935): 0 on average without an effect. The rest is what f and h do only together, with a run's own noise. A seed is the
unit: all pairs of a seed share data, noise and start, so each seed has its own shares, and intervals are over seeds.
"""

import numpy as np

EFFECTS = ("h", "f", "neither")


def shares(y):
    """{h, f, neither}: shares of the variance of y [f, h], NaN where a run is missing; they sum to 1."""
    there = np.isfinite(y)
    f, h = np.nonzero(there)
    values = y[there]

    def rest(*factors):
        """(Sum of squares that is left beside the factors, degrees of freedom that they take)."""
        columns = [np.ones((len(values), 1)), *(factor[:, None] == np.unique(factor) for factor in factors)]
        design = np.concatenate(columns, axis=1).astype(float)
        fitted = design @ np.linalg.lstsq(design, values, rcond=None)[0]
        return ((values - fitted) ** 2).sum(), np.linalg.matrix_rank(design)

    if len(values) < 4:
        return dict.fromkeys(EFFECTS, np.nan)
    (total, _), (both, taken) = rest(), rest(f, h)
    if len(values) <= taken or not total > 1e-12 * max((values**2).sum(), 1e-300):
        return dict.fromkeys(EFFECTS, np.nan)
    noise, found = both / (len(values) - taken), {}
    for name, other in (("h", f), ("f", h)):
        left, alone = rest(other)
        found[name] = float((left - both - (taken - alone) * noise) / total)
    return found | {"neither": 1 - found["h"] - found["f"]}


def slopes(y, predicted):
    """{h, f}: slopes of y [f, h] on what is predicted of each divergence [n], as h and as f, in one regression."""
    there = np.isfinite(y)
    f, h = np.nonzero(there)
    design = np.stack([np.ones(len(f)), predicted[h], predicted[f]], axis=1)
    if np.linalg.matrix_rank(design) < 3:
        return dict.fromkeys(("h", "f"), np.nan)
    return dict(zip(("h", "f"), np.linalg.lstsq(design, y[there], rcond=None)[0][1:], strict=True))
