"""The generated pages: parts of the README, verdicts and claims of the committed record, and the data dictionary."""

import re
from pathlib import Path

import pandas as pd

from fgan import design
from fgan.design import DesignError, read_yaml
from fgan.files import write_text
from fgan.record.write import BASELINE_COLUMNS, COLUMNS
from fgan.report import claims_json, licences
from fgan.report.claims import KINDS, counts, verdicts
from fgan.report.draw import parts
from fgan.report.paper import divergence_table
from fgan.report.printed import measured

MEANINGS = {  # meanings of the columns of measurements and baselines
    "experiment": "folder in experiments/",
    "arm": "named treatment within the experiment; its settings and factors stand in design.json",
    "divergence": "name in the table of divergences; of a baseline, the divergence that it belongs to, or empty",
    "objective": "loss of the generator: saddle, alternative, logit (VEEGAN), elbo for an autoencoder, or in decoupled"
    " the divergence h that it descends",
    "seed": "seed of the run, or number of the sampler's draw; empty where the row is a statistic over seeds",
    "step": "updates of the generator before the value was taken; the last step of an arm is the one that is judged",
    "metric": "name of the quantity, see below",
    "rule": "rule of counting, reading, judge or condition under which the metric was taken; empty for most",
    "statistic": "`value` of one run, or `lower quartile`, `median`, `upper quartile` over the seeds",
    "value": "the number, float64, in the metric's unit",
    "sampler": "sampler that was not trained: the data, one mode, an exact optimum ...",
}
NOTE = "<!-- Written by `python -m fgan pages`; edits here are lost. -->"


def pages(reference):
    """{path: text} of every generated page, with the README's generated parts in their places.

    The licences are told only where the lock's own versions are installed.
    """
    frame, versions = verdicts(parts(reference)), licences.pins()
    told = {Path("docs/licences.md"): licences.page(NOTE, versions)} if licences.installed(versions) else {}
    return told | {
        Path("README.md"): readme(Path("README.md").read_text(encoding="utf-8"), frame),
        reference / "VERDICTS.md": verdict_page(frame),
        reference / "claims.json": claims_json.text(reference, parts(reference), frame),
        Path("docs/data.md"): dictionary(),
        Path("docs/divergences.md"): divergence_page(),
    }


def write(reference):
    """Writes every generated page that has changed; returns their paths."""
    changed = [(path, text) for path, text in pages(reference).items() if not path.exists() or path.read_text() != text]
    for path, text in changed:
        write_text(path, text)
    return [path for path, _ in changed]


def markdown(frame, align=None):
    """A frame of texts as a table in Markdown."""
    rows = [frame.columns, align or ["---"] * frame.shape[1], *frame.itertuples(index=False)]
    return "\n".join("| " + " | ".join(str(cell).replace("|", r"\|") for cell in row) + " |" for row in rows)


def plain(text):
    """A number's LaTeX as plain text."""
    text = re.sub(r"\\cdot 10\^\{(-?\d+)\}", r"·10^\1", text.replace("$-$", "-").replace(r"\infty", "∞"))
    text = text.replace(r"\,\%", " %")
    return text.replace("$", "").replace("-", "−")


def readme(text, frame):
    """The README with its generated table; raises DesignError if its place is missing."""
    begin = "<!-- findings: python -m fgan pages -->"
    place = re.compile(rf"({begin}\n).*(<!-- end -->)", re.S)
    if not place.search(text):
        raise DesignError(f"README.md has no place for the findings: write {begin} and <!-- end -->")
    return place.sub(lambda match: f"{match[1]}{findings(frame)}\n{match[2]}", text)


def divergence_page():
    """docs/divergences.md: the formulas of every divergence."""
    lines = ["# The divergences", NOTE, ""]
    lines += [
        "*Alternative descends* names the divergence that the paper's alternative generator objective (sec. 3.2)",
        "descends at the optimal V, up to a factor: h''(u) = f''(u)/u. Every formula is tested (Fenchel-Young,",
        "f = f\\*\\*, the supremum over V, float32 against float64).", "",
    ]  # fmt: skip
    return "\n".join([*lines, markdown(divergence_table())]) + "\n"


def findings(frame):
    """The headline findings of paper/findings.yaml: finding, published, ours with its interval, verdict."""
    rows, claims = [], frame.set_index("claim")
    for finding in read_yaml("paper/findings.yaml")["findings"]:
        if finding["claim"] not in claims.index:
            known = design.nearest(finding["claim"], claims.index)
            raise DesignError(f"paper/findings.yaml: no claim '{finding['claim']}'; {known}")
        claim = claims.loc[finding["claim"]]
        ours = claim.missing or plain(measured(claim, finding["unit"]))
        ours += f" ({claim.data})" if claim.data else ""
        rows.append((finding["finding"], finding["published"], ours, claim.verdict))
    return markdown(pd.DataFrame(rows, columns=["finding", "published", "ours [95 % interval]", "verdict"]))


def verdict_page(frame):
    """Every claim of the committed record with its verdict, after tables of counts by kind and by experiment."""
    lines = ["# Verdicts of the committed record", NOTE, ""]
    lines += ["An identity is true by algebra: its check tests the code, and is not counted among the claims.", ""]
    by_kind = counts(frame).rename(index=KINDS | {"all": "**all claims**"})
    by_experiment = {name: counts(rows).loc["all"] for name, rows in frame.groupby("experiment", sort=False)}
    checks = frame[frame.kind == "identity"].groupby("experiment").size()
    by_experiment = pd.DataFrame(by_experiment).T.assign(checks=checks)
    for table, name in ((by_kind, "kind"), (by_experiment, "experiment")):
        table = table.fillna(0).astype(int).replace(0, "").rename(columns={"all": "claims"}).reset_index(names=name)
        lines += [markdown(table, ["---"] + ["--:"] * (table.shape[1] - 1)), ""]
    lines.pop()
    for experiment, rows in frame.groupby("experiment", sort=False):
        told = pd.DataFrame({
            "id": [f"`{name}`" for name in rows.claim], "claim": rows.statement,
            "kind": rows.kind.replace("identity", "check"), "verdict": rows.verdict,
            "estimate": ["" if row.verdict == "not run" else row.missing or plain(measured(row))
                         for row in rows.itertuples()], "why": rows.why,
        })  # fmt: skip
        lines += ["", f"## {experiment}", "", markdown(told)]
    return "\n".join(lines) + "\n"


def dictionary():
    """docs/data.md: the meaning of each column and each metric of a record, with units."""
    lines = ["# Data dictionary", NOTE, "", "A part is a folder `results/<record>/<experiment>/` with five files.", ""]
    for file, columns in (("measurements.parquet", COLUMNS), ("baselines.parquet", BASELINE_COLUMNS)):
        rows = [(f"`{column}`", MEANINGS[column]) for column in columns]
        lines += [f"## {file}", "", markdown(pd.DataFrame(rows, columns=["column", "meaning"])), ""]
    lines += [
        "## samples.npz, design.json, card.json", "",
        "`samples.npz` holds arrays of runs, `<what>/<arm>/<divergence>/<objective>/<seed>` (float16),",
        "`curve/...` (float32) and those of no run. `design.json` is the resolved design, `card.json` the run cards:",
        "seeds, versions, device, commit, hashes of settings, code, criteria, and the `fingerprints` of the machines:",
        "CPU, vector level, BLAS; for a GPU its name, driver, CUDA, cuDNN. `checksums.txt` has the files' SHA-256.", "",
    ]  # fmt: skip
    tables = {"every experiment": read_yaml("src/fgan/metrics/metrics.yaml")}
    tables |= {name: own_metrics(name) for name in design.find()}
    for title, metrics in tables.items():
        if metrics:
            rows = pd.DataFrame([(name, *own) for name, own in metrics.items()], columns=["metric", "unit", "meaning"])
            lines += [f"## Metrics of {title}", "", markdown(rows), ""]
    return "\n".join(lines)


def own_metrics(experiment):
    """{metric: (unit, meaning)} of the metrics of an experiment's own, from its schema.yaml."""
    path = Path("experiments", experiment, "schema.yaml")
    return read_yaml(path).get("metrics", {}) if path.exists() else {}


def described(experiment):
    """{metric: (unit, meaning)} of the metrics that an experiment may have."""
    return read_yaml("src/fgan/metrics/metrics.yaml") | own_metrics(experiment)
