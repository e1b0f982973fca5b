"""The look of every figure: one style, one palette, the same order and colour of a divergence everywhere."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from fgan import tables

WIDTH = 6.3  # inches: the text width of the paper
OBJECTIVES = {"saddle": "#0b6e99", "alternative": "#d9730d"}
GREY = "#8a8a8a"

STYLE = {
    "font.family": "DejaVu Sans", "font.size": 8, "axes.titlesize": 8, "axes.labelsize": 8,
    "xtick.labelsize": 7, "ytick.labelsize": 7, "legend.fontsize": 7, "legend.frameon": False,
    "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.6,
    "xtick.major.width": 0.6, "ytick.major.width": 0.6, "axes.grid": False, "figure.dpi": 100,
    "pdf.fonttype": 42, "svg.hashsalt": "fgan", "figure.constrained_layout.use": True, "savefig.dpi": 200,
}  # fmt: skip


def style():
    """Applies the one style of all figures."""
    matplotlib.rcParams.update(matplotlib.rcParamsDefault | STYLE)
    matplotlib.use("Agg")


def palette(names):
    """A colour for each divergence, by its place in the table."""
    import seaborn as sns  # a second that most figures need not wait

    return dict(zip(names, sns.husl_palette(len(names), l=0.5, s=0.85), strict=True))


def save(figure, path):
    """Writes the figure beside each other as PDF and PNG, without a date, so that the same data give the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path.with_suffix(".pdf"), metadata={"CreationDate": None, "Producer": None})
    figure.set_layout_engine("none")  # the layout is found, and to find it again takes as long as to draw
    figure.savefig(path.with_suffix(".png"), metadata={"Software": None})
    plt.close(figure)


def references(axis, values):
    """Vertical lines at the values of samplers without training {name: value}; returns legend handles by name."""
    styles = ("-", "--", ":", "-.")
    return {
        name: axis.axvline(value, ls=ls, lw=0.8, color=GREY, zorder=0)
        for ls, (name, value) in zip(styles, values.items(), strict=False)
    }


def dots(axis, groups, values, colour, offset=0.0, spread=0.16):
    """One dot per seed at the height of its group (`groups` are positions), spread a little so that ties show."""
    for position, seeds in zip(groups, values, strict=True):
        jitter = np.linspace(-spread, spread, max(len(seeds), 1)) if len(seeds) > 1 else np.zeros(len(seeds))
        axis.plot(seeds, position + offset + jitter, "o", ms=3, mew=0, alpha=0.8, color=colour, clip_on=False)


def centres(target):
    """Centres of the modes [modes, 2] of a ring or a grid, by the design's settings of the target."""
    if target["kind"] == "ring":
        angle = 2 * np.pi * np.arange(target["modes"]) / target["modes"]
        return target["radius"] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    line = target["spacing"] * (np.arange(target["side"]) - (target["side"] - 1) / 2)
    return np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)


def modes(part, arm, total, lines=True):
    """Modes covered and share of high-quality samples of every run of an arm; grey lines are samplers untrained."""
    names = part.arms[arm]["divergences"][::-1]
    positions = np.arange(len(names))
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 0.9 + 0.25 * len(names)), sharey=True)
    panels = [("modes", f"modes covered, of {total}"), ("high_quality", "share of high-quality samples")]
    for axis, (metric, label) in zip(axes, panels, strict=True):
        values = tables.by_run(part, metric, arm)
        for offset, (objective, colour) in zip((0.2, -0.2), OBJECTIVES.items(), strict=True):
            dots(axis, positions, [values.get((n, objective), []) for n in names], colour, offset, spread=0.13)
        drawn = references(axis, tables.untrained(part, metric) if lines else {})
        axis.set_xlabel(label)
        axis.set_yticks(positions, [part.divergences[n]["label"] for n in names])
        axis.set_ylim(-0.6, len(names) - 0.4)
        axis.grid(axis="y", lw=0.3, color="#e5e5e5")
    axes[0].set_xlim(-0.3, total * 1.04)
    axes[1].set_xlim(-0.03, 1.03)
    handles = [plt.Line2D([], [], ls="", marker="o", ms=3, color=c) for c in OBJECTIVES.values()]
    labels = [*OBJECTIVES, *drawn]
    figure.legend([*handles, *drawn.values()], labels, loc="outside upper center", ncols=len(labels))
    return figure


def distribution(part, arm, total):
    """Share of an arm's runs that cover 0, 1, ... `total` modes: a row for each divergence, a panel each objective."""
    names, objectives = part.arms[arm]["divergences"], part.arms[arm]["objectives"]
    values = tables.by_run(part, "modes", arm)
    figure, axes = plt.subplots(
        1, len(objectives), figsize=(WIDTH, 0.95 + 0.19 * len(names)), sharey=True, squeeze=False
    )
    counts = [[np.bincount(values[n, o].astype(int), minlength=total + 1) for n in names] for o in objectives]
    shares = np.array([[count / count.sum() for count in rows] for rows in counts])
    for axis, objective, rows in zip(axes.flat, objectives, shares, strict=True):
        image = axis.imshow(rows, cmap="Blues", vmin=0, vmax=shares.max(), aspect="auto")
        axis.set_title(objective, color=OBJECTIVES[objective])
        axis.set_yticks(range(len(names)), [part.divergences[n]["label"] for n in names])
        axis.set_xticks(range(0, total + 1, max(1, total // 8)))
        axis.set_xlabel(f"modes covered, of {total}")
        axis.set_xticks(np.arange(total) + 0.5, minor=True)
        axis.set_yticks(np.arange(len(names) - 1) + 0.5, minor=True)
        axis.grid(which="minor", color="white", lw=0.8)
        axis.tick_params(which="minor", length=0)
        axis.spines[:].set_visible(False)
    figure.colorbar(image, ax=axes, label="share of runs", fraction=0.03, pad=0.02)
    return figure


def samples(part, arm):
    """Samples of seed 0 of an arm over the modes of its target in the plane: a panel for each divergence, a block for
    each objective."""
    names, objectives = part.arms[arm]["divergences"], part.arms[arm]["objectives"]
    modes = centres(part.arms[arm]["target"])
    reach, columns = np.abs(modes).max() * 1.25, min(6, len(names))
    rows = -(-len(names) // columns)
    size = (WIDTH, 0.3 + 1.15 * rows * len(objectives))
    figure, axes = plt.subplots(rows * len(objectives), columns, figsize=size, sharex=True, sharey=True, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for block, objective in enumerate(objectives):
        for index, name in enumerate(names):
            axis = axes[block * rows + index // columns, index % columns]
            axis.plot(*modes.T, "o", ms=4, mew=0.5, mfc="none", mec=GREY)
            points = part.samples[f"samples/{arm}/{name}/{objective}/0"].astype(float)
            axis.plot(*points.T, ".", ms=1.6, mew=0, alpha=0.6, color=OBJECTIVES[objective])
            axis.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
            axis.set_title(part.divergences[name]["label"], fontsize=7, pad=2)
    handles = [plt.Line2D([], [], ls="", marker="o", ms=3, color=OBJECTIVES[o]) for o in objectives]
    figure.legend(handles, objectives, loc="outside upper center", ncols=2)
    return figure


def blank(text):
    """A figure that only says why there is nothing to see."""
    figure = plt.figure(figsize=(WIDTH, 0.4))
    figure.text(0.5, 0.5, text, ha="center", va="center", color=GREY)
    return figure
