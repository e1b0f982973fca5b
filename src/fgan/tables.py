"""Tables: tidy frames of text to LaTeX (booktabs) and CSV."""

import math

import numpy as np
import pandas as pd

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


def alternative(part, arms, columns):
    """The alternative objective beside the saddle one, a row for each divergence.

    `arms` are the arms by objective, `columns` the headings of judged metrics, shown as medians over seeds: of both
    objectives, and of the saddle objective of the divergence that the alternative one descends, where that was trained.
    """
    rows, labels = [], {info["label"]: name for name, info in part.divergences.items()}

    def of(metric, objective, name, summary=np.nanmedian):
        found = part.final(metric, arms[objective])
        values = found[(found.objective == objective) & (found.divergence == name)].value
        return number(float(summary(values))) if values.notna().any() else "--"

    def gradient(objective, name):
        """The median norm of the generator's gradient, at the first entry of the history and at the last."""
        found = part.history("gradient_G [median]")
        found = found[(found.arm == arms[objective]) & (found.objective == objective) & (found.divergence == name)]
        values = found.sort_values("step").value
        return f"{number(values.iloc[0], 2)}, {number(values.iloc[-1], 2)}" if len(values) else "--"

    for name, info in part.divergences.items():
        descended = labels.get(info["effective"].removesuffix(" / 2"))
        row = {"Divergence": info["label"], "alternative descends": info["effective"]}
        row["failed: " + ", ".join(arms)] = ", ".join(of("failed", objective, name, np.mean) for objective in arms)
        row |= {f"gradient, first and last: {objective}": gradient(objective, name) for objective in arms}
        for metric, heading in columns.items():
            row |= {f"{heading}: {objective}": of(metric, objective, name) for objective in arms}
            row[f"{heading}: saddle of what it descends"] = of(metric, "saddle", descended) if descended else "--"
        rows.append(row)
    return pd.DataFrame(rows)
