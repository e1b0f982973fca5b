"""Explains a number of the paper."""

from fgan.report import numbers
from fgan.report.claims import verdicts
from fgan.report.draw import parts
from fgan.report.explain import origins
from fgan.report.explain.origins import known, meaning
from fgan.report.pages import plain

MEAN = "estimator: mean over {n} seeds at the last step, (1/n) sum_s x_s; undefined if one run has no value"


def number(record, key):
    """A number of the paper: its value, estimator, rows and runs."""
    present = parts(record)
    owners = [part for part in present if key.startswith(f"{part.name}.")]
    made = [row for part in owners for of in (numbers.facts, numbers.judged, numbers.untrained) for row in of(part)]
    if key.startswith("claims."):
        made += tallies(present)
    elif not owners:
        made += [*numbers.of_the_record(record, present), *numbers.formulas(), *numbers.captions(record, present)]
        made += numbers.told(record, present)
    rows = {row["key"]: row for row in made}
    rows |= {row["key"]: row for row in numbers.unmeasured(owners, rows)}
    row = rows[known(key.replace("percent", "%") if key not in rows else key, rows, "number")]
    lines = [f"{row['key']} = {plain(row['text'])}", f"from {row['source']}"]
    if not owners:
        return lines + row.get("lines", [])
    (part,) = owners
    if row["source"] == numbers.UNMEASURED:
        return lines + origins.made(part)
    ends = {f"{part.name}.{word}": metric for metric, word in numbers.ENDS.items()}
    if "arm" in row:
        own = part.final(row["metric"], row["arm"], row["rule"])
        own = own[(own.divergence == row["divergence"]) & (own.objective == row["objective"])]
        lines += [meaning(part, row["metric"]), MEAN.format(n=len(own)), *origins.runs(part, own)]
    elif row["key"] in ends:
        own = part.final(ends[row["key"]]).dropna(subset=["value"])
        lines += [meaning(part, ends[row["key"]]), "estimator: number of runs that have this value at their end"]
        lines += origins.runs(part, own)
    elif ".baseline." in row["key"]:
        own = part.untrained[
            [numbers.baseline_key(part, *r) == row["key"] for r in part.untrained[numbers.DRAWS].values]
        ]
        lines += [meaning(part, own.metric.iloc[0]), "estimator: mean over draws of a sampler that was not trained"]
        return lines + origins.draws(own) + origins.made(part)
    else:
        own = None
        lines.append(f"set in experiments/{part.name}/experiment.yaml, at the scale {part.design['scale']}")
    return lines + origins.made(part, own)


def tallies(present):
    """Rows of the counts of claims by verdict, with the claims that each counts; only a count reads all claims."""
    frame, rows = verdicts(present), []
    for kind, table in numbers.counts(frame).iterrows():
        own = frame if kind == "all" else frame[frame.kind == kind]
        own = own[own.kind != "identity"] if kind == "all" else own
        for verdict, count in table.items():
            names = own.claim if verdict == "all" else own.claim[own.verdict == verdict]
            key = f"claims.{verdict}" if kind == "all" else f"claims.{kind}.{verdict}"
            lines = ["estimator: number of claims with this verdict", *(f"  claim.{name}" for name in names)]
            rows.append({"key": key, "text": str(count), "source": "the verdict on every claim", "lines": lines})
    return rows
