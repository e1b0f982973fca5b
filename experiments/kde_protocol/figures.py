"""Figures and tables of the kernel-density protocol, from its part of a record and the published tables."""

import itertools
import math
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.offsetbox import AnnotationBbox, OffsetImage

from fgan.report import figures
from fgan.report.printed import number

READINGS = {"held out": {"marker": "o", "ms": 5.5, "zorder": 4}, "own samples": {"marker": "D", "ms": 3, "zorder": 5}}
REAL, MADE = figures.OBJECTIVES.values()  # samplers that draw real images, and samplers that compute from them
# The samplers of the sweep with their colours.
CURVES = {
    "neighbour averages (more)": "#c2439b", "centroids (many)": MADE, "training images (all)": REAL,
    "training images (many)": "#76b5d0", "mean image": "#7a5aa6", "black images": "#222222", "one image": "#b23a48",
    "uniform noise": "#8f8f8f", "opposite": "#5c8a3a",
}  # fmt: skip
# The kind of a sampler's images, written after their number, and its colour in the figure of scores.
COUNTED = {f"training images ({size})": ("training images", REAL) for size in ("few", "many", "more", "all")}
COUNTED |= {f"centroids ({size})": ("k-means centroids", MADE) for size in ("few", "many")}
COUNTED["neighbour averages (more)"] = ("neighbour averages", MADE)
SEEN = "test images"  # the sampler that returns the images it is judged on
WORDS = {SEEN: "test images themselves", "opposite": "opposite of the mean"}
# Patterns in the names of published rows, and their brief names.
BRIEF = {
    "Kullback-Leibler": "KL", "Jensen-Shannon": "JS", "chi2": "χ²", "Variational Autoencoder.*": "VAE",
    "KDE MNIST train.*": "60,000 training images",
}  # fmt: skip


def scores(part, reading):
    """{sampler: log-likelihood} under one reading of the bandwidth."""
    return part.samplers("log-likelihood", reading)


def floors(part):
    """{sampler: floor} of the samplers with a bandwidth per pixel, rising."""
    return {f"per pixel, floor {floor:g}": floor for floor in sorted(part.measure["floors"])}


def label(part, sampler):
    """A sampler's name, with the number of its images instead of the word for it."""
    if sampler in COUNTED:
        return f"{part.baseline('samples', sampler):,.0f} {COUNTED[sampler][0]}"
    return WORDS.get(sampler, sampler)


def published():
    """Rows (source, name, nats, known) of f-GAN's Table 4, of GAN 2014 and of Theis et al., each high to low."""
    ours = pd.read_csv(Path("paper", "published", "fgan_table4_mnist_kde.csv")).assign(paper="f-GAN")
    ours = ours.rename(columns={"training_divergence": "model", "kde_mean_LL_nats": "MNIST_nats"})
    other = pd.read_csv(Path("paper", "published", "parzen_reference.csv")).replace(" Table 1", "", regex=True)
    frames = [ours, *(frame for _, frame in other.groupby("paper", sort=False))]
    frame = pd.concat([frame.sort_values("MNIST_nats", ascending=False) for frame in frames])
    frame["model"] = frame.model.replace(BRIEF, regex=True)
    return list(frame[["paper", "model", "MNIST_nats", "known"]].itertuples(index=False))


def table4(part):
    """{row: nats} of f-GAN's Table 4, high to low; empty if the images are not those of the table."""
    own = part.design["settings"]["target"]["kind"] == "mnist"
    return {name: nats for source, name, nats, _ in published() if own and source == "f-GAN"}


def rounded(value, digits):
    """A value to `digits` significant digits as text, with a typographic minus sign."""
    return f"{float(f'{value:.{digits - 1}e}'):,.0f}".replace("-", "−")


def apart(positions, least):
    """Falling positions, moved in one pass so that neighbours are at least `least` apart."""
    return list(itertools.accumulate(positions, lambda last, position: min(position, last - least)))


def marker(reading, colour="k"):
    """An open circle for the reading on held-out images, a smaller full diamond for the one on the samples."""
    face = "white" if reading == "held out" else colour
    return READINGS[reading] | {"ls": "", "mfc": face, "mec": colour, "mew": 1.1}


def figure_sweep(part):
    figure, axis = plt.subplots(figsize=(figures.WIDTH, 3.7))
    best = [scores(part, "best")[sampler] for sampler in CURVES]
    low, high = min(best), max([*best, *table4(part).values()])
    low, high = low - 0.12 * (high - low), high + 0.06 * (high - low)
    handles = {}
    for sampler, colour in CURVES.items():
        curve = axis.plot(part.measure["bandwidths"], part.samples[f"curve/{sampler}"], lw=1.3, color=colour)
        handles[label(part, sampler)] = curve[0]
        for reading in READINGS:
            bandwidth, score = (part.baseline(m, sampler, rule=reading) for m in ("bandwidth", "log-likelihood"))
            if score >= low:
                axis.plot(bandwidth, score, **marker(reading, colour))
    point_below(axis, part, low, high)
    name_rows(axis, part, low, high)
    axis.set(xscale="log", xlabel="bandwidth h", ylabel="mean log-likelihood, nats per test image", ylim=(low, high))
    axis.set_xticks([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1], ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1"])
    axis.set_xlim(0.0085, 1.02)
    axis.minorticks_off()
    handles |= {f"chosen: {reading}": figures.line(**marker(reading)) for reading in READINGS}
    figures.legend(figure, handles, ncols=4)
    return figure


def point_below(axis, part, low, high):
    """Arrows to scores below the axis under the reading on the samples, one for each bandwidth that it chooses."""
    own, fallen, unit = scores(part, "own samples"), {}, 0.045 * (high - low)
    for sampler in sorted((name for name in CURVES if own[name] < low), key=own.get):
        fallen.setdefault(part.baseline("bandwidth", sampler, rule="own samples"), []).append(sampler)
    for h, samplers in fallen.items():
        axis.annotate("", (h, low), (h, low + 3 * unit), arrowprops={"arrowstyle": "-|>", "lw": 0.8, "color": "k"})
        axis.plot(h, low + 3 * unit, **marker("own samples"))
        for place, sampler in enumerate(samplers, 4):
            text, at = f"{rounded(own[sampler], 2)} {sampler}", (h * 0.95, low + place * unit)
            axis.annotate(text, at, va="center", fontsize=7, color=CURVES[sampler])


def name_rows(axis, part, low, high):
    """Names the published rows on the right of an axis, those below it in one line at its lower edge."""
    texts = {f"{rounded(nats, 4)}  {name}": nats for name, nats in table4(part).items()}
    shown = {text: nats for text, nats in texts.items() if low <= nats <= high}
    style, across = {"va": "center", "fontsize": 6.5}, axis.get_yaxis_transform()
    for (text, nats), height in zip(shown.items(), apart(shown.values(), 0.037 * (high - low)), strict=True):
        axis.axhline(nats, lw=0.4, color="#c8c8c8", zorder=0)
        axis.plot([1, 1.02, 1.04], [nats, nats, height], lw=0.6, color=figures.GREY, transform=across, clip_on=False)
        axis.annotate(text, (1.05, height), xycoords=across, **style)
    if beyond := [text for text, nats in texts.items() if nats < low]:
        axis.annotate("↓ " + ", ".join(beyond), (1.01, 0.02), xycoords="axes fraction", **style)


def figure_scores(part):
    held, paper = scores(part, "held out"), table4(part)
    names = [name for name in sorted(held, key=held.get) if name not in floors(part)]
    size, ratios = (figures.WIDTH, 0.22 * len(names) + 0.9), {"width_ratios": (2.1, 1)}
    figure, (axis, right) = plt.subplots(1, 2, figsize=size, gridspec_kw=ratios)
    low, high = held[names[0]], max(held[names[-1]], *paper.values(), 0)
    low, high = low - 0.38 * (high - low), high + 0.05 * (high - low)  # room for values below the axis
    beside = {"xytext": (3, -0.5), "textcoords": "offset points", "va": "center", "fontsize": 6.5}
    for place, name in enumerate(names):
        thumbnail(axis, place, part.samples[name][0].astype(float))
        if (best := scores(part, "best")[name]) <= high:
            axis.plot(best, place, "|", ms=9, mew=1.2, color="k", zorder=1)
        for reading in READINGS:
            score = scores(part, reading)[name]
            if score >= low:
                axis.plot(score, place, **marker(reading, COUNTED.get(name, ("", "#6b6b6b"))[1]))
            else:
                axis.annotate(f"◂ {rounded(score, 2)}", (low, place), **beside)
    mark(axis, {nats: rounded(nats, 4) for nats in paper.values() if low <= nats})
    figures.row_labels(axis, [label(part, name) for name in names])
    axis.tick_params(axis="y", pad=19, length=0)
    axis.set(xlim=(low, high), xlabel="nats per test image, one bandwidth")
    axis.set_axisbelow(True)
    axis.locator_params(axis="x", nbins=6)
    draw_floors(right, part)
    sources = zip(("bandwidth from held-out images", "from the samples themselves"), READINGS, strict=True)
    handles = {source: figures.line(**marker(reading)) for source, reading in sources}
    figures.legend(figure, handles | {"best for the test images": figures.dot("k", marker="|", ms=9, mew=1.2)})
    return figure


def draw_floors(axis, part):
    """The score of a bandwidth per pixel at every floor, beside that of one bandwidth for all pixels."""
    for reading, style in zip(READINGS, ("-", ""), strict=True):
        values = [scores(part, reading)[sampler] for sampler in floors(part)]
        axis.plot(values, floors(part).values(), **marker(reading, REAL) | {"ls": style, "lw": 0.8, "color": REAL})
    axis.axvline(scores(part, "held out")["training images (many)"], lw=0.8, ls="--", color=REAL, zorder=0)
    positive = [nats for nats in table4(part).values() if nats > 0]
    mark(axis, {nats: rounded(nats, 4) if nats in (positive[0], positive[-1]) else "" for nats in positive})
    axis.set(yscale="log", xlabel="nats per test image,\nbandwidth per pixel", ylabel="floor under a pixel's sd")
    axis.set_yticks(list(floors(part).values()), [f"{floor:g}" for floor in floors(part).values()])
    axis.minorticks_off()
    axis.margins(x=0.08)


def thumbnail(axis, place, image):
    """One image [d] between a row of an axis and its label."""
    side = math.isqrt(len(image))
    picture = OffsetImage(image.reshape(side, side), cmap="gray", norm=plt.Normalize(0, 1, clip=True), zoom=11 / side)
    across, frame = axis.get_yaxis_transform(), {"lw": 0.3, "ec": "#b0b0b0"}
    axis.add_artist(AnnotationBbox(picture, (0, place), (-11, 0), across, "offset points", pad=0.08, bboxprops=frame))


def mark(axis, rows):
    """Thin lines at published values {nats: text}, with the text above the axis unless it touches the last one."""
    last, least = -math.inf, 0.1 * np.ptp(axis.get_xlim())
    style = {"ha": "center", "va": "bottom", "fontsize": 6, "color": "#6b6b6b", "annotation_clip": False}
    for nats, text in sorted(rows.items()):
        axis.axvline(nats, lw=0.5, color="#bdbdbd", zorder=0)
        if text and nats - last > least:
            axis.annotate(text, (nats, 1.0), (0, 1), axis.get_xaxis_transform(), "offset points", **style)
            last = nats


def table_samplers(part):
    held, rows = scores(part, "held out"), []
    for name in sorted(held, key=held.get, reverse=True):
        row = {"Sampler": label(part, name), "samples": f"{part.baseline('samples', name):,.0f}"}
        for reading in (*READINGS, "best"):
            row[reading] = number(scores(part, reading)[name])
            if reading != "best":
                # This is rounding alone if every test image lies on its own kernel.
                row[f"{reading}: SE"] = number(round(part.baseline("standard error", name, rule=reading), 3), 2)
            row[f"{reading}: bandwidth"] = number(part.baseline("bandwidth", name, rule=reading), 2)
        rows.append(row)
    return pd.DataFrame(rows)


def table_rows(part):
    rows = []
    for source, name, nats, known in published():
        row = {"Row": name.replace("χ²", r"$\chi^2$"), "source": source, "known": known, "nats": number(nats)}
        row |= {reading: reach(part, nats, reading) for reading in READINGS} | neighbours(part, nats)
        rows.append(row | {"floor that gives it": number(at, 2) if math.isfinite(at := floor(part, nats)) else "none"})
    frame = pd.DataFrame(rows)
    if not table4(part):
        frame.loc[:, "held out":] = "not at this scale"
    frame.attrs["ours"] = [*frame.loc[:, "held out":]]
    frame.attrs["rules_after"] = tuple(np.flatnonzero(frame.source != frame.source.shift(-1))[:-1])
    return frame


def honest(part, reading):
    """{sampler: score} of those that neither see the test images nor have a bandwidth per pixel."""
    left_out = {SEEN, *floors(part)}
    return {name: score for name, score in scores(part, reading).items() if name not in left_out}


def reach(part, nats, reading):
    """Whether the samplers enclose a score under one reading, and if not, on which side it lies."""
    values = honest(part, reading).values()
    if nats > max(values):
        return "above all"
    if reading == "held out" and nats < part.baseline("least log-likelihood", "any in the unit cube", rule=reading):
        return "impossible"
    return "below all" if nats < min(values) else "enclosed"


def neighbours(part, nats):
    """The samplers whose scores under the held-out reading are next to a score."""
    values = honest(part, "held out")
    names = ["none", *(label(part, name) for name in sorted(values, key=values.get)), "none"]
    below = sum(score <= nats for score in values.values())
    return {"next below": names[below], "next above": names[below + 1]}


def floor(part, nats):
    """The floor at which a bandwidth per pixel gives a score (held-out reading), between floors in the logarithm."""
    pairs = sorted((scores(part, "held out")[sampler], math.log(floor)) for sampler, floor in floors(part).items())
    return math.exp(np.interp(nats, *zip(*pairs, strict=True), left=math.nan, right=math.nan))
