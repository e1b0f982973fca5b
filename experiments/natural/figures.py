"""The figure and the table of the natural images, from their part of a record."""

import itertools
import math

import numpy as np

from fgan.report import figures
from fgan.report.printed import number, over_seeds
from fgan.report.tables import framed

ARM = "main"
HEADINGS = {"pixels": "on pixels", "coarse": "on 8x8 averages"}


def strip(images):
    """Colour images [n, 3 h w] in [-1, 1] side by side in one array [h, .., 3] in [0, 1], with a thin white gap."""
    side = math.isqrt(images.shape[1] // 3)
    pixels = np.nan_to_num(images.astype(float)).clip(-1, 1) / 2 + 0.5
    return figures.strip(pixels, (3, side, side), gap=side // 16, low=1.0)


def figure_samples(part):
    kinds = itertools.product(part.arms[ARM]["objectives"], part.labels.items())
    rows = {f"{label}, {objective}": f"samples/{ARM}/{name}/{objective}/0" for objective, (name, label) in kinds}
    rows["real images"] = "real"
    figure, axes = figures.panels(len(rows), 0.43, columns=1, top=0)
    for axis, (label, name) in zip(axes, rows.items(), strict=True):
        figures.sheet(axis, strip(part.samples[name]), label)
    return figure


def table_distances(part):
    rows, names = [], part.divergences
    for objective, (name, info) in itertools.product(part.arms[ARM]["objectives"], names.items()):
        descends = f"{objective} ({info['effective']})" if objective == "alternative" else objective
        texts = [over_seeds(part.values("distance", ARM, name, objective, view)) for view in HEADINGS]
        rows.append([info["label"], descends, *texts])
    cuts = range(len(names) - 1, len(rows), len(names))
    for sampler in part.samplers("distance", "pixels"):
        rows.append([sampler, "", *(number(part.baseline("distance", sampler, rule=view)) for view in HEADINGS)])
    return framed(rows, cuts, columns=["Divergence", "Objective", *HEADINGS.values()])
