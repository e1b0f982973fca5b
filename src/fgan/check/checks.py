"""The checks: each returns a counterexample as text, or None where the formulas d hold."""

import math

import torch

from fgan.check.search import F64, LINE, P, Q, U, gradient, overflow, reached, supremum

WIDE = torch.logspace(-6, 6, 121, dtype=F64)
REACH = 1e9  # |f'| of a ratio beyond which the search for a supremum does not reach
FAR = torch.tensor([0.001, 0.009, 0.99], dtype=F64)  # against its mirror image: ratios from 1e-3 to 1e3
STEEP = 500.0  # |f'| up to which FAR is judged: a g_f that takes exp(-v) literally overflows soon after


def _plainest(bad, *where):
    """Index of the bad point whose coordinates are nearest to 0, or None if no point is bad."""
    size = sum(x.abs() for x in where).double().nan_to_num(1e300, posinf=1e300).expand(bad.shape)
    best = torch.where(bad, size, math.inf).argmin()
    return tuple(int(i) for i in torch.unravel_index(best, bad.shape)) if bad.any() else None


def _off(one, other, rtol, atol):
    return ~torch.isclose(one, other, rtol=rtol, atol=atol)


def _slopes(d):
    """f'(u) for u from 1e-6 to 1e6: the values that T must be able to take."""
    return gradient(d.f, WIDE).clamp(-REACH, REACH)


def _young(d, t, allowed=True):
    """The plainest u and t with f(u) + f*(t) < u t: (index of t, text), or None."""
    total, product = d.f(U)[:, None] + d.conjugate(t), U[:, None] * t
    bad = ~(total >= product - 1e-9 * (1 + product.abs())) & allowed
    if (at := _plainest(bad, U.log()[:, None], t)) is None:
        return None
    u, t = U[at[0]], t[at[1]]
    return at[1], f"f(u) + f*(t) = {total[at]:.6g}, not at least u t = {product[at]:.6g}, at u = {u:.6g}, t = {t:.6g}"


def convex(d):
    """f is finite on u > 0 and its slope never falls."""
    f, slope = d.f(U), gradient(d.f, U)
    if at := _plainest(~f.isfinite(), U.log()):
        return f"f({U[at]:.6g}) = {f[at]:.6g}"
    if at := _plainest(~(slope.diff() >= -1e-9 * (1 + slope[1:].abs())), U[1:].log()):
        i = at[0]
        return f"f' falls from {slope[i]:.6g} at u = {U[i]:.6g} to {slope[i + 1]:.6g} at u = {U[i + 1]:.6g}"


def derivative(d):
    """f_prime is the slope of f."""
    mine, slope = d.f_prime(U), gradient(d.f, U)
    if at := _plainest(_off(mine, slope, 1e-7, 1e-9), U.log()):
        return f"f_prime({U[at]:.6g}) = {mine[at]:.6g}, but f has the slope {slope[at]:.6g}"


def threshold(d):
    """threshold is f'(1)."""
    slope = float(gradient(d.f, torch.ones(1, dtype=F64)))
    if not math.isclose(d.threshold, slope, abs_tol=1e-9):
        return f"threshold = {d.threshold:.6g}, but f'(1) = {slope:.6g}"


def fenchel_young(d):
    """f(u) + f*(t) >= u t for t among the slopes of f and between them, with equality at t = f'(u)."""
    low, high = (math.asinh(t) for t in _slopes(d)[[0, -1]])
    if found := _young(d, torch.linspace(low, high, 241, dtype=F64).sinh()[1:-1]):
        return found[1]
    t = gradient(d.f, U)
    total = d.f(U) + d.conjugate(t)
    if at := _plainest(_off(total, U * t, 1e-8, 1e-8), U.log()):
        return (
            f"f(u) + f*(t) = {total[at]:.6g}, not u t = {(U * t)[at]:.6g}, at u = {U[at]:.6g}, t = f'(u) = {t[at]:.6g}"
        )


def biconjugate(d):
    """The supremum of u t - f*(t) over the t between the slopes of f is f(u)."""
    u = U[gradient(d.f, U).abs() < REACH]
    low, high = (math.asinh(t) for t in _slopes(d)[[0, -1]])
    found, f = supremum(lambda t: u * t - d.conjugate(t), len(u), low, high), d.f(u)
    if at := _plainest(_off(found, f, 1e-6, 1e-6), u.log()):
        return f"sup over t of u t - f*(t) = {found[at]:.6g}, but f(u) = {f[at]:.6g}, at u = {u[at]:.6g}"


def reach(d):
    """g_f takes every slope of f as a value, and beside the slopes only values t with f(u) + f*(t) >= u t."""
    g, t = d.activation(torch.linspace(-24, 24, 2001, dtype=F64).sinh()), _slopes(d).clamp(-1e8, 1e8)
    low, high = g[~g.isnan()].aminmax()
    edge = 1e-9 * (1 + t.abs())
    if at := _plainest(~((t >= low - edge) & (t <= high + edge)), WIDE.log()):
        return f"p/q = {WIDE[at]:.6g} needs T = f'(p/q) = {t[at]:.6g}, but g_f(v) stays in [{low:.6g}, {high:.6g}]"
    v, (lowest, highest) = 2 * LINE, gradient(d.f, torch.tensor([1e-30, 1e30], dtype=F64))
    t = d.activation(v)
    inside = (t >= lowest - 1e-9 * (1 + lowest.abs())) & (t <= highest + 1e-9 * (1 + highest.abs()))
    if found := _young(d, t, ~inside):
        return f"g_f({v[found[0]]:.6g}) leaves the domain of f*: {found[1]}"


def rises(d):
    """g_f increases: where p is larger, so is V."""
    g = d.activation(LINE)
    if at := _plainest(~(g.diff() > 0), LINE[1:]):
        i = at[0]
        return f"g_f({LINE[i]:.6g}) = {g[i]:.6g}, not below g_f({LINE[i + 1]:.6g}) = {g[i + 1]:.6g}"


def composition(d):
    """conjugate_of_activation is conjugate of activation, in value and slope."""
    v = LINE[30:-30]
    for name, of in (("", lambda function: function(v)), ("the slope of ", lambda function: gradient(function, v))):
        mine, literal = of(d.conjugate_of_activation), of(lambda v: d.conjugate(d.activation(v)))
        if at := _plainest(_off(mine, literal, 1e-6, 1e-7), v):
            return (
                f"{name}conjugate_of_activation is {mine[at]:.6g}, of f*(g_f(v)) {literal[at]:.6g}, at v = {v[at]:.6g}"
            )


def suprema(d):
    """On known P and Q, the supremum over V of F = E_P[g_f(V)] - E_Q[f*(g_f(V))] is D_f = E_Q[f(p/q)]."""
    for p, q in ((P, Q), (FAR, FAR.flip(0))):
        found, exact = reached(d.activation, d.composed, p, q), float((q * d.f(p / q)).sum())
        steep = p is FAR and bool((gradient(d.f, p / q).abs() >= STEEP).any())
        if not steep and not math.isclose(found, exact, rel_tol=1e-6, abs_tol=1e-6):
            return f"sup F = {found:.6g}, but D_f = {exact:.6g}, for P = {p.tolist()} and Q = {q.tolist()}"


def float32(d):
    """g_f and f*(g_f) in single precision are finite and right for |v| <= 80, in value and slope."""
    v = torch.cat([torch.linspace(-80, 80, 6401), torch.tensor([1e-6, -1e-6])])
    top, tiny = torch.finfo(torch.float32).max / 1.001, torch.finfo(torch.float32).tiny * 1.001
    highest = top / 100  # of a slope: the factors of its chain rule may be larger than itself
    for name, function in (("g_f(v)", d.activation), ("f*(g_f(v))", d.composed)):
        values = function(v), function(v.double())
        slopes = gradient(function, v), gradient(function, v.double())
        if values[0].dtype != v.dtype:
            return f"{name} of a float32 tensor is {values[0].dtype}"
        fits = ~(values[1].abs() >= top)
        finite = fits & ~(slopes[1].abs() >= highest)
        lost = (slopes[0] == 0) | ~slopes[0].isfinite()  # shown before what is only inaccurate
        for what, (mine, exact), bad in (
            ("", values, overflow(function, v)),
            ("", values, fits & _off(values[0].double(), values[1], 1e-4, 1e-5)),
            ("the slope of ", slopes, finite & (slopes[1].abs() > tiny) & lost),
            ("the slope of ", slopes, finite & _off(slopes[0].double(), slopes[1], 1e-4, tiny)),
        ):
            if at := _plainest(bad, v):
                return f"{what}{name} at v = {v[at]:.6g} is {mine[at]:.6g} in float32, {exact[at]:.6g} in float64"


CHECKS = {
    "f is convex": convex,
    "f_prime": derivative,
    "threshold": threshold,
    "Fenchel-Young": fenchel_young,
    "biconjugate": biconjugate,
    "range of g_f": reach,
    "slope of g_f": rises,
    "closed form": composition,
    "supremum": suprema,
    "float32": float32,
}
NEEDS = {"f_prime": "f_prime", "threshold": "threshold", "closed form": "conjugate_of_activation"}
