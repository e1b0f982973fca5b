"""Tables: tidy frames of text to LaTeX (booktabs) and CSV."""

import numpy as np
import pandas as pd

from fgan.report import converged, fates
from fgan.report.printed import count_range, defined, escape, fixed, number, three

LONG = 25  # letters of a cell that may be wrapped
UNKNOWN = {"--", "not known", ""}


def framed(rows, cuts=(), **options):
    """A frame of rows with a rule after each row number of `cuts`."""
    frame = pd.DataFrame(rows, **options)
    frame.attrs["rules_after"] = tuple(cuts)
    return frame


def latex(frame, rules_after=(), left=False):
    """A booktabs tabular of a frame of texts; `rules_after` are row numbers.

    The first column is aligned left, the others right with wrapped headings and long cells. `left`, for formulas,
    aligns all left and wraps nothing. A column that knows nothing is left out: its record did not measure it. A frame
    of one column, or one of which no column that it calls `ours` has a number, says that a record measured nothing of
    the table, which the paper then names and does not print.
    """
    ours = frame[frame.attrs.get("ours", [])]
    nothing = ours.size and not ours.stack().str.contains(r"\d").any()
    lines = [r"\fgannothing"] if nothing or frame.shape[1] == 1 else []
    frame = frame.loc[:, [index == 0 or not set(frame.iloc[:, index]) <= UNKNOWN for index in range(frame.shape[1])]]
    lines += [rf"\begin{{tabular}}{{l{('l' if left else 'r') * (frame.shape[1] - 1)}}}", r"\toprule"]
    first, *others = map(escape, frame.columns)
    lines += [" & ".join([first, *(name if left else rf"\head{{{name}}}" for name in others)]) + r" \\", r"\midrule"]
    for index, (first, *others) in enumerate(frame.itertuples(index=False)):
        cells = [escape(cell) if left or len(cell) <= LONG else rf"\cell{{{escape(cell)}}}" for cell in others]
        lines.append(" & ".join([escape(first), *cells]) + r" \\")
        if index in rules_after:
            lines.append(r"\midrule")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def alternative(part, arms, columns):
    """The alternative objective beside the saddle one, a row for each divergence.

    `arms` are the arms by objective, `columns` the headings by judged (metric, rule). Cells are medians over seeds: of
    both objectives, and of the saddle objective of the divergence that the alternative one descends, if it was trained.
    """

    def shown(metric, rule, objective, name):
        return defined(part.values(metric, arms[objective], name, objective, rule), np.median)

    def gradient(objective, name):
        """The median norm of the generator's gradient, at the first entry of the history and at the last."""
        median = part.quartiles("gradient_G", arms[objective], name, objective)
        return ", ".join(number(median["median"].iloc[end], 2) for end in (0, -1)) if len(median) else "not run"

    rows, names = [], {label: name for name, label in part.labels.items()}
    for name, info in part.divergences.items():
        descended = names.get(info["effective"].removesuffix(" / 2"))
        row = {"Divergence": info["label"], "alternative descends": info["effective"]}
        row["failed: " + ", ".join(arms)] = ", ".join(fates.cell(part, arms[o], name, o) for o in arms)
        row |= {f"gradient, first and last: {objective}": gradient(objective, name) for objective in arms}
        for (metric, rule), heading in columns.items():
            row |= {f"{heading}: {objective}": shown(metric, rule, objective, name) for objective in arms}
            other = shown(metric, rule, "saddle", descended) if descended else "not trained"
            row[f"{heading}: saddle of what it descends"] = other
        rows.append(row)
    return pd.DataFrame(rows)


def modes(part, arm, total, samplers=True):
    """Modes covered by the converged runs, quality, and runs without a count for every divergence and objective of an
    arm with `total` modes; below them the samplers that were not trained, if they belong to the same target."""
    rows, cuts = [], []
    for objective in part.arms[arm]["objectives"]:
        for name in part.arms[arm]["divergences"]:
            quality, reverse_kl, saturated = (
                part.values(metric, arm, name, objective) for metric in ("high_quality", "reverse_kl", "saturated")
            )
            counts = converged.counted(part, "modes", arm, name, objective)
            cells = converged.columns(part, arm, name, objective, total=total)
            *covering, open_, failed = cells.items()
            rows.append({
                "Trained on": part.labels[name], "objective": objective,
                "modes": count_range(counts[np.isfinite(counts)]), **dict(covering),
                "high quality": three(quality, 2, fixed),
                "reverse KL": defined(reverse_kl),
                **dict([open_]), "failed": failed[1] + ", V saturated" * int(2 * saturated.sum() > len(saturated)),
            })  # fmt: skip
        cuts.append(len(rows) - 1)
    quality, reverse_kl = part.samplers("high_quality"), part.samplers("reverse_kl")
    for sampler, value in part.samplers("modes").items() if samplers else ():
        rows.append(dict.fromkeys(rows[0], "") | {
            "Trained on": sampler, "objective": "none", "modes": f"{value:.2f} on average",
            "high quality": number(quality[sampler], 2), "reverse KL": number(reverse_kl[sampler]),
        })  # fmt: skip
    return framed(rows, cuts)


def rules(part, arm):
    """Modes under every further rule of counting: samplers that were not trained, then the arm's means over seeds."""
    names = part.rules("modes")
    values = {rule: part.samplers("modes", rule) for rule in names}
    rows = [
        {"Sampler": sampler} | {rule: fixed(values[rule][sampler]) for rule in names}
        for sampler in part.samplers("modes")
    ]
    cuts = [len(rows) - 1]
    for objective in part.arms[arm]["objectives"]:
        for name in part.arms[arm]["divergences"]:
            means = {rule: part.values("modes", arm, name, objective, rule).mean() for rule in names}
            label = f"{part.labels[name]} ({objective})"
            rows.append({"Sampler": label} | {rule: fixed(mean) for rule, mean in means.items()})
        cuts.append(len(rows) - 1)
    return framed(rows, cuts[:-1])
