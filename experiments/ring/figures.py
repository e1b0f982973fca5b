"""Figures and tables of the ring, from their part of a record."""

import math

import pandas as pd

from fgan.report import figures, mode_figures, tables
from fgan.report.printed import number
from fgan.report.statistics import detectable, wilson

ARM = "tanh"


def total(part):
    return part.arms[ARM]["target"]["modes"]


def figure_modes(part):
    return mode_figures.modes(part, ARM, total(part))


def figure_distribution(part):
    return mode_figures.distribution(part, ARM, total(part))


def figure_samples(part):
    return mode_figures.samples(part, ARM)


def figure_trajectory(part):
    figure, axes = figures.panels(len(part.labels), 1.1, sharex=True, sharey=True)
    for axis, (name, label) in zip(axes, part.labels.items(), strict=True):
        for objective, colour in figures.OBJECTIVES.items():
            single = part.history("watched modes", ARM, name, objective)
            axis.plot(single.index, single, color=colour, lw=0.4, alpha=0.45)
            figures.band(axis, part.quartiles("watched modes", ARM, name, objective), colour)
        axis.set(title=label, ylim=(-0.3, 8.3), yticks=[0, 4, 8])
    figure.supxlabel("step")
    figure.supylabel("modes covered")
    figures.legend(figure, {o: figures.line(lw=1.4, color=colour) for o, colour in figures.OBJECTIVES.items()})
    return figure


def table_modes(part):
    return tables.modes(part, ARM, total(part))


def table_power(part):
    """The effects that a number of seeds can detect: the design of a comparison, not a measurement."""
    own, comparisons = part.arms[ARM]["seeds"], math.comb(len(part.divergences), 2)
    return pd.DataFrame([
        {
            "Seeds": f"{n} (here)" if n == own else str(n), "0 of all: upper end": number(wilson(0, n)[2], 2),
            "all: lower end": number(wilson(n, n)[1], 2),
            "half: interval": "[{:.2f}, {:.2f}]".format(*wilson(n // 2, n)[1:]),
            "difference found": number(detectable(n), 2),
            f"corrected for {comparisons}": number(detectable(n, comparisons), 2),
        }
        for n in sorted({5, 10, 20, 50, 100, 200, own})
    ])  # fmt: skip


def table_alternative(part):
    frame = tables.alternative(part, dict.fromkeys(figures.OBJECTIVES, ARM), {("modes", ""): "modes"})
    for objective in figures.OBJECTIVES:
        medians = [part.quartiles("watched high_quality", ARM, name, objective)["median"] for name in part.labels]
        reached = [median[median >= 0.5].index for median in medians]
        texts = [f"{steps[0]:,}" if len(steps) else "never" for steps in reached]
        frame[f"half in a mode at step: {objective}"] = texts
    return frame


def table_rules(part):
    return tables.rules(part, ARM)
