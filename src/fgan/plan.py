"""What a record costs before it starts: runs, steps, arithmetic operations, minutes on this machine."""

import itertools
import os
import time

import pandas as pd

# Part of the measured batched-product rate that whole training steps of small networks reach on one core.
EFFICIENCY = 0.16
OUTPUTS = {"mixture": 1, "ring": 2, "digits": 64, "mnist": 784}


def operations(settings):
    """Operations of one step of one run: three products of G's size and seven of V's (forward, both gradients)."""
    outputs = OUTPUTS[settings["target"]["kind"]]

    def forward(inputs, hidden, output):
        widths = [inputs, *hidden, output]
        return 2 * settings["batch"] * sum(a * b for a, b in itertools.pairwise(widths))

    g = (
        forward(settings["noise"]["dimension"], settings["generator"]["hidden"], outputs)
        if "generator" in settings
        else 0
    )
    k = settings["method"].get("k", 1) if settings["method"]["kind"] == "k_step" else 0
    return (3 + k) * g + (7 + 6 * k) * forward(outputs, settings["variational"]["hidden"], 1)


def product_rate(seconds=0.3):
    """Operations per second of a batched float32 product on one core, measured now."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    x, w, done = torch.randn(24, 128, 64), torch.randn(24, 64, 64), 0
    torch.bmm(x, w)
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        torch.bmm(x, w)
        done += 2 * x.numel() * w.shape[-1]
    torch.set_num_threads(threads)
    return done / (time.perf_counter() - began)


def table(designs, done, device="cpu", cores=None):
    """One row per experiment: runs, steps, operations, minutes here, shards that are complete already.

    `done(shard)` says whether a shard is complete; minutes count the missing ones only.
    """
    speed = product_rate() * EFFICIENCY * (cores or os.cpu_count()) if device == "cpu" else float("nan")
    rows = []
    for design in designs:
        shards = design.shards(device)
        todo = [shard for shard in shards if not done(shard)]
        per_shard = {s.name: len(s.runs) * s.settings["steps"] * operations(s.settings) for s in shards}
        rows.append({
            "experiment": design.name, "runs": sum(len(s.runs) for s in shards), "steps": shards[0].settings["steps"],
            "operations": sum(per_shard.values()), "complete": f"{len(shards) - len(todo)} of {len(shards)} shards",
            "minutes here": sum(per_shard[s.name] for s in todo) / speed / 60,
        })  # fmt: skip
    frame = pd.DataFrame(rows)
    total = {
        "experiment": "all",
        "runs": frame.runs.sum(),
        "steps": "",
        "operations": frame.operations.sum(),
        "complete": "",
        "minutes here": frame["minutes here"].sum(),
    }
    return pd.concat([frame, pd.DataFrame([total])], ignore_index=True)


def text(frame):
    """The table for a terminal."""
    return frame.to_string(index=False, formatters={"operations": "{:.2e}".format, "minutes here": "{:.1f}".format})
