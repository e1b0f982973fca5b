"""The cost of a record before it starts: runs, steps, operations, minutes on this machine and on an H200.

A step is counted from its shapes (`engine.cost`): seconds = operations / rate + bytes / bandwidth + kernels * launch.
What a record does beside training is in a table of measured seconds, jobs/overhead.yaml. It also says how much longer
than its count a training takes on cores that all work at once.
"""

import math
import os
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch

from fgan.design import read_yaml
from fgan.engine.machines import MACHINES, pieces
from fgan.jobs import train
from fgan.jobs.cut import count
from fgan.jobs.cut import shards as cut
from fgan.record import archive

OVERHEAD = Path(__file__).with_name("overhead.yaml")
# A job on a cluster requests: its own bytes (torch, the images, what it evaluates, and the two processes of Snakemake's
# around it; 1.4 GB and twice 0.4 were the most measured), minutes for its start, and three times what the plan counts,
# because the heap takes up to twice the peak and a node may be slower than the machine of the table.
OWN, START, SPARE = {"cpu": 3e9, "cuda": 8e9}, 10, 3


@dataclass(frozen=True)
class Plan:
    """A table with a row for each experiment, (shard, seconds) of those to be trained, and minutes of the whole."""

    table: pd.DataFrame
    shards: list
    minutes: float


def available():
    """Cores that this process may use, which are fewer than the machine's where it is bound to some of them."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def rates(device):
    """Rates of one core, measured now, or of a GPU from the table: operations/s, bytes/s and seconds for a kernel."""
    if device == "cuda":
        return {name: MACHINES["cuda"][name] for name in ("rate", "bandwidth", "launch")}
    x, w, one = torch.randn(24, 128, 64), torch.randn(24, 64, 64), torch.ones(1, requires_grad=True)
    large = torch.randn(2, 2_000_000)  # beyond a core's own cache, as a step's tensors are together
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return {
            "rate": 2 * x.numel() * w.shape[-1] / timed(lambda: torch.bmm(x, w)),
            "bandwidth": 1.5 * large.nbytes / timed(lambda: large[0] + large[1]),
            "launch": timed(lambda: torch.autograd.grad(((one * 2 + 1) * 2).exp(), one)) / 8,
        }
    finally:
        torch.set_num_threads(threads)


def timed(function, seconds=0.2):
    """Seconds of one call, the median of as many as fit."""
    function()
    taken, until = [], time.perf_counter() + seconds
    while time.perf_counter() < until:
        began = time.perf_counter()
        function()
        taken.append(time.perf_counter() - began)
    return sorted(taken)[len(taken) // 2]


def counted(design, shard, rates, device):
    """Seconds that the training of a shard takes by its operations, bytes and kernels."""
    step = count(design, shard, device)
    return step.seconds(**rates, copies=len(shard.runs) / step.runs) * shard.settings["steps"]


def worked(design, shard, rates, device):
    """Seconds that the training and the evaluation of a shard take, with all cores at work."""
    overhead = read_yaml(OVERHEAD)
    busy, share = overhead["training"] if device == "cpu" else 1.0, overhead["evaluation"]
    return counted(design, shard, rates, device) * busy * (1 + share.get(shard.experiment, share["other"]))


def needs(design, shard, device):
    """(bytes of memory, minutes) that the job of a shard requests on a cluster, by the rates of the machines' table."""
    step, stack = count(design, shard, device), 0.0
    if device == "cpu":  # the stacks of a GPU lie in its own memory, which no job requests
        stack = max(map(len, pieces(shard.runs, step, device))) * step.peak / step.runs
    rates = {name: MACHINES[device][name] for name in ("rate", "bandwidth", "launch")}
    return OWN[device] + SPARE * stack, START + math.ceil(SPARE * worked(design, shard, rates, device) / 60)


def done(record):
    """A function of a shard: whether the record holds it, trained or in its archive."""
    archived = archive.read(record)

    def there(shard):
        folder = record / shard.experiment / "shards" / shard.name
        return train.current(folder, shard) or archive.complete(shard, archive.sources(shard, archived))

    return there


def make(designs, there, device="cpu", cores=None):
    """The plan of a record's designs on `cores`, or with one GPU; `there(shard)` says whether a shard is complete.

    Minutes count what is missing, cut for the device as it will run; those on an H200 are training alone.
    """
    here, gpu, workers = rates(device), rates("cuda"), cores or available()
    overhead = read_yaml(OVERHEAD)
    shown = overhead["shown"]
    slower = here["launch"] / overhead["launch"] if device == "cpu" else 1.0
    rows, missing = [], []
    for design in designs:
        row = {"experiment": design.name, "runs": 0, "steps": 0, "operations": 0.0, "complete": 0}
        seconds, on_gpu, shards = 0.0, 0.0, cut(design, device)
        for shard in shards:
            step, steps = count(design, shard, device), shard.settings["steps"]
            copies = len(shard.runs) / step.runs
            row["runs"] += len(shard.runs)
            row["steps"] = max(row["steps"], steps)
            row["operations"] += step.operations * steps * copies
            if there(shard):
                row["complete"] += 1
                continue
            missing.append((shard, worked(design, shard, here, device) + overhead["start"] * slower))
            seconds += missing[-1][1]
        for shard in cut(design, "cuda") if row["complete"] < len(shards) else []:
            on_gpu += counted(design, shard, gpu, "cuda")
        seconds = (seconds if device == "cpu" else seconds * workers) + shown.get(design.name, shown["other"]) * slower
        row |= {"minutes here": seconds / 60 / workers, "minutes H200": on_gpu / 60}
        rows.append(row | {"complete": f"{row['complete']} of {len(shards)} shards"})
    last = overhead["paper"] * slower / 60
    rest = {"steps": "", "complete": ""}
    rows.append(rest | {"experiment": "paper", "runs": 0, "operations": 0.0, "minutes here": last, "minutes H200": 0.0})
    sums = {name: sum(row[name] for row in rows) for name in ("runs", "operations", "minutes here", "minutes H200")}
    frame = pd.DataFrame([*rows, rest | {"experiment": "all"} | sums])
    return Plan(frame, missing, sums["minutes here"])


def text(frame):
    """The table for a terminal."""
    formats = {"operations": "{:.2e}".format, "minutes here": "{:.1f}".format, "minutes H200": "{:.1f}".format}
    return frame.to_string(index=False, formatters=formats)
