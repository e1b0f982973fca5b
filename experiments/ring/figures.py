"""Figures and tables of the ring, from its part of a record."""

import math

import matplotlib.pyplot as plt
import pandas as pd

from fgan import figures, tables
from fgan.statistics import detectable, wilson
from fgan.tables import number

ARM = "tanh"


def by_run(part, metric):
    return tables.by_run(part, metric, ARM)


def total(part):
    return part.design["settings"]["target"]["modes"]


def figure_modes(part):
    return figures.modes(part, ARM, total(part))


def figure_distribution(part):
    return figures.distribution(part, ARM, total(part))


def figure_samples(part):
    return figures.samples(part, ARM)


def figure_trajectory(part):
    history = {
        q: part.history(f"watched modes{q}") for q in ("", " [lower quartile]", " [median]", " [upper quartile]")
    }
    figure, axes = plt.subplots(3, 4, figsize=(figures.WIDTH, 3.8), sharex=True, sharey=True)
    for axis, (name, info) in zip(axes.flat, part.divergences.items(), strict=False):
        for objective, colour in figures.OBJECTIVES.items():
            single, low, median, high = (
                rows[(rows.divergence == name) & (rows.objective == objective) & (rows.arm == ARM)]
                .pivot(index="step", columns="seed", values="value")
                for rows in history.values()
            )  # fmt: skip
            axis.plot(single.index, single, color=colour, lw=0.4, alpha=0.45)
            axis.fill_between(low.index, low[-1], high[-1], color=colour, alpha=0.15, lw=0)
            axis.plot(median.index, median, color=colour, lw=1.4)
        axis.set_title(info["label"])
        axis.set_ylim(-0.3, 8.3)
        axis.set_yticks([0, 4, 8])
    figure.supxlabel("step", fontsize=8)
    figure.supylabel("modes covered", fontsize=8)
    handles = [plt.Line2D([], [], lw=1.4, color=c) for c in figures.OBJECTIVES.values()]
    figure.legend(handles, list(figures.OBJECTIVES), loc="outside upper center", ncols=2)
    return figure


def table_modes(part):
    return tables.modes(part, ARM, total(part))


def table_power(part):
    """What a number of seeds can show: the design of a comparison, not a measurement."""
    own, comparisons = part.arms[ARM]["seeds"], math.comb(len(part.divergences), 2)
    rows = []
    for n in sorted({5, 10, 20, 50, 100, 200, own}):
        row = {"Seeds": f"{n} (here)" if n == own else str(n), "0 of all: upper end": number(wilson(0, n)[2], 2)}
        row["all: lower end"] = number(wilson(n, n)[1], 2)
        row["half: interval"] = "[{:.2f}, {:.2f}]".format(*wilson(n // 2, n)[1:])
        row["difference found"] = number(detectable(n), 2)
        row[f"corrected for {comparisons}"] = number(detectable(n, comparisons), 2)
        rows.append(row)
    return pd.DataFrame(rows)


def table_alternative(part):
    frame = tables.alternative(part, dict.fromkeys(figures.OBJECTIVES, ARM), {"modes": "modes"})
    quality = part.history("watched high_quality [median]")
    for objective in figures.OBJECTIVES:
        steps = []
        for name in part.divergences:
            rows = quality[(quality.divergence == name) & (quality.objective == objective)].sort_values("step")
            reached = rows[rows.value >= 0.5].step
            steps.append(f"{reached.iloc[0]:,}" if len(reached) else "never")
        frame[f"half in a mode at step: {objective}"] = steps
    return frame


def table_rules(part):
    rules = [m for m in part.measurements.metric.unique() if m.startswith("modes [")]
    rows = []
    for sampler in tables.untrained(part, "modes"):
        rows.append({"Sampler": sampler} | {r[7:-1]: f"{tables.untrained(part, r)[sampler]:.2f}" for r in rules})
    cuts, found = [len(rows) - 1], {rule: by_run(part, rule) for rule in rules}
    for objective in part.design["settings"]["objectives"]:
        for name, info in part.divergences.items():
            means = {rule: values[name, objective].mean() for rule, values in found.items()}
            rows.append({"Sampler": f"{info['label']} ({objective})"} | {r[7:-1]: f"{m:.2f}" for r, m in means.items()})
        cuts.append(len(rows) - 1)
    frame = pd.DataFrame(rows)
    frame.attrs["rules_after"] = tuple(cuts[:-1])
    return frame
