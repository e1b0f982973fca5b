"""Clones of a small repository in any place, and their records made by `make` as a user makes them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import shown
from small import ROOT

FIGURE = """    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    axes.plot(part.values("high_quality", "tanh", "kl"))
    return figure
"""
DOCUMENT = r"""\documentclass[10pt]{article}
\usepackage{fgan}
\input{numbers.tex}
\externaldocument[][nocite]{%s}
\begin{document}
%s
\cite{nowozin2016fgan}
\bibliographystyle{plainnat}
\bibliography{references}
\end{document}
"""
BODY = {
    "main": DOCUMENT % ("supplement", r"Figure \ref{fig:toy_modes}. \bodyfigure{toy_modes}{Modes.}"),
    "supplement": DOCUMENT % ("main", r"\input{experiments.tex} \input{sections/claims}"),
}
# What takes longest and is the same for every experiment is not drawn: a file that is there is not made.
DRAWN = (
    *(f"figures/theory_{name}.pdf" for name in ("generators", "terms")),
    *(f"tables/theory_{name}.tex" for name in ("definitions", "activations", "implementations", "caught")),
    *(f"tables/{name}.tex" for name in ("protocols", "confronted")),
)
UNEQUAL = ("durations.json", "time.csv", ".lock")


def repository(folder):
    """The workflow, the source and the paper's style, with one small experiment and a paper of two pages."""
    shown.experiment(folder)
    code = folder / "experiments/toy/figures.py"
    code.write_text(code.read_text().replace('    """Nothing is drawn."""\n', FIGURE))
    for name in ("rules", "profiles", "paper/published", "paper/sections"):
        shutil.copytree(ROOT / name, folder / name)
    top = ("Makefile", "Snakefile", "environment.yml", "requirements.lock", "requirements.hashes", "pyproject.toml")
    for name in (*top, ".gitignore"):
        shutil.copy(ROOT / name, folder)
    for name in ("fgan.sty", "references.bib"):
        shutil.copy(ROOT / "paper" / name, folder / "paper")
    for name, text in BODY.items():
        (folder / f"paper/{name}.tex").write_text(text)
    return folder


def shallow(source, folder):
    """A clone of the last commit alone."""
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"]
    for words in ("init -q", "add -A", "commit -qm one", "commit -qm two --allow-empty"):
        subprocess.run([*git, *words.split()], cwd=source, check=True)
    subprocess.run([*git, "clone", "-q", "--depth", "1", source.as_uri(), folder], check=True)


def make(folder, *words, env=None, before=()):
    """(exit status, what was said) of `make paper` for the smoke record, which finds environment and TeX installed."""
    for name in DRAWN:
        path = folder / "results/smoke" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(exist_ok=True)
    dropped = ("SNAKEMAKE", "OMP_", "MKL_", "PYTHONPATH", "MAKE", "PYTEST")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    kept = {key: value for key, value in (kept | (env or {})).items() if value is not None}
    kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    call = [*before, "make", "-o", "setup", "-o", "tex", *(words or ("paper", "RECORD=smoke"))]
    options = dict(cwd=folder, env=kept, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
    done = subprocess.run(call, text=True, errors="replace", **options)
    return done.returncode, done.stdout


def content(folder):
    """Bytes of all that must be the same wherever a record is made."""
    record = folder / "results/smoke"
    return {
        str(path.relative_to(record)): path.read_bytes()
        for path in sorted(record.rglob("*"))
        if path.is_file() and path.name not in UNEQUAL and not {"logs", "build", ".checkpoints"} & {*path.parts}
    }


def without(folder, *programs):
    """A PATH on which all programs are but some."""
    folder.mkdir()
    for place in os.environ["PATH"].split(os.pathsep):
        for program in Path(place).iterdir() if Path(place).is_dir() else ():
            link = folder / program.name
            if program.name not in programs and not link.is_symlink():
                link.symlink_to(program)
    return str(folder)
