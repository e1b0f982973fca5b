"""Pictures of modes won and lost, from their part of a record, and the animation in the README."""

import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap

from fgan.report import converged, figures
from fgan.report.printed import over_seeds
from fgan.report.statistics import survival

COLOUR = figures.OBJECTIVES["saddle"]
MOMENTS = 8  # pictures in a strip
EVENTS = {
    "modes": "covered last", "ever covered": "ever", "forgotten": "of these lost at the end",
    "won": "won", "lost": "lost",
}  # fmt: skip


def kept(part, kind, arm, name):
    """The pictures [entries, points, 2] of seed 0, or the modes that it covered [entries, modes]."""
    return part.samples[f"{kind}/{arm}/{name}/saddle/0"]


def steps(part, arm):
    """The steps at which pictures were taken."""
    return part.quartiles("watched modes", arm, part.arms[arm]["divergences"][0]).index


def look(axis, target):
    """Draws the modes of P as circles; returns the dots that show samples."""
    centres = figures.centres(target)
    axis.set_axis_off()
    axis.plot(*centres.T, "o", ms=4, mew=0.4, mfc="none", mec=figures.GREY)
    reach = 1.3 * np.abs(centres).max()
    axis.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    return axis.plot([], [], ".", ms=2.2, mew=0, alpha=0.9, color=COLOUR)[0]


def strip(part, arm):
    """A few pictures of seed 0, a row for each divergence."""
    names, when = part.arms[arm]["divergences"], steps(part, arm)
    entries = np.unique(np.linspace(0, len(when) - 1, MOMENTS).round().astype(int))
    tight = {"gridspec_kw": {"wspace": 0, "hspace": 0}}
    figure, axes = figures.panels(len(names) * len(entries), 0.7, columns=len(entries), top=0.2, **tight)
    for row, name in zip(np.reshape(axes, (len(names), -1)), names, strict=True):
        pictures = kept(part, "pictures", arm, name).astype(float)
        for axis, entry in zip(row, entries, strict=True):
            look(axis, part.arms[arm]["target"])
            figures.cloud(axis, pictures[entry], alpha=0.7, color=COLOUR)
        label = part.labels[name] if "=" in part.labels[name] else part.labels[name].replace(" ", "\n")
        row[0].annotate(label, (-0.08, 0.5), xycoords="axes fraction", ha="right", va="center", fontsize=7)
    for axis, entry in zip(axes, entries, strict=False):
        axis.set_title(f"step {when[entry]:,}", fontsize=7, pad=3)
    return figure


def figure_ring(part):
    return strip(part, "ring")


def figure_grid(part):
    return strip(part, "grid") if "grid" in part.arms else figures.blank("The grid is not part of this scale.")


def figure_life(part):
    names, last = part.arms["ring"]["divergences"], steps(part, "ring")[-1]
    figure, axes = figures.panels(len(names), 0.85, columns=3, sharex=True, sharey=True)
    for axis, name in zip(axes, names, strict=True):
        covered = kept(part, "covered", "ring", name)
        modes = covered.shape[1]
        colours = {"cmap": ListedColormap(["#f1f1f1", COLOUR]), "vmin": 0, "vmax": 1}
        axis.imshow(covered.T, **colours, aspect="auto", origin="lower", extent=(0, last, 0.5, modes + 0.5))
        axis.set(title=part.labels[name], yticks=[1, modes])
    figure.supxlabel("step")
    figure.supylabel("mode")
    return figure


def spans(part, arm, name):
    """Of every mode and run [modes, seeds]: steps to the first cover and to the loss after it, and whether each came.

    A mode that is never covered is watched to the last step, one that is never lost from its cover to the last step.
    """
    total = len(figures.centres(part.arms[arm]["target"]))
    covered, lost = (
        np.array([part.values(metric, arm, name, rule=f"mode {k + 1}") for k in range(total)])
        for metric in ("first covered", "first lost")
    )
    last = part.arms[arm]["steps"]
    came, went = np.isfinite(covered), np.isfinite(lost)
    until = np.where(came, covered, last)
    return (until, came), (np.where(went, lost, last) - until, went, came)


def figure_survival(part):
    """Kaplan-Meier curves of the time to the first cover of a mode, and from there to its first loss."""
    arms, colours = [*part.arms], figures.palette(part.divergences)
    figure, axes = figures.panels(2 * len(arms), 1.6, columns=2, top=0.7, sharey=True)
    for row, arm in enumerate(arms):
        for name in part.arms[arm]["divergences"]:
            (until, came), (kept, went, watched) = spans(part, arm, name)
            spells = (until.ravel(), came.ravel()), (kept[watched], went[watched])
            for axis, (times, events) in zip(axes[2 * row : 2 * row + 2], spells, strict=True):
                t, alive = survival(times, events)
                t, alive = np.append(t, times.max(initial=0)), np.append(alive, alive[-1])  # to the end of the watch
                axis.step(t, alive, where="post", color=colours[name], lw=1.1)
        for axis, text in zip(axes[2 * row : 2 * row + 2], ("not covered yet", "not lost yet"), strict=True):
            axis.set(ylim=(-0.03, 1.03), title=f"{arm}: {text}")
        axes[2 * row].set_ylabel("share of modes")
    axes[-2].set_xlabel("steps")
    axes[-1].set_xlabel("steps since the first cover")
    figures.legend(
        figure, {part.labels[n]: figures.line(color=c) for n, c in colours.items()}, ncols=min(6, len(colours))
    )
    return figure


def table_events(part):
    return pd.DataFrame([
        {"Divergence": part.labels[name], "target": arm}
        | {heading: over_seeds(part.values(metric, arm, name)) for metric, heading in EVENTS.items()}
        | converged.columns(part, arm, name)
        for arm, own in part.arms.items() for name in own["divergences"]
    ])  # fmt: skip


def animation_ring(part):
    """A figure of all divergences side by side, a function that shows picture number i, and the number of pictures."""
    names, when = part.arms["ring"]["divergences"], steps(part, "ring")
    figure, axes = figures.panels(len(names), 1.25, columns=6, top=0.3)
    dots = [look(axis, part.arms["ring"]["target"]) for axis in axes]
    pictures, covered = ([kept(part, kind, "ring", name) for name in names] for kind in ("pictures", "covered"))
    title = figure.suptitle("", fontsize=8)

    def show(i):
        title.set_text(f"step {when[i]:,}")
        for k, name in enumerate(names):
            dots[k].set_data(*pictures[k][i].astype(float).T)
            axes[k].set_title(f"{part.labels[name]}: {covered[k][i].sum()}", fontsize=7, pad=2)

    return figure, show, len(when)
