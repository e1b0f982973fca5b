"""Clones of the repository in which a test executes the workflow."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from small import ROOT, listed

BIN = Path(sys.executable).parent
# The same jobs on every machine: shards are larger on a GPU.
SMOKE = ("--config", "record=smoke", "device=cpu")
TEX = shutil.which("latexmk") is not None


def clone(folder):
    """A copy of the working tree as git sees it (tracked and new files), committed, without any results."""
    for name in listed():
        if not name.startswith("results/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"]
    when = {"GIT_AUTHOR_DATE": "2016-12-05T00:00:00Z", "GIT_COMMITTER_DATE": "2016-12-05T00:00:00Z"}
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "copy"]):
        subprocess.run([*git, *command], cwd=folder, check=True, env=os.environ | when)
    return folder


def twin(folder, copy):
    """A second clone of the same commit."""
    subprocess.run(["git", "clone", "-q", str(folder), str(copy)], check=True)
    return copy


def environment(**changes):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SNAKEMAKE", "OMP_", "MKL_"))}
    return kept | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"} | changes


def snakemake(folder, *arguments, env=None, **options):
    call = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
    merged = dict(cwd=folder, capture_output=True, text=True, env=env or environment(), timeout=1200) | options
    done = subprocess.run(call, **merged)
    done.text = (done.stdout or "") + (done.stderr or "")
    return done


def content(folder):
    """Bytes of everything that must be the same in two executions: no durations, logs or TeX's by-products."""
    record = folder / "results" / "smoke"
    skipped = ("durations.json", "time.csv", ".lock")
    return {
        str(path.relative_to(record)): path.read_bytes()
        for path in sorted(record.rglob("*"))
        if path.is_file() and path.name not in skipped and not {"logs", "build", ".checkpoints"} & set(path.parts)
    }


def first_step(lines):
    """The step at which the last process that wrote this log began."""
    starts = [line for line in lines if line.endswith("starting")]
    return int(re.search(r"step (\d+)/", starts[-1])[1])
