"""Figures that every experiment over modes draws of its own runs."""

import matplotlib.pyplot as plt
import numpy as np

from fgan.report import converged
from fgan.report.figures import GREY, OBJECTIVES, OPEN, WIDTH, centres, cloud, dot, dots, legend, references, row_labels


def modes(part, arm, total):
    """Modes covered and share of high-quality samples of every run of an arm; grey lines are the baselines.

    Runs that have not converged are open dots, where the record says which have.
    """
    names = part.arms[arm]["divergences"][::-1]
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 1.05 + 0.25 * len(names)), sharey=True)
    metrics, told = {"modes": f"modes covered, of {total}", "high_quality": "share of high-quality samples"}, {}
    known = len(part.final("converged"))
    for axis, (metric, label) in zip(axes, metrics.items(), strict=True):
        for offset, (objective, colour) in zip((0.2, -0.2), OBJECTIVES.items(), strict=True):
            values = [part.values(metric, arm, name, objective) for name in names]
            ended = [converged.ends(part, arm, name, objective)["converged"] for name in names] if known else None
            dots(axis, range(len(names)), values, colour, offset, spread=0.13, filled=ended)
            told = OPEN if known and not np.concatenate(ended).all() else told
        drawn = references(axis, part.samplers(metric))
        row_labels(axis, [part.labels[name] for name in names])
        axis.set_xlabel(label)
    axes[0].set_xlim(-0.3, total * 1.04)
    axes[1].set_xlim(-0.03, 1.03)
    legend(figure, {objective: dot(colour) for objective, colour in OBJECTIVES.items()} | told | drawn, ncols=4)
    return figure


def distribution(part, arm, total):
    """Share of an arm's runs that cover 0, 1, ... `total` modes: a row for each divergence, a panel each objective."""
    names, objectives = part.arms[arm]["divergences"], part.arms[arm]["objectives"]
    size = (WIDTH, 0.95 + 0.19 * len(names))
    figure, axes = plt.subplots(1, len(objectives), figsize=size, sharey=True, squeeze=False)
    values = part.by_run("modes", arm)
    known = [[values[n, o][np.isfinite(values[n, o])].astype(int) for n in names] for o in objectives]
    counts = [[np.bincount(own, minlength=total + 1)[: total + 1] for own in rows] for rows in known]
    # A run without a count stays in the denominator; where no run has one, the row is left white.
    shares = np.array([[c / (len(values[n, o]) if c.any() else np.nan) for n, c in zip(names, rows, strict=True)]
                       for o, rows in zip(objectives, counts, strict=True)])  # fmt: skip
    most = np.nanmax(shares) if np.isfinite(shares).any() else 1.0
    for axis, objective, rows in zip(axes.flat, objectives, shares, strict=True):
        image = axis.imshow(rows, cmap="Blues", vmin=0, vmax=most, aspect="auto")
        axis.set_title(objective, color=OBJECTIVES[objective])
        axis.set_yticks(range(len(names)), [part.labels[n] for n in names])
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
    centre = centres(part.arms[arm]["target"])
    reach, columns = np.abs(centre).max() * 1.25, min(6, len(names))
    rows = -(-len(names) // columns)
    size = (WIDTH, 0.3 + 1.15 * rows * len(objectives))
    figure, axes = plt.subplots(rows * len(objectives), columns, figsize=size, sharex=True, sharey=True, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for block, objective in enumerate(objectives):
        for index, name in enumerate(names):
            axis = axes[block * rows + index // columns, index % columns]
            axis.plot(*centre.T, "o", ms=4, mew=0.5, mfc="none", mec=GREY)
            cloud(axis, part.samples[f"samples/{arm}/{name}/{objective}/0"], color=OBJECTIVES[objective])
            axis.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
            axis.set_title(part.labels[name], fontsize=7, pad=2)
    legend(figure, {objective: dot(OBJECTIVES[objective]) for objective in objectives})
    return figure


def lengths(part, panels, total, columns=4):
    """Medians over seeds of watched modes, of `total`, above those of their share of high quality, against steps.

    `panels` are {title: {label: (arm, divergence, colour)}}.
    """
    columns, handles = min(columns, len(panels)), {}
    bands = -(-len(panels) // columns)
    figure, grid = plt.subplots(2 * bands, columns, figsize=(WIDTH, 0.7 + 2.1 * bands), squeeze=False, sharey="row")
    metrics = {"watched modes": ("modes", total), "watched high_quality": ("high quality", 1.0)}
    for index in range(bands * columns):
        title, lines = [*panels.items(), *[("", {})] * columns][index]
        band, column = divmod(index, columns)
        for axis, (metric, (word, most)) in zip(grid[2 * band : 2 * band + 2, column], metrics.items(), strict=True):
            for label, (arm, name, colour) in lines.items():
                median = part.quartiles(metric, arm, name).get("median", default=[])
                if len(median):
                    (handles[label],) = axis.plot(median.index, median, color=colour, lw=1.0)
            axis.set(ylim=(-0.04 * most, 1.05 * most), yticks=(0, most / 2, most), ylabel="" if column else word)
            axis.set_axis_on() if lines else axis.set_axis_off()
            axis.tick_params(axis="x", labelsize=7)
        grid[2 * band, column].set_title(title)
        grid[2 * band, column].tick_params(labelbottom=False)
    figure.supxlabel("step")
    legend(figure, handles, ncols=min(len(handles), 6) or None)
    return figure
