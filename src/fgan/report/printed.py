"""What is printed of a value, of its interval, of a count and of a text: LaTeX of a few words."""

import math
import re

import numpy as np

from fgan.design.texts import PRINTED
from fgan.report.statistics import t_interval

SPECIAL = {"&": r"\&", "%": r"\%", "_": r"\_", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}",
           "^": r"\textasciicircum{}", "~": r"\textasciitilde{}"}  # fmt: skip
BELOW, ABOVE = r"$\leq$", r"$\geq$"


def number(value, digits=3):
    """A measured value as text: `digits` significant digits, 'undefined' for NaN, the infinity sign if infinite."""
    if value is None or math.isnan(value):
        return "undefined"
    if math.isinf(value):
        return r"$\infty$" if value > 0 else r"$-\infty$"
    if value == 0:
        return "0"
    if abs(value) >= 1e5 or abs(value) < 1e-3:
        mantissa, exponent = f"{value:.1e}".split("e")
        return rf"${mantissa}\cdot 10^{{{int(exponent)}}}$"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:.{min(decimals, 4)}f}"
    return text.replace("-", "$-$")


def over_seeds(values, digits=3):
    """Mean over seeds and half-width of its t interval, with a count of the values if failed runs have none."""
    values = np.asarray(values, float)
    defined = np.isfinite(values)
    if not defined.any():
        return "undefined" if len(values) else "not run"
    text = plus_minus(*t_interval(values[defined]), digits)
    return text if defined.all() else f"{text} ({defined.sum()} of {len(values)})"


def plus_minus(mean, low, high, digits=3):
    """Mean and half-width of its interval, with as many decimals; the mean alone if a single seed gives no interval."""
    half = (high - low) / 2
    if not math.isfinite(half):
        return number(mean, digits)
    decimals = 1 - math.floor(math.log10(half)) if half > 0 else 9
    if decimals > 6 or max(abs(mean), half) >= 1e5:  # as powers of ten
        return f"{number(mean, digits)} $\\pm$ {number(half, 2)}"
    mean, half = (f"{round(value, decimals) + 0.0:.{max(0, decimals)}f}" for value in (mean, half))
    return f"{mean} $\\pm$ {half}".replace("-", "$-$")


def interval(estimate, low, high, unit="", bounds=()):
    """An estimate with its interval, no digit finer than half of the interval's half-width; without one to three.

    Up to two digits more where rounding alone would put one of the three on 0 or on one of `bounds`.
    """
    if not math.isfinite(estimate):  # infinite: a run failed, and no mean is left
        return "--" if math.isnan(estimate) else "undefined"
    half = (high - low) / 2
    if not 0 < half < math.inf:
        whole = estimate == round(estimate) and abs(estimate) < 1e5
        return (f"{estimate:.0f}".replace("-", "$-$") if whole else number(estimate)) + unit
    decimals = -math.floor(math.log10(half / 2))
    if decimals > 4:
        return f"{number(estimate)}{unit} [{number(low)}, {number(high)}]"
    ends = (estimate, low, high)
    touches = lambda digits: any(round(v, digits) == b != v for v in ends for b in (0.0, *bounds))
    decimals = next((digits for digits in range(decimals, decimals + 3) if not touches(digits)), decimals)
    rounded = (round(value, decimals) + 0.0 for value in ends)  # + 0.0 takes the sign from a zero
    middle, *ends = (f"{value:.{max(0, decimals)}f}".replace("-", "$-$") for value in rounded)
    return f"{middle}{unit} [{', '.join(ends)}]"


def escape(text):
    """Plain text as LaTeX; in LaTeX (with a backslash or a dollar) only symbols and a bare %, # or & change."""
    text = str(text)
    if "\\" in text or "$" in text:
        text = re.sub(r"(?<!\\)[%#]", r"\\\g<0>", text)  # neither has a meaning here, and a % hides what follows
        parts = re.split(r"((?<!\\)\$.*?(?<!\\)\$)", text, flags=re.S)  # an & has one in mathematics alone
        parts[::2] = [re.sub(r"(?<!\\)&", r"\\&", part) for part in parts[::2]]
        return "".join(PRINTED.get(c, c) for c in "".join(parts))
    return "".join(SPECIAL.get(c) or PRINTED.get(c, c) for c in text)


def prose(text):
    """Plain text as LaTeX, with printed quotation marks, primes, minus signs, powers of ten, D_f and g_f."""
    text = re.sub(r'"([^"]*)"', r"``\1''", escape(text))
    text = re.sub(r"(?<![\w-])-(?=\d)", "$-$", text)
    text = re.sub(r"\b([DTVgf])\\_([fh])\b", r"$\1_\2$", text)
    text = re.sub(r"\b1e-(\d+)", r"$10^{-\1}$", text)
    return re.sub(r"\b([fh])''(?=[ /])", r"$\1''$", text)


def measured(claim, unit=""):
    """The estimate of the check that a claim shows, with its interval and unit, or why there is none.

    A share, whose unit begins with 'of', is in percent.
    """
    if claim.missing:
        return prose(claim.missing)
    factor, sign = (100, r"\,\%") if unit.startswith("of ") else (1, "")
    ends, bounds = (claim.estimate, claim.low, claim.high), (claim.allowed_low, claim.allowed_high)
    scaled, bounds = ([factor * value for value in values] for values in (ends, bounds))
    return f"{interval(*scaled, sign, bounds)} {prose(unit)}".rstrip()


def allowed(claim):
    """The range that a claim allows, as text; a difference that is tested against 0 may not be 0."""
    low, high = number(claim.allowed_low), number(claim.allowed_high)
    strict = math.isfinite(claim.p_holm) and "0" in (low, high)
    if math.isinf(claim.allowed_low):
        return f"allowed {'$<$' if strict else BELOW} {high}"
    if math.isinf(claim.allowed_high):
        return f"allowed {'$>$' if strict else ABOVE} {low}"
    return f"allowed [{low}, {high}]"


def robust(claim):
    """Where the verdict on a claim flips, and what it is at half and at twice the tolerance; empty if no bound can."""
    parts = []
    if claim.flips_to:
        which = "" if claim.flips_check == claim.example else f" of {escape(claim.flips_check)}"
        bound = "margin" if claim.bound == "margin" else f"{claim.bound} bound"
        place = f"{number(claim.flips_at)} (now {number(claim.bound_now)})"
        parts.append(f"{claim.flips_to} at a {bound}{which} of {place}")
    if claim.at_half and {claim.at_half, claim.at_twice} == {claim.verdict}:
        parts.append("the same at half and at twice the tolerance")
    elif claim.at_half:
        parts.append(f"{claim.at_half} at half the tolerance, {claim.at_twice} at twice")
    return "; ".join(parts)


def fixed(value, decimals=2):
    """A value as text with so many decimals, 'undefined' for NaN."""
    return f"{value:.{decimals}f}" if math.isfinite(value) else number(value)


def out_of(count, total):
    """'5 of 8' of a whole number, or words if it is not defined."""
    return f"{count:.0f} of {total}" if math.isfinite(count) else "no count"


def three(values, digits=3, text=number):
    """Least, median and most of the defined values as text, with their number if some runs have none."""
    return summed(values, lambda kept: ", ".join(text(float(f(kept)), digits) for f in (np.min, np.median, np.max)))


def count_range(values):
    """Least, median and most of the counts that there are as text."""
    values = values[np.isfinite(values)]
    return ", ".join(f"{f(values):g}" for f in (np.min, np.median, np.max)) if len(values) else "no count"


def defined(values, summary=np.mean, digits=3):
    """The mean (or another summary) of the defined values as text, with their number if some runs have none."""
    return summed(values, lambda kept: number(float(summary(kept)), digits))


def summed(values, text):
    """text(the defined values), with their number if some runs have none; words if none has, or nothing was run."""
    kept = values[np.isfinite(values)]
    if not len(kept):
        return "undefined" if len(values) else "not run"
    return text(kept) + ("" if len(kept) == len(values) else f" ({len(kept)} of {len(values)})")
