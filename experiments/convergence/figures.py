"""Figures and tables of convergence, from its part of a record."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import NullFormatter

from fgan import figures
from fgan.tables import number, over_seeds

BLUE = figures.OBJECTIVES["saddle"]
METHODS = {  # label and colour by the second part of an arm's name
    "single": ("single step", BLUE),
    "k1": ("k = 1", "#7b4ea3"),
    "k5": ("k = 5", "#3c8d40"),
    "k5_fast": ("k = 5, fast G", "#c2a83e"),
}
PANELS = {  # of the figure of games: title, what is dashed
    "weak coupling": ("convex-concave,\nweak coupling", "Theorem 1"),
    "strong coupling": ("convex-concave,\nstrong coupling", "Theorem 1"),
    "concave in omega": (r"concave in $\omega$ only", "the start"),
    "bilinear": ("bilinear", "exact growth"),
}
# Quality by target: history's metric, judged metric, label.
QUALITY = {
    "ring": ("watched high_quality", "high_quality", "ring: high quality"),
    "univariate": ("D", "mean D", "mixture: D above least"),
}


def games(part, metric):
    """A metric of the strongly convex-concave games of the grid: rows (condition, coupling, size, seed, value)."""
    rows = part.baselines(metric)
    form = rows.divergence.str.extract(r"^condition (?P<condition>\S+), coupling (?P<coupling>\S+), (?P<size>\S+)$")
    rows = pd.concat([form, rows[["seed", "value"]]], axis=1).dropna(subset=["size"])
    return rows.astype({"condition": float, "coupling": float})


def least(part):
    """{divergence: least D on the mixture}; empty where the part has no run on it."""
    rows = part.baselines("exact D")
    return dict(zip(rows.divergence, rows.value, strict=True))


def updates(settings):
    """Updates of V for each step."""
    return settings["method"].get("k", 1)


def trained(part, target):
    """{method: arm} of the arms that this part has on a target."""
    return {method: f"{target}_{method}" for method in METHODS if f"{target}_{method}" in part.arms}


def figure_games(part):
    figure, axes = plt.subplots(1, 4, figsize=(figures.WIDTH, 2.2))
    for axis, (name, (title, dashed)) in zip(axes, PANELS.items(), strict=True):
        paths, bound = (part.samples[f"{kind}/{name}"].astype(float) for kind in ("games", "bound"))
        iterations = part.baselines("iterations").set_index("divergence").value[name]
        t = np.linspace(0, iterations, len(bound))
        axis.plot(t, paths[1:].T, color=BLUE, lw=0.6, alpha=0.5)
        axis.plot(t, paths[0], color=BLUE, lw=1.3)
        axis.plot(t, bound, "--", color="black", lw=0.9)
        below = name == "bilinear"
        place = dict(xy=(0.97, 0.06), va="bottom") if below else dict(xy=(0.97, 0.97), va="top")
        axis.annotate(
            f"dashed: {dashed}", xycoords="axes fraction", ha="right", fontsize=6, color=figures.GREY, **place
        )
        axis.set_title(title)
        axis.set_xlim(0, iterations)
        axis.set_xticks([0, iterations], ["0", f"{iterations:,.0f}"])
        axis.margins(y=0.17)
    axes[0].set_ylabel(r"$\log_{10}\, J_t / J_0$")
    figure.supxlabel("step t", fontsize=8)
    handles = [plt.Line2D([], [], color=BLUE, lw=1.3), plt.Line2D([], [], color=BLUE, lw=0.6, alpha=0.5)]
    handles.append(plt.Line2D([], [], ls="--", color="black", lw=0.9))
    figure.legend(handles, ["worst start", "random starts", "theory"], loc="outside upper center", ncols=3)
    return figure


def figure_bound(part):
    figure, (fall, steps) = plt.subplots(1, 2, figsize=(figures.WIDTH, 2.7))
    promised = 1 - games(part, "bound").value
    for metric, marker, colour, label in (
        ("asymptotic", "o", BLUE, "late step"),
        ("worst step", "x", "black", "worst step"),
    ):
        values = 1 - games(part, metric).value
        style = dict(mew=0.6, color=colour, label=label, alpha=0.7)
        fall.plot(promised, values, marker, ms=3, ls="", mfc="none", **style)
    ends = [promised.min() / 2, 2 * promised.max()]
    fall.plot(ends, ends, "--", color=figures.GREY, lw=0.8, zorder=0)
    fall.set(
        xscale="log",
        yscale="log",
        xlabel=r"promised fall of J in a step, $\delta^2/L$",
        ylabel="measured fall of J in a step",
    )
    fall.legend(loc="upper left")

    ratio = games(part, "largest step")
    conditions = sorted(ratio.condition.unique())
    colours = plt.get_cmap("cividis")(np.linspace(0, 0.85, ratio.coupling.nunique()))
    for index, (coupling, rows) in enumerate(ratio.groupby("coupling")):
        spread = rows.groupby("condition").value.agg(["min", "median", "max"])
        x = np.arange(len(conditions)) + 0.13 * (index - (len(colours) - 1) / 2)
        steps.vlines(x, spread["min"], spread["max"], color=colours[index], lw=1.2)
        steps.plot(x, spread["median"], "o", ms=3.5, color=colours[index], label=f"{coupling:g}")
    steps.axhline(2, ls="--", color=figures.GREY, lw=0.8, zorder=0)
    steps.set(yscale="log", xlabel="condition number of A and C", ylabel=r"largest step over $\delta/L$")
    steps.set_xticks(range(len(conditions)), [f"{c:g}" for c in conditions])
    steps.legend(title="coupling", title_fontsize=7, loc="upper left")
    return figure


def quality(part, target, arm, divergence, kind=""):
    """(updates of V, values [entries, seeds]) of an arm's history; `kind` is '' or a quartile."""
    rows = part.history(f"{QUALITY[target][0]}{kind}")
    rows = rows[(rows.arm == arm) & (rows.divergence == divergence)]
    table = rows.pivot(index="step", columns="seed", values="value")
    values = table.to_numpy() - (least(part)[divergence] if target == "univariate" else 0)
    return table.index.to_numpy() * updates(part.arms[arm]), values


def figure_methods(part):
    names = list(part.divergences)
    targets = [target for target in QUALITY if trained(part, target)]
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    figure = plt.figure(figsize=(figures.WIDTH, 0.5 + 1.25 * rows * len(targets)))
    for block, target in enumerate(targets):
        first = None
        for index, name in enumerate(names):
            place = (block * rows + index // columns) * columns + index % columns + 1
            axis = figure.add_subplot(rows * len(targets), columns, place, sharey=first)
            first = first or axis
            ends = [draw(axis, part, target, arm, name, METHODS[m][1]) for m, arm in trained(part, target).items()]
            axis.set_title(part.divergences[name]["label"])
            axis.set_xlim(0, max(ends))
            axis.set_xticks([0, max(ends)], ["0", f"{max(ends):,}"])
            axis.get_xticklabels()[1].set_ha("right")
            axis.tick_params(labelleft=index % columns == 0)
            if target == "ring":
                radius = part.design["settings"]["measure"]["radius_sd"]
                # In two dimensions half the square of the distance in sd is exponential.
                axis.axhline(1 - math.exp(-(radius**2) / 2), ls=":", lw=0.8, color=figures.GREY)
                axis.set_ylim(0, 1.03)
            else:
                axis.set_yscale("log")
                axis.yaxis.set_minor_formatter(NullFormatter())
        first.set_ylabel(QUALITY[target][2])
    figure.supxlabel("updates of V", fontsize=8)
    shown = [METHODS[method] for method in METHODS if any(method in trained(part, target) for target in targets)]
    handles = [plt.Line2D([], [], color=colour, lw=1.4) for _, colour in shown]
    figure.legend(handles, [label for label, _ in shown], loc="outside upper center", ncols=len(shown))
    return figure


def draw(axis, part, target, arm, divergence, colour):
    """Median and quartiles of one arm; returns its number of V updates."""
    (x, low), (_, median), (_, high) = (
        quality(part, target, arm, divergence, f" [{q}]") for q in ("lower quartile", "median", "upper quartile")
    )
    axis.fill_between(x, low[:, 0], high[:, 0], color=colour, alpha=0.18, lw=0)
    axis.plot(x, median[:, 0], color=colour, lw=1.2)
    return int(x[-1])


def span(values):
    """Least and most of some values as text, to two digits."""
    low, high = (number(float(f"{value:.2g}"), 2) for value in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"


def table_bound(part):
    fall = games(part, "bound").assign(value=lambda rows: 1 - rows.value)
    columns = {
        "worst step": "times faster [worst step]", "mean over steps": "times faster [mean]",
        "late step": "times faster than the bound", r"largest step over $\delta/L$": "largest step",
    }  # fmt: skip
    found = {head: games(part, metric) for head, metric in columns.items()}
    rows, cuts = [], []
    for (condition, coupling), promised in fall.groupby(["condition", "coupling"]):
        if rows and rows[-1]["Condition"] != f"{condition:g}":
            cuts.append(len(rows) - 1)
        row = {"Condition": f"{condition:g}", "coupling": f"{coupling:g}"}
        row[r"promised fall $\delta^2/L$"] = number(promised.value.median(), 2)
        for head, frame in found.items():
            row[head] = span(frame[(frame.condition == condition) & (frame.coupling == coupling)].value)
        rows.append(row)
    frame = pd.DataFrame(rows)
    frame.attrs["rules_after"] = tuple(cuts)
    return frame


def table_solution(part):
    metrics = ("curvature", "coupling", "step", "largest step", "asymptotic")
    found = {metric: part.baselines(metric).set_index("divergence").value for metric in metrics}
    rows = []
    for sampler in found["coupling"].index[found["coupling"].index.str.startswith("f-GAN ")]:
        curvature, coupling, step, largest, late = (found[metric][sampler] for metric in metrics)
        rows.append({
            "Divergence": sampler.removeprefix("f-GAN "),
            "curvature in $V$": number(curvature), "coupling": number(coupling),
            r"step $\delta/L$": number(step), "largest step": number(largest) if largest else "none",
            "factor of a late step": number(late, 4) if largest else "--",
        })  # fmt: skip
    return pd.DataFrame(rows)


def table_methods(part):
    arms = {(target, method): arm for target in ("ring", "univariate") for method, arm in trained(part, target).items()}
    heads = {key: f"{dict(ring='ring', univariate='mixture')[key[0]]}, {METHODS[key[1]][0]}" for key in arms}
    rows = []
    for name, info in part.divergences.items():
        row = {"Divergence": info["label"]}
        for (target, method), arm in arms.items():
            values = part.final(QUALITY[target][1], arm)
            values = values[values.divergence == name].value.to_numpy()
            row[heads[target, method]] = over_seeds(
                1000 * (values - least(part)[name]) if target == "univariate" else values
            )
        rows.append(row)
    failed = {"Divergence": "failed"}
    for key, arm in arms.items():
        flags = part.final("failed", arm).value
        failed[heads[key]] = f"{flags.sum():.0f} of {len(flags)}"
    frame = pd.DataFrame([*rows, failed])
    frame.attrs["rules_after"] = (len(rows) - 1,)
    return frame
