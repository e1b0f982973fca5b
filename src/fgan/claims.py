"""Claims: published findings, each with a criterion written before the run, turned into verdicts.

A check reduces to an estimate with an interval and a range [low, high] that the claim allows:
  mean:        mean over seeds of a metric (Student's t); `minus_baseline` subtracts the divergence's exact value,
               `minus_sampler` the same metric of a sampler without training
  share:       share of runs whose metric is at least / at most a bound (Wilson); an undefined value counts against it
  difference:  paired difference over seeds of two selections (exact permutation, Holm over the experiment's claims)
  equal:       largest difference between paired runs of two selections
  baseline:    value of a metric of a sampler without training, without an interval; one check for each `sampler`
  statistic:   (estimate, low, high) by the function `statistic_<name>(part)` in the experiment's figures.py: what is no
               value of a run but a statistic over runs; has the keys `statistic` (the name), `low` and `high` alone
A check holds where the whole interval lies inside the range, fails where it lies outside, and is undecided between.
A difference is decided by its p-value instead, and then holds or fails by the side that its estimate lies on.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from fgan.criteria import read
from fgan.design import SCALES, find, left_out, module
from fgan.statistics import holm, paired_permutation, t_interval, wilson

VERDICTS = ("replicated", "partly", "not replicated", "undecided", "not run")
UNKNOWN = (math.inf, -math.inf, math.inf)  # estimate and interval where a run failed


@dataclass
class Result:
    """One check: its estimate, interval, allowed range, and the p-value of a difference."""

    label: str
    estimate: float
    low: float
    high: float
    allowed: tuple
    seeds: int
    p: float | None = None

    @property
    def excess(self):
        """How far the estimate lies outside the allowed range; negative inside, -inf where it is unknown."""
        outside = max(self.allowed[0] - self.estimate, self.estimate - self.allowed[1])
        return outside if math.isfinite(outside) else -math.inf

    @property
    def outcome(self):
        if math.isnan(self.estimate):
            return "not run"
        lower, upper = self.allowed
        if self.p is not None:
            return "undecided" if self.p > 0.05 else "holds" if lower <= self.estimate <= upper else "fails"
        if lower <= self.low and self.high <= upper:
            return "holds"
        return "fails" if self.high < lower or self.low > upper else "undecided"


def select(part, metric, where):
    """Final values of a metric by (arm, divergence, objective, seed), for the runs that `where` names."""
    rows = part.final(metric)
    for column, wanted in where.items():
        rows = rows[rows[column].isin(wanted if isinstance(wanted, list) else [wanted])]
    return rows


def results(part, check, root="experiments"):
    """The results of one check: one, or one per divergence where `each` stands."""
    where = check.get("where", {})
    if check["kind"] == "statistic":
        return [statistic(part, check, root)]
    if check["kind"] == "baseline":
        wanted = check["sampler"]
        return [untrained(part, check, name) for name in (wanted if isinstance(wanted, list) else [wanted])]
    if "each" in check:
        names = [n for n in check["each"].get("only", part.divergences) if n not in check["each"].get("except", [])]
        return [measure(part, check, where | {"divergence": name}, name) for name in names]
    return [measure(part, check, where, None)]


def untrained(part, check, sampler):
    """The result for a sampler that was not trained: its mean over draws, as it stands."""
    rows = part.baselines(check["metric"])

    def value(name):
        return float(rows[rows.divergence == name].value.mean())

    estimate = value(sampler) - (value(check["minus_sampler"]) if "minus_sampler" in check else 0.0)
    allowed = (check.get("low", -math.inf), check.get("high", math.inf))
    return Result(f"{check['metric']}, {sampler}", estimate, estimate, estimate, allowed, math.inf)


def statistic(part, check, root):
    """The result of a statistic over runs, from the experiment's own figures.py."""
    function = getattr(module(root, part.design["name"], "figures"), f"statistic_{check['statistic']}")
    allowed = (check.get("low", -math.inf), check.get("high", math.inf))
    return Result(check["statistic"].replace("_", " "), *function(part), allowed, part.final().seed.nunique())


def measure(part, check, where, name):
    """One result: see the module's docstring for the kinds."""
    metric, kind = check["metric"], check["kind"]
    rows = select(part, metric, where)
    allowed = (check.get("low", -math.inf), check.get("high", math.inf))
    seeds = rows.seed.nunique()
    # A claim may name a divergence that this scale does not train.
    label = metric + (f", {part.divergences.get(name, {'label': name})['label']}" if name else "")
    if kind == "share":
        good = rows.value >= check["at_least"] if "at_least" in check else rows.value <= check["at_most"]
        # A run that failed has no value: it counts against the claim, whichever bound the claim has.
        share, low, _ = wilson(int(good.sum()), len(rows))
        high = wilson(int((good | rows.value.isna()).sum()), len(rows))[2]
        return Result(label, share, low, high, allowed, seeds)
    if kind == "mean":
        shift = 0.0
        if "minus_baseline" in check:
            base = part.baselines(check["minus_baseline"])
            shift = float(base[base.divergence == name].value.iloc[0])
        if "minus_sampler" in check:
            base = part.baselines(metric)
            shift = float(base[base.divergence == check["minus_sampler"]].value.mean())
        # A run that failed counts: its value is undefined, the mean too, and nothing is known of where it lies.
        values = rows.value.to_numpy() - shift
        estimate = t_interval(values) if np.isfinite(values).all() else UNKNOWN
        return Result(label, *(estimate if len(values) else (math.nan,) * 3), allowed, seeds)
    other = select(part, metric, where | check["minus"])
    pairs = rows.merge(
        other,
        on=[c for c in ("arm", "divergence", "objective", "seed") if c not in check["minus"]],
        suffixes=("", "_other"),
    )
    difference = (pairs.value - pairs.value_other).to_numpy()
    if kind == "equal":
        if not len(difference):
            return Result(label, *(math.nan,) * 3, allowed, seeds)
        largest = float(np.abs(difference).max())
        paired = len(difference) == len(rows) == len(other) and math.isfinite(largest)
        return Result(label, *((largest,) * 3 if paired else UNKNOWN), allowed, seeds)
    estimate, low, high = t_interval(difference)
    if len(difference) < 20 and np.array_equal(difference, np.round(difference)):
        low = high = math.nan  # counts with ties: a t interval of few seeds says more than it knows
    return Result(label, estimate, low, high, allowed, seeds, paired_permutation(difference))


def judge(part, claims, root="experiments"):
    """Rows (claim, verdict, reason, numbers) for all claims of an experiment; Holm's family is all its differences."""
    found = {claim["id"]: [r for check in claim["checks"] for r in results(part, check, root)] for claim in claims}
    tests = [r for rs in found.values() for r in rs if r.p is not None]
    for result, adjusted in zip(tests, holm([r.p for r in tests]), strict=True):
        result.p = float(adjusted)
    return [verdict(part, claim, found[claim["id"]]) for claim in claims]


def verdict(part, claim, checks):
    """The verdict on one claim from its checks, and in one phrase why."""
    outcomes = [check.outcome for check in checks]
    fewest, needed = min(check.seeds for check in checks), claim.get("seeds", 2)
    scale, wanted = part.design["scale"], claim.get("scale", "smoke")
    counts = {o: outcomes.count(o) for o in ("holds", "fails", "undecided", "not run")}
    verbs = {"holds": "hold", "fails": "fail"}
    why = ", ".join(f"{n} {verbs.get(o, o)}" for o, n in counts.items() if n)
    why = (
        f"of {len(checks)} checks {why}"
        if len(checks) > 1
        else f"the check {outcomes[0]}".replace("check und", "check is und")
    )
    if all(o == "not run" for o in outcomes):
        name, why = "not run", "no measurement in this record"
    elif SCALES.index(scale) < SCALES.index(wanted):
        name, why = "undecided", f"scale {scale}, the claim needs {wanted}; so far {why}"
    elif fewest < needed:
        name, why = "undecided", f"{fewest} seeds, the claim needs {needed}; so far {why}"
    elif all(o == "holds" for o in outcomes):
        name = "replicated"
    elif all(o == "fails" for o in outcomes):
        name = "not replicated"
    elif counts["holds"] and counts["fails"]:
        name = "partly"
    else:
        name = "undecided"
    worst = max(checks, key=lambda c: (("not run", "holds", "undecided", "fails").index(c.outcome), c.excess))
    return {
        "experiment": part.design["name"], "claim": claim["id"], "exercise": claim.get("exercise", ""),
        "statement": claim["statement"], "source": claim["source"], "published": claim.get("published", ""),
        "known": claim.get("known", ""), "verdict": name, "why": why, "checks": len(checks), "example": worst.label,
        "estimate": worst.estimate, "low": worst.low, "high": worst.high,
        "allowed_low": worst.allowed[0], "allowed_high": worst.allowed[1], "p_holm": worst.p,
    }  # fmt: skip


def verdicts(parts, root="experiments"):
    """Verdicts of all claims, in the order of the experiments; not run where the record lacks the experiment."""
    rows, found = [], {part.design["name"]: part for part in parts}
    for name in find(root):
        path = Path(root, name, "claims.yaml")
        if path.exists() and name in found:
            rows += judge(found[name], read(path), root)
        elif path.exists():
            rows += [not_run(name, claim, left_out(name, root)) for claim in read(path)]
    return pd.DataFrame(rows)


def not_run(experiment, claim, why):
    """The row of a claim whose experiment is not in the record."""
    known = {key: claim.get(key, "") for key in ("exercise", "statement", "source", "published", "known")}
    numbers = dict.fromkeys(("estimate", "low", "high", "allowed_low", "allowed_high", "p_holm"), math.nan)
    return {"experiment": experiment, "claim": claim["id"], "verdict": "not run", "why": why, "checks": 0,
            "example": ""} | known | numbers  # fmt: skip
