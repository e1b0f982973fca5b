"""Which runs have ended their training: only such a run covers modes, or has collapsed.

The last part of a history is its last quarter, at least four entries. A value keeps still in it if three quarters of
the entries, and the last one, which is judged, lie near their median: so a spike of the optimiser is no end, and no run
is judged on one.
flat:       modes (within one, or a tenth of the median) and the share of high quality (within .15) keep still
cycles:     not flat, and one of the two both rises and falls by more than twice that
converged:  flat, with at least half of the samples of the last step in a mode, and not failed
"""

import torch

LAST, LEAST = 0.25, 4  # part of the history, and least entries of it, that say whether it is flat
STILL = 0.75  # part of these entries near their median
NEAR = {"watched modes": (1.0, 0.1), "watched high_quality": (0.15, 0.0)}  # absolute, and relative to the median
QUALITY = 0.5  # least share of high-quality samples


def still(values, absolute, relative):
    """Whether values [entries, runs] keep still, and whether they both rise and fall, each bool [runs]."""
    middle = values.quantile(0.5, dim=0)
    near = (relative * middle.abs()).clamp(min=absolute)
    close = (values - middle).abs() <= near
    rise = (values - values.cummin(dim=0).values).amax(dim=0)
    fall = (values.cummax(dim=0).values - values).amax(dim=0)
    return close[-1] & (close.double().mean(dim=0) >= STILL), (rise > 2 * near) & (fall > 2 * near)


def judged(history, metrics):
    """`flat`, `cycles` and `converged` [runs] of runs whose history {name: [entries, runs]} counts modes, else {}.

    `metrics` are those of the last step. A history of under four entries is not flat, and neither is one with a gap.
    """
    if not {*NEAR} <= {*history} or "high_quality" not in metrics:
        return {}
    entries = len(history["watched modes"])
    last = slice(-max(LEAST, int(LAST * entries)), None)
    found = [still(history[name][last].double(), *near) for name, near in NEAR.items()]
    flat = torch.stack([steady for steady, _ in found]).all(dim=0) & (entries >= LEAST)
    cycles = torch.stack([both for _, both in found]).any(dim=0) & ~flat
    return {
        "flat": flat, "cycles": cycles, "converged": flat & (metrics["high_quality"] >= QUALITY) & ~metrics["failed"]
    }  # fmt: skip
