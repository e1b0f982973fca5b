"""Figures and tables of stacked MNIST, from its part of a record."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from fgan.report import converged, figures
from fgan.report.printed import number, over_seeds, summed
from fgan.report.statistics import t_interval
from fgan.report.tables import framed

MAIN = "unrolled_quarter"
SHOWN = 8  # images in a row of the sheet
SAMPLERS = {"fresh samples of P": "real stacks"} | {name: name for name in ("uniform classes", "one image", "noise")}
SETTINGS = {("unrolled", "quarter"): "V 1/4", ("unrolled", "half"): "V 1/2", ("veegan", "equal"): "VEEGAN's DCGAN"}
OTHERS = {"saddle": ", saddle", "relativistic_swapped": ", pairs"}  # objectives beside the alternative one
# Columns of modes and of KL in the published files.
COLUMNS = {
    "unrolled_stacked_mnist": ("modes_mean", "KL_mean"),
    "pacgan_table3_stacked_unrolled_setting": ("modes", "KL"),
    "pacgan_table2_stacked_veegan_setting": ("modes", "KL"),
    "veegan_table2_stacked_cifar": ("stacked_mnist_modes_of_1000", "KL"),
}
UNROLLED, PACGAN3, PACGAN2, VEEGAN = COLUMNS
PLAIN = "DCGAN (their run)"
# Published rows: the setting's label, paper, file, and the columns that find the row with their values.
ROWS = (
    ("V 1/4", "Unrolled GAN", UNROLLED, {"D_size": "1/4", "unroll_steps": 0}),
    ("V 1/4", "PacGAN", PACGAN3, {"D_size": "1/4", "method": PLAIN}),
    ("V 1/2", "Unrolled GAN", UNROLLED, {"D_size": "1/2", "unroll_steps": 0}),
    ("V 1/2", "PacGAN", PACGAN3, {"D_size": "1/2", "method": PLAIN}),
    ("V 1/4 packing 2", "PacGAN", PACGAN3, {"D_size": "1/4", "method": "PacDCGAN2"}),
    ("V 1/2 packing 2", "PacGAN", PACGAN3, {"D_size": "1/2", "method": "PacDCGAN2"}),
    ("V 1/4 unrolling 1", "Unrolled GAN", UNROLLED, {"D_size": "1/4", "unroll_steps": 1}),
    ("V 1/4 unrolling 5", "Unrolled GAN", UNROLLED, {"D_size": "1/4", "unroll_steps": 5}),
    ("V 1/2 unrolling 5", "Unrolled GAN", UNROLLED, {"D_size": "1/2", "unroll_steps": 5}),
    ("VEEGAN's DCGAN", "VEEGAN", VEEGAN, {"method": "DCGAN"}),
    ("VEEGAN's DCGAN", "PacGAN", PACGAN2, {"method": PLAIN}),
    ("VEEGAN's DCGAN packing 2", "PacGAN", PACGAN2, {"method": "PacDCGAN2"}),
)


def total(part):
    return 10 ** part.design["settings"]["target"]["stack"]


def label(factors):
    """An arm's label from its factors: protocol and width of V, then the remedy with its setting."""
    setting, remedy = SETTINGS[factors["protocol"], factors["width"]], factors["remedy"].replace("_", " ")
    return setting if remedy == "none" else f"{setting} {remedy} {factors.get('setting', '')}".rstrip()


def arms(part):
    """{label: arm} of the trained arms."""
    return {label(own["factors"]): arm for arm, own in part.arms.items()}


def published(source, wanted):
    """Modes and KL of the row of a published file whose columns have the values wanted."""
    rows = pd.read_csv(Path("paper", "published", f"{source}.csv"))
    (row,) = rows[(rows[list(wanted)] == pd.Series(wanted)).all(axis=1)].to_dict("records")
    return {metric: float(row[column]) for metric, column in zip(("modes", "KL"), COLUMNS[source], strict=True)}


def figure_samples(part):
    sheets = {part.labels[n]: f"samples/{MAIN}/{n}/alternative/0" for n in part.arms[MAIN]["divergences"]}
    sheets["real stacks"] = "real"
    stack = part.design["settings"]["target"]["stack"]
    side = round((part.samples["real"].shape[1] / stack) ** 0.5)
    wide = SHOWN * (stack * side + side // 3)
    figure, axes = figures.panels(len(sheets), 0.12 + 0.85 * figures.WIDTH * side / wide, columns=1, top=0)
    for axis, (name, array) in zip(axes, sheets.items(), strict=True):
        channels = part.samples[array][:SHOWN].reshape(-1, stack, side, side)
        beside = channels.transpose(0, 2, 1, 3).reshape(len(channels), -1)
        figures.sheet(axis, figures.strip(beside, (side, stack * side), side // 3, low=-1), name, vmin=-1)
    return figure


def figure_modes(part):
    """A row for each arm and objective, a colour for each divergence; grey diamonds are published values of GAN."""
    rows = [(arm, o) for arm, own in part.arms.items() for o in sorted(own["objectives"])][::-1]
    colours = figures.palette(part.divergences)
    figure, axes = plt.subplots(1, 2, sharey=True, figsize=(figures.WIDTH, 0.9 + 0.5 * len(rows)))
    handles = {part.labels[name]: figures.dot(colour) for name, colour in colours.items()}
    panels = {"modes": f"modes covered, of {total(part)}", "KL": "KL to uniform"}
    for axis, (metric, text) in zip(axes, panels.items(), strict=True):
        for name, offset in zip(colours, np.linspace(0.36, -0.36, len(colours) + 2)[1:-1], strict=True):
            seeds = {i: part.values(metric, arm, name, objective) for i, (arm, objective) in enumerate(rows)}
            seeds = {i: drawn for i, drawn in seeds.items() if len(drawn)}  # the layout makes room for an empty line
            figures.dots(axis, seeds, seeds.values(), colours[name], offset, spread=0.2 / len(colours))
        lines = {SAMPLERS[sampler]: part.baseline(metric, sampler) for sampler in ("fresh samples of P", "noise")}
        handles |= figures.references(axis, lines)
        for setting, _, source, wanted in ROWS if total(part) == 1000 else ():
            if (row := (arms(part).get(setting), "alternative")) in rows:
                at = published(source, wanted)[metric], rows.index(row)
                (handles["published (GAN)"],) = axis.plot(*at, "D", color=figures.GREY, mfc="none", ms=5, zorder=0)
        names = [label(part.arms[arm]["factors"]) + OTHERS.get(o, "") for arm, o in rows]
        axis.set(xlabel=text, ylim=(-0.5, len(rows) - 0.5))
        axis.set_yticks(range(len(rows)), names)
        axis.set_yticks(np.arange(len(rows) - 1) + 0.5, minor=True)
        axis.tick_params(axis="y", which="both", length=0)
        axis.grid(axis="y", which="minor", lw=0.3, color="#c5c5c5")
    figures.legend(figure, handles, ncols=min(6, len(handles)))
    return figure


def axes_of_rules(part):
    """Least numbers of samples and least confidences of the part's rules of counting, both rising."""
    return [np.unique(column) for column in part.samples["rules"].astype(float).round(3).T]


def by_rule(part, metric, name):
    """A metric [counts, confidences], mean over seeds of a divergence, or of a sampler without training."""
    counts, confidences = axes_of_rules(part)
    rules = part.rules("modes")
    means = [part.baseline(metric, name, rule=rule) for rule in rules]
    if name in part.labels:
        means = pd.DataFrame([part.values(metric, MAIN, name, "alternative", rule) for rule in rules]).mean(axis=1)
    return np.reshape(means, (len(confidences), len(counts))).T


def figure_rules(part):
    names = [*part.arms[MAIN]["divergences"], "fresh samples of P", "noise"]
    counts, confidences = axes_of_rules(part)
    figure, axes = figures.panels(len(names), 1.45, columns=3 if len(names) == 6 else 5)
    for axis, name in zip(axes, names, strict=True):
        modes = by_rule(part, "modes", name)
        axis.imshow(modes, cmap="Blues", vmin=0, vmax=total(part), aspect="auto")
        for (i, j), value in np.ndenumerate(modes):
            colour = "white" if value > 0.6 * total(part) else "black"
            text = f"{value:.0f}" if np.isfinite(value) else ""
            axis.text(j, i, text, ha="center", va="center", fontsize=7, color=colour)
        axis.set_xticks(range(len(confidences)), [f"{least:g}" for least in confidences])
        axis.set_yticks(range(len(counts)), [f"{count:g}" for count in counts])
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
        axis.set_title((part.labels | SAMPLERS)[name])
    figure.supxlabel("least confidence of the classifier")
    figure.supylabel("least samples")
    return figure


def table_rules(part):
    rows, cuts, (counts, confidences) = [], [], axes_of_rules(part)
    for name in [*part.arms[MAIN]["divergences"], *SAMPLERS]:
        modes, divergence = by_rule(part, "modes", name), by_rule(part, "KL", name)
        for j, least in enumerate(confidences):
            row = {"Samples of": "" if j else (part.labels | SAMPLERS)[name], "confidence": f"{least:g}"}
            row |= {f"modes, {count:g} or more": number(modes[i, j]) for i, count in enumerate(counts)}
            row |= {f"KL, {counts[i]:g} or more": number(divergence[i, j]) for i in (0, -1)}
            rows.append(row)
        cuts.append(len(rows) - 1)
    return framed(rows, cuts[:-1])


def table_published(part):
    rows = []
    for setting, paper, source, wanted in ROWS:
        printed, arm = published(source, wanted), arms(part).get(setting, "not trained")
        covered, divergence = (part.values(metric, arm, "gan", "alternative") for metric in ("covered", "KL"))
        row = {"Setting": setting, "published by": paper, "covered, published": number(printed["modes"] / 1000)}
        row |= {"covered, here": "not run", "KL, published": number(printed["KL"]), "KL, here": "not run"}
        row |= dict.fromkeys(("not converged", "failed"), "not run")
        if len(covered):
            row["covered, here"] = summed(
                covered, lambda v: f"{number(v.mean())} [{number(v.min())}, {number(v.max())}]"
            )
            row["KL, here"] = over_seeds(divergence)
            row |= converged.columns(part, arm, "gan", "alternative")
        rows.append(row)
    # Settings that this record did not train are listed with the claims; without any, the published values stand alone.
    return pd.DataFrame([row for row in rows if row["covered, here"] != "--"] or rows)


def statistic_rule_over_divergence(part):
    """Range of modes over rules, less that over divergences: mean over seeds, t interval, seeds; a failed run is 0.

    In each seed max - min over rules of the mean over divergences, less max - min over divergences under the published
    rule. The second range is taken within a seed, so noise widens it. Both are ranges of counts of the same samples, so
    they are of all runs; the share that has not converged is said.
    """
    names, rules = part.arms[MAIN]["divergences"], part.rules("modes")
    cube = np.nan_to_num([[part.values("modes", MAIN, n, "alternative", rule) for rule in rules] for n in names])
    ranges = np.ptp(cube.mean(axis=0), axis=0) - np.ptp(cube[:, 0], axis=0)
    return *t_interval(ranges), len(ranges), converged.unconverged(part, [MAIN], names, ["alternative"])
