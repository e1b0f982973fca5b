"""Figures, tables and statistics on whether the divergence or the settings decide, from its part of a record."""

import math
from pathlib import Path

import numpy as np
import pandas as pd

from fgan.report import figures, mode_figures, variance
from fgan.report.printed import count_range, defined, number, over_seeds
from fgan.report.tables import framed

from . import tuning

COLOURS = {"tanh": "#6a4c93", "relu": "#2a9d8f"}
LEARNED, RED = figures.OBJECTIVES["saddle"], "#9b2226"
PARAMETERS = ("mu_1", "mu_2", "C_11", "C_12", "C_22")
EFFECTS = {"divergence": "divergence", "block": "settings", "interaction": "both together", "seed": "seed and rest"}
SCOPES = {"untuned": "common setting", "tuned": "tuned", "grid": "whole grid"}
OBJECTIVES = {"saddle": ("saddle",), "alternative": ("alternative",), "both": ("saddle", "alternative")}


def trained(part):
    """{words: objectives} of the objectives that a scale trains, alone and together."""
    own = {objective for arm in tuning.settings(part) for objective in part.arms[arm]["objectives"]}
    return {name: objectives for name, objectives in OBJECTIVES.items() if own >= {*objectives}}


def every(part):
    """The objectives that a scale trains."""
    return [*trained(part).values()][-1]


def judged(part, interval, scope, objectives=("saddle",)):
    """What a check takes of a statistic over modes: its interval, the seeds that judge, the runs not converged."""
    return *interval, tuning.judges(part), tuning.unconverged(part, scope, objectives)


def over(part, scope, effect, minus):
    """How much more of the variance one effect explains than another."""
    return judged(part, tuning.share(part, scope, ["saddle"], effect, minus=minus), scope)


def statistic_divergence_over_seeds_untuned(part):
    return over(part, "untuned", "divergence", "seed")


def statistic_divergence_over_seeds_tuned(part):
    return over(part, "tuned", "divergence", "seed")


def statistic_divergence_over_seeds_grid(part):
    return over(part, "grid", "divergence", "seed")


def statistic_settings_over_divergence(part):
    return over(part, "grid", "block", "divergence")


def statistic_advantage_over_gan_saddle(part):
    return judged(part, tuning.advantage(part, "saddle"), "tuned")


def statistic_advantage_over_gan_alternative(part):
    if "alternative" not in trained(part):
        return math.nan, -math.inf, math.inf, 0
    return judged(part, tuning.advantage(part, "alternative"), "tuned", ["alternative"])


def statistic_worst_tuned_over_best_untuned(part):
    return judged(part, tuning.worst_over_best(part), "tuned")


def statistic_pairing_across_settings(part):
    return tuning.pairing(part, "settings")


def statistic_pairing_across_divergences(part):
    return tuning.pairing(part, "divergences")


def statistic_pairing_across_gaussians(part):
    return tuning.pairing(part, "gaussians")


def outlines(axis, parameters, **style):
    """A Gaussian's mean and its ellipses of one and two standard deviations; nothing if it is no distribution."""
    if not np.isfinite(parameters).all():
        return
    m_1, m_2, a, b, c = parameters
    turn = np.linspace(0, 2 * math.pi, 200)
    values, vectors = np.linalg.eigh([[a, b], [b, c]])
    line = vectors * np.sqrt(values.clip(0)) @ np.stack([np.cos(turn), np.sin(turn)])
    for width in (1, 2):
        axis.plot(m_1 + width * line[0], m_2 + width * line[1], **style)
    axis.plot(m_1, m_2, ".", ms=3, color=style["color"])


def figure_ellipses(part):
    fitted, (mean, sd) = part.measure["fitted"], part.arms["gaussian"]["start"]
    figure, axes = figures.panels(len(part.labels), 1.75, top=0.35)
    x, y = np.meshgrid(np.linspace(-5.5, 5.5, 221), np.linspace(-4.5, 6, 211))
    density = sum(
        w / (2 * math.pi * v) * np.exp(-((x - m[0]) ** 2 + (y - m[1]) ** 2) / (2 * v))
        for w, m, v in zip(fitted["weights"], fitted["means"], fitted["variances"], strict=True)
    )
    for axis, (name, label) in zip(axes, part.labels.items(), strict=True):
        axis.contourf(x, y, density**0.5, levels=np.linspace(0.03, 0.39, 10), cmap="Greys", vmin=0, vmax=0.7)
        outlines(axis, (mean, mean, sd**2, 0, sd**2), ls=":", lw=0.7, color=figures.GREY)
        for learned in zip(*(part.values(f"mean {p}", "gaussian", name) for p in PARAMETERS), strict=True):
            outlines(axis, learned, color=LEARNED, lw=0.8, alpha=0.6)
        exact = [part.baseline(p, "exact optimum", name) for p in PARAMETERS]
        outlines(axis, exact, color="black", lw=0.9, ls="--")
        others = [part.baselines(p, sampler="other minimum", divergence=name).value for p in PARAMETERS[:2]]
        axis.plot(*others, "x", ms=3.5, mew=0.9, color=RED)
        axis.set(xlim=(-4.7, 4.7), ylim=(-4.3, 5.1), aspect="equal")
        axis.set_axis_off()
        axis.set_title(label, fontsize=8, pad=2)
    figures.legend(figure, {
        "learned": figures.line(color=LEARNED), "exact optimum": figures.line(color="black", ls="--"),
        "start": figures.line(color=figures.GREY, ls=":"), "other local minimum": figures.dot(RED, marker="x", ms=4),
    })  # fmt: skip
    return figure


def figure_modes(part):
    rows, arms = tuning.entries(part, every(part))[::-1], list(tuning.settings(part).values())
    figure, axes = figures.panels(3, 0.19 * len(rows), top=1.1, sharey=True)
    for axis, (scope, title) in zip(axes, SCOPES.items(), strict=True):
        modes = tuning.modes_covered(part, scope, every(part))[::-1]  # of converged and of failed runs
        blocks = [factors["activation"] for factors in arms] if scope == "grid" else tuning.activations(part)
        for block, activation in enumerate(blocks if modes.shape[2] else []):  # no seed, nothing to lay out
            offset, colour = 0.2 if activation == "tanh" else -0.2, COLOURS[activation]
            if scope == "grid":
                style = {"ms": 3.5, "mew": 0.8, "mec": colour, "mfc": colour if arms[block]["ratio"] < 1 else "none"}
                means = variance.means(modes)[:, block]
                axis.plot(means, np.arange(len(rows)) + offset, "o", **style, clip_on=False)
            else:
                seeds = [row[np.isfinite(row)] for row in modes[:, block]]
                figures.dots(axis, range(len(rows)), seeds, colour, offset, spread=0.12)
        figures.row_labels(axis, [tuning.label(part, *row) for row in rows])
        axis.tick_params(axis="y", labelsize=7)
        axis.set(xlim=(-0.3, 8.3), xticks=[0, 4, 8], title=title)
    figure.supxlabel("modes covered")
    figures.legend(figure, {activation: figures.dot(colour, ms=3.5) for activation, colour in COLOURS.items()})
    return figure


def figure_length(part):
    """Modes and quality in every setting against steps (saddle objective)."""
    arms, colours = tuning.settings(part), figures.palette(part.divergences)
    names = [name for name, _ in tuning.entries(part, ["saddle"])]
    order = sorted(arms, key=lambda arm: (arms[arm]["activation"] != "tanh", arms[arm]["ratio"], arms[arm]["rate"]))
    lines = {arm: {part.labels[name]: (arm, name, colours[name]) for name in names} for arm in order}
    panels = {arm.replace("_", " "): own for arm, own in lines.items()}
    return mode_figures.lengths(part, panels, part.design["settings"]["target"]["modes"])


def figure_shares(part):
    figure, axes = figures.panels(3, 1.8, sharey=True, sharex=True)
    colours = dict(zip(OBJECTIVES, [*figures.OBJECTIVES.values(), figures.GREY], strict=True))
    colours = {name: colours[name] for name in trained(part)}
    for axis, (scope, title) in zip(axes, SCOPES.items(), strict=True):
        for shift, (objectives, colour) in zip((0.24, 0.0, -0.24), colours.items(), strict=False):
            for place, effect in enumerate(reversed(EFFECTS)):
                estimate, low, high = tuning.share(part, scope, OBJECTIVES[objectives], effect)
                axis.barh(place + shift, np.nan_to_num(estimate), height=0.2, color=colour, alpha=0.75)
                if np.isfinite([low, high]).all():
                    axis.plot([low, high], [place + shift] * 2, color="black", lw=0.9)
        axis.axvline(0, color="black", lw=0.6)
        axis.set(title=title, xlabel="share of variance", xlim=(-0.15, 1.05))
        axis.set_yticks(range(len(EFFECTS)), reversed(EFFECTS.values()))
    figures.legend(figure, {objectives: figures.line(lw=4, color=colour) for objectives, colour in colours.items()})
    return figure


def bracket(estimate, low, high):
    """A share with its interval as text."""
    return number(estimate, 2) + (f" [{number(low, 2)}, {number(high, 2)}]" if math.isfinite(high - low) else "")


def table_shares(part):
    rows = []
    for scope, title in SCOPES.items():
        for name, objectives in trained(part).items():
            for failed, words in ((True, "counted"), (False, "left out")):
                y = tuning.modes_covered(part, scope, objectives, failed)
                row = {"Settings": title, "objective": name, "failed runs": words, "runs": f"{np.isfinite(y).sum()}"}
                row["not converged"] = number(tuning.unconverged(part, scope, objectives)[0], 2)
                row |= {EFFECTS[effect]: number(share, 2) for effect, share in variance.shares(y).items()}
                row["divergence"] = bracket(*tuning.share(part, scope, objectives, "divergence", failed=failed))
                rows.append(row | {"p": number(variance.permutation(y), 2)})
    return framed(rows, (len(rows) // 3 - 1, 2 * len(rows) // 3 - 1))


def table_factors(part):
    headings = {"activation": "activation", "ratio": "ratio of rates", "rate": "rate of V"}
    arms = tuning.settings(part).values()
    factors = {heading: [own[factor] for own in arms] for factor, heading in headings.items()}
    return pd.DataFrame([
        {"Objective": name} | {
            EFFECTS.get(effect, effect): bracket(*tuning.share(part, "grid", objectives, effect, factors=factors))
            for effect in ("divergence", "block", *factors)
        } for name, objectives in trained(part).items()
    ])  # fmt: skip


def table_tuned(part):
    arms, objectives = list(tuning.settings(part).values()), every(part)
    selection = tuning.selection(part, "tuned", objectives)
    modes = {scope: tuning.modes_covered(part, scope, objectives) for scope in ("tuned", "untuned")}
    rows, judging = [], tuning.judges(part)
    for i, entry in enumerate(tuning.entries(part, objectives)):
        row = {"Divergence": tuning.label(part, *entry)}
        for column, activation in enumerate(tuning.activations(part)):
            best = arms[selection[i, column]]
            row[f"{activation}: chosen G/V, V"] = f"{best['ratio']:g}, {number(best['rate'], 1)}"
            ended = {scope: y[i, column][np.isfinite(y[i, column])] for scope, y in modes.items()}
            row |= {f"{activation}: modes, {scope}": count_range(counts) for scope, counts in ended.items()}
            row |= {f"{activation}: not converged, {scope}": f"{judging - len(own)} of {judging}"
                    for scope, own in ended.items()}  # fmt: skip
        rows.append(row)
    return pd.DataFrame(rows)


def table_gaussian(part):
    rows = []
    for name, label in part.labels.items():
        exact = {m: part.baseline(m, "exact optimum", name) for m in ("width", "distance", "D", "minima")}
        learned = {m: part.values(f"mean {m}", "gaussian", name) for m in ("width", "distance", "D")}
        row = {"Divergence": label}
        for metric in ("width", "distance"):
            row |= {f"exact {metric}": number(exact[metric]), f"learned {metric}": over_seeds(learned[metric])}
        row |= {"least $D_f$": number(exact["D"]), "learned $D_f$": defined(learned["D"])}
        rows.append(row | {"minima": f"{exact['minima']:g}"})
    return pd.DataFrame(rows)


def leading(cells):
    """The numbers at the beginning of cells."""
    return cells.astype(str).str.extract(r"^([\d.]+)")[0].astype(float)


def table_published(part):
    fid, sets = pd.read_csv(Path("paper", "published", "lucic_fid_best.csv")), ("MNIST", "Fashion", "CIFAR10", "CelebA")
    fid = fid[fid.known == "quoted"].set_index("model")
    mean, sd = ({s: leading(fid[s + end]) for s in sets} for end in ("", "_sd"))
    rows = [
        {"Loss": model} | {s: f"{number(mean[s][model])} $\\pm$ {number(sd[s][model], 2)}" for s in sets}
        for model in fid.index
    ]
    shares = {s: np.var(mean[s]) / (np.var(mean[s]) + (sd[s] ** 2).mean()) for s in sets}
    return pd.DataFrame([*rows, {"Loss": "share by loss"} | {s: number(share, 2) for s, share in shares.items()}])
