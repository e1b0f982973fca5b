"""Every number that the paper may name: a macro with its text, value and source."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from fgan import design
from fgan.files import RecordError
from fgan.record.audit import digest, stale
from fgan.report import overview, sentences
from fgan.report.claims import counts
from fgan.report.contrasts import contrasts
from fgan.report.printed import escape, measured, number

COLUMNS = ("key", "text", "value", "source", "experiment", "arm", "divergence", "objective", "metric", "rule", "claim")

ENDS = {"diverged_step": "diverged", "dead_step": "dead"}  # metrics of how a run ended, with the names of their counts
UNMEASURED = "not measured by the code that trained this part"
DRAWS = ["sampler", "divergence", "metric", "rule"]


def collect(record, parts):
    """Rows of COLUMNS; keys are like ring.tanh.kl.saddle.modes, with a rule in brackets after its metric."""
    rows = [row for part in parts for row in (*facts(part), *judged(part), *untrained(part))]
    rows += [
        *claims(record),
        *told(record, parts),
        *of_the_record(record, parts),
        *formulas(),
        *captions(record, parts),
    ]
    rows += unmeasured(parts, {one["key"] for one in rows})
    return pd.DataFrame([dict.fromkeys(COLUMNS[4:], "") | one for one in rows], columns=list(COLUMNS))


def row(key, text, value, source, **origin):
    return {"key": key, "text": text, "value": value, "source": source} | origin


def facts(part):
    """The design's numbers: runs, seeds, steps, batches, settings of the measurements and of the target."""
    d, s = part.design, part.design["settings"]
    values = {"runs": d["runs"], "seeds": d["seeds"], "divergences": len(part.divergences)}
    values |= {key: s[key] for key in ("steps", "batch") if key in s}
    values |= {f"{arm}.{key}": own[key] for arm, own in part.arms.items() for key in ("seeds", "steps", "batch")}
    for place in ("measure", "target"):
        values |= {f"{place}.{k}": v for k, v in s[place].items() if isinstance(v, (int, float))}
    texts = {key: f"{value:,}" for key, value in values.items()}
    texts |= {f"target.{k}": ", ".join(map(number, v)) for k, v in s["target"].items() if isinstance(v, list)}
    texts |= {f"measure.{k}": escape(v) for k, v in s["measure"].items() if isinstance(v, str)}
    texts |= {"scale": d["scale"]} | {k: f"{v}" for k, v in part.card.get("facts", {}).items()}
    source = f"{part.name}/design.json"
    return [row(f"{part.name}.{k}", t, values.get(k), source, experiment=part.name) for k, t in texts.items()]


def judged(part):
    """Mean over seeds of each judged metric, and the number of runs that diverged or died."""
    rows, final = [], part.final()
    groups = final[~final.metric.isin(ENDS)].groupby(["arm", "divergence", "objective", "metric", "rule"], sort=False)
    for (arm, divergence, objective, metric, rule), values in groups.value:
        mean = float(values.mean()) if np.isfinite(values).all() else float("nan")
        name, runs = qualified(metric, rule), f"{len(values)} seeds of {arm}/{divergence}/{objective}"
        source = f"{part.name}/measurements.parquet: mean of '{name}' at step {part.arms[arm]['steps']} over {runs}"
        origin = dict(arm=arm, divergence=divergence, objective=objective, metric=metric, rule=rule)
        key = f"{part.name}.{arm}.{divergence}.{objective}.{name}"
        rows.append(row(key, number(mean), mean, source, experiment=part.name, **origin))
    for metric, word in ENDS.items():
        count = int(final[final.metric == metric].value.count())
        source = f"{part.name}/measurements.parquet: runs with a '{metric}'"
        rows.append(row(f"{part.name}.{word}", str(count), count, source, experiment=part.name))
    return rows


def untrained(part):
    """Mean over draws of each baseline; undefined if a draw has no value."""
    groups = part.untrained.groupby(DRAWS, sort=False)
    rows = []
    for (sampler, divergence, metric, rule), draws in groups.value:
        value = float(draws.mean(skipna=False))
        name, key = qualified(metric, rule), baseline_key(part, sampler, divergence, metric, rule)
        source = f"{part.name}/baselines.parquet: '{sampler}', mean of '{name}'"
        rows.append(row(key, number(value), value, source, experiment=part.name))
    return rows


def baseline_key(part, sampler, divergence, metric, rule):
    """The key of a baseline; one that belongs to no divergence names none."""
    return ".".join(filter(None, (part.name, "baseline", sampler, divergence, qualified(metric, rule))))


def qualified(metric, rule):
    """A metric's name with its rule in brackets, if it has one."""
    return f"{metric} [{rule}]" if rule else metric


MEASURED = (
    "estimate", "low", "high", "allowed_low", "allowed_high", "p_holm", "published_share", "bound_now", "flips_at",
)  # fmt: skip


def read_claims(record):
    """The frame of tables/claims.csv: MEASURED are numbers or NaN, all other columns but `checks` texts."""
    if not (path := record / "tables" / "claims.csv").exists():
        raise RecordError(
            f"{record} has no table of claims; make it with: python -m fgan claims --record {record.name}"
        )
    frame = pd.read_csv(path, keep_default_na=False)
    there = [name for name in MEASURED if name in frame]
    return frame.assign(**{name: pd.to_numeric(frame[name], errors="coerce").astype(float) for name in there})


def claims(record):
    """The mark on each claim with its measurement, and the number of claims with each verdict, by kind."""
    frame, source, rows = read_claims(record), "tables/claims.csv", []
    for claim in frame.itertuples():
        rows.append(row(f"claim.{claim.claim}", overview.verdict(claim), None, source, claim=claim.claim))
        text = measured(claim)
        rows.append(row(f"claim.{claim.claim}.measured", text, claim.estimate, source, claim=claim.claim))
    for kind, table in counts(frame).iterrows():
        prefix = "claims." if kind == "all" else f"claims.{kind}."
        rows += [row(prefix + verdict, str(count), count, source) for verdict, count in table.items()]
    return rows


def told(record, parts):
    """What the paper tells of the claims: page 1, the findings of each question, and sentences over several parts."""
    frame = read_claims(record)
    templates, first, questions, last = sentences.read(set(frame.claim))
    own, computed = overview.of_fgan(frame), untrained_claims()
    texts = {f"page.{key}": text for key, text in sentences.page_one(frame, templates, first, computed).items()}
    texts |= {"page.seeds": seeds(parts), "page.still": still(parts)}
    texts["page.identities"] = overview.tally(frame[frame.kind == "identity"])
    texts |= {f"conclusion.{name}": text for name, text in sentences.conclusions(frame, last).items()}
    texts |= {"page.fgan": str(len(own)), "page.tally": overview.tally(own)}
    texts["page.verdicts"] = overview.tally(frame[frame.kind != "identity"])
    texts |= {"page.absent": overview.absent(parts, frame), "page.scales": overview.scales(parts)}
    texts["page.caution"] = overview.caution(parts)
    texts |= {f"findings.{name}": sentences.findings(frame, templates, names) for name, names in questions.items()}
    texts |= {f"told.{claim.claim}": sentences.line(claim, templates) for claim in frame.itertuples()}
    texts |= {f"contrast.{name}": text for name, text in contrasts(parts).items()}
    return [row(key, text, None, f"tables/claims.csv, {sentences.SOURCE}") for key, text in texts.items()]


def untrained_claims():
    """The claims whose checks are all computed, none of them from a training."""
    every = (claim for claims in design.all_claims().values() for claim in claims)
    return {claim["id"] for claim in every if {check["kind"] for check in claim["checks"]} == {"baseline"}}


def seeds(parts):
    """How many seeds the arms of a record have that trained, as a range."""
    counts = [own["seeds"] for part in parts if part.design["runs"] for own in part.arms.values()] or [0]
    return f"{min(counts)}" if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"


def still(parts):
    """How many experiments of a record train nothing, in brackets; '' if none."""
    count = sum(not part.design["runs"] for part in parts)
    return f" (of which {count} only {'computes' if count == 1 else 'compute'})" if count else ""


def unmeasured(parts, known):
    """Words for each number that the section of a part names and that its older code did not measure.

    Of a part whose code is current such a name is a mistake, which stops the compilation.
    """
    rows = []
    for part in parts:
        section = Path("paper", "sections", f"{part.name}.tex")
        if section.exists() and stale(part.card):
            for key in dict.fromkeys(re.findall(r"\\val\{([^{}]*)\}", section.read_text(encoding="utf-8"))):
                if key.startswith(f"{part.name}.") and key not in known:
                    rows.append(row(key, "not measured", None, UNMEASURED))
    return rows


def of_the_record(record, parts):
    """Facts about the record as a whole."""
    commits = {re.sub(r"^([0-9a-f]{12})[0-9a-f]+", r"\1", commit) for part in parts for commit in part.card["commits"]}
    old = ", ".join(part.name.replace("_", " ") for part in parts if stale(part.card))
    designs, cards = "design.json of each part", "card.json of each part"
    cut = sorted({part.design["cut"] for part in parts if "cut" in part.design})
    texts = {
        "name": (f"{record.name}, cut to {cut[0]} steps" if cut else record.name, "the setting record"),
        "option": (option(record, parts), "the setting record and the commands in card.json"),
        "runs": (f"{sum(part.design['runs'] for part in parts):,}", designs),
        "scale": (", ".join(sorted({part.design["scale"] for part in parts})), designs),
        "commit": (escape(", ".join(sorted(commits))), cards),
        "fingerprint": (escape("; ".join(sorted({words for part in parts for words in part.machines}))), cards),
        "device": (", ".join(sorted({part.card["device"] for part in parts})), cards),
        "code": (f"has changed since ({escape(old)})" if old else "is current", f"{cards}, science files"),
        "digest": (digest(record), "all files of the parts"),
        "torch": (parts[0].card["versions"]["torch"], cards),
    }
    return [row(f"record.{key}", text, None, source) for key, (text, source) in texts.items()]


def option(record, parts):
    """The end of a command that makes `parts` again as they are, for TeX: the record, and the seeds that they share."""
    told = {part.card.get("command", "").partition("-config record=")[2].partition(" ")[2] for part in parts}
    words = [] if record.name == "full" else [f"record={record.name}"]
    if record.name != "reference" and len(told) == 1:  # one that is only shown is not trained again
        words += [escape(word) for word in told.pop().split()]
    return f" -{{}}-config {' '.join(words)}" if words else ""


def formulas():
    """The formulas of the table of divergences, for math mode."""
    from fgan.divergences import DIVERGENCES

    return [
        row(f"formula.{name}.{field}", text, None, "src/fgan/divergences.py")
        for name, divergence in DIVERGENCES.items()
        for field, text in divergence.latex._asdict().items()
    ]


def captions(record, parts):
    """The caption of each figure and table, with the command that rebuilds it from the part as it is."""
    made = {part.name: part for part in parts}
    own = {name: option(record, [made[name]] if name in made else parts) for name in design.find()}
    return [
        row(f"caption.{kind}.{name}", rf"{escape(caption)} \rebuild[{own[experiment]}]{{{kind}\_{escape(name)}}}", None,
            f"experiments/{experiment}/experiment.yaml")
        for kind in ("figure", "table") for name, (experiment, _, caption) in design.captions(kind).items()
    ]  # fmt: skip


def macros(frame):
    """numbers.tex: one \\fganset{key}{text} per number; a key's % would be a comment to TeX, and is spelt out.

    Raises RecordError if two numbers have one key: the second would replace the first.
    """
    keys = frame.key.str.replace("%", "percent")
    if keys.duplicated().any():
        first, second, *_ = frame.key[keys == keys[keys.duplicated()].iloc[0]]
        raise RecordError(f"two numbers of the paper have one key: '{first}' and '{second}'; rename a metric or a rule")
    return "".join(f"\\fganset{{{key}}}{{{text}}}\n" for key, text in zip(keys, frame.text, strict=True))
