"""Writes the files of a part: tidy measurements, baselines, samples and checksums.

A measurement belongs to a run, a baseline to a sampler that was not trained. A metric's name stands for one quantity;
the column `rule` names the rule of counting, reading or judge under which it was taken, and is empty for most.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from fgan.files import RecordError, file_hash, whole, write_text

RUN = ["experiment", "arm", "divergence", "objective", "seed"]
COLUMNS = [*RUN, "step", "metric", "rule", "statistic", "value"]
BASELINE_COLUMNS = ["sampler", "divergence", "seed", "metric", "rule", "value"]
PART_FILES = ("measurements.parquet", "baselines.parquet", "samples.npz", "design.json", "card.json")


def named(metrics):
    """(metric, rule, value) of each entry of {metric or (metric, rule): value}."""
    return [(*key, value) if isinstance(key, tuple) else (key, "", value) for key, value in metrics.items()]


def tidy(runs, steps, metrics):
    """Rows of {metric or (metric, rule): values [runs], or [steps, runs] of a list of steps}; NaN is undefined."""
    names, rules, values = zip(*named(metrics), strict=True)
    values = [v.detach().cpu().numpy() if hasattr(v, "detach") else v for v in values]
    values = np.stack([np.atleast_2d(np.asarray(v, float)) for v in values], axis=1)
    step, metric, run = np.indices(values.shape).reshape(3, -1)
    taken = {name: ([getattr(run, name) for run in runs], run) for name in RUN}
    taken |= {"step": (np.atleast_1d(steps), step), "metric": (names, metric), "rule": (rules, metric)}
    columns = {name: pd.Series(choices).take(rows).array for name, (choices, rows) in taken.items()}
    return pd.DataFrame(columns | {"statistic": "value", "value": values.ravel()})[COLUMNS]


def baseline_rows(baselines):
    """Rows of BASELINE_COLUMNS from a list of (sampler, divergence, seed, {metric or (metric, rule): value})."""
    rows = [
        (sampler, divergence, seed, metric, rule, float(value))
        for sampler, divergence, seed, metrics in baselines
        for metric, rule, value in named(metrics)
    ]
    return pd.DataFrame(rows, columns=BASELINE_COLUMNS)


def write_table(path, frame):
    """Writes measurements or baselines; raises RecordError if a value occurs twice."""
    keys = [name for name in frame if name != "value"]
    twice = frame[frame.duplicated(keys)]
    if len(twice):
        raise RecordError(f"two values of one metric: {twice.iloc[0][keys].to_dict()}; give one another name or rule")
    frame = frame.astype({"seed": "Int32", "value": float})  # a statistic over seeds has no seed
    with whole(path) as partial:
        # Half the bytes of the default: most values are float32 in float64.
        frame.to_parquet(
            partial, index=False, compression="zstd", use_dictionary=keys,
            column_encoding={"value": "BYTE_STREAM_SPLIT"},
        )  # fmt: skip


def write_samples(path, arrays):
    """Named arrays in one npz file: curves (their names begin with curve/) as float32, all others as float16."""
    # A value of a diverged run may exceed float16; it is stored as infinity.
    with whole(path) as partial, open(partial, "wb") as file, np.errstate(over="ignore"):
        kinds = {name: np.float32 if name.startswith("curve/") else np.float16 for name in arrays}
        np.savez_compressed(file, **{name: np.asarray(array, kinds[name]) for name, array in arrays.items()})


def write_checksums(folder, names):
    """Writes checksums.txt with the SHA-256 of some files of a folder."""
    write_text(Path(folder, "checksums.txt"), "".join(f"{file_hash(Path(folder, n))}  {n}\n" for n in names))
