"""Figures and tables of the univariate experiment, from its part of a record."""

import math
from pathlib import Path

import numpy as np
import pandas as pd

from fgan.report import fates, figures
from fgan.report.printed import defined, number, over_seeds

ARM = "sgd"
# The exact optimum that an objective should find: that of the divergence, or of its effective divergence.
OPTIMA = {"saddle": "exact optimum", "alternative": "effective optimum"}
METHODS = {"sgd": "single step", "k_step": "k-step"}
PAPER_NAMES = {"kl": "KL", "reverse_kl": "KL-rev", "jensen_shannon": "JS", "jeffrey": "Jeffrey", "pearson": "Pearson"}
PUBLISHED = Path("paper", "published")


def gaussian(x, mu, sigma):
    return np.exp(-0.5 * ((x - mu) / sigma) ** 2) / (abs(sigma) * math.sqrt(2 * math.pi))


def density(x, target):
    """The density of a mixture by its settings."""
    components = zip(target["weights"], target["means"], target["variances"], strict=True)
    return sum(weight * gaussian(x, mean, math.sqrt(variance)) for weight, mean, variance in components)


def figure_densities(part):
    x, blue = np.linspace(-5, 7, 500), figures.OBJECTIVES["saddle"]
    p = density(x, part.design["settings"]["target"])
    figure, axes = figures.panels(len(part.labels), 1.13, sharex=True, sharey=True)
    for axis, (name, label) in zip(axes, part.labels.items(), strict=True):
        axis.fill_between(x, p, color="#d9d9d9", lw=0)
        learned = zip(*(part.values(metric, ARM, name) for metric in ("mean mu", "mean sigma")), strict=True)
        for mu, sigma in learned:
            if sigma == 0:  # all samples are one point
                axis.axvline(mu, color=blue, lw=0.9, alpha=0.6)
                continue
            axis.plot(x, gaussian(x, mu, sigma), color=blue, lw=0.9, alpha=0.6)
        best = (part.baseline(metric, "exact optimum", name) for metric in ("mu", "sigma"))
        axis.plot(x, gaussian(x, *best), "--", color="black", lw=0.8)
        axis.set(title=label, yticks=[])
        axis.spines["left"].set_visible(False)
    pointer = {"arrowstyle": "-", "color": figures.GREY, "lw": 0.5}
    axes[0].annotate("P", (-1.0, 0.36), xytext=(1.2, 0.42), color=figures.GREY, arrowprops=pointer)
    handles = {"learned, one line a seed": figures.line(color=blue)}
    figures.legend(figure, handles | {"exact optimum": figures.line(ls="--", color="black")})
    return figure


def figure_optima(part):
    names, positions = list(part.labels)[::-1], range(len(part.labels))
    ranges = {"mu": (r"mean $\mu$", -0.3, 2.5), "sigma": (r"standard deviation $\sigma$", 1.2, 2.6)}
    figure, axes = figures.panels(4, 2.8, sharey=True)
    columns = [(objective, optimum, metric) for objective, optimum in OPTIMA.items() for metric in ranges]
    for axis, (objective, optimum, metric) in zip(axes, columns, strict=True):
        colour, (label, low, high) = figures.OBJECTIVES[objective], ranges[metric]
        learned = [np.clip(part.values(f"mean {metric}", ARM, name, objective), low, high) for name in names]
        figures.dots(axis, positions, learned, colour)
        best = [part.baseline(metric, optimum, name) for name in names]
        axis.plot(best, positions, "|", ms=11, mew=1.1, color="black")
        figures.row_labels(axis, [part.labels[name] for name in names])
        axis.set(xlim=(low, high), xlabel=label)
        axis.set_title(objective, color=colour)
    optimum = figures.dot("black", marker="|", ms=9)
    handles = {"learned, one dot a seed": figures.dot(figures.GREY)}
    figures.legend(figure, handles | {"exact optimum (alternative: of its effective divergence)": optimum})
    return figure


def table_learned(part):
    symbols, rows = {"mu": r"$\mu$", "sigma": r"$\sigma$"}, []
    for name, label in part.labels.items():
        row = {"Divergence": label}
        for objective in part.arms[ARM]["objectives"]:
            short = {"saddle": "", "alternative": "alt. "}[objective]
            for metric, symbol in symbols.items():
                row[f"{short}exact {symbol}"] = number(part.baseline(metric, OPTIMA[objective], name))
                row[f"{short}learned {symbol}"] = over_seeds(part.values(f"mean {metric}", ARM, name, objective))
        row["note"] = "V saturated" if part.values("saturated", ARM, name).mean() > 0.5 else ""
        rows.append(row)
    return pd.DataFrame(rows)


def cross(part, trained, judge):
    """The exact divergence `judge` of the models trained on another one, mean over seeds, and of its exact optimum."""
    return part.values("D", ARM, trained, rule=judge).mean(), part.baseline("D", "exact optimum", trained, rule=judge)


def cross_table(part, heading, cell, names=None):
    """The text `cell(trained, judge)`, a row for each divergence that was trained on and a column for each judge."""
    labels = {name: part.labels[name] for name in names or part.labels}
    return pd.DataFrame([{heading: row} | {labels[j]: cell(n, j) for j in labels} for n, row in labels.items()])


def table_cross(part):
    return cross_table(part, "Trained on", lambda *pair: number(cross(part, *pair)[0]))


def table_cross_exact(part):
    return cross_table(part, "At the optimum of", lambda *pair: number(cross(part, *pair)[1]))


def published_cross():
    """The paper's cross table, as recalled."""
    published = pd.read_csv(PUBLISHED / "fgan_table3_cross.csv")
    return published[published.kind == "published, as recalled"].set_index("train_divergence")


def table_cross_published(part):
    published = published_cross()

    def cell(trained, judge):
        learned, least = map(number, cross(part, trained, judge))
        return f"{learned}, {least} ({number(published.loc[PAPER_NAMES[trained], PAPER_NAMES[judge]])})"

    return cross_table(part, "Trained on", cell, PAPER_NAMES)


def table_published(part):
    published, published_diagonal = pd.read_csv(PUBLISHED / "fgan_table3_univariate.csv"), published_cross()
    columns = {
        "D": ("$D_f$", "D_f_at_theta_star"), "mu": (r"$\mu^*$", "mu_star"), "sigma": (r"$\sigma^*$", "sigma_star"),
        "mean F": ("$F$", "F_at_learned"), "mean mu": (r"$\hat\mu$", "mu_hat"),
        "mean sigma": (r"$\hat\sigma$", "sigma_hat"),
    }  # fmt: skip
    rows = []
    for name, theirs in PAPER_NAMES.items():
        exact = {metric: part.baseline(metric, "exact optimum", name) for metric in ("D", "mu", "sigma")}
        ours = {metric: number(value) for metric, value in exact.items()}
        ours |= {metric: defined(part.values(metric, ARM, name)) for metric in ("mean F", "mean mu", "mean sigma")}
        row = {"Divergence": part.labels[name]}
        for metric, (symbol, column) in columns.items():
            row[f"{symbol} paper"] = number(published.set_index("divergence").loc[theirs, column])
            row[f"{symbol} ours"] = ours[metric]
        diagonal = published_diagonal.loc[theirs, theirs]
        impossible = diagonal < exact["D"] - 5e-4  # more than rounding explains
        row["own entry of the paper's cross table"] = number(diagonal) + (" (below $D_f$)" if impossible else "")
        rows.append(row)
    return pd.DataFrame(rows)


def table_methods(part):
    names = part.arms["k_step"]["divergences"] if "k_step" in part.arms else part.labels
    rows = []
    for name in names:
        row = {"Divergence": part.labels[name]}
        for arm in part.arms:
            for metric, symbol in (("mu", r"$\mu$"), ("sigma", r"$\sigma$")):
                error = part.values(f"mean {metric}", arm, name) - part.baseline(metric, "exact optimum", name)
                row[f"{METHODS[arm]}: {symbol}"] = over_seeds(error)
            row[f"{METHODS[arm]}: failed"] = fates.cell(part, arm, name)
        rows.append(row)
    return pd.DataFrame(rows)
