"""Checks of samplers that were not trained, statistics of an experiment's own, and claims that the record lacks."""

import pytest
from records import toy

from fgan.design import all_claims, read_claims
from fgan.report import claims

NEAR_ONE = [0.9, 1.1, 1.0, 0.95, 1.05, 1.0]
BASELINES = [("P", "", {"m": 5.0, ("m", "strict"): 4.0}), ("circle", "", {"m": 3.0, "n": 1.0})]
BASELINES += [("optimum", name, {"m": value}) for name, value in (("kl", 1.0), ("gan", 2.0))]


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [({"sampler": "P", "low": 4.0}, "replicated"), ({"sampler": "P", "high": 4.0}, "not replicated"),
     ({"sampler": ["P", "circle"], "low": 4.0}, "partly"), ({"sampler": "nobody", "low": 4.0}, "not run"),
     ({"sampler": "P", "minus_baseline": {"sampler": "circle"}, "low": 2.0, "high": 2.0}, "replicated"),
     ({"sampler": "P", "minus_baseline": {"metric": "n", "sampler": "circle"}, "low": 4.0, "high": 4.0}, "replicated"),
     ({"sampler": "P", "rule": "strict", "high": 4.0}, "replicated"),
     ({"sampler": "P", "minus_baseline": {"rule": "strict"}, "low": 1.0, "high": 1.0}, "replicated"),
     ({"sampler": "optimum", "divergence": "kl", "high": 1.0}, "replicated"),
     ({"sampler": "optimum", "divergence": ["kl", "gan"], "high": 1.0}, "partly"),
     ({"sampler": "optimum", "divergence": "gan", "minus_baseline": {"divergence": "kl"}, "low": 1.0, "high": 1.0},
      "replicated")])  # fmt: skip
def test_a_sampler_that_was_not_trained_is_judged_as_it_stands(tmp_path, rule, wanted):
    found = toy(tmp_path, {("m", "kl", "saddle"): [0.0]}, BASELINES)
    check = {"kind": "baseline", "metric": "m"} | rule
    (row,) = claims.judge(found, [{"id": "c", "statement": "s", "source": "p", "seeds": 20, "checks": [check]}])
    assert row["verdict"] == wanted


def test_a_sampler_is_named_with_its_divergence_and_rule(tmp_path):
    found = toy(tmp_path, {("m", "kl", "saddle"): [0.0]}, BASELINES)
    labels = [
        [one.label for one in claims.results(found, {"kind": "baseline", "metric": "m", "low": 0.0} | check)]
        for check in ({"sampler": ["P", "circle"]}, {"sampler": "P", "rule": "strict"},
                      {"sampler": "optimum", "divergence": ["kl", "gan"]})
    ]  # fmt: skip
    assert labels == [["m, P", "m, circle"], ["m [strict], P"], ["m, optimum, KL", "m, optimum, GAN"]]


def test_claims_of_an_experiment_that_the_record_lacks_are_not_run(tmp_path):
    for name, extra in (("toy", ""), ("pictures", "optional: true\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "experiment.yaml").write_text(f"title: {name}\nscales: {{smoke: , quick: }}\n{extra}")
        written = (
            f"{{id: {name}, kind: derived, statement: s, source: p, reason: r, "
            "checks: [{kind: mean, metric: m, low: 0.0}]}"
        )
        (tmp_path / name / "claims.yaml").write_text(f"claims:\n  - {written}\n")
    found = toy(tmp_path / "toy", {("m", "kl", "saddle"): NEAR_ONE})
    rows = claims.verdicts([found], tmp_path).set_index("claim")
    assert rows.verdict.to_dict() == {"toy": "replicated", "pictures": "not run"}
    assert rows.why["pictures"] == "not run: no data"
    assert claims.verdicts([], tmp_path).set_index("claim").why["toy"] == "not part of this record"


STATISTIC = """def statistic_half(part):
    values = part.final("m").value
    return values.mean() / 2, values.min() / 2, values.max() / 2, 6


def statistic_nothing(part):
    return float("nan"), -float("inf"), float("inf"), 0
"""
STATISTICS = """claims:
  - id: c
    kind: derived
    statement: s
    source: p
    reason: r
    checks: [{kind: statistic, statistic: half, low: 0.3}]
"""


def statistic(folder, **changes):
    """Path of the claims of an experiment `toy` whose figures.py defines two statistics."""
    (folder / "toy").mkdir()
    (folder / "toy" / "figures.py").write_text(STATISTIC)
    path = folder / "toy" / "claims.yaml"
    path.write_text(STATISTICS.replace(changes.get("old", "!"), changes.get("new", "")))
    return path


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [("!", "", "replicated"), ("low: 0.3", "high: 0.3", "not replicated"), ("low: 0.3", "low: 0.5", "undecided"),
     ("low: 0.3", "low: 0.3, high: 0.6", "replicated"), ("half", "nothing", "not run")])  # fmt: skip
def test_a_statistic_over_runs_is_decided_by_its_interval(tmp_path, old, new, wanted):
    found = read_claims(statistic(tmp_path, old=old, new=new))
    made = toy(tmp_path / "toy", {("m", "kl", "saddle"): NEAR_ONE, ("n", "kl", "saddle"): NEAR_ONE * 2})
    (row,) = claims.judge(made, found, tmp_path)
    assert row["verdict"] == wanted and (wanted == "not run" or row["estimate"] == pytest.approx(0.5))
    (short,) = claims.judge(made, [found[0] | {"seeds": 7}], tmp_path)
    assert short["verdict"] == (
        "undecided" if wanted != "not run" else wanted
    )  # the statistic rests on six seeds, whatever the part has


def test_of_checks_that_all_miss_a_lower_bound_the_nearest_is_shown(tmp_path):
    values = {name: {"m": value} for name, value in (("far", 1.0), ("near", 3.0), ("between", 2.0))}
    found = toy(
        tmp_path, {("m", "kl", "saddle"): [0.0]}, [(sampler, "", metrics) for sampler, metrics in values.items()]
    )
    check = {"kind": "baseline", "metric": "m", "sampler": [*values]}
    for bound, wanted in (({"low": 4.0}, 3.0), ({"low": 2.5}, 1.0), ({"high": 0.5}, 3.0)):
        (row,) = claims.judge(found, [{"id": "c", "statement": "s", "source": "p", "checks": [check | bound]}])
        assert row["estimate"] == wanted


def test_a_claim_names_the_data_that_it_was_measured_on_if_not_its_own(tmp_path):
    check, needs = {"kind": "mean", "metric": "m", "where": {"arm": "main"}, "low": 0.0}, {"kind": "mnist", "stack": 3}
    for target, words in (({"kind": "digits", "stack": 2}, "8x8 digits, stack of 2"), (needs, "")):
        found = toy(tmp_path, {("m", "kl", "saddle"): NEAR_ONE}, target=target)
        claim = {"id": "c", "statement": "s", "source": "p", "checks": [check], "needs": {"target": needs}}
        (row,) = claims.judge(found, [claim])
        assert row["data"] == words


def test_what_is_derived_here_is_not_counted_as_published(root):
    every = [claim for own in all_claims().values() for claim in own]
    assert not [c["id"] for c in every if c["kind"] == "published" and "derived here" in c["source"]]
