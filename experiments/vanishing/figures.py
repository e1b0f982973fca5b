"""Figures and tables of the vanishing gradients, from their part of a record; a scale may leave arms out."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from fgan import figures
from fgan.tables import labels, number

EPOCHS = {"epoch1": "1 epoch", "epoch10": "10 epochs", "epoch25": "25 epochs"}
GAMES = {
    "optimal": "20 steps of V,\nslow G",
    "one_step": "1 step of V,\nslow G",
    "optimal_fast": "20 steps of V,\nG as before",
}
LOW, HIGH = -12.0, 12.0  # decades beyond which a gradient runs along the edge of its panel


def chosen(part, names):
    """Those of some arms that this part has, in their order."""
    return [name for name in names if name in part.arms]


def path(part, arm, name, metric):
    """(steps, {median, lower quartile, upper quartile over seeds}) of a history of the saddle objective's runs."""
    found = {}
    for word in ("median", "lower quartile", "upper quartile"):
        rows = part.history(f"{metric} [{word}]")
        rows = rows[(rows.arm == arm) & (rows.divergence == name) & (rows.objective == "saddle")].sort_values("step")
        found[word] = rows.value.to_numpy()
    return rows.step.to_numpy(), found


def exact(part, name, metric):
    """A number that needed no training."""
    rows = part.baselines(metric)
    return float(rows[rows.divergence == name].value.iloc[0])


def mean(part, arm, name, metric):
    """Mean over seeds of a judged metric; a dash where the arm or the divergence was not trained."""
    rows = part.final(metric, arm)
    return number(float(rows[(rows.divergence == name) & (rows.objective == "saddle")].value.mean()), 2)


def decades(values):
    """log10 of norms, cut off at the edges of a panel; what is undefined lies at the upper one."""
    with np.errstate(divide="ignore"):
        return np.clip(np.nan_to_num(np.log10(np.asarray(values, float)), nan=HIGH), LOW, HIGH)


def label_decades(axis, low=LOW, high=HIGH, every=4):
    ticks = np.arange(low, high + 1, every)
    axis.set_yticks(ticks, [f"$10^{{{tick:.0f}}}$" for tick in ticks])
    axis.set_ylim(low - 0.3, high + 0.3)


def figure_training(part):
    arms, colours = chosen(part, EPOCHS), figures.palette(part.divergences)
    bounded = [name for name in colours if np.isfinite(exact(part, name, "limit of F"))]
    panels = [("fresh F", r"sup F $-$ F"), ("accuracy", "accuracy of V"), ("gradient saddle", "gradient, saddle"),
              ("gradient alternative", "gradient, alternative")]  # fmt: skip
    figure, axes = plt.subplots(
        4, len(arms), figsize=(figures.WIDTH, 6.6), sharex="col", sharey="row", squeeze=False,
        gridspec_kw={"height_ratios": [1, 0.75, 1.5, 1.5]},
    )  # fmt: skip
    for column, arm in zip(axes.T, arms, strict=True):
        for axis, (metric, label) in zip(column, panels, strict=True):
            for name in bounded if metric == "fresh F" else colours:
                steps, found = path(part, arm, name, metric)
                if metric == "fresh F":
                    limit = exact(part, name, "limit of F")
                    found = {word: np.clip(limit - values, 1e-7, None) for word, values in found.items()}
                elif metric != "accuracy":
                    found = {word: decades(values) for word, values in found.items()}
                band = found["lower quartile"], found["upper quartile"]
                axis.fill_between(steps, *band, color=colours[name], alpha=0.2, lw=0)
                axis.plot(steps, found["median"], color=colours[name], lw=1.2)
            if axis is column[0]:
                axis.set_yscale("log")
                axis.set_title(EPOCHS[arm])
            elif metric == "accuracy":
                axis.set_ylim(0.45, 1.02)
            else:
                label_decades(axis, low=LOW if metric == "gradient saddle" else -4.0)
            if arm == arms[0]:
                axis.set_ylabel(label)
    figure.supxlabel("steps of V", fontsize=8)
    handles = [plt.Line2D([], [], color=colour, lw=1.4) for colour in colours.values()]
    labels = [part.divergences[name]["label"] for name in colours]
    figure.legend(handles, labels, loc="outside upper center", ncols=min(6, len(labels)))
    return figure


def curves(part, objective):
    """Small multiples by divergence: gradients against the separation of two Gaussians."""
    d = part.design["settings"]["measure"]["separations"]
    row = list(figures.OBJECTIVES).index(objective)
    styles = {"exact": ("black", "-"), "shrunk": ("#6b6b6b", "-."), "batch": (figures.OBJECTIVES["saddle"], "-"),
              "noisy": (figures.OBJECTIVES["alternative"], "-")}  # fmt: skip
    figure, axes = plt.subplots(3, 4, figsize=(figures.WIDTH, 4.9), sharex=True, sharey=True)
    for axis in axes.flat[len(labels()) :]:
        axis.set_axis_off()
    for index, (axis, label) in enumerate(zip(axes.flat, labels().values(), strict=False)):
        for way, (colour, style) in styles.items():
            lines = {
                word: np.clip(part.samples[f"curve/{way}{word}"][index, row].astype(float), LOW, HIGH)
                for word in ("", " lower", " upper")
                if f"curve/{way}{word}" in part.samples
            }
            if len(lines) > 1:
                axis.fill_between(d, lines[" lower"], lines[" upper"], color=colour, alpha=0.2, lw=0)
            axis.plot(d, lines[""], color=colour, ls=style, lw=1.3)
        label_decades(axis)
        axis.set_title(label)
        axis.set_xticks([2, 4, 6, 8, 10])
    figure.supxlabel("separation d", fontsize=8)
    figure.supylabel(f"gradient, {objective}", fontsize=8)
    handles = [plt.Line2D([], [], color=colour, ls=style, lw=1.4) for colour, style in styles.values()]
    names = ["exact", "V a tenth too flat", "batch of 1,024", "batch, classifier off by .001"]
    figure.legend(handles, names, loc="outside upper center", ncols=4)
    return figure


def figure_separation(part):
    return curves(part, "saddle")


def figure_alternative(part):
    return curves(part, "alternative")


def figure_learnt(part):
    arms = chosen(part, GAMES)
    names = [name for name in part.divergences if any(name in part.arms[arm]["divergences"] for arm in arms)]
    figure, axes = plt.subplots(1, len(names), figsize=(figures.WIDTH, 2.1), sharey=True, squeeze=False)
    rows = part.final("learnt")
    for axis, name in zip(axes.flat, names, strict=True):
        for offset, (objective, colour) in zip((0.17, -0.17), figures.OBJECTIVES.items(), strict=True):
            own = rows[(rows.divergence == name) & (rows.objective == objective)]
            figures.dots(axis, range(len(arms)), [own[own.arm == arm].value for arm in arms[::-1]], colour, offset)
        axis.axvline(0, color=figures.GREY, lw=0.8, zorder=0)
        axis.set_title(part.divergences[name]["label"])
        axis.set_yticks(range(len(arms)), [GAMES[arm] for arm in arms[::-1]])
        axis.set_ylim(-0.5, len(arms) - 0.5)
        axis.grid(axis="y", lw=0.3, color="#e5e5e5")
    figure.supxlabel("part of the energy distance that is lost", fontsize=8)
    handles = [plt.Line2D([], [], ls="", marker="o", ms=3, color=c) for c in figures.OBJECTIVES.values()]
    figure.legend(handles, list(figures.OBJECTIVES), loc="outside upper center", ncols=2)
    return figure


def table_published(part):
    frame = pd.read_csv(Path("paper", "published", "arjovsky_bottou_figures.csv"))
    ours = {"D cross-entropy": "fresh F", "D accuracy": "accuracy", "||grad_theta|| original cost": "gradient saddle",
            "||grad_theta|| -log D cost": "gradient alternative"}  # fmt: skip
    labels = {"fresh F": "$-F$", "accuracy": "accuracy", "gradient saddle": "gradient, saddle",
              "gradient alternative": "gradient, alternative"}  # fmt: skip
    rows = []
    for row in frame.itertuples():
        metric, arm = ours[row.quantity], f"epoch{row.generator_trained_epochs}"
        found = ["--", "--"]
        if arm in part.arms and "gan" in part.arms[arm]["divergences"]:
            values = path(part, arm, "gan", metric)[1]["median"] * (-1 if metric == "fresh F" else 1)
            found = [number(float(values[place]), 2) for place in (0, -1)]
        # What is read off a plot is approximate: the sign says so once, in the caption.
        start, end = (str(text).replace("~", "") for text in (row.start, row.end))
        rows.append({
            "Quantity": labels[metric], "epochs of G": str(row.generator_trained_epochs), "published: start": start,
            "published: end": end.split(" (")[0], "ours: start": found[0], "ours: end": found[1],
        })  # fmt: skip
    table = pd.DataFrame(rows)
    table.attrs["rules_after"] = tuple(
        i for i in range(len(rows) - 1) if rows[i]["Quantity"] != rows[i + 1]["Quantity"]
    )
    return table


def table_divergences(part):
    arm, rows = chosen(part, ("epoch10", "epoch1"))[0], []
    for name, label in labels().items():
        row = {"Divergence": label, "limit of $F$": number(exact(part, name, "limit of F"))}
        for objective in figures.OBJECTIVES:
            row[f"$k$: {objective}"] = number(exact(part, name, f"exponent {objective}"), 2)
        for objective in figures.OBJECTIVES:
            row[f"{objective}: exact"] = number(exact(part, name, f"{objective} exact at 8"), 2)
            row[f"{objective}: batch"] = number(exact(part, name, f"{objective} batch at 8"), 2)
        row |= {f"{o}: change in training": mean(part, arm, name, f"{o} change") for o in figures.OBJECTIVES}
        rows.append(row)
    return pd.DataFrame(rows)


def table_overlap(part):
    rows = []
    for name, label in labels().items():
        row = {"Divergence": label}
        row |= {f"$c={c}$": number(exact(part, name, f"uniform D_f at {c}")) for c in ("0.25", "0.75", "2")}
        row["slope, $c<1$"] = number(exact(part, name, "uniform slope together"))
        row["slope, $c>1$"] = number(exact(part, name, "uniform slope apart"))
        rows.append(row)
    return pd.DataFrame(rows)
