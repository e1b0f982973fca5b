"""Explains a claim by all of its checks, and a statistic over runs by the rows that move it."""

import math
from pathlib import Path

import pandas as pd

from fgan import design
from fgan.report.checks import listed, results, select
from fgan.report.claims import checked, judge
from fgan.report.draw import parts
from fgan.report.explain import origins, trace
from fgan.report.explain.origins import known, meaning, part_of
from fgan.report.part import Part

# Estimators of the kinds of checks, in words and as a formula over runs r, seeds s and their values x.
ESTIMATORS = {
    "mean": "mean over seeds, (1/n) sum_s x_s, with Student's t interval",
    "share": "share of seeds within the bound, k / n, with Wilson's interval",
    "every": "value that lies furthest outside of the range, without an interval",
    "difference": "mean paired difference over seeds, (1/n) sum_s (x_s - y_s), by an exact permutation test (Holm)",
    "equivalence": "mean paired difference, (1/n) sum_s (x_s - y_s), within the margin by two one-sided tests (Holm)",
    "equal": "largest difference of a pair, max_r |x_r - y_r|",
    "baseline": "mean over a sampler's draws, without an interval",
    "statistic": "statistic over runs, by a function of the experiment",
}


def claim(record, name):
    """A claim with all its checks: estimate, interval, range, outcome and the runs of each."""
    every = {one["id"]: (experiment, one) for experiment, own in design.all_claims().items() for one in own}
    experiment, own = every[known(name, every, "claim")]
    lines = [f"claim.{name}: " + " ".join(own["statement"].split())]
    lines += [f"  {key}: {' '.join(str(own[key]).split())}" for key in (
        "kind", "source", "published", "known", "reason", "seeds", "scale") if key in own]  # fmt: skip
    lines += [f"  needs: {told(own['needs'])}"] if own.get("needs") else []
    if experiment not in [part.name for part in parts(record)]:
        return [*lines, f"verdict: not run ({design.left_out(experiment)})"]
    part, claims = Part(record / experiment), design.read_claims(Path("experiments", experiment, "claims.yaml"))
    row = next(row for row in judge(part, claims) if row["claim"] == name)
    lines.append(f"verdict: {row['verdict']} ({row['why']})")
    found, behind = list(checked(part, claims)[name]), []
    for place, check in enumerate(own["checks"], 1):
        asked = ", ".join(f"{key} {told(value)}" for key, value in check.items() if key != "kind")
        lines.append(f"check {place} of {len(own['checks'])}: {ESTIMATORS[check['kind']]}; {asked}")
        for _ in results(part, check):
            r = found.pop(0)
            test = "" if r.p is None else f", p = {r.p:.4g}"
            value = r.missing or bracket(*r.numbers)
            count = f", {r.seeds:g} seed{'s' * (r.seeds != 1)}" if math.isfinite(r.seeds) else ""
            value += f", allowed {span(check, *r.allowed)}{test}{count}"
            lines.append(f"  {r.label}: {value}: {r.outcome}")
        own_lines, rows = check_rows(part, check)
        lines, behind = lines + own_lines, [*behind, rows]
    return lines + origins.made(part, pd.concat(behind) if behind else None)


def told(value):
    """A setting in words: entries of a mapping as 'name value', those of a list with 'or'."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {told(own)}" for key, own in value.items())
    return " or ".join(map(told, value)) if isinstance(value, list) else str(value)


def span(check, low, high):
    """The range that a check allows, in words; no share is below 0 or above 1."""
    low, high = (max(low, 0.0), min(high, 1.0)) if check["kind"] == "share" else (low, high)
    if math.isinf(low) or math.isinf(high):
        return f"at most {high:.6g}" if math.isinf(low) else f"at least {low:.6g}"
    return f"{low:.6g} to {high:.6g}"


def bracket(estimate, low, high):
    """An estimate with its interval as text, if it has one."""
    return f"{estimate:.6g} [{low:.6g}, {high:.6g}]" if math.isfinite(high - low) else f"{estimate:.6g}, no interval"


def check_rows(part, check):
    """(lines, rows) of the runs and draws that a check judges."""
    if check["kind"] == "statistic":
        return moving(part, statistics(part.name)[check["statistic"]])
    if check["kind"] == "baseline":
        rows = part.baselines(check["metric"], check.get("rule", ""))
        return [
            meaning(part, check["metric"]),
            *origins.draws(rows[rows.sampler.isin(listed(check["sampler"]))]),
        ], part.measurements[:0]
    where = check.get("where", {})
    if "each" in check:
        each = check["each"]
        names = [name for name in each.get("only", part.divergences) if name not in each.get("except", [])]
        where = where | {"divergence": names}
    rows = [select(part, check, where)] + ([select(part, check, where | check["minus"])] if "minus" in check else [])
    rows = pd.concat(rows)
    rows = rows[~rows.index.duplicated()]
    lines = [meaning(part, check["metric"]), *origins.runs(part, rows)]
    if other := check.get("minus_baseline"):
        draws = part.baselines(other.get("metric", check["metric"]), other.get("rule", check.get("rule", "")))
        lines += ["less the mean of:", *origins.draws(draws[draws.sampler == other["sampler"]])]
    return lines, rows


def statistics(experiment):
    """{name: function} of the statistics of an experiment."""
    module = design.module("experiments", experiment, "figures")
    return {name.removeprefix("statistic_"): f for name, f in vars(module).items() if name.startswith("statistic_")}


def statistic(record, name):
    """A statistic over runs: its estimate, interval, function and rows, and the claims that judge it."""
    experiment, _, short = name.partition(".")
    part = part_of(record, experiment)
    functions = statistics(experiment)
    function = functions[known(short, functions, f"statistic of {experiment}")]
    estimate, low, high, seeds, *_ = function(part)
    value = bracket(estimate, low, high) if math.isfinite(estimate) else "undefined"
    value += f" over {seeds:g} seeds"
    lines = [f"statistic.{name} = {value}", origins.written(function)]
    judged = [c["id"] for c in design.all_claims()[experiment] if any(k.get("statistic") == short for k in c["checks"])]
    own, rows = moving(part, function)
    return lines + [f"judged by claim.{claim}" for claim in judged] + own + origins.made(part, rows)


def moving(part, function):
    """(lines, rows) of what a statistic depends on: the rows whose change changes its estimate or interval."""
    traced = trace.Traced(part.folder)
    make = lambda part: pd.DataFrame({"of": ["all"], "value": [repr(function(part)[:3])]})
    make(traced)
    groups, whole = trace.behind(make, traced, ("all", 0, "value"))
    lines, rows = origins.listed(traced, groups)
    return [f"the rows that move it{'' if whole else origins.LATE}:", *lines], rows
