"""Figures and tables of the latent space, from its part of a record."""

import math

import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.ticker import NullFormatter

from fgan.record.write import named
from fgan.report import figures
from fgan.report.printed import defined, number, out_of
from fgan.report.tables import framed

CORE = ("kl", "reverse_kl", "pearson", "gan")  # in the map and the closest pairs, as many as were trained
SAMPLERS = {"data": "real data", "linear map": "linear map", "one mode": "one mode or image"}
# Arms and objectives on either target, with their names and the colours of their dots.
GROUPS = {
    "ring": {
        ("ring", "saddle"): ("ring, saddle", figures.OBJECTIVES["saddle"]),
        ("ring", "alternative"): ("ring, alternative", figures.OBJECTIVES["alternative"]),
        ("small", "saddle"): ("small start", "#2b2b2b"),
    },
    "digits": {("digits", "saddle"): ("digits", figures.OBJECTIVES["saddle"])},
}
MODE, POINT = ("relative collisions", "same mode"), ("relative collisions", "same point")
# Columns of the tables: a metric, or (metric, rule), and its heading.
COLUMNS = {
    "ring": {
        "modes": "modes", "high_quality": "in a mode", MODE: "same mode", POINT: "same point",
        "rank correlation": "rank corr.", "log condition": "log condition", "log volume": "log stretch",
        "preimages": "preimages",
    },
    "digits": {
        "modes": "classes", "mode divergence": "KL of classes", MODE: "same class", POINT: "same point",
        ("birthday", "same point"): "s", "alone": "alone", "rank correlation": "rank corr.",
        "log condition": "log condition", "local rank": "local rank", "log volume": "log stretch",
    },
}  # fmt: skip
CORRELATED = {
    ("birthday", "same point"): "birthday s, same point", "alone": "alone", "local rank": "local rank",
    MODE: "relative collisions, same mode", POINT: "relative collisions, same point",
    ("far collisions", "same mode"): "far collisions, same mode",
    ("far collisions", "same point"): "far collisions, same point", "rank correlation": "rank corr.",
    "log condition": "log condition", "log volume": "log stretch", "effective modes": "effective modes",
    "preimages": "preimages",
}  # fmt: skip


def groups(part, place):
    """The groups of a target that the part holds."""
    own = {(arm, objective) for arm, settings in part.arms.items() for objective in settings["objectives"]}
    return {group: style for group, style in GROUPS[place].items() if group in own}


def of_all(part, metric, rule, arm, objective):
    """Judged values of all runs of a group, divergence by divergence; empty if the group lacks the metric."""
    own = [values for (_, o), values in part.by_run(metric, arm, rule).items() if o == objective]
    return np.concatenate(own) if own else np.array([])


def untrained(part, metric, rule, place):
    """{label: mean} of the samplers without training on one target."""
    means = part.samplers(metric, rule)
    return {label: means[f"{name}, {place}"] for name, label in SAMPLERS.items() if f"{name}, {place}" in means}


def core(part, arm):
    return [name for name in CORE if name in part.arms[arm]["divergences"]]


def colours(modes):
    """A colour for each mode, followed by a pale one for the points outside of each mode's radius."""
    strong = [to_rgb(colour) for colour in figures.palette(range(modes)).values()]
    return ListedColormap(strong + [tuple(0.25 * np.array(colour) + 0.75) for colour in strong])


def figure_map(part):
    total, reach = part.measure["ring"]["modes"], part.measure["shown_reach"]
    rows, colour = groups(part, "ring"), colours(total)
    names = [name for name in CORE if any(name in core(part, arm) for arm, _ in rows)]
    figure, axes = figures.panels(len(rows) * (1 + len(names)), 1.3, columns=1 + len(names), top=0.2)
    for axis in axes:
        axis.set_aspect("equal")
        axis.set_axis_off()
    look = {"cmap": colour, "vmin": -0.5, "vmax": 2 * total - 0.5, "origin": "lower", "interpolation": "nearest"}
    lines = np.reshape(axes, (len(rows), -1))
    for (first, *others), ((arm, objective), (title, _)) in zip(lines, rows.items(), strict=True):
        centres = figures.centres({"kind": "ring", "modes": total, "radius": 1.3})
        first.scatter(*centres.T, s=22, c=colour.colors[:total])
        first.set(xlim=(-1.9, 1.9), ylim=(-1.9, 1.9))
        first.text(0, 0, title.replace(", ", "\n").replace(" ", "\n"), ha="center", va="center", fontsize=7)
        for axis, name in zip(others, names, strict=True):
            if name in core(part, arm):
                plane = part.samples[f"map/{arm}/{name}/{objective}/0"].astype(float).T
                axis.imshow(plane, **look, extent=(-reach, reach, -reach, reach))
                modes = part.values("modes", arm, name, objective)[0]
                axis.set_title(f"{part.labels[name]}: {out_of(modes, total)}", pad=2, fontsize=7)
    return figure


def figure_collisions(part):
    panels = {
        "ring\nsame mode": ("ring", MODE), "ring\nsame point": ("ring", POINT),
        "digits\nsame class": ("digits", MODE), "digits\nsame point": ("digits", POINT),
    }  # fmt: skip
    names, handles = list(part.divergences)[::-1], {}
    figure, axes = figures.panels(4, 0.3 * len(names), top=1.5, sharey=True)
    for axis, (label, (place, (metric, rule))) in zip(axes, panels.items(), strict=True):
        own = groups(part, place)
        for offset, ((arm, objective), (title, colour)) in zip((0.25, 0.0, -0.25), own.items(), strict=False):
            for row, name in enumerate(names):
                seeds = part.values(metric, arm, name, objective, rule)
                seeds = seeds[np.isfinite(seeds) & (seeds > 0)]
                figures.dots(axis, [row], [seeds], colour, offset if len(own) > 1 else 0.0, spread=0.09)
            if place == "ring":
                handles[title] = figures.dot(colour)
        known = untrained(part, metric, rule, place)
        handles |= figures.references(axis, {n: mean if mean > 0 else math.nan for n, mean in known.items()})
        figures.row_labels(axis, [part.labels[name] for name in names])
        axis.set(xscale="log", xlabel=label)
        axis.xaxis.set_minor_formatter(NullFormatter())
    figure.supxlabel("pairs, relative to real data")
    figures.legend(figure, handles, ncols=3)
    return figure


def figure_modes(part):
    total, handles = part.measure["ring"]["modes"], {}
    figure, axes = figures.panels(3, 2, columns=3)
    counts = np.linspace(0.6, total, 100)
    axes[0].plot(counts, total / counts, color=figures.GREY, lw=0.8)
    axes[1].plot([0, total], [0, total], color=figures.GREY, lw=0.8)
    for group, (title, colour) in groups(part, "ring").items():
        pairs, points = of_all(part, *MODE, *group), of_all(part, *POINT, *group)
        modes, effective, preimages = (of_all(part, m, "", *group) for m in ("modes", "effective modes", "preimages"))
        modes = modes + np.linspace(-0.25, 0.25, len(modes))
        for axis, x, y in zip(axes, (modes, modes, points), (pairs, effective, preimages), strict=True):
            x, y = (np.where(np.isfinite(v) & ((v > 0) | (v is modes)), v, np.nan) for v in (x, y))
            (handles[title],) = axis.plot(x, y, "o", ms=3, mew=0, alpha=0.7, color=colour)
    within = (-0.5, total + 0.5)
    axes[0].set(yscale="log", xlabel="modes covered", ylabel="pairs in the same mode", xlim=within)
    axes[1].set(xlabel="modes covered", ylabel="modes that pairs count", xlim=within, ylim=(0, 1.15 * total))
    axes[2].set(xscale="log", xlabel="pairs at the same point", ylabel="preimages", ylim=(0, None))
    axes[2].xaxis.set_minor_formatter(NullFormatter())
    figures.legend(figure, handles)
    return figure


def figure_pairs(part):
    rows = {part.labels[name]: part.samples[f"pairs/digits/{name}/saddle/0"] for name in core(part, "digits")}
    rows |= {"real images": part.samples["pairs/data"]}
    figure, axes = figures.panels(len(rows), 0.52, columns=1, top=0)
    figure.get_layout_engine().set(rect=(0.1, 0, 0.9, 1))  # the labels stand beside the axes
    for axis, (label, images) in zip(axes, rows.items(), strict=True):
        side = math.isqrt(images.shape[1])
        pairs = np.concatenate(list(images.reshape(-1, 2, side, side).transpose(1, 0, 2, 3)), axis=2)  # side by side
        strip = figures.strip(pairs, (side, 2 * side), gap=side // 2)
        figures.sheet(axis, strip[:, : -(side // 2)], label)
    return figure


def measures(part, place):
    """Medians over seeds of some metrics by arm, objective and divergence, and means of samplers without training."""
    rows, cuts, columns = [], [], named(COLUMNS[place])

    def first(label, arm):
        return {"Trained on": label} | ({"arm": arm} if place == "ring" else {})

    for (arm, objective), (title, _) in groups(part, place).items():
        for name in part.arms[arm]["divergences"]:
            rows.append(first(part.labels[name], title) | {
                heading: defined(part.values(metric, arm, name, objective, rule), np.median)
                for metric, rule, heading in columns
            })  # fmt: skip
        cuts.append(len(rows) - 1)
    for label in SAMPLERS.values():
        means = {heading: untrained(part, metric, rule, place).get(label) for metric, rule, heading in columns}
        rows.append(first(label, "none") | {h: "" if mean is None else number(mean) for h, mean in means.items()})
    return framed(rows, cuts)


def table_ring(part):
    return measures(part, "ring")


def table_digits(part):
    return measures(part, "digits")


def table_correlation(part):
    """Spearman's correlation of each measure with the loss of modes, over the runs of a group that did not fail."""
    rows = [{"Measure": heading} for heading in CORRELATED.values()]
    for place, against in (("ring", "modes"), ("digits", "mode divergence")):
        for group, (title, _) in groups(part, place).items():
            lost, failed = (of_all(part, metric, "", *group) for metric in (against, "failed"))
            for row, (metric, rule, _) in zip(rows, named(CORRELATED), strict=True):
                values = of_all(part, metric, rule, *group)
                pairs = pd.DataFrame({"lost": lost, "value": values if len(values) else np.nan})
                ranks = pairs[np.isfinite(lost) & (failed == 0)].dropna().rank()
                correlation = ranks.corr().iloc[0, 1] if len(ranks) > 2 else math.nan
                row[f"{title} ({(failed == 0).sum()} runs)"] = number(correlation, 2) if len(ranks) > 2 else "too few"
    return pd.DataFrame(rows)
