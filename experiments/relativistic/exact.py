"""What the relativistic objective of every divergence measures: its supremum between random distributions."""

import pandas as pd
import torch

from fgan.divergences import DIVERGENCES
from fgan.engine.population import seeded

# g_f^-1(f'(u)) is a multiple of log u (total variation: in the limit), so that the best V of a pair is a difference.
LOG_RATIOS = ("total_variation", "kl", "reverse_kl", "neyman", "squared_hellinger", "jensen_shannon", "gan")


def integrand(own, d):
    """g_f(v_0 + d) - f*(g_f(v_0 - d)) of a divergence."""
    return own.activation(own.threshold_v + d) - own.conjugate_of_activation(own.threshold_v - d)


def supremum(own, p, q):
    """Largest F_rel over V's outputs at the points of p and q [points], by L-BFGS from a start that knows p alone."""
    weights, v = p[:, None] * q[None, :], p.log().mul(0.1).requires_grad_()
    climber = torch.optim.LBFGS([v], max_iter=300, line_search_fn="strong_wolfe", tolerance_grad=1e-10)

    def descend():
        climber.zero_grad()
        loss = -(weights * integrand(own, v[:, None] - v[None, :])).sum()
        loss.backward()
        return loss.detach()

    climber.step(descend)
    return -float(descend())


def between(own, p, q):
    """D_f(P x Q || Q x P), which bounds the supremum."""
    first, second = p[:, None] * q[None, :], q[:, None] * p[None, :]
    return float((second * own.f(first / second)).sum())


def rows(measure):
    """Rows of every divergence between `draws` pairs of distributions on `points` points, and the worst of all."""
    every = []
    for name, own in DIVERGENCES.items():
        at_one = float(own.f(torch.ones((), dtype=torch.float64)))
        for draw in range(measure["draws"]):
            generator = seeded("cpu", "relativistic", "exact", draw)
            p, q = torch.rand(2, measure["points"], generator=generator, dtype=torch.float64).add(0.05)
            p, q = p / p.sum(), q / q.sum()
            value, bound = supremum(own, p, q), between(own, p, q)
            metrics = {
                "gain over f(1)": value - at_one, "gain over f(1) at P = Q": supremum(own, p, p) - at_one,
                "share of the bound": (value - at_one) / (bound - at_one),
                "difference if P and Q are swapped": abs(supremum(own, q, p) - value),
            }  # fmt: skip
            every.append(("exact", name, draw, metrics))
    table = pd.DataFrame([{"divergence": name} | metrics for _, name, _, metrics in every])
    least, most = table.min(), table.max()
    tight = table[table.divergence.isin(LOG_RATIOS)]["share of the bound"]
    worst = {
        ("gain over f(1)", "least"): least["gain over f(1)"],
        ("gain over f(1) at P = Q", "most"): table["gain over f(1) at P = Q"].abs().max(),
        ("share of the bound", "most"): most["share of the bound"],
        ("share of the bound", "least, log-ratios"): tight.min(),
        ("difference if P and Q are swapped", "most"): most["difference if P and Q are swapped"],
    }
    return [*every, ("exact", "", 0, worst)]
