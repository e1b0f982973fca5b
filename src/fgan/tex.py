"""Numbers of a record as LaTeX macros, each with its source, and the generated pieces of the paper."""

import math
import re
from pathlib import Path

import numpy as np
import pandas as pd

from fgan import design
from fgan.audit import stale
from fgan.claims import VERDICTS
from fgan.tables import escape, latex, number


def numbers(record, parts):
    """Every number the paper may name: rows (key, text, value, source), keys like ring.tanh.kl.saddle.modes."""
    rows = [row for part in parts for row in (*_facts(part), *_measured(part), *_untrained(part))]
    claims = pd.read_csv(record / "tables" / "claims.csv")
    for claim in claims.itertuples():
        rows.append((f"claim.{claim.claim}", rf"\verdict{{{claim.verdict}}}", None, "tables/claims.csv"))
        rows.append((f"claim.{claim.claim}.measured", measured(claim), claim.estimate, "tables/claims.csv"))
    counts = {verdict: int((claims.verdict == verdict).sum()) for verdict in VERDICTS} | {"all": len(claims)}
    rows += [(f"claims.{verdict}", str(count), count, "tables/claims.csv") for verdict, count in counts.items()]
    rows += [(f"record.{key}", text, None, source) for key, text, source in _record(record, parts)]
    rows += _formulas()
    for kind in ("figure", "table"):
        for name, (experiment, _, caption) in design.captions(kind).items():
            text = rf"{escape(caption)} \rebuild{{{kind}\_{escape(name)}}}"
            rows.append((f"caption.{kind}.{name}", text, None, f"experiments/{experiment}/experiment.yaml"))
    return pd.DataFrame(rows, columns=["key", "text", "value", "source"])


def _formulas():
    """The formulas of the table of divergences, for math mode."""
    from fgan.divergences import DIVERGENCES

    return [
        (f"formula.{name}.{field}", text, None, "src/fgan/divergences.py")
        for name, divergence in DIVERGENCES.items()
        for field, text in divergence.latex._asdict().items()
    ]


def _record(record, parts):
    """What the record is, as a whole: (key, text, source)."""
    commits = {re.sub(r"^([0-9a-f]{12})[0-9a-f]+", r"\1", commit) for part in parts for commit in part.card["commits"]}
    devices = {part.card["device"] for part in parts}
    scales = {part.design["scale"] for part in parts}
    old = ", ".join(part.design["name"] for part in parts if stale(part.card))
    return [
        ("name", record.name, "the setting record"),
        ("option", "" if record.name == "full" else f" -{{}}-config record={record.name}", "the setting record"),
        ("runs", f"{sum(part.design['runs'] for part in parts):,}", "design.json of each part"),
        ("scale", ", ".join(sorted(scales)), "design.json of each part"),
        ("commit", escape(", ".join(sorted(commits))), "card.json of each part"),
        ("device", ", ".join(sorted(devices)), "card.json of each part"),
        ("code", f"changed since ({escape(old)})" if old else "current", "card.json of each part, science files"),
        ("torch", parts[0].card["versions"]["torch"], "card.json of each part"),
    ]


def _facts(part):
    d, s = part.design, part.design["settings"]
    facts = {"runs": d["runs"], "seeds": d["seeds"], "divergences": len(part.divergences)}
    facts |= {key: s[key] for key in ("steps", "batch") if key in s}
    facts |= {f"{arm}.{key}": own[key] for arm, own in part.arms.items() for key in ("seeds", "steps", "batch")}
    facts |= {f"measure.{k}": v for k, v in s["measure"].items() if isinstance(v, (int, float))}
    facts |= {f"target.{k}": v for k, v in s["target"].items() if isinstance(v, (int, float))}
    rows = [(f"{d['name']}.{k}", f"{v:,}", v, f"{d['name']}/design.json") for k, v in facts.items()]
    lists = {f"target.{k}": ", ".join(map(number, v)) for k, v in s["target"].items() if isinstance(v, list)}
    rows += [(f"{d['name']}.{k}", text, None, f"{d['name']}/design.json") for k, text in lists.items()]
    return rows + [(f"{d['name']}.scale", d["scale"], None, f"{d['name']}/design.json")]


def _measured(part):
    """Mean over seeds of each judged metric, and the share of failed runs."""
    name = part.design["name"]
    final = part.final()
    rows = []
    groups = final.groupby(["arm", "divergence", "objective", "metric"], sort=False).value
    for (arm, divergence, objective, metric), values in groups:
        if metric.endswith("_step"):
            continue
        mean = float(values.mean()) if np.isfinite(values).all() else float("nan")
        runs = f"{len(values)} seeds of {arm}/{divergence}/{objective}"
        source = f"{name}/measurements.parquet: mean of '{metric}' at step {part.arms[arm]['steps']} over {runs}"
        rows.append((f"{name}.{arm}.{divergence}.{objective}.{metric}", number(mean), mean, source))
    failed = final[final.metric.isin(["diverged_step", "dead_step"])].groupby("metric").value.count()
    for metric, word in (("diverged_step", "diverged"), ("dead_step", "dead")):
        count = int(failed.get(metric, 0))
        rows.append((f"{name}.{word}", str(count), count, f"{name}/measurements.parquet: runs with a '{metric}'"))
    return rows


def _untrained(part):
    name, rows = part.design["name"], part.measurements
    means = rows[rows.arm == "baseline"].groupby(["divergence", "metric"], sort=False).value.mean()
    return [
        (
            f"{name}.baseline.{sampler}.{metric}",
            f"{int(value):012x}" if metric == "hash" else number(value),
            value,
            f"{name}/measurements.parquet: baseline '{sampler}', mean of '{metric}'",
        )
        for (sampler, metric), value in means.items()
    ]


def macros(frame):
    """numbers.tex: one \\fganset{key}{text} per number; a key's % would be a comment to TeX, and is left out."""
    return "".join(f"\\fganset{{{row.key.replace('%', '')}}}{{{row.text}}}\n" for row in frame.itertuples())


def sections(parts):
    """experiments.tex: each experiment's section (its own file where there is one) with all its figures and tables."""
    lines, found = [], {part.design["name"]: part for part in parts}
    for name in design.find():
        if name not in found:
            raw = design.read_yaml(Path("experiments", name, "experiment.yaml"))
            lines.append(rf"\section{{{escape(raw['title'])}}}\label{{sec:{name}}}")
            lines.append(rf"\emph{{{escape(raw['question'])}}} In this record: {design.left_out(name)}.")
            continue
        part = found[name]
        section = Path("paper", "sections", f"{name}.tex")
        text = section.read_text() if section.exists() else ""
        heading = [rf"\section{{{escape(part.design['title'])}}}", escape(part.design["question"])]
        lines += [rf"\input{{sections/{name}}}"] if text else heading
        for kind in ("figure", "table"):
            owned = [full for full, (owner, *_) in design.captions(kind).items() if owner == name]
            lines += [rf"\fgan{kind}{{{full}}}" for full in owned if rf"\fgan{kind}{{{full}}}" not in text]
        # In one piece, or the figures that wait for a page of their own would come between two deviations.
        lines.append(r"\par\noindent\begin{minipage}{\linewidth}\paragraph{Deviations.}\begin{enumerate}[nosep]")
        lines += [rf"\item {escape(text)}" for text in part.design["deviations"]]
        lines.append(r"\end{enumerate}\end{minipage}\FloatBarrier")
    return "\n".join(lines) + "\n"


def claims_table(frame):
    """A long table of the claims by experiment: verdict, statement, source, the check that speaks most against it."""
    widths = "".join(rf">{{\raggedright\arraybackslash}}p{{{w}\linewidth}}" for w in (0.11, 0.34, 0.19, 0.265))
    lines = [rf"\begin{{longtable}}{{@{{}}{widths}@{{}}}}", r"\toprule",
             r"Verdict & Claim & Source & Checks \\ \midrule \endhead \bottomrule \endfoot"]  # fmt: skip
    for experiment, rows in frame.groupby("experiment", sort=False):
        lines.append(rf"\multicolumn{{4}}{{@{{}}l}}{{\sffamily\bfseries {escape(experiment)}}} \\* \addlinespace")
        for row in rows.itertuples():
            exercise = f" ({row.exercise})" if row.exercise else ""
            published = f": {row.published} ({row.known})" if row.published else ""
            kind = "" if math.isnan(row.p_holm) else f", difference, corrected p = {number(row.p_holm)}"
            shown = f". {escape(row.example)}: {measured(row)}{kind}, {allowed(row)}"
            checked = prose(row.why) + ("" if math.isnan(row.estimate) else shown)
            lines.append(
                rf"\verdict{{{row.verdict}}} & {prose(row.statement)}{exercise} \claimid{{{escape(row.claim)}}}"
                rf" & {prose(row.source + published)} & {checked} \\ \addlinespace"
            )
    return "\n".join([*lines, r"\end{longtable}", ""])


def measured(row):
    """The estimate of a claim's check that speaks most against it, with its interval where it has one."""
    return number(row.estimate) + ("" if math.isnan(row.low) else f" [{number(row.low)}, {number(row.high)}]")


def allowed(row):
    """The range that a claim allows, as text."""
    low, high = number(row.allowed_low), number(row.allowed_high)
    if math.isinf(row.allowed_low):
        return rf"allowed $\leq$ {high}"
    return rf"allowed $\geq$ {low}" if math.isinf(row.allowed_high) else f"allowed [{low}, {high}]"


def prose(text):
    """Plain text as LaTeX, with printed quotation marks, primes and minus signs."""
    text = re.sub(r'"([^"]*)"', r"``\1''", escape(text))
    text = re.sub(r"(?<![\w-])-(?=\d)", "$-$", text)
    return re.sub(r"\b([fh])''(?=[ /])", r"$\1''$", text)


def divergence_table():
    """The table of divergences as (LaTeX, frame), generated from the code."""
    from fgan.divergences import DIVERGENCES

    columns = [
        "Divergence",
        "$f(u)$",
        "$f^*(t)$",
        r"$\mathrm{dom}\, f^*$",
        "$g_f(v)$",
        "$f'(1)$",
        "alternative descends",
    ]
    rows = []
    for d in DIVERGENCES.values():
        formulas = (d.latex.f, d.latex.conjugate, d.latex.domain, d.latex.activation, d.latex.threshold)
        rows.append((d.label, *(f"${formula}$" for formula in formulas), d.effective))
    frame = pd.DataFrame(rows, columns=columns)
    return latex(frame, left=True), frame


def markdown(frame):
    """A frame of texts as a table in Markdown."""
    rows = [frame.columns, ["---"] * frame.shape[1], *frame.itertuples(index=False)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
