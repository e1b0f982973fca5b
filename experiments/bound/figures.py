"""Figures and tables of the bound, from its part of a record; a scale may leave arms out."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import NullLocator

from fgan import figures
from fgan.tables import number, over_seeds

CLASSES = {"line": "line", "w1": "1", "w2": "2", "w4": "4", "w32": "32, 32"}
SAMPLES = {"n64": "n = 64", "n256": "n = 256", "n1024": "n = 1,024"}
SAMPLE_COLUMNS = ["Divergence", "$D_f$", "$n$", "$F$ on the sample", "exact $F$", "best exact $F$", "at step"]
TAILS = {"narrow": "Q narrower than P", "wide": "Q wider than P"}
# Light to dark: the class grows, or the sample does.
SHADES = {"line": "#c6dbe6", "w1": "#8fbcd0", "w2": "#5597b5", "w4": "#0b6e99", "w32": "#063c54"}
WARM = {"n64": "#f2a65a", "n256": "#d9730d", "n1024": "#7f3b00"}


def chosen(part, names):
    """Those of some arms that this part has, in their order."""
    return [name for name in names if name in part.arms]


def names(part, arms):
    """Divergences of some arms, in the table's order."""
    return [name for name in part.divergences if any(name in part.arms[arm]["divergences"] for arm in arms)]


def values(part, arm, name, metric):
    """A judged metric over seeds."""
    rows = part.final(metric, arm)
    return rows[rows.divergence == name].value.to_numpy()


def exact(part, name, metric):
    """A number that needed no training."""
    rows = part.baselines(metric)
    return float(rows[rows.divergence == name].value.iloc[0])


def path(part, arm, name, metric):
    """(steps, seeds' histories [steps, seeds], their median [steps])."""

    def of(metric):
        rows = part.history(metric)
        rows = rows[(rows.arm == arm) & (rows.divergence == name)]
        return rows.pivot(index="step", columns="seed", values="value")

    single, median = of(metric), of(f"{metric} [median]")
    return single.index.to_numpy(), single.to_numpy(), median.to_numpy()[:, 0]


def panels(count, height, columns=4, **options):
    """A grid of `count` axes, the rest switched off: (figure, axes in their order)."""
    columns = min(columns, max(count, 1))
    rows = -(-max(count, 1) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(figures.WIDTH, 0.5 + height * rows), squeeze=False, sharex=True, **options
    )
    for axis in axes.flat[count:]:
        axis.set_axis_off()
    return figure, list(axes.flat[:count])


def line(**style):
    return plt.Line2D([], [], **style)


def figure_classes(part):
    arms = chosen(part, CLASSES)
    shown = names(part, arms)
    figure, axes = panels(len(shown), 1.55, sharey=True)
    for axis, name in zip(axes, shown, strict=True):
        axis.axhspan(1, 1.12, color="#ececec", lw=0)
        axis.axhline(1, color="black", lw=0.9)
        means = []
        for place, arm in enumerate(arms):
            found = np.clip(values(part, arm, name, "recovered"), 0, None)
            means.append(found.mean())
            axis.bar(place, found.mean(), width=0.72, color=SHADES[arm], lw=0)
            spread = np.linspace(-0.16, 0.16, len(found)) if len(found) > 1 else [0]
            axis.plot(place + np.array(spread), found, "o", ms=2.2, mew=0.3, mec="white", mfc="black", alpha=0.9)
        if "line" in arms:
            best = exact(part, name, "best line recovered")
            axis.plot(arms.index("line"), best, "x", ms=5, mew=1.1, color="#d9730d", zorder=4)
        axis.set_title(part.divergences[name]["label"])
        axis.set_ylim(0, 1.12)
        axis.set_yticks([0, 0.5, 1], ["0", ".5", "$D_f$"])
        axis.set_xticks(range(len(arms)), [CLASSES[arm] for arm in arms])
    figure.supxlabel("hidden units of V", fontsize=8)
    figure.supylabel("recovered by F", fontsize=8)
    return figure


def figure_ratio(part):
    arms = chosen(part, CLASSES)
    shown = names(part, arms)
    x, p, q, truth = (part.samples[f"shown/{name}"].astype(float) for name in ("x", "p", "q", "log ratio"))
    figure, axes = panels(len(shown), 1.85)
    for axis, name in zip(axes, shown, strict=True):
        learned = {arm: part.samples[f"log ratio/{arm}/{name}/saddle/0"].astype(float) for arm in arms}
        true, low, high = truth, -6.5, 2.6
        if all(np.isnan(curve).all() for curve in learned.values()):
            learned = {arm: part.samples[f"T/{arm}/{name}/saddle/0"].astype(float) for arm in arms}
            true, low, high = np.sign(truth) / 2, -0.95, 0.62
        # The densities stand on the floor of the panel, a third of it high.
        floor = low + (high - low) / 3 * np.stack([p, q]) / max(p.max(), q.max())
        axis.fill_between(x, low, floor[0], color="#dcdcdc", lw=0)
        axis.plot(x, floor[1], color=figures.GREY, lw=0.8)
        axis.plot(x, true, color="black", lw=2.2, solid_capstyle="round")
        for arm, curve in learned.items():
            axis.plot(x, np.clip(curve, low, high), color=SHADES[arm], lw=1.1)
        axis.set(xlim=(x[0], x[-1]), ylim=(low, high))
        axis.set_title(part.divergences[name]["label"])
    for axis in axes:
        axis.set_yticks([-0.5, 0, 0.5] if axis.get_ylim()[0] > -1 else [-6, -4, -2, 0, 2])
    figure.supxlabel("x", fontsize=8)
    figure.supylabel(r"$\log\,p/q$", fontsize=8)
    handles = [line(color="black", lw=2.2), *(line(color=SHADES[arm], lw=1.4) for arm in arms)]
    handles += [plt.Rectangle((0, 0), 1, 1, color="#dcdcdc"), line(color=figures.GREY, lw=0.8)]
    labels = ["truth", *(CLASSES[arm] for arm in arms), "P", "Q"]
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure


def figure_samples(part):
    arms = chosen(part, SAMPLES)
    shown = names(part, arms)
    low, high = -0.5, 3.0
    figure, axes = panels(len(shown), 1.7, sharey=True)
    for axis, name in zip(axes, shown, strict=True):
        constant = exact(part, name, "constant V")
        scale = exact(part, name, "D_f") - constant
        axis.axhline(1, color="black", lw=0.9)
        for arm in arms:
            for metric, style in (("F", "-"), ("watched F", "--")):
                steps, single, median = path(part, arm, name, metric)
                # A little beyond the axis, so that a line leaves it instead of running along it.
                cut = [np.clip((found - constant) / scale, low - 9, high + 9) for found in (single, median)]
                axis.plot(steps, cut[0], ls=style, color=WARM[arm], lw=0.4, alpha=0.4)
                axis.plot(steps, cut[1], ls=style, color=WARM[arm], lw=1.3)
        axis.set_title(part.divergences[name]["label"])
        axis.set_xscale("log")
        axis.set_ylim(low, high)
        axis.xaxis.set_minor_locator(NullLocator())
        decades = [tick for tick in (10, 30, 100, 300, 1000, 3000) if steps[0] <= tick <= steps[-1]]
        axis.set_xticks(decades, [f"{tick:,}" for tick in decades])
        axis.set_yticks([0, 1, 2, 3], ["0", "$D_f$", "2", "3"])
    figure.supxlabel("step", fontsize=8)
    figure.supylabel("F as part of $D_f$", fontsize=8)
    handles = [line(color=WARM[arm], lw=1.6) for arm in arms]
    handles += [line(color=figures.GREY, lw=1.3), line(color=figures.GREY, lw=1.3, ls="--")]
    labels = [*(SAMPLES[arm] for arm in arms), "F on its own sample", "exact F of the same V"]
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure


def figure_infinite(part):
    arms = chosen(part, TAILS)
    colours = figures.palette(part.divergences) | {"kl": figures.GREY}
    figure, axes = plt.subplots(1, max(len(arms), 1), figsize=(figures.WIDTH, 2.6), squeeze=False)
    for axis, arm in zip(axes.flat, arms, strict=False):
        infinite = [name for name in names(part, [arm]) if np.isinf(values(part, arm, name, "D_f")).all()]
        ends = {}
        for name in [*infinite, *({"kl"} & set(part.arms[arm]["divergences"]))]:
            steps, single, median = path(part, arm, name, "watched F")
            ends[name] = np.nan_to_num(median[-1])
            single, median = (np.where(found > 0, found, np.nan) for found in (single, median))
            axis.plot(steps, single, color=colours[name], lw=0.5, alpha=0.5)
            axis.plot(steps, median, color=colours[name], lw=1.6)
            limit = values(part, arm, name, "D_f")[0]
            if np.isfinite(limit):
                axis.axhline(limit, color=colours[name], lw=0.8, ls="--")
        low, high = 0.02, 2.5 * max(0.1, *ends.values())
        axis.set(yscale="log", xlim=(0, steps[-1]), ylim=(low, high), xlabel="step", title=TAILS[arm])
        height = -1.0
        for name, end in sorted(ends.items(), key=lambda item: item[1]):
            limit = values(part, arm, name, "D_f")[0]
            text = r"$D_f=\infty$" if np.isinf(limit) else rf"$D_f={limit:.2f}$"
            # Beside the end of its line, but above the label below it.
            height = max(np.log(max(end, low) / low) / np.log(high / low), height + 0.14)
            axis.annotate(f"{part.divergences[name]['label']}\n{text}", (1.02, height), xycoords="axes fraction",
                          color=colours[name], fontsize=7, va="center")  # fmt: skip
        for width in part.arms[arm]["measure"]["levels"] if infinite else []:
            level = values(part, arm, infinite[0], f"level {width:g} sd")[0]
            if low < level < high:
                axis.axhline(level, color=colours[infinite[0]], lw=0.8, ls=":")
                axis.text(0.99 * steps[-1], 1.04 * level, f"T* within {width:g} sd", fontsize=6, ha="right",
                          color=colours[infinite[0]])  # fmt: skip
    axes[0, 0].set_ylabel("exact F")
    return figure


def table_classes(part):
    arms = chosen(part, CLASSES)
    rows = []
    for name in names(part, arms):
        row = {"Divergence": part.divergences[name]["label"], "$D_f$": number(exact(part, name, "D_f"), 4)}
        row["lost by the free $T$"] = number(exact(part, name, "lost by the free T"))
        row["best line"] = number(exact(part, name, "best line"))
        for arm in arms:
            row[f"$V$: {CLASSES[arm]}"] = over_seeds(values(part, arm, name, "exact F"))
        if "w32" in arms:
            row["ratio error"] = number(values(part, "w32", name, "ratio error").mean(), 2)
            row["wrong side"] = number(values(part, "w32", name, "wrong side").mean(), 2)
        rows.append(row)
    return pd.DataFrame(rows)


def three(found):
    """Least, median and most of some values."""
    return ", ".join(number(float(f(found))) for f in (np.min, np.median, np.max))


def table_samples(part):
    arms = chosen(part, SAMPLES)
    rows, cuts = [], []
    for name in names(part, arms):
        for arm in arms:
            own, last, best, step = (
                values(part, arm, name, metric) for metric in ("sample F", "exact F", "best exact F", "best entry")
            )
            rows.append({
                "Divergence": part.divergences[name]["label"], "$D_f$": number(exact(part, name, "D_f")),
                "$n$": SAMPLES[arm].removeprefix("n = "), "$F$ on the sample": three(own), "exact $F$": three(last),
                "best exact $F$": three(best), "at step": f"{np.median(step):.0f}",
            })  # fmt: skip
        cuts.append(len(rows) - 1)
    frame = pd.DataFrame(rows, columns=SAMPLE_COLUMNS)
    frame.attrs["rules_after"] = tuple(cuts[:-1])
    return frame


def table_estimates(part):
    arm = chosen(part, [*reversed(CLASSES), *SAMPLES, *TAILS])[0]
    measure = part.design["settings"]["measure"]
    rows = []
    for name in names(part, [arm]):
        of = {metric: values(part, arm, name, metric) for metric in ("exact F", "fresh F", "spread")}
        row = {"Divergence": part.divergences[name]["label"], "exact $F$": number(float(of["exact F"].mean()))}
        row["estimate $-$ exact"] = number(float((of["fresh F"] - of["exact F"]).mean()), 2)
        row["predicted sd of it"] = number(float(of["spread"].mean()) / measure["fresh"] ** 0.5, 2)
        for n in measure["sizes"]:
            found = float(values(part, arm, name, f"fresh sd {n}").mean())
            row[f"sd, $n={n}$"] = f"{number(found, 2)} ({number(float(of['spread'].mean()) / n**0.5, 2)})"
        rows.append(row)
    return pd.DataFrame(rows)
