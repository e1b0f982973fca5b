"""claims.json: its form, and what it says of runs and of the code that judges."""

import json
import math
import tomllib
from pathlib import Path

import jsonschema
import pytest
from records import toy
from small import ROOT, forget

from fgan import design
from fgan.report import claims, claims_json
from fgan.report.draw import parts

SCHEMA = json.loads(claims_json.SCHEMA.read_text())
VALUES = {("m", name, "saddle"): [1.0, 2.0, 3.0, 4.0] for name in ("kl", "gan")}


def selected(part, *checks):
    return claims_json.runs(part, {"checks": list(checks)})


def test_the_schema_is_one_and_refuses_what_is_missing_or_unknown():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    whole = {"record": "quick", "digest": "0" * 64, "judged_by": "f" * 64, "claims": []}
    jsonschema.validate(whole, SCHEMA)
    for wrong in ({"digest": "0"}, {"more": 1}, {"claims": [{}]}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(whole | wrong, SCHEMA)


def test_every_claim_of_the_committed_record_has_its_form(root):
    """With the verdicts of a few experiments, and of those that the record has not run."""
    record = Path("results/reference")
    found = [part for part in parts(record) if part.name in ("special_case", "mode_dynamics", "kde_protocol")]
    content = claims_json.content(record, found, claims.verdicts(found))
    text = json.loads(json.dumps(content, allow_nan=False))
    jsonschema.validate(text, SCHEMA)
    every = [claim["id"] for own in design.all_claims().values() for claim in own]
    assert [claim["claim"] for claim in text["claims"]] == every
    known = {claim["claim"]: claim for claim in text["claims"]}
    assert known["kde-training-images"]["runs"]["samplers"] and known["kde-training-images"]["scale"] == "full"
    assert known["ring-kl-covers"]["scale"] is None and known["ring-kl-covers"]["runs"]["number"] == 0


def test_the_runs_of_a_claim_are_those_that_its_checks_select(tmp_path):
    made = toy(tmp_path, VALUES)
    check = {"kind": "mean", "metric": "m", "where": {"divergence": "kl", "seed": [0, 1, 3]}}
    row = {"arm": "main", "divergence": "kl", "objective": "saddle", "seed": "0-1, 3"}
    assert selected(made, check) == {"number": 3, "which": [row], "samplers": []}
    pair = {"kind": "difference", "metric": "m", "where": {"divergence": "kl"}, "minus": {"divergence": "gan"}}
    assert [one["divergence"] for one in selected(made, pair)["which"]] == ["gan", "kl"]
    each = {"kind": "mean", "metric": "m", "each": {"except": ["gan", "reverse_kl"]}}
    assert selected(made, each)["number"] == 4
    sampler = {"kind": "baseline", "metric": "m", "sampler": ["P", "Q"]}
    assert selected(made, sampler) == {"number": 0, "which": [], "samplers": ["P", "Q"]}
    assert selected(made, {"kind": "statistic", "statistic": "s"})["number"] == 8


def test_what_is_unknown_or_unbounded_is_null():
    assert [claims_json.finite(value) for value in (math.nan, math.inf, 1)] == [None, None, 1.0]


def test_the_hash_of_the_judge_covers_what_it_imports_and_the_statistics_of_experiments(away):
    from shown import experiment

    experiment(away)
    before, hashes = claims_json.judged_by(), []
    for path, old, new in (
        ("src/fgan/report/statistics.py", "trials == 0", "trials == 1"),
        ("experiments/toy/figures.py", "np.ptp(values)", "np.std(values)"),
        ("src/fgan/report/figures.py", "import", "import"),
    ):
        text = Path(path).read_text()
        Path(path).write_text(text.replace(old, new, 1))
        forget()
        hashes.append(claims_json.judged_by())
        Path(path).write_text(text)
    forget()
    assert before not in hashes[:2] and hashes[2] == before


def test_the_package_holds_the_schema():
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["fgan"]
    assert any(claims_json.SCHEMA.relative_to(ROOT / "src/fgan").match(pattern) for pattern in patterns)
