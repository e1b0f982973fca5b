"""Figures and tables of the vanishing gradients, from their part of a record; a scale may leave arms out."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from fgan.report import figures, printed, tables
from fgan.report.printed import number

GAMES = {
    "optimal": "20 steps of V,\nslow G", "one_step": "1 step of V,\nslow G",
    "optimal_fast": "20 steps of V,\nG as before",
}  # fmt: skip
GAMES |= {f"mnist_{arm}": f"MNIST: {label}" for arm, label in GAMES.items()}
WAYS = {  # label and line of each way to the gradient between two Gaussians
    "exact": ("exact", {"color": "black", "ls": "-"}),
    "flat V": ("V a tenth too flat", {"color": "#6b6b6b", "ls": "-."}),
    "batch": ("batch of 1,024", {"color": figures.OBJECTIVES["saddle"], "ls": "-"}),
    "noisy V": ("batch, classifier off by .001", {"color": figures.OBJECTIVES["alternative"], "ls": "-"}),
}
OURS = {  # the published quantity: its name in the table, our metric and rule, and the sign of ours
    "D cross-entropy": ("$-F$", "fresh F", "", -1),
    "D accuracy": ("accuracy", "accuracy", "", 1),
    "norm of the gradient of G (saddle)": ("gradient, saddle", "gradient", "saddle", 1),
    "norm of the gradient of G (alternative)": ("gradient, alternative", "gradient", "alternative", 1),
}
LOW, HIGH = -12.0, 12.0  # decades beyond which a gradient runs along the edge of its panel


def snapshots(part, units="tanh", images="digits"):
    """{epochs: arm} of the arms with fixed generators, by the units of their V and their images."""
    return {
        own["factors"]["epochs"]: arm for arm, own in part.arms.items()
        if own["factors"].get("V", own["variational"]["activation"]) == units  # earlier designs name no factor V
        and own["target"]["kind"] == images and own["optimiser"]["generator"] == 0
    }  # fmt: skip


def families(part):
    """{name: its arms by epochs} of the fixed generators that a part has."""
    every = {
        "tanh units": snapshots(part), "ReLU units": snapshots(part, "relu"),
        "MNIST, tanh units": snapshots(part, images="mnist"), "MNIST, ReLU units": snapshots(part, "relu", "mnist"),
    }  # fmt: skip
    return {name: arms for name, arms in every.items() if arms}


def decades(values):
    """log10 of norms, cut off at the edges of a panel; an undefined norm lies at the upper edge."""
    with np.errstate(divide="ignore"):
        return np.clip(np.nan_to_num(np.log10(values), nan=HIGH), LOW, HIGH)


def label_decades(axis, low=LOW):
    ticks = np.arange(low, HIGH + 1, 4)
    axis.set_yticks(ticks, [f"$10^{{{tick:.0f}}}$" for tick in ticks])
    axis.set_ylim(low - 0.3, HIGH + 0.3)


def figure_training(part):
    arms, colours = snapshots(part), figures.palette(part.divergences)
    figure, axes = plt.subplots(
        4, len(arms), figsize=(figures.WIDTH, 6.6), sharex="col", sharey="row", squeeze=False,
        gridspec_kw={"height_ratios": [1, 0.75, 1.5, 1.5]},
    )  # fmt: skip
    for column, (epochs, arm) in zip(axes.T, arms.items(), strict=True):
        for name, colour in colours.items():
            limit = part.baseline("limit of F", "disjoint supports", name)
            if np.isfinite(limit):
                distance = (limit - part.quartiles("fresh F", arm, name)).clip(lower=1e-7)
                figures.band(column[0], distance, colour, lw=1.2)
            figures.band(column[1], part.quartiles("accuracy", arm, name), colour, lw=1.2)
            for axis, objective in zip(column[2:], figures.OBJECTIVES, strict=True):
                figures.band(axis, part.quartiles("gradient", arm, name, rule=objective), colour, decades, lw=1.2)
        column[0].set(yscale="log", title="1 epoch" if epochs == 1 else f"{epochs} epochs")
        column[1].set_ylim(0.45, 1.02)
        label_decades(column[2])
        label_decades(column[3], low=-4.0)
    labels = (r"sup F $-$ F", "accuracy of V", "gradient, saddle", "gradient, alternative")
    for axis, label in zip(axes[:, 0], labels, strict=True):
        axis.set_ylabel(label)
    figure.supxlabel("steps of V")
    lines = {part.labels[name]: figures.line(color=colour, lw=1.4) for name, colour in colours.items()}
    figures.legend(figure, lines, min(6, len(lines)))
    return figure


def figure_units(part):
    shown, colours = families(part), figures.palette(part.divergences)
    figure, axes = plt.subplots(2, len(shown), figsize=(figures.WIDTH, 3.9), sharex="col", sharey="row", squeeze=False)
    for column, (name, arms) in zip(axes.T, shown.items(), strict=True):
        for axis, objective in zip(column, figures.OBJECTIVES, strict=True):
            for divergence in part.arms[arms[1]]["divergences"]:
                quartiles = part.quartiles("gradient", arms[1], divergence, rule=objective)
                figures.band(axis, quartiles, colours[divergence], decades, lw=1.2)
            label_decades(axis)
            axis.set_xscale("log")
            axis.xaxis.set_minor_formatter(plt.NullFormatter())
        column[0].set_title(name)
    for axis, objective in zip(axes[:, 0], figures.OBJECTIVES, strict=True):
        axis.set_ylabel(f"gradient, {objective}")
    figure.supxlabel("steps of V")
    lines = {part.labels[name]: figures.line(color=colour, lw=1.4) for name, colour in colours.items()}
    figures.legend(figure, lines, min(6, len(lines)))
    return figure


def figure_exponents(part):
    shown, names = families(part), list(part.labels)[::-1]
    metrics = {"exponent": "power of the ratio", "decades per decade": "decades per decade of steps"}
    figure, axes = plt.subplots(
        2, len(shown), figsize=(figures.WIDTH, 1.2 + 0.44 * len(names)), sharex="row", sharey=True, squeeze=False
    )
    for row, (metric, label) in zip(axes, metrics.items(), strict=True):
        for axis, (family, arms) in zip(row, shown.items(), strict=True):
            for offset, (objective, colour) in zip((0.2, -0.2), figures.OBJECTIVES.items(), strict=True):
                values = [
                    np.concatenate([part.values(metric, arm, name, rule=objective) for arm in arms.values()])
                    for name in names
                ]
                figures.dots(axis, range(len(names)), values, colour, offset, spread=0.13)
                if metric == "exponent":  # what the weight of a known fake predicts
                    known = [part.baseline("exponent", "known fake", name, objective) for name in names]
                    places = np.arange(len(names)) + offset
                    axis.plot(known, places, "|", ms=6, mew=1.2, color="black", zorder=0)
            axis.axvline(0, color=figures.GREY, lw=0.6, zorder=0)
            figures.row_labels(axis, [part.labels[name] for name in names])
            axis.set_xlabel(label)
            if metric == "exponent":
                axis.set_title(family)
            else:
                axis.set_xscale("symlog", linthresh=1)
    handles = {objective: figures.dot(colour) for objective, colour in figures.OBJECTIVES.items()}
    tick = figures.line(ls="", marker="|", ms=6, mew=1.2, color="black")
    figures.legend(figure, handles | {"derived for one known fake": tick})
    return figure


def curves(part, objective):
    """Gradients against the separation of two Gaussians, a panel for each divergence of the table."""
    d, place = part.measure["separations"], list(figures.OBJECTIVES).index(objective)
    figure, axes = figures.panels(len(part.every_label), 1.45, sharex=True, sharey=True)
    for index, (axis, label) in enumerate(zip(axes, part.every_label.values(), strict=True)):
        for way, (_, style) in WAYS.items():
            median, low, high = part.samples[f"curve/{way}"][:, index, place].clip(LOW, HIGH)
            axis.fill_between(d, low, high, color=style["color"], alpha=0.2, lw=0)
            axis.plot(d, median, lw=1.3, **style)
        label_decades(axis)
        axis.set(title=label, xticks=[2, 4, 6, 8, 10])
    figure.supxlabel("separation d")
    figure.supylabel(f"gradient, {objective}")
    figures.legend(figure, {label: figures.line(lw=1.4, **style) for label, style in WAYS.values()})
    return figure


def figure_separation(part):
    return curves(part, "saddle")


def figure_alternative(part):
    return curves(part, "alternative")


def figure_learnt(part):
    arms = [arm for arm in reversed(GAMES) if arm in part.arms]
    names = [name for name in part.labels if any(name in part.arms[arm]["divergences"] for arm in arms)]
    figure, axes = figures.panels(len(names), 0.2 + 0.47 * len(arms), sharey=True)
    for axis, name in zip(axes, names, strict=True):
        for offset, (objective, colour) in zip((0.17, -0.17), figures.OBJECTIVES.items(), strict=True):
            values = [part.values("learnt", arm, name, objective) for arm in arms]
            figures.dots(axis, range(len(arms)), values, colour, offset)
        axis.axvline(0, color=figures.GREY, lw=0.8, zorder=0)
        axis.set_title(part.labels[name])
        figures.row_labels(axis, [GAMES[arm] for arm in arms])
    figure.supxlabel("part of the energy distance that is lost")
    figures.legend(figure, {objective: figures.dot(colour) for objective, colour in figures.OBJECTIVES.items()})
    return figure


def table_published(part):
    rows, shown = [], {"8x8": snapshots(part), "MNIST": snapshots(part, images="mnist")}
    for row in pd.read_csv(Path("paper", "published", "arjovsky_bottou_figures.csv")).itertuples():
        quantity, metric, rule, sign = OURS[row.quantity]
        ours = {}
        for images, arms in shown.items():
            history = part.quartiles(metric, arms.get(row.generator_trained_epochs), "gan", rule=rule)
            ends = (
                [number(sign * history["median"].iloc[end], 2) for end in (0, -1)] if len(history) else ["not run"] * 2
            )
            ours |= {f"{images}: start": ends[0], f"{images}: end": ends[1]}
        # Values read off a plot are approximate, which the caption says once for all.
        start, end = (str(text).replace("~", "") for text in (row.start, row.end))
        rows.append({
            "Quantity": quantity, "epochs of G": str(row.generator_trained_epochs), "published: start": start,
            "published: end": end.split(" (")[0],
        } | ours)  # fmt: skip
    quantities = [row["Quantity"] for row in rows]
    return tables.framed(rows, [i for i in range(len(rows) - 1) if quantities[i] != quantities[i + 1]])


def table_divergences(part):
    arms, rows = snapshots(part), []
    cells = {f"$k$: {o}": ("exponent", "known fake", o) for o in figures.OBJECTIVES}
    cells |= {f"{o}: {way}": ("gradient", way, f"{o}, d = 8") for o in figures.OBJECTIVES for way in ("exact", "batch")}
    for name, label in part.every_label.items():
        limit = part.baseline("limit of F", "disjoint supports", name)
        row = {"Divergence": label, "limit of $F$": number(limit)}
        for heading, (metric, sampler, rule) in cells.items():
            row[heading] = number(part.baseline(metric, sampler, name, rule), 2)
        for objective in figures.OBJECTIVES:
            measured = part.values("exponent", arms.get(10, arms[1]), name, rule=objective)
            row[f"{objective}: $k$ on images"] = printed.defined(measured, digits=2)
        rows.append(row)
    return pd.DataFrame(rows)


def table_overlap(part):
    cells = {f"$c={c}$": ("D_f", f"c = {c}") for c in ("0.25", "0.75", "2")}
    cells |= {"slope, $c<1$": ("slope", "overlapping"), "slope, $c>1$": ("slope", "disjoint")}
    return pd.DataFrame([
        {"Divergence": label}
        | {heading: number(part.baseline(m, "two uniforms", name, rule)) for heading, (m, rule) in cells.items()}
        for name, label in part.every_label.items()
    ])  # fmt: skip
