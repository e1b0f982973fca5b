"""The figure and the table of the natural images, from their part of a record."""

import itertools
import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from fgan import figures
from fgan.tables import number, over_seeds

ARM = "main"
VIEWS = ("pixels", "coarse")
HEADINGS = {"pixels": "on pixels", "coarse": "on 8x8 averages"}


def strip(images):
    """Colour images [n, 3 h w] in [-1, 1] side by side in one array [h, .., 3] in [0, 1], with a thin white gap."""
    side = math.isqrt(images.shape[1] // 3)
    pixels = images.astype(float).reshape(-1, 3, side, side).transpose(0, 2, 3, 1)
    gap = ((0, 0), (0, 0), (0, side // 16), (0, 0))
    shown = np.pad(np.nan_to_num(pixels).clip(-1, 1) / 2 + 0.5, gap, constant_values=1)
    return np.concatenate(list(shown), axis=1)


def figure_samples(part):
    rows = {
        f"{info['label']}, {objective}": part.samples[f"samples/{ARM}/{name}/{objective}/0"]
        for objective in part.arms[ARM]["objectives"]
        for name, info in part.divergences.items()
    }
    rows |= {"real images": part.samples["real"]}
    figure, axes = plt.subplots(len(rows), 1, figsize=(figures.WIDTH, 0.43 * len(rows)))
    for axis, (label, images) in zip(axes, rows.items(), strict=True):
        axis.set_axis_off()
        axis.imshow(strip(images), interpolation="nearest")
        axis.annotate(label, (-0.01, 0.5), xycoords="axes fraction", ha="right", va="center", fontsize=7)
    return figure


def table_distances(part):
    rows, final = [], {view: part.final(f"distance [{view}]", ARM) for view in VIEWS}
    objectives = part.arms[ARM]["objectives"]
    for objective, (name, info) in itertools.product(objectives, part.divergences.items()):
        descends = f"{objective} ({info['effective']})" if objective == "alternative" else objective
        values = {v: f[(f.divergence == name) & (f.objective == objective)].value.to_numpy() for v, f in final.items()}
        row = {"Divergence": info["label"], "Objective": descends}
        rows.append(row | {HEADINGS[view]: over_seeds(found) for view, found in values.items()})
    frame = pd.DataFrame(rows)
    untrained = {view: part.baselines(f"distance [{view}]").set_index("divergence").value for view in VIEWS}
    for sampler in untrained["pixels"].index:
        row = {HEADINGS[view]: number(untrained[view][sampler]) for view in VIEWS}
        frame.loc[len(frame)] = {"Divergence": sampler, "Objective": ""} | row
    size = len(part.divergences)
    frame.attrs["rules_after"] = tuple(range(size - 1, len(rows), size))
    return frame
