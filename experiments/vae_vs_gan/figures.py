"""Figures and tables of GAN against VAE, from their part of a record."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import LogLocator, NullFormatter

from fgan import figures
from fgan.statistics import paired_permutation, t_interval
from fgan.tables import number, over_seeds

LABELS = {
    "gan": "GAN", "vae": "VAE", "hybrid": "hybrid", "gan_binary": "GAN, binary",
    "gan_binary_straight_through": "GAN, straight-through", "vae_binary": "VAE, binary",
    "gan_categorical": "GAN, categorical", "vae_categorical": "VAE, Gumbel-softmax",
    "vae_categorical_hard": "VAE, categorical",
}  # fmt: skip
COLOURS = {"gan": "#0b6e99", "vae": "#d9730d", "hybrid": "#3c8d40"}
COLUMNS = {  # of the table of models: metric and heading
    "relative Frechet": "Fréchet", "precision": "precision", "recall": "recall", "relative Laplacian": "Laplacian",
    "relative high frequency": "high frequency", "held-out objective": "objective",
}  # fmt: skip
# The exercise's table: what is measured, its metrics with the bounds between which the property holds, the models in
# the place of VAE, GAN and hybrid, and the exercise's words for the first two.
GENERATES = {"relative Frechet": (-math.inf, 1.0)}
TRACKS = {"tracking": (0.5, math.inf), "tracking [second half]": (0.5, math.inf)}
LATENTS = ("vae_categorical_hard", "gan_categorical", None)
BOTH = ("vae", "gan", "hybrid")
ROWS = [
    ("well-defined objective", "rank correlation", TRACKS, BOTH, ("yes", "no")),
    ("discrete data", "Fréchet", GENERATES, ("vae_binary", "gan_binary", None), ("yes", "no")),
    ("  remedy", "Fréchet", GENERATES, (None, "gan_binary_straight_through", None), ("", "")),
    ("discrete latents", "Fréchet", GENERATES, LATENTS, ("no", "yes")),
    ("  remedy", "Fréchet", GENERATES, ("vae_categorical", None, None), ("", "")),
    ("sharp samples", "Laplacian", {"relative Laplacian": (0.8, 1.25)}, BOTH, ("no", "yes")),
]  # fmt: skip


def trained(part):
    """The arms of this part, in the order of the labels."""
    return [arm for arm in LABELS if arm in part.arms]


def main(part, arm):
    """The divergence that stands for an arm with several: GAN's own."""
    names = part.arms[arm]["divergences"]
    return "gan" if "gan" in names else names[0]


def judged(part, arm, metric, divergence=None):
    """Values over seeds at the last step."""
    rows = part.final(metric, arm)
    return rows[rows.divergence == (divergence or main(part, arm))].value.to_numpy()


def untrained(part, sampler, metric):
    """The value of a sampler without training."""
    rows = part.baselines(metric)
    return float(rows[rows.divergence == sampler].value.mean())


def first(part, arm):
    """The key of an arm's seed 0 in the samples."""
    return f"{arm}/{main(part, arm)}/{part.arms[arm]['objectives'][0]}/0"


def strip(images, count):
    """The first images [n, d] side by side in one array, with a thin white gap."""
    side = math.isqrt(images.shape[1])
    gap = ((0, 0), (0, 0), (0, max(1, side // 8)))
    return np.concatenate(list(np.pad(images[:count].astype(float).reshape(-1, side, side), gap)), axis=1)


def figure_samples(part):
    sheets = {"real": part.samples["real"]}
    for arm in trained(part):
        drawn = f"draws/{first(part, arm)}"
        both = drawn in part.samples and arm in COLOURS
        sheets[LABELS[arm] + (", means" if both else "")] = part.samples[f"samples/{first(part, arm)}"]
        if both:
            sheets[f"{LABELS[arm]}, draws"] = part.samples[drawn]
    sheets["real, thresholded"] = part.samples["real (binary)"]
    figure, axes = plt.subplots(len(sheets), 1, figsize=(figures.WIDTH, 0.34 * len(sheets)))
    for axis, (name, images) in zip(axes, sheets.items(), strict=True):
        axis.set_axis_off()
        axis.imshow(strip(images, 16), cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
        axis.annotate(name, (-0.01, 0.5), xycoords="axes fraction", ha="right", va="center", fontsize=7)
    return figure


def figure_tracking(part):
    arms = [arm for arm in COLOURS if arm in part.arms]
    figure, axes = plt.subplots(2, len(arms), figsize=(figures.WIDTH, 3.4), sharex=True, squeeze=False)
    for column, arm in zip(axes.T, arms, strict=True):
        for axis, metric in zip(column, ("held-out objective", "watched Frechet"), strict=True):
            rows = part.history(metric)
            rows = rows[(rows.arm == arm) & (rows.seed >= 0) & (rows.divergence == main(part, arm))]
            lines = rows.pivot(index="step", columns="seed", values="value")
            axis.plot(lines.index, lines, color=COLOURS[arm], lw=0.8, alpha=0.7)
        column[1].sharey(axes[1, 0])
        found = [float(np.mean(judged(part, arm, metric))) for metric in TRACKS]
        column[0].set_title(f"{LABELS[arm]}: {found[0]:.2f}, second half {found[1]:.2f}")
        column[0].set_ylabel("F" if arm == "gan" else "ELBO, nats")
        column[1].set_xlabel("step")
    axes[1, 0].set(ylabel="Fréchet distance", yscale="log")
    axes[1, 0].yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes[1, 0].yaxis.set_major_formatter("{x:g}")
    axes[1, 0].yaxis.set_minor_formatter(NullFormatter())
    return figure


def figure_sharpness(part):
    figure, axes = plt.subplots(1, 2, figsize=(figures.WIDTH, 2.7), sharey=True)
    arms = [arm for arm in COLOURS if arm in part.arms]
    for axis, metric in zip(axes, ("precision", "recall"), strict=True):
        for arm in arms:
            style = dict(ls="", color=COLOURS[arm], alpha=0.8)
            x, y = judged(part, arm, metric), judged(part, arm, "relative Laplacian")
            axis.plot(x, y, "o", ms=4, mew=0, label=LABELS[arm] + (", means" if arm != "gan" else ""), **style)
            x, y = judged(part, arm, f"{metric} [draws]"), judged(part, arm, "relative Laplacian [draws]")
            if len(x):
                axis.plot(x, y, "x", ms=4, mew=0.8, label=f"{LABELS[arm]}, draws", **style)
        real = (untrained(part, "training images", name) for name in (metric, "relative Laplacian"))
        axis.plot(*([value] for value in real), "*", ms=9, mew=0, color="black", label="real images")
        axis.axhspan(0.8, 1.25, color="#eeeeee", lw=0, zorder=0)
        axis.set(xlabel=metric, xlim=(-0.04, 1.04), yscale="log", yticks=[0.25, 0.5, 1, 2, 4])
        axis.set_yticklabels(["1/4", "1/2", "1", "2", "4"])
        axis.minorticks_off()
    axes[0].set_ylabel("sharpness, real images = 1")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center")
    return figure


def measured(part, arm, bounds):
    """(yes, no or undecided; means as text) of a property by the intervals of its metrics; dashes without the arm."""
    if arm not in part.arms:
        return "--", "--"
    words, means = [], []
    for metric, (least, most) in bounds.items():
        values = judged(part, arm, metric)
        # A run without a value says nothing of where it lies.
        mean, low, high = t_interval(values) if np.isfinite(values).all() else (math.nan, -math.inf, math.inf)
        inside, outside = least <= low and high <= most, high < least or low > most
        words.append("yes" if inside else "no" if outside else "undecided")
        means.append(number(mean, 2))
    # A property with two metrics needs both; one that fails denies it.
    word = "no" if "no" in words else "undecided" if "undecided" in words else "yes"
    return word, ", ".join(means)


def table_verdict(part):
    rows = []
    for name, what, bounds, arms, words in ROWS:
        row = {"Property": name, "measured by": what, "exercise": ", ".join(words) if words[0] else "--"}
        found = [measured(part, arm, bounds) for arm in arms]
        for model, (word, means) in zip(("VAE", "GAN", "hybrid"), found, strict=True):
            row[model] = word if word == "--" else f"{word} ({means})"
        agree = [agreement(word, said) for (word, _), said in zip(found[:2], words, strict=True)]
        row["agreement"] = ", ".join(agree) if words[0] else "--"
        rows.append(row)
    return pd.DataFrame(rows)


def agreement(word, said):
    """Whether a measured word agrees with the exercise's: yes, no, or undecided where the measurement is."""
    return word if word in ("--", "undecided") else "yes" if word == said else "no"


def table_models(part):
    rows, cuts = [], []
    for arm in trained(part):
        own = part.arms[arm]
        several = len(own["divergences"]) > 1
        for name in own["divergences"]:
            label = LABELS[arm] + (f" ({part.divergences[name]['label']})" if several else "")
            rows.append({"Model": label} | cells(part, arm, name))
        if len(judged(part, arm, "recall [draws]")):
            row = cells(part, arm, main(part, arm), " [draws]")
            rows.append({"Model": f"{LABELS[arm]}, draws"} | row)
    cuts.append(len(rows) - 1)
    for kind in ("", " (binary)"):
        for sampler in ("training images", "independent pixels"):
            values = {label: number(untrained(part, sampler + kind, m)) for m, label in COLUMNS.items()}
            rows.append({"Model": sampler + kind} | values)
    frame = pd.DataFrame(rows)
    frame.attrs["rules_after"] = tuple(cuts)
    return frame


def cells(part, arm, divergence, kind=""):
    """The table's columns for one model; what it does not have is a dash."""
    found = {label: judged(part, arm, metric + kind, divergence) for metric, label in COLUMNS.items()}
    return {label: over_seeds(values) if len(values) else "--" for label, values in found.items()}


def table_tracking(part):
    rows = []
    for arm in trained(part):
        for name in part.arms[arm]["divergences"]:
            whole, late, batch, rising = (
                judged(part, arm, metric, name)
                for metric in ("tracking", "tracking [second half]", "tracking [batch]", "rising share")
            )
            label = LABELS[arm] + (
                f" ({part.divergences[name]['label']})" if len(part.arms[arm]["divergences"]) > 1 else ""
            )
            rows.append({
                "Model": label, "all of training": over_seeds(whole), "p": number(paired_permutation(whole), 2),
                "second half": over_seeds(late), "on batches": over_seeds(batch) if len(batch) else "--",
                "improving": over_seeds(rising),
            })  # fmt: skip
    return pd.DataFrame(rows)


def table_gradients(part):
    rows = []
    for arm in [arm for arm in trained(part) if part.arms[arm]["model"]["kind"] == "vae"]:
        row = {"Model": LABELS[arm]}
        for term in ("reconstruction", "KL"):
            history = part.history(f"encoder gradient [{term}] [median]")
            values = history[history.arm == arm].sort_values("step").value
            row[f"{term}: first, last"] = f"{number(values.iloc[0], 2)}, {number(values.iloc[-1], 2)}"
        binary = " (binary)" if "binary" in part.arms[arm]["model"] else ""
        row["ELBO"] = over_seeds(judged(part, arm, "held-out objective"), 4)
        row["latents ignored"] = number(untrained(part, f"independent pixels{binary}", "held-out objective"), 4)
        rows.append(row)
    return pd.DataFrame(rows)
