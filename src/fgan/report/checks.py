"""Checks: a part of a claim's criterion as an estimate with an interval and the range [low, high] that is allowed.

  mean:        mean over seeds of a metric (Student's t); `minus_baseline` subtracts a sampler's metric
  share:       share of runs whose metric is at least / at most a bound (Wilson); an undefined value counts against it
  every:       the run's value that lies furthest out, without an interval: one run refutes what holds for every run
  difference:  paired difference over seeds of two selections, against its bound (exact permutation, Holm over the
               experiment's claims); with a `margin` it also fails if it is shown to be smaller than that
  equivalence: the same difference, claimed to lie within `margin` of 0 (two one-sided tests, in Holm's family)
  equal:       largest difference between paired runs of two selections
  baseline:    a metric of a sampler that was not trained, without an interval; one check per sampler and divergence
  statistic:   (estimate, low, high, seeds) by the function `statistic_<name>(part)` in the experiment's figures.py,
               for a statistic over runs that is no value of a run; of modes covered also `converged.shares`
A check holds if the whole interval lies inside the range, fails if it lies outside, and is undecided otherwise.
A difference is decided by its p-value instead, and then holds or fails by the side that its estimate lies on.
A check of modes covered judges the runs that converged (`fgan.report.converged`) or failed, unless it says `runs: all`;
if more than half of its runs did neither, it is undecided, because the training is too short.
A seed is the unit: runs of one seed share data, noise and start, so they count as one, with their mean.
"""

import math
import re

import numpy as np
import pandas as pd

from fgan import design
from fgan.report import converged, fates
from fgan.report.result import MISSING, UNKNOWN, Result
from fgan.report.statistics import equivalence, paired_permutation, t_interval, wilson


def listed(value):
    """A value as a list: itself, or its only entry."""
    return value if isinstance(value, list) else [value]


def select(part, check, where):
    """The rows of a check's metric and rule for the runs that `where` names; `settled` are those that it judges."""
    rows = part.final(check["metric"], rule=check.get("rule", ""))
    for column, names in where.items():
        rows = rows[rows[column].isin(listed(names))]
    if not converged.over_modes(check):
        return rows.assign(settled=True, cycles=False, failed=False)
    rows = converged.with_ends(part, rows)
    return rows.assign(settled=rows.converged | rows.failed)


def results(part, check, root="experiments"):
    """The results of one check: one, or one for each divergence or sampler that it names."""
    allowed, where = (check.get("low", -math.inf), check.get("high", math.inf)), check.get("where", {})
    if check["kind"] == "statistic":
        function = getattr(design.module(root, part.name, "figures"), f"statistic_{check['statistic']}")
        label = check["statistic"].replace("_", " ")
        *interval, seeds, unconverged = (*function(part), None)[:5]
        failed = fates.of_rows(part, part.final("failed"))
        missing = undefined(failed) if math.isinf(interval[0]) else f"not measured: '{label}' needs other runs"
        if unconverged and unconverged[0] and math.isnan(interval[0]):
            # It was measured, but rests on runs that have not converged.
            interval, missing = UNKNOWN, converged.nothing(part, "too few runs converged")
        missing = "" if math.isfinite(interval[0]) else missing
        return [Result(label, *interval, allowed, seeds, unconverged=unconverged, missing=missing, failed=failed)]
    if check["kind"] == "baseline":
        pairs = [(s, d) for s in listed(check["sampler"]) for d in listed(check.get("divergence"))]
        return [untrained(part, check, *pair, allowed) for pair in pairs]
    if "each" not in check:
        return [trained(part, check, where, None, allowed)]
    return [trained(part, check, where | {"divergence": n}, n, allowed) for n in compared(part, check)]


def compared(part, check):
    """The divergences of a check that is made for each."""
    left_out = check["each"].get("except", [])
    return [name for name in check["each"].get("only", part.divergences) if name not in left_out]


def labelled(check, *names):
    """A check's metric with its rule and the names of the sampler or divergence, as a reader says them."""
    rule = f" [{said(check['rule'])}]" if check.get("rule") else ""
    return ", ".join([said(check["metric"]) + rule, *map(said, filter(None, names))])


def said(name):
    """A name of the code as a reader says it: reverse_kl is reverse KL, alpha_m2 the divergence of alpha = -2."""
    words = re.sub(r"\b(kl|gan|vae|elbo|mnist)\b", lambda m: m[0].upper(), name.replace("_", " "))
    return re.sub(r"\balpha (m?)(?=[\d.]+\b)", lambda m: f"alpha = {'-' * bool(m[1])}", words)


def subtracted(part, check, sampler, divergence):
    """The baseline that a check subtracts, 0 without one; keys that it does not name are the check's own.

    A sampler that belongs to no divergence serves all of them.
    """
    if "minus_baseline" not in check:
        return 0.0
    own = {"sampler": sampler, "divergence": divergence or "", "metric": check["metric"], "rule": check.get("rule", "")}
    wanted = own | check["minus_baseline"]
    own = len(part.baselines(**wanted))  # of its divergence, whatever the value
    return part.baseline(**wanted if own else wanted | {"divergence": ""})


def untrained(part, check, sampler, divergence, allowed):
    """The result of a sampler that was not trained: its mean over draws, without an interval."""
    own = {"metric": check["metric"], "sampler": sampler, "divergence": divergence or "", "rule": check.get("rule", "")}
    value = part.baseline(**own) - subtracted(part, check, sampler, divergence)
    there = len(part.baselines(**own))
    estimate = UNKNOWN if math.isnan(value) and there else (value,) * 3
    missing = "undefined for this sampler" if there else f"not measured: this record lacks the sampler '{sampler}'"
    missing = "" if math.isfinite(estimate[0]) else missing
    label = labelled(check, sampler, part.labels.get(divergence, divergence))
    return Result(label, *estimate, allowed, math.inf, missing=missing)


def by_seed(seeds, values):
    """Mean of each seed's values, NaN or infinite if one of them is."""
    _, index = np.unique(np.asarray(seeds), return_inverse=True)
    return np.bincount(index, np.asarray(values, float)) / np.bincount(index)


def trained(part, check, where, name, allowed):
    """The result of trained runs: see the module's docstring for the kinds."""
    rows, other, whole = select(part, check, where), None, True
    every = rows
    if "minus" in check:
        other = select(part, check, where | check["minus"])
        every, (rows, whole) = pd.concat([rows, other]), pairs(check, rows, other)
    # A claim may name a divergence that this scale does not train.
    label, unconverged = labelled(check, part.labels.get(name, name)), converged.shares(rows)
    chosen, rows = rows, rows[rows.settled]
    if other is not None:
        result = paired(check, rows, whole, label, allowed)
    elif check["kind"] == "share":
        result = shared(check, rows, label, allowed)
    else:
        result = averaged(part, check, where, rows, label, allowed)
    result.failed = fates.of_rows(part, every)
    if not math.isfinite(result.estimate):
        result.missing = lacking(part, check, every, chosen, rows, result.failed)
    if converged.over_modes(check):
        result.unconverged = unconverged
    if result.too_short:
        result.p = result.null = None  # no test was run
    return result


def lacking(part, check, every, chosen, judged, failed):
    """Why a check has no estimate, in words: of the runs that it names, of its pairs, and of those that it judges."""
    if not len(part.final(check["metric"], rule=check.get("rule", ""))):
        return f"not measured: '{labelled(check)}' is not in this record"
    if not len(chosen):
        return "not measured: " + ("no run has its pair" if len(every) else "its runs are not in this record")
    return undefined(failed) if len(judged) else converged.nothing(part)


def undefined(failed):
    """Why an estimate is undefined: because runs failed, or have no value for another reason."""
    return f"undefined: {failed}" if failed else "undefined: a run has no value"


def shared(check, rows, label, allowed):
    """The share of runs whose value lies within the bounds of the check."""
    # An undefined value may lie on either side of the bound, so the interval covers both. A run that failed neither
    # covers modes nor collapsed, but shows no claim that few do.
    good = (rows.value >= check.get("at_least", -math.inf)) & (rows.value <= check.get("at_most", math.inf))
    perhaps = (good | rows.value.isna()) & ~rows.failed | rows.failed & ("high" in check)
    surely, perhaps = (by_seed(rows.seed, runs).sum() for runs in (good & ~rows.failed, perhaps))
    seeds = rows.seed.nunique()
    share, low, _ = wilson(surely, seeds)
    return Result(label, share, low, wilson(perhaps, seeds)[2], allowed, seeds)


def averaged(part, check, where, rows, label, allowed):
    """The mean over seeds, or the value that lies furthest out."""
    seeds = rows.seed.nunique()
    # A failed run counts: its value is undefined, so the mean is undefined and its interval unbounded.
    if not len(rows):
        return Result(label, *MISSING, allowed, seeds)
    (divergence, *others) = listed(where.get("divergence", ""))
    values = rows.value.to_numpy() - subtracted(part, check, None, "" if others else divergence)
    if check["kind"] == "every" and not np.isnan(values).any():
        worst = max(map(float, values), key=lambda value: max(allowed[0] - value, value - allowed[1]))
        return Result(label, *(worst,) * 3, allowed, seeds)
    estimate = t_interval(by_seed(rows.seed, values)) if np.isfinite(values).all() else UNKNOWN
    return Result(label, *estimate, allowed, seeds)


def pairs(check, rows, other):
    """Rows beside those that they are compared with, paired by all that `minus` does not name, and whether all are.

    A pair is judged if both of its runs are.
    """
    rows = rows[~rows.index.isin(other.index)]  # a run is no pair with itself
    keys = [column for column in ("arm", "divergence", "objective", "seed") if column not in check["minus"]]
    found = rows.merge(other, on=keys, suffixes=("", "_other"))
    both = found.settled & found.settled_other, found.cycles | found.cycles_other
    return found.assign(settled=both[0], cycles=both[1]), len(found) == len(rows) == len(other)


def paired(check, pairs, whole, label, allowed):
    """The result of a comparison of runs; seeds are those of the pairs, `whole` says whether no run lacks its pair."""
    # Where `minus` names the seed, a pair belongs to the first run's.
    difference, seeds = (pairs.value - pairs.value_other).to_numpy(), pairs.seed.nunique()
    margin = check.get("margin")
    if check["kind"] == "equivalence":
        allowed = (-margin, margin)
    if not len(difference):
        return Result(label, *MISSING, allowed, seeds)
    if not np.isfinite(difference).all():
        return Result(label, *UNKNOWN, allowed, seeds, None if check["kind"] == "equal" else 1.0)
    if check["kind"] == "equal":
        largest = float(np.abs(difference).max())
        return Result(label, *((largest,) * 3 if whole else UNKNOWN), allowed, seeds)
    difference = by_seed(pairs.seed, difference)
    estimate, low, high = t_interval(difference)
    if len(difference) < 20 and np.array_equal(difference, np.round(difference)):
        low = high = math.nan  # counts with ties: a t interval of few seeds is too narrow
    if check["kind"] == "equivalence":
        p = equivalence(difference, margin)
        return Result(label, estimate, low, high, allowed, seeds, p, differences=difference)
    bound = next(filter(math.isfinite, allowed))
    null, p = within(difference, margin), paired_permutation(difference - bound)
    kept = None if margin is None else difference
    return Result(label, estimate, low, high, allowed, seeds, p, null, differences=kept)


def within(difference, margin):
    """p of the test that a difference is smaller than the margin; None without one, or if the mean is not smaller."""
    return None if margin is None or abs(np.mean(difference)) > margin else equivalence(difference, margin)
