"""Every entry of the table, against f-GAN's definitions (Nowozin et al., 2016) and against its neighbours.

A new entry is picked up by itself; only its named identities, if it has any, need a line here.
"""

import math

import mpmath
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import lambertw
from torch.nn.functional import binary_cross_entropy_with_logits

from fgan.check import CHECKS, Formulas
from fgan.check.checks import REACH
from fgan.check.search import F64, U, gradient, supremum
from fgan.divergences import DIVERGENCES, Latex, alpha, jensen_shannon_weighted

NEIGHBOURS = [alpha(a) for a in (2, 0.5, -1, 0.9, 1.5, 4, -0.5)]
NEIGHBOURS += [jensen_shannon_weighted(pi) for pi in (0.1, 0.5, 0.9)]
MEMBERS = [*DIVERGENCES.values(), *(d for d in NEIGHBOURS if d.name not in DIVERGENCES)]
EVERY = pytest.mark.parametrize("d", MEMBERS, ids=lambda d: d.name)
LOG4 = math.log(4.0)


def close(a, b, rtol=1e-9, atol=1e-9):
    a, b = torch.as_tensor(a, dtype=F64), torch.as_tensor(b, dtype=F64)
    torch.testing.assert_close(*torch.broadcast_tensors(a, b), rtol=rtol, atol=atol)


def inverse(increasing, t):
    """The v with increasing(v) = t, by bisection in asinh(v)."""
    lo, hi = torch.full_like(t, -24.0), torch.full_like(t, 24.0)
    for _ in range(60):
        mid = (lo + hi) / 2
        below = increasing(torch.sinh(mid)) < t
        lo, hi = torch.where(below, mid, lo), torch.where(below, hi, mid)
    return torch.sinh(hi)


def test_the_table():
    assert list(DIVERGENCES)[:12] == [
        "total_variation", "kl", "reverse_kl", "pearson", "neyman", "squared_hellinger", "jeffrey",
        "jensen_shannon", "jensen_shannon_weighted", "gan", "alpha_3", "alpha_m2"]  # fmt: skip
    assert len({d.name for d in MEMBERS}) == len({d.label for d in MEMBERS}) == len(MEMBERS)
    for d in MEMBERS:
        assert isinstance(d.latex, Latex) and all(d.latex) and "$" not in "".join(d.latex)
        assert all(s.count("{") == s.count("}") for s in d.latex) and d.reference and d.effective


@pytest.mark.parametrize("a", [0, 1, 1.0, math.inf, math.nan])
def test_alpha_refuses_its_limits(a):
    with pytest.raises(ValueError, match="alpha must be finite and neither 0"):
        alpha(a)


@pytest.mark.parametrize("pi", [0, 1, -0.1, 1.5, math.nan])
def test_weighted_js_refuses_a_weight_outside_0_1(pi):
    with pytest.raises(ValueError, match="must lie between 0 and 1"):
        jensen_shannon_weighted(pi)


@EVERY
@pytest.mark.parametrize("name", CHECKS)
def test_every_check_of_formulas_holds(d, name):
    assert CHECKS[name](Formulas.of(d)) is None


@EVERY
def test_f_is_normalised(d):
    close(d.f(U[60:61]), -LOG4 if d.name == "gan" else 0.0)


@EVERY
def test_fenchel_young_holds_for_all_that_g_f_gives(d):
    t = d.activation(torch.linspace(-30, 30, 241, dtype=F64))[:, None]  # Pearson's conjugate is unclamped below -2
    assert (d.f(U) + d.conjugate(t) - U * t >= -1e-9 * (1 + (U * t).abs())).all()


@EVERY
def test_the_supremum_is_f_at_steep_ratios_too(d):
    u = U[d.f_prime(U).abs() < REACH]
    found = supremum(lambda v: u * d.activation(v) - d.conjugate_of_activation(v), len(u))
    close(found, d.f(u), 1e-6, 1e-6)


@EVERY
def test_activation_covers_the_domain(d):
    v = torch.linspace(-15, 15, 301, dtype=F64)
    g, (lower, upper) = d.activation(v), d.domain
    assert (lower <= g).all() and (g <= upper).all()
    lowest, highest = d.activation(torch.tensor([-1e9, 1e9], dtype=F64))
    assert lowest <= max(lower, -1e8) + 1e-9 and highest >= min(upper, 1e8) - 1e-9
    close(d.activation(torch.tensor(d.threshold_v, dtype=F64)), d.threshold, atol=1e-14)


@EVERY
@settings(max_examples=10, deadline=None, derandomize=True)
@given(weights=st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), min_size=2, max_size=5))
def test_the_supremum_is_the_divergence(d, weights):
    p, q = (w / w.sum() for w in torch.tensor(weights, dtype=F64).T)

    def objective(v):
        return p * d.activation(v) - q * d.conjugate_of_activation(v)

    assume((d.f_prime(p / q).abs() < REACH).all())
    exact = q * d.f(p / q)
    close(supremum(objective, len(p)), exact, atol=1e-8)
    if d.name == "total_variation":  # its supremum lies at infinity, except where p = q
        v = 1e3 * torch.sign(p - q)
    else:
        v = inverse(d.activation, d.f_prime(p / q))
    close(objective(v), exact, atol=1e-8)


@EVERY
def test_gradient_is_never_rounded_to_zero(d):
    v = torch.linspace(-80, 80, 1281, dtype=F64)
    g = d.activation(v)
    assert (gradient(d.activation, v) > 0).all()
    weight = gradient(d.conjugate, g)  # f*'(t), what a fake counts
    assert (gradient(d.conjugate_of_activation, v)[weight > 0] > 0).all()


@EVERY
@pytest.mark.parametrize("name", ["activation", "conjugate_of_activation", "log_ratio", "conjugate_of_log_ratio"])
def test_float32_is_right_as_far_as_it_reaches(d, name):
    """Values and gradients from v = 0 to an eighth of the largest float32, wherever the value fits."""
    if (function := getattr(d, name)) is None:
        return
    reach = torch.finfo(torch.float32).max / 8  # alpha multiplies or divides by alpha, which is 4 here at most
    far = torch.cat([torch.linspace(0, 200, 801), torch.logspace(math.log10(200), 38.5, 300)]).clamp(max=reach)
    v = torch.cat([-far.flip(0), far])
    exact, slope = function(v.double()), gradient(function, v.double())
    fits = exact.abs() < reach
    assert fits.sum() > 300 and not exact.isnan().any() and not slope.isnan().any()
    close(function(v)[fits], exact[fits], 1e-4, 1e-6)
    close(gradient(function, v)[fits], slope[fits], 1e-4, 1e-37)


@pytest.mark.parametrize("pi", [1e-3, 0.3, 0.5, 0.9])
def test_weighted_js_is_exact_where_its_power_rounds_to_one(pi):
    d = jensen_shannon_weighted(pi)
    mpmath.mp.dps = 400
    v = torch.tensor([-40.0, 0.5, 12.0, 19.9, 20.1, 26.9, 27.1, 40.0, 90.0, 300.0, 800.0], dtype=F64)
    slope = gradient(d.conjugate_of_activation, v)
    for x, value, own in zip(v.tolist(), d.conjugate_of_activation(v).tolist(), slope.tolist(), strict=True):
        s, k = 1 / (1 + mpmath.exp(-mpmath.mpf(x))), 1 / mpmath.mpf(pi)
        rest = 1 - s**k
        assert value == pytest.approx(float((1 - mpmath.mpf(pi)) * mpmath.log((1 - mpmath.mpf(pi)) / rest)), rel=1e-13)
        assert own == pytest.approx(float((1 - mpmath.mpf(pi)) * k * s**k * (1 - s) / rest), rel=1e-13)


@EVERY
def test_first_and_second_derivatives_match_differences(d):
    v = torch.tensor([-7.3, -3.1, -1.7, -0.9, 0.0, 0.4, 1.3, 2.9, 6.2], dtype=F64, requires_grad=True)
    for function in (d.activation, d.conjugate_of_activation):
        assert torch.autograd.gradcheck(function, v, eps=1e-7, rtol=1e-5)
        assert torch.autograd.gradgradcheck(function, v, torch.ones_like(v), eps=1e-7, rtol=1e-5)


@pytest.mark.parametrize("a", [0.5, -2])
def test_alpha_below_1_is_exact_in_the_tail(a):
    v = torch.linspace(2, 60, 581, dtype=F64)
    exact = (((1 - a) * torch.log1p(torch.exp(-v))) ** (a / (a - 1)) - 1) / a
    close(alpha(a).conjugate_of_activation(v), exact, rtol=1e-12, atol=0.0)


@EVERY
def test_growth(d):
    f = lambda exponent: d.f(torch.tensor(10.0**exponent, dtype=F64)).abs().item()
    a, b = d.growth
    far = min(8, 300 / a)  # a steep f overflows beyond
    assert max(1, math.log10(f(far) / f(far - 1))) == pytest.approx(a, abs=0.1)
    assert max(0, math.log10(f(-8) / f(-7))) == pytest.approx(b, abs=0.1)
    at_zero = d.f(torch.zeros(1, dtype=F64))
    assert at_zero == math.inf if f(-300) > 100 else at_zero == pytest.approx(f(-300), abs=1e-6)


T = DIVERGENCES


@pytest.mark.parametrize(
    ("one", "factor", "other"),
    [(alpha(2), 0.5, T["pearson"]), (alpha(0.5), 2, T["squared_hellinger"]), (alpha(-1), 0.5, T["neyman"]),
     (jensen_shannon_weighted(0.5), 0.5, T["jensen_shannon"])],
    ids=lambda x: getattr(x, "name", None))  # fmt: skip
def test_identities(one, factor, other):
    close(one.f(U), factor * other.f(U))
    t = one.f_prime(U)
    close(t, factor * other.f_prime(U))
    close(one.conjugate(t), factor * other.conjugate(t / factor), rtol=1e-7)


def test_jensen_shannon_and_gan_are_one_algorithm():
    v, js, gan = torch.linspace(-90, 90, 1801), T["jensen_shannon"], T["gan"]
    close(js.f(U), gan.f(U) + (U + 1) * LOG4 / 2)  # D_JS = D_GAN + log 4, as E_Q[p/q + 1] = 2
    assert torch.equal(gradient(js.activation, v), gradient(gan.activation, v))
    assert torch.equal(gradient(js.conjugate_of_activation, v), gradient(gan.conjugate_of_activation, v))


def test_weighted_js_is_its_mixture_of_kl():
    p, q = torch.tensor([0.7, 0.2, 0.1], dtype=F64), torch.tensor([0.1, 0.3, 0.6], dtype=F64)
    m = 0.3 * p + 0.7 * q
    kl = lambda x: (x * (x / m).log()).sum()
    close((q * T["jensen_shannon_weighted"].f(p / q)).sum(), 0.3 * kl(p) + 0.7 * kl(q))


def test_only_pearson_is_unclamped():
    t = torch.tensor([-3.0], dtype=F64)
    assert gradient(T["pearson"].conjugate, t) < 0 and gradient(alpha(2).conjugate, t) == 0


def test_gan_is_binary_cross_entropy():
    real, fake = torch.linspace(-40, 40, 161, dtype=F64), torch.linspace(-30, 50, 161, dtype=F64)
    gan, bce = T["gan"], binary_cross_entropy_with_logits
    for ours, theirs in (
        (lambda x: -gan.activation(x).mean(), lambda x: bce(x, torch.ones_like(x))),
        (lambda x: gan.conjugate_of_activation(x).mean(), lambda x: bce(x, torch.zeros_like(x))),
    ):
        for x in (real, fake):
            close(ours(x), theirs(x), rtol=1e-12)
            close(gradient(ours, x), gradient(theirs, x), rtol=1e-12, atol=1e-17)
    zero = torch.zeros(1, dtype=F64)
    close(gan.activation(zero) - gan.conjugate_of_activation(zero), -LOG4, atol=1e-15)


def test_jeffrey_conjugate_is_lambert_w():
    j = T["jeffrey"].conjugate
    t = torch.linspace(-600, 600, 4801, dtype=F64)
    w = torch.tensor(lambertw((1 - t).exp().numpy()).real)
    near = t.abs() > 0.5  # beside its zero at t = 0 scipy's form cancels
    close(j(t)[near], (w + 1 / w + t - 2)[near], rtol=1e-12, atol=0.0)
    mpmath.mp.dps = 50
    for x in (-1e8, -1e4, -700.0, -30.0, -4.2, -3.0, -1.0, -1e-3, -1e-9, 1e-9, 0.2, 2.0, 5.0, 40.0, 300.0):
        w = mpmath.lambertw(mpmath.exp(1 - mpmath.mpf(x)))
        exact, point = w + 1 / w + mpmath.mpf(x) - 2, torch.tensor([x], dtype=F64)
        assert abs(j(point).item() / exact - 1) < 1e-13
        assert abs(gradient(j, point).item() * w - 1) < 1e-13


@pytest.mark.parametrize(
    ("f", "h"),
    [("kl", {"reverse_kl": 1}), ("pearson", {"kl": 2}), ("reverse_kl", {"neyman": 0.5}),
     ("neyman", {"alpha_m2": 2}), ("alpha_3", {"pearson": 0.5}),
     ("jeffrey", {"reverse_kl": 1, "neyman": 0.5})])  # fmt: skip
def test_the_alternative_objective_descends_another_divergence(f, h):
    second = lambda d: gradient(d.f_prime, U)
    close(sum(k * second(T[name]) for name, k in h.items()), second(T[f]) / U, rtol=1e-8, atol=0.0)
    assert all(T[name].label in T[f].effective for name in h)
