"""Shows a record: its figures and tables by name, the verdicts on its claims, the numbers of the paper, and the PDF."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from fgan import design, tex
from fgan.claims import verdicts
from fgan.records import Part, RecordError, whole
from fgan.tables import latex

# 2016-12-05, the opening of NIPS 2016: with a fixed date the PDF is the same bytes on every day.
SOURCE_DATE_EPOCH = "1480896000"
TEX_PACKAGES = (
    "latexmk texlive-latex-base texlive-latex-recommended texlive-latex-extra texlive-science texlive-fonts-recommended"
)


def parts(record):
    """The parts of a record, in the order of the experiments' names."""
    found = [Part(record / name) for name in design.find() if (record / name / "measurements.parquet").exists()]
    if not found:
        raise RecordError(
            f"{record} holds no measurements; make them with: snakemake --cores all --config record={record.name}"
        )
    return found


def drawing(kind, record, name):
    """What the experiment's figures.py makes for one figure or table of a record."""
    known = design.captions(kind)
    if name not in known:
        raise design.DesignError(f"no {kind} '{name}': {design.nearest(name, known)}")
    experiment, short, _ = known[name]
    return getattr(design.module("experiments", experiment, "figures"), f"{kind}_{short}")(Part(record / experiment))


def figure(record, name):
    """Draws one figure of a record to figures/<name>.pdf and .png."""
    from fgan import figures

    figures.style()
    figures.save(drawing("figure", record, name), record / "figures" / name)


def table(record, name):
    """Writes one table of a record to tables/<name>.tex and .csv."""
    frame = drawing("table", record, name)
    write_table(record, name, latex(frame, frame.attrs.get("rules_after", ())), frame)


def animate(record, name):
    """Draws an animation of a record to figures/<name>.gif: animation_<short name> in the experiment's figures.py."""
    from matplotlib.animation import FuncAnimation, PillowWriter

    from fgan import figures

    sources = {e: Path("experiments", e, "figures.py").read_text() for e in design.find()}
    known = {f"{e}_{short}": (e, short) for e, text in sources.items()
             for short in re.findall(r"^def animation_(\w+)\(", text, re.M)}  # fmt: skip
    if name not in known:
        raise design.DesignError(f"no animation '{name}': {design.nearest(name, known)}")
    experiment, short = known[name]
    figures.style()
    make = getattr(design.module("experiments", experiment, "figures"), f"animation_{short}")
    picture, update, number = make(Part(record / experiment))
    (record / "figures").mkdir(parents=True, exist_ok=True)
    film = FuncAnimation(picture, update, [*range(number), *[number - 1] * 5], init_func=lambda: None)
    with whole(record / "figures" / f"{name}.gif") as partial:
        named = partial.with_suffix(".gif")  # Pillow takes the format from the name
        film.save(named, PillowWriter(fps=5), dpi=110)
        named.replace(partial)


def draw(record, experiment):
    """Draws every figure and writes every table of an experiment."""
    for kind, make in (("figure", figure), ("table", table)):
        for name, (owner, *_) in design.captions(kind).items():
            if owner == experiment:
                make(record, name)


def write_table(record, name, text, frame):
    with whole(record / "tables" / f"{name}.tex") as partial:
        partial.write_text(text)
    with whole(record / "tables" / f"{name}.csv") as partial:
        frame.to_csv(partial, index=False)


def theory(record):
    """Draws the figures and writes the tables of the table of divergences, theory_<name>: they need no record."""
    from fgan import figures
    from fgan.theory.figures import FIGURES
    from fgan.theory.tables import TABLES

    figures.style()
    for name, draw in FIGURES.items():
        figures.save(draw(), record / "figures" / f"theory_{name}")
    for name, make in TABLES.items():
        write_table(record, f"theory_{name}", latex(frame := make(), left=name != "implementations"), frame)


def claims(record):
    """Writes the verdict on every claim to tables/claims.csv and .tex."""
    frame = verdicts(parts(record))
    write_table(record, "claims", tex.claims_table(frame), frame)


def numbers(record):
    """Writes numbers.tex and experiments.tex for the paper, and numbers.csv with the source of each number."""
    found = tex.numbers(record, parts(record))
    with whole(record / "numbers.tex") as partial:
        partial.write_text(tex.macros(found))
    with whole(record / "numbers.csv") as partial:
        found.to_csv(partial, index=False)
    with whole(record / "experiments.tex") as partial:
        partial.write_text(tex.sections(parts(record)))
    write_table(record, "divergences", *tex.divergence_table())


def paper(record):
    """Compiles the paper of a record to paper.pdf; raises RecordError where TeX is missing or fails."""
    if shutil.which("latexmk") is None or shutil.which("pdflatex") is None:
        raise RecordError(
            "no TeX here, so no PDF (figures, tables and claims are complete); install it, on Debian or Ubuntu with: "
            f"apt-get install --no-install-recommends {TEX_PACKAGES}"
        )
    build = (record / "build").resolve()
    build.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {
        "SOURCE_DATE_EPOCH": SOURCE_DATE_EPOCH, "FORCE_SOURCE_DATE": "1", "max_print_line": "1000",
        "TEXINPUTS": f".:{record.resolve()}:", "BIBINPUTS": ".:", "openin_any": "a",
    }  # fmt: skip
    # From an empty folder each time: what an earlier, interrupted compilation left must not change a byte.
    shutil.rmtree(build)
    build.mkdir()
    call = [
        "latexmk",
        "-pdf",
        "-interaction=nonstopmode",
        "-halt-on-error",
        "-file-line-error",
        f"-outdir={build}",
        "main.tex",
    ]
    done = subprocess.run(call, cwd="paper", env=environment, capture_output=True, text=True, errors="replace")
    log = build / "main.log"
    if done.returncode:
        wrong = [line for line in done.stdout.splitlines() if ".tex:" in line or line.startswith("!")]
        raise RecordError(f"the paper does not compile: {wrong[0] if wrong else done.stdout[-300:]} (log: {log})")
    with whole(record / "paper.pdf") as partial:
        shutil.copyfile(build / "main.pdf", partial)
