"""The generated pieces of the paper, and its PDF."""

import math
import os
import shutil
import subprocess
from pathlib import Path

import pandas as pd

from fgan import design
from fgan.files import RecordError, whole, write_text
from fgan.report import claims_json, figures, numbers, overview
from fgan.report.claims import verdicts
from fgan.report.draw import parts, write_table
from fgan.report.printed import allowed, escape, measured, number, prose, robust
from fgan.report.tables import latex

# 2016-12-05, the opening of NIPS 2016: with a fixed date the PDF is the same bytes on every day.
SOURCE_DATE_EPOCH = "1480896000"
TEX_PACKAGES = (
    "latexmk texlive-latex-base texlive-latex-recommended texlive-latex-extra texlive-science texlive-fonts-recommended"
)


CAPTION = r"\caption{The claims by experiment, each with the check that speaks most against it.}\label{tab:claims}\\"


DOCUMENTS = {"main": "paper", "supplement": "supplement"}  # source in paper/: PDF of the record


def write_claims(record):
    """Writes the verdict on every claim to tables/claims.csv and .tex, and to claims.json with all that it rests on.

    Also the main table, and the figure of all claims.
    """
    frame = verdicts(present := parts(record))
    write_table(record, "claims", claims_table(frame), frame)
    write_text(record / "claims.json", claims_json.text(record, present, frame))
    write_text(record / "tables" / "main.tex", overview.main_table(frame, present))
    figures.style()
    figures.save(overview.figure(frame), record / "figures" / "claims")


def write_numbers(record):
    """Writes numbers.tex and experiments.tex for the paper, and numbers.csv with the source of each number."""
    frame = numbers.collect(record, parts(record))
    write_text(record / "numbers.tex", numbers.macros(frame))
    with whole(record / "numbers.csv") as partial:
        frame.to_csv(partial, index=False)
    write_text(record / "experiments.tex", sections(parts(record)))
    cost = overview.compute(parts(record))
    write_table(record, "compute", latex(cost), cost)
    divergences = divergence_table()
    write_table(record, "divergences", latex(narrow(divergences), left=True), divergences)


def sections(parts):
    """experiments.tex: each experiment's section (its own file if there is one), deviations, figures and tables.

    Floats come last and nothing holds them back, so that text fills the pages between them.
    """
    lines, present = [], {part.name: part for part in parts}
    for name in design.find():
        if name not in present:
            raw = design.read_yaml(Path("experiments", name, "experiment.yaml"))
            lines.append(rf"\section{{{escape(raw['title'])}}}\label{{sec:{name}}}")
            lines.append(rf"\emph{{{escape(raw['question'])}}} The record lacks it ({design.left_out(name)}).")
            continue
        part, section = present[name], Path("paper", "sections", f"{name}.tex")
        text = section.read_text(encoding="utf-8") if section.exists() else ""
        heading = [rf"\section{{{escape(part.design['title'])}}}\label{{sec:{name}}}", escape(part.design["question"])]
        lines += [rf"\input{{sections/{name}}}"] if text else heading
        lines.append(r"\paragraph{Deviations.}\begin{enumerate}[nosep]")
        lines += [rf"\item {escape(text)}" for text in part.design["deviations"]]
        lines.append(r"\end{enumerate}")
        for kind in ("figure", "table"):
            owned = [full for full, (owner, *_) in design.captions(kind).items() if owner == name]
            lines += [rf"\fgan{kind}{{{full}}}" for full in owned]
    return "\n".join(lines) + "\n"


def claims_table(frame):
    """A long table of the claims by experiment: verdict, statement, source, the check that speaks most against it."""
    widths = "".join(rf">{{\raggedright\arraybackslash}}p{{{w}\linewidth}}" for w in (0.1, 0.33, 0.17, 0.33))
    lines = [rf"\begin{{longtable}}{{@{{}}{widths}@{{}}}}", CAPTION, r"\toprule",
             r"Verdict & Claim & Source & Checks \\ \midrule \endhead \bottomrule \endfoot"]  # fmt: skip
    for experiment, rows in frame.groupby("experiment", sort=False):
        heading = escape(experiment.replace("_", " "))
        lines.append(rf"\multicolumn{{4}}{{@{{}}l}}{{\sffamily\bfseries {heading}}} \\* \addlinespace")
        if (rows.verdict == "not run").all() and rows.why.nunique() == 1:  # what a record lacks is said once
            lacking = f"{prose(rows.why.iloc[0])}: " + ", ".join(rf"\claimid{{{escape(name)}}}" for name in rows.claim)
            cell = rf"\multicolumn{{3}}{{p{{0.8\linewidth}}}}{{\raggedright\arraybackslash {lacking}}}"
            lines.append(rf"\verdict{{not run}} & {cell} \\ \addlinespace")
            continue
        for row in rows.itertuples():
            kind = "check" if row.kind == "identity" else row.kind
            exercise = f" ({row.exercise}, {kind})" if row.exercise else f" ({kind})"
            published = f": {row.published} ({row.known})" if row.published else ""
            test = "" if math.isnan(row.p_holm) else f", difference, corrected p = {number(row.p_holm)}"
            shown = f"{measured(row)}{test}, {allowed(row)}" if not row.missing else prose(row.missing)
            checked = prose(row.why) + (f". {escape(row.example)}: {shown}" if row.verdict != "not run" else "")
            checked += f". Flips: {flips}" if (flips := robust(row)) else ""
            lines.append(
                rf"{overview.verdict(row)} & {prose(row.statement)}{exercise} \claimid{{{escape(row.claim)}}}"
                rf" & {prose(row.source + published)} & {checked} \\ \addlinespace"
            )
    return "\n".join([*lines, r"\end{longtable}", ""])


def divergence_table():
    """The table of divergences as a frame of LaTeX, generated from the code; what is descended is up to a factor."""
    from fgan.divergences import DIVERGENCES

    heads = ("$f(u)$", "$f^*(t)$", r"$\mathrm{dom}\, f^*$", "$g_f(v)$", "$f'(1)$")
    fields = ("f", "conjugate", "domain", "activation", "threshold")
    return pd.DataFrame([
        {"Divergence": d.label}
        | {head: f"${getattr(d.latex, field)}$" for head, field in zip(heads, fields, strict=True)}
        | {"alternative descends": d.effective if "+" in d.effective else d.effective.removesuffix(" / 2")}
        for d in DIVERGENCES.values()
    ])  # fmt: skip


def narrow(divergences):
    """The same table for a page: without dom f*, the closure of g_f's range, and with long names on two lines."""
    shown = divergences.drop(columns=[r"$\mathrm{dom}\, f^*$", "alternative descends"])
    shown["alternative"] = [
        rf"\parbox[t]{{6.8em}}{{\raggedright {name}\strut}}" for name in divergences["alternative descends"]
    ]
    greek = {r"\(pi = (.*)\)": r"\\mbox{($\\pi = \1$)}", r"alpha = ([-.\d]*)": r"$\\alpha = \1$"}
    return shown.replace(greek, regex=True)


def compile_pdf(record):
    """Compiles paper.pdf and supplement.pdf of a record; raises RecordError if TeX is missing or fails."""
    if not (record / "numbers.tex").exists():
        raise RecordError(f"{record} has no numbers; make them with: python -m fgan numbers --record {record.name}")
    if shutil.which("latexmk") is None or shutil.which("pdflatex") is None:
        raise RecordError(
            "no TeX here, so no PDF (figures, tables and claims are complete); install it, on Debian or Ubuntu with: "
            f"apt-get install --no-install-recommends {TEX_PACKAGES}"
        )
    build = record / "build"
    # TeX sees names relative to this folder alone: in the path of a clone or of a record there may be characters that
    # mean something to a shell, to TeX or to its lists of folders.
    environment = os.environ | {
        "SOURCE_DATE_EPOCH": SOURCE_DATE_EPOCH, "FORCE_SOURCE_DATE": "1", "max_print_line": "1000",
        "TEXINPUTS": ".:..:paper:", "BIBINPUTS": "paper:", "openin_any": "a",
    }  # fmt: skip
    # From an empty folder each time: files of an earlier, interrupted compilation must not change a byte.
    shutil.rmtree(build, ignore_errors=True)
    build.mkdir(parents=True)
    (build / "paper").symlink_to(Path("paper").resolve())
    # Each names sections, figures and tables of the other, so the paper is compiled again once the supplement is there.
    for source in ("main", "supplement", "main"):
        latexmk(source, build, environment)
    for source, name in DOCUMENTS.items():
        with whole(record / f"{name}.pdf") as partial:
            shutil.copyfile(build / f"{source}.pdf", partial)


def latexmk(source, build, environment):
    """Compiles one document of the paper in the folder `build`; raises RecordError with TeX's first complaint."""
    # -norc: a user's ~/.latexmkrc decides nothing.
    options = ("-norc", "-pdf", "-g", "-interaction=nonstopmode", "-halt-on-error", "-file-line-error")
    call = ["latexmk", *options, f"paper/{source}.tex"]
    done = subprocess.run(call, cwd=build, env=environment, capture_output=True, text=True, errors="replace")
    if done.returncode:
        wrong = [line for line in done.stdout.splitlines() if ".tex:" in line or line.startswith("!")]
        said = wrong[0] if wrong else done.stdout[-300:]
        raise RecordError(f"the paper does not compile: {said} (log: {build / f'{source}.log'})")
