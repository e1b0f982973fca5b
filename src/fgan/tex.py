"""Numbers of a record as LaTeX macros, each with its source, and the generated pieces of the paper."""

from pathlib import Path

import numpy as np
import pandas as pd

from fgan import design
from fgan.tables import escape, latex, number

VERDICT_COLOURS = {
    "replicated": "good",
    "partly": "mixed",
    "not replicated": "bad",
    "undecided": "open",
    "not run": "open",
    "out of reach": "open",
}


def numbers(record, parts):
    """Every number the paper may name: rows (key, text, value, source), keys like ring.tanh.kl.saddle.modes."""
    rows = []
    for part in parts:
        rows += _facts(part) + _measured(part) + _untrained(part)
    claims = pd.read_csv(record / "tables" / "claims.csv")
    for claim in claims.itertuples():
        rows.append(
            (
                f"claim.{claim.claim}",
                rf"\verdict{{{claim.verdict}}}",
                None,
                f"experiments/{claim.experiment}/claims.yaml",
            )
        )
    for verdict, count in claims.verdict.value_counts().sort_index().items():
        rows.append((f"claims.{verdict}", str(count), count, "tables/claims.csv"))
    rows.append(("claims.all", str(len(claims)), len(claims), "tables/claims.csv"))
    rows.append(("record.name", record.name, None, "the setting record"))
    rows.append(
        (
            "record.runs",
            f"{sum(p.design['runs'] for p in parts):,}",
            sum(p.design["runs"] for p in parts),
            "design.json of each part",
        )
    )
    rows += [
        (
            "record." + key,
            escape(", ".join(sorted({str(p.card[key])[:12] for p in parts}))),
            None,
            "card.json of each part",
        )
        for key in ("commit", "device")
    ]
    rows.append(
        ("record.scale", ", ".join(sorted({p.design["scale"] for p in parts})), None, "design.json of each part")
    )
    rows.append(("record.torch", escape(parts[0].card["versions"]["torch"]), None, "card.json"))
    for kind in ("figure", "table"):
        for name, (experiment, _, caption) in design.captions(kind).items():
            text = rf"{escape(caption)} \rebuild{{{kind}\_{name}}}".replace(name, escape(name))
            rows.append((f"caption.{kind}.{name}", text, None, f"experiments/{experiment}/experiment.yaml"))
    return pd.DataFrame(rows, columns=["key", "text", "value", "source"])


def _facts(part):
    d, s = part.design, part.design["settings"]
    facts = {
        "runs": d["runs"],
        "seeds": d["seeds"],
        "steps": s["steps"],
        "batch": s["batch"],
        "divergences": len(part.divergences),
    }
    facts |= {f"measure.{k}": v for k, v in s["measure"].items() if isinstance(v, (int, float))}
    facts |= {f"target.{k}": v for k, v in s["target"].items() if isinstance(v, (int, float))}
    rows = [(f"{d['name']}.{k}", f"{v:,}", v, f"{d['name']}/design.json") for k, v in facts.items()]
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
        source = f"{name}/measurements.parquet: mean of '{metric}' at step {part.last_step} over {runs}"
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
            number(value),
            value,
            f"{name}/measurements.parquet: baseline '{sampler}', mean of '{metric}'",
        )
        for (sampler, metric), value in means.items()
    ]


def macros(frame):
    """numbers.tex: one \\fganset{key}{text} per number."""
    return "".join(f"\\fganset{{{row.key}}}{{{row.text}}}\n" for row in frame.itertuples())


def sections(parts):
    """experiments.tex: the section of each experiment, its own file where there is one, else its figures and tables."""
    lines = []
    for part in parts:
        name = part.design["name"]
        if Path("paper", "sections", f"{name}.tex").exists():
            lines.append(rf"\input{{sections/{name}}}")
        else:
            lines.append(rf"\section{{{escape(part.design['title'])}}}" + "\n" + escape(part.design["question"]))
            for kind in ("figure", "table"):
                lines += [
                    rf"\fgan{kind}{{{full}}}" for full, (owner, *_) in design.captions(kind).items() if owner == name
                ]
        lines.append(r"\paragraph{Deviations.}\begin{enumerate}[nosep]")
        lines += [rf"\item {escape(text)}" for text in part.design["deviations"]] + [r"\end{enumerate}"]
    return "\n".join(lines) + "\n"


def claims_table(frame):
    """A long table of the claims: statement, published, measured example with its allowed range, verdict and why."""
    lines = [r"\begin{longtable}{@{}p{0.40\linewidth}p{0.22\linewidth}p{0.32\linewidth}@{}}", r"\toprule",
             r"Claim & Source & Verdict \\ \midrule \endhead \bottomrule \endfoot"]  # fmt: skip
    for row in frame.itertuples():
        exercise = f" ({row.exercise})" if row.exercise else ""
        published = f": {row.published} ({row.known})" if row.published else ""
        measured = f"{escape(row.example)}: {number(row.estimate)} in [{number(row.low)}, {number(row.high)}]"
        lines.append(
            f"{escape(row.statement)}{exercise} & {escape(row.source)}{escape(published)} & "
            f"\\verdict{{{row.verdict}}}: {escape(row.why)}. {measured}; "
            f"allowed [{number(row.allowed_low)}, {number(row.allowed_high)}] \\\\ \\addlinespace"
        )
    return "\n".join([*lines, r"\end{longtable}", ""])


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
    return latex(frame).replace("{lrrrrrr}", "{lllllll}"), frame
