"""Symmetric divergences: which they are, their bounds, and two sequences of densities with their closed forms."""

import math

import pytest
import torch
from small import EXPERIMENTS

from fgan import design
from fgan.divergences import DIVERGENCES

SYMMETRIC = design.module(EXPERIMENTS, "ring", "run").symmetric
NAMES = ["total_variation", "squared_hellinger", "jeffrey", "jensen_shannon", "gan"]


@pytest.fixture(scope="module")
def rows():
    return {(sequence, name): metrics for sequence, name, _, metrics in SYMMETRIC.rows()}


def test_the_symmetric_entries_of_the_table_are_these():
    assert list(SYMMETRIC.symmetric()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_d_f_is_the_same_with_p_and_q_exchanged_and_lies_within_its_bounds(name):
    f = SYMMETRIC.symmetric()[name]
    p, q = torch.rand(2, 200, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64).softmax(-1)
    d, other, v = (q * f(p / q)).sum(1), (p * f(q / p)).sum(1), (p - q).abs().sum(1) / 2
    torch.testing.assert_close(d, other)
    for value, total in zip(d.tolist(), v.tolist(), strict=True):
        low, high = SYMMETRIC.bounds(f, total)
        assert low - 1e-12 <= value <= high + 1e-12


def test_the_bounds_are_attained_by_two_points_and_by_disjoint_parts():
    """At V = 0.3: P = (.65, .35) against its mirror; P and Q that share a part of mass 0.7 and nothing else."""
    f, v = SYMMETRIC.symmetric()["squared_hellinger"], 0.3
    low, high = SYMMETRIC.bounds(f, v)
    assert low == pytest.approx(2 - 4 * math.sqrt(0.65 * 0.35)) and high == pytest.approx(2 * v)


def test_a_shift_has_its_closed_forms(rows):
    """P = N(0, 1), Q = N(d, 1), d = 1/2: TV = erf(d / sqrt 8), H^2 = 2 - 2 exp(-d^2 / 8), Jeffrey d^2."""
    first = {name: rows["Q shifts less", name]["first divergence"] for name in NAMES}
    expected = {"total_variation": math.erf(0.5 / math.sqrt(8)), "squared_hellinger": 2 - 2 * math.exp(-1 / 32)}
    expected |= {"jeffrey": 0.25, "gan": first["jensen_shannon"]}
    assert {name: first[name] for name in expected} == pytest.approx(expected, abs=1e-7)


def test_a_stray_mode_costs_jeffrey_as_much_at_any_weight(rows):
    weight = 2**-10
    last = {name: rows["Q strays less", name]["last divergence"] for name in NAMES}
    assert last["total_variation"] == pytest.approx(weight, rel=1e-4)
    assert last["jeffrey"] == pytest.approx(1 + weight * math.log(weight), abs=1e-3)
    assert max(last[name] for name in NAMES if name != "jeffrey") < 2 * weight


def test_the_table_keeps_its_symmetric_entries_with_their_constant_removed():
    one = torch.ones((), dtype=torch.float64)
    for name, f in SYMMETRIC.symmetric().items():
        assert float(f(one)) == 0 and float(f(2 * one)) > 0, DIVERGENCES[name].label
