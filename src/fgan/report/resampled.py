"""Metrics from stored samples: exactly where a metric needs no others, else whether it can be that of all samples.

A record keeps some of the samples that a run was measured on. Of n samples of which K lie in a mode, m that are kept
have about m K / n there (hypergeometric), rounded to float16; a value with a chance under 1e-9 is not that of the run.
"""

import numpy as np

CHANCE = 1e-9
HALF = 2.0**-11  # relative error of a float16


def check(part):
    """Lines on metrics that the stored samples of their runs contradict."""
    final = part.final()
    final = final[final.rule == ""].set_index(["arm", "divergence", "objective", "seed", "metric"]).value.sort_index()
    for name, array in part.samples.items():
        kind, *run = name.split("/")
        if len(run) != 4 or kind not in KINDS:
            continue
        arm, divergence, objective, seed = run
        known = final.loc[arm, divergence, objective, int(seed)] if run[0] in part.arms else {}
        for metric in KINDS[kind](part, arm, array.astype(float), known):
            yield f"measurements.parquet or samples.npz: '{metric}' of {'/'.join(run)} is not that of its samples"


def film(part, arm, covered, known):
    """Modes at the end, forgotten, ever covered, won and lost, from which modes [entries, modes] were covered when."""
    covered = covered > 0
    before, after, ever = covered[:-1], covered[1:], covered.any(axis=0)
    found = {"modes": covered[-1], "forgotten": ever & ~covered[-1], "ever covered": ever}
    found |= {"won": after & ~before, "lost": before & ~after}
    return [metric for metric, true in found.items() if metric in known and known[metric] != true.sum()]


def probabilities(part, arm, q, known):
    """Total variation between the stored q and p, to the rounding of float16."""
    if "p" not in part.samples or "TV" not in known:
        return []
    p = np.asarray(part.arms[arm]["target"]["probabilities"], float)
    distance = np.abs(p / p.sum() - q).sum() / 2
    return [] if abs(distance - known["TV"]) <= HALF * (1 + np.abs(q).sum()) else ["TV"]


def points(part, arm, samples, known):
    """Modes and the share of high quality of a mixture, from some of the points that they were counted on."""
    import torch  # takes longer to load than most stages of the report run
    from scipy.stats import hypergeom

    from fgan import targets
    from fgan.metrics import modes

    settings = part.arms[arm]
    measure = settings.get("measure", part.design["settings"].get("measure", {}))
    if not {"modes", "high_quality"} <= {*getattr(known, "index", ())} or not {"samples", "rule"} <= {*measure}:
        return []
    target = targets.of(settings) if targets.module(settings)[1] else None
    means = getattr(target, "means", None)
    if means is None or means.shape[1] != samples.shape[1] or not np.isfinite(samples).all():
        return []
    rule, n, m = modes.RULES[measure["rule"]], measure["samples"], len(samples)
    slack = HALF * np.abs(samples).max() * means.shape[1] ** 0.5
    radii = (rule.radius(target) + end * slack for end in (-1, 1))
    least, most = (modes.counts(torch.tensor(samples)[None], means, radius)[0].numpy() for radius in radii)
    total, needed = round(known["high_quality"] * n), int(np.ceil(rule.least(n, len(means))))
    few = hypergeom.cdf(most.sum(), n, total, m), hypergeom.sf(least.sum() - 1, n, total, m)
    wrong = ["high_quality"] if min(few) < CHANCE else []
    # The modes that are most likely covered (or not): the chance that so many of them are, or that all others are not.
    as_covered = np.sort(hypergeom.cdf(most, n, needed, m))[::-1]
    as_missed = np.sort(hypergeom.sf(least - 1, n, needed - 1, m))[::-1]
    count = int(known["modes"])
    chances = as_covered[:count].prod(), as_missed[: len(means) - count].prod()
    return [*wrong, "modes"] if min(chances) < CHANCE else wrong


KINDS = {"covered": film, "q": probabilities, "samples": points}
