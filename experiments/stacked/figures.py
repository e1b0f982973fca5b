"""Figures and tables of stacked MNIST, from its part of a record."""

import functools
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from fgan import figures, tables
from fgan.statistics import t_interval
from fgan.tables import number

PUBLISHED = Path("paper", "published")
MAIN = "unrolled_quarter"
SHOWN = 8  # images in a row of the sheet
SAMPLERS = {"fresh samples of P": "real stacks"} | {name: name for name in ("uniform classes", "one image", "noise")}
# Columns of modes and of KL in the published files.
COLUMNS = {
    "unrolled_stacked_mnist": ("modes_mean", "KL_mean"),
    "pacgan_table3_stacked_unrolled_setting": ("modes", "KL"),
    "pacgan_table2_stacked_veegan_setting": ("modes", "KL"),
    "veegan_table2_stacked_cifar": ("stacked_mnist_modes_of_1000", "KL"),
}
UNROLLED, PACGAN3, PACGAN2, VEEGAN = COLUMNS
PLAIN = "DCGAN (their run)"
# Published rows: arm, paper, file, and the columns that find the row with their values.
ROWS = (
    ("unrolled_quarter", "Unrolled GAN", UNROLLED, {"D_size": "1/4", "unroll_steps": 0}),
    ("unrolled_quarter", "PacGAN", PACGAN3, {"D_size": "1/4", "method": PLAIN}),
    ("unrolled_half", "Unrolled GAN", UNROLLED, {"D_size": "1/2", "unroll_steps": 0}),
    ("unrolled_half", "PacGAN", PACGAN3, {"D_size": "1/2", "method": PLAIN}),
    ("unrolled_quarter_packing_2", "PacGAN", PACGAN3, {"D_size": "1/4", "method": "PacDCGAN2"}),
    ("unrolled_half_packing_2", "PacGAN", PACGAN3, {"D_size": "1/2", "method": "PacDCGAN2"}),
    ("unrolled_quarter_unrolling_1", "Unrolled GAN", UNROLLED, {"D_size": "1/4", "unroll_steps": 1}),
    ("unrolled_quarter_unrolling_5", "Unrolled GAN", UNROLLED, {"D_size": "1/4", "unroll_steps": 5}),
    ("unrolled_half_unrolling_5", "Unrolled GAN", UNROLLED, {"D_size": "1/2", "unroll_steps": 5}),
    ("veegan", "VEEGAN", VEEGAN, {"method": "DCGAN"}),
    ("veegan", "PacGAN", PACGAN2, {"method": PLAIN}),
    ("veegan_packing_2", "PacGAN", PACGAN2, {"method": "PacDCGAN2"}),
)


def total(part):
    return 10 ** part.design["settings"]["target"]["stack"]


def values(part, metric, arm, divergence, objective="alternative"):
    return tables.by_run(part, metric, arm).get((divergence, objective), np.array([]))


def title(part, name):
    return part.divergences[name]["label"] if name in part.divergences else SAMPLERS[name]


def label(arm):
    short = {"unrolled_quarter": "V 1/4", "unrolled_half": "V 1/2", "veegan": "VEEGAN's DCGAN", "_": " "}
    return functools.reduce(lambda text, key: text.replace(key, short[key]), short, arm)


def published(source, wanted):
    """Modes and KL of the row of a published file whose columns have the values wanted."""
    rows = pd.read_csv(PUBLISHED / f"{source}.csv")
    for column, value in wanted.items():
        rows = rows[rows[column] == value]
    (row,) = rows.to_dict("records")
    return {metric: float(row[column]) for metric, column in zip(("modes", "KL"), COLUMNS[source], strict=True)}


def figure_samples(part):
    names = part.arms[MAIN]["divergences"]
    sheets = {title(part, n): part.samples[f"samples/{MAIN}/{n}/alternative/0"] for n in names}
    sheets["real stacks"] = part.samples["real"]
    stack = part.design["settings"]["target"]["stack"]
    side = round((part.samples["real"].shape[1] / stack) ** 0.5)
    wide = SHOWN * (stack * side + side // 3)
    height = (0.12 + 0.85 * figures.WIDTH * side / wide) * len(sheets)
    figure, axes = plt.subplots(len(sheets), 1, squeeze=False, figsize=(figures.WIDTH, height))
    for axis, (name, images) in zip(axes.flat, sheets.items(), strict=True):
        channels = images[:SHOWN].astype(float).reshape(-1, stack, side, side)
        beside = channels.transpose(0, 2, 1, 3).reshape(-1, side, stack * side)
        gap = ((0, 0), (0, 0), (0, side // 3))
        axis.imshow(
            np.concatenate(list(np.pad(beside, gap, constant_values=-1)), axis=1), cmap="gray_r", vmin=-1, vmax=1
        )
        axis.set_axis_off()
        axis.annotate(name, (-0.01, 0.5), xycoords="axes fraction", ha="right", va="center", fontsize=7)
    return figure


def figure_modes(part):
    """A row for each arm and objective, a colour for each divergence; grey diamonds are published values of GAN."""
    rows = [(arm, o) for arm, own in part.arms.items() for o in sorted(own["objectives"])][::-1]
    colours = figures.palette(part.divergences)
    figure, axes = plt.subplots(1, 2, sharey=True, figsize=(figures.WIDTH, 0.9 + 0.5 * len(rows)))
    drawn = {n: plt.Line2D([], [], ls="", marker="o", ms=3, color=colour) for n, colour in colours.items()}
    handles = {part.divergences[n]["label"]: handle for n, handle in drawn.items()}
    panels = [("modes", f"modes covered, of {total(part)}"), ("KL", "KL to uniform")]
    for axis, (metric, text) in zip(axes, panels, strict=True):
        for name, offset in zip(colours, np.linspace(0.36, -0.36, len(colours) + 2)[1:-1], strict=True):
            found = {i: values(part, metric, arm, name, objective) for i, (arm, objective) in enumerate(rows)}
            found = {i: runs for i, runs in found.items() if len(runs)}  # the layout makes room for an empty line
            figures.dots(axis, found, found.values(), colours[name], offset, spread=0.2 / len(colours))
        for sampler, style in (("fresh samples of P", "-"), ("noise", ":")):
            at = tables.untrained(part, metric)[sampler]
            handles[SAMPLERS[sampler]] = axis.axvline(at, color=figures.GREY, lw=0.8, ls=style, zorder=0)
        for arm, _, source, wanted in ROWS if total(part) == 1000 else ():
            if (arm, "alternative") in rows:
                at = published(source, wanted)[metric], rows.index((arm, "alternative"))
                (handles["published (GAN)"],) = axis.plot(*at, "D", color=figures.GREY, mfc="none", ms=5, zorder=0)
        axis.set_xlabel(text)
        axis.set_ylim(-0.5, len(rows) - 0.5)
        axis.set_yticks(range(len(rows)), [label(a) + (", saddle" if o == "saddle" else "") for a, o in rows])
        axis.set_yticks(np.arange(len(rows) - 1) + 0.5, minor=True)
        axis.tick_params(axis="y", which="both", length=0)
        axis.grid(axis="y", which="minor", lw=0.3, color="#c5c5c5")
    figure.legend(handles.values(), handles, loc="outside upper center", ncols=min(6, len(handles)))
    return figure


def rules(part):
    """Least numbers of samples and least confidences of the part's rules of counting."""
    names = part.measurements.metric.unique()
    found = [match for name in names if (match := re.fullmatch(r"modes \[(\d+), confidence ([\d.]+)\]", name))]
    return sorted({int(m[1]) for m in found}), sorted({float(m[2]) for m in found})


def by_rule(part, metric, name):
    """A metric [counts, confidences], mean over seeds of a divergence, or of a sampler without training."""
    counts, confidences = rules(part)

    def mean(rule):
        if name in part.divergences:
            found = values(part, rule, MAIN, name)
            return float(np.nanmean(found)) if np.isfinite(found).any() else np.nan
        return float(tables.untrained(part, rule)[name])

    return np.array([[mean(f"{metric} [{count}, confidence {least:g}]") for least in confidences] for count in counts])


def figure_rules(part):
    names = [*part.arms[MAIN]["divergences"], "fresh samples of P", "noise"]
    counts, confidences = rules(part)
    columns = min(3 if len(names) == 6 else 5, len(names))
    rows = -(-len(names) // columns)
    figure, axes = plt.subplots(rows, columns, squeeze=False, figsize=(figures.WIDTH, 0.5 + 1.45 * rows))
    for axis in axes.flat[len(names) :]:
        axis.set_visible(False)
    for axis, name in zip(axes.flat, names, strict=False):
        found = by_rule(part, "modes", name)
        axis.imshow(found, cmap="Blues", vmin=0, vmax=total(part), aspect="auto")
        for (i, j), value in np.ndenumerate(found):
            dark = value > 0.6 * total(part)
            axis.text(j, i, f"{value:.0f}", ha="center", va="center", fontsize=7, color="white" if dark else "black")
        axis.set_xticks(range(len(confidences)), [f"{least:g}" for least in confidences])
        axis.set_yticks(range(len(counts)), counts)
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
        axis.set_title(title(part, name))
    figure.supxlabel("least confidence of the classifier", fontsize=8)
    figure.supylabel("least samples", fontsize=8)
    return figure


def table_rules(part):
    rows, cuts, (counts, confidences) = [], [], rules(part)
    for name in [*part.arms[MAIN]["divergences"], *SAMPLERS]:
        modes, divergence = by_rule(part, "modes", name), by_rule(part, "KL", name)
        for j, least in enumerate(confidences):
            row = {"Samples of": "" if j else title(part, name), "confidence": f"{least:g}"}
            row |= {f"modes, {count} or more": number(modes[i, j]) for i, count in enumerate(counts)}
            row |= {f"KL, {count} or more": number(divergence[i, j]) for i, count in enumerate(counts) if i in (0, 3)}
            rows.append(row)
        cuts.append(len(rows) - 1)
    frame = pd.DataFrame(rows)
    frame.attrs["rules_after"] = tuple(cuts[:-1])
    return frame


def table_published(part):
    rows = []
    for arm, paper, source, wanted in ROWS:
        printed, ours = published(source, wanted), values(part, "covered", arm, "gan") if arm in part.arms else ()
        row = {"Setting": label(arm), "published by": paper, "covered, published": number(printed["modes"] / 1000)}
        row |= {"covered, here": "--", "KL, published": number(printed["KL"]), "KL, here": "--"}
        if np.isfinite(ours).any():
            least, most = np.nanmin(ours), np.nanmax(ours)
            row["covered, here"] = f"{number(np.nanmean(ours))} [{number(least)}, {number(most)}]"
            row["KL, here"] = tables.over_seeds(values(part, "KL", arm, "gan"))
        rows.append(row)
    return pd.DataFrame(rows)


def statistic_rule_over_divergence(part):
    """Modes that rules move, less modes that divergences move: mean over seeds, t interval; a failed run covers none.

    In each seed max - min over rules of the mean over divergences, less max - min over divergences under the published
    rule. The second is the wider for being taken within a seed, where noise adds to it.
    """
    names = part.arms[MAIN]["divergences"]
    counts, confidences = rules(part)
    every = [f"modes [{count}, confidence {least:g}]" for count in counts for least in confidences]
    cube = np.nan_to_num([[values(part, rule, MAIN, name) for rule in every] for name in names])
    return t_interval(np.ptp(cube.mean(axis=0), axis=0) - np.ptp(cube[:, 0], axis=0))
