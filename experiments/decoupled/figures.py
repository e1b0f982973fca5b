"""Figures, tables and statistics of the decoupled game, from its part of a record.

Rows of every matrix are f, which V ascends; columns are h, which G descends. GAN stands for JS, its twin.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from fgan.report import converged, figures
from fgan.report.printed import number, plus_minus
from fgan.report.statistics import t_interval

from . import shares

SYMBOLS = {"mu": r"mean $\mu$", "sigma": r"standard deviation $\sigma$"}
MODES = {"ring": 8, "grid": 25}  # of the targets that the model can fit
WITHIN = 0.1  # of the optimum, as in the experiment on that mixture


def names(part, arm):
    """The divergences of an arm, by where the exact optimum of each lies, without GAN's twin."""
    every = [name for name in part.arms[arm]["divergences"] if name != "jensen_shannon"]
    return sorted(every, key=lambda name: part.baseline("mu", "exact optimum", name))


def outcome(part, arm, metric):
    """Judged values [seeds, f, h] of an arm on the seeds that every f has, NaN for a run that failed or was lost.

    A count of modes is NaN too for a run that has not converged.
    """
    every, rows = names(part, arm), part.final(arm=arm)
    seeds = rows.groupby("divergence").seed.nunique().min()
    columns = pd.MultiIndex.from_product([range(seeds), every, every])
    values, failed, lost, ended = (
        rows[rows.metric == name].set_index(["seed", "divergence", "objective"]).value.reindex(columns).to_numpy()
        for name in (metric, "failed", "lost", "converged")
    )
    there = (failed == 0) & (lost != 1)  # on the ring and the grid no run is said to be lost
    there &= (ended == 1) | (metric not in converged.COUNTS)
    return np.where(there, values, np.nan).reshape(-1, len(every), len(every))


def predicted(part, arm, metric):
    """The exact optimum of each divergence of an arm [n]."""
    return np.array([part.baseline(metric, "exact optimum", name) for name in names(part, arm)])


def share(part, arm, metric, effect, minus=None):
    """(mean, low, high, seeds) of an effect's share of an outcome's variance, less that of the effect `minus`."""
    each = [shares.shares(y) for y in outcome(part, arm, metric)] if arm in part.arms else []
    return over_seeds([one[effect] - (one[minus] if minus else 0) for one in each])


def slope(part, metric, effect):
    """(mean, low, high, seeds) of the slope of the fitted parameter on the optimum of D_h, or of D_f."""
    best = predicted(part, "mixture", metric)
    each = [shares.slopes(y, best)[effect] for y in outcome(part, "mixture", f"mean {metric}")]
    return over_seeds(each)


def over_seeds(values):
    """(mean, low, high, seeds) of the seeds that have a value."""
    return *t_interval(values), int(np.isfinite(values).sum())


def statistic_mu_by_h(part):
    return share(part, "mixture", "mean mu", "h")


def statistic_mu_by_f(part):
    return share(part, "mixture", "mean mu", "f")


def statistic_sigma_by_h(part):
    return share(part, "mixture", "mean sigma", "h")


def statistic_sigma_by_f(part):
    return share(part, "mixture", "mean sigma", "f")


def statistic_slope_of_mu_on_h(part):
    return slope(part, "mu", "h")


def statistic_slope_of_mu_on_f(part):
    return slope(part, "mu", "f")


def near(part, metric, descended):
    """Share of the pairs with f other than h, for each seed, that end near the optimum of D_h, or of D_f.

    A run that failed or was lost ends near none.
    """
    best, y = predicted(part, "mixture", metric), outcome(part, "mixture", f"mean {metric}")
    pairs, optimum = ~np.eye(len(best), dtype=bool), best if descended == "h" else best[:, None]
    return [(np.abs(one - optimum) <= WITHIN)[pairs].mean() for one in y]


def statistic_pairs_near_h(part):
    return over_seeds(near(part, "mu", "h"))


def rather(part, arm):
    """How much more of the variance of the modes covered h explains than f does, and the runs that did not converge."""
    every = names(part, arm) if arm in part.arms else []
    return *share(part, arm, "modes", "h", minus="f"), converged.unconverged(part, [arm], every, every)


def statistic_ring_by_h_rather_than_f(part):
    return rather(part, "ring")


def statistic_grid_by_h_rather_than_f(part):
    return rather(part, "grid")


def matrix(axis, cells, limits, form, below=None, right=None):
    """Cells [f, h] with their numbers, grey where there is none; beside them, apart, a row below and a column right."""
    n, size = len(cells), 7 if len(cells) <= 6 else 5
    picture = np.full((n, n) if below is None else (n + 2, n + 2), np.nan)
    picture[:n, :n] = cells
    if below is not None:
        picture[-1, :n], picture[:n, -1] = below, right
    axis.imshow(np.clip(picture, *limits), cmap="viridis", vmin=limits[0], vmax=limits[1])
    missing = np.where(np.isfinite(cells), np.nan, 1.0)
    axis.imshow(missing, cmap="Greys", vmin=0, vmax=4, extent=(-0.5, n - 0.5, n - 0.5, -0.5))
    axis.set(xlim=(-0.5, len(picture) - 0.5), ylim=(len(picture) - 0.5, -0.5))
    for (row, column), value in np.ndenumerate(picture):
        if np.isfinite(value):
            colour = "white" if value < sum(limits) / 2 else "black"
            axis.text(column, row, f"{value:{form}}", ha="center", va="center", fontsize=size, color=colour)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)


def labelled(axis, part, every, apart=()):
    """Names the rows and columns of a matrix; `apart` are the names of the row below and of the column right."""
    places = [*range(len(every)), *(len(every) + 1 for _ in apart[:1])]
    labels = [part.labels[name] for name in every]
    size = 7 if len(every) <= 6 else 6
    axis.set_yticks(places, [*labels, *apart[:1]], fontsize=size)
    axis.set_xticks(places, [*labels, *apart[1:]], rotation=90, fontsize=size)
    axis.set_xlabel("h, which G descends")


def mean(y):
    """Mean over the seeds [seeds, f, h] that finished, NaN where none did."""
    counts = np.isfinite(y).sum(axis=0)
    return np.where(counts > 0, np.nansum(y, axis=0) / np.maximum(counts, 1), np.nan)


def figure_fitted(part):
    every = names(part, "mixture")
    figure, axes = plt.subplots(1, 2, figsize=(figures.WIDTH, 2.9 if len(every) <= 6 else 3.9), sharey=True)
    for axis, (metric, symbol) in zip(axes, SYMBOLS.items(), strict=True):
        best = predicted(part, "mixture", metric)
        matrix(axis, mean(outcome(part, "mixture", f"mean {metric}")), (best.min(), best.max()), ".2f", best, best)
        labelled(axis, part, every, apart=("optimum of $D_h$", "optimum of $D_f$"))
        axis.set_title(f"fitted {symbol}")
    axes[0].set_ylabel("f, which V ascends")
    return figure


def figure_modes(part):
    arms = [arm for arm in MODES if arm in part.arms]
    figure, axes = figures.panels(
        2, 2.4 if max(len(names(part, arm)) for arm in arms) <= 6 else 3.3, columns=2, top=0.3
    )
    for axis in axes[len(arms) :]:  # one alone would be as large as two
        axis.set_axis_off()
    for axis, arm in zip(axes, arms, strict=False):
        matrix(axis, mean(outcome(part, arm, "modes")), (0, MODES[arm]), ".2g")
        labelled(axis, part, names(part, arm))
        axis.set_title(f"modes covered of the {arm}, of {MODES[arm]}")
    axes[0].set_ylabel("f, which V ascends")
    return figure


def shown(values):
    """Mean over seeds and half-width of its interval as text."""
    return plus_minus(*t_interval(values), digits=2)


def table_shares(part):
    outcomes = {("mixture", f"mean {metric}"): f"mixture, {symbol}" for metric, symbol in SYMBOLS.items()}
    for arm in MODES:
        outcomes |= {(arm, "modes"): f"{arm}, modes", (arm, "high_quality"): f"{arm}, share of high quality"}
    rows = []
    for (arm, metric), label in outcomes.items():
        if arm not in part.arms:
            continue
        y = outcome(part, arm, metric)
        each = [shares.shares(one) for one in y]
        row = {"Outcome": label, "pairs": str(y[0].size), "seeds": str(len(y))}
        row |= {effect: shown([one[effect] for one in each]) for effect in shares.EFFECTS}
        rows.append(row | {"left out": f"{np.isnan(y).sum()} of {y.size}"})
    return pd.DataFrame(rows)


def table_slopes(part):
    rows = []
    for metric, symbol in SYMBOLS.items():
        best, y = predicted(part, "mixture", metric), outcome(part, "mixture", f"mean {metric}")
        each = [shares.slopes(one, best) for one in y]
        row = {"Fitted": symbol} | {f"slope on the optimum of $D_{e}$": shown([s[e] for s in each]) for e in "hf"}
        for e in "hf":
            row[f"within {number(WITHIN, 1)} of that of $D_{e}$"] = shown(near(part, metric, e))
        rows.append(row)
    return pd.DataFrame(rows)
