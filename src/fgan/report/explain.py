"""Traces a number of the paper to its source and its runs."""

import pandas as pd

from fgan.design import nearest, seeds_of
from fgan.files import RecordError
from fgan.report.part import Part

SAME = "(the same bytes on a CPU if fingerprint, versions, code and design are equal; nothing more is promised)"


def origin(record, key):
    """Value, source, runs (seed, shard, value), commit, machine and command behind one number of the paper, as text.

    Raises RecordError for a key that the record's numbers do not have.
    """
    if not (record / "numbers.csv").exists():
        raise RecordError(f"{record} has no numbers; make them with: snakemake paper --config record={record.name}")
    numbers = pd.read_csv(record / "numbers.csv", dtype={"rule": str}, keep_default_na=False).set_index("key")
    if key not in numbers.index:
        raise RecordError(f"no number '{key}' in {record / 'numbers.csv'}: {nearest(key, numbers.index)}")
    row = numbers.loc[key]
    lines, experiment = [f"{key} = {row.text}", f"from {row.source}"], row.experiment
    if row.claim:
        claims = pd.read_csv(record / "tables" / "claims.csv").set_index("claim")
        lines += [f"  {name}: {value}" for name, value in claims.loc[row.claim].dropna().items()]
        experiment = claims.loc[row.claim, "experiment"]
    part = Part(record / experiment)
    if experiment and part.folder.exists():
        lines += runs(part, row) if row.arm else []
        lines += [f"trained at commit {' and '.join(part.card['commits'])} on {part.card['device']}"]
        lines += ["with " + ", ".join(f"{k} {v}" for k, v in sorted(part.card["versions"].items()))]
        lines += [f"on a machine with {machine}" for machine in part.machines]
        lines += [f"again with: {part.card['command']}", SAME]
    return "\n".join(lines)


def runs(part, row):
    """One line for each run behind a measured number: seed, shard, value."""
    rows = part.final(row.metric, row.arm, row["rule"])
    rows = rows[(rows.divergence == row.divergence) & (rows.objective == row.objective)]
    shards = [shard for shard in part.card["shards"] if shard.startswith(f"{row.arm}-seed")]
    names = {seed: shard for shard in shards for seed in seeds_of(shard)}
    return [f"  seed {run.seed} (shard {names[run.seed]}): {run.value:.6g}" for run in rows.itertuples()]
