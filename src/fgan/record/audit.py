"""Checks whether a record is whole and was made by the code, the designs and the claims of the working tree.

These checks read files and cards alone; `fgan.report.recompute` makes all that is shown again.
"""

import hashlib
import json
import re
import subprocess
from pathlib import Path

import pandas as pd

from fgan import design
from fgan.design import DesignError, Shard
from fgan.design.resolution import without
from fgan.files import RecordError, file_hash
from fgan.record import provenance
from fgan.record.write import PART_FILES


def check(record, only=None):
    """One line per finding on a record, that begins with the experiment; none if all is well.

    `only` names the experiments whose parts are checked (default: all). Raises DesignError for an unknown name.
    """
    lines, changed, known = [], uncommitted(record), design.find()
    for name in only or known:
        if name not in known:
            raise DesignError(f"no experiment '{name}': {design.nearest(name, known)}")
        folder = record / name
        if not any((folder / file).exists() for file in PART_FILES):
            if not design.read_yaml(f"experiments/{name}/experiment.yaml").get("optional"):
                lines.append(f"{name}: not run")
            continue
        wrong = damaged(folder) + [f"{name}: {file} is not the committed one (git diff)" for file in changed(name)]
        lines += wrong + ([touched(name)] if wrong else [])
        try:
            lines += outdated(folder)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:  # of a damaged file
            lines.append(f"{name}: card.json or design.json cannot be read ({type(error).__name__}: {error})")
        except (RecordError, DesignError) as error:
            lines.append(f"{name}: not compared with the code and designs here, because {error}")
    return lines


def damaged(folder):
    """One line for each file of a part that has changed since it was written."""
    checksums = folder / "checksums.txt"
    if not checksums.exists():
        return [f"{folder.name}: checksums.txt is missing"]
    pairs = [line.split() for line in checksums.read_text(errors="replace").splitlines()]
    expected = dict.fromkeys(PART_FILES) | {file: hashed for hashed, file in (pair for pair in pairs if len(pair) == 2)}
    return [
        f"{folder.name}: {file} is not the file that was measured (checksum)"
        for file, hashed in expected.items()
        if not (folder / file).exists() or file_hash(folder / file) != hashed
    ]


def uncommitted(record):
    """A function of an experiment: files of its part that differ from the commit, where git knows the record."""
    call = dict(capture_output=True, text=True, check=True)
    try:
        known = subprocess.run(["git", "ls-files", "--", str(record)], **call).stdout
        status = subprocess.run(["git", "status", "--porcelain", "-uall", "--", str(record)], **call).stdout
    except (OSError, subprocess.CalledProcessError):
        known = status = ""
    paths = [Path(line[3:]) for line in status.splitlines()] if known else []
    return lambda name: sorted(path.name for path in paths if path.parent.name == name)


def touched(name):
    """The figures, tables and claims that rest on an experiment's part, as a line."""
    kinds = {k: [n for n, (own, *_) in design.captions(k).items() if own == name] for k in ("figure", "table")}
    claims = Path("experiments", name, "claims.yaml")
    kinds["claim"] = [claim["id"] for claim in design.read_yaml(claims)["claims"]] if claims.exists() else []
    rest = "; ".join(f"{kind}s {', '.join(names)}" for kind, names in kinds.items() if names)
    return f"{name}: touched: {rest or 'nothing that is shown'}"


def outdated(folder):
    """Lines on the code, the criteria and the settings that made a part, against those of the working tree.

    A part whose trainings were cut short is no part of its scale, although the design with that cut is today's.
    """
    name, cut = folder.name, json.loads((folder / "design.json").read_text()).get("cut")
    lines = [f"{name}: its trainings were cut to {cut} steps by max_steps"] if cut else []
    card, claims = json.loads((folder / "card.json").read_text()), Path("experiments", name, "claims.yaml")
    criteria = design.criteria_hash(claims) if claims.exists() else None
    if any(shard["claims_hash"] != criteria for shard in card["shards"].values()):
        lines.append(f"{name}: the criteria of its claims changed after the run, see: git log -p {claims}")
    written, now = trained(folder), planned(name, card)
    for shard in written:
        if card["shards"][shard]["settings_hash"] != written[shard].hash:
            lines.append(f"{name}: {shard} was trained by other settings than those in design.json")
    others = [shard for shard, own in card["shards"].items() if now(shard) != own["settings_hash"]]
    if others:
        log = f"git log -p experiments/{name}/experiment.yaml"
        lines.append(f"{name}: {len(others)} of {len(written)} shards differ from today's design, see: {log}")
    if stale(card):
        commits = " and ".join(card["commits"])
        lines.append(f"{name}: stale, the science code changed since it was trained at {commits}")
    return lines


def stale(card):
    """Whether the science code of the working tree differs from the code that trained a part."""
    code = provenance.code_hash(card["experiment"])
    return any(shard["code_hash"] != code for shard in card["shards"].values())


def trained(folder):
    """{name: shard} of a part's card, with the settings of its design.json and the divergences of its measurements."""
    written, card = (json.loads((folder / f"{file}.json").read_text()) for file in ("design", "card"))
    rows = pd.read_parquet(folder / "measurements.parquet", columns=["arm", "divergence", "seed"]).drop_duplicates()
    shards = {}
    for shard in card["shards"]:
        arm, (first, *_, last) = shard.rpartition("-seed")[0], (*design.seeds_of(shard),) * 2
        if arm in written["arms"]:
            settings = without(written["arms"][arm], "seeds", "factors")
            there = set(rows[(rows.arm == arm) & (rows.seed == first)].divergence)
            settings |= {"divergences": [name for name in settings["divergences"] if name in there]}
        else:  # an experiment that trains nothing
            settings = written["settings"] | {"divergences": [], "objectives": []}
        shards[shard] = Shard(written["name"], arm, first, last, settings)
    return shards


def planned(name, card):
    """A function of a shard's name: the hash of its settings in today's design; None if that has no such shard."""
    words = dict(re.findall(r"(record|seeds|max_steps)=(\w+)", card["command"]))
    options = {key: int(value) for key, value in words.items() if key != "record"}
    now = design.load(name, words["record"], **options)

    def hashed(shard):
        if not now.arms:
            settings = without(now.common, *design.SHOWN) | {"divergences": [], "objectives": []}
            return Shard(name, "baseline", 0, 0, settings).hash
        known = shard.rpartition("-seed")[0] in now.arms and design.seeds_of(shard)
        return now.shard(shard).hash if known else None

    return hashed


def digest(record):
    """SHA-256 of the files of all parts of a record, by their names: what the paper prints, and no edit keeps."""
    files = sorted(path for path in record.glob("*/*") if path.name in PART_FILES)
    names = [f"{path.parent.name}/{path.name} {file_hash(path)}\n" for path in files]
    return hashlib.sha256("".join(names).encode()).hexdigest()
