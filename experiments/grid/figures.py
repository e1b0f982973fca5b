"""Figures and tables of the grid and of the embedded mixture, from their part of a record."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from fgan import figures, tables
from fgan.targets import multimodal


def total(part, arm):
    return len(multimodal.of(part.arms[arm]).means)


def figure_distribution(part):
    return figures.distribution(part, "grid", total(part, "grid"))


def figure_modes(part):
    return figures.modes(part, "grid", total(part, "grid"))


def figure_samples(part):
    names, objectives = part.arms["grid"]["divergences"], part.arms["grid"]["objectives"]
    columns = min(6, len(names))
    rows = -(-len(names) // columns)
    figure, axes = plt.subplots(
        rows * len(objectives), columns, figsize=(figures.WIDTH, 6.6 / columns * rows * len(objectives)),
        sharex=True, sharey=True, squeeze=False,
    )  # fmt: skip
    means = multimodal.of(part.arms["grid"]).means.numpy()
    reach = np.abs(means).max() * 1.25
    for axis in axes.flat:
        axis.set_axis_off()
    for block, objective in enumerate(objectives):
        for index, name in enumerate(names):
            axis = axes[block * rows + index // columns, index % columns]
            axis.plot(*means.T, "o", ms=4, mew=0.5, mfc="none", mec=figures.GREY)
            points = part.samples[f"samples/grid/{name}/{objective}/0"].astype(float)
            axis.plot(*points.T, ".", ms=1.6, mew=0, alpha=0.6, color=figures.OBJECTIVES[objective])
            axis.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
            axis.set_title(part.divergences[name]["label"], fontsize=7, pad=2)
    handles = [plt.Line2D([], [], ls="", marker="o", ms=3, color=figures.OBJECTIVES[o]) for o in objectives]
    figure.legend(handles, objectives, loc="outside upper center", ncols=2)
    return figure


def table_modes(part):
    return tables.modes(part, "grid", total(part, "grid"))


def table_embedded(part):
    """The modes of the embedded mixture, beside VEEGAN's row; a sentence where this scale leaves it out."""
    if "embedded" not in part.arms:
        return pd.DataFrame({"Ten modes in 1200 dimensions": ["not part of this scale; at full"]})
    return tables.modes(part, "embedded", total(part, "embedded"), samplers=False)


def table_rules(part):
    rules = [m for m in part.measurements.metric.unique() if m.startswith("modes [")]
    rows = [
        {"Sampler": sampler} | {rule[7:-1]: f"{tables.untrained(part, rule)[sampler]:.2f}" for rule in rules}
        for sampler in tables.untrained(part, "modes")
    ]
    cuts, found = [len(rows) - 1], {rule: tables.by_run(part, rule, "grid") for rule in rules}
    for objective in part.arms["grid"]["objectives"]:
        for name in part.arms["grid"]["divergences"]:
            label = f"{part.divergences[name]['label']} ({objective})"
            rows.append({"Sampler": label} | {r[7:-1]: f"{v[name, objective].mean():.2f}" for r, v in found.items()})
        cuts.append(len(rows) - 1)
    frame = pd.DataFrame(rows)
    frame.attrs["rules_after"] = tuple(cuts[:-1])
    return frame
