"""Measures what a record does beside training, from its time.csv: `python -m benchmarks.overhead quick` writes the
table with which `plan` counts starts, evaluation, figures and paper."""

import sys
from pathlib import Path

from fgan.jobs import plan, times

TABLE = """# What a record does beside training, in seconds of a core with this `launch` of a kernel [s]. Measured by
# `python -m benchmarks.overhead {record}`, which writes this file from the time.csv of that record.
launch: {launch:.2g}
start: {start:.2g}  # of a training job
evaluation:  # as a share of the training
{evaluation}
shown:  # baselines, figures and tables of an experiment
{shown}
paper: {paper:.0f}  # claims, numbers and PDF, on one core while the others wait
"""


def measured(rows):
    """(start, {experiment: evaluation as a share}, {experiment: seconds shown}, seconds of the paper) of all jobs."""
    trained = [row for row in rows if row["job"].startswith("train ")]
    shown, training, evaluation, paper = {}, {}, {}, 0.0
    for row in rows:
        stage, _, name = row["job"].partition(" ")
        experiment = name.partition("/")[0]
        if stage == "train":
            training[experiment] = training.get(experiment, 0.0) + row["training"]
            evaluation[experiment] = evaluation.get(experiment, 0.0) + row["evaluation"]
        elif stage in ("gather", "draw"):
            shown[experiment] = shown.get(experiment, 0.0) + row["elapsed"]
        elif stage in ("claims", "numbers", "paper"):
            paper += row["elapsed"]
    start = sum(row["elapsed"] - row["training"] - row["evaluation"] for row in trained) / len(trained)
    return start, {name: evaluation[name] / training[name] for name in training}, shown, paper


def lines(values, digits):
    every = dict(sorted(values.items())) | {"other": sum(values.values()) / len(values)}
    return "\n".join(f"  {name}: {value:.{digits}f}" for name, value in every.items())


def main(record):
    start, evaluation, shown, paper = measured(times.read(Path("results", record)))
    launch = plan.rates("cpu")["launch"]
    text = TABLE.format(
        record=record, launch=launch, start=start, paper=paper, evaluation=lines(evaluation, 3), shown=lines(shown, 1)
    )
    plan.OVERHEAD.write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main(*sys.argv[1:])
