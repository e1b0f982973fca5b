"""Figures and tables of the digits, from their part of a record."""

import itertools
import math
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from fgan import figures, tables
from fgan.tables import number, over_seeds

READINGS = ("held out", "own samples")
ARMS = {"saddle": "fgan", "alternative": "alternative"}  # by objective
VAE = "variational autoencoder"
SHOWN = 8  # images in a row of the sheet
# Rows of the paper's table by the names here.
PUBLISHED = {
    "kl": "Kullback-Leibler", "reverse_kl": "Reverse Kullback-Leibler", "pearson": "Pearson chi2",
    "neyman": "Neyman chi2", "squared_hellinger": "Squared Hellinger", "jeffrey": "Jeffrey",
    "jensen_shannon": "Jensen-Shannon", "gan": "GAN", VAE: "Variational Autoencoder [18]",
    "training images": "KDE MNIST train (60k)",
}  # fmt: skip
# One algorithm under two names, so that its runs on different seeds show what noise alone does.
TWINS = ("jensen_shannon", "gan")


def by_run(part, metric, objective="saddle"):
    """{divergence: values over seeds} of the judged step; the autoencoder's under its own name."""
    rows = part.final(metric)
    rows = rows[(rows.objective == objective) | (rows.objective == "elbo")]
    names = rows.divergence.where(rows.objective != "elbo", VAE)
    return {name: group.value.to_numpy() for name, group in rows.groupby(names, sort=False)}


def untrained(part, metric):
    return dict(part.baselines(metric)[["divergence", "value"]].itertuples(index=False))


def labels(part):
    """Labels of what was trained, by name."""
    return {name: info["label"] for name, info in part.divergences.items()} | {VAE: "VAE"}


def published():
    """{name: log-likelihood in nats} of the paper's table."""
    frame = pd.read_csv(Path("paper", "published", "fgan_table4_mnist_kde.csv")).set_index("training_divergence")
    return {name: float(frame.kde_mean_LL_nats[row]) for name, row in PUBLISHED.items()}


def strip(images):
    """Images [n, d] side by side in one array, with a thin white gap."""
    side = math.isqrt(images.shape[1])
    gap = ((0, 0), (0, 0), (0, max(1, side // 10)))
    return np.concatenate(list(np.pad(images.astype(float).reshape(-1, side, side), gap)), axis=1)


def show(axis, images, label):
    axis.imshow(strip(images[:SHOWN]), cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
    axis.annotate(label, (-0.01, 0.5), xycoords="axes fraction", ha="right", va="center", fontsize=7)


def figure_samples(part):
    rows = {info["label"]: part.samples[f"samples/fgan/{name}/saddle/0"] for name, info in part.divergences.items()}
    rows |= {"VAE": part.samples["samples/vae/kl/elbo/0"], "real images": part.samples["real"]}
    height = -(-len(rows) // 2)
    figure, axes = plt.subplots(height, 2, figsize=(figures.WIDTH, 0.36 * height))
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, (label, images) in zip(axes.T.flat, rows.items(), strict=False):
        show(axis, images, label)
    return figure


def figure_neighbours(part):
    shown = [(n, f"fgan/{n}/saddle/0") for n in ("kl", "reverse_kl", "pearson", "gan") if n in part.divergences]
    shown.append((VAE, "vae/kl/elbo/0"))
    figure, axes = plt.subplots(len(shown), 1, figsize=(figures.WIDTH, 0.72 * len(shown)))
    figure.get_layout_engine().set(rect=(0.1, 0, 0.9, 1))  # the labels stand beside the axes
    for axis, (name, key) in zip(axes, shown, strict=True):
        axis.set_axis_off()
        pair = [strip(part.samples[f"{kind}/{key}"]) for kind in ("samples", "nearest")]
        gap = np.zeros((max(1, pair[0].shape[0] // 10), pair[0].shape[1]))
        axis.imshow(np.concatenate([pair[0], gap, pair[1]]), cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
        axis.annotate(
            f"{labels(part)[name]}\nnearest", (-0.01, 0.5), xycoords="axes fraction", ha="right", va="center",
            fontsize=7, linespacing=2.6,
        )  # fmt: skip
    return figure


def dots(axis, part, metric, lines=None):
    """Every seed of a metric in a row for each divergence, both objectives; lines for samplers without training."""
    names = list(labels(part))[::-1]
    for offset, (objective, colour) in zip((0.17, -0.17), figures.OBJECTIVES.items(), strict=True):
        values = by_run(part, metric, objective)
        trained = [n for n in names if n in values and (n != VAE or objective == "saddle")]
        for name in trained:
            place, own = (names.index(name), "black") if name == VAE else (names.index(name) + offset, colour)
            figures.dots(axis, [place], [values[name]], own, spread=0.12)
    axis.set_yticks(range(len(names)), [labels(part)[n] for n in names])
    axis.set_ylim(-0.6, len(names) - 0.4)
    axis.grid(axis="y", lw=0.3, color="#e5e5e5")
    return figures.references(axis, lines or {})


def legend(figure, lines):
    handles = [plt.Line2D([], [], ls="", marker="o", ms=3, color=c) for c in figures.OBJECTIVES.values()]
    entries = [*figures.OBJECTIVES, *lines]
    figure.legend([*handles, *lines.values()], entries, loc="outside upper center", ncols=len(entries))


def figure_likelihood(part):
    figure, axes = plt.subplots(1, 2, figsize=(figures.WIDTH, 3.9), sharey=True)
    for axis, reading in zip(axes, READINGS, strict=True):
        metric = f"log-likelihood [{reading}]"
        lines = dots(axis, part, metric, untrained(part, metric))
        if reading == "own samples":
            axis.set_xscale("symlog", linthresh=100)
        source = "held-out real images" if reading == "held out" else "the generated samples"
        axis.set_xlabel(f"nats per test image\nbandwidth from {source}")
    legend(figure, lines)
    return figure


def figure_features(part):
    panels = {
        "Frechet distance": "Fréchet distance", "kernel distance": "kernel distance", "precision": "precision",
        "recall": "recall", "class divergence": "KL of classes",
    }  # fmt: skip
    figure, axes = plt.subplots(1, len(panels), figsize=(figures.WIDTH, 3.9), sharey=True)
    for axis, (metric, label) in zip(axes, panels.items(), strict=True):
        lines = dots(axis, part, metric, {"test images": untrained(part, metric)["test images"]})
        axis.set_xlabel(label)
        if metric in ("precision", "recall"):
            axis.set_xlim(-0.05, 1.05)
        else:
            axis.set_xscale("log")
    legend(figure, lines)
    return figure


def table_likelihood(part):
    rows, paper = [], published()
    for name, label in labels(part).items():
        row = {"Trained on": label, "paper (MNIST)": number(paper.get(name, math.nan))}
        for reading in READINGS:
            metric = f"log-likelihood [{reading}]"
            row[f"{reading}: saddle"] = over_seeds(by_run(part, metric)[name])
            alternative = by_run(part, metric, "alternative").get(name) if name != VAE else None
            row[f"{reading}: alternative"] = "" if alternative is None else over_seeds(alternative)
            row[f"{reading}: SE over images"] = number(float(by_run(part, f"standard error [{reading}]")[name][0]), 2)
            row[f"{reading}: bandwidth"] = number(float(np.mean(by_run(part, f"bandwidth [{reading}]")[name])), 2)
        rows.append(row)
    cut = len(rows) - 1
    for sampler in untrained(part, "log-likelihood [held out]"):
        row = {"Trained on": sampler, "paper (MNIST)": number(paper.get(sampler, math.nan))}
        for reading in READINGS:
            value, error, width = (
                number(untrained(part, f"{metric} [{reading}]")[sampler], digits)
                for metric, digits in (("log-likelihood", 3), ("standard error", 2), ("bandwidth", 2))
            )
            row |= {f"{reading}: saddle": value, f"{reading}: alternative": ""}
            row |= {f"{reading}: SE over images": error, f"{reading}: bandwidth": width}
        rows.append(row)
    frame = pd.DataFrame(rows)
    frame.attrs["rules_after"] = (cut,)
    return frame


def table_noise(part):
    """How far apart are two runs of one algorithm, and two of different divergences, on different seeds?"""
    if part.arms[ARMS["saddle"]]["seeds"] < 2:
        return pd.DataFrame({"Noise": ["one seed shows none"]})
    from scipy.stats import kendalltau

    paper, rows = published(), []
    metrics = [f"log-likelihood [{reading}]" for reading in READINGS] + ["Frechet distance", "recall"]
    for metric in metrics:
        found = {name: values for name, values in by_run(part, metric).items() if name != VAE}
        apart = {
            pair: [abs(a - b) for (i, a), (j, b) in itertools.product(*map(enumerate, map(found.get, pair))) if i != j]
            for pair in itertools.combinations(found, 2)
        }
        same = apart.pop(TWINS, None) or apart.pop(TWINS[::-1], [math.nan])
        # The twins are one algorithm, whose distance to a third counts once.
        other = np.concatenate([values for pair, values in apart.items() if TWINS[0] not in pair])
        ranked = [name for name in paper if name in found]
        order = [found[name].mean() for name in ranked]
        tau = kendalltau([paper[name] for name in ranked], order).statistic if metric.startswith("log") else math.nan
        rows.append({
            "Metric": metric.replace("log-likelihood", "nats"),
            "JS against GAN: median": number(float(np.nanmedian(same))),
            "largest": number(float(np.nanmax(same))),
            "two divergences: median": number(float(np.nanmedian(other))),
            "of these below the largest of JS against GAN": number(float(np.nanmean(other <= np.nanmax(same))), 2),
            "rank correlation with the paper": number(float(tau), 2),
        })  # fmt: skip
    return pd.DataFrame(rows)


def table_alternative(part):
    columns = {"log-likelihood [held out]": "nats", "recall": "recall"}
    return tables.alternative(part, ARMS, columns)
