"""Figures and tables of the latent space, from its part of a record."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.ticker import NullFormatter

from fgan import figures
from fgan.tables import number

CORE = ("kl", "reverse_kl", "pearson", "gan")  # in the map and the closest pairs, as many as were trained
SAMPLERS = {"data": "real data", "linear map": "linear map", "one mode": "one mode or image"}
# Arm and objective, with the colour of their dots.
GROUPS = {
    ("ring", "saddle"): ("ring, saddle", figures.OBJECTIVES["saddle"]),
    ("ring", "alternative"): ("ring, alternative", figures.OBJECTIVES["alternative"]),
    ("small", "saddle"): ("small start", "#2b2b2b"),
    ("digits", "saddle"): ("digits", figures.OBJECTIVES["saddle"]),
}
RING = {  # columns of the ring's table
    "modes": "modes", "high_quality": "in a mode", "relative collisions [same mode]": "same mode",
    "relative collisions [same point]": "same point", "rank correlation": "rank corr.",
    "log condition": "log condition", "log volume": "log stretch", "preimages": "preimages",
}  # fmt: skip
DIGITS = {
    "modes": "classes", "mode divergence": "KL of classes", "relative collisions [same mode]": "same class",
    "relative collisions [same point]": "same point", "birthday [same point]": "s", "alone": "alone",
    "rank correlation": "rank corr.", "log condition": "log condition", "local rank": "local rank",
    "log volume": "log stretch",
}  # fmt: skip


def groups(part, place):
    """The groups of the ring's arms or of digits that the part holds."""
    rows = part.final("modes")
    held = set(zip(rows.arm, rows.objective, strict=True))
    return {key: value for key, value in GROUPS.items() if key in held and (key[0] == "digits") == (place == "digits")}


def values(part, metric, arm, objective, divergence=None):
    """Values of the judged step over seeds, or over all runs of an arm, in the order of divergences and seeds."""
    rows = part.final(metric, arm)
    rows = rows[(rows.objective == objective) & ((rows.divergence == divergence) | (divergence is None))]
    return rows.sort_values(["divergence", "seed"]).value.to_numpy()


def untrained(part, metric, place):
    """{sampler: mean} of the samplers without training on one target."""
    found = part.baselines(metric).groupby("divergence", sort=False).value.mean()
    return {name: found[f"{name} ({place})"] for name in SAMPLERS if f"{name} ({place})" in found}


def chosen(part, arm):
    return [name for name in CORE if name in part.arms[arm]["divergences"]]


def colours(modes):
    """A colour for each mode, and below it a pale one for what lies outside of the mode's radius."""
    strong = [to_rgb(colour) for colour in figures.palette(range(modes)).values()]
    return ListedColormap(strong + [tuple(0.25 * np.array(colour) + 0.75) for colour in strong])


def figure_map(part):
    ring, reach = (part.design["settings"]["measure"][key] for key in ("ring", "shown_reach"))
    rows, colour = groups(part, "ring"), colours(part.design["settings"]["measure"]["ring"]["modes"])
    names = [name for name in CORE if any(name in chosen(part, arm) for arm, _ in rows)]
    size = (figures.WIDTH, 0.2 + 1.3 * len(rows))
    figure, axes = plt.subplots(len(rows), 1 + len(names), figsize=size, squeeze=False)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[], aspect="equal")
        axis.axis("off")
    for line, ((arm, objective), (label, _)) in zip(axes, rows.items(), strict=True):
        angles = 2 * math.pi * np.arange(ring["modes"]) / ring["modes"]
        line[0].scatter(1.3 * np.cos(angles), 1.3 * np.sin(angles), s=22, c=colour.colors[: ring["modes"]])
        line[0].set(xlim=(-1.9, 1.9), ylim=(-1.9, 1.9))
        line[0].text(0, 0, label.replace(", ", "\n").replace(" ", "\n"), ha="center", va="center", fontsize=7)
        for axis, name in zip(line[1:], names, strict=True):
            if name not in chosen(part, arm):
                continue
            map_of_z = part.samples[f"map/{arm}/{name}/{objective}/0"].astype(float)
            extent = (-reach, reach, -reach, reach)
            axis.imshow(map_of_z.T, cmap=colour, vmin=-0.5, vmax=2 * ring["modes"] - 0.5, origin="lower",
                        interpolation="nearest", extent=extent)  # fmt: skip
            modes = values(part, "modes", arm, objective, name)[0]
            axis.set_title(f"{part.divergences[name]['label']}: {modes:.0f} of {ring['modes']}", pad=2, fontsize=7)
    return figure


def figure_collisions(part):
    panels = {
        ("ring", "same mode"): "ring\nsame mode", ("ring", "same point"): "ring\nsame point",
        ("digits", "same mode"): "digits\nsame class", ("digits", "same point"): "digits\nsame point",
    }  # fmt: skip
    names = list(part.divergences)[::-1]
    figure, axes = plt.subplots(1, 4, figsize=(figures.WIDTH, 1.5 + 0.3 * len(names)), sharey=True)
    handles = {}
    for axis, ((place, resolution), label) in zip(axes, panels.items(), strict=True):
        metric, own = f"relative collisions [{resolution}]", groups(part, place)
        axis.set(xscale="log", xlabel=label, ylim=(-0.6, len(names) - 0.4))
        for offset, ((arm, objective), (title, colour)) in zip((0.25, 0.0, -0.25), own.items(), strict=False):
            for row, name in enumerate(names):
                seeds = values(part, metric, arm, objective, name)
                seeds = seeds[np.isfinite(seeds) & (seeds > 0)]
                if len(seeds):
                    figures.dots(axis, [row], [seeds], colour, offset if len(own) > 1 else 0.0, spread=0.09)
            if place == "ring":
                handles[title] = plt.Line2D([], [], ls="", marker="o", ms=3, color=colour)
        known = untrained(part, metric, place)
        lines = figures.references(axis, {n: v if v > 0 else math.nan for n, v in known.items()})
        handles |= {SAMPLERS[name]: line for name, line in lines.items()}
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.set_yticks(range(len(names)), [part.divergences[name]["label"] for name in names])
        axis.grid(axis="y", lw=0.3, color="#e5e5e5")
    figure.supxlabel("pairs, relative to real data", fontsize=8)
    figure.legend(list(handles.values()), list(handles), loc="outside upper center", ncols=3)
    return figure


def figure_modes(part):
    total = part.design["settings"]["measure"]["ring"]["modes"]
    figure, axes = plt.subplots(1, 3, figsize=(figures.WIDTH, 2.5))
    counts = np.linspace(0.6, total, 100)
    axes[0].plot(counts, total / counts, color=figures.GREY, lw=0.8)
    axes[1].plot([0, total], [0, total], color=figures.GREY, lw=0.8)
    handles = {}
    for (arm, objective), (title, colour) in groups(part, "ring").items():
        own = {name: values(part, name, arm, objective) for name in (
            "modes", "effective modes", "preimages", "relative collisions [same mode]",
            "relative collisions [same point]")}  # fmt: skip
        modes = own["modes"] + np.linspace(-0.25, 0.25, len(own["modes"]))
        pairs = (modes, own["relative collisions [same mode]"]), (modes, own["effective modes"])
        pairs += ((own["relative collisions [same point]"], own["preimages"]),)
        for axis, (x, y) in zip(axes, pairs, strict=True):
            x, y = (np.where(np.isfinite(v) & ((v > 0) | (v is modes)), v, np.nan) for v in (x, y))
            (handles[title],) = axis.plot(x, y, "o", ms=3, mew=0, alpha=0.7, color=colour)
    axes[0].set(yscale="log", xlabel="modes covered", ylabel="pairs in the same mode")
    axes[1].set(xlabel="modes covered", ylabel="modes that pairs count", ylim=(0, 1.15 * total))
    axes[2].set(xscale="log", xlabel="pairs at the same point", ylabel="preimages")
    for axis in axes[:2]:
        axis.set_xlim(-0.5, total + 0.5)
    axes[2].xaxis.set_minor_formatter(NullFormatter())
    axes[2].set_ylim(bottom=0)
    figure.legend(list(handles.values()), list(handles), loc="outside upper center", ncols=len(handles))
    return figure


def figure_pairs(part):
    rows = {
        part.divergences[name]["label"]: part.samples[f"pairs/digits/{name}/saddle/0"]
        for name in chosen(part, "digits")
    } | {"real images": part.samples["pairs/data"]}  # fmt: skip
    figure, axes = plt.subplots(len(rows), 1, figsize=(figures.WIDTH, 0.52 * len(rows)))
    figure.get_layout_engine().set(rect=(0.1, 0, 0.9, 1))  # the labels stand beside the axes
    for axis, (label, images) in zip(axes, rows.items(), strict=True):
        side = math.isqrt(images.shape[1])
        images = images.astype(float).reshape(-1, 2, side, side)
        pairs = np.concatenate(list(images.transpose(1, 0, 2, 3)), axis=2)  # the two of a pair side by side
        strip = np.concatenate(list(np.pad(pairs, ((0, 0), (0, 0), (0, side // 2)))), axis=1)
        axis.imshow(strip[:, : -(side // 2)], cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
        axis.annotate(label, (-0.01, 0.5), xycoords="axes fraction", ha="right", va="center", fontsize=7)
        axis.set_axis_off()
    return figure


def measures(part, place, columns):
    """Medians over seeds of some metrics by arm, objective and divergence, and means of samplers without training."""
    rows, cuts = [], []
    for (arm, objective), (title, _) in groups(part, place).items():
        for name in part.arms[arm]["divergences"]:
            row = {"Trained on": part.divergences[name]["label"]} | ({"arm": title} if place == "ring" else {})
            rows.append(row | {
                head: number(float(np.median(values(part, metric, arm, objective, name))))
                for metric, head in columns.items()
            })  # fmt: skip
        cuts.append(len(rows) - 1)
    for sampler, label in SAMPLERS.items():
        row = {"Trained on": label} | ({"arm": "none"} if place == "ring" else {})
        found = {head: untrained(part, metric, place).get(sampler) for metric, head in columns.items()}
        rows.append(row | {head: "" if value is None else number(float(value)) for head, value in found.items()})
    frame = pd.DataFrame(rows)
    frame.attrs["rules_after"] = tuple(cuts)
    return frame


def table_ring(part):
    return measures(part, "ring", RING)


def table_digits(part):
    return measures(part, "digits", DIGITS)


def table_correlation(part):
    lost = {"ring": "modes", "digits": "mode divergence"}
    heads = {"birthday [same point]": "birthday s, same point", "alone": "alone", "local rank": "local rank"} | {
        f"{kind} [{at}]": f"{kind}, {at}"
        for kind in ("relative collisions", "far collisions") for at in ("same mode", "same point")
    }  # fmt: skip
    rows = []
    for metric in (*heads, "rank correlation", "log condition", "log volume", "effective modes", "preimages"):
        row = {"Measure": heads.get(metric, RING.get(metric, metric))}
        for place, against in lost.items():
            for (arm, objective), (title, _) in groups(part, place).items():
                known = values(part, against, arm, objective)
                found = (
                    values(part, metric, arm, objective)
                    if len(part.final(metric, arm))
                    else np.full(len(known), np.nan)
                )
                both = np.isfinite(known) & ~np.isnan(found) & (values(part, "failed", arm, objective) == 0)
                pair = pd.DataFrame({"a": known[both], "b": found[both]}).rank()
                varies = len(pair) > 2 and pair.a.nunique() > 1 and pair.b.nunique() > 1
                runs = int((values(part, "failed", arm, objective) == 0).sum())
                row[f"{title} ({runs} runs)"] = number(float(pair.a.corr(pair.b)), 2) if varies else "--"
        rows.append(row)
    return pd.DataFrame(rows)
