"""Makes all that a record shows again from its parts, in another folder, and compares: tables, claims, numbers, text.

So whatever the stages of the workflow write is covered. Figures are not drawn again: they are touched by what is named.
"""

import csv
import json
import math
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from fgan import design
from fgan.design import DesignError
from fgan.files import RecordError, write_text
from fgan.record.publish import HOURS
from fgan.report import claims_json, draw, numbers, pages, paper, rederived

NAMED = 3  # differences of a file that are written out


def differences(record, with_pdf=True):
    """(lines on what is not what the measurements give, lines on what could not be compared) of a record."""
    found, left, alone = [], [], []
    for part in draw.parts(record):
        try:
            found += rederived.check(part)
            alone += [part.name] if part.arms and not rederived.has_shards(part) else []
        except Exception as error:  # of a damaged file: the other parts are compared all the same
            found.append(f"{part.folder.name} cannot be compared with itself: {said(error)}")
    if alone:
        left.append(f"measurements that nothing else determines, because the shards of {', '.join(alone)} are not here")
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, record.name)
        failed = make(record, made)
        found += failed
        names = [path.relative_to(made) for path in (*made.glob("tables/*"), *made.glob("*.*")) if path.is_file()]
        there = [name for name in sorted(names) if (record / name).exists()]
        if (record / "numbers.csv").exists():
            found += [f"{name} is missing" for name in sorted({*names} - {*there})]
        else:
            left.append("tables and numbers, which are not here")
        found += [line for name in there for line in compared(made / name, record / name, name)]
        found += judged_by_others(record)
        if with_pdf and not failed:
            lines, unknown = pdf(record, made)
            found, left = found + lines, left + unknown
    return found, left


def said(error):
    """An error in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def make(record, made):
    """Runs all stages that write tables and text, on links to the parts; returns lines on what could not be made."""
    made.mkdir()
    for card in record.glob("*/card.json"):
        (made / card.parent.name).symlink_to(card.parent.resolve())
    for name in ("figures", HOURS):  # what the measurements do not give
        if (record / name).exists():
            (made / name).symlink_to((record / name).resolve())
    tables = [name for name, (owner, *_) in design.captions("table").items() if (made / owner).exists()]
    stages = {f"tables/{name}.csv": lambda name=name: draw.table(made, name) for name in tables}
    stages |= {"tables of the theory": lambda: draw.theory_tables(made), "claims": lambda: paper.write_claims(made)}
    stages |= {"numbers": lambda: paper.write_numbers(made)}
    if (record / "VERDICTS.md").exists():
        stages["VERDICTS.md"] = lambda: write_text(made / "VERDICTS.md", pages.verdict_page(numbers.read_claims(made)))
    lines = []
    for name, stage in stages.items():
        try:
            stage()
        except Exception as error:  # a damaged part, or figures.py of another design: the rest is compared all the same
            lines.append(f"{name} cannot be made again: {said(error)}")
    return lines


def compared(made, kept, name):
    """A line on a file whose cells are not those that were made again; none if all are equal."""
    ours, theirs = cells(made), cells(kept)
    wrong = [key for key in dict.fromkeys([*ours, *theirs]) if not same(ours.get(key), theirs.get(key))]
    shown = "; ".join(f"{key} is {short(theirs.get(key))}, not {short(ours.get(key))}" for key in wrong[:NAMED])
    rest = f"; and {len(wrong) - NAMED} more" if len(wrong) > NAMED else ""
    return [f"{name} is not what the measurements give: {shown}{rest}"] if wrong else []


def cells(path):
    """{place: text} of a table, of numbers, of claims, or of the lines of another text."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix == ".json":
        try:
            content = json.loads(text)
            entries = {claim["claim"]: claim for claim in content.pop("claims")} | {"claims.json": content}
            return {f"{name}, {key}": json.dumps(v) for name, own in entries.items() for key, v in own.items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            return {"the file": "no claims"}
    if path.suffix == ".csv":
        head, *rows = [*csv.reader(text.splitlines(keepends=True))] or [[]]
        key = next((head.index(column) for column in ("key", "claim") if column in head), 0)
        first = [row[key] if row else "" for row in rows]
        labels = [label if first.count(label) == 1 else f"row {i} ({label})" for i, label in enumerate(first, 1)]
        pairs = [
            (label, *pair) for label, row in zip(labels, rows, strict=True) for pair in zip(head, row, strict=False)
        ]
        return {f"{label}, {column}": value for label, column, value in pairs} | {
            "the columns": ", ".join(head),
            "the number of cells": str(sum(map(len, rows))),
        }
    macros = dict(re.findall(r"^\\fganset\{(.*?)\}\{(.*)\}$", text, re.M))
    lines = [line for line in text.splitlines() if not line.startswith(r"\fganset")]
    return macros | {f"line {number}": line for number, line in enumerate(lines, 1)}


def same(one, other):
    """Whether two texts are equal, or numbers that differ by no more than the rounding of another machine."""
    try:
        return one == other or math.isclose(float(one), float(other), rel_tol=1e-9, abs_tol=1e-15)
    except (TypeError, ValueError):
        return False


def short(text):
    """A cell as it is shown in a line."""
    return "missing" if text is None else f"'{text if len(text) < 60 else text[:57] + '...'}'"


def judged_by_others(record):
    """A line if the verdicts of the record were judged by other code than that of the working tree."""
    path = record / "claims.json"
    try:
        code = json.loads(path.read_text())["judged_by"] if path.exists() else None
    except (ValueError, KeyError, TypeError):
        return []  # it is compared as a text
    if code in (None, claims_json.judged_by()):
        return []
    return ["claims.json was judged by other code, see: git log -p src/fgan/report experiments/*/figures.py"]


def pdf(record, made):
    """Compiles the record's PDFs from what was made again, and compares their text word by word."""
    if not [*record.glob("*.pdf")]:
        return [], ["the PDF, which is not here"]
    if shutil.which("latexmk") is None or shutil.which("pdftotext") is None:
        return [], ["the PDF, because latexmk or pdftotext (of poppler-utils) is missing"]
    try:
        paper.compile_pdf(made)
    except (RecordError, DesignError) as error:
        return [f"the PDF cannot be made again: {error}"], []
    lines = []
    for path in sorted(made.glob("*.pdf")):
        ours, theirs = (words(own) for own in (path, record / path.name))
        place = next((i for i, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]), None)
        if place is None and len(ours) != len(theirs):
            place = min(len(ours), len(theirs))
        if place is not None:
            shown = [" ".join(own[max(0, place - 4) : place + 5]) for own in (theirs, ours)]
            lines.append(f"{path.name} prints '{shown[0]}', not '{shown[1]}'")
    return lines, []


def words(path):
    """The words of a PDF; none for a file that is missing or no PDF."""
    done = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, text=True, errors="replace")
    return done.stdout.split()
