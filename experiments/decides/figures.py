"""Figures, tables and statistics of the question whether the divergence decides, from its part of a record."""

import math
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from fgan import figures
from fgan.tables import number, over_seeds
from fgan.variance import statistics as variance
from fgan.variance import tables as tuning

COLOURS = {"tanh": "#6a4c93", "relu": "#2a9d8f"}
EFFECTS = {"divergence": "divergence", "block": "settings", "interaction": "both together", "seed": "seed and rest"}
SCOPES = {"untuned": "common setting", "tuned": "tuned", "grid": "whole grid"}
OBJECTIVES = {"saddle": ("saddle",), "alternative": ("alternative",), "both": ("saddle", "alternative")}


def statistic_divergence_over_seeds_untuned(part):
    return tuning.contrast(part, "untuned", "divergence", "seed")


def statistic_divergence_over_seeds_tuned(part):
    return tuning.contrast(part, "tuned", "divergence", "seed")


def statistic_divergence_over_seeds_grid(part):
    return tuning.contrast(part, "grid", "divergence", "seed")


def statistic_settings_over_divergence(part):
    return tuning.contrast(part, "grid", "block", "divergence")


def statistic_advantage_over_gan_saddle(part):
    return tuning.advantage(part, "saddle")


def statistic_advantage_over_gan_alternative(part):
    return tuning.advantage(part, "alternative")


def statistic_worst_tuned_over_best_untuned(part):
    return tuning.worst_over_best(part)


def exact(part, name, metric):
    """The exact optimum of a divergence."""
    rows = part.baselines(f"exact {metric}")
    return float(rows[rows.divergence == name].value.iloc[0])


def learned(part, name, metric):
    """Judged values of the Gaussian over seeds."""
    rows = part.final(f"mean {metric}", "gaussian")
    return rows[rows.divergence == name].sort_values("seed").value.to_numpy()


def outlines(axis, mu, covariance, widths=(1, 2), **style):
    """A Gaussian's mean and its ellipses of so many standard deviations; nothing where it is no distribution."""
    if not np.isfinite([*mu, *np.ravel(covariance)]).all():
        return
    turn = np.linspace(0, 2 * math.pi, 200)
    values, vectors = np.linalg.eigh(covariance)
    line = vectors * np.sqrt(values.clip(0)) @ np.stack([np.cos(turn), np.sin(turn)])
    for width in widths:
        axis.plot(*(np.asarray(mu)[:, None] + width * line), **style)
    axis.plot(*mu, ".", ms=3, color=style["color"])


def models(part, name, values):
    """(mu, C) of a divergence, one for each value of `values(part, name, parameter)`."""
    found = (np.atleast_1d(values(part, name, key)) for key in ("mu_1", "mu_2", "C_11", "C_12", "C_22"))
    return [((m_1, m_2), [[a, b], [b, c]]) for m_1, m_2, a, b, c in zip(*found, strict=True)]


def figure_ellipses(part):
    names, fitted = list(part.divergences), part.design["settings"]["measure"]["fitted"]
    columns, rows = min(4, len(names)), -(-len(names) // 4)
    figure, axes = plt.subplots(rows, columns, figsize=(figures.WIDTH, 1.75 * rows + 0.35), squeeze=False)
    x, y = np.meshgrid(np.linspace(-5.5, 5.5, 221), np.linspace(-4.5, 6, 211))
    density = sum(
        w / (2 * math.pi * v) * np.exp(-((x - m[0]) ** 2 + (y - m[1]) ** 2) / (2 * v))
        for w, m, v in zip(fitted["weights"], fitted["means"], fitted["variances"], strict=True)
    )
    mean, sd = part.arms["gaussian"]["start"]
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, name in zip(axes.flat, names, strict=False):
        axis.contourf(x, y, density**0.5, levels=np.linspace(0.03, 0.39, 10), cmap="Greys", vmin=0, vmax=0.7)
        outlines(axis, [mean] * 2, sd**2 * np.eye(2), ls=":", lw=0.7, color=figures.GREY)
        for model in models(part, name, learned):
            outlines(axis, *model, color=figures.OBJECTIVES["saddle"], lw=0.8, alpha=0.6)
        for model in models(part, name, exact):
            outlines(axis, *model, color="black", lw=0.9, ls="--")
        others = [part.baselines(f"other mu_{k}") for k in (1, 2)]
        axis.plot(*(rows[rows.divergence == name].value for rows in others), "x", ms=3.5, mew=0.9, color="#9b2226")
        axis.set(xlim=(-4.7, 4.7), ylim=(-4.3, 5.1), aspect="equal")
        axis.set_title(part.divergences[name]["label"], fontsize=8, pad=2)
    styles = {"learned": {"color": figures.OBJECTIVES["saddle"]}, "exact optimum": {"color": "black", "ls": "--"},
              "start": {"color": figures.GREY, "ls": ":"},
              "other local minimum": {"color": "#9b2226", "ls": "", "marker": "x", "ms": 4}}  # fmt: skip
    handles = [plt.Line2D([], [], **style) for style in styles.values()]
    figure.legend(handles, list(styles), loc="outside upper center", ncols=4)
    return figure


def figure_modes(part):
    rows, arms = tuning.entries(part, OBJECTIVES["both"])[::-1], tuning.settings(part)
    positions = np.arange(len(rows))
    figure, axes = plt.subplots(1, 3, figsize=(figures.WIDTH, 0.19 * len(rows) + 1.1), sharey=True)
    for axis, (scope, title) in zip(axes, SCOPES.items(), strict=True):
        modes = tuning.evaluated(part, scope, OBJECTIVES["both"])[::-1]
        blocks = [a for a, *_ in arms.values()] if scope == "grid" else tuning.activations(part)
        for block, activation in enumerate(blocks if modes.shape[2] else []):  # no seed, nothing to lay out
            offset = 0.2 if activation == "tanh" else -0.2
            if scope != "grid":
                figures.dots(axis, positions, modes[:, block], COLOURS[activation], offset, spread=0.12)
                continue
            means = variance.means(modes, None)[:, block]
            fill = COLOURS[activation] if list(arms.values())[block][1] < 1 else "none"
            axis.plot(means, positions + offset, "o", ms=3.5, mew=0.8, mec=COLOURS[activation], mfc=fill, clip_on=False)
        axis.set(xlim=(-0.3, 8.3), ylim=(-0.6, len(rows) - 0.4), xticks=[0, 4, 8], title=title)
        axis.set_yticks(positions, [tuning.label(part, *row) for row in rows], fontsize=6)
        axis.grid(axis="y", lw=0.3, color="#e5e5e5")
    figure.supxlabel("modes covered", fontsize=8)
    handles = [plt.Line2D([], [], ls="", marker="o", ms=3.5, color=colour) for colour in COLOURS.values()]
    figure.legend(handles, list(COLOURS), loc="outside upper center", ncols=2)
    return figure


def figure_shares(part):
    figure, axes = plt.subplots(1, 3, figsize=(figures.WIDTH, 2.3), sharey=True, sharex=True)
    colours = dict(zip(OBJECTIVES, [*figures.OBJECTIVES.values(), figures.GREY], strict=True))
    for axis, (scope, title) in zip(axes, SCOPES.items(), strict=True):
        for shift, (objectives, colour) in zip((0.24, 0.0, -0.24), colours.items(), strict=True):
            for place, effect in enumerate(list(EFFECTS)[::-1]):
                estimate, low, high = tuning.share(part, scope, OBJECTIVES[objectives], effect)
                axis.barh(place + shift, np.nan_to_num(estimate), height=0.2, color=colour, alpha=0.75)
                if np.isfinite([low, high]).all():
                    axis.plot([low, high], [place + shift] * 2, color="black", lw=0.9)
        axis.axvline(0, color="black", lw=0.6)
        axis.set(title=title, xlabel="share of variance", xlim=(-0.15, 1.05))
        axis.set_yticks(range(len(EFFECTS)), list(EFFECTS.values())[::-1])
    handles = [plt.Line2D([], [], lw=4, color=colour) for colour in colours.values()]
    figure.legend(handles, list(colours), loc="outside upper center", ncols=3)
    return figure


def bracket(estimate, low, high):
    """A share with its interval as text."""
    return number(estimate, 2) + (f" [{number(low, 2)}, {number(high, 2)}]" if math.isfinite(high - low) else "")


def table_shares(part):
    rows = []
    for scope, title in SCOPES.items():
        for objectives in OBJECTIVES:
            for failed in (True, False):
                y = tuning.evaluated(part, scope, OBJECTIVES[objectives], failed)
                found = variance.shares(y)
                row = {"Settings": title, "objective": objectives, "failed runs": "counted" if failed else "left out"}
                row["runs"] = f"{np.isfinite(y).sum()}"
                row["divergence"] = bracket(*tuning.share(part, scope, OBJECTIVES[objectives], "divergence", failed))
                row |= {title: number(found[effect], 2) for effect, title in list(EFFECTS.items())[1:]}
                rows.append(row | {"p": number(variance.permutation(y), 2)})
    frame = pd.DataFrame(rows)
    frame.attrs["rules_after"] = (5, 11)
    return frame


def table_factors(part):
    factors = dict(zip(("activation", "ratio of rates", "rate of V"), zip(*tuning.settings(part).values(), strict=True),
                       strict=True))  # fmt: skip
    rows = []
    for name, chosen in OBJECTIVES.items():
        row = {"Objective": name}
        for effect in ("divergence", "block", *factors):
            row[EFFECTS.get(effect, effect)] = bracket(*tuning.share(part, "grid", chosen, effect, factors=factors))
        rows.append(row)
    return pd.DataFrame(rows)


def table_tuned(part):
    arms, objectives = tuning.settings(part), OBJECTIVES["both"]
    picked = tuning.chosen(part, "tuned", objectives)
    modes = {scope: tuning.evaluated(part, scope, objectives) for scope in ("tuned", "untuned")}
    rows = []
    for i, entry in enumerate(tuning.entries(part, objectives)):
        row = {"Divergence": tuning.label(part, *entry)}
        for column, activation in enumerate(tuning.activations(part)):
            _, ratio, rate = arms[list(arms)[picked[i, column]]]
            row[f"{activation}: chosen G/V, V"] = f"{ratio:g}, {number(rate, 1)}"
            for scope, y in modes.items():
                row[f"{activation}: modes, {scope}"] = three(y[i, column])
        rows.append(row)
    return pd.DataFrame(rows)


def three(values):
    """Least, median and most of some counts, a dash where there are none."""
    return ", ".join(f"{f(values):g}" for f in (np.min, np.median, np.max)) if len(values) else "--"


def table_gaussian(part):
    rows = []
    for name, info in part.divergences.items():
        row = {"Divergence": info["label"]}
        for metric in ("width", "distance"):
            row[f"exact {metric}"] = number(exact(part, name, metric))
            row[f"learned {metric}"] = over_seeds(learned(part, name, metric))
        row |= {"least $D_f$": number(exact(part, name, "D")), "learned $D_f$": number(learned(part, name, "D").mean())}
        rows.append(row | {"minima": f"{exact(part, name, 'minima'):g}"})
    return pd.DataFrame(rows)


def table_published(part):
    found = pd.read_csv(Path("paper", "published", "lucic_fid_best.csv"))
    found, sets = found[found.known == "quoted"], ("MNIST", "Fashion", "CIFAR10", "CelebA")
    mean, sd = ({s: found[s + end].astype(str).str.extract(r"^([\d.]+)")[0].astype(float) for s in sets}
                for end in ("", "_sd"))  # fmt: skip
    rows = [
        {"Loss": model} | {s: f"{number(mean[s][i])} $\\pm$ {number(sd[s][i], 2)}" for s in sets}
        for i, model in found.model.items()
    ]
    shares = {s: np.var(mean[s]) / (np.var(mean[s]) + (sd[s] ** 2).mean()) for s in sets}
    return pd.DataFrame([*rows, {"Loss": "share by loss"} | {s: number(v, 2) for s, v in shares.items()}])
