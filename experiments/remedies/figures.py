"""Figures and tables of the remedies, from their part of a record."""

import itertools
import math
from pathlib import Path

import numpy as np
import pandas as pd

from fgan.report import converged, figures, mode_figures
from fgan.report.printed import count_range, defined, number, plus_minus
from fgan.report.statistics import holm, paired_permutation, t_interval

CORE = ("gan", "kl", "reverse_kl", "pearson")
# Remedies with their labels, and settings, both in the order of the figures; a remedy's first setting represents it.
REMEDIES = {
    "none": "no remedy", "packing": "packing", "unrolling": "unrolling", "gradient_penalty": "gradient penalty",
    "minibatch_discrimination": "minibatch", "reconstructor": "reconstructor", "spectral_norm": "spectral norm",
    "instance_noise": "instance noise",
}  # fmt: skip
SETTINGS = ("middle", 1, 2, 8, 3, 4, 5, 10, 16, "weak", "strong", "slow", "fast", "equal_cost", "long")
LONGER = ("equal_cost", "long")  # no remedy, at the cost of one: not among the settings to choose from
ENDS = ("not converged", "failed")
ABSENT = "not part of this scale; at full"

PUBLISHED = Path("paper", "published")
PACGAN, VEEGAN = "pacgan_table1_synthetic", "veegan_table1_synthetic"
# Published settings by arm: their name, the file in paper/published, its row, its columns of modes and of high quality.
ROWS = {
    "published_pacgan_ring": ("GAN, ring", PACGAN, "GAN", "ring_modes", "ring_hq_pct"),
    "published_pacgan_ring_2": ("PacGAN2, ring", PACGAN, "PacGAN2", "ring_modes", "ring_hq_pct"),
    "published_pacgan_ring_2_equal_data": ("PacGAN2, equal data", PACGAN, "PacGAN2", "ring_modes", "ring_hq_pct"),
    "published_pacgan_ring_3": ("PacGAN3, ring", PACGAN, "PacGAN3", "ring_modes", "ring_hq_pct"),
    "published_pacgan_ring_4": ("PacGAN4, ring", PACGAN, "PacGAN4", "ring_modes", "ring_hq_pct"),
    "published_veegan_ring": ("VEEGAN, ring", VEEGAN, "VEEGAN", "ring_modes_of_8", "ring_pct_hq"),
    "published_pacgan_grid": ("GAN, grid", PACGAN, "GAN", "grid_modes", "grid_hq_pct"),
    "published_pacgan_grid_2": ("PacGAN2, grid", PACGAN, "PacGAN2", "grid_modes", "grid_hq_pct"),
    "published_veegan_grid": ("VEEGAN, grid", VEEGAN, "VEEGAN", "grid_modes_of_25", "grid_pct_hq"),
}


def arms(part, target="ring"):
    """{arm: (remedy, setting)} on a target in the order of the figures, without the published settings."""
    every = [(arm, own["factors"]) for arm, own in part.arms.items()]
    own = {(f["remedy"], f["setting"]): arm for arm, f in every if f["target"] == target and not f["published"]}
    return {own[key]: key for key in itertools.product(REMEDIES, SETTINGS) if key in own}


def budget(part):
    """{remedy: the arms from which it may choose}, on the ring."""
    choices = {}
    for arm, (remedy, setting) in arms(part).items():
        if setting not in LONGER:
            choices.setdefault(remedy, []).append(arm)
    return choices


def plain(part, target="ring"):
    """The arm without a remedy; None if it was not trained."""
    return next((arm for arm, (remedy, _) in arms(part, target).items() if remedy == "none"), None)


def label(remedy, setting="middle"):
    """A remedy with its setting, if that is not the middle one."""
    return REMEDIES[remedy] if setting == "middle" else f"{REMEDIES[remedy]} {setting}".replace("_", " ")


def core(part):
    return [name for name in CORE if name in part.labels]


def held_out(part, metric, arm, divergence, objective="saddle"):
    """Values over the seeds that chose no setting; empty if the arm was not trained on them."""
    return part.values(metric, arm, divergence, objective)[part.measure["tuning_seeds"] :]


def ended(part, arm, divergence):
    """Modes covered over the seeds that chose no setting, NaN for a run that has not converged."""
    return converged.counted(part, "modes", arm, divergence, first=part.measure["tuning_seeds"])


def operations(part, arm):
    """Operations of a run's step, against those of no remedy on the same target."""
    base = plain(part, part.arms[arm]["factors"]["target"])
    if base is None:
        return math.nan
    return part.final("operations", arm).value.mean() / part.final("operations", base).value.mean()


def figure_modes(part):
    rows = dict(reversed(arms(part).items()))
    names = part.divergences if len(part.divergences) <= len(CORE) else core(part)
    objectives = [o for o in figures.OBJECTIVES if any(o in part.arms[arm]["objectives"] for arm in rows)]
    figure, axes = figures.panels(len(names), 0.27 * len(rows), top=0.9, sharey=True)
    for axis, name in zip(axes, names, strict=True):
        for offset, objective in zip((0.18, -0.18) if len(objectives) > 1 else (0,), objectives, strict=True):
            for row, arm in enumerate(rows):
                values, colour = held_out(part, "modes", arm, name, objective), figures.OBJECTIVES[objective]
                if len(values):  # not every setting has both objectives
                    first = part.measure["tuning_seeds"]
                    ended = converged.ends(part, arm, name, objective, first)["converged"]
                    figures.dots(axis, [row], [values], colour, offset, spread=0.12, filled=[ended])
                    if ended.any():
                        axis.plot(values[ended].mean(), row + offset, "|", ms=9, mew=1.6, color=colour)
        figures.row_labels(axis, [label(*key) for key in rows.values()])
        axis.set(xlim=(-0.4, 8.4), xticks=(0, 4, 8), title=part.labels[name])
    figure.supxlabel("modes covered, of 8")
    figures.legend(figure, {o: figures.dot(figures.OBJECTIVES[o]) for o in objectives} | figures.OPEN)
    return figure


def styles(part):
    """How the first arm of each remedy is drawn, the same in every figure; without a remedy black."""
    first = [choices[0] for choices in budget(part).values()]
    shown = {arm: key for arm, key in arms(part).items() if arm in first or key == ("none", "equal_cost")}
    lines = {arm: {"color": colour, "lw": 1.4} for arm, colour in figures.palette(shown).items()}
    for arm, (remedy, setting) in shown.items():
        if remedy == "none":
            lines[arm] = {"color": "black", "lw": 1.2, "ls": ":" if setting == "equal_cost" else "-"}
    return lines


def figure_length(part):
    """Modes and quality against steps: whether a count is of an end or of the way there."""
    first = {choices[0]: label(remedy) for remedy, choices in budget(part).items()}
    colours = {arm: style["color"] for arm, style in styles(part).items()}
    lines = {name: {label: (arm, name, colours[arm]) for arm, label in first.items()} for name in core(part)}
    return mode_figures.lengths(part, {part.labels[name]: own for name, own in lines.items()}, 8)


def figure_cost(part):
    """Modes against operations: the cost of a remedy's steps decides how far to the right its line runs."""
    drawn = styles(part)
    figure, axes = figures.panels(len(core(part)), 1.8, sharey=True)
    for axis, name in zip(axes, core(part), strict=True):
        for arm, style in drawn.items():
            median = part.quartiles("watched modes", arm, name)["median"]
            axis.plot(median.index * operations(part, arm), median, **style)
        axis.set(title=part.labels[name], ylim=(-0.3, 8.3))
    figure.supxlabel("operations, in steps of the game without a remedy")
    figure.supylabel("modes covered")
    handles = {label(*key): figures.line(**drawn[arm]) for arm, key in arms(part).items() if arm in drawn}
    figures.legend(figure, handles, ncols=4)
    return figure


def table_ring(part):
    return comparison(part, "ring")


def table_grid(part):
    return comparison(part, "grid") if arms(part, "grid") else pd.DataFrame({"Remedies on the grid": [ABSENT]})


def comparison(part, target):
    """Every arm on a target against no remedy: GAN in full, of the other divergences the difference in modes."""
    rows, tests, base = [], [], plain(part, target)
    for arm, key in arms(part, target).items():
        total = len(figures.centres(part.arms[arm]["target"]))
        counts, first = ended(part, arm, "gan"), part.measure["tuning_seeds"]
        row = {
            "Remedy": label(*key), "operations": number(operations(part, arm), 2),
            "updates of V": f"{part.arms[arm]['steps']:,}", "modes, GAN": count_range(counts[np.isfinite(counts)]),
            **converged.columns(part, arm, "gan", first=first, total=total),
            "high quality": defined(held_out(part, "high_quality", arm, "gan"), np.median, 2),
        }  # fmt: skip
        for name in core(part):
            gain = ended(part, arm, name) - ended(part, base, name) if base else np.array([])
            gain = gain[np.isfinite(gain)]  # pairs of which both have converged
            heading = f"gain: {part.labels[name]}"
            row[heading] = "" if arm == base else plus_minus(*t_interval(gain), 2)
            if arm != base and len(gain):
                tests.append((row, heading, paired_permutation(gain)))
        rows.append(row)
    for (row, heading, _), p in zip(tests, holm([p for *_, p in tests]), strict=True):
        row[heading] += "*" if p <= 0.05 else ""
    return pd.DataFrame(rows)


def table_tuned(part):
    """The best of each remedy's settings for each divergence, chosen on seeds that are not judged here."""
    rows, tuning = [], part.measure["tuning_seeds"]
    for remedy, choices in budget(part).items():
        for name in core(part):
            modes = {arm: converged.counted(part, "modes", arm, name) for arm in choices}
            best = max(choices, key=lambda arm: np.nansum(modes[arm][:tuning]))  # not converged: no mode
            quality = held_out(part, "high_quality", best, name)
            rows.append({
                "Remedy": label(remedy), "Divergence": part.labels[name], "settings": str(len(choices)),
                "chosen": label(*arms(part)[best]), "modes": plus_minus(*t_interval(modes[best][tuning:]), 2),
                "high quality": defined(quality, digits=2), **converged.columns(part, best, name, first=tuning),
            })  # fmt: skip
    return pd.DataFrame(rows)


def table_published(part):
    rows = []
    for arm, (name, file, method, modes, quality) in ROWS.items():
        printed = pd.read_csv(PUBLISHED / f"{file}.csv").set_index("method").loc[method]
        texts = given(printed[modes]), given(printed[quality] / 100, 2)
        rows.append(beside(part, arm, name, f"{file}.csv", *texts))
    file = "sankarlab_ring8_mode_counts.csv"
    runs = pd.read_csv(PUBLISHED / file).set_index(["loss", "modes_covered"]).runs
    for objective, loss in (("saddle", "saturating"), ("alternative", "non-saturating")):
        share = f"all 8 in {number(runs[loss, 8] / 200, 2)} of runs"
        rows.append(beside(part, "published_sankar", f"SankarLab, {objective}", file, share, "not given", objective))
    for arm, steps in (("published_unrolled", 0), ("published_unrolled_5", 5)):
        rows.append(beside(part, arm, f"Unrolled GAN, {steps} steps, of 7", "no number", "not given", "not given"))
    frame = pd.DataFrame(rows)
    frame.attrs["ours"] = [*frame.columns[4:]]
    return frame


def given(value, digits=3):
    """A published number as text, if the paper gives it."""
    return number(value, digits) if np.isfinite(value) else "not given"


def beside(part, arm, name, file, modes, quality, objective=None):
    """A published row beside ours, if this record has trained the setting."""
    row = {"Setting": name, "file": file, "modes, published": modes, "high quality, published": quality}
    if arm not in part.arms:
        return row | dict.fromkeys(("modes, here", "high quality, here", "seeds", *ENDS, "steps"), "not run")
    objective = objective or part.arms[arm]["objectives"][0]
    ours, high = (part.values(metric, arm, "gan", objective) for metric in ("modes_any", "high_quality"))
    return row | {
        "modes, here": plus_minus(*t_interval(ours)), "high quality, here": plus_minus(*t_interval(high), 2),
        "seeds": str(len(ours)), **converged.columns(part, arm, "gan", objective),
        "steps": f"{part.arms[arm]['steps']:,}",
    }  # fmt: skip
