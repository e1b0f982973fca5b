"""Tables: tidy frames of text to LaTeX (booktabs) and CSV."""

import math

import numpy as np
import pandas as pd

from fgan.statistics import t_interval, wilson

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


def labels():
    """{name: label} of every divergence, trained in a record or not."""
    from fgan.divergences import DIVERGENCES

    return {name: divergence.label for name, divergence in DIVERGENCES.items()}


def by_run(part, metric, arm):
    """{(divergence, objective): values over seeds} of the judged step."""
    rows = part.final(metric, arm)
    return {key: group.value.to_numpy() for key, group in rows.groupby(["divergence", "objective"], sort=False)}


def untrained(part, metric):
    """{sampler: mean} of the samplers without training."""
    return part.baselines(metric).groupby("divergence", sort=False).value.mean().to_dict()


def defined(values):
    """Mean of the defined values as text, and of how many runs; 'undefined' where no run has one."""
    kept = values[np.isfinite(values)]
    if not len(kept):
        return "undefined"
    return number(float(kept.mean())) + ("" if len(kept) == len(values) else f" ({len(kept)} of {len(values)})")


def modes(part, arm, total, samplers=True):
    """Modes covered, quality and failures for every divergence and objective of an arm with `total` modes; below them
    the samplers without training, where they belong to the same target."""
    names = ("modes", "high_quality", "reverse_kl", "saturated", "failed")
    found, quality, reverse, stuck, bad = (by_run(part, metric, arm) for metric in names)
    rows, cuts = [], []
    for objective in part.arms[arm]["objectives"]:
        for name in part.arms[arm]["divergences"]:
            info, key = part.divergences[name], (name, objective)
            counts = found[key]
            share, low, high = wilson(int((counts >= total).sum()), len(counts))
            rows.append({
                "Trained on": info["label"], "objective": objective,
                "descends": info["label"] if objective == "saddle" else info["effective"],
                "modes": f"{counts.min():.0f}, {np.median(counts):g}, {counts.max():.0f}",
                f"all {total}": f"{share:.2f} [{low:.2f}, {high:.2f}]", "one": f"{(counts == 1).mean():.2f}",
                "high quality": ", ".join(f"{q(quality[key]):.2f}" for q in (np.min, np.median, np.max)),
                "reverse KL": defined(reverse[key]),
                "failed": f"{bad[key].sum():.0f} of {len(counts)}" + ", V saturated" * bool(stuck[key].mean() > 0.5),
            })  # fmt: skip
        cuts.append(len(rows) - 1)
    for sampler, value in untrained(part, "modes").items() if samplers else ():
        rows.append(dict.fromkeys(rows[0], "") | {
            "Trained on": sampler, "objective": "none", "modes": f"{value:.2f} on average",
            "high quality": number(untrained(part, "high_quality")[sampler], 2),
            "reverse KL": number(untrained(part, "reverse_kl")[sampler]),
        })  # fmt: skip
    frame = pd.DataFrame(rows)
    frame.attrs["rules_after"] = tuple(cuts)
    return frame
