"""Tables: numbers and plain text as LaTeX, frames as booktabs, and the rows that several experiments share."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from records import toy

from fgan.report import converged, pages, printed, tables

NUMBERS = {
    math.nan: "undefined", math.inf: r"$\infty$", -math.inf: r"$-\infty$", 0.0: "0",
    1.0: "1.00", 12.3456: "12.3", 123.456: "123", 99_999.0: "99999", 0.123456: "0.123", 0.00123: "0.0012",
    -1.5: "$-$1.50", -1234.5: "$-$1234",
    1e-5: r"$1.0\cdot 10^{-5}$", -2.5e-7: r"$-2.5\cdot 10^{-7}$", 1e16: r"$1.0\cdot 10^{16}$",
    -3.21e5: r"$-3.2\cdot 10^{5}$",
    5e-324: r"$4.9\cdot 10^{-324}$", 1.7e308: r"$1.7\cdot 10^{308}$",
}  # fmt: skip


@pytest.mark.parametrize("value", NUMBERS, ids=str)
def test_a_number_as_text(value):
    assert printed.number(value) == NUMBERS[value]


def test_a_number_that_is_missing_is_a_word():
    assert printed.number(None) == printed.fixed(math.nan) == "undefined"


def test_a_number_has_the_digits_asked_for():
    assert [printed.number(math.pi, digits) for digits in (1, 2, 4)] == ["3", "3.1", "3.142"]
    assert printed.number(0.5, 2) == "0.50" and printed.number(8, 2) == "8.0"


def test_a_mean_has_its_half_width_unless_that_is_infinite():
    assert printed.plus_minus(2.0, 1.5, 2.5) == r"2.00 $\pm$ 0.50"
    assert printed.plus_minus(1.2345, 1.2211, 1.2479) == r"1.234 $\pm$ 0.013"  # no decimal beyond the half-width's
    assert printed.plus_minus(-712.34, -912.34, -512.34) == r"$-$710 $\pm$ 200"
    assert printed.plus_minus(1.0, 1.0, 1.0) == r"1.00 $\pm$ 0"
    assert printed.plus_minus(2.0, -math.inf, math.inf) == printed.plus_minus(2.0, math.nan, math.nan) == "2.00"


def test_a_mean_over_seeds_says_how_many_runs_have_no_value():
    assert printed.over_seeds([1.0, 3.0]) == printed.plus_minus(2.0, 2 - 12.7062, 2 + 12.7062)
    assert printed.over_seeds([1.0, math.nan, 3.0]) == printed.over_seeds([1.0, 3.0]) + " (2 of 3)"
    assert printed.over_seeds([math.nan, math.inf]) == "undefined" and printed.over_seeds([]) == "not run"


def test_plain_text_is_escaped_and_latex_is_left():
    assert printed.escape("50 % of a_b & #1") == r"50 \% of a\_b \& \#1"
    # A bare % would hide what follows it.
    assert printed.escape(r"$\mu$ in 95 % and 95\,\%, #2") == r"$\mu$ in 95 \% and 95\,\%, \#2"
    assert printed.escape(r"$\mu$ paper") == r"$\mu$ paper" and printed.escape(3) == "3"


@pytest.mark.parametrize("text", ["a^b", "a~b", "{a}", "a}"])
def test_every_special_character_is_escaped(text):
    assert printed.escape(text) not in ("a^b", "a~b", "{a}", "a}")


def test_a_frame_is_a_booktabs_table_with_its_rules():
    frame = pd.DataFrame({"name": ["KL", "one_two"], "$x$": ["1", "2"]})
    assert tables.latex(frame, rules_after=(0,)).splitlines() == [
        r"\begin{tabular}{lr}", r"\toprule", r"name & \head{$x$} \\", r"\midrule", r"KL & 1 \\", r"\midrule",
        r"one\_two & 2 \\", r"\bottomrule", r"\end{tabular}"]  # fmt: skip


def test_a_column_of_dashes_is_left_out_but_for_the_first():
    frame = pd.DataFrame({"name": ["--", "--"], "published": ["1", "2"], "ours": ["--", "--"], "runs": ["--", "3"]})
    assert tables.latex(frame).splitlines()[2:6] == [
        r"name & \head{published} & \head{runs} \\", r"\midrule", r"-- & 1 & -- \\", r"-- & 2 & 3 \\"]  # fmt: skip


def test_only_a_table_of_which_the_record_has_nothing_says_so():
    nothing = pd.DataFrame({"Modes": ["not part of this scale"]})
    assert tables.latex(nothing).startswith("\\fgannothing\n")
    assert r"\fgannothing" not in tables.latex(nothing.assign(ours="--"))
    beside = pd.DataFrame({"published": ["7.9", "8"], "here": ["not run", "not run"]})
    assert r"\fgannothing" not in tables.latex(beside)
    beside.attrs["ours"] = ["here"]
    assert r"\fgannothing" in tables.latex(beside)
    assert r"\fgannothing" not in tables.latex(beside.assign(here=["not run", "7.8"]))


@pytest.mark.parametrize(("value", "text"), [(math.inf, "undefined"), (-math.inf, "undefined"), (math.nan, "--")])
def test_an_estimate_that_there_is_not_has_no_interval(value, text):
    assert printed.interval(value, 0.0, 1.0) == printed.interval(value, -math.inf, math.inf) == text


@pytest.mark.parametrize(("low", "high", "text"), [(0.25, 0.75, "0.5 [0.2, 0.8]"), (math.nan, math.nan, "0.500")])
def test_what_a_claim_measured_has_its_interval_where_there_is_one(low, high, text):
    claim = SimpleNamespace(estimate=0.5, low=low, high=high, missing="", allowed_low=-math.inf, allowed_high=math.inf)
    assert printed.measured(claim) == text


def test_a_share_is_in_percent_of_what_it_is_of():
    claim = SimpleNamespace(estimate=1.0, low=0.3, high=1.0, missing="", allowed_low=0.5, allowed_high=math.inf)
    assert printed.measured(claim, "of runs") == r"100\,\% [30, 100] of runs"
    assert printed.measured(claim, "modes") == "1.0 [0.3, 1.0] modes"
    assert pages.plain(printed.measured(claim, "of runs")) == "100 % [30, 100] of runs"


@pytest.mark.parametrize(
    ("ends", "bound", "text"),
    [
        ((-2.6, -4.9, -0.2), math.inf, "$-$2.6 [$-$4.9, $-$0.2]"),
        ((-0.061, -0.121, -0.0024), math.inf, "$-$0.061 [$-$0.121, $-$0.002]"),
        ((2.6, 0.0, 5.2), math.inf, "3 [0, 5]"),
        ((0.097, 0.029, 0.164), 0.1, "0.097 [0.029, 0.164]"),
        ((2.6, 1e-9, 5.2), math.inf, "3 [0, 5]"),
    ],
)
def test_rounding_alone_puts_no_interval_on_zero_or_on_its_criterion(ends, bound, text):
    own = dict(zip(("estimate", "low", "high"), ends, strict=True))
    assert printed.measured(SimpleNamespace(**own, missing="", allowed_low=-math.inf, allowed_high=bound)) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (-math.inf, 2.0, r"allowed $\leq$ 2.00"),
        (0.5, math.inf, r"allowed $\geq$ 0.500"),
        (0.5, 2.0, "allowed [0.500, 2.00]"),
    ],
)
def test_what_a_claim_allows_is_a_bound_or_a_range(low, high, text):  # fmt: skip
    assert printed.allowed(SimpleNamespace(allowed_low=low, allowed_high=high, p_holm=math.nan)) == text


def test_a_difference_that_is_tested_may_not_be_zero():
    tested = lambda low, high: printed.allowed(SimpleNamespace(allowed_low=low, allowed_high=high, p_holm=0.5))
    assert tested(0.0, math.inf) == "allowed $>$ 0" and tested(-math.inf, 0.0) == "allowed $<$ 0"
    assert tested(0.5, math.inf) == r"allowed $\geq$ 0.500" and tested(-1.0, 1.0) == "allowed [$-$1.00, 1.00]"


def test_long_cells_may_be_wrapped_and_formulas_may_not():
    frame = pd.DataFrame({"name": ["a"], "failed": ["2 of 3 (1 diverged at step 7, 1 died at step 90)"]})
    assert r"\cell{2 of 3 (1 diverged" in tables.latex(frame) and r"\cell" not in tables.latex(frame, left=True)


def test_a_record_that_does_not_say_which_runs_converged_has_no_columns_about_them(tmp_path):
    values = {("modes", "kl", "saddle"): [8.0, 4.0], ("failed", "kl", "saddle"): [0.0, 0.0]}
    part = toy(tmp_path, values, divergences=["kl"])
    cells = converged.columns(part, "main", "kl", total=8)
    assert cells.pop("failed") == "0 of 2" and set(cells.values()) == {"not known"}
    frame = pd.DataFrame([{"name": "KL", "failed": "0 of 2"} | cells, dict.fromkeys(["name", "failed", *cells], "")])
    assert "not known" not in tables.latex(frame)


def test_values_over_seeds_in_one_cell():
    assert printed.three(np.array([3.0, 1.0, 8.0])) == "1.00, 3.00, 8.00" and printed.three(np.array([])) == "not run"
    assert (
        printed.count_range(np.array([8.0, 7.0, 2.0])) == "2, 7, 8"
        and printed.count_range(np.array([math.nan])) == "no count"
    )
    assert printed.defined(np.array([1.0, 3.0])) == "2.00" and printed.defined(np.array([math.nan])) == "undefined"
    assert printed.defined(np.array([1.0, math.nan, 3.0])) == "2.00 (2 of 3)"


def test_a_framed_table_has_its_rules():
    frame = tables.framed([{"a": "1"}, {"a": "2"}], [0])
    assert tables.latex(frame, frame.attrs["rules_after"]).count(r"\midrule") == 2


METRICS = {"modes": [8.0, 8.0, 1.0], "high_quality": [1.0, 0.9, 0.5], "saturated": [0.0, 1.0, 1.0],
           "failed": [0.0, 0.0, 1.0], "converged": [1.0, 1.0, 0.0], "cycles": [0.0] * 3,
           "reverse_kl": [0.1, 0.3, math.nan]}  # fmt: skip
KEYS = [(name, objective) for name in ("kl", "gan") for objective in ("saddle", "alternative")]


@pytest.fixture
def part(tmp_path):
    values = {(metric, *key): seeds for key in KEYS for metric, seeds in METRICS.items()}
    values |= {(("modes", "strict"), *key): [2.0, 4.0, 6.0] for key in KEYS}
    baselines = [("P", "", {"modes": 8.0, "high_quality": 0.99, "reverse_kl": 0.002, ("modes", "strict"): 7.5})]
    settings = {"divergences": ["kl", "gan"], "objectives": ["saddle", "alternative"]}
    return toy(tmp_path, values, baselines, **settings)


def test_the_table_of_modes_has_a_row_for_each_divergence_and_objective_and_sampler(part):
    frame = tables.modes(part, "main", 8)
    assert list(frame["Trained on"]) == ["KL", "GAN"] * 2 + ["P"]
    assert frame.iloc[0].tolist() == [
        "KL", "saddle", "8, 8, 8", "0.67 [0.21, 0.94]", "0 (0) of 2", "0.50, 0.90, 1.00", "0.200 (2 of 3)",
        "0 of 3", "1 of 3, V saturated",
    ]  # fmt: skip
    assert frame.iloc[4].tolist() == ["P", "none", "8.00 on average", "", "", "0.99", "0.0020", "", ""]
    assert frame.attrs["rules_after"] == (1, 3) and len(tables.modes(part, "main", 8, samplers=False)) == 4


def test_the_table_of_rules_has_a_column_for_each_further_rule(part):
    frame = tables.rules(part, "main")
    assert frame.columns.tolist() == ["Sampler", "strict"]
    assert frame.values.tolist() == [["P", "7.50"], *([f"{label} ({o})", "4.00"] for o in ("saddle", "alternative")
                                                     for label in ("KL", "GAN"))]  # fmt: skip


def test_the_alternative_stands_beside_the_saddle_objective_of_what_it_descends(part):
    arms = dict.fromkeys(("saddle", "alternative"), "main")
    part.design["divergences"][0]["effective"] = "GAN / 2"
    frame = tables.alternative(part, arms, {("modes", "strict"): "modes"})
    first, *_ = frame.to_dict("records")
    assert first["Divergence"] == "KL" and first["alternative descends"] == "GAN / 2"
    assert first["failed: saddle, alternative"] == "1 of 3, 1 of 3" and first["modes: alternative"] == "4.00"
    assert first["modes: saddle of what it descends"] == "4.00"
    assert frame.iloc[1]["modes: saddle"] == "not run"
    assert frame.iloc[1]["modes: saddle of what it descends"] == "not trained"
    assert frame.iloc[0]["gradient, first and last: saddle"] == "not run"
