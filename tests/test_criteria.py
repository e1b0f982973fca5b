"""Files of claims: those of the experiments are valid, and every mistake in one gets one sentence."""

import pytest
from small import EXPERIMENTS

from fgan import criteria, design
from fgan.design import DesignError
from fgan.divergences import DIVERGENCES


@pytest.mark.parametrize("name", design.find(EXPERIMENTS))
def test_the_claims_of_an_experiment_are_valid_and_name_known_divergences(name):
    found = criteria.read(EXPERIMENTS / name / "claims.yaml")
    assert len({c["id"] for c in found}) == len(found) > 0
    for check in [check for c in found for check in c["checks"]]:
        wanted = [check.get("where", {}).get("divergence", []), check.get("minus", {}).get("divergence", [])]
        wanted += [check.get("each", {}).get(key, []) for key in ("only", "except")]
        assert {n for w in wanted for n in (w if isinstance(w, list) else [w])} <= set(DIVERGENCES)
        assert {"low", "high"} & set(check)


MINIMAL = """claims:
  - id: ring-x
    statement: s
    source: p
    seeds: 7
    checks:
      - {kind: share, metric: modes, where: {divergence: gan}, at_least: 8, low: 0.5}
"""
MISTAKES = {
    "unknown key": ("statement", "statment", "statment", "did you mean 'statement'?"),
    "unknown key in a check": ("metric", "metirc", "metirc", "did you mean 'metric'?"),
    "missing key": ("    source: p\n", "", "source", "missing"),
    "missing metric": ("metric: modes, ", "", "metric", "missing"),
    "missing kind": ("kind: share, ", "", "kind", "missing"),
    "unknown kind": ("kind: share", "kind: shar", "shar", "did you mean 'share'?"),
    "no bound": (", low: 0.5", "", "low", "high"),
    "no rule of the share": ("at_least: 8, ", "", "at_least", "at_most"),
    "unknown divergence": ("divergence: gan", "divergence: gna", "gna", "did you mean 'gan'?"),
    "unknown column": ("{divergence: gan}", "{divergense: gan}", "divergense", "did you mean 'divergence'?"),
    "unknown objective": ("{divergence: gan}", "{objective: sadle}", "sadle", "did you mean 'saddle'?"),
    "no claims": ("claims:", "claim:", "claims"),
    "no list": (MINIMAL, "claims: none\n", "claims"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_claims_gets_one_sentence(tmp_path, mistake):
    old, new, *words = MISTAKES[mistake]
    path = tmp_path / "claims.yaml"
    path.write_text(MINIMAL.replace(old, new, 1))
    assert old in MINIMAL
    with pytest.raises(DesignError) as caught:
        criteria.read(path)
    sentence = str(caught.value)
    assert str(path) in sentence and "\n" not in sentence
    for word in words:
        assert word in sentence


def test_the_minimal_claims_are_valid(tmp_path):
    (tmp_path / "claims.yaml").write_text(MINIMAL)
    assert criteria.read(tmp_path / "claims.yaml")[0]["id"] == "ring-x"
