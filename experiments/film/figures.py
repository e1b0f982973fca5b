"""Pictures of modes won and lost, from the film's part of a record, and the animation that the README shows."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap

from fgan import figures
from fgan.tables import by_run, over_seeds

MOMENTS = 8  # pictures in a strip


def film(part, arm, name):
    """Points [entries, shown, 2] and covered modes [entries, modes] of seed 0."""
    return [part.samples[f"{kind}/{arm}/{name}/saddle/0"] for kind in ("frames", "covered")]


def steps(part, arm):
    rows = part.history("watched modes")
    return sorted(rows[rows.arm == arm].step.unique())


def look(axis, centres):
    """A panel with the modes of P as circles; returns the dots that show samples."""
    axis.set_axis_off()
    axis.plot(*centres.T, "o", ms=4, mew=0.4, mfc="none", mec=figures.GREY)
    reach = 1.3 * np.abs(centres).max()
    axis.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    return axis.plot([], [], ".", ms=1.6, mew=0, alpha=0.7, color=figures.OBJECTIVES["saddle"])[0]


def strip(part, arm):
    names, centres = part.arms[arm]["divergences"], figures.centres(part.arms[arm]["target"])
    when = steps(part, arm)
    shown = np.unique(np.linspace(0, len(when) - 1, MOMENTS).round().astype(int))
    figure, axes = plt.subplots(
        len(names), len(shown), squeeze=False, figsize=(figures.WIDTH, 0.2 + 0.7 * len(names)),
        gridspec_kw={"wspace": 0, "hspace": 0},
    )  # fmt: skip
    for row, name in zip(axes, names, strict=True):
        frames, _ = film(part, arm, name)
        for axis, entry in zip(row, shown, strict=True):
            look(axis, centres).set_data(*frames[entry].astype(float).T)
        label = part.divergences[name]["label"]
        label = label if "=" in label else label.replace(" ", "\n")
        row[0].annotate(label, (-0.08, 0.5), xycoords="axes fraction", ha="right", va="center", fontsize=7)
    for axis, entry in zip(axes[0], shown, strict=True):
        axis.set_title(f"step {when[entry]:,}", fontsize=7, pad=3)
    return figure


def figure_ring(part):
    return strip(part, "ring")


def figure_grid(part):
    if "grid" not in part.arms:
        return figures.blank("The grid is not part of this scale.")
    return strip(part, "grid")


def figure_life(part):
    names = part.arms["ring"]["divergences"]
    when = steps(part, "ring")
    rows = -(-len(names) // 3)
    figure, axes = plt.subplots(
        rows, 3, squeeze=False, sharex=True, sharey=True, figsize=(figures.WIDTH, 0.5 + 0.85 * rows)
    )
    for axis in axes.flat:
        axis.set_visible(False)
    for axis, name in zip(axes.flat, names, strict=False):
        axis.set_visible(True)
        _, covered = film(part, "ring", name)
        colours = ListedColormap(["#f1f1f1", figures.OBJECTIVES["saddle"]])
        extent = (0, when[-1], 0.5, covered.shape[1] + 0.5)
        axis.imshow(covered.T, cmap=colours, vmin=0, vmax=1, aspect="auto", origin="lower", extent=extent)
        axis.set_yticks([1, covered.shape[1]])
        axis.set_title(part.divergences[name]["label"])
    figure.supxlabel("step", fontsize=8)
    figure.supylabel("mode", fontsize=8)
    return figure


def table_events(part):
    rows = []
    for arm, own in part.arms.items():
        found = {metric: by_run(part, metric, arm) for metric in ("modes", "ever covered", "forgotten", "won", "lost")}
        for name in own["divergences"]:
            row = {"Divergence": part.divergences[name]["label"], "target": arm}
            headings = {"modes": "covered last", "ever covered": "ever", "forgotten": "of these lost at the end"}
            rows.append(row | {headings.get(m, m): over_seeds(v[name, "saddle"]) for m, v in found.items()})
    return pd.DataFrame(rows)


def animation_ring(part):
    """A figure of all divergences side by side, a function that shows picture number i, and how many there are."""
    names, centres = part.arms["ring"]["divergences"], figures.centres(part.arms["ring"]["target"])
    columns = min(6, len(names))
    rows = -(-len(names) // columns)
    figure, axes = plt.subplots(rows, columns, squeeze=False, figsize=(figures.WIDTH, 0.3 + 1.25 * rows))
    for axis in axes.flat:
        axis.set_axis_off()
    dots, when = {}, steps(part, "ring")
    for axis, name in zip(axes.flat, names, strict=False):
        dots[name] = axis, look(axis, centres), *film(part, "ring", name)
    title = figure.suptitle("", fontsize=8)

    def show(i):
        title.set_text(f"step {when[i]:,}")
        for name, (axis, drawn, frames, covered) in dots.items():
            drawn.set_data(*frames[i].astype(float).T)
            axis.set_title(f"{part.divergences[name]['label']}: {covered[i].sum()}", fontsize=7, pad=2)

    return figure, show, len(when)
