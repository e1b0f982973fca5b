"""The look of every figure: one style, one palette, the same order and colour of a divergence everywhere."""

import logging

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

WIDTH = 6.3  # inches: the text width of the paper
OBJECTIVES = {"saddle": "#0b6e99", "alternative": "#d9730d"}
GREY = "#7a7a7a"
FEW = ("#b0306a", "#2f8f46", "#5b4b9a", "#c99a10", "#1aa0a0", "#c0392b", "#7d5a3c", "#6f6f6f")  # beside blue and orange

STYLE = {
    "font.family": "DejaVu Sans", "font.size": 8, "axes.titlesize": 8, "axes.labelsize": 8,
    "xtick.labelsize": 7, "ytick.labelsize": 7, "legend.fontsize": 7, "legend.frameon": False,
    "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.6,
    "xtick.major.width": 0.6, "ytick.major.width": 0.6, "axes.grid": False, "figure.dpi": 100,
    "pdf.fonttype": 42, "svg.hashsalt": "fgan", "figure.constrained_layout.use": True, "savefig.dpi": 200,
    "figure.labelsize": 8,
}  # fmt: skip


def style():
    """Applies the one style of all figures."""
    matplotlib.rcParams.update(matplotlib.rcParamsDefault | STYLE)
    matplotlib.use("Agg")
    logging.getLogger("fontTools").setLevel(logging.ERROR)  # it warns of the times in matplotlib's own fonts


def palette(names):
    """A colour for each divergence, by its place in the table: neighbours differ in lightness where they are many."""
    if len(names) <= len(FEW):
        return dict(zip(names, FEW, strict=False))
    import seaborn as sns  # takes a second to import, which most figures do not need

    pale, dark = (sns.husl_palette(len(names), l=lightness, s=0.85) for lightness in (0.62, 0.38))
    return {name: (pale, dark)[place % 2][place] for place, name in enumerate(names)}


def save(figure, path):
    """Writes a figure as PDF and as PNG, without a date, so that the same data give the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    settle(figure)
    figure.savefig(path.with_suffix(".pdf"), metadata={"CreationDate": None, "Producer": None})
    figure.savefig(path.with_suffix(".png"), metadata={"Software": None})
    plt.close(figure)


def settle(figure):
    """Computes the layout of a figure once, and rounds it: its solver adds in an order that differs each time."""
    engine = figure.get_layout_engine()
    if engine is not None and figure.axes:
        engine.execute(figure)
        with plt.rc_context({"figure.constrained_layout.use": False}):  # with no engine, not even "none", it draws once
            figure.set_layout_engine(None)
    for axis in figure.axes:
        if axis.get_axes_locator() is None:  # insets follow their parent
            axis.set_position(np.round(axis.get_position(original=True).bounds, 6), which="original")


def references(axis, values):
    """Vertical lines at the values of samplers that were not trained, {name: value}; returns legend handles by name."""
    styles = ("-", "--", ":", "-.")
    return {
        name: axis.axvline(value, ls=ls, lw=0.8, color=GREY, zorder=0)
        for ls, (name, value) in zip(styles, values.items(), strict=False)
    }


def dots(axis, groups, values, colour, offset=0.0, spread=0.16, filled=None):
    """One dot per seed at the height of its group (`groups` are positions), spread a little so that ties show.

    `filled` [groups][seeds] says which dots are filled, all without it.
    """
    for index, (position, seeds) in enumerate(zip(groups, values, strict=True)):
        jitter = np.linspace(-spread, spread, max(len(seeds), 1)) if len(seeds) > 1 else np.zeros(len(seeds))
        whole = np.ones(len(seeds), bool) if filled is None else np.asarray(filled[index])
        for chosen, style in ((whole, {"mew": 0, "alpha": 0.8}), (~whole, {"mew": 0.6, "alpha": 0.6, "mfc": "none"})):
            if not chosen.any():
                continue
            at = np.asarray(seeds)[chosen], (position + offset + jitter)[chosen]
            axis.plot(*at, "o", ms=3, color=colour, clip_on=False, **style)


def centres(target):
    """Centres of the modes [modes, 2] of a ring or a grid, by the design's settings of the target."""
    if target["kind"] == "ring":
        places = target["modes"] - target.get("closed", False)
        angle = 2 * np.pi * np.arange(places) / places
        return target["radius"] * np.stack([np.cos(angle), np.sin(angle)], axis=1) + target.get("centre", (0, 0))
    line = target["spacing"] * (np.arange(target["side"]) - (target["side"] - 1) / 2)
    return np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)


def row_labels(axis, labels):
    """Names the rows of an axis, from the bottom up, and draws a thin line through each."""
    axis.set_yticks(range(len(labels)), labels)
    axis.set_ylim(-0.6, len(labels) - 0.4)
    axis.grid(axis="y", lw=0.3, color="#e5e5e5")


def panels(count, height, columns=4, top=0.5, **options):
    """A grid of `count` axes of that height in inches, the rest switched off: (figure, axes in their order)."""
    columns = min(columns, max(count, 1))
    rows = -(-max(count, 1) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(WIDTH, top + height * rows), squeeze=False, **options)
    for axis in axes.flat[count:]:
        axis.set_axis_off()
    return figure, list(axes.flat[:count])


def line(**style):
    """A line for a legend."""
    return plt.Line2D([], [], **style)


def dot(colour, **style):
    """A dot for a legend."""
    return plt.Line2D([], [], **{"ls": "", "marker": "o", "ms": 3, "color": colour} | style)


OPEN = {"not converged": dot(GREY, mfc="none", mew=0.6)}  # of a legend: what an open dot is


def legend(figure, handles, ncols=None):
    """A legend of {label: handle} above all panels, in one row unless `ncols` is given."""
    figure.legend(list(handles.values()), list(handles), loc="outside upper center", ncols=ncols or len(handles))


def band(axis, quartiles, colour, scale=lambda values: values, **style):
    """The median of a frame of quartiles as a line, with a band between the other two."""
    low, median, high = (scale(quartiles[word]) for word in ("lower quartile", "median", "upper quartile"))
    axis.fill_between(quartiles.index, low, high, color=colour, alpha=0.17, lw=0)
    axis.plot(quartiles.index, median, color=colour, **{"lw": 1.3} | style)


def strip(images, shape, gap=None, low=0.0):
    """Images [n, d] side by side in one array, `shape` (h, w) or (channels, h, w), with gaps of the value `low`."""
    *channels, height, width = shape
    pixels = np.moveaxis(images.astype(float).reshape(-1, *channels or [1], height, width), 1, -1)
    gap = max(1, width // 8) if gap is None else gap
    padded = np.pad(pixels, ((0, 0), (0, 0), (0, gap), (0, 0)), constant_values=low)
    return np.concatenate(list(padded), axis=1).squeeze(-1) if not channels else np.concatenate(list(padded), axis=1)


def sheet(axis, picture, label, **style):
    """One row of images with its label on the left."""
    axis.imshow(picture, **{"cmap": "gray_r", "vmin": 0, "vmax": 1, "interpolation": "nearest"} | style)
    axis.annotate(label, (-0.01, 0.5), xycoords="axes fraction", ha="right", va="center", fontsize=7)
    axis.set_axis_off()


def logarithmic(*axes):
    """Makes the y axis that all of these share logarithmic if a line has a positive value; says whether one has."""
    positive = [(np.nan_to_num(line.get_ydata(), posinf=0) > 0).any() for axis in axes for line in axis.lines]
    if any(positive):
        axes[0].set_yscale("log")
    return any(positive)


def cloud(axis, points, **style):
    """Samples [n, 2] as dots; words if none of them is finite."""
    points = points.astype(float)
    axis.plot(*points.T, ".", **{"ms": 1.6, "mew": 0, "alpha": 0.6} | style)
    if not np.isfinite(points).any():
        axis.text(0.5, 0.5, "no sample", transform=axis.transAxes, ha="center", va="center", color=GREY, fontsize=7)


def blank(text):
    """An empty figure with a text that says why it is empty."""
    figure = plt.figure(figsize=(WIDTH, 0.4))
    figure.text(0.5, 0.5, text, ha="center", va="center", color=GREY)
    return figure
