"""What public implementations get wrong, under the checks of fgan.check: the supplement's audit."""

import math
from dataclasses import replace

import pandas as pd
import torch
from torch.nn.functional import logsigmoid

from fgan import check
from fgan.check.search import P, Q, overflow, reached
from fgan.divergences import DIVERGENCES
from fgan.report.printed import number
from fgan.report.theory.tables import PRINTED, activation

WEIGHT = 3.14159  # the number, in place of the weight pi
HEADS = {"f is convex": "$f$ convex", "range of g_f": "range of $g_f$", "slope of g_f": "slope of $g_f$"}
SHOWN = [name for name in check.CHECKS if name not in ("f_prime", "threshold")]  # those a fault can change


def squashed(d):
    """V ends in a sigmoid."""
    g, h = d.activation, d.conjugate_of_activation
    return replace(d, activation=lambda v: g(v.sigmoid()), conjugate_of_activation=lambda v: h(v.sigmoid()))


def misplaced(d):
    """f* is evaluated at v, not at g_f(v)."""
    return replace(d, conjugate_of_activation=d.conjugate)


def literal(d):
    """The printed formulas, f* after g_f, the sign of v as here."""
    printed = PRINTED[d.name]
    sign = 1 if activation(printed.function, d.domain)[1] else -1
    return replace(
        d, conjugate=printed.conjugate or d.conjugate, activation=lambda v: printed.function(sign * v),
        conjugate_of_activation=None,
    )  # fmt: skip


EVERYWHERE = {"$V$ ends in a sigmoid": squashed, "$f^*$ of $v$, not $g_f(v)$": misplaced}
ALONE = {
    "JS, logarithms dropped": replace(  # T = 2 - (1 + e^-v), and f*(v) = -(2 - e^v) on v itself
        DIVERGENCES["jensen_shannon"], conjugate=lambda t: torch.exp(t) - 2,
        activation=lambda v: 1 - torch.exp(-v), conjugate_of_activation=lambda v: torch.exp(v) - 2),
    "weighted JS, pi = 3.14159": replace(  # f* again on v itself
        DIVERGENCES["jensen_shannon_weighted"],
        conjugate=(conjugate := lambda t: (1 - WEIGHT) * ((1 - WEIGHT) / (1 - WEIGHT * torch.exp(t / WEIGHT))).log()),
        activation=lambda v: -WEIGHT * math.log(WEIGHT) + logsigmoid(v), conjugate_of_activation=conjugate),
}  # fmt: skip


def fails_from(d):
    """The smallest v > 0 at which the literal f*(g_f(v)), in single precision, is not finite though its value is."""
    v, formulas = torch.arange(0, 80, 0.1), check.Formulas.of(literal(d))
    bad = overflow(formulas.composed, v)
    return float(v[bad][0]) if bad.any() else math.nan


def implementations():
    """The value that public implementations reach on P and Q instead of D_f: the supremum of their F over free V."""
    rows = []
    for name, d in DIVERGENCES.items():
        made = [d, *(fault(d) for fault in EVERYWHERE.values())]
        values = [reached(m.activation, m.conjugate_of_activation) for m in made]
        rows.append([d.label, float((Q * d.f(P / Q)).sum()), *values, fails_from(d) if name in PRINTED else math.nan])
    for label, d in ALONE.items():
        values = [float((Q * d.f(P / Q)).sum()), reached(d.activation, d.conjugate_of_activation)]
        rows.append([label, *values, *[math.nan] * 3])
    columns = [r"$D_f(P\|Q)$", r"$\sup_V F$", *EVERYWHERE, "literal $f^*(g_f(v))$ fails from $v$"]
    frame = pd.DataFrame(rows, columns=["Divergence", *columns])
    return frame.map(lambda value: value if isinstance(value, str) else number(value))


def caught():
    """How many of the divergences each check finds wrong, in this repository and with each fault of public code."""
    ours = list(DIVERGENCES.values())
    groups = {"here": ours} | {name: [fault(d) for d in ours] for name, fault in EVERYWHERE.items()}
    groups["literal $f^*(g_f(v))$"] = [literal(d) for d in ours if d.name in PRINTED]
    groups |= {label: [d] for label, d in ALONE.items()}
    rows = []
    for label, members in groups.items():
        failed = [{name for name, text in check.verdicts(d) if text is not None} for d in members]
        counts = [sum(name in names for names in failed) for name in SHOWN]
        rows.append([label, len(members), *counts, sum(map(bool, failed))])
    names = [HEADS.get(name, name) for name in SHOWN]
    return pd.DataFrame(rows, columns=["Formulas", "checked", *names, "caught"]).astype(str)


TABLES = {"implementations": implementations, "caught": caught}
