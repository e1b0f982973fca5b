"""The first quarter of an hour on a GPU: python -m benchmarks.gpu --minutes 9 [--out FOLDER] [--device cuda].

It checks that the GPU computes what the CPU computes, measures its ceilings and speeds, and trains with what is left of
its minutes. Nothing that fails or hangs stops the rest. FOLDER is small: results.json, summary.md, the logs and the
archive of what was trained. It needs torch, numpy, pandas, pyarrow and PyYAML.
"""

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

import torch

from benchmarks.supervised import rows, supervise
from fgan.design import RECORDS
from fgan.files import write_json, write_text

SHARE = 0.6  # of the minutes, at most, for the checks
LONGEST = 90.0  # seconds after which a case counts as hung
CLOSING = 10.0  # seconds that are kept for the summary


def train(record, device, until, data, out):
    """Trains a record until then and copies what was archived; returns the last lines that it said."""
    folder = Path("results", record, "archive")
    there = set(folder.glob("*.tar"))
    minutes = max(0.0, until - time.time()) / 60
    command = [sys.executable, "-m", "fgan", "train-all", "--record", record, "--device", device]
    command += ["--budget-minutes", f"{minutes:.3f}", *(["--data", data] if data else [])]
    with open(out / "train-all.log", "w") as log:
        try:
            subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, timeout=60 * minutes + CLOSING)
        except subprocess.TimeoutExpired:
            print("train-all did not end in its time", file=log)
    (out / "archive").mkdir(exist_ok=True)
    for path in sorted(set(folder.glob("*.tar")) - there):
        shutil.copy(path, out / "archive")
    said = (out / "train-all.log").read_text().splitlines()
    return {"record": record, "minutes": minutes, "said": said[-15:]}


def number(value):
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def summary(device, cases, training):
    """The results as a page: what is wrong first, then every case, then the end of the training's log."""
    states = {name: state(row) for name, row in cases.items()}
    counts = {word: list(states.values()).count(word) for word in ("right", "measured", "wrong", "not reached")}
    lines = [f"# First minutes on {device}", "", ", ".join(f"{n} {word}" for word, n in counts.items()), ""]
    lines += ["| case | result | s | values |", "|---|---|--:|---|"]
    order = sorted(cases, key=lambda name: states[name] != "wrong")
    for name in order:
        row = cases[name]
        values = {key: value for key, value in row.items() if key not in ("began", "seconds", "ok", "error")}
        said = ", ".join(f"{key} {number(value)}" for key, value in values.items())
        lines.append(f"| {name} | {states[name]} | {number(row.get('seconds', ''))} | {said} |")
    for name in (name for name in order if "error" in cases[name]):
        lines += ["", f"## {name}", "", "```", cases[name]["error"].rstrip(), "```"]
    lines += ["", f"## train-all: {training['record']}, {training['minutes']:.1f} minutes", ""]
    return "\n".join([*lines, "```", *training["said"], "```", ""])


def state(row):
    if "seconds" not in row:
        return "not reached"
    return {True: "right", False: "wrong"}[row["ok"]] if "ok" in row else "measured"


def main(words=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--out", type=Path, default=Path("results/gpu"))
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", choices=("cpu", "cuda"))
    parser.add_argument("--record", default="full", choices=RECORDS)
    parser.add_argument("--data", help="folder with the image sets (default: FGAN_DATA, else data/)")
    args = parser.parse_args(words)
    began, length = time.time(), 60 * args.minutes
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / "checks.jsonl"
    path.unlink(missing_ok=True)
    with open(args.out / "checks.log", "w") as log:
        command = [sys.executable, "-m", "benchmarks.supervised", args.device]
        supervise(command, path, log, began + SHARE * length, LONGEST)
    cases = rows(path)
    training = train(args.record, args.device, began + length - CLOSING, args.data, args.out)
    write_json(args.out / "results.json", {"device": args.device, "cases": cases, "training": training})
    page = summary(args.device, cases, training)
    write_text(args.out / "summary.md", page)
    print(page)
    return int("wrong" in map(state, cases.values()))


if __name__ == "__main__":
    sys.exit(main())
