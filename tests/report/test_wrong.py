"""Runs that go wrong: what diverged, collapsed onto one point or ran once is told in words, and nothing is empty."""

import json
import math
import os
import re
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest
import shown
import wrong

from fgan import design
from fgan.divergences import DIVERGENCES
from fgan.report import claims, draw, empty, explorer, fates, figures, overview, pages, paper
from fgan.report.part import Part

REFERENCE = Path("results/reference")
EACH = pytest.mark.skipif(os.environ.get("FGAN_WRONG") != "each", reason="minutes long: tried with FGAN_WRONG=each")
WORDLESS = re.compile(r"\bnan\b|\binf\b|^[\s,()–−-]*$|(^|[ (,])--($|[ ),])", re.I)  # a cell that says nothing
DRIVEN = shown.DESIGN.replace("[kl, gan]", "[all]").replace("[saddle]", "[saddle, alternative]")
FIGURES = """
from fgan.report import figures, mode_figures, tables


def statistic_spread(part):
    return part.values("high_quality", "tanh", "kl").mean(), 0.0, 1.0, 2


def figure_modes(part):
    return mode_figures.modes(part, "tanh", 8)


def figure_distribution(part):
    return mode_figures.distribution(part, "tanh", 8)


def figure_samples(part):
    return mode_figures.samples(part, "tanh")


def table_modes(part):
    return tables.modes(part, "tanh", 8)


def table_rules(part):
    return tables.rules(part, "tanh")


def table_alternative(part):
    return tables.alternative(part, dict.fromkeys(figures.OBJECTIVES, "tanh"), {("modes", ""): "modes"})
"""
CAPTIONS = "figures: {modes: M., distribution: D., samples: S.}\ntables: {modes: M., rules: R., alternative: A.}"
MODES = """
  - {id: covers, kind: derived, statement: It covers., source: here, reason: because, seeds: 2,
     checks: [{kind: share, metric: modes, at_least: 8, where: {arm: tanh}, low: 0.5}]}
  - {id: distance, kind: derived, statement: It is near., source: here, reason: because, seeds: 2,
     checks: [{kind: mean, metric: reverse_kl, where: {arm: tanh}, high: 1.0}]}
"""
POINT = "    made = Population(runs, p, *networks.of(settings, p.dimension), settings, device)\n    made.theta.zero_()"
PLACES = {  # of a small experiment's text, what stands there instead
    "diverged": [("generator: 1.0e-3, variational: 1.0e-3", "generator: 1.0e+30, variational: 1.0e+30")],
    "one point": [],
}


@pytest.fixture
def record(away, request, monkeypatch):
    """results/smoke of a small experiment that was really trained, every divergence under both objectives."""
    text = DRIVEN.replace("seeds: 6", "seeds: 2").replace("figures: {modes: Modes.}\n", "")
    text = text.replace("tables: {modes: Modes and quality.}", CAPTIONS)
    for old, new in PLACES[request.param]:
        assert old in text
        text = text.replace(old, new)
    run = shown.RUN
    if request.param == "one point":
        call = "    return Population(runs, p, *networks.of(settings, p.dimension), settings, device)"
        assert call in run
        run = run.replace(call, f"{POINT}\n    return made")
    for name, new in (("DESIGN", text), ("FIGURES", FIGURES), ("RUN", run), ("CLAIMS", shown.CLAIMS + MODES)):
        monkeypatch.setattr(shown, name, new)
    shown.experiment(away)
    made = shown.record()
    draw.draw(made, "toy")
    return made


def silent(record):
    """Cells of a record's tables that say nothing; claims.csv, which programs read, has bounds that are no number."""
    found = []
    for path in sorted(record.glob("tables/*.csv")):
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        own = [column for column in frame if not column.startswith("allowed_")] if path.stem == "claims" else frame
        texts = ["missing"] if path.stem == "claims" else own
        found += [
            (path.stem, column, cell) for column in texts for cell in frame[column] if cell and WORDLESS.search(cell)
        ]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("record", ["diverged"], indirect=True)
def test_every_divergence_driven_into_the_wall_is_told_with_its_step(record):
    made = Part(record / "toy")
    failed = made.final("failed")
    assert len(failed) == 4 * len(DIVERGENCES) and failed.value.all(), "every run fails at such a rate"
    assert not silent(record)
    frame = pd.read_csv(record / "tables/claims.csv", keep_default_na=False).set_index("claim")
    assert "runs failed (" in frame.why["covers"] and re.search(r"(diverged|died) at step \d", frame.why["covers"])
    table = pd.read_csv(record / "tables/toy_modes.csv", dtype=str, keep_default_na=False)
    assert table.failed[: 2 * len(DIVERGENCES)].str.match(r"2 of 2 \(.*(diverged|died) at step").all()
    explorer.write(record)
    content = json.loads((record / "claims.json").read_text())["claims"]
    assert all((claim["estimate"] is None) == bool(claim["missing"]) for claim in content)


@pytest.mark.parametrize("record", ["one point"], indirect=True)
def test_a_generator_that_is_one_point_far_from_every_mode_covers_none(record):
    made = Part(record / "toy")
    assert not made.final("high_quality").value.any() and not made.final("modes").value.any()
    assert not silent(record)
    explorer.write(record)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [pytest.param(kind, marks=() if kind == "diverged" else EACH) for kind in wrong.KINDS])
@pytest.mark.parametrize("name", design.find(Path(__file__).parents[2] / "experiments"))
def test_every_figure_and_table_of_such_a_part_says_what_it_lacks(name, kind, root, tmp_path):
    if not (REFERENCE / name / "design.json").exists():
        pytest.skip(f"the committed record lacks {name}")
    wrong.part(REFERENCE / name, tmp_path / name, kind)
    made = Part(tmp_path / name)
    figures.style()
    for full in (full for full, (owner, *_) in design.captions("figure").items() if owner == name):
        figure = draw.drawn("figure", tmp_path, full)
        empty.explained(figure, fates.note(made, made.measurements))
        figure.canvas.draw()
        assert all(empty.drawn(axis) or axis.texts for axis in figure.axes if axis.axison), full
        assert (
            kind != "diverged"
            or not made.arms
            or not figure.axes
            or "diverged at step 7" in figure.texts[-1].get_text()
        )
        plt.close(figure)
    for full in (full for full, (owner, *_) in design.captions("table").items() if owner == name):
        frame = draw.drawn("table", tmp_path, full)
        cells = [str(cell) for column in frame for cell in frame[column] if str(cell)]
        assert not [cell for cell in cells if WORDLESS.search(cell)], full
    found = claims.judge(made, design.all_claims()[name])
    assert all(bool(row["missing"]) == math.isnan(row["estimate"]) for row in found)
    assert not [row["claim"] for row in found if math.isinf(row["low"]) or math.isinf(row["high"])]
    if kind == "diverged" and made.arms:
        assert not [row["claim"] for row in found if row["verdict"] == "replicated" and "failed" in row["missing"]]


def test_readme_and_verdicts_say_what_is_missing(root, tmp_path):
    """Of a record in which all runs of the ring diverged, and that lacks all else."""
    wrong.part(REFERENCE / "ring", tmp_path / "ring", "diverged")
    frame = claims.verdicts([Part(tmp_path / "ring")])
    rows = [line.split(" | ") for line in pages.findings(frame).splitlines()[2:]]
    assert all(re.search("[a-z]{3}", ours) and "∞" not in ours and "−−" not in ours for *_, ours, _ in rows)
    assert "| nan" not in pages.verdict_page(frame) and "diverged at step 7" in pages.verdict_page(frame)
    table = [line for line in pages.verdict_page(frame).splitlines() if line.startswith("| `ring-")]
    assert len(table) == (frame.experiment == "ring").sum() and any("diverged" in line for line in table)
    picture = overview.figure(frame)
    assert "were not run" in picture.texts[-1].get_text()
    plt.close(picture)


def test_a_record_without_any_p_value_has_its_claims(away, monkeypatch):
    """claims.json of a record in which no test was run: its column of p-values holds nothing."""
    monkeypatch.setattr(shown, "CLAIMS", "claims:" + MODES)
    shown.experiment(away)
    shown.record()
    paper.write_claims(Path("results/smoke"))
    assert {one["p_holm"] for one in json.loads(Path("results/smoke/claims.json").read_text())["claims"]} == {None}


def test_a_bar_in_a_cell_ends_no_cell():
    assert pages.markdown(pd.DataFrame({"metric": ["D(P||Q)"]})).splitlines()[-1] == r"| D(P\|\|Q) |"
    assert r"D_f(P\|\|Q)" in pages.dictionary() and "P||Q" not in pages.dictionary()
