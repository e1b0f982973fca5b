"""Figures and tables of the remedies, from their part of a record."""

import math
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from fgan import figures
from fgan.statistics import holm, paired_permutation, t_interval, wilson
from fgan.tables import number, plus_minus

PUBLISHED = Path("paper", "published")
# The settings that each remedy may choose from; the first one is shown where nothing is chosen.
BUDGET = {
    "none": ("none", "none_slow", "none_fast"),
    "packing": ("packing_2", "packing_3", "packing_4"),
    "unrolling": ("unrolling_1", "unrolling_5", "unrolling_10"),
    "gradient penalty": ("gradient_penalty", "gradient_penalty_weak", "gradient_penalty_strong"),
    "minibatch discrimination": ("minibatch_8", "minibatch_4", "minibatch_16"),
    "reconstructor": ("reconstructor", "reconstructor_weak", "reconstructor_strong"),
    "spectral norm": ("spectral_norm", "spectral_norm_slow", "spectral_norm_fast"),
    "instance noise": ("instance_noise", "instance_noise_weak", "instance_noise_strong"),
}


# Published settings by arm: the file in paper/published, its row, and the columns of modes and of high quality.
ROWS = {
    "published_unrolled_5": ("veegan_table1_synthetic", "Unrolled GAN", "ring_modes_of_8", "ring_pct_hq"),
    "published_pacgan_ring": ("pacgan_table1_synthetic", "GAN", "ring_modes", "ring_hq_pct"),
    "published_pacgan_ring_2": ("pacgan_table1_synthetic", "PacGAN2", "ring_modes", "ring_hq_pct"),
    "published_pacgan_ring_3": ("pacgan_table1_synthetic", "PacGAN3", "ring_modes", "ring_hq_pct"),
    "published_pacgan_ring_4": ("pacgan_table1_synthetic", "PacGAN4", "ring_modes", "ring_hq_pct"),
    "published_veegan_ring": ("veegan_table1_synthetic", "VEEGAN", "ring_modes_of_8", "ring_pct_hq"),
    "published_pacgan_grid": ("pacgan_table1_synthetic", "GAN", "grid_modes", "grid_hq_pct"),
    "published_pacgan_grid_2": ("pacgan_table1_synthetic", "PacGAN2", "grid_modes", "grid_hq_pct"),
    "published_veegan_grid": ("veegan_table1_synthetic", "VEEGAN", "grid_modes_of_25", "grid_pct_hq"),
}


EQUAL_COST = ("none_equal_cost", "none_long")


def arms(part, target="ring"):
    """The arms of this part on a target, remedy by remedy, without the published settings."""
    order = [*BUDGET["none"], *EQUAL_COST, *(arm for remedy in BUDGET for arm in BUDGET[remedy] if remedy != "none")]
    on_grid = [arm for arm in part.arms if arm.startswith("grid_")]
    return [arm for arm in order if arm in part.arms] if target == "ring" else sorted(on_grid, key="grid_none".__ne__)


def label(arm):
    return arm.removeprefix("grid_").replace("none", "no remedy").replace("_", " ")


def judged(part, metric, arm, divergence, objective="saddle"):
    """Values by seed of the seeds that chose no setting."""
    rows = part.final(metric, arm)
    rows = rows[(rows.divergence == divergence) & (rows.objective == objective)].set_index("seed").value
    return rows[rows.index >= part.arms[arm]["measure"]["tuning_seeds"]]


def operations(part, arm):
    """Operations of a run's step, against those of no remedy."""
    plain = "grid_none" if arm.startswith("grid") else "none"
    own, base = (part.final("operations", a).value for a in (arm, plain))
    return float(own.mean() / base.mean()) if len(base) else math.nan


def figure_modes(part):
    names, found = part.arms[arms(part)[0]]["divergences"], arms(part)[::-1]
    shown = names if len(names) <= 4 else [n for n in ("gan", "kl", "reverse_kl", "pearson") if n in names]
    figure, axes = plt.subplots(
        1, len(shown), sharey=True, squeeze=False, figsize=(figures.WIDTH, 0.9 + 0.27 * len(found))
    )
    positions = np.arange(len(found))
    for axis, name in zip(axes.flat, shown, strict=True):
        both = part.arms[found[0]]["objectives"]
        for offset, objective in zip((0.18, -0.18) if len(both) > 1 else (0,), both, strict=True):
            values = [judged(part, "modes", arm, name, objective).to_numpy() for arm in found]
            colour = figures.OBJECTIVES[objective]
            figures.dots(axis, positions, values, colour, offset, spread=0.12)
            for position, seeds in zip(positions, values, strict=True):
                if len(seeds):  # not every setting has both objectives
                    axis.plot(seeds.mean(), position + offset, "|", ms=9, mew=1.6, color=colour)
        axis.set_yticks(positions, [label(arm) for arm in found])
        axis.set(xlim=(-0.4, 8.4), ylim=(-0.6, len(found) - 0.4), xticks=(0, 4, 8))
        axis.set_title(part.divergences[name]["label"])
        axis.grid(axis="y", lw=0.3, color="#e5e5e5")
    figure.supxlabel("modes covered, of 8", fontsize=8)
    handles = [plt.Line2D([], [], ls="", marker="o", ms=3, color=figures.OBJECTIVES[o]) for o in both]
    figure.legend(handles, both, loc="outside upper center", ncols=2)
    return figure


def figure_cost(part):
    """Modes against operations: what each remedy's steps cost decides how far to the right its line runs."""
    history = part.history("watched modes [median]")
    history = history[history.objective == "saddle"]
    names = [n for n in ("gan", "kl", "reverse_kl", "pearson") if n in part.divergences]
    figure, axes = plt.subplots(1, len(names), sharey=True, squeeze=False, figsize=(figures.WIDTH, 2.3))
    shown = [a for a in arms(part) if a in {found[0] for found in BUDGET.values()} | {"none_equal_cost"}]
    colours = figures.palette(shown)
    for axis, name in zip(axes.flat, names, strict=True):
        for arm in shown:
            rows = history[(history.arm == arm) & (history.divergence == name)].sort_values("step")
            cost = rows.step * operations(part, arm if arm in part.arms else "none")
            plain = arm.startswith("none")
            axis.plot(cost, rows.value, color="black" if plain else colours[arm], lw=1.2 if plain else 1.4,
                      ls=":" if arm == "none_equal_cost" else "-", label=label(arm))  # fmt: skip
        axis.set_title(part.divergences[name]["label"])
        axis.set_ylim(-0.3, 8.3)
    figure.supxlabel("operations, in steps of the game without a remedy", fontsize=8)
    figure.supylabel("modes covered", fontsize=8)
    handles, texts = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside upper center", ncols=4)
    return figure


def table_ring(part):
    return comparison(part, "ring")


def table_grid(part):
    if not arms(part, "grid"):
        return pd.DataFrame({"Remedies on the grid": ["not part of this scale; at full"]})
    return comparison(part, "grid")


def comparison(part, target):
    """Every arm on a target against no remedy: GAN in full, of the other divergences the difference in modes."""
    found = arms(part, target)
    total = len(figures.centres(part.arms[found[0]]["target"]))
    plain = "none" if target == "ring" else "grid_none"
    others = [n for n in ("kl", "reverse_kl", "pearson") if n in part.divergences]
    rows, tests = [], []
    for arm in found:
        counts = judged(part, "modes", arm, "gan")
        share, low, high = wilson(int((counts >= total).sum()), len(counts))
        row = {
            "Remedy": label(arm), "operations": number(operations(part, arm), 2),
            "updates of V": f"{part.arms[arm]['steps']:,}",
            "modes, GAN": f"{counts.min():.0f}, {counts.median():g}, {counts.max():.0f}",
            f"all {total}": f"{share:.2f} [{low:.2f}, {high:.2f}]",
            "high quality": number(float(judged(part, "high_quality", arm, "gan").median()), 2),
            "failed": f"{judged(part, 'failed', arm, 'gan').sum():.0f} of {len(counts)}",
        }  # fmt: skip
        for name in ["gan", *others]:
            gain = judged(part, "modes", arm, name) - (
                judged(part, "modes", plain, name) if plain in found else math.nan
            )
            gain = gain.dropna().to_numpy()
            key = f"gain: {part.divergences[name]['label']}"
            row[key] = "" if arm == plain else plus_minus(*t_interval(gain), 2)
            if arm != plain:
                tests.append((row, key, paired_permutation(gain)))
        rows.append(row)
    for (row, key, _), p in zip(tests, holm([p for *_, p in tests]), strict=True):
        row[key] += "*" if p <= 0.05 else ""
    return pd.DataFrame(rows)


def table_tuned(part):
    """The best of each remedy's three settings for each divergence, chosen on seeds that are not judged here."""
    rows = []
    for remedy, choices in BUDGET.items():
        there = [arm for arm in choices if arm in part.arms]
        for name in [n for n in ("gan", "kl", "reverse_kl", "pearson") if n in part.divergences and there]:
            chosen = max(there, key=lambda arm: tuning_score(part, arm, name))
            best = judged(part, "modes", chosen, name)
            quality = judged(part, "high_quality", chosen, name)
            rows.append({
                "Remedy": remedy.replace("none", "no remedy"), "Divergence": part.divergences[name]["label"],
                "settings": str(len(there)), "chosen": label(chosen),
                "modes": plus_minus(*t_interval(best.to_numpy()), 2), "high quality": number(float(quality.mean()), 2),
            })  # fmt: skip
    return pd.DataFrame(rows)


def table_published(part):
    rows = [{
        "Setting": label(arm), "file": f"{source}.csv", "modes, published": number(float(printed[modes])),
        "high quality, published": number(float(printed[quality]) / 100, 2), **ours(part, arm),
    } for arm, (source, row, modes, quality) in ROWS.items()
        for printed in [pd.read_csv(PUBLISHED / f"{source}.csv").set_index("method").loc[row]]]  # fmt: skip
    counts = pd.read_csv(PUBLISHED / "sankarlab_ring8_mode_counts.csv")
    for objective, loss in (("saddle", "saturating"), ("alternative", "non-saturating")):
        own = counts[counts.loss == loss]
        share = own[own.modes_covered == 8].runs.sum() / 200
        rows.append({"Setting": f"published sankar, {objective}", "file": "sankarlab_ring8_mode_counts.csv",
                     "modes, published": f"all 8 in {number(float(share), 2)} of runs", "high quality, published": "--",
                     **ours(part, "published_sankar", objective)})  # fmt: skip
    rows.append({"Setting": label("published_unrolled"), "file": "no number", "modes, published": "--",
                 "high quality, published": "--", **ours(part, "published_unrolled")})  # fmt: skip
    frame = pd.DataFrame(rows)
    frame["Setting"] = frame["Setting"].str.removeprefix("published ")
    return frame


def ours(part, arm, objective=None):
    """Our columns of a published setting; dashes where this record has not trained it."""
    rows = part.final(arm=arm)
    rows = rows if objective is None else rows[rows.objective == objective]
    modes, quality = (rows[rows.metric == metric].value.to_numpy() for metric in ("modes_any", "high_quality"))
    if not len(modes):
        return dict.fromkeys(("modes, here", "high quality, here", "seeds", "steps"), "--")
    return {
        "modes, here": plus_minus(*t_interval(modes)), "high quality, here": plus_minus(*t_interval(quality), 2),
        "seeds": str(len(modes)), "steps": f"{part.arms[arm]['steps']:,}",
    }  # fmt: skip


def tuning_score(part, arm, divergence):
    """Mean modes over the seeds that choose; 0 where there are none."""
    rows = part.final("modes", arm)
    rows = rows[(rows.divergence == divergence) & (rows.objective == "saddle")]
    chosen = rows[rows.seed < part.arms[arm]["measure"]["tuning_seeds"]].value
    return float(chosen.mean()) if len(chosen) else 0.0
