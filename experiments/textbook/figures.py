"""Figures and tables of the comparison with a textbook GAN, from its part of a record."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from fgan import figures
from fgan.tables import number, over_seeds

ARM, NAME = "fgan", "gan"
WAYS = ("population", "textbook")


def by_objective(part, metric):
    """{objective: values over seeds} of the judged step."""
    rows = part.final(metric, ARM)
    return {name: group.value.to_numpy() for name, group in rows.groupby("objective", sort=False)}


def between_seeds(part, objective):
    """Median distance of F between two seeds of the population, by step; empty for a single seed."""
    rows = part.history("F")
    rows = rows[(rows.objective == objective) & (rows.arm == ARM)]
    seeds = rows.pivot(index="step", columns="seed", values="value")
    pairs = itertools.combinations(seeds.columns, 2)
    return pd.DataFrame({pair: (seeds[pair[0]] - seeds[pair[1]]).abs() for pair in pairs}).median(axis=1)


def figure_growth(part):
    settings = part.design["settings"]
    figure, axes = plt.subplots(1, 2, figsize=(figures.WIDTH, 2.6), sharex=True, sharey=True)
    for axis, objective in zip(axes, settings["objectives"], strict=True):
        noise = between_seeds(part, objective)
        (grey,) = axis.plot(noise.index, noise, color=figures.GREY, lw=0.8)
        for seed in range(min(part.design["seeds"], 5)):
            values = 10.0 ** part.samples[f"difference/{ARM}/{NAME}/{objective}/{seed}"].astype(float)
            (line,) = axis.plot(
                np.arange(1, len(values) + 1), values, color=figures.OBJECTIVES[objective], lw=0.5, alpha=0.7
            )
        for bound in settings["measure"]["bounds"]:
            axis.axhline(bound, ls=":", lw=0.8, color="black")
        axis.axvline(settings["measure"]["first"], ls=":", lw=0.8, color="black")
        axis.set_yscale("log")
        axis.set_xlim(0, settings["steps"])
        axis.set_ylim(1e-8, 3)
        axis.set_title(objective)
        axis.set_xlabel("step")
        axis.legend([line, grey], ["population and textbook", "two seeds"], loc="lower right")
    axes[0].set_ylabel("distance of F")
    return figure


def figure_outcome(part):
    objectives = part.design["settings"]["objectives"]
    figure, axes = plt.subplots(1, 2, figsize=(figures.WIDTH, 2.5))
    places = [(2 * i, 2 * i + 1) for i in range(len(objectives))]
    for axis, metric in zip(axes, ("late F", "log-likelihood"), strict=True):
        for place, objective in zip(places, objectives, strict=True):
            pairs = np.array([by_objective(part, f"{metric} [{way}]")[objective] for way in WAYS])
            lines = axis.plot(place, pairs, "o-", ms=3, mew=0, lw=0.6, alpha=0.8, color=figures.OBJECTIVES[objective])
            lines[0].set_label(objective)
        axis.set_xticks(np.ravel(places), WAYS * len(objectives))
        axis.set_xlim(-0.5, places[-1][-1] + 0.5)
    axes[0].set_ylabel("F, mean of the last steps")
    axes[1].set_ylabel("nats per test image")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(objectives))
    return figure


def spread(values):
    """Smallest, median and largest value; where runs never came so far, how many did."""
    kept = values[np.isfinite(values)]
    if not len(kept):
        return f"none of {len(values)}"
    text = ", ".join(number(float(found(kept)), 2) for found in (np.min, np.median, np.max))
    return text if len(kept) == len(values) else f"{text} ({len(kept)} of {len(values)})"


def table_agreement(part):
    measure = part.design["settings"]["measure"]
    rows = []
    for objective in part.design["settings"]["objectives"]:
        row = {"Objective": objective}
        for precision, metric in (("single", "first steps"), ("double", "first steps, double")):
            values = by_objective(part, f"difference of F [{metric}]")[objective]
            row[f"difference of F, {measure['first']} steps, {precision}"] = spread(values)
        for bound in measure["bounds"]:
            row[f"step where it exceeds {bound:g}"] = spread(
                by_objective(part, f"step of difference [{bound:g}]")[objective]
            )
        row["late F"] = over_seeds(by_objective(part, "late F [difference]")[objective], 2)
        row["log-likelihood"] = over_seeds(by_objective(part, "log-likelihood [difference]")[objective], 2)
        row["quality"] = over_seeds(by_objective(part, "quality [difference]")[objective], 2)
        rows.append(row)
    return pd.DataFrame(rows)
