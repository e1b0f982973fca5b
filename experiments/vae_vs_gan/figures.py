"""Figures and tables of GAN against VAE, from their part of a record."""

import math

import pandas as pd
from matplotlib.ticker import LogLocator, NullFormatter

from fgan.report import claims, figures, printed, tables
from fgan.report.printed import number, over_seeds
from fgan.report.statistics import paired_permutation

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
# The exercise's table: a property and its measurement, its checks (as in a claims.yaml), the models that stand for VAE,
# GAN and hybrid, and the exercise's words for the first two.
GENERATES = [{"metric": "relative Frechet", "high": 1.0}]
TRACKS = [{"metric": "tracking", "rule": rule, "low": 0.5} for rule in ("", "second half")]
SHARP = [{"metric": "relative Laplacian", "low": 0.8, "high": 1.25}]
BOTH = ("vae", "gan", "hybrid")
ROWS = [
    ("well-defined objective", "rank correlation", TRACKS, BOTH, ("yes", "no")),
    ("discrete data", "Fréchet", GENERATES, ("vae_binary", "gan_binary", None), ("yes", "no")),
    ("  remedy", "Fréchet", GENERATES, (None, "gan_binary_straight_through", None), ()),
    ("discrete latents", "Fréchet", GENERATES, ("vae_categorical_hard", "gan_categorical", None), ("no", "yes")),
    ("  remedy", "Fréchet", GENERATES, ("vae_categorical", None, None), ()),
    ("sharp samples", "Laplacian", SHARP, BOTH, ("no", "yes")),
]  # fmt: skip


def trained(part, arms=LABELS):
    """The arms of `arms` that this part has."""
    return [arm for arm in arms if arm in part.arms]


def main(part, arm):
    """The divergence that represents an arm (GAN's own, if there are several), and the arm's objective."""
    names = part.arms[arm]["divergences"]
    return "gan" if "gan" in names else names[0], part.arms[arm]["objectives"][0]


def models(part):
    """(label, arm, (divergence, objective)) of every model."""
    for arm in trained(part):
        names, objectives = part.arms[arm]["divergences"], part.arms[arm]["objectives"]
        for name in names:
            label = f"{LABELS[arm]} ({part.labels[name]})" if len(names) > 1 else LABELS[arm]
            yield label, arm, (name, *objectives)


def figure_samples(part):
    sheets = {"real": part.samples["real"]}
    for arm in trained(part):
        run = "/".join((arm, *main(part, arm), "0"))
        both = f"draws/{run}" in part.samples and arm in COLOURS
        sheets[f"{LABELS[arm]}, means" if both else LABELS[arm]] = part.samples[f"samples/{run}"]
        if both:
            sheets[f"{LABELS[arm]}, draws"] = part.samples[f"draws/{run}"]
    sheets["real, thresholded"] = part.samples["real (binary)"]
    side = math.isqrt(sheets["real"].shape[1])
    figure, axes = figures.panels(len(sheets), 0.34, columns=1, top=0)
    for axis, (label, images) in zip(axes, sheets.items(), strict=True):
        figures.sheet(axis, figures.strip(images, (side, side)), label)
    return figure


def figure_tracking(part):
    arms = trained(part, COLOURS)
    figure, axes = figures.panels(2 * len(arms), 1.45, columns=len(arms), sharex=True)
    objectives, distances = axes[: len(arms)], axes[len(arms) :]
    for arm, top, bottom in zip(arms, objectives, distances, strict=True):
        for axis, metric in ((top, "held-out objective"), (bottom, "watched Frechet")):
            lines = part.history(metric, arm, *main(part, arm))
            axis.plot(lines.index, lines, color=COLOURS[arm], lw=0.8, alpha=0.7)
        both = (part.values("tracking", arm, *main(part, arm), rule) for rule in ("", "second half"))
        whole, late = (printed.summed(values, lambda kept: f"{kept.mean():.2f}") for values in both)
        top.set_title(f"{LABELS[arm]}: {whole}, second half {late}")
        top.set_ylabel("F" if arm == "gan" else "ELBO, nats")
        bottom.sharey(distances[0])
        bottom.set_xlabel("step")
    distances[0].set_ylabel("Fréchet distance")
    if figures.logarithmic(*distances):
        distances[0].yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        distances[0].yaxis.set_major_formatter("{x:g}")
        distances[0].yaxis.set_minor_formatter(NullFormatter())
    return figure


def figure_sharpness(part):
    figure, axes = figures.panels(2, 2.2, columns=2, sharey=True)
    dots, crosses = {"marker": "o", "mew": 0}, {"marker": "x", "mew": 0.8}
    for axis, metric in zip(axes, ("precision", "recall"), strict=True):
        for arm in trained(part, COLOURS):
            for rule, style in (("", dots), ("draws", crosses)):
                x, y = (part.values(m, arm, *main(part, arm), rule) for m in (metric, "relative Laplacian"))
                if len(x):
                    label = LABELS[arm] if arm == "gan" else f"{LABELS[arm]}, {rule or 'means'}"
                    axis.plot(x, y, ls="", ms=4, alpha=0.8, color=COLOURS[arm], label=label, **style)
        real = ([part.baseline(m, "training images")] for m in (metric, "relative Laplacian"))
        axis.plot(*real, "*", ms=9, mew=0, color="black", label="real images")
        axis.axhspan(0.8, 1.25, color="#eeeeee", lw=0, zorder=0)
        axis.set(xlabel=metric, xlim=(-0.04, 1.04), yscale="log")
        axis.set_yticks([0.25, 0.5, 1, 2, 4], ["1/4", "1/2", "1", "2", "4"])
        axis.minorticks_off()
    axes[0].set_ylabel("sharpness, real images = 1")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")
    return figure


def measured(part, arm, checks):
    """(yes, no or undecided; means as text) of a property, which needs all its checks; or that the arm was not run."""
    if arm not in part.arms:
        return "not run", "not run"
    where = {"arm": arm, "divergence": main(part, arm)[0]}
    results = [claims.results(part, {"kind": "mean", "where": where} | check)[0] for check in checks]
    outcomes = [result.outcome for result in results]
    word = "no" if "fails" in outcomes else "yes" if set(outcomes) == {"holds"} else "undecided"
    # If a run has no value, the mean is unknown.
    return word, ", ".join(number(r.estimate, 2) if math.isfinite(r.estimate) else "undefined" for r in results)


def agreement(word, said):
    """Whether a measured word agrees with the exercise's: yes, no, or undecided if the measurement is undecided."""
    return word if word in ("not run", "undecided") else "yes" if word == said else "no"


def table_verdict(part):
    rows = []
    for name, method, checks, arms, words in ROWS:
        cells = [measured(part, arm, checks) for arm in arms]
        row = {"Property": name, "measured by": method, "exercise": ", ".join(words) or "says nothing"}
        for model, (word, means) in zip(("VAE", "GAN", "hybrid"), cells, strict=True):
            row[model] = word if word == "not run" else f"{word} ({means})"
        agree = [agreement(word, said) for (word, _), said in zip(cells, words, strict=False)]
        rows.append(row | {"agreement": ", ".join(agree) or "nothing to compare"})
    return pd.DataFrame(rows)


def table_models(part):
    rows = []
    for model, arm, run in models(part):
        for rule, label in (("", model), ("draws", f"{model}, draws")):
            values = {heading: part.values(metric, arm, *run, rule) for metric, heading in COLUMNS.items()}
            if any(map(len, values.values())):
                rows.append({"Model": label} | {h: over_seeds(v) for h, v in values.items()})
    last = len(rows) - 1
    for rule, kind in (("", ""), ("binary", " (binary)")):
        for sampler in ("training images", "independent pixels"):
            values = {heading: part.baseline(metric, sampler, rule=rule) for metric, heading in COLUMNS.items()}
            rows.append({"Model": sampler + kind} | {heading: number(value) for heading, value in values.items()})
    return tables.framed(rows, [last])


def table_tracking(part):
    rows = []
    for label, arm, run in models(part):
        whole, late, batch = (part.values("tracking", arm, *run, rule) for rule in ("", "second half", "batch"))
        rows.append({
            "Model": label, "all of training": over_seeds(whole), "p": number(paired_permutation(whole), 2),
            "second half": over_seeds(late), "on batches": over_seeds(batch),
            "improving": over_seeds(part.values("rising share", arm, *run)),
        })  # fmt: skip
    return pd.DataFrame(rows)


def table_gradients(part):
    rows = []
    for label, arm, run in models(part):
        model, row = part.arms[arm]["model"], {"Model": label}
        if model["kind"] == "vae":
            for term in ("reconstruction", "KL"):
                norms = part.quartiles("encoder gradient", arm, *run, term)["median"]
                row[f"{term}: first, last"] = ", ".join(number(norms.iloc[end], 2) for end in (0, -1))
            pixels = "binary" if "binary" in model else ""
            ignored = part.baseline("held-out objective", "independent pixels", rule=pixels)
            row["ELBO"] = over_seeds(part.values("held-out objective", arm, *run), 4)
            rows.append(row | {"latents ignored": number(ignored, 4)})
    return pd.DataFrame(rows)
