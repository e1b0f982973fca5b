"""Checks whether a record is whole and was made by the code and the claims of the working tree."""

import json
from pathlib import Path

from fgan import design
from fgan.files import file_hash
from fgan.record import provenance


def check(record, only=None):
    """One line per finding on a record: checksums, code and claims against the working tree; none if all is well.

    `only` names the experiments whose parts are checked (default: all). Raises DesignError for an unknown name.
    """
    lines, known = [], design.find()
    for name in only or known:
        if name not in known:
            raise design.DesignError(f"no experiment '{name}': {design.nearest(name, known)}")
        folder = record / name
        if not (folder / "card.json").exists():
            if not design.read_yaml(f"experiments/{name}/experiment.yaml").get("optional"):
                lines.append(f"{name}: not run")
            continue
        lines += damaged(folder)
        card, claims = json.loads((folder / "card.json").read_text()), Path("experiments", name, "claims.yaml")
        criteria = design.criteria_hash(claims) if claims.exists() else None
        if stale(card):
            commits = " and ".join(card["commits"])
            lines.append(f"{name}: stale, the science code changed since it was trained at {commits}")
        if any(shard["claims_hash"] != criteria for shard in card["shards"].values()):
            lines.append(f"{name}: the criteria of its claims changed after the run, see: git log -p {claims}")
    return lines


def damaged(folder):
    """One line for each file of a part that has changed since it was written."""
    checksums = folder / "checksums.txt"
    if not checksums.exists():
        return [f"{folder.name}: checksums.txt is missing"]
    pairs = [line.split() for line in checksums.read_text().splitlines()]
    return [
        f"{folder.name}: {file} is not the file that was measured (checksum)"
        for expected, file in pairs
        if not (folder / file).exists() or file_hash(folder / file) != expected
    ]


def stale(card):
    """Whether the science code of the working tree differs from the code that trained a part."""
    code = provenance.code_hash(card["experiment"])
    return any(shard["code_hash"] != code for shard in card["shards"].values())
