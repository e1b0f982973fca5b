"""The look of every figure: one style, one palette, the same order and colour of a divergence everywhere."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

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
