"""The theory's tables and figures: the checks find what is wrong in print and in public code, and only that."""

import math
import re
from dataclasses import replace

import pytest
import torch
from small import ROOT

from fgan.check.search import UNBOUNDED, P, Q
from fgan.divergences import DIVERGENCES
from fgan.report import printed
from fgan.report.theory import figures, public, tables
from fgan.report.theory.tables import FAILS, PRINTED


def failing(frame):
    """(divergence, column) of every cell whose check fails."""
    return {(row["Divergence"], name) for _, row in frame.iterrows() for name, cell in row.items() if FAILS in cell}


DEFINITIONS = {("Pearson", r"$D_f(P\|Q)$"), ("JS", r"$D_f(P\|Q)$"), ("GAN", "$f(u)$")}
ACTIVATIONS = {
    ("TV", r"$\mathrm{dom}\, f^*$"), ("Pearson", "$f^*(t)$"), ("alpha = 3", "$f^*(t)$"),
    *((label, "$g_f(v)$, supplement") for label in ("reverse KL", "Neyman", "squared Hellinger")),
}  # fmt: skip


def test_the_printed_tables_fail_where_they_are_known_to():
    assert failing(tables.definitions()) == DEFINITIONS
    found = tables.activations()
    assert failing(found) == ACTIVATIONS
    column = found.set_index("Divergence")["$f^*(t)$"]
    assert r"t\geq-2.0" in column["Pearson"] and r"t\geq-0.50" in column["alpha = 3"]


@pytest.mark.parametrize(
    "field, wrong, column",
    [("divergence", lambda p, q: 1.01 * tables.kl(p, q), r"$D_f(P\|Q)$"), ("variational", torch.log, "$T^*(x)$"),
     ("conjugate", lambda t: torch.exp(t), "$f^*(t)$"), ("function", torch.tanh, "$g_f(v)$, supplement")])  # fmt: skip
def test_a_wrong_formula_is_marked(field, wrong, column, monkeypatch):
    monkeypatch.setitem(PRINTED, "kl", PRINTED["kl"]._replace(**{field: wrong}))
    assert ("KL", column) in failing(tables.definitions()) | failing(tables.activations())


def test_a_wrong_entry_of_the_code_is_marked(monkeypatch):
    kl = DIVERGENCES["kl"]
    monkeypatch.setitem(DIVERGENCES, "kl", replace(kl, f=lambda u: -torch.xlogy(u, u)))
    assert ("KL", "$f(u)$") in failing(tables.definitions())
    monkeypatch.setitem(DIVERGENCES, "kl", replace(kl, domain=(-math.inf, 1.0)))
    found = failing(tables.activations())
    assert {("KL", r"$\mathrm{dom}\, f^*$"), ("KL", "$g_f(v)$, main text and here")} <= found


def test_the_conjugate_is_searched_over_u_from_zero_on():
    t = torch.tensor([-5.0, -2.0, 0.5], dtype=torch.float64)
    assert tables.same(tables.conjugate(DIVERGENCES["pearson"], t), torch.tensor([-1.0, -1.0, 0.5625]).double())
    assert tables.conjugate(DIVERGENCES["gan"], torch.tensor([0.1], dtype=torch.float64)).isinf()


def test_our_objective_reaches_each_divergence_and_the_faulty_ones_do_not():
    found = public.implementations().set_index("Divergence").map(lambda text: text.replace("$", ""))
    for d in DIVERGENCES.values():
        exact, reached, squashed, misplaced, _ = found.loc[d.label]
        value = float((Q * d.f(P / Q)).sum())
        if value > UNBOUNDED:  # beyond the search
            continue
        assert exact == reached == printed.number(value).replace("$", "")
        assert float(squashed) < float(exact)
        identity = torch.equal(d.activation(P), P)
        assert (misplaced == exact) == identity
    hellinger = float((Q * DIVERGENCES["squared_hellinger"].f(P / Q)).sum())
    assert float(found.loc["JS, logarithms dropped", r"$\sup_V F$"]) == pytest.approx(1 + hellinger, abs=0.005)


def test_the_literal_composition_fails_where_ours_does_not():
    found = {name: public.fails_from(d) for name, d in DIVERGENCES.items()}
    assert {name for name, v in found.items() if not math.isnan(v)} == {"squared_hellinger", "jensen_shannon", "gan"}
    assert all(16 < v < 18 for v in found.values() if not math.isnan(v))


def test_each_fault_of_public_code_is_caught_and_nothing_here():
    table = public.caught().set_index("Formulas").astype(int)
    assert table.loc["here"].drop("checked").sum() == 0 and (table.drop("here").caught > 0).all()
    squashed, misplaced, literal, *alone = (row for _, row in table.drop("here").iterrows())
    assert squashed.caught == squashed["range of $g_f$"] == squashed.supremum == len(DIVERGENCES)
    moved = sum(not torch.equal(d.conjugate(P), d.conjugate_of_activation(P)) for d in DIVERGENCES.values())
    assert misplaced.caught == misplaced["closed form"] == moved
    assert literal.caught == literal.float32 >= 3 and literal.supremum == 0
    assert all(row["Fenchel-Young"] == row.supremum == 1 for row in alone)


def test_every_divergence_is_drawn():
    panels = [axis for axis in figures.generators().axes if axis.axison]
    assert [axis.get_title() for axis in panels] == [d.label for d in DIVERGENCES.values()]
    for axis, d in zip(panels, DIVERGENCES.values(), strict=True):
        f, conjugate = axis.lines[len(DIVERGENCES) : -1]
        assert torch.equal(torch.as_tensor(f.get_ydata()), d.f(torch.as_tensor(f.get_xdata())))
        assert torch.equal(torch.as_tensor(conjugate.get_ydata()), d.conjugate(torch.as_tensor(conjugate.get_xdata())))
    shown = [axis for axis in figures.terms().axes if axis.get_visible()]
    assert [axis.get_title() for axis in shown] == [d.label for d in DIVERGENCES.values()]
    for axis, d in zip(shown, DIVERGENCES.values(), strict=True):
        real, fake, level = axis.lines[:3]
        v = torch.as_tensor(real.get_xdata())
        assert tables.same(torch.as_tensor(real.get_ydata()), d.activation(v))
        assert tables.same(-torch.as_tensor(fake.get_ydata()), d.conjugate_of_activation(v))
        assert level.get_ydata()[0] == d.threshold


def test_the_workflow_names_every_figure_and_table():
    rules = (ROOT / "rules/common.smk").read_text()
    named = re.findall(r'theory_\{name\}\.(pdf|tex)" for name in \((.+?)\)', rules)
    found = {end: set(re.findall(r'"(\w+)"', names)) for end, names in named}
    assert found == {"pdf": set(figures.FIGURES), "tex": set(tables.TABLES | public.TABLES)}
