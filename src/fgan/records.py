"""Records: tidy measurements, samples, run cards and checksums of one execution of a design.

results/<record>/<experiment>/ is a part: measurements.parquet, samples.npz, design.json, card.json, checksums.txt,
and shards/<shard>/ with the same of each training job. Durations lie apart, because they differ between executions.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pandas as pd

from fgan.validation import read_yaml

COLUMNS = ["experiment", "arm", "divergence", "objective", "seed", "step", "metric", "value"]
PART_FILES = ("measurements.parquet", "samples.npz", "design.json", "card.json")
VERSIONS = ("torch", "numpy", "pandas", "pyarrow", "scipy", "scikit-learn", "matplotlib", "seaborn", "snakemake")
# What shows, plans or moves what was measured: an edit here never changes a measurement.
SHOWING = "statistics figures tables claims tex show audit publish plan progress packs budget __main__".split()


class RecordError(RuntimeError):
    """Something is wrong with a record or its files; the message says what to do."""


class DataError(RuntimeError):
    """A data set is missing or is not what it should be; the message names the file and what to do."""


def science_files(root="."):
    """The files whose content decides measurements: the science floor of the library."""
    return [str(f) for f in sorted(Path(root, "src/fgan").rglob("*.py")) if f.stem not in SHOWING]


def threads(root="."):
    """Threads by device: the one entry of the table of machines that can change a byte; no run depends on the cut."""
    return {device: row["threads"] for device, row in read_yaml(Path(root, "src/fgan/machines.yaml")).items()}


def code_hash(experiment, root="."):
    """SHA-256 over the science files, the experiment's run.py and the number of threads."""
    found = hashlib.sha256(json.dumps(threads(root), sort_keys=True).encode())
    for path in [*science_files(root), f"{root}/experiments/{experiment}/run.py"]:
        found.update(Path(path).read_bytes())
    return found.hexdigest()


def file_hash(path):
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def commit():
    """The commit of the working tree, marked where the science differs from it; 'unknown' outside git."""
    try:
        call = dict(capture_output=True, text=True, check=True)
        head = subprocess.run(["git", "rev-parse", "HEAD"], **call).stdout.strip()
        changed = subprocess.run(["git", "status", "--porcelain", "--", "src", "experiments"], **call).stdout.strip()
        return head + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def versions():
    """Versions of Python and of the packages that can change a byte of a record."""
    found = {"python": platform.python_version()}
    for package in VERSIONS:
        with contextlib.suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def run_card(shard, device):
    """Settings, seeds, versions, device, commit and hashes of a population, fixed when it trains."""
    claims = Path("experiments", shard.experiment, "claims.yaml")
    return {
        "experiment": shard.experiment, "shard": shard.name,
        "seeds": [shard.first, shard.last], "runs": len(shard.runs),
        "settings": shard.settings, "settings_hash": shard.hash, "code_hash": code_hash(shard.experiment),
        "claims_hash": file_hash(claims) if claims.exists() else None,
        "device": device, "versions": versions(), "commit": commit(),
    }  # fmt: skip


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

    def final(self, metric=None, arm=None):
        """The judged values: the rows of each run's last step, without baselines."""
        rows = self.measurements
        rows = rows[(rows.arm != "baseline") & (rows.step == self.last_step) & (rows.seed >= 0)]
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

    @property
    def last_step(self):
        return self.design["settings"]["steps"]

    def _read(self, name, reader):
        path = self.folder / name
        wrong = "is missing; make it with" if not path.exists() else "is damaged; delete it and make it again with"
        try:
            return reader(path)
        except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile):
            raise RecordError(
                f"{path} {wrong}: snakemake --cores all {self.folder.name} --config record={self.folder.parent.name}"
            ) from None
