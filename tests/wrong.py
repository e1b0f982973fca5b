"""Parts of records whose runs went wrong: all diverged, all collapsed onto one point, or a single run."""

import json
import shutil

import numpy as np
import pandas as pd

from fgan.files import write_json
from fgan.metrics.history import quartiles
from fgan.record import write

ENDS = ("failed", "diverged_step", "dead_step", "converged", "flat", "cycles")
STEP = 7.0  # at which all runs diverge
KINDS = {  # {metric: value} of every run; None is the value of all other metrics
    "diverged": {"failed": 1.0, "diverged_step": STEP, None: np.nan},
    "one point": {"failed": 0.0, "flat": 1.0, None: 0.0},
    "one run": {},
}


def part(source, folder, kind):
    """Writes the part of `source` into `folder`, with other values of its runs."""
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("shards"))
    design = json.loads((source / "design.json").read_text())
    if not design["arms"]:
        return  # nothing was trained
    rows, values = pd.read_parquet(source / "measurements.parquet"), KINDS[kind]
    runs = rows[rows.statistic == "value"].copy()
    if kind == "one run":
        runs = runs[runs.seed == 0]
        design |= {"seeds": 1, "runs": len(runs[write.RUN].drop_duplicates())}
        design["arms"] = {arm: own | {"seeds": 1} for arm, own in design["arms"].items()}
    else:
        for metric in {*runs.metric} - {"operations"}:  # these are counted, not measured
            other = (np.nan if metric.endswith("_step") else 0.0) if metric in ENDS else values[None]
            runs.loc[runs.metric == metric, "value"] = values.get(metric, other)
        with np.load(source / "samples.npz") as arrays:
            own = {n: np.full_like(a, values[None]) if n.count("/") == 4 else a for n, a in arrays.items()}
        write.write_samples(folder / "samples.npz", own)
    last = {arm: own["steps"] for arm, own in design["arms"].items()}
    write.write_table(folder / "measurements.parquet", pd.concat([runs, quartiles(runs, last)])[write.COLUMNS])
    write_json(folder / "design.json", design)
