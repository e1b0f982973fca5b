r"""The f-divergences of f-GAN, one entry each: f, its conjugate f*, and the output activation g_f of V.

    D_f(P||Q) = E_Q[f(p/q)] = sup over V of E_P[g_f(V)] - E_Q[f*(g_f(V))], attained where g_f(V) = f'(p/q).

Conventions:

- g_f increases with v. Where the supplement prints a decreasing one (reverse KL, Neyman, squared Hellinger),
  v has the other sign here, as in the main text's Table 2.
- f lives on u >= 0, so f* is constant below f'(0): hence the clamp max(0, .) of `alpha` with alpha > 1. Only
  `pearson` is unclamped, as the paper prints it: where t < -2 it gives a fake a negative weight, while
  alpha = 2 (the same divergence, halved) gives it none.
- A conjugate is defined for t inside `domain`; outside, its value has no meaning.
- V implies a ratio, u = (f')^-1(g_f(V)), which is p/q where V is optimal; `log_ratio` gives its logarithm. Total
  variation, whose f' has two values, implies none. Where `pearson` and alpha > 1 imply no positive ratio, it is LEAST
  without a gradient.

Training uses `activation` and `conjugate_of_activation` alone. Their forms suit the backward pass too, where
tanh, expm1 and log(-expm1) would round small gradients to exact zeros.

Source: Nowozin, Cseke, Tomioka (2016), f-GAN, arXiv:1606.00709, Tables 1 and 2; supplement, Tables 5 and 6.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

INF, LOG2 = math.inf, math.log(2.0)
LEAST = 1e-6  # ratio that V implies at least
MAIN = "Nowozin et al. (2016), arXiv:1606.00709, Tables 1 and 2"
SUPPLEMENT = "Nowozin et al. (2016), arXiv:1606.00709, supplement, Tables 5 and 6"


class Latex(NamedTuple):
    """The formulas of one divergence in LaTeX's math mode, without dollar signs."""

    f: str
    conjugate: str
    domain: str
    activation: str
    conjugate_of_activation: str
    threshold: str


@dataclass(frozen=True)
class Divergence:
    """One f-divergence, D_f(P||Q) = E_Q[f(p/q)]; its functions map tensors to tensors, in any float dtype."""

    name: str
    label: str
    f: Callable[[Tensor], Tensor]
    f_prime: Callable[[Tensor], Tensor]
    conjugate: Callable[[Tensor], Tensor]  # f*(t)
    domain: tuple[float, float]  # lower and upper end of dom f*
    activation: Callable[[Tensor], Tensor]  # g_f(v)
    conjugate_of_activation: Callable[[Tensor], Tensor]  # f*(g_f(v)), in closed form
    effective: str  # the divergence that `alternative` descends at the optimal V: h''(u) = f''(u) / u, up to a factor
    latex: Latex
    reference: str
    threshold: float = 0.0  # f'(1): the value of T = g_f(V) where p = q
    threshold_v: float = 0.0  # the v with g_f(v) = f'(1): where V's output bias starts
    log_ratio: Callable[[Tensor], Tensor] | None = None  # s = log u of the ratio that v implies, f'(u) = g_f(v)
    conjugate_of_log_ratio: Callable[[Tensor], Tensor] | None = None  # f*(f'(exp(s))), in closed form
    growth: tuple[float, float] = (1, 0)  # (a, b): f like u^a at infinity (1: at most u log u), u^-b at 0


def _log1mexp(a: Tensor) -> Tensor:
    """log(1 - exp(-a)) for a > 0, in two branches; the clamp keeps a NaN out of the branch not taken."""
    return torch.where(a < LOG2, torch.log(-torch.expm1(-a)), torch.log1p(-torch.exp(-a.clamp(min=LOG2))))


def _log1m_power(v: Tensor, k: float) -> Tensor:
    """log(1 - sigmoid(v)^k) for k > 0, right as long as v fits: far out the power rounds to one.

    There it is the first two terms in 1 - sigmoid(v) of log((1 - sigmoid^k) / (1 - sigmoid)), plus log(1 - sigmoid).
    """
    edge = 20 + max(0.0, math.log(k))  # from here on the next term is below the rounding of float64
    near = _log1mexp(-k * logsigmoid(v.clamp(max=edge)))
    return torch.where(v < edge, near, logsigmoid(-v) + math.log(k) - (k - 1) / 2 * torch.sigmoid(-v))


def _log_of_root(x: Tensor, k: float = 1) -> Tensor:
    """log u of the u with u^k = x, without a gradient where u is not above LEAST."""
    return torch.log(x.clamp(min=LEAST**k)) / k


def _logit_of_exp(k: float) -> float:
    """The v with log sigmoid(v) = -k, for k > 0."""
    return -k - math.log(-math.expm1(-k))


class _LogSoftplus(torch.autograd.Function):
    """log softplus(-v), with its own backward: the chain rule's 1 / softplus(-v) overflows float32 first."""

    @staticmethod
    def forward(ctx, v: Tensor) -> Tensor:
        # From v = 20 on the next term of the series, 5/24 exp(-2v), is below the rounding of float64.
        y = torch.where(v > 20, -v - torch.exp(-v) / 2, torch.log(-logsigmoid(v)))
        ctx.save_for_backward(v, y)
        return y

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        v, y = ctx.saved_tensors
        return -grad * torch.exp(logsigmoid(-v) - y)


class _JeffreyLogRatio(torch.autograd.Function):
    """The log-ratio x at which Jeffrey's f' equals t: x + 1 - exp(-x) = t, so x = -log W(exp(1 - t))."""

    @staticmethod
    def forward(ctx, t: Tensor) -> Tensor:
        # The best of three lower bounds of the root: from there Newton only rises, as the left side is concave in x.
        x = torch.maximum(torch.maximum(t / 2, t - 1), -torch.log1p((-t).clamp(min=0)))
        for _ in range(4):  # enough for float64 at every t
            m = torch.expm1(-x)
            x = x - (x - m - t) / (2 + m)
        ctx.save_for_backward(x)
        return x

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad * torch.sigmoid(x)


def _jeffrey_conjugate(t: Tensor) -> Tensor:
    """W + 1/W + t - 2 with W = W(exp(1 - t)), written with x = -log W so that no large t overflows."""
    x = _JeffreyLogRatio.apply(t)
    return x + torch.expm1(x)


# fmt: off
def jensen_shannon_weighted(pi: float = 0.3) -> Divergence:
    """pi KL(P||M) + (1 - pi) KL(Q||M) with M = pi P + (1 - pi) Q; at pi = 1/2 half of `jensen_shannon`.

    Raises ValueError unless 0 < pi < 1. Source: f-GAN, supplement, Tables 5 and 6.
    """
    if not 0 < pi < 1:
        raise ValueError(f"The weight pi of weighted Jensen-Shannon must lie between 0 and 1, but is {pi}.")
    edge, constant, odds = -pi * math.log(pi), math.log(1 - pi), math.log(pi / (1 - pi))
    name, label = ("", "") if pi == 0.3 else (f"_{pi:g}", f" (pi = {pi:g})")
    return Divergence(
        "jensen_shannon_weighted" + name, "weighted JS" + label,
        f=lambda u: pi * torch.xlogy(u, u) - torch.xlogy(1 - pi + pi * u, 1 - pi + pi * u),
        f_prime=lambda u: pi * torch.log(u / (1 - pi + pi * u)),
        conjugate=lambda t: (1 - pi) * (constant - _log1mexp((edge - t) / pi)), domain=(-INF, edge),
        activation=lambda v: logsigmoid(v) + edge,
        conjugate_of_activation=lambda v: (1 - pi) * (constant - _log1m_power(v, 1 / pi)),
        # With w = pi u / (1 - pi + pi u) = sigmoid(v)^(1/pi), u = (1 - pi) / pi  w / (1 - w)
        log_ratio=lambda v: logsigmoid(v) / pi - _log1m_power(v, 1 / pi) - odds,
        conjugate_of_log_ratio=lambda s: (1 - pi) * (constant - logsigmoid(-s - odds)),
        threshold_v=_logit_of_exp(edge), effective=f"softened reverse KL (pi = {pi:g})", reference=SUPPLEMENT,
        latex=Latex(r"\pi u\log u-(1-\pi+\pi u)\log(1-\pi+\pi u)",
                    r"(1-\pi)\log\frac{1-\pi}{1-\pi e^{t/\pi}}", r"t<-\pi\log\pi",
                    r"-\pi\log\pi-\log(1+e^{-v})",
                    r"(1-\pi)\log\frac{1-\pi}{1-(1+e^{-v})^{-1/\pi}}", "0"))


def alpha(a: float) -> Divergence:
    """E_Q[(p/q)^a - 1] / (a (a-1)); a = 2, 1/2, -1: Pearson/2, 2 squared Hellinger, Neyman/2 with other g_f.

    Raises ValueError for a = 0 and a = 1 (their limits are `reverse_kl` and `kl`).
    Source: f-GAN, supplement, Tables 5 and 6.
    """
    if a in (0, 1) or not math.isfinite(a):
        raise ValueError(f"alpha must be finite and neither 0 (use reverse_kl) nor 1 (use kl), but is {a}.")
    c, edge = a / (a - 1), 1 / (1 - a)
    if a > 1:
        side = dict(
            conjugate=lambda t: (torch.relu((a - 1) * t + 1) ** c - 1) / a, domain=(-INF, INF),
            activation=lambda v: v,
            conjugate_of_activation=lambda v: (torch.relu((a - 1) * v + 1) ** c - 1) / a, growth=(a, 0),
            log_ratio=lambda v: _log_of_root((a - 1) * v + 1, a - 1))
        shown = (r"\frac{1}{\alpha}\max(0,(\alpha-1)t+1)^{\alpha/(\alpha-1)}-\frac{1}{\alpha}",
                 r"\mathbb{R}", "v",
                 r"\frac{1}{\alpha}\max(0,(\alpha-1)v+1)^{\alpha/(\alpha-1)}-\frac{1}{\alpha}")
    else:
        scale = math.log(1 - a)
        side = dict(
            conjugate=lambda t: (((a - 1) * t + 1) ** c - 1) / a, domain=(-INF, edge),
            activation=lambda v: logsigmoid(v) + edge,
            # ((1-a) softplus(-v))^c, through its logarithm
            conjugate_of_activation=lambda v: (torch.exp(c * (_LogSoftplus.apply(v) + scale)) - 1) / a,
            log_ratio=lambda v: (_LogSoftplus.apply(v) + scale) / (a - 1),
            threshold_v=_logit_of_exp(edge), growth=(1, max(0, -a)))
        shown = (r"\frac{1}{\alpha}((\alpha-1)t+1)^{\alpha/(\alpha-1)}-\frac{1}{\alpha}",
                 r"t<\frac{1}{1-\alpha}", r"\frac{1}{1-\alpha}-\log(1+e^{-v})",
                 r"\frac{1}{\alpha}[(1-\alpha)\log(1+e^{-v})]^{\alpha/(\alpha-1)}-\frac{1}{\alpha}")
    return Divergence(
        f"alpha_{a:g}".replace("-", "m"), f"alpha = {a:g}", **side,
        f=lambda u: (u**a - 1 - a * (u - 1)) / (a * (a - 1)), f_prime=lambda u: (u ** (a - 1) - 1) / (a - 1),
        conjugate_of_log_ratio=lambda s: (torch.exp(a * s) - 1) / a,
        effective={2: "KL", 3: "Pearson / 2"}.get(a, f"alpha = {a - 1:g}"), reference=SUPPLEMENT,
        latex=Latex(r"\frac{u^\alpha-1-\alpha(u-1)}{\alpha(\alpha-1)}", *shown, "0"))


_TABLE = (
    Divergence(
        "total_variation", "TV", f=lambda u: (u - 1).abs() / 2, f_prime=lambda u: torch.sign(u - 1) / 2,
        conjugate=lambda t: t, domain=(-0.5, 0.5),
        activation=lambda v: logsigmoid(2 * v).exp() - 0.5,  # tanh(v) / 2
        conjugate_of_activation=lambda v: logsigmoid(2 * v).exp() - 0.5,
        effective="TV", reference=SUPPLEMENT,
        latex=Latex(r"\frac{1}{2}\lvert u-1\rvert", "t", r"-\frac{1}{2}\leq t\leq\frac{1}{2}", r"\frac{1}{2}\tanh v",
                    r"\frac{1}{2}\tanh v", "0")),
    Divergence(
        "kl", "KL", f=lambda u: torch.xlogy(u, u), f_prime=lambda u: 1 + torch.log(u),
        conjugate=lambda t: torch.exp(t - 1), domain=(-INF, INF),
        activation=lambda v: v, conjugate_of_activation=lambda v: torch.exp(v - 1),
        log_ratio=lambda v: v - 1, conjugate_of_log_ratio=torch.exp,
        threshold=1.0, threshold_v=1.0, effective="reverse KL", reference=MAIN,
        latex=Latex(r"u\log u", "e^{t-1}", r"\mathbb{R}", "v", "e^{v-1}", "1")),
    Divergence(
        "reverse_kl", "reverse KL", f=lambda u: -torch.log(u), f_prime=lambda u: -1 / u,
        conjugate=lambda t: -1 - torch.log(-t), domain=(-INF, 0.0),
        activation=lambda v: -torch.exp(-v), conjugate_of_activation=lambda v: v - 1,
        log_ratio=lambda v: v, conjugate_of_log_ratio=lambda s: s - 1,
        threshold=-1.0, effective="Neyman / 2", reference=MAIN,
        latex=Latex(r"-\log u", r"-1-\log(-t)", "t<0", "-e^{-v}", "v-1", "-1")),
    Divergence(
        "pearson", "Pearson", f=lambda u: (u - 1) ** 2, f_prime=lambda u: 2 * (u - 1),
        conjugate=lambda t: t * (t / 4 + 1), domain=(-INF, INF),
        activation=lambda v: v, conjugate_of_activation=lambda v: v * (v / 4 + 1),
        log_ratio=lambda v: _log_of_root(1 + v / 2), conjugate_of_log_ratio=lambda s: torch.exp(2 * s) - 1,
        growth=(2, 0), effective="KL", reference=MAIN,
        latex=Latex("(u-1)^2", r"\frac{1}{4}t^2+t", r"\mathbb{R}", "v", r"\frac{1}{4}v^2+v", "0")),
    Divergence(
        "neyman", "Neyman", f=lambda u: (1 - u) ** 2 / u, f_prime=lambda u: 1 - u**-2,
        conjugate=lambda t: 2 - 2 * torch.sqrt(1 - t), domain=(-INF, 1.0),
        activation=lambda v: 1 - torch.exp(-v), conjugate_of_activation=lambda v: 2 - 2 * torch.exp(-v / 2),
        log_ratio=lambda v: v / 2, conjugate_of_log_ratio=lambda s: 2 - 2 * torch.exp(-s),
        growth=(1, 1), effective="alpha = -2", reference=SUPPLEMENT,
        latex=Latex(r"\frac{(1-u)^2}{u}", r"2-2\sqrt{1-t}", "t<1", "1-e^{-v}", "2-2e^{-v/2}", "0")),
    Divergence(
        "squared_hellinger", "squared Hellinger",
        f=lambda u: (torch.sqrt(u) - 1) ** 2, f_prime=lambda u: 1 - u**-0.5,
        conjugate=lambda t: t / (1 - t), domain=(-INF, 1.0),
        activation=lambda v: 1 - torch.exp(-v), conjugate_of_activation=lambda v: torch.exp(v) - 1,
        log_ratio=lambda v: 2 * v, conjugate_of_log_ratio=lambda s: torch.exp(s / 2) - 1,
        effective="alpha = -0.5", reference=MAIN,
        latex=Latex(r"(\sqrt{u}-1)^2", r"\frac{t}{1-t}", "t<1", "1-e^{-v}", "e^v-1", "0")),
    Divergence(
        "jeffrey", "Jeffrey", f=lambda u: (u - 1) * torch.log(u), f_prime=lambda u: 1 + torch.log(u) - 1 / u,
        conjugate=_jeffrey_conjugate, domain=(-INF, INF),
        activation=lambda v: v, conjugate_of_activation=_jeffrey_conjugate,
        log_ratio=_JeffreyLogRatio.apply, conjugate_of_log_ratio=lambda s: s + torch.exp(s) - 1,
        effective="reverse KL + Neyman / 2", reference=SUPPLEMENT,
        latex=Latex(r"(u-1)\log u", r"W(e^{1-t})+\frac{1}{W(e^{1-t})}+t-2", r"\mathbb{R}", "v",
                    r"W(e^{1-v})+\frac{1}{W(e^{1-v})}+v-2", "0")),
    Divergence(
        "jensen_shannon", "JS",  # this f, the paper's, is twice the usual Jensen-Shannon divergence
        f=lambda u: torch.xlogy(u, u) - (u + 1) * torch.log((u + 1) / 2),
        f_prime=lambda u: torch.log(2 * u / (1 + u)),
        conjugate=lambda t: -torch.log(2 - torch.exp(t)), domain=(-INF, LOG2),
        activation=lambda v: logsigmoid(v) + LOG2,
        # softplus(v) - log 2; torch's softplus turns into the identity at v = 20, 2e-9 too early for float64
        conjugate_of_activation=lambda v: -logsigmoid(-v) - LOG2,
        log_ratio=lambda v: v, conjugate_of_log_ratio=lambda s: -logsigmoid(-s) - LOG2,
        effective="softened reverse KL", reference=MAIN,
        latex=Latex(r"-(u+1)\log\frac{1+u}{2}+u\log u", r"-\log(2-e^t)", r"t<\log 2",
                    r"\log 2-\log(1+e^{-v})", r"\log(1+e^v)-\log 2", "0")),
    jensen_shannon_weighted(0.3),
    Divergence(
        "gan", "GAN", f=lambda u: torch.xlogy(u, u) - (u + 1) * torch.log(u + 1),
        f_prime=lambda u: torch.log(u / (1 + u)),
        conjugate=lambda t: -_log1mexp(-t), domain=(-INF, 0.0),
        activation=logsigmoid, conjugate_of_activation=lambda v: -logsigmoid(-v),
        log_ratio=lambda v: v, conjugate_of_log_ratio=lambda s: -logsigmoid(-s),
        threshold=-LOG2, effective="softened reverse KL", reference=MAIN,
        latex=Latex(r"u\log u-(u+1)\log(u+1)", r"-\log(1-e^t)", "t<0", r"-\log(1+e^{-v})", r"\log(1+e^v)",
                    r"-\log 2")),
    alpha(3),
    alpha(-2),
)
# fmt: on

DIVERGENCES: dict[str, Divergence] = {d.name: d for d in _TABLE}
