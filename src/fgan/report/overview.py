"""The paper's overview of a record: the main table, where each experiment stands, and the figure of all claims."""

import textwrap

import numpy as np
import pandas as pd

from fgan import design
from fgan.design import DesignError, nearest, read_yaml
from fgan.record.publish import hours
from fgan.report.claims import VERDICTS, percent
from fgan.report.printed import escape, measured, prose
from fgan.report.sentences import shown

COLOURS = {"replicated": "#1d6b3a", "partly": "#b7791f", "not replicated": "#9b2226", "undecided": "#8a8a8a"}
MARKERS = {"published": "o", "exercise": "s", "derived": "^", "identity": "D"}
CALLED = {"replicated": "replicated, supported", "not replicated": "not replicated, not supported"}
EDGE = 8.0  # the figure's end in half-widths of an interval; what lies beyond is drawn there


def of_fgan(frame):
    """The claims that f-GAN itself publishes."""
    return frame[(frame.kind == "published") & frame.source.str.match(r"f-GAN\b(?!-)")]


def tally(frame):
    """How many claims have each verdict, in words; verdicts that none has are left out."""
    words = ("hold", "hold in part", "do not hold", "stay undecided", "were not run")
    words = dict(zip(VERDICTS, words, strict=True))
    counts = frame.verdict.value_counts()
    told = [f"{counts[name]} {words[name]}" for name in VERDICTS if name in counts]
    return " and ".join(filter(None, (", ".join(told[:-1]), *told[-1:])))


def scales(parts):
    """How many experiments the record has at which scale, in words, the commonest scale first."""
    of = pd.Series({part.name: part.design["scale"] for part in parts})
    counts = of.value_counts(sort=False).sort_values(ascending=False, kind="stable")
    if len(counts) == 1:
        return rf"{len(of)} of {len(design.find())} experiments, all at \emph{{{counts.index[0]}}}"
    texts = []
    for scale, count in counts.items():
        names = ", ".join(name.replace("_", " ") for name in of.index[of == scale])
        texts.append(rf"{count} at \emph{{{scale}}}" + (f" ({names})" if count <= 3 else ""))
    return f"{len(of)} of {len(design.find())} experiments, " + " and ".join(texts)


CAUTIONS = {
    "smoke": r"At \emph{smoke} everything runs, and the numbers mean nothing.",
    "quick": r"At \emph{quick} seeds are few and trainings short, so that most claims of modes and images stay open.",
    "overnight": r"At \emph{overnight} settings are the published ones where they are affordable, and seeds are few.",
}


def caution(parts):
    """What a reader has to know of the scales that a quarter of a record's experiments or more have."""
    scales = [part.design["scale"] for part in parts]
    return " ".join(text for scale, text in CAUTIONS.items() if 4 * scales.count(scale) >= len(scales))


def absent(parts, frame):
    """What the record lacks, in one paragraph: experiments that it has not, and claims of others that were not run."""
    names = {part.name for part in parts}
    missing = [name for name in design.find() if name not in names]
    unrun = frame[(frame.verdict == "not run") & frame.experiment.isin(names)].groupby("experiment", sort=False).size()
    texts = [f"The record lacks the experiments {escape(', '.join(missing).replace('_', ' '))}."] if missing else []
    if len(unrun):
        listed = ", ".join(f"{escape(name.replace('_', ' '))} {count}" for name, count in unrun.items())
        texts.append(f"In the others {unrun.sum()} claims need arms or data that it does not hold: {listed}.")
    return " ".join(texts) or "The record lacks nothing: every claim was run."


def main_table(frame, parts, path="paper/findings.yaml"):
    """The main table as LaTeX: finding, published, ours with its interval, verdict, scale; claims not run are left out.

    Beside the scale stands the share of the published length, where a claim names one, and beside our value the data
    that it was measured on, if not on the published ones. Raises DesignError for a claim that there is not.
    """
    claims, scale = frame.set_index("claim", drop=False), {part.name: part.design["scale"] for part in parts}
    widths = "".join(rf">{{\raggedright\arraybackslash}}p{{{width}\linewidth}}" for width in (0.335, 0.19, 0.205))
    lines = [rf"\begin{{tabular}}{{@{{}}{widths}ll@{{}}}}", r"\toprule",
             r"Finding & Published & Ours [95\,\% interval] & Verdict & Scale \\ \midrule"]  # fmt: skip
    for row in read_yaml(path)["paper"]:
        if row["claim"] not in claims.index:
            raise DesignError(f"{path}: no claim '{row['claim']}'; {nearest(row['claim'], claims.index)}")
        claim = claims.loc[row["claim"]]
        if claim.verdict == "not run":
            continue
        ours = measured(claim, row["unit"])
        ours += f" ({prose(claim.data)})" if claim.data else ""
        extent = scale[claim.experiment]
        if pd.notna(claim.published_share):
            extent += f", {escape(percent(claim.published_share))}"
        cells = (prose(row["finding"]), prose(row["published"]), ours, verdict(claim), extent)
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def verdict(claim):
    """The printed mark of a claim's verdict, in the words for its kind."""
    return rf"\verdict{{{shown(claim.verdict, claim.kind)}}}"


def compute(parts):
    """A frame of what each experiment trained: scale, runs, updates of G over all runs, device, hours where published.

    Without hours.json there are none, because a record made twice would give two PDFs; time.csv has them.
    """
    rows, took = [], hours(parts[0].folder.parent) if parts else {}
    for part in parts:
        own, ends = part.design, part.final("failed")
        updates = f"{ends.step.sum() / 1e3:,.1f}"
        rows.append({"Experiment": part.name.replace("_", " "), "scale": own["scale"], "runs": f"{own['runs']:,}",
                     "thousand updates of G": updates, "device": part.card.get("device", "unknown")})  # fmt: skip
        if took:
            rows[-1]["core hours"] = f"{took[part.name]:.2g}" if part.name in took else "not kept"
    return pd.DataFrame(rows)


def standing(frame):
    """How far each measured claim lies inside what it allows, in half-widths of its interval [claims], at most EDGE.

    Positive means inside; within 1 of zero the interval straddles the criterion. An estimate without an interval lies
    at an end. A column `z` beside those of the claims; claims without an estimate are left out.
    """
    rows = frame[np.isfinite(frame.estimate)].copy()
    inside = np.minimum(rows.estimate - rows.allowed_low, rows.allowed_high - rows.estimate)
    half = (rows.high - rows.low) / 2
    rows = rows[np.isfinite(half)].copy()
    half, inside = half.loc[rows.index], inside.loc[rows.index]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(half > 0, inside / half, np.where(inside >= 0, np.inf, -np.inf))
    return rows.assign(z=np.clip(ratio, -EDGE, EDGE))


def figure(frame):
    """Every measured claim: its estimate against the range that it allows, in half-widths of its interval.

    A black edge marks a verdict that is another one at half or at twice the tolerance of its criterion.
    """
    from fgan.report import empty
    from fgan.report.figures import GREY, WIDTH, blank, dot, legend, plt, row_labels

    rows = standing(frame)
    if not len(rows):
        return blank("no claim of this record has an interval")
    names = list(dict.fromkeys(rows.experiment))[::-1]
    picture, axis = plt.subplots(figsize=(WIDTH, 1.1 + 0.33 * len(names)))
    axis.axvspan(0, EDGE + 2.0, color="#e0f1e5", zorder=0, lw=0)
    axis.axvspan(-1, 1, color="#d9d9d9", zorder=0, lw=0, alpha=0.7)
    for height, name in enumerate(names):
        mine = rows[rows.experiment == name]
        for _, own in mine.groupby((mine.z / 0.3).round()):
            # Neighbours would hide each other: four to a column, the columns outwards.
            column, place = np.divmod(np.arange(len(own)), 4)
            at = own.z + np.sign(own.z) * 0.3 * column, height + 0.21 * (place - (min(len(own), 4) - 1) / 2)
            for row, x, y in zip(own.itertuples(), *at, strict=True):
                edge = {"mew": 0.9, "mec": "black", "zorder": 4} if delicate(row) else {"mew": 0.3, "mec": "white"}
                axis.plot(x, y, MARKERS[row.kind], color=COLOURS[row.verdict], clip_on=False,
                          **{"ms": 4.6, "zorder": 3} | edge)  # fmt: skip
    row_labels(axis, [name.replace("_", " ") for name in names])
    axis.set(
        xlim=(-EDGE - 0.6, EDGE + 2.0),
        xlabel="distance of the estimate from its criterion, in half-widths of its interval",
    )
    ticks = [-EDGE, -4, -1, 0, 1, 4, EDGE]
    axis.set_xticks(ticks, ["$\\leq-8$", "$-4$", "$-1$", "0", "1", "4", "$\\geq8$"])
    present = [name for name in COLOURS if (rows.verdict == name).any()]
    handles = {CALLED.get(name, name): dot(COLOURS[name], ms=5) for name in present}
    words = {"published": "published", "exercise": "exercise", "derived": "our hypothesis", "identity": "identity"}
    handles |= {
        words[k]: dot("#333333", marker=m, mfc="none", ms=5) for k, m in MARKERS.items() if (rows.kind == k).any()
    }
    if any(map(delicate, rows.itertuples())):
        handles["flips at half or twice the tolerance"] = dot(GREY, ms=5, mec="black", mew=0.9)
    legend(picture, handles, ncols=3)
    empty.below(picture, textwrap.wrap(left_out(frame, rows), empty.PER_LINE))
    return picture


def delicate(claim):
    """Whether the verdict on a claim is another one at half or at twice the tolerance, where its criterion has one."""
    return bool(claim.at_half) and {claim.at_half, claim.at_twice} != {claim.verdict}


def left_out(frame, rows):
    """How many claims the figure of all claims does not show, and why."""
    unrun = frame.verdict == "not run"
    counts = {
        "were not run": unrun, "have no estimate": ~unrun & frame.estimate.isna(),
        "have too few seeds for an interval": ~unrun & frame.estimate.notna() & ~frame.index.isin(rows.index),
    }  # fmt: skip
    told = ", ".join(f"{own.sum()} {words}" for words, own in counts.items() if own.any())
    return f"{len(rows)} of {len(frame)} claims are drawn" + (f"; {told}" if told else "")
