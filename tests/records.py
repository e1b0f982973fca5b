"""Small records that several tests share."""

import numpy as np
import pandas as pd
from small import ROOT

from fgan.design import Run
from fgan.files import write_json
from fgan.metrics.history import kept, quartiles
from fgan.record import write
from fgan.report.part import Part, read_arrays

LABELS = [{"name": name, "label": name.upper(), "effective": "E"} for name in ("kl", "reverse_kl", "gan")]


def place(record, shard):
    """The folder of a shard in a record."""
    return record / shard.experiment / "shards" / shard.name


def outcome(folder):
    """Rows and samples of a shard's folder, in one order whatever the cut."""
    frame = pd.read_parquet(folder / "measurements.parquet")
    return frame.sort_values([*frame][:-1], ignore_index=True), read_arrays(folder / "samples.npz")


def rows(seeds, steps=(10, 20), arm="tanh"):
    """Tidy measurements of an arm: F at every step, as large as the seed, and eight modes at the last one."""
    runs = [(seed, step, "F", float(seed)) for seed in range(seeds) for step in steps]
    runs += [(seed, steps[-1], "modes", 8.0) for seed in range(seeds)]
    every = [
        ("ring", arm, "kl", "saddle", seed, step, metric, "", "value", value) for seed, step, metric, value in runs
    ]
    return pd.DataFrame(every, columns=write.COLUMNS)


def part(folder, scale="quick", seeds=5, frame=None, last=None):
    """The folder of a part with all its files; `last` is the last step by arm."""
    frame, last = rows(seeds) if frame is None else frame, last or {"tanh": 20}
    folder.mkdir(parents=True)
    write.write_table(folder / "measurements.parquet", pd.concat([kept(frame, last), quartiles(frame, last)]))
    write.write_table(folder / "baselines.parquet", write.baseline_rows([("P", "", 0, {"modes": 8.0})]))
    write.write_samples(folder / "samples.npz", {"real": np.zeros((2, 2))})
    arms = {arm: {"steps": step} for arm, step in last.items()}
    labels = [{"name": "kl", "label": "KL", "effective": "reverse KL"}]
    shown = {"name": folder.name, "scale": scale, "seeds": seeds, "runs": seeds, "arms": arms, "divergences": labels}
    write_json(folder / "design.json", shown)
    write_json(folder / "card.json", {"commit": "unknown"})
    write.write_checksums(folder, write.PART_FILES)
    return folder


def experiment(root, claims, figures="", captions=""):
    """Writes an experiment `toy` with one arm into an empty repository, which reads the code of this one."""
    (root / "src").symlink_to(ROOT / "src")
    folder = root / "experiments" / "toy"
    folder.mkdir(parents=True)
    scales = "scales: {smoke: {}, quick: {}, overnight: {}, extended: {}}\n"
    (folder / "experiment.yaml").write_text(f"title: Toy\norder: 1\narms: {{main: {{}}}}\n{scales}{captions}")
    (folder / "figures.py").write_text(figures)
    (folder / "claims.yaml").write_text(claims)


def toy(folder, values, baselines=(), **settings):
    """A part with one arm and {(metric or (metric, rule), divergence, objective): values over seeds} at its last step.

    `baselines` are (sampler, divergence, {metric: value}), `settings` those of the arm.
    """
    frames = []
    for (metric, divergence, objective), own in values.items():
        runs = [Run("toy", "main", divergence, objective, seed) for seed in range(len(own))]
        frames += [write.tidy(runs, 10, {metric: own}), write.tidy(runs[:1], 5, {metric: [1e6]})]  # an earlier step
    write.write_table(folder / "measurements.parquet", pd.concat(frames, ignore_index=True))
    rows = write.baseline_rows([(sampler, divergence, 0, metrics) for sampler, divergence, metrics in baselines])
    write.write_table(folder / "baselines.parquet", rows)
    arms = {"main": {"steps": 10} | settings}
    write_json(folder / "design.json", {"name": "toy", "scale": "quick", "divergences": LABELS, "arms": arms})
    return Part(folder)
