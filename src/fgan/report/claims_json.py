"""claims.json: every claim of a record with its criterion, measurement, verdict, runs and command, for other programs.

Its form is claims.schema.json beside this file. A number that is unknown or unbounded is null.
"""

import hashlib
import json
import math
from pathlib import Path

import numpy as np

from fgan import design
from fgan.record import audit, meaning
from fgan.report.checks import compared, listed
from fgan.report.part import RUN

SCHEMA = Path(__file__).with_name("claims.schema.json")
TEXTS = (
    "claim", "experiment", "kind", "exercise", "statement", "source", "known", "reason", "missing", "verdict", "why",
)  # fmt: skip
CRITERION = ("checks", "needs", "seeds", "scale", "published_steps")
NUMBERS = ("estimate", "low", "high", "allowed_low", "allowed_high", "p_holm")


def content(record, parts, frame, root="experiments"):
    """What claims.json says: the record, its digest, the hash of the code that judges, and an entry for each claim.

    `frame` holds the verdicts on these parts.
    """
    present, written = {part.name: part for part in parts}, design.all_claims(root)
    by_id = {claim["id"]: claim for own in written.values() for claim in own}
    entries = [entry(row, by_id[row["claim"]], present.get(row["experiment"])) for row in frame.to_dict("records")]
    return {"record": record.name, "digest": audit.digest(record), "judged_by": judged_by(root), "claims": entries}


def text(record, parts, frame):
    """The text of claims.json."""
    return json.dumps(content(record, parts, frame), indent=1, sort_keys=True, allow_nan=False) + "\n"


def entry(row, claim, part):
    """One claim: `row` is its verdict, `claim` what claims.yaml says, `part` the experiment's part or None."""
    flips = {"check": row["flips_check"], "bound": row["bound"], "now": finite(row["bound_now"])}
    flips |= {"at": finite(row["flips_at"]), "to": row["flips_to"]}
    return {
        **{key: row[key] for key in TEXTS}, "published": claim.get("published"),
        "criterion": {key: claim[key] for key in CRITERION if key in claim},
        "check": row["example"], "checks": row["checks"], **{key: finite(row[key]) for key in NUMBERS},
        "flips": flips if row["flips_to"] else None,
        "at_half_tolerance": row["at_half"] or None, "at_twice_tolerance": row["at_twice"] or None,
        "scale": part.design["scale"] if part else None, "share_of_published_length": finite(row["published_share"]),
        "runs": runs(part, claim) if part else {"number": 0, "which": [], "samplers": []},
        "command": part.card.get("command") if part else f"snakemake --cores all {row['experiment']}",
        "commits": part.card.get("commits", []) if part else [],
    }  # fmt: skip


def finite(value):
    """A number that JSON knows, or None."""
    return None if value is None or not math.isfinite(value) else float(value)


def runs(part, claim):
    """The runs that the checks of a claim select, and samplers that were not trained; a statistic may use every run."""
    wanted, samplers = set(), set()
    for check in claim["checks"]:
        samplers |= {*listed(check.get("sampler", [])), *listed(check.get("minus_baseline", {}).get("sampler", []))}
        if check["kind"] == "baseline":
            continue
        rows = part.final() if check["kind"] == "statistic" else part.final(check["metric"], rule=check.get("rule", ""))
        where = check.get("where", {}) | ({"divergence": compared(part, check)} if "each" in check else {})
        for selection in (where, where | check.get("minus", {})):
            chosen = [rows[column].isin(listed(names)) for column, names in selection.items()]
            found = rows[np.logical_and.reduce(chosen)] if chosen else rows
            wanted |= set(found[RUN].itertuples(index=False, name=None))
    groups = {}
    for *key, seed in sorted(wanted):
        groups.setdefault(tuple(key), []).append(int(seed))
    which = [dict(zip(RUN, (*key, ranges(seeds)), strict=True)) for key, seeds in groups.items()]
    return {"number": len(wanted), "which": which, "samplers": sorted(samplers)}


def ranges(seeds):
    """Sorted whole numbers as text, for example 0-4, 7."""
    spans = []
    for seed in seeds:
        if spans and seed == spans[-1][1] + 1:
            spans[-1][1] = seed
        else:
            spans.append([seed, seed])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)


def judged_by(root="experiments"):
    """SHA-256 of the meaning of the code that judges: report/claims.py with all that it imports, and each figures.py
    whose statistics a claim rests on."""
    files = [Path("src/fgan/report/claims.py")]
    for name, own in design.all_claims(root).items():
        if any(check["kind"] == "statistic" for claim in own for check in claim["checks"]):
            files.append(Path(root, name, "figures.py"))
    return hashlib.sha256(json.dumps(sorted(meaning.digest(file) for file in files)).encode()).hexdigest()
