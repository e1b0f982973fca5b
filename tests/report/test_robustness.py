"""How far a verdict is from flipping, for every kind of check."""

import math

import numpy as np
import pytest
from records import toy

from fgan.report import claims
from fgan.report.statistics import t_interval, wilson

KL, NEAR_ONE = {"divergence": "kl", "objective": "saddle"}, [0.9, 1.1, 1.0, 0.95, 1.05, 1.0]
LOW, HIGH = t_interval(NEAR_ONE)[1:]
MEAN = {"kind": "mean", "metric": "m", "where": KL}


def judged(folder, *checks, values=NEAR_ONE, gan=(), baselines=(), **changes):
    found = {("m", "kl", "saddle"): values} | ({("m", "gan", "saddle"): gan} if len(gan) else {})
    claim = {"id": "c", "statement": "s", "source": "p", "seeds": 2, "checks": list(checks)} | changes
    (row,) = claims.judge(toy(folder, found, baselines), [claim])
    return row


def flip(row):
    return row["verdict"], row["bound"], row["flips_at"], row["flips_to"]


@pytest.mark.parametrize(
    ("bounds", "wanted"),
    [({"low": 0.0}, ("replicated", "low", LOW, "undecided")),
     ({"high": 1.5}, ("replicated", "high", HIGH, "undecided")),
     ({"low": 2.0}, ("not replicated", "low", HIGH, "undecided")),
     ({"low": 0.98}, ("undecided", "low", LOW, "replicated")),
     ({"low": 1.06}, ("undecided", "low", HIGH, "not replicated")),
     ({"low": 0.5, "high": 1.1}, ("replicated", "high", HIGH, "undecided"))])  # fmt: skip
def test_a_mean_flips_where_a_bound_meets_the_nearer_end_of_its_interval(tmp_path, bounds, wanted):
    found = flip(judged(tmp_path, MEAN | bounds))
    assert found == (*wanted[:2], pytest.approx(wanted[2]), wanted[3])


def test_the_verdict_changes_there_and_not_before(tmp_path):
    row = judged(tmp_path / "a", MEAN | {"low": 0.5})
    for step, wanted in ((-1e-9, "replicated"), (1e-9, "undecided")):
        assert judged(tmp_path / f"{step}", MEAN | {"low": row["flips_at"] + step})["verdict"] == wanted


@pytest.mark.parametrize(
    ("bounds", "half", "twice"),
    [({"low": 0.5}, "undecided", "replicated"), ({"low": 0.95, "high": 1.25}, "undecided", "replicated"),
     ({"low": 0.8, "high": 1.2}, "replicated", "replicated"), ({"high": 0.6}, "not replicated", "replicated"),
     ({"low": -0.1}, "replicated", "replicated"), ({"low": 0.0}, "", "")])  # fmt: skip
def test_half_the_tolerance_asks_for_more_and_twice_for_less(tmp_path, bounds, half, twice):
    row = judged(tmp_path, MEAN | bounds)
    assert (row["at_half"], row["at_twice"]) == (half, twice)


def test_the_tolerance_of_a_share_is_what_may_miss(tmp_path):
    check = {"kind": "share", "metric": "m", "where": KL, "at_least": 8, "low": 0.8}
    row = judged(tmp_path, check, values=[8.0] * 20)
    assert row["flips_at"] == pytest.approx(wilson(20, 20)[1]) and row["flips_to"] == "undecided"
    assert (row["verdict"], row["at_half"], row["at_twice"]) == ("replicated", "undecided", "replicated")


SHIFTED = np.linspace(-0.1, 0.1, 12) + 0.02
DIFFERENCE = {"kind": "difference", "metric": "m", "where": KL, "minus": {"divergence": "gan"}}


def test_a_difference_flips_at_its_estimate(tmp_path):
    row = judged(tmp_path, DIFFERENCE | {"low": 0.0}, values=1 + SHIFTED + 0.3, gan=np.ones(12))
    assert flip(row) == ("replicated", "low", pytest.approx(0.32), "not replicated") and row["at_half"] == ""


@pytest.mark.parametrize(
    ("margin", "verdict", "to"), [(0.5, "replicated", "undecided"), (0.03, "undecided", "replicated")]
)
def test_an_equivalence_flips_at_a_margin_that_gives_another_verdict(tmp_path, margin, verdict, to):
    check = {**DIFFERENCE, "kind": "equivalence"}
    options = dict(values=1 + SHIFTED, gan=np.ones(12))
    row = judged(tmp_path / "a", check | {"margin": margin}, **options)
    assert row["verdict"] == verdict and row["bound"] == "margin" and row["flips_to"] == to
    assert judged(tmp_path / "b", check | {"margin": row["flips_at"]}, **options)["verdict"] == to
    nearer = row["flips_at"] * (1.02 if to == "undecided" else 0.98)
    assert judged(tmp_path / "c", check | {"margin": nearer}, **options)["verdict"] == verdict


def test_a_margin_of_a_difference_is_a_tolerance_too(tmp_path):
    row = judged(tmp_path, DIFFERENCE | {"low": 0.0, "margin": 0.2}, values=1 + SHIFTED, gan=np.ones(12))
    assert (row["verdict"], row["bound"], row["flips_to"]) == ("not replicated", "margin", "undecided")
    assert 0.02 < row["flips_at"] < 0.2 and (row["at_half"], row["at_twice"]) == ("not replicated", "not replicated")


def test_of_several_checks_the_nearest_flips_and_is_named(tmp_path):
    baselines = [("P", "", {"b": 0.4})]
    check = {"kind": "baseline", "metric": "b", "sampler": "P", "high": 0.5}
    row = judged(tmp_path, MEAN | {"low": 0.0}, check, baselines=baselines)
    assert row["flips_check"] == "b, P" and flip(row) == ("replicated", "high", 0.4, "partly")


def test_no_bound_flips_a_verdict_that_scale_or_seeds_decide(tmp_path):
    row = judged(tmp_path, MEAN | {"low": 0.5}, scale="full")
    assert row["verdict"] == "undecided" and row["flips_to"] == "" and math.isnan(row["flips_at"])


def test_the_corrected_p_values_are_those_of_the_judgement(tmp_path):
    """The other verdicts of a claim are judged in the family of all tests, as its own."""
    values = {("m", "kl", "saddle"): np.arange(7.0) + 5, ("m", "gan", "saddle"): np.arange(7.0)}
    family = [{"id": str(k), "statement": "s", "source": "p", "checks": [DIFFERENCE | {"low": 0.0}]} for k in range(4)]
    assert {row["p_holm"] for row in claims.judge(toy(tmp_path, values), family)} == {4 / 64}
