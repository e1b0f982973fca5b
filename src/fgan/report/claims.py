"""Claims: findings with a criterion that was written before the run, turned into verdicts by their checks."""

import math
from dataclasses import replace

import pandas as pd

from fgan import design
from fgan.report import converged, robustness
from fgan.report.checks import listed, results
from fgan.report.statistics import holm

VERDICTS = ("replicated", "partly", "not replicated", "undecided", "not run")
KINDS = {  # of a claim, with what a count calls it
    "published": "published findings", "exercise": "statements of the exercise", "derived": "derived here",
    "identity": "checks (identities)",
}  # fmt: skip
DATA = {"digits": "8x8 digits"}  # what a reader calls data
TEXTS = ("kind", "exercise", "statement", "source", "published", "known", "reason")


def judge(part, claims, root="experiments"):
    """Rows (claim, verdict, reason, numbers) for all claims of an experiment; Holm's family is the tests run."""
    pairs = {claim["id"]: [(r, c) for c in claim["checks"] for r in results(part, c, root)] for claim in claims}
    raw = {name: [result for result, _ in own] for name, own in pairs.items()}
    corrected, rows = holm_corrected(raw), []
    for claim in claims:
        name = claim["id"]

        def again(changed, claim=claim, name=name):
            """The verdict if the checks of this claim had other results; the family has those of all others."""
            return verdict(part, claim, holm_corrected(raw | {name: changed})[name])["verdict"]

        row = verdict(part, claim, corrected[name])
        rows.append(row | robustness.of(row["verdict"], pairs[name], corrected[name], again))
    return rows


def checked(part, claims, root="experiments"):
    """{claim's id: results of its checks} of all claims of an experiment, corrected."""
    return holm_corrected({c["id"]: [r for check in c["checks"] for r in results(part, check, root)] for c in claims})


def holm_corrected(checked):
    """{claim: results} with every p-value corrected for all tests of the experiment."""
    checked = {name: [replace(result) for result in group] for name, group in checked.items()}
    every = [(result, name) for group in checked.values() for result in group for name in ("p", "null")]
    tests = [(result, name) for result, name in every if getattr(result, name) is not None]
    for (result, name), adjusted in zip(tests, holm([getattr(*test) for test in tests]), strict=True):
        setattr(result, name, float(adjusted))
    return checked


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
    # A check that was not run has no seeds to be too few: its outcome says so.
    ran = [check.seeds for check in checks if check.outcome != "not run"]
    fewest, needed = min(ran, default=0), claim.get("seeds", 2)
    scale, least = part.design["scale"], claim.get("scale", "smoke")
    name, why = "undecided", reason(outcomes)
    if too_small := sum(check.too_small for check in checks):
        shown = "the difference is" if len(checks) == 1 else f"in {too_small} the difference is"
        why += f" ({shown} shown to be too small to matter)"
    if all(outcome == "not run" for outcome in outcomes):
        name, why = "not run", next(filter(None, (check.missing for check in checks)), "no measurement in this record")
    elif "cut" in part.design:
        why = f"trainings cut to {part.design['cut']} steps by max_steps; so far {why}"
    elif design.SCALES.index(scale) < design.SCALES.index(least):
        why = f"scale {scale}, the claim needs {least}; so far {why}"
    elif lacking := unmet(part, claim):
        why = f"{lacking}; so far {why}"
    elif any(check.too_short for check in checks):
        why = converged.too_short(part)
    elif fewest < needed:
        why = f"{fewest:.0f} seed{'s' * (fewest != 1)}, the claim needs {needed}; so far {why}"
    elif set(outcomes) == {"holds"}:
        name = "replicated"
    elif set(outcomes) == {"fails"}:
        name = "not replicated"
    elif {"holds", "fails"} <= set(outcomes):
        name = "partly"
    if name != "not run":
        why += converged.left_out(part, checks) + length(part, claim)
    one = example(checks)
    if name != "not run" and one.failed:
        why += f", {one.failed}"
    numbers = len(checks), one.label, *one.numbers, *one.allowed, math.nan if one.p is None else one.p, one.missing
    of = {"published_share": published_share(part, claim), "data": other_data(part, claim)}
    return as_row(part.name, claim, name, why, numbers) | of


def example(checks):
    """The check whose numbers stand for a claim: the one that speaks most against it.

    If all miss a lower bound alone it is the one that comes nearest, because then the question is how far they reach.
    """
    if all(check.outcome == "fails" and math.isinf(check.allowed[1]) for check in checks):
        return min(checks, key=lambda check: check.excess)
    ranks = ("not run", "holds", "undecided", "fails")
    return max(checks, key=lambda check: (ranks.index(check.outcome), check.excess))


def length(part, claim):
    """At which share of the published length a claim was measured, as a phrase; empty if that length is not known."""
    share = published_share(part, claim)
    return "" if share is None else f", at {percent(share)} of the published length"


def percent(share):
    """A share in percent, of two digits below a hundred."""
    return f"{100 * share:.2g} %" if share < 0.99 else f"{100 * share:.0f} %"


def published_share(part, claim):
    """The least length of the arms that a claim names, over the published length; None if either is not known."""
    named = arms(part, claim)
    if "published_steps" not in claim or not named:
        return None
    return min(part.arms[arm]["steps"] for arm in named) / claim["published_steps"]


def arms(part, claim):
    """The arms of a part that the checks of a claim name."""
    selections = [check.get(key, {}) for check in claim["checks"] for key in ("where", "minus")]
    return [arm for selection in selections for arm in listed(selection.get("arm", [])) if arm in part.arms]


def unmet(part, claim):
    """What a claim needs of the published setting and the part lacks, as a phrase; empty if nothing."""
    needs, share = claim.get("needs", {}), published_share(part, claim)
    if target := other_target(part, claim):
        wanted = needs["target"]
        return f"target {described(target, wanted)}, the claim needs {described(wanted, wanted)}"
    if share is not None and share < needs.get("length", 0):
        return f"the claim needs {100 * needs['length']:.3g} % of the published length"
    return ""


def other_target(part, claim):
    """The first target of a claim's arms that is not the one that it needs; None if all are."""
    wanted, targets = claim.get("needs", {}).get("target", {}), [part.arms[a].get("target") for a in arms(part, claim)]
    targets = targets or ([part.design["settings"]["target"]] if wanted else [])
    differs = lambda target: any(target.get(key) != value for key, value in wanted.items())
    return next(filter(differs, filter(None, targets)), None)


def other_data(part, claim):
    """On which data a claim was measured, in words, if not on those that it needs; '' otherwise."""
    if not (target := other_target(part, claim)):
        return ""
    name = DATA.get(target["kind"], target["kind"])
    return f"{name}, stack of {target['stack']}" if "stack" in target else name


def described(target, keys):
    """The settings of a target that a claim needs, in words; its kind is its name."""
    return ", ".join(str(target[key]) if key == "kind" else f"{key} {target.get(key)}" for key in keys)


def counts(frame):
    """The number of claims of each kind with each verdict; 'all' is without the identities, which stand below it."""
    table = pd.crosstab(frame.kind, frame.verdict).reindex(index=list(KINDS), columns=list(VERDICTS), fill_value=0)
    identities = table.index == "identity"
    table = pd.concat([table[~identities], table[~identities].sum().to_frame("all").T, table[identities]])
    return table.assign(all=table.sum(axis=1))


def as_row(experiment, claim, name, why, numbers):
    """A claim's row of the table of verdicts."""
    columns = ("checks", "example", "estimate", "low", "high", "allowed_low", "allowed_high", "p_holm", "missing")
    row = {"experiment": experiment, "claim": claim["id"], **texts(claim), "verdict": name, "why": why}
    return row | dict(zip(columns, numbers, strict=True))


def texts(claim):
    """What a claim says of itself, by the name of its column."""
    return {key: claim.get(key, "") for key in TEXTS}


def verdicts(parts, root="experiments"):
    """Verdicts of all claims, in the order of the experiments; 'not run' if the record lacks the experiment."""
    rows, present = [], {part.name: part for part in parts}
    for name, claims in design.all_claims(root).items():
        if name in present:
            rows += judge(present[name], claims, root)
        else:
            why = design.left_out(name, root)
            nothing, rest = (0, "", *(math.nan,) * 6, why), robustness.NOTHING | {"published_share": None, "data": ""}
            rows += [as_row(name, claim, "not run", why, nothing) | rest for claim in claims]
    return pd.DataFrame(rows)
