"""Figures and tables of the discrete experiment, from its part of a record."""

import numpy as np
import pandas as pd

from fgan.report import figures
from fgan.report.printed import defined, over_seeds

LABELS = {
    "argmax": "argmax", "score_function": "score function", "straight_through": "straight-through",
    "gumbel_softmax": "Gumbel-softmax", "gumbel_softmax_linear": "Gumbel-softmax, linear V",
}  # fmt: skip
COLOURS = dict(zip(LABELS, (figures.GREY, "#0b6e99", "#2f8f4e", "#d9730d", "#a4469a"), strict=True))
CORE = ("gan", "kl", "reverse_kl", "pearson")


def estimators(part, without=()):
    """{arm: label} of the estimators in this part."""
    return {arm: label for arm, label in LABELS.items() if arm in part.arms and arm not in without}


def core(part):
    """{name: label} of the divergences that figures show."""
    return {name: part.labels[name] for name in CORE if name in part.labels}


def figure_distance(part):
    names, arms = core(part), estimators(part)
    figure, axes = figures.panels(len(names), 2.0, sharey=True)
    for axis, (name, label) in zip(axes, names.items(), strict=True):
        start = part.baseline("D_f", "uniform", name)
        for arm in arms:
            figures.band(axis, part.quartiles("watched D_f", arm, name) / start, COLOURS[arm])
        axis.set_title(label)
    if figures.logarithmic(*axes):
        for axis in axes:
            axis.axhline(0.1, color=figures.GREY, lw=0.6, ls=":")
    figure.supxlabel("step")
    figure.supylabel("divergence, of its start")
    figures.legend(figure, {label: figures.line(lw=1.4, color=COLOURS[arm]) for arm, label in arms.items()})
    return figure


def figure_estimators(part):
    names, arms = core(part), estimators(part, without=["argmax"])
    figure, axes = figures.panels(len(names), 1.9, sharex=True, sharey=True)
    for axis, (name, label) in zip(axes, names.items(), strict=True):
        for arm in arms:
            bias, noise = (part.values(metric, arm, name, rule="start") for metric in ("bias", "noise"))
            axis.plot(noise, bias, "o", ms=3.5, mew=0, alpha=0.8, color=COLOURS[arm])
        span = np.array([1e-2, 1e2])
        axis.plot(span, span / part.measure["draws"] ** 0.5, color=figures.GREY, lw=0.8)
        axis.set(title=label, xscale="log", yscale="log", xlim=(2e-2, 20), ylim=(3e-3, 20))
    figure.supxlabel("standard deviation, of the exact gradient's norm")
    figure.supylabel("bias")
    dots = {label: figures.dot(COLOURS[arm], ms=3.5) for arm, label in arms.items()}
    figures.legend(figure, dots | {"chance": figures.line(lw=0.8, color=figures.GREY)})
    return figure


def table_distance(part):
    rows = []
    for arm, label in estimators(part).items():
        for name in part.arms[arm]["divergences"]:
            path, moved, categories = (part.values(m, arm, name) for m in ("path", "moved", "categories"))
            saddle, alternative = (part.values("relative D_f", arm, name, o) for o in figures.OBJECTIVES)
            rows.append({
                "Estimator": label, "Divergence": part.labels[name], "a derivative": "yes" if path.all() else "no",
                "logits moved": defined(moved, digits=2), "of the start: saddle": over_seeds(saddle),
                "of the start: alternative": over_seeds(alternative), "categories": defined(categories),
            })  # fmt: skip
    return pd.DataFrame(rows)


def table_gradient(part):
    headings = {"bias": "bias", "noise": "standard deviation", "chance": "chance", "cosine": "cosine"}
    rows = []
    for arm, label in estimators(part, without=["argmax"]).items():
        for name, divergence in core(part).items():
            values = {h: part.values(metric, arm, name, rule="start") for metric, h in headings.items()}
            rows.append({"Estimator": label, "Divergence": divergence} | {h: defined(v) for h, v in values.items()})
    return pd.DataFrame(rows)
