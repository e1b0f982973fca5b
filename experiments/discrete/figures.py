"""Figures and tables of the discrete experiment, from its part of a record."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from fgan import figures
from fgan.tables import by_run, number, over_seeds

LABELS = {
    "argmax": "argmax", "score_function": "score function", "straight_through": "straight-through",
    "gumbel_softmax": "Gumbel-softmax", "gumbel_softmax_linear": "Gumbel-softmax, linear V",
}  # fmt: skip
CORE = ("gan", "kl", "reverse_kl", "pearson")
COLOURS = dict(zip(LABELS, ("#8a8a8a", "#0b6e99", "#2f8f4e", "#d9730d", "#a4469a"), strict=True))


def values(part, metric, arm, divergence, objective="saddle"):
    return by_run(part, metric, arm)[divergence, objective]


def arms(part):
    return [arm for arm in LABELS if arm in part.arms]


def core(part):
    return [name for name in CORE if name in part.divergences]


def figure_distance(part):
    names = core(part)
    figure, axes = plt.subplots(1, len(names), figsize=(figures.WIDTH, 2.5), sharey=True, squeeze=False)
    starts = part.baselines("D_f").set_index("divergence").value
    quartiles = ("lower quartile", "median", "upper quartile")
    for axis, name in zip(axes.flat, names, strict=True):
        for arm in arms(part):
            low, median, high = (
                rows[(rows.arm == arm) & (rows.divergence == name) & (rows.objective == "saddle")].sort_values("step")
                for rows in (part.history(f"watched D_f [{q}]") for q in quartiles)
            )  # fmt: skip
            start, colour = starts[f"uniform, {name}"], COLOURS[arm]
            axis.fill_between(low.step, low.value / start, high.value / start, color=colour, alpha=0.15, lw=0)
            axis.plot(median.step, median.value / start, color=colour, lw=1.4, label=LABELS[arm])
        axis.set_yscale("log")
        axis.set_title(part.divergences[name]["label"])
        axis.axhline(0.1, color=figures.GREY, lw=0.6, ls=":")
    figure.supxlabel("step", fontsize=8)
    figure.supylabel("divergence, of its start", fontsize=8)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure


def figure_estimators(part):
    names = core(part)
    figure, axes = plt.subplots(1, len(names), figsize=(figures.WIDTH, 2.4), sharex=True, sharey=True, squeeze=False)
    draws = part.design["settings"]["measure"]["draws"]
    for axis, name in zip(axes.flat, names, strict=True):
        for arm in [arm for arm in arms(part) if arm != "argmax"]:
            bias, noise = (values(part, f"{metric} [start]", arm, name) for metric in ("bias", "noise"))
            axis.plot(noise, bias, "o", ms=3.5, mew=0, alpha=0.8, color=COLOURS[arm], label=LABELS[arm])
        span = np.geomspace(1e-2, 1e2, 20)
        axis.plot(span, span / draws**0.5, color=figures.GREY, lw=0.8, label="chance")
        axis.set(xscale="log", yscale="log", xlim=(2e-2, 20), ylim=(3e-3, 20))
        axis.set_title(part.divergences[name]["label"])
    figure.supxlabel("standard deviation, of the exact gradient's norm", fontsize=8)
    figure.supylabel("bias", fontsize=8)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure


def table_distance(part):
    rows = []
    for arm in arms(part):
        for name in part.arms[arm]["divergences"]:
            both = [values(part, "relative D_f", arm, name, objective) for objective in figures.OBJECTIVES]
            rows.append({
                "Estimator": LABELS[arm], "Divergence": part.divergences[name]["label"],
                "a derivative": "yes" if values(part, "path", arm, name).all() else "no",
                "logits moved": number(float(values(part, "moved", arm, name).mean()), 2),
                "of the start: saddle": over_seeds(both[0]), "of the start: alternative": over_seeds(both[1]),
                "categories": number(float(values(part, "categories", arm, name).mean())),
            })  # fmt: skip
    return pd.DataFrame(rows)


def table_gradient(part):
    rows = []
    for arm in [arm for arm in arms(part) if arm != "argmax"]:
        for name in core(part):
            row = {"Estimator": LABELS[arm], "Divergence": part.divergences[name]["label"]}
            headings = {"bias": "bias", "noise": "standard deviation", "chance": "chance", "cosine": "cosine"}
            row |= {
                heading: number(float(np.mean(values(part, f"{metric} [start]", arm, name))))
                for metric, heading in headings.items()
            }
            rows.append(row)
    return pd.DataFrame(rows)
