"""Verdicts on claims: every kind of check, and what no verdict may rest on."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from fgan import claims
from fgan.design import DesignError
from fgan.records import COLUMNS, Part

LABELS = [{"name": n, "label": n.upper(), "effective": "E"} for n in ("kl", "reverse_kl", "gan")]


def part(folder, metrics, baselines=()):
    """A part with values {(metric, divergence, objective): one for each seed}, and (sampler, metric, value) rows."""
    rows = [
        ("toy", "main", divergence, objective, seed, 10, metric, value)
        for (metric, divergence, objective), values in metrics.items()
        for seed, value in enumerate(values)
    ]
    rows += [("toy", "baseline", name, "none", 0, 10, metric, value) for name, metric, value in baselines]
    rows += [("toy", "main", "kl", "saddle", 0, 5, metric, 1e6) for metric, _, _ in metrics]  # an earlier step
    pd.DataFrame(rows, columns=COLUMNS).astype({"value": float}).to_parquet(folder / "measurements.parquet")
    shown = {"name": "toy", "scale": "quick", "divergences": LABELS, "arms": {"main": {"steps": 10}}}
    (folder / "design.json").write_text(json.dumps(shown))
    return Part(folder)


def claim(*checks, **changes):
    return {"id": "c", "statement": "s", "source": "p", "seeds": 2, "checks": list(checks)} | changes


def verdict(found, *checks, **changes):
    (row,) = claims.judge(found, [claim(*checks, **changes)])
    return row["verdict"]


KL, GAN = {"divergence": "kl", "objective": "saddle"}, {"divergence": "gan", "objective": "saddle"}
NEAR_ONE = [0.9, 1.1, 1.0, 0.95, 1.05, 1.0]


def one(folder, values, **others):
    found = {("m", "kl", "saddle"): values} | {("m", name, "saddle"): v for name, v in others.items()}
    return part(folder, found)


@pytest.mark.parametrize(
    ("bounds", "wanted"),
    [({"low": 0.0}, "replicated"), ({"low": 0.5, "high": 1.5}, "replicated"), ({"low": 2.0}, "not replicated"),
     ({"high": 0.5}, "not replicated"), ({"low": 1.0}, "undecided"),
     ({"low": 0.99, "high": 1.01}, "undecided")])  # fmt: skip
def test_a_mean_is_decided_by_its_whole_interval(tmp_path, bounds, wanted):
    check = {"kind": "mean", "metric": "m", "where": KL} | bounds
    assert verdict(one(tmp_path, NEAR_ONE), check) == wanted


def test_a_mean_is_of_the_last_step_without_baselines(tmp_path):
    found = part(tmp_path, {("m", "kl", "saddle"): [1.0, 1.0, 1.0]}, [("kl", "m", 50.0)])
    (row,) = claims.judge(found, [claim({"kind": "mean", "metric": "m", "where": KL, "low": 0.0})])
    assert row["estimate"] == 1.0


def test_a_mean_minus_the_exact_value_of_its_divergence(tmp_path):
    values = {("m", name, "saddle"): list(np.array(NEAR_ONE) + k) for k, name in enumerate(("kl", "reverse_kl", "gan"))}
    baselines = [("kl", "exact", 1.0), ("reverse_kl", "exact", 2.0), ("gan", "exact", 5.0)]
    found = part(tmp_path, values, baselines)
    check = {"kind": "mean", "metric": "m", "minus_baseline": "exact", "low": -0.2, "high": 0.2}
    assert verdict(found, check | {"each": {"except": ["gan"]}}) == "replicated"
    assert verdict(found, check | {"each": {"only": ["gan"]}}) == "not replicated"
    (row,) = claims.judge(found, [claim(check | {"each": {}})])
    assert row["verdict"] == "partly" and row["checks"] == 3 and row["example"] == "m, GAN"


def test_a_mean_minus_a_sampler_without_training(tmp_path):
    found = part(tmp_path, {("m", "kl", "saddle"): NEAR_ONE}, [("real", "m", 2.0), ("black", "m", 0.0)])
    check = {"kind": "mean", "metric": "m", "where": KL, "high": 0.0}
    assert verdict(found, check | {"minus_sampler": "real"}) == "replicated"
    assert verdict(found, check | {"minus_sampler": "black"}) == "not replicated"


@pytest.mark.parametrize(
    ("successes", "bounds", "wanted"),
    [(20, {"low": 0.8}, "replicated"), (20, {"low": 0.95}, "undecided"), (2, {"low": 0.8}, "not replicated"),
     (0, {"high": 0.2}, "replicated"), (10, {"high": 0.2}, "not replicated"),
     (16, {"low": 0.8}, "undecided")])  # fmt: skip
def test_a_share_is_decided_by_its_wilson_interval(tmp_path, successes, bounds, wanted):
    values = [8.0] * successes + [7.0] * (20 - successes)
    check = {"kind": "share", "metric": "m", "where": KL, "at_least": 8} | bounds
    assert verdict(one(tmp_path, values), check) == wanted
    turned = {"kind": "share", "metric": "m", "where": KL, "at_most": 8} | bounds
    assert verdict(one(tmp_path, [16 - v + 1 for v in values]), turned | {"at_most": 9}) == wanted


@pytest.mark.parametrize(
    ("step", "bounds", "wanted"),
    [(1.0, {"low": 0.0}, "replicated"), (-1.0, {"low": 0.0}, "not replicated"), (-1.0, {"high": 0.0}, "replicated"),
     (0.0, {"low": 0.0}, "undecided"), (0.0, {"high": 0.0}, "undecided")])  # fmt: skip
def test_a_difference_is_decided_by_its_permutation_test(tmp_path, step, bounds, wanted):
    kl = [1.0, 9.0, 2.0, 7.0, 4.0, 3.0, 5.0, 6.0]
    noise = [0.2, -0.1, 0.1, -0.2, 0.15, -0.15, 0.05, -0.05]  # the pairs differ far less than the seeds
    check = {"kind": "difference", "metric": "m", "where": KL, "minus": {"divergence": "gan"}} | bounds
    found = one(tmp_path, kl, gan=[v - step + n for v, n in zip(kl, noise, strict=True)])
    assert verdict(found, check) == wanted


def test_a_difference_of_objectives_pairs_by_seed_and_divergence(tmp_path):
    values = {("m", "gan", "saddle"): [*range(8)], ("m", "gan", "alternative"): [v - 1 for v in range(8)],
              ("m", "kl", "alternative"): [100.0] * 8}  # fmt: skip
    check = {"kind": "difference", "metric": "m", "where": GAN | {"objective": "alternative"},
             "minus": {"objective": "saddle"}, "high": 0.0}  # fmt: skip
    (row,) = claims.judge(part(tmp_path, values), [claim(check)])
    assert row["verdict"] == "replicated" and row["estimate"] == -1.0 and row["p_holm"] == 2**-7


@pytest.mark.parametrize(("gap", "wanted"), [(0.0, "replicated"), (1.0, "replicated"), (1.1, "not replicated")])
def test_equal_is_decided_by_the_largest_difference(tmp_path, gap, wanted):
    check = {"kind": "equal", "metric": "m", "where": GAN, "minus": {"divergence": "kl"}, "high": 1.0}
    assert verdict(one(tmp_path, [1.0, 5.0, 9.0], gan=[1.0, 5.0 - gap, 9.0]), check) == wanted


DIFFERENCE = {"kind": "difference", "metric": "m", "where": KL, "minus": {"divergence": "gan"}, "low": 0.0}


def test_five_seeds_never_reject_a_difference(tmp_path):
    found = one(tmp_path, [10.0, 11.0, 12.0, 13.0, 14.0], gan=[0.0] * 5)
    assert verdict(found, DIFFERENCE) == verdict(found, DIFFERENCE | {"low": -math.inf, "high": 0.0}) == "undecided"


def test_holm_counts_all_differences_of_an_experiment(tmp_path):
    """Seven seeds reject one difference (p = 2/128), and not each of four (4 * 2/128 > .05)."""
    found = one(tmp_path, [float(v + 5) for v in range(7)], gan=[float(v) for v in range(7)])
    alone = claims.judge(found, [claim(DIFFERENCE)])
    assert [row["verdict"] for row in alone] == ["replicated"]
    family = claims.judge(found, [claim(DIFFERENCE, id=str(k)) for k in range(4)])
    assert {row["verdict"] for row in family} == {"undecided"} and {row["p_holm"] for row in family} == {4 / 64}


def test_too_few_seeds_are_undecided_with_the_reason(tmp_path):
    check = {"kind": "mean", "metric": "m", "where": KL, "low": 0.0}
    (row,) = claims.judge(one(tmp_path, NEAR_ONE), [claim(check, seeds=20)])
    assert row["verdict"] == "undecided" and row["why"].startswith("6 seeds, the claim needs 20")


def test_too_small_a_scale_is_undecided_with_the_reason(tmp_path):
    check = {"kind": "mean", "metric": "m", "where": KL, "low": 0.0}
    (row,) = claims.judge(one(tmp_path, NEAR_ONE), [claim(check, scale="full")])
    assert row["verdict"] == "undecided" and row["why"].startswith("scale quick, the claim needs full")


def test_checks_that_hold_and_fail_are_partly(tmp_path):
    found = one(tmp_path, NEAR_ONE)
    good = {"kind": "mean", "metric": "m", "where": KL, "low": 0.0}
    bad, open_ = good | {"low": 2.0}, good | {"low": 1.0}
    assert verdict(found, good, bad) == verdict(found, good, open_, bad) == "partly"
    assert verdict(found, good, open_) == verdict(found, open_, bad) == "undecided"
    (row,) = claims.judge(found, [claim(good, bad, bad)])
    assert row["why"] == "of 3 checks 1 hold, 2 fail"


def test_a_claim_without_measurements_is_not_run(tmp_path):
    found = one(tmp_path, NEAR_ONE)
    for check in ({"kind": "mean"}, {"kind": "share", "at_least": 1}, {"kind": "equal", "minus": {"divergence": "gan"}},
                  {"kind": "difference", "minus": {"divergence": "gan"}}):  # fmt: skip
        row = {"metric": "other", "where": KL, "low": 0.0} | check
        assert verdict(found, row) == "not run"
    assert verdict(found, DIFFERENCE | {"minus": {"divergence": "reverse_kl"}}) == "not run"


LONG = [float(v) for v in range(20)]
BOUNDS = [{"low": -1e9}, {"high": 1e9}, {"low": -1e9, "high": 1e9}]


@pytest.mark.parametrize("bounds", BOUNDS, ids=str)
@pytest.mark.parametrize("failed", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("kind", ["mean", "equal", "difference"])
def test_a_failed_run_never_makes_a_claim_replicated(tmp_path, kind, failed, bounds):
    found = one(tmp_path, [*LONG[:-1], failed], gan=[v - 30 for v in LONG])
    minus = {} if kind == "mean" else {"minus": {"divergence": "gan"}}
    assert verdict(found, {"kind": kind, "metric": "m", "where": KL} | minus | bounds) != "replicated"


@pytest.mark.parametrize("rule", [{"at_most": 100, "low": 0.9}, {"at_least": 100, "high": 0.3}])
def test_failed_runs_count_against_a_share_whatever_its_bound(tmp_path, rule):
    """Twenty failed runs show neither that a value is small nor that it is not large."""
    found = one(tmp_path, [math.nan] * 20)
    assert verdict(found, {"kind": "share", "metric": "m", "where": KL} | rule) != "replicated"


def test_a_pair_that_is_missing_is_no_equality(tmp_path):
    check = {"kind": "equal", "metric": "m", "where": KL, "minus": {"divergence": "gan"}, "high": 1.0}
    assert verdict(one(tmp_path, LONG, gan=LONG[:3]), check) != "replicated"


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [({"sampler": "P", "low": 4.0}, "replicated"), ({"sampler": "P", "high": 4.0}, "not replicated"),
     ({"sampler": ["P", "circle"], "low": 4.0}, "partly"), ({"sampler": "nobody", "low": 4.0}, "not run"),
     ({"sampler": "P", "minus_sampler": "circle", "low": 2.0, "high": 2.0}, "replicated")])  # fmt: skip
def test_a_sampler_that_was_not_trained_is_judged_as_it_stands(tmp_path, rule, wanted):
    found = part(tmp_path, {("m", "kl", "saddle"): [0.0]}, [("P", "m", 5.0), ("circle", "m", 3.0)])
    assert verdict(found, {"kind": "baseline", "metric": "m"} | rule, seeds=20) == wanted


def test_claims_of_an_experiment_that_the_record_lacks_are_not_run(tmp_path):
    for name, extra in (("toy", ""), ("pictures", "optional: true\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "experiment.yaml").write_text(f"title: {name}\n{extra}")
        written = f"{{id: {name}, statement: s, source: p, checks: [{{kind: mean, metric: m, low: 0.0}}]}}"
        (tmp_path / name / "claims.yaml").write_text(f"claims:\n  - {written}\n")
    found = part(tmp_path / "toy", {("m", "kl", "saddle"): NEAR_ONE})
    rows = claims.verdicts([found], tmp_path).set_index("claim")
    assert rows.verdict.to_dict() == {"toy": "replicated", "pictures": "not run"}
    assert rows.why["pictures"] == "not run: no data"
    assert claims.verdicts([], tmp_path).set_index("claim").why["toy"] == "not part of this record"


STATISTIC = """def statistic_half(part):
    values = part.final("m").value
    return values.mean() / 2, values.min() / 2, values.max() / 2


def statistic_nothing(part):
    return float("nan"), -float("inf"), float("inf")
"""
STATISTICS = """claims:
  - id: c
    statement: s
    source: p
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
    found = claims.read(statistic(tmp_path, old=old, new=new))
    toy = one(tmp_path / "toy", NEAR_ONE)
    (row,) = claims.judge(toy, found, tmp_path)
    assert row["verdict"] == wanted and (wanted == "not run" or row["estimate"] == pytest.approx(0.5))
    (short,) = claims.judge(toy, [found[0] | {"seeds": 7}], tmp_path)
    assert short["verdict"] == ("undecided" if wanted != "not run" else wanted)  # the part has six seeds


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [("half", "haalf", ("unknown statistic 'haalf'", "did you mean 'half'?")),
     ("statistic: half, ", "", ("'statistic' is missing",)),
     ("half,", "half, metric: m,", ("unknown key 'metric'",)), ("kind: statistic", "kind: mean", ("'statistic'",)),
     (", low: 0.3", "", ("'low or high' is missing",))])  # fmt: skip
def test_a_mistake_in_a_statistic_gets_one_sentence(tmp_path, old, new, words):
    path = statistic(tmp_path, old=old, new=new)
    with pytest.raises(DesignError) as caught:
        claims.read(path)
    sentence = str(caught.value)
    assert sentence.startswith(str(path)) and "\n" not in sentence and all(word in sentence for word in words)
