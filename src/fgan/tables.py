"""Tables: tidy frames of text to LaTeX (booktabs) and CSV."""

import math

import numpy as np

from fgan.statistics import t_interval

SPECIAL = {"&": r"\&", "%": r"\%", "_": r"\_", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}",
           "^": r"\textasciicircum{}", "~": r"\textasciitilde{}"}  # fmt: skip


def number(value, digits=3):
    """A measured value as text: `digits` significant digits, a dash for NaN, the infinity sign where infinite."""
    if value is None or math.isnan(value):
        return "--"
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
    """Mean over seeds and half-width of its t interval; says so where runs that failed have no value."""
    values = np.asarray(values, float)
    defined = np.isfinite(values)
    if not defined.any():
        return "undefined"
    text = plus_minus(*t_interval(values[defined]), digits)
    return text if defined.all() else f"{text} ({defined.sum()} of {len(values)})"


def plus_minus(mean, low, high, digits=3):
    """Mean and half-width of its interval; the mean alone where a single seed gives no interval."""
    if not math.isfinite(high - low):
        return number(mean, digits)
    return f"{number(mean, digits)} $\\pm$ {number((high - low) / 2, 2)}"


def escape(text):
    """Plain text as LaTeX; text that is LaTeX already (it has a backslash or a dollar) stays as it is."""
    text = str(text)
    return text if "\\" in text or "$" in text else "".join(SPECIAL.get(c, c) for c in text)


def latex(frame, rules_after=(), left=False):
    """A booktabs tabular of a frame of texts; `rules_after` are row numbers.

    The first column is left, the others right with wrapped headings; all left with headings as they are for formulas.
    """
    lines = [rf"\begin{{tabular}}{{l{('l' if left else 'r') * (frame.shape[1] - 1)}}}", r"\toprule"]
    first, *others = map(escape, frame.columns)
    lines += [" & ".join([first, *(name if left else rf"\head{{{name}}}" for name in others)]) + r" \\", r"\midrule"]
    for index, row in enumerate(frame.itertuples(index=False)):
        lines.append(" & ".join(escape(cell) for cell in row) + r" \\")
        if index in rules_after:
            lines.append(r"\midrule")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])
