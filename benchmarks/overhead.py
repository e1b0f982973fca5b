"""Measures what `plan` cannot count, from a record's time.csv: `python -m benchmarks.overhead quick` writes the table
of starts, evaluation, figures and paper, and how much longer a training takes than its count says."""

import sys
from pathlib import Path

from fgan import design
from fgan.jobs import plan, times

TABLE = """# What a record does beside training, in seconds of a core with this `launch` of a kernel [s]. Measured by
# `python -m benchmarks.overhead {record}`, which writes this file from the time.csv of that record.
launch: {launch:.2g}
training: {training:.2f}  # measured over counted: all cores work, and share caches and memory
start: {start:.2g}  # of a training job
evaluation:  # as a share of the training
{evaluation}
shown:  # baselines, figures and tables of an experiment
{shown}
paper: {paper:.0f}  # elapsed: claims, numbers and PDF on one core, and whenever else a core waits
"""


def measured(rows):
    """(start, {experiment: evaluation as a share}, {experiment: seconds shown}, seconds of the paper) of all jobs."""
    trained = [row for row in rows if row["job"].startswith("train ")]
    paper = max(row["start"] + row["elapsed"] for row in rows) - min(row["start"] for row in rows)
    shown, training, evaluation = {}, {}, {}
    for row in rows:
        stage, _, name = row["job"].partition(" ")
        experiment = name.partition("/")[0]
        if stage == "train":
            training[experiment] = training.get(experiment, 0.0) + row["training"]
            evaluation[experiment] = evaluation.get(experiment, 0.0) + row["evaluation"]
        elif stage in ("gather", "draw"):
            shown[experiment] = shown.get(experiment, 0.0) + row["elapsed"]
        if stage in ("train", "gather", "draw"):
            paper -= row["elapsed"] / plan.available()
    start = sum(row["elapsed"] - row["training"] - row["evaluation"] for row in trained) / len(trained)
    return start, {name: evaluation[name] / training[name] for name in training}, shown, paper


def longer(rows, record, rates):
    """Seconds that the trainings of a record took over those that the plan counts."""
    took = {row["job"].removeprefix("train "): row["training"] for row in rows if row["job"].startswith("train ")}
    loaded = {name: design.load(name, record) for name in {job.partition("/")[0] for job in took}}
    shards = {f"{name}/{shard.name}": (of, shard) for name, of in loaded.items() for shard in plan.cut(of, "cpu")}
    return sum(took.values()) / sum(plan.counted(*shards[job], rates, "cpu") for job in took)


def lines(values, digits):
    every = dict(sorted(values.items())) | {"other": sum(values.values()) / len(values)}
    return "\n".join(f"  {name}: {value:.{digits}f}" for name, value in every.items())


def main(record):
    rows, rates = times.read(Path("results", record)), plan.rates("cpu")
    start, evaluation, shown, paper = measured(rows)
    text = TABLE.format(
        record=record,
        launch=rates["launch"],
        training=longer(rows, record, rates),
        start=start,
        paper=paper,
        evaluation=lines(evaluation, 3),
        shown=lines(shown, 1),
    )
    plan.OVERHEAD.write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main(*sys.argv[1:])
