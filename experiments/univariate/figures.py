"""Figures and tables of the univariate experiment, from its part of a record."""

import functools
import math
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from fgan import figures
from fgan.tables import number, over_seeds

# The exact optimum that an objective should find: the divergence's own, or that of its effective divergence.
REFERENCE = {"saddle": "exact", "alternative": "effective"}
METHODS = {"sgd": "single step", "k_step": "k-step"}
PAPER_NAMES = {"kl": "KL", "reverse_kl": "KL-rev", "jensen_shannon": "JS", "jeffrey": "Jeffrey", "pearson": "Pearson"}


def exact(part, kind, what):
    """{divergence: exact value} for kind 'exact' or 'effective' and what 'mu', 'sigma' or 'D'."""
    rows = part.baselines(f"{kind} {what}")
    return dict(zip(rows.divergence, rows.value, strict=True))


@functools.cache  # a table of all pairs asks for each metric a dozen times
def learned(part, objective, metric, arm="sgd"):
    """{divergence: values over seeds} of a judged metric."""
    rows = part.final(metric, arm)
    rows = rows[rows.objective == objective]
    return {name: group.value.to_numpy() for name, group in rows.groupby("divergence", sort=False)}


def gaussian(x, mu, sigma):
    return np.exp(-0.5 * ((x - mu) / sigma) ** 2) / (abs(sigma) * math.sqrt(2 * math.pi))


def figure_densities(part):
    x = np.linspace(-5, 7, 500)
    target = part.design["settings"]["target"]
    components = zip(target["weights"], target["means"], target["variances"], strict=True)
    p = sum(w * gaussian(x, m, math.sqrt(v)) for w, m, v in components)
    mus, sigmas = learned(part, "saddle", "mean mu"), learned(part, "saddle", "mean sigma")
    best = exact(part, "exact", "mu"), exact(part, "exact", "sigma")
    figure, axes = plt.subplots(3, 4, figsize=(figures.WIDTH, 3.9), sharex=True, sharey=True)
    for axis, (name, info) in zip(axes.flat, part.divergences.items(), strict=False):
        axis.fill_between(x, p, color="#d9d9d9", lw=0)
        for mu, sigma in zip(mus[name], sigmas[name], strict=True):
            axis.plot(x, gaussian(x, mu, sigma), color=figures.OBJECTIVES["saddle"], lw=0.9, alpha=0.6)
        axis.plot(x, gaussian(x, best[0][name], best[1][name]), "--", color="black", lw=0.8)
        axis.set_title(info["label"])
        axis.set_yticks([])
        axis.spines["left"].set_visible(False)
    for axis in axes.flat[len(part.divergences) :]:
        axis.set_axis_off()
    axes[0, 0].annotate(
        "P",
        (-1.0, 0.36),
        xytext=(1.2, 0.42),
        color=figures.GREY,
        arrowprops={"arrowstyle": "-", "color": figures.GREY, "lw": 0.5},
    )
    handles = [plt.Line2D([], [], color=figures.OBJECTIVES["saddle"]), plt.Line2D([], [], ls="--", color="black")]
    figure.legend(handles, ["learned, one line a seed", "exact optimum"], loc="outside upper center", ncols=2)
    return figure


def figure_optima(part):
    names = list(part.divergences)[::-1]
    positions = range(len(names))
    figure, axes = plt.subplots(1, 4, figsize=(figures.WIDTH, 3.3), sharey=True)
    for column, (objective, what) in enumerate([(o, w) for o in REFERENCE for w in ("mu", "sigma")]):
        axis, colour = axes[column], figures.OBJECTIVES[objective]
        values, best = learned(part, objective, f"mean {what}"), exact(part, REFERENCE[objective], what)
        low, high = (-0.3, 2.5) if what == "mu" else (1.2, 2.6)
        axis.set_xlim(low, high)
        figures.dots(axis, positions, [np.clip(values.get(n, []), low, high) for n in names], colour)
        axis.plot([best[n] for n in names], positions, "|", ms=11, mew=1.1, color="black")
        axis.set_title(objective, color=colour)
        axis.set_xlabel({"mu": r"mean $\mu$", "sigma": r"standard deviation $\sigma$"}[what])
        axis.set_yticks(positions, [part.divergences[n]["label"] for n in names])
        axis.grid(axis="y", lw=0.3, color="#e5e5e5")
    handles = [
        plt.Line2D([], [], ls="", marker="o", ms=3, color=figures.GREY),
        plt.Line2D([], [], ls="", marker="|", ms=9, color="black"),
    ]
    figure.legend(
        handles,
        ["learned, one dot a seed", "exact optimum (alternative: of its effective divergence)"],
        loc="outside upper center",
        ncols=2,
    )
    return figure


def table_learned(part):
    rows = []
    for name, info in part.divergences.items():
        row = {"Divergence": info["label"]}
        for objective, kind in REFERENCE.items():
            if objective not in part.design["settings"]["objectives"]:
                continue
            short = {"saddle": "", "alternative": "alt. "}[objective]
            for what, symbol in (("mu", r"$\mu$"), ("sigma", r"$\sigma$")):
                row[f"{short}exact {symbol}"] = number(exact(part, kind, what)[name])
                row[f"{short}learned {symbol}"] = over_seeds(learned(part, objective, f"mean {what}")[name])
        saturated = learned(part, "saddle", "saturated")[name].mean()
        row["note"] = "V saturated" if saturated > 0.5 else ""
        rows.append(row)
    return pd.DataFrame(rows)


def table_cross(part):
    names = list(part.divergences)
    rows = []
    for trained in names:
        row = {"Trained on": part.divergences[trained]["label"]}
        for judge in names:
            row[part.divergences[judge]["label"]] = number(float(learned(part, "saddle", f"D {judge}")[trained].mean()))
        rows.append(row)
    return pd.DataFrame(rows)


def crossed(part, trained, judge):
    """A divergence at the exact optimum of another."""
    rows = part.baselines(f"crossed {judge}")
    return float(rows[rows.divergence == trained].value.iloc[0])


def table_cross_exact(part):
    names = list(part.divergences)
    labels = [part.divergences[name]["label"] for name in names]
    return pd.DataFrame([
        {"At the optimum of": label} | {
            other: number(crossed(part, name, judge)) for other, judge in zip(labels, names, strict=True)
        }
        for name, label in zip(names, labels, strict=True)
    ])  # fmt: skip


def published_cross():
    """The paper's cross table, as recalled."""
    published = pd.read_csv(Path("paper", "published", "fgan_table3_cross.csv"))
    return published[published.kind.str.startswith("published")].set_index("train_divergence")


def table_cross_published(part):
    published, rows = published_cross(), []
    for trained, theirs in PAPER_NAMES.items():
        row = {"Trained on": part.divergences[trained]["label"]}
        for judge, column in PAPER_NAMES.items():
            ours = float(learned(part, "saddle", f"D {judge}")[trained].mean())
            row[part.divergences[judge]["label"]] = (
                f"{number(ours)}, {number(crossed(part, trained, judge))} ({number(published.loc[theirs, column])})"
            )
        rows.append(row)
    return pd.DataFrame(rows)


def table_published(part):
    published = pd.read_csv(Path("paper", "published", "fgan_table3_univariate.csv")).set_index("divergence")
    pairs = [("D", "D_f_at_theta_star"), ("mu", "mu_star"), ("sigma", "sigma_star")]
    rows, cross = [], published_cross()
    for name, theirs in PAPER_NAMES.items():
        row = {"Divergence": part.divergences[name]["label"]}
        for what, column in pairs:
            symbol = {"D": "$D_f$", "mu": r"$\mu^*$", "sigma": r"$\sigma^*$"}[what]
            row[f"{symbol} paper"] = number(published.loc[theirs, column])
            row[f"{symbol} ours"] = number(exact(part, "exact", what)[name])
        for what, column, metric in (
            ("$F$", "F_at_learned", "mean F"),
            (r"$\hat\mu$", "mu_hat", "mean mu"),
            (r"$\hat\sigma$", "sigma_hat", "mean sigma"),
        ):
            row[f"{what} paper"] = number(published.loc[theirs, column])
            row[f"{what} ours"] = number(float(learned(part, "saddle", metric)[name].mean()))
        own = float(cross.loc[theirs, theirs])
        impossible = own < exact(part, "exact", "D")[name] - 5e-4  # beyond what rounding explains
        row["own entry of the paper's cross table"] = number(own) + (" (below $D_f$)" if impossible else "")
        rows.append(row)
    return pd.DataFrame(rows)


def table_methods(part):
    rows, best = [], {what: exact(part, "exact", what) for what in ("mu", "sigma")}
    for name in part.arms["k_step"]["divergences"] if "k_step" in part.arms else part.divergences:
        row = {"Divergence": part.divergences[name]["label"]}
        for arm in part.arms:
            for what, symbol in (("mu", r"$\mu$"), ("sigma", r"$\sigma$")):
                error = learned(part, "saddle", f"mean {what}", arm)[name] - best[what][name]
                row[f"{METHODS[arm]}: {symbol}"] = over_seeds(error)
            row[f"{METHODS[arm]}: failed"] = number(float(learned(part, "saddle", "failed", arm)[name].mean()), 2)
        rows.append(row)
    return pd.DataFrame(rows)
