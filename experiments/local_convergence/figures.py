"""Figures and tables of local convergence, from its part of a record."""

import matplotlib.pyplot as plt
import numpy as np

from fgan.report import figures, printed, tables

METHODS = ("simultaneous", "alternating", "five of V")
COLOURS = ("#222222", "#0b6e99", "#d9730d", "#3c8d40", "#7b4ea3", "#c2a83e")
TRAINED = {  # marker and colour of the trained games
    "linear V, simultaneous": ("o", figures.OBJECTIVES["saddle"]),
    "linear V, alternating": ("x", "#222222"),
    "tanh V, simultaneous": ("^", figures.OBJECTIVES["alternative"]),
}


def shown(part):
    """The remedies that are drawn; R1 stands for R2, whose game is the same."""
    return ["none", "R1", "instance noise", *(f"unrolled {k}" for k in part.measure["unrolled"])]


def figure_spectrum(part):
    remedies, methods = shown(part), METHODS[:2]
    size = (figures.WIDTH, 0.8 + 1.45 * len(methods))
    figure, axes = plt.subplots(len(methods), len(remedies), figsize=size, sharex=True, sharey=True, squeeze=False)
    groups = alike(part, remedies, methods)
    colours = figures.palette([*groups])
    for row, method in zip(axes, methods, strict=True):
        for axis, remedy in zip(row, remedies, strict=True):
            real, imaginary = part.samples[f"curve/{remedy}, {method}"]  # [divergences, objectives, 2]
            turn = np.linspace(0, np.pi, 400)
            axis.plot(np.cos(turn), np.sin(turn), color=figures.GREY, lw=0.8, zorder=0)
            axis.axhline(0, color="#d5d5d5", lw=0.5, zorder=0)
            # Rings of growing size, so that those that coincide in one panel all show.
            for size, (label, index) in enumerate(groups.items()):
                up = imaginary[index] > -1e-6
                style = dict(ls="", marker="o", mfc="none", mew=1.0, ms=2.5 + size, color=colours[label])
                axis.plot(real[index][up], imaginary[index][up], **style)
            if axis in axes[0]:
                axis.set_title(remedy)
        row[0].set_ylabel(f"{method}\nimaginary part")
    every = [part.samples[f"curve/{remedy}, {method}"] for remedy in remedies for method in methods]
    reals, imaginaries = (np.concatenate([values[i].ravel() for values in every]) for i in (0, 1))
    axes[0, 0].set_xlim(reals.min() - 0.08, max(1.0, reals.max()) + 0.08)
    axes[0, 0].set_ylim(-0.07 * imaginaries.max() - 0.01, 1.25 * imaginaries.max())
    figure.supxlabel("real part of the eigenvalues (those below the axis are mirrored)")
    ring = {"marker": "o", "ls": "", "mfc": "none", "mew": 1.0, "ms": 4}
    handles = {label: figures.line(color=colour, **ring) for label, colour in colours.items()}
    figures.legend(figure, handles, ncols=4)
    return figure


def alike(part, remedies, methods):
    """{labels: index} of the divergences, those with equal eigenvalues in every panel under one label."""
    panels = [part.samples[f"curve/{remedy}, {method}"] for remedy in remedies for method in methods]
    groups = {}
    for index, label in enumerate(part.every_label.values()):
        groups.setdefault(np.round([panel[:, index] for panel in panels], 6).tobytes(), []).append((label, index))
    return {", ".join(label for label, _ in group): group[0][1] for group in groups.values()}


def figure_rates(part):
    figure, (exact, learned, passing) = plt.subplots(1, 3, figsize=(figures.WIDTH, 2.9))
    for remedy, colour in zip(shown(part), COLOURS, strict=False):
        for method, marker in (("simultaneous", "o"), ("alternating", "x")):
            predicted, measured = part.samples[f"curve/paths/{remedy}, {method}"]
            label = remedy if marker == "o" else None
            exact.plot(predicted, measured, marker, ms=3.5, mew=0.7, mfc="none", color=colour, label=label)
    exact.legend(loc="upper left", handletextpad=0.1, borderpad=0)
    for arm, (marker, colour) in TRAINED.items():
        style = dict(ls="", marker=marker, ms=3.5, mew=0.7, mfc="none", color=colour, label=arm.replace(", ", ",\n"))
        if arm.startswith("linear"):
            learned.plot(*pairs(part, arm, "radius", "measured radius"), **style)
        passing.plot(*pairs(part, arm, "predicted overshoot", "overshoot"), **style)
    for axis, title in ((exact, "Dirac game, iterated"), (learned, "Gaussians, trained"), (passing, "who cycles")):
        low, high = axis.get_xlim()
        axis.plot([low, high], [low, high], color="#c8c8c8", lw=0.8, zorder=0)
        axis.set_title(title)
    learned.locator_params(axis="x", nbins=4)
    for axis in (exact, learned):
        axis.set(xlabel="spectral radius", ylabel="measured contraction of a step")
    passing.set(xlabel="overshoot, linearised", ylabel="overshoot, trained")
    passing.legend(loc="upper left", handletextpad=0.1, borderpad=0)
    return figure


def pairs(part, arm, predicted, measured):
    """Two metrics of the trained runs of an arm as two arrays, over objectives, divergences and seeds."""
    columns = []
    for metric in (predicted, measured):
        frames = [part.baselines(metric, objective, arm) for objective in figures.OBJECTIVES]
        columns.append(np.concatenate([frame.value.to_numpy() for frame in frames]))
    return columns


def table_spectrum(part):
    return by_remedy(part, "radius", lambda value: f"{value:.4f}")


def table_steps(part):
    return by_remedy(part, "largest stable step", lambda value: printed.number(value, 2))


def by_remedy(part, metric, text):
    """A metric of every remedy (columns), method and divergence; one row for both objectives, and one
    column for both penalties, where all cells agree."""
    rows, cuts = [], []
    for method in METHODS:
        for name, label in part.every_label.items():
            cells = {
                objective: {
                    remedy: text(part.baseline(metric, f"{remedy}, {method}", name, objective))
                    for remedy in (*shown(part)[:2], "R2", *shown(part)[2:])
                }
                for objective in figures.OBJECTIVES
            }
            if cells["saddle"] == cells["alternative"]:
                cells = {"both": cells["saddle"]}
            slope, curvature = (part.baseline(term, "terms", name) for term in ("slope", "curvature"))
            facts = {"s": printed.number(slope, 3), "c": printed.number(curvature, 3)}
            rows += [
                {"Updates": method, "divergence": label, "objective": objective, **facts, **own}
                for objective, own in cells.items()
            ]
        cuts.append(len(rows) - 1)
    frame = tables.framed(rows, cuts[:-1])
    same = (frame.R1 == frame.R2).all()
    return frame.drop(columns="R2").rename(columns={"R1": "R1 or R2"}) if same else frame
