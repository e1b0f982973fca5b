"""Figures and tables of the kernel density's worth, from its part of a record and the published tables."""

import math
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.offsetbox import AnnotationBbox, OffsetImage

from fgan import figures
from fgan.tables import number

READINGS = {"held out": "o", "own samples": "D"}
BEST = "best log-likelihood"
CURVE = "log-likelihood at "
REAL, MADE = figures.OBJECTIVES.values()  # what is drawn from real images, and what is computed from them
CURVES = {
    "neighbour averages (more)": "#c2439b",
    "centroids (many)": MADE,
    "training images (all)": REAL,
    "training images (many)": "#76b5d0",
    "mean image": "#7a5aa6",
    "black images": "#222222",
    "one image": "#b23a48",
    "uniform noise": "#8f8f8f",
    "opposite": "#5c8a3a",
}
PER_PIXEL = "per pixel, floor "
SEEN = "test images"  # the sampler that knows what it is judged on


def values(part, metric):
    """{sampler: value}."""
    return dict(part.baselines(metric)[["divergence", "value"]].itertuples(index=False))


def label(part, sampler):
    """A sampler's name, with the number of its images instead of the word for it."""
    kind, _, size = sampler.partition(" (")
    kind = kind.replace("centroids", "k-means centroids")
    if size:
        return f"{int(values(part, 'samples')[sampler]):,} {kind}"
    words = {SEEN: "test images themselves", "opposite": "opposite of the mean"}
    return words.get(sampler, sampler)


def curve(part, sampler):
    """Bandwidths and mean log-likelihoods of one sampler."""
    rows = part.measurements
    rows = rows[(rows.divergence == sampler) & rows.metric.str.startswith(CURVE)]
    return rows.metric.str.removeprefix(CURVE).astype(float).to_numpy(), rows.value.to_numpy()


def table4(part):
    """{row: nats} of f-GAN's Table 4, high to low; empty where the images are not those of the table."""
    if part.design["settings"]["target"]["kind"] != "mnist":
        return {}
    frame = pd.read_csv(Path("paper", "published", "fgan_table4_mnist_kde.csv"))
    found = zip(frame.training_divergence.map(short), frame.kde_mean_LL_nats.astype(float), strict=True)
    return dict(sorted(found, key=lambda row: -row[1]))


def short(row):
    words = {"Kullback-Leibler": "KL", "Jensen-Shannon": "JS", "chi2": "χ²", "Variational Autoencoder [18]": "VAE"}
    for long, brief in (words | {"KDE MNIST train (60k)": "60,000 training images"}).items():
        row = row.replace(long, brief)
    return row


def apart(positions, least):
    """Falling positions moved as little as one pass needs, so that neighbours are `least` apart."""
    moved = []
    for position in positions:
        moved.append(min(position, moved[-1] - least) if moved else position)
    return moved


def limits(part):
    """Range of scores that is shown: every sampler's best under the held-out reading, and the published rows near."""
    scores = [value for name, value in values(part, BEST).items() if name in CURVES]
    low, high = min(scores), max([*scores, *table4(part).values()])
    return low - 0.12 * (high - low), high + 0.06 * (high - low)


def figure_sweep(part):
    figure, axis = plt.subplots(figsize=(figures.WIDTH, 3.7))
    low, high = limits(part)
    for sampler, colour in CURVES.items():
        bandwidths, means = curve(part, sampler)
        axis.plot(bandwidths, means, lw=1.3, color=colour, label=label(part, sampler))
        for reading, marker in READINGS.items():
            score = values(part, f"log-likelihood [{reading}]")[sampler]
            h = values(part, f"bandwidth [{reading}]")[sampler]
            face = "white" if marker == "o" else colour
            if score >= low:
                size, order = (5.5, 4) if marker == "o" else (3, 5)
                axis.plot(h, score, marker, ms=size, mfc=face, mec=colour, mew=1.1, zorder=order)
    own, chosen = values(part, "log-likelihood [own samples]"), values(part, "bandwidth [own samples]")
    fallen = sorted((sampler for sampler in CURVES if own[sampler] < low), key=own.get)
    for h in {chosen[sampler] for sampler in fallen}:
        unit = 0.045 * (high - low)
        axis.annotate("", (h, low), (h, low + 3 * unit), arrowprops={"arrowstyle": "-|>", "lw": 0.8, "color": "k"})
        axis.plot(h, low + 3 * unit, "D", ms=3, color="k")
        for place, sampler in enumerate(name for name in fallen if chosen[name] == h):
            at = (h * 0.95, low + (4 + place) * unit)
            text = f"{rough(own[sampler])} {sampler}"
            axis.annotate(text, at, va="center", fontsize=6.5, color=CURVES[sampler])
    rows = {name: value for name, value in table4(part).items() if low <= value <= high}
    heights = apart(rows.values(), 0.037 * (high - low))
    for (name, value), height in zip(rows.items(), heights, strict=True):
        axis.axhline(value, lw=0.4, color="#c8c8c8", zorder=0)
        across = axis.get_yaxis_transform()
        axis.plot([1, 1.02, 1.04], [value, value, height], lw=0.6, color=figures.GREY, transform=across, clip_on=False)
        text = f"{value:.0f}  {name}".replace("-", "−", value < 0)
        axis.annotate(text, (1.05, height), xycoords=across, va="center", fontsize=6.5)
    if beyond := [f"{value:.0f}  {name}".replace("-", "−", 1) for name, value in table4(part).items() if value < low]:
        axis.annotate("↓ " + ", ".join(beyond), (1.01, 0.01), xycoords="axes fraction", va="bottom", fontsize=6.5)
    axis.set(xscale="log", ylim=(low, high), xlabel="bandwidth h", ylabel="mean log-likelihood, nats per test image")
    axis.set_xlim(0.0085, 1.02)
    ticks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1]
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.minorticks_off()
    handles, names = axis.get_legend_handles_labels()
    for reading, marker in READINGS.items():
        face = "white" if marker == "o" else "k"
        handles.append(plt.Line2D([], [], ls="", marker=marker, ms=4, mfc=face, mec="k"))
        names.append(f"chosen: {reading}")
    figure.legend(handles, names, loc="outside upper center", ncols=4, handlelength=1.4, columnspacing=1.2)
    return figure


def figure_scores(part):
    held = values(part, "log-likelihood [held out]")
    names = [name for name in sorted(held, key=held.get) if not name.startswith(PER_PIXEL)]
    figure, (axis, floors) = plt.subplots(
        1, 2, figsize=(figures.WIDTH, 0.22 * len(names) + 0.9), gridspec_kw={"width_ratios": (2.1, 1)}
    )
    low, high = held[names[0]], max(held[names[-1]], *table4(part).values(), 0)
    low, high = low - 0.38 * (high - low), high + 0.05 * (high - low)  # room for what lies below the axis
    for place, name in enumerate(names):
        thumbnail(axis, place, part.samples[name][0].astype(float))
        if (best := values(part, BEST)[name]) <= high:
            axis.plot(best, place, "|", ms=9, mew=1.2, color="k", zorder=1)
        colour = (
            REAL if name.startswith("training") else MADE if name.startswith(("centroids", "neighbour")) else "#6b6b6b"
        )
        for reading, marker in READINGS.items():
            score = values(part, f"log-likelihood [{reading}]")[name]
            face = "white" if marker == "o" else colour
            if score >= low:
                axis.plot(score, place, marker, ms=5.5 if marker == "o" else 3, mfc=face, mec=colour, mew=1.1, zorder=3)
            else:
                text = f"◂ {rough(score)}"
                axis.annotate(text, (low, place), (3, -0.5), textcoords="offset points", va="center", fontsize=6.5)
    mark(axis, {value: f"{value:.0f}".replace("-", "−") for value in table4(part).values() if low <= value})
    axis.set_yticks(range(len(names)), [label(part, name) for name in names])
    axis.tick_params(axis="y", pad=19, length=0)
    axis.set(xlim=(low, high), ylim=(-0.6, len(names) - 0.4), xlabel="nats per test image, one bandwidth")
    axis.grid(axis="y", lw=0.3, color="#ececec")
    axis.set_axisbelow(True)
    axis.locator_params(axis="x", nbins=6)
    found = {float(name.removeprefix(PER_PIXEL)): name for name in held if name.startswith(PER_PIXEL)}
    for reading, marker in READINGS.items():
        scores = [values(part, f"log-likelihood [{reading}]")[found[floor]] for floor in sorted(found)]
        face = {"mfc": "white" if marker == "o" else REAL, "ms": 5.5 if marker == "o" else 3, "mew": 1.1}
        line = "-" if marker == "o" else ""
        floors.plot(scores, sorted(found), ls=line, marker=marker, lw=0.8, color=REAL, zorder=2 + (line == ""), **face)
    floors.axvline(held["training images (many)"], lw=0.8, ls="--", color=REAL, zorder=0)
    ends = {max(table4(part).values()), min(v for v in table4(part).values() if v > 0)} if table4(part) else set()
    mark(floors, {v: f"{v:.0f}" if v in ends else "" for v in table4(part).values() if v > 0})
    floors.set(yscale="log", xlabel="nats per test image,\nbandwidth per pixel", ylabel="floor under a pixel's sd")
    floors.set_yticks(sorted(found), [f"{floor:g}" for floor in sorted(found)])
    floors.minorticks_off()
    floors.margins(x=0.08)
    key = {"bandwidth from held-out images": ("o", 5.5, "white"), "from the samples themselves": ("D", 3, "k")}
    handles = [plt.Line2D([], [], ls="", marker=m, ms=s, mfc=f, mec="k") for m, s, f in key.values()]
    handles.append(plt.Line2D([], [], ls="", marker="|", ms=9, mew=1.2, color="k"))
    figure.legend(handles, [*key, "best for the test images"], loc="outside upper center", ncols=3)
    return figure


def thumbnail(axis, place, image):
    """One image [d] between a row of an axis and its label."""
    side = math.isqrt(len(image))
    picture = OffsetImage(image.reshape(side, side).clip(0, 1), cmap="gray", zoom=11 / side)
    picture.get_children()[0].set(clim=(0, 1))
    across, frame = axis.get_yaxis_transform(), {"lw": 0.3, "ec": "#b0b0b0"}
    axis.add_artist(AnnotationBbox(picture, (0, place), (-11, 0), across, "offset points", pad=0.08, bboxprops=frame))


def mark(axis, rows):
    """Thin lines at published values {nats: text}, with the text above the axis where it does not touch the last."""
    last = -math.inf
    span = axis.get_xlim()[1] - axis.get_xlim()[0]
    for value, text in sorted(rows.items()):
        axis.axvline(value, lw=0.5, color="#bdbdbd", zorder=0)
        if text and value - last > 0.1 * span:
            at = (value, 1.0)
            axis.annotate(
                text, at, (0, 1), axis.get_xaxis_transform(), "offset points", ha="center", va="bottom", fontsize=6,
                color="#6b6b6b", annotation_clip=False,
            )  # fmt: skip
            last = value


def rough(value):
    """A large value to two digits: its size is that of the grid's smallest bandwidth."""
    return f"{float(f'{value:.1e}'):,.0f}".replace("-", "−")


def table_samplers(part):
    held = values(part, "log-likelihood [held out]")
    rows = []
    for name in sorted(held, key=held.get, reverse=True):
        row = {"Sampler": label(part, name), "samples": f"{int(values(part, 'samples')[name]):,}"}
        for reading in READINGS:
            row[reading] = number(values(part, f"log-likelihood [{reading}]")[name])
            # Rounding alone where every test image lies on its own kernel.
            row[f"{reading}: SE"] = number(round(values(part, f"standard error [{reading}]")[name], 3), 2)
            row[f"{reading}: bandwidth"] = number(values(part, f"bandwidth [{reading}]")[name], 2)
        row["best"] = number(values(part, BEST)[name])
        rows.append(row | {"best: bandwidth": number(values(part, "best bandwidth")[name], 2)})
    return pd.DataFrame(rows)


def table_rows(part):
    rows = []
    for source, name, nats, known in published():
        row = {"Row": name, "source": source, "known": known, "nats": number(nats)}
        if table4(part):
            row |= {reading: reach(part, nats, reading) for reading in READINGS} | neighbours(part, nats)
            row["floor that gives it"] = number(floor(part, nats), 2)
        else:
            row |= dict.fromkeys((*READINGS, "next below", "next above", "floor that gives it"), "--")
        rows.append(row)
    frame = pd.DataFrame(rows)
    frame.attrs["rules_after"] = tuple(np.flatnonzero(frame.source[1:].to_numpy() != frame.source[:-1].to_numpy()))
    return frame


def published():
    """Rows (source, name, nats, known) of f-GAN's Table 4, of GAN 2014 and of Theis et al., each high to low."""
    ours = pd.read_csv(Path("paper", "published", "fgan_table4_mnist_kde.csv"))
    ours = ours.rename(columns={"training_divergence": "model", "kde_mean_LL_nats": "MNIST_nats"})
    other = pd.read_csv(Path("paper", "published", "parzen_reference.csv"))
    other["paper"] = other.paper.str.replace(" Table 1", "")
    frames = [ours.assign(paper="f-GAN"), *(frame for _, frame in other.groupby("paper", sort=False))]
    frame = pd.concat([frame.sort_values("MNIST_nats", ascending=False) for frame in frames])
    frame["model"] = frame.model.map(short).str.replace("χ²", r"$\chi^2$")
    return frame[["paper", "model", "MNIST_nats", "known"]].itertuples(index=False)


def honest(part, reading):
    """{sampler: score} of those that neither see the test images nor have a bandwidth per pixel."""
    scores = values(part, f"log-likelihood [{reading}]")
    return {name: score for name, score in scores.items() if name != SEEN and not name.startswith(PER_PIXEL)}


def reach(part, nats, reading):
    """Whether the samplers enclose a score under one reading, and on which side it lies where they do not."""
    scores = honest(part, reading).values()
    if nats > max(scores):
        return "above all"
    if reading == "held out" and nats < values(part, "least log-likelihood [held out]")["any in the unit cube"]:
        return "impossible"
    return "below all" if nats < min(scores) else "enclosed"


def neighbours(part, nats):
    """The samplers whose scores under the held-out reading are next to a score."""
    scores = honest(part, "held out")
    below, above = {n: s for n, s in scores.items() if s <= nats}, {n: s for n, s in scores.items() if s > nats}
    return {
        "next below": label(part, max(below, key=below.get)) if below else "--",
        "next above": label(part, min(above, key=above.get)) if above else "--",
    }


def floor(part, nats):
    """The floor at which a bandwidth per pixel gives a score (held-out reading), between floors in the logarithm."""
    scores = values(part, "log-likelihood [held out]")
    found = {float(name.removeprefix(PER_PIXEL)): s for name, s in scores.items() if name.startswith(PER_PIXEL)}
    floors, scores = zip(*sorted(found.items(), key=lambda item: item[1]), strict=True)
    return math.exp(np.interp(nats, scores, np.log(floors), left=math.nan, right=math.nan))
