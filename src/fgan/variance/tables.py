"""Outcomes [divergences, settings, seeds] of a part: equal budgets, chosen on some seeds and judged on the others.

Reads from a part the arms that have a generator network: each an activation with rates of G and V. Every seed that the
measure's `tuning` divides tunes and is judged nowhere; `untuned` names the arm (activation_untuned) that is common.
"""

import numpy as np
import pandas as pd

from fgan.variance import statistics as variance


def settings(part):
    """{arm: (activation, ratio of G's rate to V's, V's rate)} of the arms whose generator is a network."""
    found = {}
    for arm, own in part.arms.items():
        if "generator" in own:
            rates = own["optimiser"]
            ratio = rates["generator"] / rates["variational"]
            found[arm] = (own["variational"]["activation"], round(ratio, 2), rates["variational"])
    return found


def activations(part):
    """The activations of the arms, in their order."""
    return list(dict.fromkeys(activation for activation, *_ in settings(part).values()))


def entries(part, objectives):
    """(divergence, objective) of the arms, twins once: JS is GAN, and total variation has one objective."""
    return [
        (name, objective)
        for objective in objectives
        for name in part.divergences
        if name != "jensen_shannon" and (name, objective) != ("total_variation", "alternative")
    ]


def label(part, name, objective):
    """A divergence, with the one that its alternative objective descends."""
    info = part.divergences[name]
    return info["label"] if objective == "saddle" else rf"{info['label']} alt. $\to$ {info['effective']}"


def outcomes(part, objectives, metric="modes"):
    """Judged values [entries, arms, seeds] of the arms, NaN where a run is missing."""
    arms, rows = list(settings(part)), part.final(metric)
    rows = rows[rows.arm.isin(arms)]
    columns = pd.MultiIndex.from_product([arms, range(int(rows.seed.max()) + 1 if len(rows) else 1)])
    wanted = pd.MultiIndex.from_tuples(entries(part, objectives))
    table = rows.pivot(index=["divergence", "objective"], columns=["arm", "seed"], values="value")
    return table.reindex(index=wanted, columns=columns).to_numpy().reshape(len(wanted), len(arms), -1)


def chosen(part, scope, objectives):
    """Arm of each entry and activation [entries, activations]: the common one, or the best on the tuning seeds.

    Best by the mean of modes covered, then by the mean share of high-quality samples, then the first.
    """
    arms, kinds = list(settings(part)), activations(part)
    modes, quality = (np.nan_to_num(outcomes(part, objectives, m)) for m in ("modes", "high_quality"))
    tuning = np.arange(modes.shape[2]) % part.design["settings"]["measure"]["tuning"] == 0
    score = modes[:, :, tuning].mean(2) + 1e-3 * quality[:, :, tuning].mean(2)
    picked = np.zeros((len(modes), len(kinds)), int)
    for column, activation in enumerate(kinds):
        own = np.array([i for i, arm in enumerate(arms) if arm.startswith(f"{activation}_")])
        common = f"{activation}_{part.design['settings']['measure']['untuned']}"
        picked[:, column] = arms.index(common) if scope == "untuned" else own[score[:, own].argmax(1)]
    return picked


def evaluated(part, scope, objectives, failed=True):
    """Modes covered [entries, blocks, seeds] by the seeds that tune nothing; `failed` runs as they are, or NaN.

    A block is a setting that all entries share: an activation, or on the whole grid an arm.
    """
    modes = outcomes(part, objectives)
    if not failed:
        modes = np.where(outcomes(part, objectives, "failed") == 1, np.nan, modes)
    modes = modes[:, :, np.arange(modes.shape[2]) % part.design["settings"]["measure"]["tuning"] > 0]
    if scope == "grid":
        return modes
    return np.take_along_axis(modes, chosen(part, scope, objectives)[:, :, None], axis=1)


def share(part, scope, objectives, effect, failed=True, factors=None):
    """(estimate, low, high) of one effect's share of the variance of modes covered."""

    def one(y, weights):
        return variance.shares(y, weights, factors)[effect]

    return variance.interval(evaluated(part, scope, objectives, failed), one)


def contrast(part, scope, first, second):
    """(estimate, low, high) of the share of one effect less that of another: saddle objective, all runs."""

    def difference(y, weights):
        found = variance.shares(y, weights)
        return found[first] - found[second]

    return variance.interval(evaluated(part, scope, ["saddle"]), difference)


def advantage(part, objective):
    """The most modes that a tuned divergence has more than GAN under every activation, with the same objective."""
    gan = entries(part, [objective]).index(("gan", objective))

    def most(y, weights):
        means = variance.means(y, weights)
        return float(np.delete(means - means[gan], gan, axis=0).min(axis=1).max())

    return variance.interval(evaluated(part, "tuned", [objective]), most)


def worst_over_best(part):
    """Modes of the worst divergence when tuned, less those of the best one when not (saddle)."""
    y = np.concatenate([evaluated(part, scope, ["saddle"]) for scope in ("tuned", "untuned")])

    def gain(y, weights):
        tuned, untuned = np.split(variance.means(y, weights).mean(axis=1), 2)
        return float(tuned.min() - untuned.max())

    return variance.interval(y, gain)
