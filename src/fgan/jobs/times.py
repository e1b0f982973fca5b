"""The time of a record: one row for each job in time.csv, and the share of the cores' time that trained and measured.

The file lies outside of all hashed bytes.
"""

import contextlib
import csv
import fcntl
import os
import time
from pathlib import Path

KINDS = ("import", "training", "evaluation", "drawing")
COLUMNS = ("job", "start", *KINDS, "elapsed")


class Clock:
    """Seconds of a job by kind: `lap(kind)` adds the time since the last lap, `add` seconds measured elsewhere."""

    def __init__(self):
        self.start, self.began = time.time(), time.perf_counter()
        self.last, self.seconds = self.began, dict.fromkeys(KINDS, 0.0)

    def lap(self, kind=None):
        """Adds the time since the last lap to a kind; without one it belongs to none."""
        now = time.perf_counter()
        if kind:
            self.seconds[kind] += now - self.last
        self.last = now

    def add(self, seconds):
        for kind, value in seconds.items():
            self.seconds[kind] += value

    def write(self, record, job):
        """Appends the job's row to the record's time.csv."""
        write(record, job, self.start, self.seconds, time.perf_counter() - self.began)


def write(record, job, start, seconds, elapsed):
    """Appends a row to the record's time.csv: start [s since 1970] and seconds by kind."""
    row = [job, f"{start:.3f}", *(f"{seconds.get(kind, 0.0):.3f}" for kind in KINDS), f"{elapsed:.3f}"]
    # What took how long decides nothing: a job that is done does not fail for a folder that vanished or is full.
    with contextlib.suppress(OSError), open(Path(record, "time.csv"), "a", newline="") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # jobs side by side write whole rows
        rows = csv.writer(file)
        if os.fstat(file.fileno()).st_size == 0:  # tell() is where the file ended when it was opened
            rows.writerow(COLUMNS)
        rows.writerow(row)


def read(record, since=0.0):
    """The rows of time.csv that began at `since` or later [s since 1970], numbers as floats."""
    path = Path(record, "time.csv")
    if not path.exists():
        return []
    with open(path, newline="") as file:
        rows = [{k: v if k == "job" else float(v) for k, v in row.items()} for row in csv.DictReader(file)]
    return [row for row in rows if row["start"] >= since]


def summary(record, since, cores, planned=None):
    """One line on the jobs since a moment: elapsed against planned minutes, and what the cores' time went to."""
    if (elapsed := time.time() - since) <= 0:
        return f"{record}: the clock went back in between, so nobody knows what the time went to"
    rows = read(record, since)
    share = {kind: sum(row[kind] for row in rows) / (cores * elapsed) for kind in KINDS}
    text = f"{record}: {elapsed / 60:.1f} minutes on {cores} cores"
    text += f", {planned:.1f} planned" if planned else ""
    rest = 1 - sum(share.values())
    return (
        f"{text}; of the cores' time {share['training'] + share['evaluation']:.0%} trained and measured, "
        f"{share['drawing']:.0%} drew and wrote, {share['import']:.0%} imported, {rest:.0%} was idle or between"
    )
