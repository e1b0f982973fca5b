"""How far a verdict is from flipping: the bound at which it would, and the verdict at half and at twice its tolerance.

The tolerance is what a criterion leaves to a claim: the margin of a difference or an equivalence, the width of a range
with two ends, and of one bound b the distance from 0, or of a least share of runs from 1. Half of it asks for more,
twice of it for less. A bound of 0 (a sign) has no tolerance.
"""

import math
from dataclasses import replace

from fgan.report.checks import within
from fgan.report.statistics import equivalence

STEPS, FACTOR = 12, 16  # a margin is bisected this often within this factor on both sides
NOTHING = {
    "flips_check": "", "bound": "", "bound_now": math.nan, "flips_at": math.nan, "flips_to": "", "at_half": "",
    "at_twice": "",
}  # fmt: skip


def of(verdict, pairs, corrected, again):
    """NOTHING with what is known: which bound flips the verdict where, and the verdict at other tolerances.

    `pairs` are (result, check) of a claim before Holm's correction, `corrected` the results after it, and `again` gives
    the verdict for other results. The flip is that of the nearest single bound, relative to the interval's half-width.
    """
    found, raw = dict(NOTHING), [result for result, _ in pairs]
    for column, factor in (("at_half", 0.5), ("at_twice", 2.0)):
        changed = [scaled(result, check, factor) for result, check in pairs]
        if any(result is not None for result in changed):
            found[column] = again([new or old for new, old in zip(changed, raw, strict=True)])
    nearest = math.inf
    for index, (result, check) in enumerate(pairs):
        for bound, now, at, moved in flips(result, corrected[index], check):
            far = distance(corrected[index], now, at)
            if far < nearest and (to := again([*raw[:index], moved, *raw[index + 1 :]])) != verdict:
                nearest, place = far, {"flips_check": result.label, "bound": bound, "bound_now": now}
                found |= place | {"flips_at": at, "flips_to": to}
    return found


def distance(result, now, at):
    """How far a bound moves, in half-widths of the interval if it has one."""
    half = (result.high - result.low) / 2
    return abs(at - now) / (half if 0 < half < math.inf else max(abs(now), abs(at)) or 1.0)


def scaled(result, check, factor):
    """The result with its tolerance times a factor; None if it has none."""
    if margin := check.get("margin"):
        return at_margin(result, check, margin * factor)
    (low, high), share = result.allowed, check["kind"] == "share"
    if math.isfinite(low) and math.isfinite(high):
        middle, half = (low + high) / 2, (high - low) / 2 * factor
        return replace(result, allowed=(middle - half, middle + half)) if half else None
    if not (math.isfinite(low) and low) and not (math.isfinite(high) and high):
        return None
    if math.isfinite(low):
        least = 1 - (1 - low) * factor if share else low / factor if low > 0 else low * factor
        return replace(result, allowed=(least, high))
    return replace(result, allowed=(low, high * factor if high > 0 else high / factor))


def at_margin(result, check, margin):
    """The result under another margin, with the p-values of its tests; None if no test was run."""
    if result.differences is None or result.p is None:
        return None
    if check["kind"] == "equivalence":
        return replace(result, allowed=(-margin, margin), p=equivalence(result.differences, margin))
    return replace(result, null=within(result.differences, margin))


def flips(result, corrected, check):
    """(name of a bound, where it stands, where the outcome changes, the result beyond that place) of a check."""
    if not math.isfinite(result.estimate) or result.too_short:
        return
    ends = () if check["kind"] == "equivalence" else (result.low, result.estimate, result.high)
    for index, name in enumerate(("low", "high")):
        now = result.allowed[index]
        for end in ends if math.isfinite(now) else ():
            for place in (end, math.nextafter(end, math.inf), math.nextafter(end, -math.inf)):
                bounds = tuple(place if k == index else bound for k, bound in enumerate(result.allowed))
                if math.isfinite(place) and replace(corrected, allowed=bounds).outcome != corrected.outcome:
                    yield name, now, end, replace(result, allowed=bounds)
                    break
    if margin := check.get("margin"):
        for factor in (1 / FACTOR, FACTOR):
            if crossing := crossed(result, corrected, check, margin, factor):
                yield "margin", margin, *crossing


def crossed(result, corrected, check, margin, factor):
    """(margin, result beyond it) at which the outcome changes between a margin and a multiple of it; None if nowhere.

    The correction of the p-values is taken to be the factor that it is now.
    """

    def corrected_p(moved, name):
        p, before, after = getattr(moved, name), getattr(result, name), getattr(corrected, name)
        return None if p is None else min(1.0, p * (after / before if before else 1.0))

    def outcome(at):
        moved = at_margin(result, check, at)
        if moved is None:
            return None, corrected.outcome
        return moved, replace(moved, p=corrected_p(moved, "p"), null=corrected_p(moved, "null")).outcome

    inner, outer = margin, margin * factor
    beyond, found = outcome(outer)
    if found == corrected.outcome:
        return None
    for _ in range(STEPS):
        middle = math.sqrt(inner * outer)
        moved, found = outcome(middle)
        if found == corrected.outcome:
            inner = middle
        else:
            outer, beyond = middle, moved
    return outer, beyond
