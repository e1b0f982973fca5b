"""Traces what is shown to the rows that it was made from.

What a function of a part reads is recorded (`Traced`). Of what a table reads, the rows behind one cell are those whose
change changes the cell: groups of rows, of all seeds, are changed together and halved until each is found (`behind`).
"""

import contextlib
import time
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fgan.report.part import Part

GROUP = ["metric", "rule", "arm", "divergence", "objective"]
DRAWS = ["metric", "rule", "sampler", "divergence"]


class Arrays(dict):
    """The arrays of a part, which notes the names of those that are read."""

    def __init__(self, arrays, read):
        super().__init__(arrays)
        self.read = read

    def __getitem__(self, name):
        self.read.add(name)
        return super().__getitem__(name)

    def get(self, name, default=None):
        return self[name] if name in self else default

    def items(self):
        return [(name, self[name]) for name in self]

    def values(self):
        return [self[name] for name in self]


class Traced(Part):
    """A part that notes which of its measurements, draws and arrays are read."""

    @cached_property
    def read(self):
        """(indices of measurements, indices of draws of samplers, names of arrays)."""
        return set(), set(), set()

    @cached_property
    def samples(self):
        return Arrays(Part(self.folder).samples, self.read[2])

    def final(self, metric=None, arm=None, rule=""):
        rows = super().final(metric, arm, rule)
        self.read[0].update(rows.index)
        return rows

    def by_run(self, metric, arm, rule=""):
        self.read[0].update(super().final(metric, arm, rule).index)
        return super().by_run(metric, arm, rule)

    def values(self, metric, arm, divergence, objective="saddle", rule=""):
        self.read[0].update(self._places.get((metric, rule, arm, divergence, objective), ()))
        return super().by_run(metric, arm, rule).get((divergence, objective), np.array([]))

    @cached_property
    def _places(self):
        return self._values.groupby(GROUP, sort=False).groups

    def _path(self, *wanted):
        rows = super()._path(*wanted)
        self.read[0].update(rows.index)
        return rows

    def baselines(self, metric, rule="", sampler=None, divergence=None):
        rows = super().baselines(metric, rule, sampler, divergence)
        self.read[1].update(rows.index)
        return rows


@dataclass(frozen=True)
class Group:
    """Rows that are changed together: of measurements or draws (their indices), or one array (its name)."""

    kind: str  # measurements, untrained or samples
    name: tuple
    rows: tuple = ()


def groups(part):
    """What a traced part has read, as groups of one metric, arm, divergence and objective, history and end apart."""
    read, draws, arrays = part.read
    rows = part.measurements.loc[sorted(read)]
    last = rows.index.isin(part._values.index)
    found = [
        Group("measurements", (*name, end), tuple(own.index))
        for (*name, end), own in rows.groupby([*GROUP, np.where(last, "last step", "history")], sort=True)
    ]
    own = part.untrained.loc[sorted(draws)].groupby(DRAWS, sort=True)
    found += [Group("untrained", name, tuple(rows.index)) for name, rows in own]
    return found + [Group("samples", (name,)) for name in sorted(arrays)]


def opposite(values):
    """Every value on the other side of 0 and further out; undefined ones become 1."""
    values = np.nan_to_num(np.asarray(values, float), nan=0.0, posinf=1e3, neginf=-1e3)
    return np.where(values > 0, -10 * values - 1, -10 * values + 1)


def large(values):
    """Every value far up, by an amount that keeps values apart; undefined ones as well."""
    values = np.nan_to_num(np.asarray(values, float), nan=0.0, posinf=1e3, neginf=-1e3)
    return 1e3 + 7 * np.abs(values)


def changed(part, groups, change):
    """A copy of a part whose rows of some groups are changed."""
    copy = Part(part.folder)
    held = {"design": part.design, "card": part.card, "samples": dict(part.samples)}
    for kind in ("measurements", "untrained"):
        frame, rows = getattr(part, kind).copy(), [row for g in groups if g.kind == kind for row in g.rows]
        frame.loc[rows, "value"] = change(frame.loc[rows, "value"])
        held[kind] = frame
    for (name,) in (group.name for group in groups if group.kind == "samples"):
        held["samples"][name] = change(held["samples"][name])
    copy.__dict__.update(held)  # in place of the files
    return copy


def cell(frame, row, column):
    """(first cell of a row, how often it stands above, heading of a column): a place that another order keeps."""
    names = frame.iloc[:, 0].astype(str)
    return names.iloc[row], int((names.iloc[:row] == names.iloc[row]).sum()), frame.columns[column]


def text_at(frame, place):
    """The text of a cell, None if the table has no such place."""
    name, above, heading = place
    rows = np.flatnonzero(frame.iloc[:, 0].astype(str) == name)
    return str(frame.iloc[rows[above]][heading]) if len(rows) > above and heading in frame else None


def behind(make, part, place, seconds=60):
    """(groups of rows that a cell of the table make(part) depends on, whether no other one is among them).

    `part` was traced while the table was made. A search that takes longer than `seconds` keeps what it has not tried.
    """
    every, text, until = groups(part), text_at(make(part), place), time.monotonic() + seconds
    small = Part(part.folder)  # what was not read cannot matter, and costs time
    held = {"measurements": part.measurements.loc[sorted(part.read[0])], "design": part.design, "card": part.card}
    small.__dict__.update(held | {"untrained": part.untrained, "samples": dict(part.samples)})

    def moves(some):
        """Whether the cell is another one if these are changed; None if the table cannot be made."""
        known = None
        for change in (opposite, large):
            with contextlib.suppress(Exception):  # an impossible value may break a table, which says nothing of a cell
                found = text_at(make(changed(small, some, change)), place)
                if found not in (None, text):
                    return True
                known = False
        return known

    def search(some):
        if time.monotonic() > until:
            return some
        moved = moves(some) if some else False
        if moved is False or len(some) == 1:
            return some if moved else []
        half = len(some) // 2
        # Groups that move the cell only together are all named.
        return search(some[:half]) + search(some[half:]) or (some if moved else [])

    return search(every), time.monotonic() <= until
