"""Figures and tables of the comparison with a textbook GAN, from its part of a record."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from fgan.report import figures
from fgan.report.printed import over_seeds, three

ARM, NAME = "fgan", "gan"
WAYS = ("population", "textbook")
KEPT = 5  # seeds whose difference of F is among the samples


def between(seeds):
    """Median distance between two columns of a frame, by row; empty for a single column."""
    pairs = itertools.combinations(seeds.columns, 2)
    return pd.DataFrame({pair: (seeds[pair[0]] - seeds[pair[1]]).abs() for pair in pairs}).median(axis=1)


def figure_growth(part):
    own, measure = part.arms[ARM], part.measure
    figure, axes = plt.subplots(1, 2, figsize=(figures.WIDTH, 2.6), sharex=True, sharey=True)
    for axis, objective in zip(axes, own["objectives"], strict=True):
        history, colour = part.history("F", ARM, NAME, objective), figures.OBJECTIVES[objective]
        axis.plot(between(history), color=figures.GREY, lw=0.8)
        for seed in range(min(own["seeds"], KEPT)):
            values = 10.0 ** part.samples[f"difference/{ARM}/{NAME}/{objective}/{seed}"].astype(float)
            axis.plot(np.arange(1, len(values) + 1), values, color=colour, lw=0.5, alpha=0.7)
        for bound in measure["bounds"]:
            axis.axhline(bound, ls=":", lw=0.8, color="black")
        axis.axvline(measure["first"], ls=":", lw=0.8, color="black")
        axis.set(yscale="log", xlim=(0, own["steps"]), ylim=(1e-8, 3), title=objective, xlabel="step")
        lines = [figures.line(color=colour, lw=0.8), figures.line(color=figures.GREY, lw=0.8)]
        axis.legend(lines, ["population and textbook", "two seeds"], loc="lower right")
    axes[0].set_ylabel("distance of F")
    return figure


def figure_outcome(part):
    objectives = part.arms[ARM]["objectives"]
    figure, axes = plt.subplots(1, 2, figsize=(figures.WIDTH, 2.5))
    places = [(2 * i, 2 * i + 1) for i in range(len(objectives))]
    labels = {"late F": "F, mean of the last steps", "log-likelihood": "nats per test image"}
    for axis, (metric, label) in zip(axes, labels.items(), strict=True):
        for place, objective in zip(places, objectives, strict=True):
            pairs = np.array([part.values(metric, ARM, NAME, objective, way) for way in WAYS])
            axis.plot(place, pairs, "o-", ms=3, mew=0, lw=0.6, alpha=0.8, color=figures.OBJECTIVES[objective])
        axis.set_xticks(np.ravel(places), WAYS * len(objectives))
        axis.set(xlim=(-0.5, places[-1][-1] + 0.5), ylabel=label)
    style = {"ls": "-", "lw": 0.6, "mew": 0}
    figures.legend(figure, {objective: figures.dot(figures.OBJECTIVES[objective], **style) for objective in objectives})
    return figure


def spread(values):
    """Smallest, median and largest value to two digits, with the number of runs that have a value if some have none."""
    return three(values, 2)


def table_agreement(part):
    rows, first = [], part.measure["first"]
    for objective in part.arms[ARM]["objectives"]:
        row = {"Objective": objective}
        for precision in ("single", "double"):
            values = part.values("difference of F", ARM, NAME, objective, f"{precision} precision")
            row[f"difference of F, {first} steps, {precision}"] = spread(values)
        for bound in part.measure["bounds"]:
            values = part.values("step of difference", ARM, NAME, objective, f"{bound:g}")
            row[f"step where it exceeds {bound:g}"] = spread(values)
        for metric in ("late F", "log-likelihood", "quality"):
            row[metric] = over_seeds(part.values(metric, ARM, NAME, objective, "difference"), 2)
        rows.append(row)
    return pd.DataFrame(rows)
