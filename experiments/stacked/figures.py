"""Figures and tables of the stacked digits, from their part of a record."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from fgan import figures, tables
from fgan.metrics.stacked_modes import CONFIDENCES, COUNTS
from fgan.statistics import t_interval
from fgan.tables import number, plus_minus

PUBLISHED = Path("paper", "published")
MAIN = "unrolled_quarter"
SHOWN = 12  # images in a row of the sheet
COLOURS = {"unrolled_quarter": "#0b6e99", "unrolled_half": "#d9730d", "unrolled_quarter_packing_2": "#3c8d40"}
# Published rows by arm: file, the columns that find the row with their values, columns of modes and of KL.
ROWS = {
    "unrolled_quarter": ("unrolled_stacked_mnist", {"D_size": "1/4", "unroll_steps": 0}, "modes_mean", "KL_mean"),
    "unrolled_half": ("unrolled_stacked_mnist", {"D_size": "1/2", "unroll_steps": 0}, "modes_mean", "KL_mean"),
    "unrolled_quarter_unrolling_1": (
        "unrolled_stacked_mnist", {"D_size": "1/4", "unroll_steps": 1}, "modes_mean", "KL_mean"),
    "unrolled_quarter_unrolling_5": (
        "unrolled_stacked_mnist", {"D_size": "1/4", "unroll_steps": 5}, "modes_mean", "KL_mean"),
    "unrolled_quarter_packing_2": (
        "pacgan_table3_stacked_unrolled_setting", {"D_size": "1/4", "method": "PacDCGAN2"}, "modes", "KL"),
    "unrolled_half_packing_2": (
        "pacgan_table3_stacked_unrolled_setting", {"D_size": "1/2", "method": "PacDCGAN2"}, "modes", "KL"),
    "veegan": ("pacgan_table2_stacked_veegan_setting", {"method": "DCGAN (their run)"}, "modes", "KL"),
    "veegan_packing_2": ("pacgan_table2_stacked_veegan_setting", {"method": "PacDCGAN2"}, "modes", "KL"),
}  # fmt: skip


def total(part):
    return 10 ** part.design["settings"]["target"]["stack"]


def values(part, metric, arm, divergence):
    rows = part.final(metric, arm)
    return rows[rows.divergence == divergence].value.to_numpy()


def label(arm):
    return arm.replace("unrolled_quarter", "V 1/4").replace("unrolled_half", "V 1/2").replace("_", " ")


def rule(count, confidence):
    return f"modes [{count}, confidence {confidence:g}]"


def figure_samples(part):
    names = part.arms[MAIN]["divergences"]
    sheets = {part.divergences[n]["label"]: part.samples[f"samples/{MAIN}/{n}/alternative/0"] for n in names}
    sheets["real"] = part.samples["real"]
    stack = part.design["settings"]["target"]["stack"]
    figure, axes = plt.subplots(len(sheets), 1, squeeze=False, figsize=(figures.WIDTH, 0.42 * stack * len(sheets)))
    figure.get_layout_engine().set(rect=(0.12, 0, 0.88, 1))  # the labels stand beside the axes
    for axis, (name, images) in zip(axes.flat, sheets.items(), strict=True):
        side = round((images.shape[1] / stack) ** 0.5)
        tall = images[:SHOWN].astype(float).reshape(-1, stack * side, side)
        gap = ((0, 0), (0, 0), (0, max(1, side // 8)))
        axis.imshow(np.concatenate(list(np.pad(tall, gap, constant_values=-1)), axis=1), cmap="gray_r", vmin=-1, vmax=1)
        axis.set_axis_off()
        axis.annotate(name, (-0.01, 0.5), xycoords="axes fraction", ha="right", va="center", fontsize=7)
    return figure


def figure_modes(part):
    arms = [arm for arm in COLOURS if arm in part.arms]
    names = part.arms[MAIN]["divergences"][::-1]
    figure, axes = plt.subplots(1, 2, sharey=True, figsize=(figures.WIDTH, 1.0 + 0.42 * len(names)))
    panels = [("modes", f"modes covered, of {total(part)}"), ("KL", "KL to uniform")]
    for axis, (metric, text) in zip(axes, panels, strict=True):
        for arm, offset in zip(arms, np.linspace(0.24, -0.24, len(arms)) if len(arms) > 1 else (0,), strict=True):
            found = [values(part, metric, arm, name) for name in names]
            figures.dots(axis, range(len(names)), found, COLOURS[arm], offset, spread=0.07)
        real = float(tables.untrained(part, metric)["fresh samples of P"])
        line = axis.axvline(real, color=figures.GREY, lw=0.8, zorder=0)
        axis.set_xlabel(text)
        axis.set_yticks(range(len(names)), [part.divergences[n]["label"] for n in names])
        axis.grid(axis="y", lw=0.3, color="#e5e5e5")
    handles = [plt.Line2D([], [], ls="", marker="o", ms=3, color=COLOURS[arm]) for arm in arms]
    figure.legend([*handles, line], [*map(label, arms), "real stacks"], loc="outside upper center", ncols=4)
    return figure


def table_of_rules(part, name):
    """Modes [counts, confidences] of a divergence, means over seeds, or of a sampler without training."""

    def mean(metric):
        if name in part.divergences:
            return float(values(part, metric, MAIN, name).mean())
        return float(tables.untrained(part, metric)[name])

    return np.array([[mean(rule(count, least)) for least in CONFIDENCES] for count in COUNTS])


def figure_rules(part):
    names = [*part.arms[MAIN]["divergences"], "fresh samples of P"]
    columns = min(5, len(names))
    rows = -(-len(names) // columns)
    figure, axes = plt.subplots(rows, columns, squeeze=False, figsize=(figures.WIDTH, 0.5 + 1.45 * rows))
    for axis in axes.flat:
        axis.set_visible(False)
    for axis, name in zip(axes.flat, names, strict=False):
        axis.set_visible(True)
        found = table_of_rules(part, name)
        axis.imshow(found, cmap="Blues", vmin=0, vmax=total(part), aspect="auto")
        for (i, j), value in np.ndenumerate(found):
            dark = value > 0.6 * total(part)
            axis.text(j, i, f"{value:.0f}", ha="center", va="center", fontsize=7, color="white" if dark else "black")
        axis.set_xticks(range(len(CONFIDENCES)), [f"{least:g}" for least in CONFIDENCES])
        axis.set_yticks(range(len(COUNTS)), COUNTS)
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
        axis.set_title(part.divergences[name]["label"] if name in part.divergences else "real stacks")
    figure.supxlabel("least confidence of the classifier", fontsize=8)
    figure.supylabel("least samples", fontsize=8)
    return figure


def table_rules(part):
    rows = []
    for name in [*part.arms[MAIN]["divergences"], "fresh samples of P", "one image"]:
        title = part.divergences[name]["label"] if name in part.divergences else name
        row, found = {"Samples of": title}, table_of_rules(part, name)
        for j, least in enumerate(CONFIDENCES):
            row |= {f"{count} at {least:g}": number(float(found[i, j])) for i, count in enumerate(COUNTS)}
        rows.append(row)
    frame = pd.DataFrame(rows)
    frame.attrs["rules_after"] = (len(rows) - 3,)
    return frame


def table_published(part):
    rows = []
    for arm, (source, wanted, modes, divergence) in ROWS.items():
        printed = pd.read_csv(PUBLISHED / f"{source}.csv")
        for column, value in wanted.items():
            printed = printed[printed[column] == value]
        row = {"Setting": label(arm), "file": f"{source}.csv"}
        row |= {"modes, published": number(float(printed[modes].iloc[0]), 4)}
        row |= {"KL, published": number(float(printed[divergence].iloc[0]))}
        for metric in ("modes", "KL"):
            ours = values(part, metric, arm, "gan") if arm in part.arms else ()
            row[f"{metric}, here"] = plus_minus(*t_interval(ours)) if len(ours) else "--"
        rows.append(row)
    return pd.DataFrame(rows)


def statistic_rule_over_divergence(part):
    """Range of modes over rules (mean of the divergences) less that over divergences (headline rule), in modes.

    Estimate and a bootstrap interval over seeds.
    """
    names = part.arms[MAIN]["divergences"]
    rules = [rule(count, least) for count in COUNTS for least in CONFIDENCES]
    cube = np.array([[values(part, metric, MAIN, name) for metric in rules] for name in names])

    def ranges(chosen):
        means = cube[:, :, chosen].mean(axis=2)
        return np.ptp(means.mean(axis=0)) - np.ptp(means[:, 0])

    seeds, random = cube.shape[2], np.random.default_rng(0)
    drawn = [ranges(random.integers(seeds, size=seeds)) for _ in range(2000)]
    return float(ranges(np.arange(seeds))), *map(float, np.quantile(drawn, (0.025, 0.975)))
