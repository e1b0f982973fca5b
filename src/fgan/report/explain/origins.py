"""The runs, draws and arrays behind what is shown, their machines and times, and the commands that make them again."""

import inspect
import json
from pathlib import Path

import pandas as pd

from fgan.design import nearest, seeds_of
from fgan.files import RecordError
from fgan.jobs import times
from fgan.record.promise import conditions
from fgan.report.draw import parts
from fgan.report.numbers import qualified
from fgan.report.pages import described
from fgan.report.part import RUN, Part

LATE = ", and others, because the search took too long"
DRAWS = ["sampler", "divergence", "metric", "rule"]


def run_name(part, row):
    """A run as `python -m fgan retrain` takes it."""
    return f"{part.name}/{row.arm}/{row.divergence}/{row.objective}/{row.seed}"


def shard_of(part, arm, seed):
    """The shard that trained a seed of an arm; raises RecordError if the card names none."""
    for shard in part.card["shards"]:
        if shard.rpartition("-seed")[0] == arm and int(seed) in seeds_of(shard):
            return shard
    raise RecordError(f"{part.folder / 'card.json'} names no shard with seed {seed} of the arm '{arm}'")


def runs(part, rows):
    """One line for each judged measurement: run, metric, value, step and shard."""
    return [
        f"  {run_name(part, r)}: {qualified(r.metric, r.rule)} = {r.value:.6g} at step {r.step} "
        f"(shard {shard_of(part, r.arm, r.seed)})" + ("" if getattr(r, "settled", True) else ", not judged: on its way")
        for r in rows.itertuples()
    ]


def histories(part, rows):
    """One line for each history over runs or seeds: its statistic, entries and seeds."""
    lines = []
    for (arm, divergence, objective, metric, rule), own in rows.groupby(RUN[:3] + ["metric", "rule"], sort=True):
        steps = f"{own.step.nunique()} steps from {own.step.min()} to {own.step.max()}"
        kinds = [kind for kind in own.statistic.unique() if kind != "value"]
        seeds = sorted(own.seed.dropna().astype(int).unique())
        of = " and ".join(filter(None, [", ".join(kinds), f"seeds {seeds[0]} to {seeds[-1]}" if seeds else ""]))
        lines.append(
            f"  {part.name}/{arm}/{divergence}/{objective}: history of {qualified(metric, rule)}, {of}, {steps}"
        )
    return lines


def draws(rows):
    """One line for all draws of a sampler that was not trained, of one metric."""
    lines = []
    for (sampler, divergence, metric, rule), own in rows.groupby(DRAWS, sort=False):
        of = f"sampler '{sampler}'" + (f" of {divergence}" if divergence else "")
        first, last = own.seed.min(), own.seed.max()
        of += f", draw {first}" if first == last else f", mean of draws {first} to {last}"
        lines.append(f"  {of}: {qualified(metric, rule)} = {own.value.mean(skipna=False):.6g} (baselines.parquet)")
    return lines


def made(part, rows=None):
    """When, where and how the runs of `rows` were trained (without rows all of the part), and how to do it again."""
    shards = list(part.card["shards"])
    if rows is not None and len(rows):
        pairs = rows.dropna(subset=["seed"])[["arm", "seed"]].drop_duplicates()
        shards = list(dict.fromkeys(shard_of(part, *pair) for pair in pairs.itertuples(index=False))) or shards
    lines, groups, spent = [], {}, seconds(part)
    under = dict(zip(part.card["shards"], conditions(part.card), strict=True))
    for shard in shards:
        commit = part.card["shards"][shard]["commit"]
        groups.setdefault((commit, json.dumps(under[shard], sort_keys=True)), []).append(shard)
    for (commit, condition), names in groups.items():
        took = [spent[name] for name in names if name in spent]
        time = f"{sum(took):.1f} s" if len(took) == len(names) else "a time that this record does not keep"
        shards = f"{len(names)} shard{'s' * (len(names) > 1)}"
        lines.append(f"trained as {shards}, which took {time}: " + ", ".join(names))
        lines.append("  with " + ", ".join(f"{name} {value}" for name, value in json.loads(condition).items()))
        changes = " and uncommitted changes of the science" if "+changes" in commit else ""
        lines.append(f"  at the commit{changes}: git checkout {commit.partition('+')[0]}")
    if rows is not None and len(rows.dropna(subset=["seed"])):
        first = next(rows.dropna(subset=["seed"]).itertuples())
        lines.append(
            f"one run again: python -m fgan retrain {run_name(part, first)} --record {part.folder.parent.name}"
        )
    return [*lines, f"all again: {part.card['command']}"]


def seconds(part):
    """{shard: seconds of its training and measuring}, as far as the record keeps them."""
    found = {}
    for row in times.read(part.folder.parent):
        if row["job"].startswith(f"train {part.folder.name}/"):
            shard = row["job"].rpartition("/")[2]
            found[shard] = found.get(shard, 0.0) + row["training"] + row["evaluation"]
    for path in part.folder.glob("shards/*/durations.json"):
        found[path.parent.name] = sum(json.loads(path.read_text()).values())
    return found


def known(name, names, what):
    """A name that is there; raises RecordError with the nearest one otherwise."""
    if name not in names:
        raise RecordError(f"no {what} '{name}': {nearest(name, names)}")
    return name


def part_of(record, experiment):
    """A part of a record; raises RecordError if the record lacks it."""
    known(experiment, [part.name for part in parts(record)], f"experiment in {record}:")
    return Part(record / experiment)


def meaning(part, metric):
    """What a metric is, from the data dictionary."""
    unit, text = described(part.name).get(metric, ("", "not in the data dictionary"))
    return f"{metric}: {text}" + (f" [{unit}]" if unit else "")


def written(function):
    """Where a function of an experiment stands, and what it says of itself."""
    path, line = Path(inspect.getsourcefile(function)), inspect.getsourcelines(function)[1]
    said = " ".join((inspect.getdoc(function) or "").split())
    return f"by {function.__name__} in experiments/{path.parent.name}/{path.name}, line {line}" + (said and f": {said}")


def listed(part, groups):
    """(lines, rows) of groups of rows: judged values run by run, histories, draws, arrays."""
    ends = {kind: [row for g in groups if g.kind == "measurements" and g.name[-1] == kind for row in g.rows]
            for kind in ("last step", "history")}  # fmt: skip
    last, history = (part.measurements.loc[ends[kind]] for kind in ("last step", "history"))
    lines = [meaning(part, metric) for metric in dict.fromkeys([*last.metric, *history.metric])]
    lines += runs(part, last.astype({"seed": int})) + histories(part, history)
    lines += draws(part.untrained.loc[[row for g in groups if g.kind == "untrained" for row in g.rows]])
    lines += [f"  samples.npz: {g.name[0]}" for g in groups if g.kind == "samples"]
    return lines, pd.concat([last, history])
