"""Figures and tables of parity, from their part of a record."""

import matplotlib.pyplot as plt
import numpy as np

from fgan.report import converged, figures
from fgan.report.printed import count_range, defined, number, out_of
from fgan.report.tables import framed

CASES = {  # under reverse KL
    "centred": "ring of 8", "shifted": "off the origin", "seven": "ring of 7", "nine": "ring of 9",
    "biased": "biases times 4", "relu": "ReLU", "skewed": "skewed noise", "folded": "noise |z|",
}  # fmt: skip
OTHERS = {"gan": "GAN, alternative", "kl_tanh": "KL, tanh", "kl_relu": "KL, ReLU"}
COLUMNS = {
    "modes": "modes", "high_quality": "high quality", "density": "density", "coverage": "coverage", "vendi": "Vendi"
}  # fmt: skip


def arms(part, labels):
    """{arm: label} of those that the part holds."""
    return {arm: label for arm, label in labels.items() if arm in part.arms}


def values(part, metric, arm):
    """Judged values over seeds of an arm, which has one divergence and one objective."""
    (only,) = part.by_run(metric, arm).values()
    return only


def figure_pairs(part):
    rows = list(reversed(arms(part, CASES | OTHERS).items()))
    figure, axes = plt.subplots(1, 3, figsize=(figures.WIDTH, 0.8 + 0.22 * len(rows)), sharey=True)
    panels = {"modes": "modes covered", "pairs beyond chance": "pairs beyond chance", "even part": "even part of G"}
    for axis, (metric, label) in zip(axes, panels.items(), strict=True):
        for row, (arm, _) in enumerate(rows):
            seeds = values(part, metric, arm)
            colour = figures.OBJECTIVES[part.arms[arm]["objectives"][0]]
            if np.isfinite(seeds).any():  # the layout makes room for dots that are nowhere
                figures.dots(axis, [row], [seeds[np.isfinite(seeds)]], colour, spread=0.25)
        figures.row_labels(axis, [label for _, label in rows])
        axis.set_xlabel(label)
    axes[0].set_xlim(-0.3, 9.3)
    axes[0].set_xticks(range(0, 10, 2))
    axes[1].set_xlim(-0.8, 1.06)
    axes[1].axvline(0, color=figures.GREY, lw=0.8, zorder=0)
    axes[2].axvline(0.5, color=figures.GREY, lw=0.8, ls="--", zorder=0)
    axes[2].set_xlim(-0.02, 1.02)
    return figure


def figure_samples(part):
    own = arms(part, CASES | OTHERS)
    figure, axes = figures.panels(len(own), 1.5, top=0.1)
    for axis, (arm, label) in zip(axes, own.items(), strict=True):
        settings = part.arms[arm]
        centres = figures.centres(settings["target"])
        (name,), (objective,) = settings["divergences"], settings["objectives"]
        axis.plot(*centres.T, "o", ms=4.5, mew=0.5, mfc="none", mec=figures.GREY)
        points, color = part.samples[f"samples/{arm}/{name}/{objective}/0"], figures.OBJECTIVES[objective]
        figures.cloud(axis, points, ms=2.2, alpha=0.9, color=color)
        middle, reach = centres.mean(0), 1.35 * settings["target"]["radius"]
        axis.set(xlim=middle[0] + np.array([-reach, reach]), ylim=middle[1] + np.array([-reach, reach]))
        axis.set_aspect("equal")
        axis.set_axis_off()
        axis.set_title(f"{label}: {out_of(values(part, 'modes', arm)[0], len(centres))}", fontsize=7, pad=2)
    return figure


def table_cases(part):
    rows = []
    for arm, label in arms(part, CASES | OTHERS).items():
        odd, quality = (values(part, metric, arm) for metric in ("even part", "high_quality"))
        (run,) = part.by_run("failed", arm)
        modes, even, paired, beyond = (
            converged.counted(part, metric, arm, *run)
            for metric in ("modes", "even number", "paired", "pairs beyond chance")
        )
        incomplete = even[np.isfinite(even)]
        rows.append({
            "Case": label, "modes": count_range(modes),
            "even number": f"{incomplete.sum():.0f} of {len(incomplete)}", "paired": mean(paired),
            "beyond chance": mean(beyond), "even part of G": mean(odd), "high quality": mean(quality),
            **converged.columns(part, arm, *run),
        })  # fmt: skip
    return framed(rows)


def mean(seeds):
    """The mean of the defined values as text."""
    return defined(seeds, digits=2)


def table_diversity(part):
    rows = [
        {"Samples of": label} | {heading: mean(values(part, metric, arm)) for metric, heading in COLUMNS.items()}
        for arm, label in arms(part, CASES | OTHERS).items()
    ]
    cut = len(rows) - 1
    means = {metric: part.samplers(metric) for metric in COLUMNS}
    rows += [
        {"Samples of": name} | {heading: number(means[metric][name], 2) for metric, heading in COLUMNS.items()}
        for name in means["modes"]
    ]
    return framed(rows, [cut])
