"""Records: tidy measurements, samples, run cards and checksums of one execution of a design.

results/<record>/<experiment>/ is a part: measurements.parquet, samples.npz, design.json, card.json, checksums.txt,
and shards/<shard>/ with the same of each training job. Durations lie apart, because they differ between executions.
"""

import contextlib
import fcntl
import json
import os
import sys
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from fgan.provenance import file_hash

COLUMNS = ["experiment", "arm", "divergence", "objective", "seed", "step", "metric", "value"]
PART_FILES = ("measurements.parquet", "samples.npz", "design.json", "card.json")


class RecordError(RuntimeError):
    """Something is wrong with a record or its files; the message says what to do."""


class DataError(RuntimeError):
    """A data set is missing or is not what it should be; the message names the file and what to do."""


def tidy(runs, step, metrics):
    """Rows of one step: `metrics` maps names to values per run [runs]; a value that is undefined is NaN."""
    frames = []
    for metric, values in metrics.items():
        values = values.detach().cpu().double().numpy() if hasattr(values, "detach") else np.asarray(values, float)
        columns = {name: [getattr(run, name) for run in runs] for name in COLUMNS[:5]}
        frames.append(pd.DataFrame(columns | {"step": step, "metric": metric, "value": values}))
    return pd.concat(frames, ignore_index=True)[COLUMNS]


@contextlib.contextmanager
def whole(path):
    """A temporary path that becomes `path` when the block succeeds, so that a file is whole or absent."""
    path = Path(path)
    partial = path.with_name(f".{path.name}.partial")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)


@contextlib.contextmanager
def writing(path):
    """One sentence where the block cannot write `path`."""
    try:
        yield
    except OSError as error:
        raise RecordError(
            f"cannot write {path}: {error.strerror or error}; free some space or check the folder's permissions, "
            "then run the same command again"
        ) from error


def write_json(path, value):
    with whole(path) as partial:
        partial.write_text(json.dumps(value, indent=1, sort_keys=True, default=str) + "\n")


def write_measurements(folder, frames):
    """Joins frames of tidy rows into measurements.parquet; raises RecordError where a value would be counted twice."""
    frame = pd.concat(frames, ignore_index=True)
    twice = frame[frame.duplicated(COLUMNS[:-1])]
    if len(twice):
        raise RecordError(
            f"two values of one metric at one step: {twice.iloc[0, :-1].to_dict()}; give one another name"
        )
    with whole(Path(folder, "measurements.parquet")) as partial:
        # Half the bytes of the default: most values are float32 in float64.
        frame.to_parquet(
            partial, index=False, compression="zstd", use_dictionary=[name for name in COLUMNS if name != "value"],
            column_encoding={"value": "BYTE_STREAM_SPLIT"},
        )  # fmt: skip


def write_samples(path, arrays):
    """Named arrays as float16 in one npz file."""
    # A run that diverged may lie beyond float16: infinity says so.
    with whole(path) as partial, open(partial, "wb") as file, np.errstate(over="ignore"):
        np.savez_compressed(file, **{name: np.asarray(array, dtype=np.float16) for name, array in arrays.items()})


def read_samples(path):
    with open(path, "rb") as file, np.load(file) as arrays:
        return dict(arrays)


def write_checksums(folder, names):
    with whole(Path(folder, "checksums.txt")) as partial:
        partial.write_text("".join(f"{file_hash(Path(folder, name))}  {name}\n" for name in names))


@contextlib.contextmanager
def locked(path, message):
    """Holds a lock that the kernel releases when the process dies; says `message` once where it has to wait."""
    path = Path(path)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "w")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(message, file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def alone(record):
    """Holds a record for one process that makes it; raises RecordError where another one holds it."""
    Path(record).mkdir(parents=True, exist_ok=True)
    with open(Path(record, ".lock"), "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RecordError(f"another process is making {record}; wait for it or stop it") from None
        yield


@dataclass(frozen=True)
class Part:
    """One experiment of a record, read from its files alone."""

    folder: Path

    @cached_property
    def measurements(self):
        return self._read("measurements.parquet", pd.read_parquet)

    @cached_property
    def samples(self):
        return self._read("samples.npz", read_samples)

    @cached_property
    def design(self):
        return self._read("design.json", lambda path: json.loads(path.read_text()))

    @cached_property
    def card(self):
        return self._read("card.json", lambda path: json.loads(path.read_text()))

    @property
    def divergences(self):
        """Rows of the table of divergences that this part was trained on, in its order: name -> {label, effective}."""
        return {row["name"]: row for row in self.design["divergences"]}

    @property
    def arms(self):
        """Settings by arm, each with its number of seeds."""
        return self.design["arms"]

    def final(self, metric=None, arm=None):
        """The judged values: the rows of each run's last step, without baselines."""
        rows = self.measurements
        last = {name: settings["steps"] for name, settings in self.arms.items()}
        rows = rows[(rows.step == rows.arm.map(last)) & (rows.seed >= 0)]
        rows = rows[rows.metric == metric] if metric else rows
        return rows[rows.arm == arm] if arm else rows

    def history(self, metric):
        """The history of the first seeds; `metric [median]`, `[lower quartile]` and `[upper quartile]` are over all."""
        rows = self.measurements
        return rows[(rows.arm != "baseline") & (rows.metric == metric)]

    def baselines(self, metric):
        """Rows of the samplers that were not trained; their name stands in the column divergence."""
        rows = self.measurements
        return rows[(rows.arm == "baseline") & (rows.metric == metric)]

    def _read(self, name, reader):
        path = self.folder / name
        wrong = "is missing; make it with" if not path.exists() else "is damaged; delete it and make it again with"
        try:
            return reader(path)
        except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile):
            raise RecordError(
                f"{path} {wrong}: snakemake --cores all {self.folder.name} --config record={self.folder.parent.name}"
            ) from None
