"""Explains a figure by all that it reads, and a table's cell by the rows that move it."""

import re

import pandas as pd

from fgan import design
from fgan.files import RecordError
from fgan.report.explain import origins, trace
from fgan.report.explain.claims import claim
from fgan.report.explain.origins import known, part_of
from fgan.report.pages import plain


def figure(record, name):
    """A figure: its caption, its function, all rows that it reads, and the command that draws it."""
    drawn = [*design.captions("figure"), *(path.stem for path in record.glob("figures/theory_*.pdf"))]
    if known(name, drawn, "figure") not in design.captions("figure"):
        return [f"figure.{name}: drawn from formulas alone", f"again: python -m fgan theory --record {record.name}"]
    experiment, short, caption = design.captions("figure")[name]
    part = part_of(record, experiment)
    function = getattr(design.module("experiments", experiment, "figures"), f"figure_{short}")
    own, rows = used(part, function)
    command = f"drawn by: snakemake --cores all figure_{name} --config record={record.name}"
    return [f"figure.{name}: {caption}", origins.written(function), command, *own, *origins.made(part, rows)]


def used(part, function):
    """(lines, rows) of all that a function of a part reads."""
    traced = trace.Traced(part.folder)
    function(traced)
    return origins.listed(traced, trace.groups(traced))


def tables(record):
    """Names of all tables: those of experiments, and those that a record has beside them."""
    return [*dict.fromkeys([*design.captions("table"), *sorted(path.stem for path in record.glob("tables/*.csv"))])]


def table(record, name):
    """(part that notes what is read, function that makes a table, the table); one of no experiment has no part."""
    if known(name, tables(record), "table") not in design.captions("table"):
        return None, None, pd.read_csv(record / "tables" / f"{name}.csv", dtype=str, keep_default_na=False)
    experiment, short, _ = design.captions("table")[name]
    part = trace.Traced(part_of(record, experiment).folder)
    make = getattr(design.module("experiments", experiment, "figures"), f"table_{short}")
    return part, make, make(part)


def cells(record, name):
    """The key of every cell of a table, with its row, its column and its text."""
    _, _, frame = table(record, name)
    return [
        f"table.{name}.{row + 1}.{column + 1}: {frame.iloc[row, 0]}, {heading}: {plain(str(frame.iloc[row, column]))}"
        for row in range(len(frame)) for column, heading in enumerate(frame.columns)
    ]  # fmt: skip


def cell(record, name, row, column):
    """A cell of a table: its text, and the rows whose change changes it."""
    part, make, frame = table(record, name)
    if not (1 <= row <= frame.shape[0] and 1 <= column <= frame.shape[1]):
        near = f"{min(max(row, 1), frame.shape[0])}.{min(max(column, 1), frame.shape[1])}"
        raise RecordError(f"no cell {row}.{column} in '{name}', which has {frame.shape[0]} rows and {frame.shape[1]} "
                          f"columns; did you mean 'table.{name}.{near}'?")  # fmt: skip
    place = trace.cell(frame, row - 1, column - 1)
    if part is None:
        lines = [
            f"table.{name}.{row}.{column} = {frame.iloc[row - 1, column - 1]}",
            f"row '{place[0]}', column '{place[2]}'",
        ]
        if "claim" in frame:
            return lines + claim(record, frame["claim"].iloc[row - 1])
        return [*lines, "made of formulas, claims and published values (paper/published), of no run",
                f"again: snakemake --cores all paper --config record={record.name}"]  # fmt: skip
    groups, whole = trace.behind(make, part, place)
    own, rows = origins.listed(part, groups)
    lines = [
        f"table.{name}.{row}.{column} = {plain(trace.text_at(frame, place))}",
        f"row '{place[0]}', column '{place[2]}'",
    ]
    lines += [origins.written(make), f"made by: snakemake --cores all table_{name} --config record={record.name}"]
    if not groups:
        lines.append("no measurement moves this cell: it is a name, a setting or a published value")
        return lines + origins.made(part)
    return [*lines, f"the rows that move this cell{'' if whole else origins.LATE}:", *own, *origins.made(part, rows)]


def split_cell(record, key):
    """(table's name, row, column) of a cell's key; raises RecordError for a key without them."""
    parts = re.fullmatch(r"table\.(\w+)\.(\d+)\.(\d+)", key)
    names = tables(record)
    if not parts:
        name = key.split(".")[1]
        known(name, names, "table")
        raise RecordError(f"no cell '{key}'; write table.{name}.ROW.COLUMN, or list them: explain --table {name}")
    return known(parts[1], names, "table"), int(parts[2]), int(parts[3])
