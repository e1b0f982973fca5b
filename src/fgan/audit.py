"""Where does a number come from, and is a record whole and current?"""

import json

import pandas as pd

from fgan import design, records
from fgan.records import RecordError


def check(record):
    """One line per finding on a record: checksums, code and claims against the working tree; none if all is well."""
    found = []
    for name in design.find():
        folder = record / name
        if not (folder / "card.json").exists():
            found.append(f"{name}: not run")
            continue
        checksums = folder / "checksums.txt"
        if not checksums.exists():
            found.append(f"{name}: checksums.txt is missing")
        for line in checksums.read_text().splitlines() if checksums.exists() else []:
            expected, file = line.split()
            if not (folder / file).exists() or records.file_hash(folder / file) != expected:
                found.append(f"{name}: {file} is not the file that was measured (checksum)")
        card = json.loads((folder / "card.json").read_text())
        if card["code_hash"] != records.code_hash(name):
            found.append(f"{name}: stale, the science code changed since it was trained (commit {card['commit'][:12]})")
        claims = f"experiments/{name}/claims.yaml"
        if card["claims_hash"] != records.file_hash(claims):
            found.append(f"{name}: the claims changed after the run, see: git log -p {claims}")
    return found


def origin(record, key):
    """Value, file, runs, settings, commit and command behind one number of the paper."""
    numbers = pd.read_csv(record / "numbers.csv")
    if key not in set(numbers.key):
        raise RecordError(f"no number '{key}' in {record / 'numbers.csv'}: {design.nearest(key, numbers.key)}")
    row = numbers[numbers.key == key].iloc[0]
    lines = [f"{key} = {row.text}", f"from {row.source}"]
    experiment = key.split(".")[0]
    if (record / experiment / "card.json").exists():
        card = json.loads((record / experiment / "card.json").read_text())
        versions = ", ".join(f"{k} {v}" for k, v in sorted(card["versions"].items()))
        lines += [f"trained at commit {card['commit']} on {card['device']} with {versions}",
                  f"again with: snakemake --cores all {experiment} --config record={record.name}"]  # fmt: skip
    return "\n".join(lines)
