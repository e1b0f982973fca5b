"""Figures and tables of the digits, from their part of a record."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from fgan import figures
from fgan.tables import number, over_seeds

ARM = "fgan"
READINGS = ("held out", "own samples")
SHOWN = 8  # images in a row of the sheet


def by_run(part, metric, objective="saddle"):
    """{divergence: values over seeds} of the judged step."""
    rows = part.final(metric, ARM)
    rows = rows[rows.objective == objective]
    return {name: group.value.to_numpy() for name, group in rows.groupby("divergence", sort=False)}


def untrained(part, metric):
    return dict(part.baselines(metric)[["divergence", "value"]].itertuples(index=False))


def strip(images):
    """Images [n, d] side by side in one array, with a thin white gap."""
    side = math.isqrt(images.shape[1])
    gap = ((0, 0), (0, 0), (0, max(1, side // 10)))
    return np.concatenate(list(np.pad(images.astype(float).reshape(-1, side, side), gap)), axis=1)


def figure_samples(part):
    rows = {info["label"]: part.samples[f"samples/{ARM}/{name}/saddle/0"] for name, info in part.divergences.items()}
    rows |= {"real images": part.samples["real"]}
    height = -(-len(rows) // 2)
    figure, axes = plt.subplots(height, 2, figsize=(figures.WIDTH, 0.36 * height))
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, (label, images) in zip(axes.T.flat, rows.items(), strict=False):
        axis.imshow(strip(images[:SHOWN]), cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
        axis.annotate(label, (-0.01, 0.5), xycoords="axes fraction", ha="right", va="center", fontsize=7)
    return figure


def figure_likelihood(part):
    names = list(part.divergences)[::-1]
    figure, axes = plt.subplots(1, 2, figsize=(figures.WIDTH, 3.3), sharey=True)
    for axis, reading in zip(axes, READINGS, strict=True):
        metric = f"log-likelihood [{reading}]"
        values = by_run(part, metric)
        figures.dots(axis, range(len(names)), [values[n] for n in names], figures.OBJECTIVES["saddle"])
        if reading == "own samples":
            axis.set_xscale("symlog", linthresh=100)
        lines = figures.references(axis, untrained(part, metric))
        axis.set_xlabel(
            "nats per test image\nbandwidth from "
            + ("held-out real images" if reading == "held out" else "the generated samples")
        )
        axis.set_yticks(range(len(names)), [part.divergences[n]["label"] for n in names])
        axis.set_ylim(-0.6, len(names) - 0.4)
        axis.grid(axis="y", lw=0.3, color="#e5e5e5")
    figure.legend(list(lines.values()), list(lines), loc="outside upper center", ncols=len(lines))
    return figure


def table_likelihood(part):
    rows = []
    for name, info in part.divergences.items():
        row = {"Divergence": info["label"]}
        for reading in READINGS:
            values = by_run(part, f"log-likelihood [{reading}]")[name]
            row[f"{reading}: mean over seeds"] = over_seeds(values)
            row[f"{reading}: SE over images"] = number(float(by_run(part, f"standard error [{reading}]")[name][0]), 2)
            row[f"{reading}: bandwidth"] = number(float(np.mean(by_run(part, f"bandwidth [{reading}]")[name])), 2)
        rows.append(row)
    cut = len(rows) - 1
    for sampler in untrained(part, "log-likelihood [held out]"):
        row = {"Divergence": sampler}
        for reading in READINGS:
            for column, metric in (
                ("mean over seeds", "log-likelihood"),
                ("SE over images", "standard error"),
                ("bandwidth", "bandwidth"),
            ):
                row[f"{reading}: {column}"] = number(
                    untrained(part, f"{metric} [{reading}]")[sampler], 3 if column == "mean over seeds" else 2
                )
        rows.append(row)
    frame = pd.DataFrame(rows)
    frame.attrs["rules_after"] = (cut,)
    return frame
