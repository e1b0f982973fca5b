"""Where does a number come from, and is a record whole and current?"""

from pathlib import Path

import pandas as pd

from fgan import design, provenance
from fgan.records import Part, RecordError


def check(record):
    """One line per finding on a record: checksums, code and claims against the working tree; none if all is well."""
    found = []
    for name in design.find():
        folder = record / name
        if not (folder / "card.json").exists():
            if not design.read_yaml(f"experiments/{name}/experiment.yaml").get("optional"):
                found.append(f"{name}: not run")
            continue
        checksums = folder / "checksums.txt"
        if not checksums.exists():
            found.append(f"{name}: checksums.txt is missing")
        for line in checksums.read_text().splitlines() if checksums.exists() else []:
            expected, file = line.split()
            if not (folder / file).exists() or provenance.file_hash(folder / file) != expected:
                found.append(f"{name}: {file} is not the file that was measured (checksum)")
        card, claims = Part(folder).card, Path("experiments", name, "claims.yaml")
        written = provenance.file_hash(claims) if claims.exists() else None
        if stale(card):
            found.append(
                f"{name}: stale, the science code changed since it was trained at {' and '.join(card['commits'])}"
            )
        if any(shard["claims_hash"] != written for shard in card["shards"].values()):
            found.append(f"{name}: the claims changed after the run, see: git log -p {claims}")
    return found


def stale(card):
    """Whether the science code of the working tree is another than the one that trained a part."""
    code = provenance.code_hash(card["experiment"])
    return any(shard["code_hash"] != code for shard in card["shards"].values())


def origin(record, key):
    """Value, source, runs (seed, shard, value), settings, commit and command behind one number of the paper."""
    if not (record / "numbers.csv").exists():
        raise RecordError(f"{record} has no numbers; make them with: snakemake paper --config record={record.name}")
    numbers = pd.read_csv(record / "numbers.csv")
    if key not in set(numbers.key):
        raise RecordError(f"no number '{key}' in {record / 'numbers.csv'}: {design.nearest(key, numbers.key)}")
    row = numbers[numbers.key == key].iloc[0]
    lines = [f"{key} = {row.text}", f"from {row.source}"]
    words = key.split(".")
    experiment = words[0]
    if words[0] == "claim":
        claims = pd.read_csv(record / "tables" / "claims.csv").set_index("claim")
        experiment = claims.loc[words[1], "experiment"]
        lines += [f"  {name}: {value}" for name, value in claims.loc[words[1]].items()]
    part = Part(record / experiment)
    if part.folder.exists():
        lines += runs(part, words)
        lines += [f"trained at commit {' and '.join(part.card['commits'])} on {part.card['device']}"]
        lines += ["with " + ", ".join(f"{k} {v}" for k, v in sorted(part.card["versions"].items()))]
        lines += [f"again with: {part.card['command']}"]
    return "\n".join(lines)


def runs(part, words):
    """One line per run behind a key <experiment>.<arm>.<divergence>.<objective>.<metric>: seed, shard, value."""
    if len(words) < 5:
        return []
    arm, divergence, objective, metric = *words[1:4], ".".join(words[4:])
    rows = part.final(metric, arm)
    rows = rows[(rows.divergence == divergence) & (rows.objective == objective)]
    names = {
        seed: shard
        for shard in part.card["shards"]
        for seed in design.seeds_of(shard) if shard.startswith(f"{arm}-seed")
    }  # fmt: skip
    return [f"  seed {row.seed} (shard {names[row.seed]}): {row.value:.6g}" for row in rows.itertuples()]
