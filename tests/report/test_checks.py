"""Checks: what a seed counts for, who is paired with whom, equivalence, what a claim needs, and the counts by kind."""

import math

import numpy as np
import pandas as pd
import pytest
from records import toy

from fgan.report import claims
from fgan.report.checks import results, said

ALL = ("kl", "reverse_kl", "gan")
KL_MINUS_GAN = {
    "kind": "difference", "metric": "m", "where": {"divergence": "kl"}, "minus": {"divergence": "gan"}, "low": 0,
}  # fmt: skip


def judged(found, *checks, **changes):
    claim = {"id": "c", "kind": "derived", "statement": "s", "source": "p", "seeds": 2, "checks": list(checks)}
    return claims.judge(found, [claim | changes])[0]


def spread(values, names=ALL):
    """The same values under several divergences, as runs of one seed have that share data, noise and start."""
    return {("m", name, "saddle"): list(values) for name in names}


SIX = [0.9, 1.1, 1.0, 0.95, 1.05, 1.0]


@pytest.mark.parametrize(
    "check",
    [{"kind": "mean", "low": 0.95}, {"kind": "share", "at_least": 1.0, "low": 0.3},
     {"kind": "difference", "minus": {"objective": "alternative"}, "low": 0.0}], ids=lambda check: check["kind"],
)  # fmt: skip
def test_three_divergences_of_a_seed_are_no_three_seeds(tmp_path, check):
    """Copies of every run under two more divergences leave estimate, interval and p as they are."""
    shown = []
    for names in (ALL[:1], ALL):
        other = {(metric, name, "alternative"): [0.5] * 6 for metric, name, _ in spread(SIX, names)}
        found = toy(tmp_path / str(len(names)), spread(SIX, names) | other)
        row = judged(found, {"metric": "m", "where": {"objective": "saddle"}} | check)
        shown.append([row[key] for key in ("estimate", "low", "high", "p_holm")])
    np.testing.assert_allclose(*[[np.nan if value is None else value for value in one] for one in shown], rtol=1e-12)


def test_a_difference_counts_pairs_and_not_the_seeds_of_one_side(tmp_path):
    values = {("m", "kl", "saddle"): [float(v + 5) for v in range(12)], ("m", "gan", "saddle"): [0.0, 1.0, 2.0]}
    row = judged(toy(tmp_path, values), KL_MINUS_GAN, seeds=7)
    assert row["why"].startswith("3 seeds, the claim needs 7")


@pytest.mark.parametrize("seeds, part, shown", [(19, 1, False), (20, 1, True), (19, 0.5, True)])
def test_a_difference_of_counts_has_an_interval_from_twenty_seeds_on(tmp_path, seeds, part, shown):
    """Of fewer, with ties, Student's interval is too narrow; values that are no counts keep theirs."""
    values = {("m", "kl", "saddle"): [part * (v % 3) for v in range(seeds)], ("m", "gan", "saddle"): [0.0] * seeds}
    (result,) = results(toy(tmp_path, values), KL_MINUS_GAN)
    assert np.isfinite([result.low, result.high]).all() == shown


@pytest.mark.parametrize("kind", ["difference", "equivalence", "equal"])
def test_no_run_is_paired_with_itself(tmp_path, kind):
    """KL and GAN less GAN is KL less GAN: GAN's pairs with itself would halve the difference."""
    values = {("m", "kl", "saddle"): [3.0] * 8, ("m", "gan", "saddle"): [1.0] * 8}
    bound = {"margin": 1.5} if kind == "equivalence" else {"high": 1.5}
    for where in ({"divergence": ["kl", "gan"]}, {}):
        check = {"kind": kind, "metric": "m", "where": where, "minus": {"divergence": "gan"}} | bound
        (result,) = results(toy(tmp_path, values), check)
        assert result.estimate == 2.0 and result.seeds == 8 and result.outcome == "fails"


def test_a_failed_pair_leaves_no_mean_of_the_survivors(tmp_path):
    values = {("m", "kl", "saddle"): [5.0] * 7 + [math.nan], ("m", "gan", "saddle"): [1.0] * 8}
    row = judged(toy(tmp_path, values), {"kind": "difference", "metric": "m", "where": {"divergence": "kl"},
                                         "minus": {"divergence": "gan"}, "low": 0.0})  # fmt: skip
    assert row["verdict"] == "undecided" and math.isnan(row["estimate"])
    assert row["missing"] == "undefined: a run has no value"


@pytest.mark.parametrize(
    ("values", "wanted"),
    [([1.0, 2.0, 3.0], "replicated"), ([1.0, 2.0, 3.1], "not replicated"), ([1.0, 2.0, math.nan], "undecided"),
     ([1.0, -math.inf, 2.0], "replicated"), ([], "not run")])  # fmt: skip
def test_one_run_refutes_what_holds_for_every_run(tmp_path, values, wanted):
    found = toy(tmp_path, spread(values, ["kl"]) if values else spread([0.0], ["gan"]))
    row = judged(found, {"kind": "every", "metric": "m", "where": {"divergence": "kl"}, "high": 3.0}, seeds=1)
    assert row["verdict"] == wanted


NOISE = [0.2, -0.1, 0.1, -0.2, 0.15, -0.15, 0.05, -0.05]


@pytest.mark.parametrize(
    ("step", "noise", "null", "direction"),
    [(0.0, NOISE, "replicated", "not replicated"), (0.0, [0.0] * 8, "replicated", "not replicated"),
     (-2.0, NOISE, "not replicated", "not replicated"), (2.0, NOISE, "not replicated", "replicated"),
     (0.4, NOISE, "undecided", "replicated"), (0.0, [5 * v for v in NOISE], "undecided", "undecided")])  # fmt: skip
def test_a_claim_of_no_difference_can_be_confirmed_and_one_of_a_difference_refuted(
    tmp_path, step, noise, null, direction
):
    found = toy(tmp_path, {("m", "kl", "saddle"): [step + n for n in noise], ("m", "gan", "saddle"): [0.0] * 8})
    check = {"metric": "m", "where": {"divergence": "kl"}, "minus": {"divergence": "gan"}, "margin": 0.5}
    assert judged(found, check | {"kind": "equivalence"})["verdict"] == null
    row = judged(found, check | {"kind": "difference", "low": 0.0})
    assert row["verdict"] == direction and ("too small" in row["why"]) == (step == 0.0 and direction != "undecided")


def test_holm_counts_the_tests_that_were_run(tmp_path):
    """Four comparisons with a divergence that was not trained cost the fifth, which was, nothing."""
    values = {("m", "kl", "saddle"): [float(v + 5) for v in range(7)], ("m", "gan", "saddle"): [0.0] * 7}
    check = {"kind": "difference", "metric": "m", "where": {"divergence": "kl"}, "low": 0.0}
    every = [check | {"minus": {"divergence": name}} for name in ("gan", *["reverse_kl"] * 4)]
    ids = [{"id": str(k), "kind": "derived", "checks": [one]} for k, one in enumerate(every)]
    rows = claims.judge(toy(tmp_path, values), ids)
    assert rows[0]["p_holm"] == 2**-6 and rows[0]["verdict"] == "replicated"
    assert {row["verdict"] for row in rows[1:]} == {"not run"}


def test_an_undefined_draw_of_a_sampler_decides_nothing(tmp_path):
    baselines = [("P", "", {"m": math.nan}), ("optimum", "kl", {"m": math.nan}), ("optimum", "", {"m": 0.0})]
    found = toy(tmp_path, spread(SIX), baselines)
    assert judged(found, {"kind": "baseline", "metric": "m", "sampler": "P", "low": 0.0})["verdict"] == "undecided"
    check = {"kind": "mean", "metric": "m", "minus_baseline": {"sampler": "optimum"}, "low": 0.0}
    for name, wanted in (("kl", "undecided"), ("gan", "replicated")):  # KL's own optimum is undefined; GAN has none
        assert judged(found, check | {"where": {"divergence": name}})["verdict"] == wanted


MNIST = {"target": {"kind": "mnist", "stack": 3}, "length": 0.5}


@pytest.mark.parametrize(
    ("target", "steps", "said"),
    [({"kind": "digits", "stack": 2}, 10, "target digits, stack 2, the claim needs mnist, stack 3; so far the check"),
     ({"kind": "mnist"}, 10, "target mnist, stack None, the claim needs mnist, stack 3; so far"),
     ({"kind": "mnist", "stack": 3, "sd": 1}, 25, "the claim needs 50 % of the published length; so far the"),
     ({"kind": "mnist", "stack": 3, "sd": 1}, 20, None)])  # fmt: skip
def test_a_published_finding_needs_its_setting_and_its_length(tmp_path, target, steps, said):
    """Steps of the toy are 10; claims on MNIST are not judged on 8x8 digits, 1,000 modes not on 100."""
    check = {"kind": "mean", "metric": "m", "where": {"arm": "main"}, "low": 0.0}
    row = judged(toy(tmp_path, spread(SIX), target=target), check, published_steps=steps, needs=MNIST)
    assert row["verdict"] == ("undecided" if said else "replicated") and row["why"].startswith(
        said or "the check holds"
    )


def test_identities_are_counted_apart():
    rows = [("identity", "replicated")] * 3 + [("published", "replicated"), ("derived", "undecided")]
    table = claims.counts(pd.DataFrame(rows, columns=["kind", "verdict"]))
    assert table.loc["identity", "replicated"] == 3 and table.loc["all", "replicated"] == 1
    assert table["all"].to_dict() == {"published": 1, "exercise": 0, "derived": 1, "identity": 3, "all": 2}


@pytest.mark.parametrize("name, words", {
    "reverse_kl": "reverse KL", "gan": "GAN", "alpha_m2": "alpha = -2", "alpha_3": "alpha = 3",
    "alpha_beta": "alpha beta",
}.items())  # fmt: skip
def test_a_name_of_the_code_is_said_in_words(name, words):
    assert said(name) == words
