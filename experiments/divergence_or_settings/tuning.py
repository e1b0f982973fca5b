"""Modes covered [entries, settings, seeds] of a part, tuned with equal budgets: some seeds tune, the others judge.

An entry is a divergence with an objective. A setting is an arm with the factors `activation`, `ratio` (G's rate over
V's) and `rate` (V's). Seeds that the measure's `tuning` divides are used for tuning alone; `untuned` names the rates
that are common to all.
"""

import numpy as np
import pandas as pd

from fgan.report import variance


def settings(part):
    """{arm: factors} of the arms whose generator is a network."""
    return {arm: own["factors"] for arm, own in part.arms.items() if own["factors"]}


def activations(part):
    """The activations of the arms, in their order."""
    return list(dict.fromkeys(factors["activation"] for factors in settings(part).values()))


def entries(part, objectives):
    """(divergence, objective) of the arms, twins once: JS is GAN, and total variation has one objective."""
    trained = {objective for arm in settings(part) for objective in part.arms[arm]["objectives"]}
    pairs = [(name, objective) for objective in objectives if objective in trained for name in part.divergences]
    return [pair for pair in pairs if pair[0] != "jensen_shannon" and pair != ("total_variation", "alternative")]


def label(part, name, objective):
    """A divergence, with the one that its alternative objective descends."""
    info = part.divergences[name]
    return info["label"] if objective == "saddle" else rf"{info['label']} alt. $\to$ {info['effective']}"


def outcomes(part, objectives, metric="modes"):
    """Judged values [entries, arms, seeds] of the arms, NaN if a run is missing."""
    arms, rows = list(settings(part)), part.final(metric)
    rows = rows[rows.arm.isin(arms)]
    seeds = max((part.arms[arm]["seeds"] for arm in arms), default=1)
    columns = pd.MultiIndex.from_product([arms, range(seeds)])
    index = pd.MultiIndex.from_tuples(entries(part, objectives))
    table = rows.pivot(index=["divergence", "objective"], columns=["arm", "seed"], values="value")
    return table.reindex(index=index, columns=columns).to_numpy().reshape(len(index), len(arms), -1)


def selection(part, scope, objectives):
    """Arm of each entry and activation [entries, activations]: the common one, or the best on the tuning seeds.

    Best by the mean of modes covered, then by the mean share of high-quality samples, then the first. A run that has
    not converged covers none.
    """
    arms, columns = settings(part), []
    ended = outcomes(part, objectives, "converged")
    modes, quality = (np.nan_to_num(outcomes(part, objectives, m) * ended) for m in ("modes", "high_quality"))
    tunes = np.arange(modes.shape[2]) % part.measure["tuning"] == 0
    score = modes[:, :, tunes].mean(2) + 1e-3 * quality[:, :, tunes].mean(2)
    for activation in activations(part):
        own = [arm for arm, factors in arms.items() if factors["activation"] == activation]
        own = [f"{activation}_{part.measure['untuned']}"] if scope == "untuned" else own
        places = np.array([list(arms).index(arm) for arm in own])
        columns.append(places[score[:, places].argmax(1)])
    return np.stack(columns, axis=1)


def modes_covered(part, scope, objectives, failed=True):
    """Modes covered [entries, blocks, seeds] on the seeds not used for tuning, NaN for a run that has not converged.

    A failed run covers none; without `failed` it is NaN. A block is a setting that all entries share: an activation, or
    on the whole grid an arm.
    """
    ended, died = (outcomes(part, objectives, metric) == 1 for metric in ("converged", "failed"))
    modes = np.where(died, 0.0 if failed else np.nan, np.where(ended, outcomes(part, objectives), np.nan))
    return judging(part, scope, objectives, modes)


def judging(part, scope, objectives, values):
    """Values [entries, arms, seeds] of the seeds not used for tuning, in the blocks of a scope."""
    values = values[:, :, np.arange(values.shape[2]) % part.measure["tuning"] > 0]
    if scope == "grid":
        return values
    return np.take_along_axis(values, selection(part, scope, objectives)[:, :, None], axis=1)


def unconverged(part, scope, objectives):
    """The shares of the runs that judge which have neither converged nor failed, and which cycle."""
    runs = judging(part, scope, objectives, outcomes(part, objectives, "modes"))
    ended, failed, cycles = (
        judging(part, scope, objectives, outcomes(part, objectives, m)) == 1 for m in ("converged", "failed", "cycles")
    )
    there = np.isfinite(runs)
    return tuple(float((there & ~ended & ~failed & kind).sum() / max(there.sum(), 1)) for kind in (True, cycles))


def judges(part):
    """The number of seeds that judge: the fewest of any setting."""
    runs = judging(part, "grid", ["saddle"], outcomes(part, ["saddle"]))
    return int(np.isfinite(runs).any(axis=0).sum(axis=1).min())


def pairing(part, across):
    """(estimate, low, high, seeds) of what pairing by seed takes from the variance of a difference (saddle).

    The difference is one of modes, whatever became of a run, between two `settings` of a divergence or two
    `divergences` in a setting, of the seeds that judge; or one of width between two fitted Gaussians (`gaussians`).
    """
    if across == "gaussians":
        widths = [part.values("mean width", "gaussian", name) for name in ("gan", "kl", "reverse_kl")]
        y = np.stack([values[: min(map(len, widths))] for values in widths])[None]
        return *variance.interval(y, variance.pairing), y.shape[2]
    y = outcomes(part, ["saddle"])
    y = y[:, :, np.arange(y.shape[2]) % part.measure["tuning"] > 0]
    return *variance.interval(y if across == "settings" else y.transpose(1, 0, 2), variance.pairing), judges(part)


def share(part, scope, objectives, effect, minus=None, failed=True, factors=None):
    """(estimate, low, high) of an effect's share of the variance of modes covered, less that of the effect `minus`."""

    def difference(y, weights):
        shares = variance.shares(y, weights, factors)
        return shares[effect] - (shares[minus] if minus else 0)

    return variance.interval(modes_covered(part, scope, objectives, failed), difference)


def advantage(part, objective):
    """The most modes that a tuned divergence has more than GAN under every activation, with the same objective."""
    gan = entries(part, [objective]).index(("gan", objective))

    def most(y, weights):
        means = variance.means(y, weights)
        least = np.delete(means - means[..., gan, None, :], gan, axis=-2).min(axis=-1)
        return np.fmax.reduce(least, axis=-1)  # without a converged run under an activation there is no advantage there

    return variance.interval(modes_covered(part, "tuned", [objective]), most)


def worst_over_best(part):
    """Modes of the worst divergence after tuning, less those of the best one without tuning (saddle)."""
    y = np.concatenate([modes_covered(part, scope, ["saddle"]) for scope in ("tuned", "untuned")])

    def gain(y, weights):
        tuned, untuned = np.split(variance.means(y, weights).mean(axis=-1), 2, axis=-1)
        return tuned.min(axis=-1) - untuned.max(axis=-1)

    return variance.interval(y, gain)
