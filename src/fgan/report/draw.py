"""Draws the figures and writes the tables of a record, by name."""

import re
from pathlib import Path

from fgan import design
from fgan.files import RecordError, whole, write_text
from fgan.report import captions
from fgan.report.part import Part
from fgan.report.tables import latex


def parts(record):
    """The parts of a record, in the order of the paper; raises RecordError if it has none."""
    present = [Part(record / name) for name in design.find() if (record / name / "measurements.parquet").exists()]
    if not present:
        raise RecordError(
            f"{record} holds no measurements; make them with: snakemake --cores all --config record={record.name}"
        )
    return present


def drawn(kind, record, name):
    """The figure or table of that name, made by its experiment's figures.py; raises DesignError for another name."""
    experiment, make = maker(kind, name)
    return make(Part(record / experiment))


def maker(kind, name):
    """(experiment, its function) of the figure or table of that name; raises DesignError for another name."""
    known = design.captions(kind)
    if name not in known:
        raise design.DesignError(f"no {kind} '{name}': {design.nearest(name, known)}")
    experiment, short, _ = known[name]
    return experiment, getattr(design.module("experiments", experiment, "figures"), f"{kind}_{short}")


def figure(record, name):
    """Draws one figure of a record to figures/<name>.pdf and .png."""
    from fgan.report import empty, fates, figures
    from fgan.report.explain.trace import Traced

    figures.style()
    experiment, make = maker("figure", name)
    made = make(part := Traced(record / experiment))
    shown, _, _ = part.read
    empty.explained(made, fates.note(part, part.measurements.loc[sorted(shown)]))
    figures.save(made, record / "figures" / name)
    write_caption(record, "figure", name)


def table(record, name):
    """Writes one table of a record to tables/<name>.tex, .csv and .html."""
    frame = drawn("table", record, name)
    write_table(record, name, latex(frame, frame.attrs.get("rules_after", ())), frame)
    write_text(record / "tables" / f"{name}.html", captions.page(frame, write_caption(record, "table", name)))


def write_caption(record, kind, name):
    """Writes the first sentence of a caption to captions/<kind>_<name>.rst, for Snakemake's report; returns it."""
    sentence = captions.sentence(design.captions(kind)[name][2])
    write_text(record / "captions" / f"{kind}_{name}.rst", captions.rst(sentence))
    return sentence


def draw(record, experiment):
    """Draws every figure and writes every table of an experiment."""
    for kind, make in (("figure", figure), ("table", table)):
        for name, (owner, *_) in design.captions(kind).items():
            if owner == experiment:
                make(record, name)


def animate(record, name):
    """Draws an animation of a record to figures/<name>.gif by animation_<short name> in the experiment's figures.py.

    Raises DesignError if no experiment has it.
    """
    from matplotlib.animation import FuncAnimation, PillowWriter

    from fgan.report import figures

    sources = {name: Path("experiments", name, "figures.py").read_text() for name in design.find()}
    known = {
        f"{experiment}_{short}": (experiment, short)
        for experiment, source in sources.items()
        for short in re.findall(r"^def animation_(\w+)\(", source, re.M)
    }
    if name not in known:
        raise design.DesignError(f"no animation '{name}': {design.nearest(name, known)}")
    experiment, short = known[name]
    figures.style()
    make = getattr(design.module("experiments", experiment, "figures"), f"animation_{short}")
    picture, update, number = make(Part(record / experiment))
    film = FuncAnimation(picture, update, [*range(number), *[number - 1] * 5], init_func=lambda: None)
    with whole(record / "figures" / f"{name}.gif") as partial:
        named = partial.with_suffix(".gif")  # Pillow takes the format from the name
        film.save(named, PillowWriter(fps=5), dpi=110)
        named.replace(partial)


def theory(record):
    """Draws the figures and writes the tables that need no record: of the divergences, and of what is published."""
    from fgan.report import figures
    from fgan.report.theory.figures import FIGURES

    figures.style()
    for name, make in FIGURES.items():
        figures.save(make(), record / "figures" / f"theory_{name}")
    theory_tables(record)


def theory_tables(record):
    """Writes the tables that need no record."""
    from fgan.report import confronted, protocols
    from fgan.report.theory import public, tables

    for name, make in (tables.TABLES | public.TABLES).items():
        write_table(record, f"theory_{name}", latex(frame := make(), left=name in tables.TABLES), frame)
    write_table(record, "protocols", protocols.table(frame := protocols.read()), frame)
    write_table(record, "confronted", confronted.table(), confronted.text("confronted"))


def write_table(record, name, text, frame):
    """Writes tables/<name>.tex, and tables/<name>.csv with the same cells."""
    write_text(record / "tables" / f"{name}.tex", text)
    with whole(record / "tables" / f"{name}.csv") as partial:
        frame.to_csv(partial, index=False)
