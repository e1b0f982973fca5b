"""The ratio that V implies under each entry of the table, and what a fake of that ratio counts."""

import math

import pytest
import torch
from test_divergences import MEMBERS, close

from fgan.check.search import F64, gradient
from fgan.divergences import DIVERGENCES, LEAST

EVERY = pytest.mark.parametrize("d", [d for d in MEMBERS if d.log_ratio], ids=lambda d: d.name)
FLOOR = math.log(LEAST)


def test_an_entry_has_both_forms_or_neither_and_total_variation_neither():
    assert all((d.log_ratio is None) == (d.conjugate_of_log_ratio is None) for d in MEMBERS)
    assert DIVERGENCES["total_variation"].log_ratio is None


@EVERY
def test_v_implies_the_ratio_at_which_f_prime_is_g_f(d):
    v = torch.linspace(-12, 12, 241, dtype=F64)
    low, high = torch.full_like(v, FLOOR), torch.full_like(v, 16.0)
    for _ in range(80):  # by bisection in log u
        middle = (low + high) / 2
        below = d.f_prime(middle.exp()) < d.activation(v)
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    inside = (low > FLOOR + 1e-3) & (high < 15)
    assert inside.sum() > 60
    close(d.log_ratio(v)[inside], low[inside], 1e-7, 1e-7)


@EVERY
def test_where_v_implies_no_positive_ratio_it_is_the_least_without_a_gradient(d):
    v = torch.linspace(-12, 12, 241, dtype=F64)
    none = d.activation(v) < d.f_prime(torch.zeros(1, dtype=F64))
    assert none.any() == (d.name in ("pearson", "alpha_3", "alpha_2", "alpha_1.5", "alpha_4"))
    assert (gradient(d.log_ratio, v)[none] == 0).all()
    close(d.log_ratio(v)[none], FLOOR)


@EVERY
def test_what_a_fake_of_a_ratio_counts(d):
    """f*(f'(u)) = u f'(u) - f(u), with the slope u^2 f''(u) in log u; at the ratio that v implies it is f*(g_f(v))."""
    s = torch.linspace(-6, 6, 121, dtype=F64)
    u = s.exp()
    close(d.conjugate_of_log_ratio(s), u * d.f_prime(u) - d.f(u), 1e-8, 1e-8)
    close(gradient(d.conjugate_of_log_ratio, s), u**2 * gradient(d.f_prime, u), 1e-8, 1e-12)
    v = torch.linspace(-9, 9, 181, dtype=F64)
    v = v[d.log_ratio(v) > FLOOR + 1e-9]
    both = lambda x: d.conjugate_of_log_ratio(d.log_ratio(x))
    close(both(v), d.conjugate_of_activation(v))
    close(gradient(both, v), gradient(d.conjugate_of_activation, v))


@EVERY
def test_ratios_keep_their_gradient_in_float32(d):
    x = torch.linspace(-20, 20, 401)
    for function in (d.log_ratio, d.conjugate_of_log_ratio):
        mine, exact = gradient(function, x), gradient(function, x.double())
        normal = (exact.abs() > 1e-30) & (exact.abs() < 1e30)
        assert normal.sum() > 100
        close(mine[normal], exact[normal], 1e-4, 0.0)
