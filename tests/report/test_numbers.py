"""Numbers of the paper: every one is a macro with its text, its value and where it comes from."""

import math
from pathlib import Path

import pandas as pd
import pytest
from records import part, toy

from fgan.files import RecordError, write_json
from fgan.record import audit, provenance, write
from fgan.report import numbers
from fgan.report.part import Part


def by_key(rows):
    return {row["key"]: row for row in rows}


def test_every_number_of_the_paper_is_a_macro():
    rows = [
        numbers.row("ring.tanh.kl.saddle.modes", "8.00", 8.0, "somewhere"),
        numbers.row("record.name", "quick", None, "a"),
    ]
    frame = pd.DataFrame(rows)
    assert numbers.macros(frame) == "\\fganset{ring.tanh.kl.saddle.modes}{8.00}\n\\fganset{record.name}{quick}\n"


def test_a_rule_with_a_percentage_is_no_comment_to_tex():
    frame = pd.DataFrame([numbers.row("grid.tanh.kl.saddle.modes [99 %, tenth]", "25.0", 25.0, "somewhere")])
    assert numbers.macros(frame) == "\\fganset{grid.tanh.kl.saddle.modes [99 percent, tenth]}{25.0}\n"


def test_two_numbers_never_share_a_macro():
    keys = ("grid.modes [99 %]", "grid.modes [99 ]", "grid.modes [99 percent]")
    rows = [numbers.row(key, "1", 1.0, "somewhere") for key in keys]
    assert numbers.macros(pd.DataFrame(rows[:2])).count("fganset") == 2  # they differ by the % alone
    with pytest.raises(RecordError, match=r"one key: 'grid.modes \[99 %\]' and 'grid.modes \[99 percent\]'"):
        numbers.macros(pd.DataFrame(rows))


VALUES = {
    ("m", "kl", "saddle"): [1.0, 2.0],
    (("m", "strict"), "kl", "saddle"): [0.5, math.nan],
    ("diverged_step", "kl", "saddle"): [math.nan, 7.0],
    ("dead_step", "kl", "saddle"): [math.nan, math.nan],
}


def test_a_measured_number_is_the_mean_over_seeds_and_names_its_runs(tmp_path):
    found = by_key(numbers.judged(toy(tmp_path, VALUES)))
    one, strict = found["toy.main.kl.saddle.m"], found["toy.main.kl.saddle.m [strict]"]
    assert (one["text"], one["value"], one["metric"], one["rule"]) == ("1.50", 1.5, "m", "")
    assert one["source"] == "toy/measurements.parquet: mean of 'm' at step 10 over 2 seeds of main/kl/saddle"
    assert (strict["text"], strict["metric"], strict["rule"]) == ("undefined", "m", "strict")  # of a run that failed
    assert [found[f"toy.{word}"]["value"] for word in ("diverged", "dead")] == [1, 0] and len(found) == 4


def test_a_number_of_a_sampler_leaves_out_what_it_does_not_have(tmp_path):
    baselines = [("P", "", {"m": 8.0, ("m", "strict"): 7.0}), ("exact optimum", "kl", {"width": 1.25})]
    found = by_key(numbers.untrained(toy(tmp_path, VALUES, baselines)))
    assert {key: row["text"] for key, row in found.items()} == {
        "toy.baseline.P.m": "8.00", "toy.baseline.P.m [strict]": "7.00", "toy.baseline.exact optimum.kl.width": "1.25",
    }  # fmt: skip
    assert found["toy.baseline.P.m"]["source"] == "toy/baselines.parquet: 'P', mean of 'm'"


def test_a_number_of_a_sampler_is_undefined_if_a_draw_is(tmp_path):
    made = toy(tmp_path, VALUES)
    draws = [("P", "", seed, {"m": value}) for seed, value in enumerate((1.0, 1.0, math.nan))]
    write.write_table(tmp_path / "baselines.parquet", write.baseline_rows(draws))
    assert by_key(numbers.untrained(made))["toy.baseline.P.m"]["text"] == "undefined"


def test_the_facts_of_a_part_are_those_of_its_design_and_card(tmp_path):
    settings = {"steps": 20_000, "batch": 128, "measure": {"samples": 2500, "rule": "3 sd, tenth"},
                "target": {"kind": "mixture", "weights": [0.25, 0.75], "sd": 0.02}}  # fmt: skip
    arms = {"main": {"seeds": 7, "steps": 400, "batch": 128}}
    design = {"name": "toy", "scale": "full", "settings": settings, "arms": arms, "seeds": 10, "runs": 2400}
    write_json(tmp_path / "design.json", design | {"divergences": [{"name": "kl", "label": "KL", "effective": "E"}]})
    write_json(tmp_path / "card.json", {"facts": {"classifier": "abc123"}})
    texts = {key: row["text"] for key, row in by_key(numbers.facts(Part(tmp_path))).items()}
    assert texts == {
        "toy.runs": "2,400", "toy.seeds": "10", "toy.divergences": "1", "toy.steps": "20,000", "toy.batch": "128",
        "toy.main.seeds": "7", "toy.main.steps": "400", "toy.main.batch": "128", "toy.measure.samples": "2,500",
        "toy.measure.rule": "3 sd, tenth", "toy.target.sd": "0.02",
        "toy.target.weights": "0.250, 0.750", "toy.scale": "full", "toy.classifier": "abc123",
    }  # fmt: skip


@pytest.mark.parametrize(("code", "shown"), [("now", "is current"), ("before", "has changed since (ring)")])
def test_a_part_that_other_code_trained_is_stale_and_the_paper_says_so(tmp_path, monkeypatch, code, shown):
    made = Part(part(tmp_path / "quick" / "ring"))
    card = {"experiment": "ring", "commits": ["c" * 40], "device": "cpu", "versions": {"torch": "2"}}
    write_json(made.folder / "card.json", card | {"shards": {"a": {"code_hash": "now"}, "b": {"code_hash": code}}})
    monkeypatch.setattr(provenance, "code_hash", lambda experiment: "now")
    found = by_key(numbers.of_the_record(tmp_path / "quick", [made]))
    assert found["record.code"]["text"] == shown and audit.stale(made.card) == (code != "now")
    assert found["record.commit"]["text"] == "c" * 12 and found["record.runs"]["text"] == "5"
    assert found["record.fingerprint"]["text"] == "no recorded fingerprint"
    assert found["record.option"]["text"] == " -{}-config record=quick"


@pytest.mark.parametrize(("code", "keys"), [("now", []), ("before", ["ring.tanh.kl.saddle.new"])])
def test_a_number_that_older_code_did_not_measure_is_told(tmp_path, monkeypatch, code, keys):
    """Of a part that this code trained such a name is a mistake, at which the compilation has to stop."""
    made = Part(part(tmp_path / "quick" / "ring"))
    write_json(made.folder / "card.json", {"experiment": "ring", "shards": {"a": {"code_hash": code}}})
    monkeypatch.setattr(provenance, "code_hash", lambda experiment: "now")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "paper/sections").mkdir(parents=True)
    text = r"\val{ring.tanh.kl.saddle.new}, \val{ring.known}, \val{grid.other}, \val{ring.tanh.kl.saddle.new}"
    (tmp_path / "paper/sections/ring.tex").write_text(text)
    found = numbers.unmeasured([made], {"ring.known"})
    assert [row["key"] for row in found] == keys and all(row["text"] == "not measured" for row in found)


def test_the_command_that_rebuilds_a_part_keeps_its_seeds(tmp_path, root):
    """Without them the same command would make the part with the scale's own seeds."""
    parts = []
    for name, changes in (("ring", " seeds=3 max_steps=60"), ("grid", "")):
        parts.append(Part(part(tmp_path / "quick" / name)))
        command = f"snakemake --cores all {name} --config record=quick{changes}"
        write_json(parts[-1].folder / "card.json", {"command": command})
        parts[-1] = Part(parts[-1].folder)
    text = {key: row["text"] for key, row in by_key(numbers.captions(tmp_path / "quick", parts)).items()}
    assert r"\rebuild[ -{}-config record=quick seeds=3 max\_steps=60]{figure" in text["caption.figure.ring_modes"]
    assert r"\rebuild[ -{}-config record=quick]{table" in text["caption.table.grid_modes"]
    ends = [numbers.option(tmp_path / name, parts[:1]) for name in ("quick", "full", "reference")]
    assert ends == [f" -{{}}-config {words}" for words in
                    (r"record=quick seeds=3 max\_steps=60", r"seeds=3 max\_steps=60", "record=reference")]  # fmt: skip
    assert numbers.option(tmp_path / "quick", parts) == " -{}-config record=quick"  # no one answer for all


def test_the_seeds_of_a_record_are_those_of_the_arms_that_trained(tmp_path):
    found = [Part(part(tmp_path / name)) for name in ("ring", "grid", "kde")]
    for own, (runs, seeds) in zip(found, ((6, 3), (2, 1), (0, 9)), strict=True):
        own.design["runs"], own.arms["tanh"]["seeds"] = runs, seeds
    assert numbers.seeds(found) == "1 to 3" and numbers.seeds(found[:1]) == "3"
    assert numbers.still(found) == " (of which 1 only computes)" and numbers.still(found[:2]) == ""


def test_a_claim_is_computed_if_none_of_its_checks_is_of_runs(root):
    computed = numbers.untrained_claims()
    assert {"bound-class", "kde-training-images"} <= computed and not {"ring-kl-covers", "bound-tight"} & computed


def test_the_verdicts_are_counted(tmp_path):
    (tmp_path / "tables").mkdir()
    rows = [("a", "published", "replicated", 0.5, 0.25, 0.75, "")]
    rows += [("b", "derived", "not run", *[math.nan] * 3, "not trained")]
    rows += [("i", "identity", "replicated", 0.0, 0.0, 0.0, "")]
    columns = ["claim", "kind", "verdict", "estimate", "low", "high", "missing"]
    frame = pd.DataFrame(rows, columns=columns).assign(allowed_low=-math.inf, allowed_high=math.inf)
    frame.to_csv(tmp_path / "tables/claims.csv", index=False)
    texts = {key: row["text"] for key, row in by_key(numbers.claims(tmp_path)).items()}
    assert texts["claim.a"] == r"\verdict{replicated}" and texts["claim.a.measured"] == "0.5 [0.2, 0.8]"
    assert texts["claim.b.measured"] == "not trained"
    assert texts["claims.replicated"] == texts["claims.not run"] == "1" and texts["claims.all"] == "2"
    assert texts["claims.undecided"] == "0" and texts["claims.identity.replicated"] == "1"
    assert texts["claims.published.all"] == texts["claims.derived.not run"] == "1"


def test_every_formula_and_caption_is_a_number_of_the_paper(root):
    keys = {row["key"] for row in (*numbers.formulas(), *numbers.captions(Path("results/quick"), []))}
    assert {"formula.kl.f", "formula.gan.activation", "caption.figure.ring_modes", "caption.table.ring_modes"} <= keys


def test_a_claim_without_a_number_leaves_those_of_others_numbers_and_no_text_is_nan(tmp_path):
    (tmp_path / "tables").mkdir()
    rows = [dict.fromkeys(numbers.MEASURED, value) | {"claim": "c", "at_half": ""} for value in (1.5, math.nan)]
    pd.DataFrame(rows).to_csv(tmp_path / "tables/claims.csv", index=False)
    frame = numbers.read_claims(tmp_path)
    assert (frame[list(numbers.MEASURED)].to_numpy()[0] == 1.5).all() and frame.estimate.isna()[1]
    assert list(frame.at_half) == ["", ""]
