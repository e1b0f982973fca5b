"""Verdicts on claims: every kind of check, and what no verdict may rest on."""

import math

import numpy as np
import pytest
from records import toy

from fgan.report import claims


def claim(*checks, **changes):
    return {"id": "c", "statement": "s", "source": "p", "seeds": 2, "checks": list(checks)} | changes


def verdict(found, *checks, **changes):
    (row,) = claims.judge(found, [claim(*checks, **changes)])
    return row["verdict"]


KL, GAN = {"divergence": "kl", "objective": "saddle"}, {"divergence": "gan", "objective": "saddle"}
NEAR_ONE = [0.9, 1.1, 1.0, 0.95, 1.05, 1.0]


def one(folder, values, **others):
    found = {("m", "kl", "saddle"): values} | {("m", name, "saddle"): v for name, v in others.items()}
    return toy(folder, found)


@pytest.mark.parametrize(
    ("bounds", "wanted"),
    [({"low": 0.0}, "replicated"), ({"low": 0.5, "high": 1.5}, "replicated"), ({"low": 2.0}, "not replicated"),
     ({"high": 0.5}, "not replicated"), ({"low": 1.0}, "undecided"),
     ({"low": 0.99, "high": 1.01}, "undecided")])  # fmt: skip
def test_a_mean_is_decided_by_its_whole_interval(tmp_path, bounds, wanted):
    check = {"kind": "mean", "metric": "m", "where": KL} | bounds
    assert verdict(one(tmp_path, NEAR_ONE), check) == wanted


def test_a_mean_is_of_the_last_step_without_baselines(tmp_path):
    found = toy(tmp_path, {("m", "kl", "saddle"): [1.0, 1.0, 1.0]}, [("kl", "kl", {"m": 50.0})])
    (row,) = claims.judge(found, [claim({"kind": "mean", "metric": "m", "where": KL, "low": 0.0})])
    assert row["estimate"] == 1.0


def test_a_check_is_of_its_own_rule(tmp_path):
    found = toy(tmp_path, {("m", "kl", "saddle"): [1.0] * 3, (("m", "strict"), "kl", "saddle"): [0.5] * 3})
    check = {"kind": "mean", "metric": "m", "where": KL, "low": 0.0}
    for rule, value, label in (({}, 1.0, "m"), ({"rule": "strict"}, 0.5, "m [strict]")):
        (row,) = claims.judge(found, [claim(check | rule)])
        assert row["estimate"] == value and row["example"] == label


def test_a_mean_minus_the_exact_value_of_its_divergence(tmp_path):
    names = ("kl", "reverse_kl", "gan")
    values = {("m", name, "saddle"): list(np.array(NEAR_ONE) + k) for k, name in enumerate(names)}
    baselines = [("optimum", name, {"exact": value}) for name, value in zip(names, (1.0, 2.0, 5.0), strict=True)]
    found = toy(tmp_path, values, baselines)
    exact = {"sampler": "optimum", "metric": "exact"}
    check = {"kind": "mean", "metric": "m", "minus_baseline": exact, "low": -0.2, "high": 0.2}
    assert verdict(found, check | {"each": {"except": ["gan"]}}) == "replicated"
    assert verdict(found, check | {"each": {"only": ["gan"]}}) == "not replicated"
    (row,) = claims.judge(found, [claim(check | {"each": {}})])
    assert row["verdict"] == "partly" and row["checks"] == 3 and row["example"] == "m, GAN"
    one_of_two = check | {"where": KL, "minus_baseline": exact | {"divergence": "kl"}}
    assert verdict(found, one_of_two) == "replicated"


def test_a_mean_minus_a_sampler_without_training(tmp_path):
    values = {("m", name, "saddle"): NEAR_ONE for name in ("kl", "gan")} | {(("m", "strict"), "kl", "saddle"): NEAR_ONE}
    baselines = [("real", "", {"m": 2.0, ("m", "strict"): 0.0}), ("black", "", {"m": 0.0})]
    found = toy(tmp_path, values, baselines)
    check = {"kind": "mean", "metric": "m", "high": 0.0}
    for where in ({"where": KL}, {"each": {"only": ["kl", "gan"]}}):
        assert verdict(found, check | where | {"minus_baseline": {"sampler": "real"}}) == "replicated"
        assert verdict(found, check | where | {"minus_baseline": {"sampler": "black"}}) == "not replicated"
    strict = check | {"where": KL, "rule": "strict"}  # what is subtracted has the check's own rule
    assert verdict(found, strict | {"minus_baseline": {"sampler": "real"}}) == "not replicated"
    assert verdict(found, strict | {"minus_baseline": {"sampler": "real", "rule": ""}}) == "replicated"


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


def test_a_difference_is_tested_against_its_own_bound(tmp_path):
    """One that is surely below 0 is not yet surely below -1."""
    noise = [0.2, -0.1, 0.1, -0.2, 0.15, -0.15, 0.05, -0.05]
    for step, wanted in ((-1.04, "undecided"), (-1.5, "replicated"), (-0.5, "not replicated")):
        (tmp_path / str(step)).mkdir()
        found = one(tmp_path / str(step), [step + n for n in noise], gan=[0.0] * 8)
        assert verdict(found, DIFFERENCE | {"low": -math.inf, "high": -1.0}) == wanted


def test_a_difference_of_objectives_pairs_by_seed_and_divergence(tmp_path):
    values = {("m", "gan", "saddle"): [*range(8)], ("m", "gan", "alternative"): [v - 1 for v in range(8)],
              ("m", "kl", "alternative"): [100.0] * 8}  # fmt: skip
    check = {"kind": "difference", "metric": "m", "where": GAN | {"objective": "alternative"},
             "minus": {"objective": "saddle"}, "high": 0.0}  # fmt: skip
    (row,) = claims.judge(toy(tmp_path, values), [claim(check)])
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
    enough, short = (claims.judge(one(tmp_path / str(n), NEAR_ONE), [claim(check, seeds=n)])[0] for n in (6, 7))
    assert enough["verdict"] == "replicated"
    assert short["verdict"] == "undecided" and short["why"].startswith("6 seeds, the claim needs 7")


def test_what_max_steps_cut_is_undecided_with_the_reason(tmp_path):
    check, found = {"kind": "mean", "metric": "m", "where": KL, "low": 0.0}, one(tmp_path, NEAR_ONE)
    assert verdict(found, check) == "replicated"
    found.design["cut"] = 50
    (row,) = claims.judge(found, [claim(check, scale="full")])
    assert row["verdict"] == "undecided" and row["why"].startswith("trainings cut to 50 steps by max_steps; so far")


def test_too_small_a_scale_is_undecided_with_the_reason(tmp_path):
    check = {"kind": "mean", "metric": "m", "where": KL, "low": 0.0}
    (row,) = claims.judge(one(tmp_path, NEAR_ONE), [claim(check, scale="full")])
    assert row["verdict"] == "undecided" and row["why"].startswith("scale quick, the claim needs full")


def test_a_verdict_names_the_share_of_the_published_length(tmp_path):
    found = one(tmp_path, NEAR_ONE)
    (arm,) = found.arms
    check, long = {"kind": "mean", "metric": "m", "where": KL, "low": 0.0}, 10 * found.arms[arm]["steps"]
    of_arm, of_none = check | {"where": KL | {"arm": arm}}, check | {"metric": "n", "where": {"arm": arm}}
    asked = claim(of_arm, published_steps=long), claim(of_arm), claim(of_none, published_steps=long)
    reasons = [row["why"] for one_claim in asked for row in claims.judge(found, [one_claim])]
    assert reasons[0] == "the check holds, at 10 % of the published length"
    assert reasons[1:] == ["the check holds", "not measured: 'n' is not in this record"]


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


def test_a_check_that_was_not_run_has_no_seeds_to_be_too_few(tmp_path):
    each = {"kind": "mean", "metric": "m", "each": {"only": ["kl", "gan"]}, "low": 0.0}
    (row,) = claims.judge(one(tmp_path, NEAR_ONE), [claim(each)])
    assert (row["verdict"], row["why"]) == ("undecided", "of 2 checks 1 hold, 1 not run")
    (row,) = claims.judge(one(tmp_path, NEAR_ONE), [claim(each, seeds=9)])
    assert row["why"].startswith("6 seeds, the claim needs 9; so far ")
    (row,) = claims.judge(one(tmp_path, [1.0]), [claim(each)])
    assert row["why"].startswith("1 seed, the claim needs 2; so far ")


@pytest.mark.parametrize("share, text", [(0.0021, "0.21 %"), (0.25, "25 %"), (1.0, "100 %"), (12, "1200 %")])
def test_a_share_of_the_published_length_has_no_exponent(share, text):
    assert claims.percent(share) == text
