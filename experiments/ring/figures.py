"""Figures and tables of the ring, from its part of a record."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from fgan import figures, tables
from fgan.statistics import wilson
from fgan.tables import number

ARM = "tanh"


def by_run(part, metric):
    """{(divergence, objective): values over seeds} of the judged step."""
    rows = part.final(metric, ARM)
    return {key: group.value.to_numpy() for key, group in rows.groupby(["divergence", "objective"], sort=False)}


def untrained(part, metric):
    """{sampler: mean} of the samplers without training."""
    return part.baselines(metric).groupby("divergence", sort=False).value.mean().to_dict()


def failed(part, divergence, objective):
    """Runs that diverged or died silently."""
    rows = part.final(arm=ARM)
    rows = rows[(rows.divergence == divergence) & (rows.objective == objective)]
    return int(rows[rows.metric == "failed"].value.sum())


def defined(values):
    """Mean of the defined values as text, and of how many runs; 'undefined' where no run has one."""
    kept = values[np.isfinite(values)]
    if not len(kept):
        return "undefined"
    return number(float(kept.mean())) + ("" if len(kept) == len(values) else f" ({len(kept)} of {len(values)})")


def figure_modes(part):
    names = list(part.divergences)[::-1]
    positions = np.arange(len(names))
    figure, axes = plt.subplots(1, 2, figsize=(figures.WIDTH, 3.9), sharey=True)
    panels = [("modes", "modes covered, of 8"), ("high_quality", "share of high-quality samples")]
    for axis, (metric, label) in zip(axes, panels, strict=True):
        values = by_run(part, metric)
        for offset, (objective, colour) in zip((0.2, -0.2), figures.OBJECTIVES.items(), strict=True):
            figures.dots(axis, positions, [values.get((n, objective), []) for n in names], colour, offset, spread=0.13)
        lines = figures.references(axis, untrained(part, metric))
        axis.set_xlabel(label)
        axis.set_yticks(positions, [part.divergences[n]["label"] for n in names])
        axis.set_ylim(-0.6, len(names) - 0.4)
        axis.grid(axis="y", lw=0.3, color="#e5e5e5")
    axes[0].set_xlim(-0.3, 8.3)
    axes[1].set_xlim(-0.03, 1.03)
    handles = [plt.Line2D([], [], ls="", marker="o", ms=3, color=c) for c in figures.OBJECTIVES.values()]
    labels = [*figures.OBJECTIVES, *lines]
    figure.legend([*handles, *lines.values()], labels, loc="outside upper center", ncols=len(labels))
    return figure


def figure_samples(part):
    target = part.design["settings"]["target"]
    angles = 2 * math.pi * np.arange(target["modes"]) / target["modes"]
    names = list(part.divergences)
    columns = 6
    rows = -(-len(names) // columns)
    objectives = part.design["settings"]["objectives"]
    figure, axes = plt.subplots(
        rows * len(objectives),
        columns,
        figsize=(figures.WIDTH, 1.13 * rows * len(objectives)),
        sharex=True,
        sharey=True,
    )
    for axis in axes.flat:
        axis.set_axis_off()
    for block, objective in enumerate(objectives):
        for index, name in enumerate(names):
            axis = axes[block * rows + index // columns, index % columns]
            axis.plot(
                target["radius"] * np.cos(angles),
                target["radius"] * np.sin(angles),
                "o",
                ms=5,
                mew=0.5,
                mfc="none",
                mec=figures.GREY,
            )
            points = part.samples[f"samples/{ARM}/{name}/{objective}/0"].astype(float)
            axis.plot(*points.T, ".", ms=1.2, mew=0, alpha=0.6, color=figures.OBJECTIVES[objective])
            axis.set(xlim=(-2.7, 2.7), ylim=(-2.7, 2.7), aspect="equal")
            axis.set_title(part.divergences[name]["label"], fontsize=7, pad=2)
    handles = [plt.Line2D([], [], ls="", marker="o", ms=3, color=figures.OBJECTIVES[o]) for o in objectives]
    figure.legend(handles, objectives, loc="outside upper center", ncols=2)
    return figure


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
    metrics = ("modes", "high_quality", "reverse_kl", "saturated")
    modes, quality, reverse, stuck = (by_run(part, metric) for metric in metrics)
    total, rows, cuts = part.design["settings"]["target"]["modes"], [], []
    for objective in part.design["settings"]["objectives"]:
        for name, info in part.divergences.items():
            counts = modes[name, objective]
            share, low, high = wilson(int((counts >= total).sum()), len(counts))
            bad = failed(part, name, objective)
            rows.append({
                "Trained on": info["label"], "objective": objective,
                "descends": info["label"] if objective == "saddle" else info["effective"],
                "modes": f"{counts.min():.0f}, {np.median(counts):g}, {counts.max():.0f}",
                "all 8": f"{share:.2f} [{low:.2f}, {high:.2f}]",
                "high quality": ", ".join(f"{q(quality[name, objective]):.2f}" for q in (np.min, np.median, np.max)),
                "reverse KL": defined(reverse[name, objective]),
                "failed": f"{bad} of {len(counts)}" + (", V saturated" if stuck[name, objective].mean() > 0.5 else ""),
            })  # fmt: skip
        cuts.append(len(rows) - 1)
    for sampler, value in untrained(part, "modes").items():
        divergence = untrained(part, "reverse_kl")[sampler]
        rows.append({
            "Trained on": sampler, "objective": "none", "descends": "",
            "modes": f"{value:.2f} on average", "all 8": "",
            "high quality": number(untrained(part, "high_quality")[sampler], 2),
            "reverse KL": number(divergence), "failed": "",
        })  # fmt: skip
    frame = pd.DataFrame(rows)
    frame.attrs["rules_after"] = tuple(cuts)
    return frame


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
    for sampler in untrained(part, "modes"):
        rows.append({"Sampler": sampler} | {r[7:-1]: f"{untrained(part, r)[sampler]:.2f}" for r in rules})
    cuts, found = [len(rows) - 1], {rule: by_run(part, rule) for rule in rules}
    for objective in part.design["settings"]["objectives"]:
        for name, info in part.divergences.items():
            means = {rule: values[name, objective].mean() for rule, values in found.items()}
            rows.append({"Sampler": f"{info['label']} ({objective})"} | {r[7:-1]: f"{m:.2f}" for r, m in means.items()})
        cuts.append(len(rows) - 1)
    frame = pd.DataFrame(rows)
    frame.attrs["rules_after"] = tuple(cuts[:-1])
    return frame
