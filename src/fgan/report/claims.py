"""Claims: findings with a criterion that was written before the run, turned into verdicts.

A check reduces to an estimate with an interval and a range [low, high] that the claim allows:
  mean:        mean over seeds of a metric (Student's t); `minus_baseline` subtracts a sampler's metric
  share:       share of runs whose metric is at least / at most a bound (Wilson); an undefined value counts against it
  difference:  paired difference over seeds of two selections (exact permutation, Holm over the experiment's claims)
  equal:       largest difference between paired runs of two selections
  baseline:    a metric of a sampler that was not trained, without an interval; one check per sampler and divergence
  statistic:   (estimate, low, high) by the function `statistic_<name>(part)` in the experiment's figures.py, for a
               statistic over runs that is no value of a run
A check holds if the whole interval lies inside the range, fails if it lies outside, and is undecided otherwise.
A difference is decided by its p-value instead, and then holds or fails by the side that its estimate lies on.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fgan import design
from fgan.report.statistics import holm, paired_permutation, t_interval, wilson

VERDICTS = ("replicated", "partly", "not replicated", "undecided", "not run")
UNKNOWN = (math.inf, -math.inf, math.inf)  # estimate and interval if a run failed
MISSING = (math.nan,) * 3  # if nothing was measured
TEXTS = ("exercise", "statement", "source", "published", "known")


@dataclass
class Result:
    """One check: its estimate, interval, allowed range, and the p-value of a difference."""

    label: str
    estimate: float
    low: float
    high: float
    allowed: tuple
    seeds: float
    p: float | None = None

    @property
    def excess(self):
        """How far the estimate lies outside the allowed range; negative inside, -inf if unknown."""
        outside = max(self.allowed[0] - self.estimate, self.estimate - self.allowed[1])
        return outside if math.isfinite(outside) else -math.inf

    @property
    def outcome(self):
        """'holds', 'fails', 'undecided', or 'not run' if nothing was measured."""
        if math.isnan(self.estimate):
            return "not run"
        lower, upper = self.allowed
        if self.p is not None:
            return "undecided" if self.p > 0.05 else "holds" if lower <= self.estimate <= upper else "fails"
        if lower <= self.low and self.high <= upper:
            return "holds"
        return "fails" if self.high < lower or self.low > upper else "undecided"


def listed(value):
    """A value as a list: itself, or its only entry."""
    return value if isinstance(value, list) else [value]


def select(part, check, where):
    """The judged rows of a check's metric and rule for the runs that `where` names."""
    rows = part.final(check["metric"], rule=check.get("rule", ""))
    for column, names in where.items():
        rows = rows[rows[column].isin(listed(names))]
    return rows


def results(part, check, root="experiments"):
    """The results of one check: one, or one for each divergence or sampler that it names."""
    allowed, where = (check.get("low", -math.inf), check.get("high", math.inf)), check.get("where", {})
    if check["kind"] == "statistic":
        function = getattr(design.module(root, part.name, "figures"), f"statistic_{check['statistic']}")
        label = check["statistic"].replace("_", " ")
        return [Result(label, *function(part), allowed, part.final().seed.nunique())]
    if check["kind"] == "baseline":
        pairs = [(s, d) for s in listed(check["sampler"]) for d in listed(check.get("divergence"))]
        return [untrained(part, check, *pair, allowed) for pair in pairs]
    if "each" not in check:
        return [trained(part, check, where, None, allowed)]
    left_out = check["each"].get("except", [])
    names = [name for name in check["each"].get("only", part.divergences) if name not in left_out]
    return [trained(part, check, where | {"divergence": name}, name, allowed) for name in names]


def labelled(check, *names):
    """A check's metric with its rule and the names of the sampler or divergence."""
    rule = f" [{check['rule']}]" if check.get("rule") else ""
    return ", ".join([check["metric"] + rule, *filter(None, names)])


def subtracted(part, check, sampler, divergence):
    """The baseline that a check subtracts, 0 without one; keys that it does not name are the check's own.

    A sampler that belongs to no divergence serves all of them.
    """
    if "minus_baseline" not in check:
        return 0.0
    own = {"sampler": sampler, "divergence": divergence or "", "metric": check["metric"], "rule": check.get("rule", "")}
    wanted = own | check["minus_baseline"]
    value = part.baseline(**wanted)
    return part.baseline(**wanted | {"divergence": ""}) if math.isnan(value) else value


def untrained(part, check, sampler, divergence, allowed):
    """The result of a sampler that was not trained: its mean over draws, without an interval."""
    value = part.baseline(check["metric"], sampler, divergence or "", check.get("rule", ""))
    value -= subtracted(part, check, sampler, divergence)
    return Result(labelled(check, sampler, divergence), *(value,) * 3, allowed, math.inf)


def trained(part, check, where, name, allowed):
    """The result of trained runs: see the module's docstring for the kinds."""
    rows, kind = select(part, check, where), check["kind"]
    # A claim may name a divergence that this scale does not train.
    label, seeds = labelled(check, part.labels.get(name, name)), rows.seed.nunique()
    if kind == "share":
        # An undefined value may lie on either side of the bound, so the interval covers both.
        good = (rows.value >= check.get("at_least", -math.inf)) & (rows.value <= check.get("at_most", math.inf))
        share, low, _ = wilson(int(good.sum()), len(rows))
        high = wilson(int((good | rows.value.isna()).sum()), len(rows))[2]
        return Result(label, share, low, high, allowed, seeds)
    if kind == "mean":
        # A failed run counts: its value is undefined, so the mean is undefined and its interval unbounded.
        (divergence, *others) = listed(where.get("divergence", ""))
        values = rows.value.to_numpy() - subtracted(part, check, None, "" if others else divergence)
        estimate = t_interval(values) if np.isfinite(values).all() else UNKNOWN
        return Result(label, *(estimate if len(values) else MISSING), allowed, seeds)
    other = select(part, check, where | check["minus"])
    keys = [column for column in ("arm", "divergence", "objective", "seed") if column not in check["minus"]]
    pairs = rows.merge(other, on=keys, suffixes=("", "_other"))
    difference = (pairs.value - pairs.value_other).to_numpy()
    if kind == "equal":
        if not len(difference):
            return Result(label, *MISSING, allowed, seeds)
        largest = float(np.abs(difference).max())
        paired = len(difference) == len(rows) == len(other) and math.isfinite(largest)
        return Result(label, *((largest,) * 3 if paired else UNKNOWN), allowed, seeds)
    estimate, low, high = t_interval(difference)
    if len(difference) < 20 and np.array_equal(difference, np.round(difference)):
        low = high = math.nan  # counts with ties: a t interval of few seeds is too narrow
    return Result(label, estimate, low, high, allowed, seeds, paired_permutation(difference))


def judge(part, claims, root="experiments"):
    """Rows (claim, verdict, reason, numbers) for all claims of an experiment; Holm's family is all its differences."""
    checked = {claim["id"]: [r for check in claim["checks"] for r in results(part, check, root)] for claim in claims}
    tests = [result for group in checked.values() for result in group if result.p is not None]
    for result, adjusted in zip(tests, holm([result.p for result in tests]), strict=True):
        result.p = float(adjusted)
    return [verdict(part, claim, checked[claim["id"]]) for claim in claims]


def reason(outcomes):
    """The outcomes of a claim's checks in one phrase."""
    if len(outcomes) == 1:
        return f"the check {'is undecided' if outcomes[0] == 'undecided' else outcomes[0]}"
    verbs = {"holds": "hold", "fails": "fail"}
    counts = {o: outcomes.count(o) for o in ("holds", "fails", "undecided", "not run") if o in outcomes}
    return f"of {len(outcomes)} checks " + ", ".join(f"{n} {verbs.get(o, o)}" for o, n in counts.items())


def verdict(part, claim, checks):
    """The verdict on one claim from its checks, with the reason in one phrase."""
    outcomes = [check.outcome for check in checks]
    fewest, needed = min(check.seeds for check in checks), claim.get("seeds", 2)
    scale, least = part.design["scale"], claim.get("scale", "smoke")
    name, why = "undecided", reason(outcomes)
    if all(outcome == "not run" for outcome in outcomes):
        name, why = "not run", "no measurement in this record"
    elif design.SCALES.index(scale) < design.SCALES.index(least):
        why = f"scale {scale}, the claim needs {least}; so far {why}"
    elif fewest < needed:
        why = f"{fewest} seeds, the claim needs {needed}; so far {why}"
    elif set(outcomes) == {"holds"}:
        name = "replicated"
    elif set(outcomes) == {"fails"}:
        name = "not replicated"
    elif {"holds", "fails"} <= set(outcomes):
        name = "partly"
    if name != "not run":
        why += length(part, claim)
    worst = max(checks, key=lambda c: (("not run", "holds", "undecided", "fails").index(c.outcome), c.excess))
    numbers = (len(checks), worst.label, worst.estimate, worst.low, worst.high, *worst.allowed, worst.p)
    return as_row(part.name, claim, name, why, numbers)


def length(part, claim):
    """At which share of the published length a claim was measured, as a phrase; empty if that length is not known."""
    selections = [check.get(key, {}) for check in claim["checks"] for key in ("where", "minus")]
    arms = [arm for selection in selections for arm in listed(selection.get("arm", [])) if arm in part.arms]
    if "published_steps" not in claim or not arms:
        return ""
    share = min(part.arms[arm]["steps"] for arm in arms) / claim["published_steps"]
    return f", at {100 * share:.2g} % of the published length"


def as_row(experiment, claim, name, why, numbers):
    """A claim's row of the table of verdicts."""
    columns = ("checks", "example", "estimate", "low", "high", "allowed_low", "allowed_high", "p_holm")
    texts = {key: claim.get(key, "") for key in TEXTS}
    return {"experiment": experiment, "claim": claim["id"], **texts, "verdict": name, "why": why} | dict(
        zip(columns, numbers, strict=True)
    )


def verdicts(parts, root="experiments"):
    """Verdicts of all claims, in the order of the experiments; 'not run' if the record lacks the experiment."""
    rows, present = [], {part.name: part for part in parts}
    for name, claims in design.all_claims(root).items():
        if name in present:
            rows += judge(present[name], claims, root)
        else:
            nothing = (0, "", *(math.nan,) * 6)
            rows += [as_row(name, claim, "not run", design.left_out(name, root), nothing) for claim in claims]
    return pd.DataFrame(rows)
