"""What a part can say about its own measurements: values that follow from others, from shards or from stored samples.

A value that nothing else in the part determines is not covered: of such a one only git, a shard, or a new training can
say that it is not the one that was measured.
"""

import itertools
import json

import numpy as np
import pandas as pd

from fgan.design import Shard
from fgan.metrics.history import KEPT, kept, quartiles
from fgan.record.write import COLUMNS
from fgan.report import resampled
from fgan.report.part import RUN, read_arrays

KEYS = COLUMNS[1:-1]
CARD = ("settings_hash", "code_hash", "claims_hash", "commit", "versions", "device")
CLOSE = 1e-9  # relative


def check(part):
    """Lines on values of a part that contradict each other, its shards (if they are here) or its samples."""
    checks = (card(part), rows(part), ends(part), spread(part), shards(part), resampled.check(part))
    return [f"{part.name}: {text}" for text in itertools.chain.from_iterable(checks)]


def card(part):
    """The summary of a run card against the entries of its shards, and its seeds against the design."""
    own, shards = part.card, part.card["shards"]
    for key, one in (("commits", "commit"), ("device", "device")):
        known = sorted({shard[one] for shard in shards.values()})
        if own[key] != (known if key == "commits" else " and ".join(known)):
            yield f"card.json: '{key}' is not that of its shards"
    known = {}
    for name, version in (pair for shard in shards.values() for pair in shard["versions"].items()):
        known.setdefault(name, set()).add(version)
    if own["versions"] != {name: " and ".join(sorted(every)) for name, every in known.items()}:
        yield "card.json: 'versions' are not those of its shards"


def rows(part):
    """Every run has one value of each of its arm's metrics at its last step, and all runs of the design are there."""
    final = part.final()
    twice = final.duplicated([*RUN, "metric", "rule"])
    if twice.any():
        yield f"measurements.parquet: {twice.sum()} values stand there twice"
    runs = final[RUN].drop_duplicates()
    if len(runs) != part.design["runs"]:
        yield f"measurements.parquet: {len(runs)} runs, the design has {part.design['runs']}"
    for arm, own in final.groupby("arm", sort=False):
        counts = own.groupby(["divergence", "objective", "metric", "rule"]).size()
        most = counts.groupby(level=[0, 1]).transform("max")
        for (divergence, objective, metric, rule), count in counts[counts < most].items():
            yield f"measurements.parquet: {arm}/{divergence}/{objective} has only {count} values of '{metric}' {rule}"


def ends(part):
    """`failed`, `flat`, `cycles` and `converged`, which follow from other values of the same runs."""
    import torch  # takes longer to load than most stages of the report run

    from fgan.metrics import convergence

    final = part.final()
    wide = final[final.rule == ""].pivot_table(index=RUN, columns="metric", values="value", dropna=False)
    if {"failed", "diverged_step", "dead_step"} <= {*wide}:
        failed = wide.diverged_step.notna() | wide.dead_step.notna()
        yield from contradictions("failed", wide.failed, failed)
    watched = [*convergence.NEAR]
    if not {*watched, "converged", "high_quality", "failed"} <= {*part.measurements.metric.unique()}:
        return
    history = part.measurements[(part.measurements.statistic == "value") & part.measurements.metric.isin(watched)]
    for _, own in history[history.seed < KEPT].groupby("arm", sort=False):
        paths = own.pivot_table(index="step", columns=["metric", *RUN], values="value", dropna=False)
        runs = paths[watched[0]].columns
        metrics = {name: torch.tensor(wide[name].reindex(runs).to_numpy()) for name in ("high_quality", "failed")}
        metrics["failed"] = metrics["failed"] > 0
        found = convergence.judged({name: torch.tensor(paths[name][runs].to_numpy()) for name in watched}, metrics)
        for name, values in found.items():
            yield from contradictions(name, wide[name].reindex(runs), pd.Series(values.numpy(), runs))


def contradictions(metric, stored, derived):
    """Lines on runs whose stored value is not the derived one."""
    wrong = stored.index[(stored.to_numpy() != derived.to_numpy().astype(float)) & stored.notna().to_numpy()]
    if len(wrong):
        run = "/".join(map(str, wrong[0]))
        yield f"measurements.parquet: '{metric}' of {len(wrong)} runs contradicts their other values ({run})"


def spread(part):
    """Quartiles over seeds, wherever the values of all seeds are kept."""
    frame = part.measurements
    stored, values = frame[frame.statistic != "value"], frame[frame.statistic == "value"]
    if not len(stored):
        return
    last = {arm: own["steps"] for arm, own in part.arms.items()}
    path = [name for name in KEYS if name not in ("seed", "statistic")]
    counted = values.groupby(path).seed.nunique().reset_index(name="count")
    runs = [name for name in path if name != "step"]
    whole = counted[counted["count"] == counted.groupby(runs)["count"].transform("max")][path]
    derived = quartiles(values, last).merge(whole, on=path)
    both = derived.merge(stored, on=[*path, "statistic"], suffixes=("_derived", ""), how="left")
    known = both.value.where(np.isfinite(both.value))  # earlier records kept the infinite ones, which are undefined
    equal = np.isclose(known, both.value_derived, rtol=CLOSE, atol=0, equal_nan=True)
    yield from first(both[~equal].assign(seed=pd.NA), "quartiles", "those of the values")


def has_shards(part):
    """Whether all shards of a part lie beside it; one that trains nothing has none."""
    cards = [part.folder / "shards" / name / "card.json" for name in part.card["shards"]]
    return bool(part.arms) and all(card.exists() for card in cards)


def shards(part):
    """Measurements, samples and run cards against the shards that they were gathered from."""
    if not has_shards(part):
        return
    frames, last = [], {arm: own["steps"] for arm, own in part.arms.items()}
    for name, listed in part.card["shards"].items():
        folder = part.folder / "shards" / name
        own = json.loads((folder / "card.json").read_text())
        for key in CARD:
            if own[key] != listed[key]:
                yield f"card.json: '{key}' of {name} is not that of the shard"
        frames.append(pd.read_parquet(folder / "measurements.parquet"))
        runs = Shard(part.name, name.rpartition("-seed")[0], *own["seeds"], own["settings"]).runs
        for kind, stack in read_arrays(folder / "samples.npz").items():
            for run, array in zip(runs, stack, strict=True):
                key = f"{kind}/{run.arm}/{run.divergence}/{run.objective}/{run.seed}"
                if run.seed < KEPT and not np.array_equal(part.samples.get(key), array, equal_nan=True):
                    yield f"samples.npz: {key} is not that of the shard"
    every = pd.concat(frames, ignore_index=True)
    gathered = pd.concat([kept(every, last), quartiles(every, last)])
    both = part.measurements.merge(gathered, on=KEYS, how="outer", suffixes=("", "_shard"), indicator=True)
    equal = np.isclose(both.value, both.value_shard, rtol=CLOSE, atol=0, equal_nan=True)
    yield from first(both[(both._merge != "both") | ~equal], "values", "those of the shards")


def first(wrong, what, wanted):
    """A line on values that are not what they should be, with the place of the first."""
    if len(wrong):
        one = wrong.iloc[0]
        place = f"'{one.metric}' {one['rule']} of {one.arm}/{one.divergence}/{one.objective}, step {one.step}"
        seed = "" if pd.isna(one.seed) else f", seed {one.seed}"
        yield f"measurements.parquet: {len(wrong)} {what} are not {wanted} (the first: {one.statistic}, {place}{seed})"
