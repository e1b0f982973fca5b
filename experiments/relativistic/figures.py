"""Figures and tables of relativistic pairing, from its part of a record."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from fgan.report import converged, fates, figures, printed
from fgan.report.printed import count_range, number, plus_minus
from fgan.report.result import UNKNOWN
from fgan.report.statistics import t_interval

SETTINGS = {"ring": "ring", "wide": "ring, twice as wide", "grid": "grid"}
PENALTIES = {"none": "no penalty", "r1": "R1", "r1_r2": "R1 and R2"}
# An objective with its relativistic counterpart, and how a generator's loss is called.
FAMILIES = {"saddle": ("saddle", "relativistic"), "alternative": ("alternative", "relativistic_swapped")}
STYLES = {
    "saddle": ("saddle", figures.OBJECTIVES["saddle"]), "relativistic": ("relativistic", "#5ab4ac"),
    "alternative": ("alternative", figures.OBJECTIVES["alternative"]),
    "relativistic_swapped": ("relativistic, swapped", "#8c2d5a"),
}  # fmt: skip
EXACT = ("gain over f(1)", "gain over f(1) at P = Q", "share of the bound", "difference if P and Q are swapped")
COLOURS = {objective: colour for objective, (_, colour) in STYLES.items()}


def arms(part, setting):
    """{penalties: arm} of a setting, in the order of the figures."""
    own = {s["factors"]["penalties"]: arm for arm, s in part.arms.items() if s["factors"]["setting"] == setting}
    return {penalties: own[penalties] for penalties in PENALTIES if penalties in own}


def settings(part):
    """{setting: number of modes of its target} of those that were trained."""
    names = [name for name in SETTINGS if arms(part, name)]
    return {name: len(figures.centres(part.arms[next(iter(arms(part, name).values()))]["target"])) for name in names}


def trained(part):
    """The objectives that were trained, in the order of the figures."""
    every = {objective for own in part.arms.values() for objective in own["objectives"]}
    return [objective for objective in STYLES if objective in every]


def factorial(part, metric, setting, family, penalties="r1_r2", divergence="gan"):
    """Values [pairing, penalties, seeds] of the seeds that all four cells have: points or pairs, without and with.

    Modes are those of the seeds whose four runs have converged or failed. There are no seeds if a cell was not trained.
    """
    own = arms(part, setting)
    runs = [[(own.get(level), divergence, o) for level in ("none", penalties)] for o in FAMILIES[family]]
    cells = [[part.values(metric, *run) for run in row] for row in runs]
    seeds = min(len(values) for row in cells for values in row)
    values = np.array([[values[:seeds] for values in row] for row in cells])
    if metric not in converged.COUNTS or not seeds:
        return values
    ends = [[converged.ends(part, *run) for run in row] for row in runs]
    settled = np.array([[(own["converged"] | own["failed"])[:seeds] for own in row] for row in ends])
    return values[..., settled.all(axis=(0, 1))]


def effects(cells):
    """{effect: its value for each seed} of a factorial [pairing, penalties, seeds]."""
    (plain, penalised), (paired, both) = cells
    return {
        "pairing alone": paired - plain, "penalties alone": penalised - plain, "both": both - plain,
        "pairing, main effect": (paired - plain + both - penalised) / 2,
        "penalties, main effect": (penalised - plain + both - paired) / 2,
        "interaction": both - penalised - paired + plain,
    }  # fmt: skip


def on_ring(part, family, effect):
    """(mean, low, high, seeds) of an effect on the modes of the ring, and the runs that have not converged.

    Undefined without seeds, and unknown if a run failed without a count.
    """
    values, own = effect(effects(factorial(part, "modes", "ring", family))), arms(part, "ring")
    missing = UNKNOWN if len(values) else (np.nan,) * 3
    interval = t_interval(values) if len(values) and np.isfinite(values).all() else missing
    cells = [own[level] for level in ("none", "r1_r2") if level in own]
    return *interval, len(values), converged.unconverged(part, cells, ["gan"], FAMILIES[family])


def statistic_interaction(part):
    return on_ring(part, "alternative", lambda own: own["interaction"])


def over(own):
    """The main effect of the penalties less that of pairing."""
    return own["penalties, main effect"] - own["pairing, main effect"]


def statistic_penalties_over_pairing(part):
    return on_ring(part, "alternative", over)


def statistic_penalties_over_pairing_saddle(part):
    return on_ring(part, "saddle", over)


def figure_factorial(part):
    """Modes and quality of every run of GAN: a row of panels for each setting."""
    found = {setting: list(arms(part, setting).values()) for setting in settings(part)}
    lines = [sum(len(part.arms[arm]["objectives"]) for arm in own) for own in found.values()]
    size = (figures.WIDTH, 0.6 + 0.5 * len(found) + 0.17 * sum(lines))
    figure, axes = plt.subplots(len(found), 2, figsize=size, sharey="row", squeeze=False, height_ratios=lines)
    for row, (setting, own) in zip(axes, found.items(), strict=True):
        for axis, metric in zip(row, ("modes", "high_quality"), strict=True):
            for place, arm in enumerate(reversed(own)):
                objectives = part.arms[arm]["objectives"]
                reach = 0.3 * (len(objectives) - 1) / (len(objectives) + 1) * 2
                for offset, objective in zip(np.linspace(reach, -reach, len(objectives)), objectives, strict=True):
                    values = part.values(metric, arm, "gan", objective)
                    figures.dots(axis, [place], [values], COLOURS[objective], offset, spread=0.07)
                    axis.plot(values.mean(), place + offset, "|", ms=8, mew=1.6, color=COLOURS[objective])
            figures.row_labels(axis, [PENALTIES[part.arms[arm]["factors"]["penalties"]] for arm in reversed(own)])
        total = settings(part)[setting]
        row[0].set(xlim=(-0.03 * total, 1.03 * total), xlabel=f"{SETTINGS[setting]}: modes covered, of {total}")
        row[1].set(xlim=(-0.03, 1.03), xlabel="share of high-quality samples")
    figures.legend(figure, {STYLES[o][0]: figures.dot(COLOURS[o]) for o in trained(part)})
    return figure


def figure_histories(part):
    """Medians over seeds along the training, with their quartiles: a column for each arm."""
    every = [(*of, level, arm) for of in settings(part).items() for level, arm in arms(part, of[0]).items()]
    size = (figures.WIDTH, 2.9)
    figure, axes = plt.subplots(2, len(every), figsize=size, sharex="col", sharey="row", squeeze=False)
    for (setting, total, level, arm), column in zip(every, axes.T, strict=True):
        for axis, (metric, scale) in zip(
            column, {"watched modes": total, "watched high_quality": 1}.items(), strict=True
        ):
            for objective in part.arms[arm]["objectives"]:
                quartiles = part.quartiles(metric, arm, "gan", objective) / scale
                figures.band(axis, quartiles, COLOURS[objective], lw=1.0)
            axis.set_ylim(-0.03, 1.03)
        column[0].set_title(f"{setting},\n{PENALTIES[level]}")
    axes[0, 0].set_ylabel("share of modes")
    axes[1, 0].set_ylabel("high quality")
    figure.supxlabel("step")
    figures.legend(figure, {STYLES[o][0]: figures.line(lw=1.4, color=COLOURS[o]) for o in trained(part)})
    return figure


def table_effects(part):
    """Effects of the factorial, with intervals over seeds."""
    rows = []
    for setting in settings(part):
        for family in FAMILIES:
            found = {m: effects(factorial(part, m, setting, family)) for m in ("modes", "high_quality")}
            for effect, values in found["high_quality"].items():
                if len(values):
                    modes = found["modes"][effect]
                    rows.append({
                        "Setting": SETTINGS[setting], "G's loss": family, "effect of": effect,
                        "modes": plus_minus(*t_interval(modes), 2) if len(modes) else "no seed counts",
                        "seeds, modes": str(len(modes)),
                        "high quality": plus_minus(*t_interval(values), 2), "seeds": str(len(values)),
                    })  # fmt: skip
    return pd.DataFrame(rows or [{"Setting": "not trained at this scale"}])


def table_cells(part):
    """Every cell of the factorial for GAN, with the ends of its runs."""
    rows = []
    for setting, total in settings(part).items():
        for level, arm in arms(part, setting).items():
            for objective in part.arms[arm]["objectives"]:
                counts = converged.counted(part, "modes", arm, "gan", objective)
                cells = converged.columns(part, arm, "gan", objective, total=total)
                rows.append({
                    "Setting": SETTINGS[setting], "penalties": PENALTIES[level], "objective": STYLES[objective][0],
                    "modes": count_range(counts[np.isfinite(counts)]),
                    "high quality": printed.defined(part.values("high_quality", arm, "gan", objective), np.median, 2),
                    "all": cells.pop(f"all {total}"), **cells,
                })  # fmt: skip
    return pd.DataFrame(rows)


def table_divergences(part):
    """The gain by pairing under every divergence on the ring, without a penalty."""
    arm, rows = arms(part, "ring")["none"], []
    for name, label in part.labels.items():
        row = {"Divergence": label}
        for family, pair in FAMILIES.items():
            for metric, word in {"modes": "modes", "high_quality": "high quality"}.items():
                plain, paired = (part.values(metric, arm, name, objective) for objective in pair)
                gain = paired - plain if len(plain) and len(paired) else np.array([])
                if metric in converged.COUNTS and len(gain):
                    both = [converged.ends(part, arm, name, objective)["converged"] for objective in pair]
                    gain = gain[both[0] & both[1]]
                row[f"{family}: {word}"] = printed.over_seeds(gain, 2) if len(gain) else "no pair"
            row[f"{family}: failed"] = ", ".join(fates.cell(part, arm, name, objective) for objective in pair)
        rows.append(row)
    return pd.DataFrame(rows)


def table_exact(part):
    """What the relativistic objective of every divergence measures, the worst over draws."""
    rows = []
    for name, label in part.every_label.items():
        gain, same, share, swapped = (
            part.baselines(metric, sampler="exact", divergence=name).value for metric in EXACT
        )
        rows.append({
            "Divergence": label, "least gain, P not Q": number(gain.min(), 2),
            "largest gain, P = Q": rounded(same.max()),
            "share of the bound": " to ".join(dict.fromkeys(number(end(share), 3) for end in (min, max))),
            "P and Q swapped": rounded(swapped.max()),
        })  # fmt: skip
    return pd.DataFrame(rows)


def rounded(value):
    """A number that is rounding error or nothing, as its order."""
    return number(value, 1) if value > 1e-8 else "0"
