"""Figures and tables of the bound, from its part of a record; a scale may leave arms out."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import NullLocator

from fgan.report import figures, printed, tables
from fgan.report.printed import number, over_seeds

# Colours from light to dark, as the class of V or its sample grows.
CLASSES = {"line": "#c6dbe6", "w1": "#8fbcd0", "w2": "#5597b5", "w4": "#0b6e99", "w32": "#063c54"}
SAMPLES = {"n64": "#f2a65a", "n256": "#d9730d", "n1024": "#7f3b00"}
TAILS = {"narrow": "Q narrower than P", "wide": "Q wider than P"}


def trained(part, arms):
    """The arms of `arms` that this part has, and the divergences that they were trained on, in the table's order."""
    arms = [arm for arm in arms if arm in part.arms]
    return arms, [name for name in part.labels if any(name in part.arms[arm]["divergences"] for arm in arms)]


def units(part, arm):
    """The hidden units of an arm's V, layer by layer."""
    return ", ".join(map(str, part.arms[arm]["variational"]["hidden"])) or "line"


def figure_classes(part):
    arms, names = trained(part, CLASSES)
    figure, axes = figures.panels(len(names), 1.55, sharex=True, sharey=True)
    for axis, name in zip(axes, names, strict=True):
        axis.axhspan(1, 1.12, color="#ececec", lw=0)
        axis.axhline(1, color="black", lw=0.9)
        for place, arm in enumerate(arms):
            shares = np.clip(part.values("recovered", arm, name), 0, None)
            axis.bar(place, shares.mean(), width=0.72, color=CLASSES[arm], lw=0)
            spread = np.linspace(-0.16, 0.16, len(shares)) if len(shares) > 1 else np.zeros(1)
            axis.plot(place + spread, shares, "o", ms=2.2, mew=0.3, mec="white", mfc="black", alpha=0.9)
        if "line" in arms:
            best = part.baseline("recovered", "best line", name)
            axis.plot(arms.index("line"), best, "x", ms=5, mew=1.1, color=figures.OBJECTIVES["alternative"], zorder=4)
        axis.set(title=part.labels[name], ylim=(0, 1.12))
        axis.set_yticks([0, 0.5, 1], ["0", ".5", "$D_f$"])
        axis.set_xticks(range(len(arms)), [units(part, arm) for arm in arms])
    figure.supxlabel("hidden units of V")
    figure.supylabel("recovered by F")
    return figure


def figure_ratio(part):
    arms, names = trained(part, CLASSES)
    x, p, q, truth = (part.samples[f"shown/{name}"].astype(float) for name in ("x", "p", "q", "log ratio"))
    figure, axes = figures.panels(len(names), 1.85, sharex=True)
    for axis, name in zip(axes, names, strict=True):
        # Total variation's T gives no ratio, only the side of 1 on which the ratio lies.
        sided = name == "total_variation"
        kind, true, low, high = ("T", np.sign(truth) / 2, -0.95, 0.62) if sided else ("log ratio", truth, -6.5, 2.6)
        # The densities fill the lowest third of the panel.
        floor = low + (high - low) / 3 * np.stack([p, q]) / max(p.max(), q.max())
        axis.fill_between(x, low, floor[0], color="#dcdcdc", lw=0)
        axis.plot(x, floor[1], color=figures.GREY, lw=0.8)
        axis.plot(x, true, color="black", lw=2.2, solid_capstyle="round")
        for arm in arms:
            learned = part.samples[f"{kind}/{arm}/{name}/saddle/0"].astype(float)
            axis.plot(x, np.clip(learned, low, high), color=CLASSES[arm], lw=1.1)
        axis.set(xlim=(x[0], x[-1]), ylim=(low, high), title=part.labels[name])
        axis.set_yticks([-0.5, 0, 0.5] if sided else [-6, -4, -2, 0, 2])
    figure.supxlabel("x")
    figure.supylabel(r"$\log\,p/q$")
    learned = {units(part, arm): figures.line(color=CLASSES[arm], lw=1.4) for arm in arms}
    below = {"P": plt.Rectangle((0, 0), 1, 1, color="#dcdcdc"), "Q": figures.line(color=figures.GREY, lw=0.8)}
    figures.legend(figure, {"truth": figures.line(color="black", lw=2.2)} | learned | below)
    return figure


def figure_samples(part):
    arms, names = trained(part, SAMPLES)
    styles = {"F": ("F on its own sample", "-"), "watched F": ("exact F of the same V", "--")}
    low, high = -0.5, 3.0
    figure, axes = figures.panels(len(names), 1.7, sharex=True, sharey=True)
    for axis, name in zip(axes, names, strict=True):
        constant = part.baseline("exact F", "constant V", name)
        scale = part.baseline("D_f", "free T", name) - constant
        axis.axhline(1, color="black", lw=0.9)
        for arm in arms:
            for metric, (_, style) in styles.items():
                single, median = part.history(metric, arm, name), part.quartiles(metric, arm, name)["median"]
                for values, look in ((single, dict(lw=0.4, alpha=0.4)), (median, dict(lw=1.3))):
                    # Cut a little beyond the axis, so that a line leaves the panel instead of running along its edge.
                    cut = ((values - constant) / scale).clip(low - 9, high + 9)
                    axis.plot(cut.index, cut, ls=style, color=SAMPLES[arm], **look)
        axis.set(title=part.labels[name], xscale="log", ylim=(low, high))
        axis.xaxis.set_minor_locator(NullLocator())
        decades = [step for step in (10, 30, 100, 300, 1000, 3000) if median.index[0] <= step <= median.index[-1]]
        axis.set_xticks(decades, [f"{step:,}" for step in decades])
        axis.set_yticks([0, 1, 2, 3], ["0", "$D_f$", "2", "3"])
    figure.supxlabel("step")
    figure.supylabel("F as part of $D_f$")
    handles = {f"n = {part.arms[arm]['factors']['n']:,}": figures.line(color=SAMPLES[arm], lw=1.6) for arm in arms}
    kinds = {label: figures.line(color=figures.GREY, lw=1.3, ls=style) for label, style in styles.values()}
    figures.legend(figure, handles | kinds)
    return figure


def figure_infinite(part):
    arms, _ = trained(part, TAILS)
    if not arms:
        return figures.blank("Gaussians with an infinite divergence are not part of this scale.")
    figure, axes = figures.panels(len(arms), 2.1, columns=2)
    for axis, arm in zip(axes, arms, strict=True):
        growth(axis, part, arm)
    axes[0].set_ylabel("exact F")
    return figure


def growth(axis, part, arm):
    """The exact F in training for the divergences that an arm's tails make infinite, and for KL."""
    colours = figures.palette(part.labels) | {"kl": figures.GREY}
    limits = {name: part.values("D_f", arm, name)[0] for name in part.arms[arm]["divergences"]}
    infinite = [name for name in part.labels if np.isinf(limits.get(name, 0.0))]
    medians = {}
    for name in [*infinite, *({"kl"} & set(limits))]:
        single, medians[name] = part.history("watched F", arm, name), part.quartiles("watched F", arm, name)["median"]
        for values, look in ((single, dict(lw=0.5, alpha=0.5)), (medians[name], dict(lw=1.6))):
            axis.plot(values.index, values.where(values > 0), color=colours[name], **look)
        if np.isfinite(limits[name]):
            axis.axhline(limits[name], color=colours[name], lw=0.8, ls="--")
    ends = {name: np.nan_to_num(median.iloc[-1]) for name, median in medians.items()}
    last, low, high = part.arms[arm]["steps"], 0.02, 2.5 * max(0.1, *ends.values())
    axis.set(yscale="log", xlim=(0, last), ylim=(low, high), xlabel="step", title=TAILS[arm])
    height = -1.0
    for name, end in sorted(ends.items(), key=lambda item: item[1]):
        value = r"\infty" if np.isinf(limits[name]) else f"{limits[name]:.2f}"
        # Beside the end of its line, but above the label below it.
        height = max(np.log(max(end, low) / low) / np.log(high / low), height + 0.14)
        text, style = f"{part.labels[name]}\n$D_f={value}$", dict(color=colours[name], fontsize=7, va="center")
        axis.annotate(text, (1.02, height), xycoords="axes fraction", **style)
    for width in part.arms[arm]["measure"]["levels"] if infinite else []:
        level = part.values("level", arm, infinite[0], rule=f"{width:g} sd")[0]
        if low < level < high:
            axis.axhline(level, color=colours[infinite[0]], lw=0.8, ls=":")
            place, style = (0.99 * last, 1.04 * level), dict(color=colours[infinite[0]], fontsize=7, ha="right")
            axis.text(*place, f"T* within {width:g} sd", **style)


def table_classes(part):
    arms, names = trained(part, CLASSES)
    rows = []
    for name in names:
        row = {
            "Divergence": part.labels[name], "$D_f$": number(part.baseline("D_f", "free T", name), 4),
            "lost by the free $T$": number(part.baseline("gap", "free T", name)),
            "best line": number(part.baseline("exact F", "best line", name)),
        }  # fmt: skip
        row |= {f"$V$: {units(part, arm)}": over_seeds(part.values("exact F", arm, name)) for arm in arms}
        if "w32" in arms:
            row |= {m: printed.defined(part.values(m, "w32", name), digits=2) for m in ("ratio error", "wrong side")}
        rows.append(row)
    return pd.DataFrame(rows)


def table_samples(part):
    arms, names = trained(part, SAMPLES)
    columns = ["Divergence", "$D_f$", "$n$", "$F$ on the sample", "exact $F$", "best exact $F$", "at step"]
    rows, cuts = [], []
    for name in names:
        supremum = number(part.baseline("D_f", "free T", name))
        for arm in arms:
            n = f"{part.arms[arm]['factors']['n']:,}"
            spans = [printed.three(part.values(m, arm, name)) for m in ("sample F", "exact F", "best exact F")]
            step = printed.summed(part.values("best step", arm, name), lambda v: f"{np.median(v):.0f}")
            rows.append((part.labels[name], supremum, n, *spans, step))
        cuts.append(len(rows) - 1)
    return tables.framed(rows, cuts[:-1], columns=columns)


def table_estimates(part):
    arm = trained(part, [*reversed(CLASSES), *SAMPLES, *TAILS])[0][0]
    rows = []
    for name in part.arms[arm]["divergences"]:
        exact, fresh, spread = (part.values(metric, arm, name) for metric in ("exact F", "fresh F", "spread"))
        row = {
            "Divergence": part.labels[name], "exact $F$": printed.defined(exact),
            "estimate $-$ exact": printed.defined(fresh - exact, digits=2),
            "predicted sd of it": printed.defined(spread / part.measure["fresh"] ** 0.5, digits=2),
        }  # fmt: skip
        for n in part.measure["sizes"]:
            pair = part.values("fresh sd", arm, name, rule=f"n = {n}"), spread / n**0.5
            row[f"sd, $n={n}$"] = "{} ({})".format(*(printed.defined(values, digits=2) for values in pair))
        rows.append(row)
    return pd.DataFrame(rows)
