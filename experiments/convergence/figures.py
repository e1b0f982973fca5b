"""Figures and tables of convergence, from its part of a record."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import NullFormatter

from fgan.report import fates, figures, tables
from fgan.report.printed import number, over_seeds

BLUE = figures.OBJECTIVES["saddle"]
METHODS = {  # label and colour
    "single": ("single step", BLUE),
    "k1": ("k = 1", "#7b4ea3"),
    "k5": ("k = 5", "#3c8d40"),
    "k5_fast": ("k = 5, fast G", "#c2a83e"),
}
PANELS = {  # of the figure of games: title, the meaning of the dashed line
    "weak coupling": ("convex-concave,\nweak coupling", "Theorem 1"),
    "strong coupling": ("convex-concave,\nstrong coupling", "Theorem 1"),
    "concave in omega": (r"concave in $\omega$ only", "the start"),
    "bilinear": ("bilinear", "exact growth"),
}
# Quality by target: history's metric, judged metric, label of the axis, heading of the table.
QUALITY = {
    "ring": ("watched high_quality", "high_quality", "ring: high quality", "ring"),
    "univariate": ("D", "mean D", "mixture: D above least", "mixture"),
}


def grid(part, metric):
    """A metric of the strongly convex-concave games: [conditions, couplings, games]."""
    values = part.samples[f"curve/convex-concave/{metric}"].astype(float)  # [couplings, dimensions, conditions, draws]
    return values.transpose(2, 0, 1, 3).reshape(values.shape[2], values.shape[0], -1)


def least(part, target, divergence):
    """The least possible value of a target's quality: on the mixture, the divergence at the exact optimum."""
    return part.baseline("D", "exact optimum", divergence) if target == "univariate" else 0.0


def trained(part):
    """{target: {method: arm}} of the arms that this part has."""
    arms = {(own["factors"]["target"], own["factors"]["method"]): arm for arm, own in part.arms.items()}
    present = {target: {m: arms[target, m] for m in METHODS if (target, m) in arms} for target in QUALITY}
    return {target: methods for target, methods in present.items() if methods}


def figure_games(part):
    figure, axes = figures.panels(len(PANELS), 1.7)
    for axis, (name, (title, dashed)) in zip(axes, PANELS.items(), strict=True):
        paths, bound = (part.samples[f"{kind}/{name}"].astype(float) for kind in ("games", "bound"))
        iterations = part.baseline("iterations", name)
        t = np.linspace(0, iterations, len(bound))
        axis.plot(t, paths[1:].T, color=BLUE, lw=0.6, alpha=0.5)
        axis.plot(t, paths[0], color=BLUE, lw=1.3)
        axis.plot(t, bound, "--", color="black", lw=0.9)
        height, side = (0.06, "bottom") if name == "bilinear" else (0.97, "top")
        style = dict(xycoords="axes fraction", ha="right", va=side, fontsize=7, color=figures.GREY)
        axis.annotate(f"dashed: {dashed}", (0.97, height), **style)
        axis.set(title=title, xlim=(0, iterations))
        axis.set_xticks([0, iterations], ["0", f"{iterations:,.0f}"])
        axis.margins(y=0.17)
    axes[0].set_ylabel(r"$\log_{10}\, J_t / J_0$")
    figure.supxlabel("step t")
    handles = {"worst start": dict(color=BLUE, lw=1.3), "random starts": dict(color=BLUE, lw=0.6, alpha=0.5)}
    handles["theory"] = dict(ls="--", color="black", lw=0.9)
    figures.legend(figure, {label: figures.line(**style) for label, style in handles.items()})
    return figure


def figure_bound(part):
    figure, (fall, steps) = plt.subplots(1, 2, figsize=(figures.WIDTH, 2.7))
    promised = grid(part, "promised fall").ravel()
    looks = {"late fall": ("o", BLUE, "late step"), "worst fall": ("x", "black", "worst step")}
    for metric, (marker, colour, label) in looks.items():
        style = dict(ms=3, mew=0.6, ls="", mfc="none", color=colour, alpha=0.7)
        fall.plot(promised, grid(part, metric).ravel(), marker, label=label, **style)
    ends = [promised.min() / 2, 2 * promised.max()]
    fall.plot(ends, ends, "--", color=figures.GREY, lw=0.8, zorder=0)
    fall.set(xscale="log", yscale="log", ylabel="measured fall of J in a step")
    fall.set_xlabel(r"promised fall of J in a step, $\delta^2/L$")
    fall.legend(loc="upper left")

    ratio = grid(part, "largest step over delta/L")
    conditions, couplings = part.measure["conditions"], part.measure["couplings"]
    colours = plt.get_cmap("cividis")(np.linspace(0, 0.85, len(couplings)))
    for index, (coupling, colour) in enumerate(zip(couplings, colours, strict=True)):
        x, values = np.arange(len(conditions)) + 0.13 * (index - (len(couplings) - 1) / 2), ratio[:, index]
        steps.vlines(x, values.min(axis=1), values.max(axis=1), color=colour, lw=1.2)
        steps.plot(x, np.median(values, axis=1), "o", ms=3.5, color=colour, label=f"{coupling:g}")
    steps.axhline(2, ls="--", color=figures.GREY, lw=0.8, zorder=0)
    steps.set(yscale="log", xlabel="condition number of A and C", ylabel=r"largest step over $\delta/L$")
    steps.set_xticks(range(len(conditions)), [f"{c:g}" for c in conditions])
    steps.legend(title="coupling", title_fontsize=7, loc="upper left")
    return figure


def figure_methods(part):
    arms = trained(part)
    columns = min(4, len(part.labels))
    rows = -(-len(part.labels) // columns)
    size = (figures.WIDTH, 0.5 + 1.25 * rows * len(arms))
    figure, axes = plt.subplots(rows * len(arms), columns, figsize=size, squeeze=False)
    for block, (target, methods) in zip(np.split(axes, len(arms)), arms.items(), strict=True):
        first, *others = block.flat
        for index, axis in enumerate(others, 1):
            axis.sharey(first)
            axis.tick_params(labelleft=index % columns == 0)
        for axis in block.flat[len(part.labels) :]:
            axis.set_axis_off()
        for axis, name in zip(block.flat, part.labels, strict=False):
            panel(axis, part, target, methods, name)
        first.set_ylabel(QUALITY[target][2])
    figure.supxlabel("updates of V")
    shown = {method for methods in arms.values() for method in methods}
    handles = {label: figures.line(color=colour, lw=1.4) for m, (label, colour) in METHODS.items() if m in shown}
    figures.legend(figure, handles)
    return figure


def panel(axis, part, target, methods, divergence):
    """Quality on a target for each update of V under one divergence: median and quartiles of every method."""
    for method, arm in methods.items():
        quartiles = part.quartiles(QUALITY[target][0], arm, divergence) - least(part, target, divergence)
        quartiles.index *= part.arms[arm]["method"].get("k", 1)
        figures.band(axis, quartiles, METHODS[method][1], lw=1.2)
    end = quartiles.index[-1]  # the same for every method
    axis.set(title=part.labels[divergence], xlim=(0, end))
    axis.set_xticks([0, end], ["0", f"{end:,}"])
    axis.get_xticklabels()[1].set_ha("right")
    if target == "ring":
        axis.axhline(part.samples["high_quality of P"], ls=":", lw=0.8, color=figures.GREY)
        axis.set_ylim(0, 1.03)
    elif figures.logarithmic(axis):
        axis.yaxis.set_minor_formatter(NullFormatter())


def span(values):
    """Least and most of some values as text, to two digits."""
    low, high = (number(float(f"{value:.2g}"), 2) for value in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"


def table_bound(part):
    columns = {
        "worst step": "times faster, worst step", "mean over steps": "times faster, mean",
        "late step": "times faster, late step", r"largest step over $\delta/L$": "largest step over delta/L",
    }  # fmt: skip
    promised, metrics = grid(part, "promised fall"), {head: grid(part, metric) for head, metric in columns.items()}
    rows, cuts = [], []
    for c, condition in enumerate(part.measure["conditions"]):
        for b, coupling in enumerate(part.measure["couplings"]):
            row = {"Condition": f"{condition:g}", "coupling": f"{coupling:g}"}
            row[r"promised fall $\delta^2/L$"] = number(np.median(promised[c, b]), 2)
            rows.append(row | {head: span(values[c, b]) for head, values in metrics.items()})
        cuts.append(len(rows) - 1)
    return tables.framed(rows, cuts[:-1])


def table_solution(part):
    metrics = ("curvature", "coupling", "step", "largest step", "late factor")
    rows = []
    for name, label in part.every_label.items():
        curvature, coupling, step, largest, late = (part.baseline(metric, "f-GAN", name) for metric in metrics)
        rows.append({
            "Divergence": label, "curvature in $V$": number(curvature), "coupling": number(coupling),
            r"step $\delta/L$": number(step), "largest step": number(largest) if largest else "none",
            "factor of a late step": number(late, 4) if largest else "no step",
        })  # fmt: skip
    return pd.DataFrame(rows)


def table_methods(part):
    rows = [{"Divergence": label} for label in part.labels.values()] + [{"Divergence": "failed"}]
    for target, methods in trained(part).items():
        _, metric, _, heading = QUALITY[target]
        for method, arm in methods.items():
            head, unit = f"{heading}, {METHODS[method][0]}", 1000 if target == "univariate" else 1
            for row, name in zip(rows, part.labels, strict=False):
                row[head] = over_seeds(unit * (part.values(metric, arm, name) - least(part, target, name)))
            runs = part.final("failed", arm)
            rows[-1][head] = fates.of_rows(part, runs) or f"0 of {len(runs)}"
    return tables.framed(rows, [len(rows) - 2])
