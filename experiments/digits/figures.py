"""Figures and tables of the digits, from their part of a record."""

import itertools
import math
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from fgan.report import figures, tables
from fgan.report.printed import defined, number, over_seeds
from fgan.report.tables import framed

READINGS = {"held out": "held-out real images", "own samples": "the generated samples"}  # sources of the bandwidth
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
# One algorithm under two names: the difference of its runs on different seeds is noise alone.
TWINS = ("jensen_shannon", "gan")


def trained(part):
    """Labels by name: the divergences, then the autoencoder."""
    return part.labels | {VAE: "VAE"}


def by_name(part, metric, rule="", objective="saddle"):
    """{name: values over seeds} of one objective; the autoencoder is listed with the saddle one."""
    values = {name: seeds for (name, _), seeds in part.by_run(metric, ARMS[objective], rule).items()}
    return values | ({VAE: part.values(metric, "vae", "kl", "elbo", rule)} if objective == "saddle" else {})


def published():
    """{name: log-likelihood in nats} of the paper's table."""
    frame = pd.read_csv(Path("paper", "published", "fgan_table4_mnist_kde.csv")).set_index("training_divergence")
    return {name: float(frame.kde_mean_LL_nats[row]) for name, row in PUBLISHED.items()}


def row_of_images(part, name, count=None):
    """The first images of an array of the part, side by side."""
    images = part.samples[name][:count]
    side = math.isqrt(images.shape[1])
    return figures.strip(images, (side, side))


def figure_samples(part):
    rows = {label: f"samples/fgan/{name}/saddle/0" for name, label in part.labels.items()}
    rows |= {"VAE": "samples/vae/kl/elbo/0", "real images": "real"}
    figure, axes = figures.panels(len(rows), 0.36, columns=2, top=0)
    for axis, (label, name) in zip(axes, rows.items(), strict=True):
        figures.sheet(axis, row_of_images(part, name, SHOWN), label)
    return figure


def figure_neighbours(part):
    shown = {part.labels[name]: f"fgan/{name}/saddle/0" for name in ("kl", "reverse_kl", "pearson", "gan")}
    shown["VAE"] = "vae/kl/elbo/0"
    figure, axes = figures.panels(len(shown), 0.72, columns=1, top=0)
    figure.get_layout_engine().set(rect=(0.1, 0, 0.9, 1))  # the labels stand beside the axes
    for axis, (label, run) in zip(axes, shown.items(), strict=True):
        samples, nearest = (row_of_images(part, f"{kind}/{run}") for kind in ("samples", "nearest"))
        gap = np.zeros((max(1, len(samples) // 8), samples.shape[1]))
        figures.sheet(axis, np.concatenate([samples, gap, nearest]), f"{label}\n\n\nnearest")
    return figure


def draw(axis, part, metric, rule=""):
    """A dot for each seed in a row for each name: coloured by objective, black for the autoencoder."""
    names = list(trained(part))[::-1]
    for offset, (objective, colour) in zip((0.17, -0.17), figures.OBJECTIVES.items(), strict=True):
        for name, values in by_name(part, metric, rule, objective).items():
            place = names.index(name) + (0 if name == VAE else offset)
            figures.dots(axis, [place], [values], "black" if name == VAE else colour, spread=0.12)
    figures.row_labels(axis, [trained(part)[name] for name in names])


def legend(figure, lines):
    figures.legend(figure, {objective: figures.dot(colour) for objective, colour in figures.OBJECTIVES.items()} | lines)


def figure_likelihood(part):
    figure, axes = plt.subplots(1, 2, figsize=(figures.WIDTH, 3.9), sharey=True)
    for axis, (reading, source) in zip(axes, READINGS.items(), strict=True):
        draw(axis, part, "log-likelihood", reading)
        lines = figures.references(axis, part.samplers("log-likelihood", reading))
        axis.set_xlabel(f"nats per test image\nbandwidth from {source}")
    axes[1].set_xscale("symlog", linthresh=100)
    legend(figure, lines)
    return figure


def figure_features(part):
    metrics = ("Frechet distance", "kernel distance", "precision", "recall", "class divergence")
    labels = {"Frechet distance": "Fréchet distance", "class divergence": "KL of classes"}
    figure, axes = plt.subplots(1, len(metrics), figsize=(figures.WIDTH, 3.9), sharey=True)
    for axis, metric in zip(axes, metrics, strict=True):
        draw(axis, part, metric)
        lines = figures.references(axis, {"test images": part.baseline(metric, "test images")})
        axis.set_xlabel(labels.get(metric, metric))
        drawn = np.concatenate([line.get_xdata() for line in axis.lines if line not in lines.values()] or [[]])
        if metric == "precision":
            axis.set_xlim(-0.05, 1.05)
        elif metric == "recall":  # of short trainings it is a hundredth or nothing
            axis.set_xscale("symlog", linthresh=0.01)
            axis.set(xlim=(-0.002, 1.3))
            axis.set_xticks([0, 0.01, 0.1, 1], ["0", ".01", ".1", "1"])
            axis.minorticks_off()
        elif (drawn > 0).any():
            axis.set_xscale("log")
    legend(figure, lines)
    return figure


def cells(reading, saddle, alternative, error, bandwidth):
    """The columns of one reading in a row of the table of likelihoods."""
    texts = {"saddle": saddle, "alternative": alternative}
    texts |= {"SE over images": number(error, 2), "bandwidth": number(bandwidth, 2)}
    return {f"{reading}: {column}": text for column, text in texts.items()}


def given(paper, name):
    """What the paper prints for a row, if it has it."""
    return number(paper[name]) if name in paper else "not given"


def table_likelihood(part):
    rows, paper, metrics = [], published(), ("log-likelihood", "standard error", "bandwidth")
    for name, label in trained(part).items():
        row = {"Trained on": label, "paper (MNIST)": given(paper, name)}
        for reading in READINGS:
            saddle, errors, bandwidths = (by_name(part, metric, reading)[name] for metric in metrics)
            alternative = by_name(part, "log-likelihood", reading, "alternative").get(name)
            alternative = "" if alternative is None else over_seeds(alternative)
            row |= cells(reading, over_seeds(saddle), alternative, errors[0], bandwidths.mean())
        rows.append(row)
    for sampler in part.samplers("log-likelihood", "held out"):
        row = {"Trained on": sampler, "paper (MNIST)": given(paper, sampler)}
        for reading in READINGS:
            value, error, bandwidth = (part.baseline(metric, sampler, rule=reading) for metric in metrics)
            row |= cells(reading, number(value), "", error, bandwidth)
        rows.append(row)
    return framed(rows, [len(trained(part)) - 1])


def apart(one, other):
    """Distances between the runs of two divergences [seeds] on different seeds."""
    distances = np.abs(one[:, None] - other)
    return distances[~np.eye(*distances.shape, dtype=bool)]


def table_noise(part):
    """Distances between two runs of one algorithm, and between two of different divergences, on different seeds."""
    if part.arms[ARMS["saddle"]]["seeds"] < 2:
        return pd.DataFrame({"Noise": ["one seed shows none"]})
    from scipy.stats import kendalltau

    paper, rows = published(), []
    metrics = {f"nats [{reading}]": ("log-likelihood", reading) for reading in READINGS}
    metrics |= {name: (name, "") for name in ("Frechet distance", "recall")}
    for heading, (metric, rule) in metrics.items():
        values = {name: seeds for (name, _), seeds in part.by_run(metric, ARMS["saddle"], rule).items()}
        same = apart(*(values[name] for name in TWINS))
        # The twins are one algorithm, whose distance to a third counts once.
        once = [seeds for name, seeds in values.items() if name != TWINS[0]]
        other = np.concatenate([apart(*pair) for pair in itertools.combinations(once, 2)])
        below = np.nanmean(other <= np.nanmax(same)) if np.isfinite(same).any() else math.nan
        ranked = [name for name in paper if name in values]
        tau = kendalltau([paper[name] for name in ranked], [values[name].mean() for name in ranked]).statistic
        rows.append({
            "Metric": heading, "JS against GAN: median": defined(same, np.median),
            "largest": defined(same, np.max), "two divergences: median": defined(other, np.median),
            "of these below the largest of JS against GAN": number(below, 2),
            "rank correlation with the paper": number(tau if metric == "log-likelihood" else math.nan, 2),
        })  # fmt: skip
    return pd.DataFrame(rows)


def table_alternative(part):
    return tables.alternative(part, ARMS, {("log-likelihood", "held out"): "nats", ("recall", ""): "recall"})
