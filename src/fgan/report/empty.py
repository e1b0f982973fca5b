"""What a figure says where nothing is drawn, and of runs that failed."""

import textwrap

import numpy as np
from matplotlib.collections import PathCollection

from fgan.report.figures import GREY

LINE, PER_LINE = 0.14, 105  # inches, and letters, of a line of a note
LABEL = 0.18  # inches of the label of all panels


def explained(figure, note="", words="no run has a value"):
    """Writes `words` into every panel of a figure in which nothing is drawn, and a note below all panels."""
    shown = [axis for axis in figure.axes if axis.axison or axis.get_title() or axis.images]
    empty = {axis for axis in shown if not drawn(axis)}
    for axis in empty:
        axis.text(0.5, 0.5, words, transform=axis.transAxes, ha="center", va="center", color=GREY, fontsize=7)
        for shared, scale, setting in (
            (axis.get_shared_x_axes(), axis.get_xscale(), axis.set_xscale),
            (axis.get_shared_y_axes(), axis.get_yscale(), axis.set_yscale),
        ):
            if scale == "log" and {*shared.get_siblings(axis)} <= empty:
                setting("linear")  # a logarithmic one has no limits without data
    if note and shown:
        below(figure, textwrap.wrap(note, PER_LINE))


def below(figure, lines):
    """Writes lines below all panels of a figure, which grows by them."""
    (width, height), label = figure.get_size_inches(), figure.get_supxlabel()
    room = 0.05 + LINE * len(lines)
    height += room
    figure.set_size_inches(width, height)
    taken = (room + (LABEL if label else 0)) / height
    if engine := figure.get_layout_engine():
        engine.set(rect=(0, taken, 1, 1 - taken))
    if label:  # at a given place the layout keeps no room for it
        figure.supxlabel(label, y=room / height)
    figure.text(0.5, room / height / 2, "\n".join(lines), ha="center", va="center", fontsize=7, color=GREY)


def drawn(axis):
    """Whether an axis shows data or words: lines and areas of reference, which span it, are neither."""
    if axis.images:  # a strip has gaps between its images
        return any(np.isfinite(known(image.get_array())).mean() > 0.5 for image in axis.images)
    lines = [line for line in axis.lines if line.get_transform() == axis.transData]
    places = [np.unique(finite(line.get_xydata()), axis=0) for line in lines]
    # A single point without a marker does not show.
    there = [len(place) > (line.get_marker() in ("None", "", " ")) for line, place in zip(lines, places, strict=True)]
    for collection in axis.collections:
        dots = isinstance(collection, PathCollection)
        there += [len(finite(p)) for p in ([collection.get_offsets()] if dots else vertices(collection.get_paths()))]
    patches = [patch for patch in axis.patches if patch.get_data_transform() == axis.transData]
    there += [min(patch.get_extents().size) > 0 for patch in patches]  # of an undefined width the size is 0
    return bool(axis.texts) or any(there)


def vertices(paths):
    """The corners of some paths."""
    return [path.vertices for path in paths]


def known(values):
    """Values as an array with NaN where they are masked."""
    return np.ma.filled(np.ma.asarray(values, float), np.nan)


def finite(places):
    """The places [n, 2] of which both coordinates are finite."""
    places = known(places)
    return places[np.isfinite(places).all(axis=-1)]
