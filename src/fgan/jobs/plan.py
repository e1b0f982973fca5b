"""The cost of a record before it starts: runs, steps, operations, minutes on this machine and on an H200.

A step is counted from its shapes (`engine.cost`): seconds = operations / rate + bytes / bandwidth + kernels * launch.
"""

import os
import time

import pandas as pd
import torch

from fgan.engine import cost
from fgan.engine.machines import MACHINES
from fgan.jobs.cut import shards as cut


def rates(device):
    """Rates of one core, measured now, or of a GPU from the table: operations/s, bytes/s and seconds for a kernel."""
    if device == "cuda":
        return {name: MACHINES["cuda"][name] for name in ("rate", "bandwidth", "launch")}
    x, w, small = torch.randn(24, 128, 64), torch.randn(24, 64, 64), torch.zeros(1)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return {
            "rate": 2 * x.numel() * w.shape[-1] / timed(lambda: torch.bmm(x, w)),
            "bandwidth": 3 * x.nbytes / timed(lambda: torch.tanh(x) * x),
            "launch": timed(lambda: small + 1),
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


def table(designs, done, device="cpu", cores=None):
    """One row per experiment: runs, steps, operations, complete shards, minutes here and on an H200.

    `done(shard)` says whether a shard is complete; minutes count the missing ones only.
    """
    here, workers = rates(device), 1 if device == "cuda" else cores or os.cpu_count()
    rows = []
    for design in designs:
        shards = cut(design, device)  # empty if nothing is trained
        row = {"experiment": design.name, "runs": sum(len(shard.runs) for shard in shards), "steps": 0}
        row |= {"operations": 0.0, "complete": 0, "minutes here": 0.0, "minutes H200": 0.0}
        for arm, settings in design.arms.items():
            own = [shard for shard in shards if shard.arm == arm]
            todo = [shard for shard in own if not done(shard)]
            count, steps = cost.of(design, own[0], device), settings["steps"]
            copies = [len(shard.runs) / count.runs for shard in todo]
            row["steps"] = max(row["steps"], steps)
            row["operations"] += count.operations * steps * sum(len(shard.runs) for shard in own) / count.runs
            row["complete"] += len(own) - len(todo)
            row["minutes here"] += steps / 60 / workers * sum(count.seconds(**here, copies=c) for c in copies)
            # On a GPU all shards run side by side, however they are cut here.
            row["minutes H200"] += steps / 60 * count.seconds(**rates("cuda"), copies=sum(copies)) * bool(todo)
        rows.append(row | {"complete": f"{row['complete']} of {len(shards)} shards"})
    frame = pd.DataFrame(rows)
    sums = frame[["runs", "operations", "minutes here", "minutes H200"]].sum()
    total = {"experiment": "all", "steps": "", "complete": ""} | sums.to_dict() | {"runs": int(sums["runs"])}
    return pd.concat([frame.astype({"steps": object}), pd.DataFrame([total])], ignore_index=True)


def text(frame):
    """The table for a terminal."""
    formats = {"operations": "{:.2e}".format, "minutes here": "{:.1f}".format, "minutes H200": "{:.1f}".format}
    return frame.to_string(index=False, formatters=formats)
