"""Decoupled: what h, f and neither explain, by hand, and the figures, tables and statistics of a small part."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from memory import trained_part
from small import EXPERIMENTS

from fgan import design
from fgan.design import Run
from fgan.report import figures
from fgan.report.tables import latex

RUN = design.module(EXPERIMENTS, "decoupled", "run")
FIGURES = design.module(EXPERIMENTS, "decoupled", "figures")
SHARES = FIGURES.shares
GENERATOR = np.random.default_rng(0)
F, H = (GENERATOR.normal(size=7) for _ in range(2))


def outcome(f, h, noise):
    return f * F[:, None] + h * H[None] + noise * GENERATOR.normal(size=(7, 7))


@pytest.mark.parametrize(("f", "h", "most"), [(0, 1, "h"), (1, 0, "f"), (0, 0, "neither")])
def test_the_share_goes_to_what_the_outcome_follows(f, h, most):
    found = SHARES.shares(outcome(f, h, 1e-3))
    assert found[most] > 0.99 if most != "neither" else abs(found["h"]) + abs(found["f"]) < 0.3
    assert sum(found.values()) == pytest.approx(1)


def test_without_an_effect_the_shares_are_zero_on_average():
    found = [SHARES.shares(outcome(0, 0, 1)) for _ in range(400)]
    for effect in ("h", "f"):
        assert abs(np.mean([one[effect] for one in found])) < 0.02


def test_shares_are_those_of_the_two_way_table_and_bear_gaps():
    y = outcome(1, 2, 0.5)
    squares = {e: 7 * ((y.mean(axis) - y.mean()) ** 2).sum() for e, axis in (("h", 0), ("f", 1))}
    total = ((y - y.mean()) ** 2).sum()
    noise = (total - sum(squares.values())) / 36
    for effect, known in squares.items():
        assert SHARES.shares(y)[effect] == pytest.approx((known - 6 * noise) / total)
    y[2, 3] = y[5, 1] = np.nan
    found = SHARES.shares(y)
    assert found["h"] > found["f"] > 0 and sum(found.values()) == pytest.approx(1)
    assert all(np.isnan(v) for v in SHARES.shares(np.full((7, 7), 3.0)).values())
    assert all(np.isnan(v) for v in SHARES.shares(np.full((7, 7), np.nan)).values())


def test_slopes_tell_the_prediction_of_h_from_that_of_f():
    best = np.linspace(0, 2, 7)
    follows_h, follows_f = np.tile(best, (7, 1)), np.tile(best[:, None], (1, 7))
    follows_h[1, 2] = np.nan
    assert SHARES.slopes(follows_h, best) == pytest.approx({"h": 1, "f": 0}, abs=1e-12)
    assert SHARES.slopes(0.3 * follows_f + 5, best) == pytest.approx({"h": 0, "f": 0.3}, abs=1e-12)


def judged(population, steps, history):
    """As run.py's, with the flag of failed runs that a shard adds; one run failed."""
    metrics, sheets = RUN.evaluate(population, steps, history)
    failed = np.zeros(population.n_runs)
    failed[0] = 1
    return metrics | {"failed": failed, "converged": 1 - failed}, sheets


@pytest.fixture(scope="module")
def part():
    arms = design.load("decoupled", "quick", EXPERIMENTS).arms
    names = ["kl", "reverse_kl", "pearson", "gan", "jensen_shannon"]
    populations = {}
    for arm, own in arms.items():
        chosen = own | {"divergences": names, "objectives": names, "steps": 4, "history": 2, "seeds": 2}
        chosen["measure"] = own["measure"] | {"averaged": 2}
        runs = [Run("decoupled", arm, f, h, seed) for f in names for h in names for seed in (0, 1)]
        populations[arm] = RUN.population(chosen, runs)
    settings = populations["mixture"].settings
    run = type("run", (), {"observe": staticmethod(RUN.observe), "evaluate": staticmethod(judged)})
    return trained_part("decoupled", run, populations, RUN.baselines(settings))


def test_outcomes_are_f_by_h_in_the_order_of_the_optima_without_the_failed(part):
    every, y = FIGURES.names(part, "mixture"), FIGURES.outcome(part, "mixture", "mean mu")
    assert every == ["pearson", "kl", "gan", "reverse_kl"] and y.shape == (2, 4, 4)
    assert np.isnan(y).sum() == 1 and np.isnan(y[0, every.index("kl"), every.index("kl")])
    one = part.values("mean mu", "mixture", "pearson", "gan")[1]
    assert y[1, every.index("pearson"), every.index("gan")] == one


def test_modes_are_those_of_converged_runs(part, monkeypatch):
    rows = part.measurements.copy()
    own = (rows.arm == "ring") & (rows.divergence == "gan") & (rows.seed == 1)
    rows.loc[own & (rows.metric == "converged"), "value"] = 0.0
    other = type(part)(None)
    vars(other).update({k: v for k, v in vars(part).items() if k != "_values"} | {"measurements": rows})
    y, whole = FIGURES.outcome(other, "ring", "modes"), FIGURES.outcome(other, "ring", "high_quality")
    assert np.isnan(y[1, 2]).all() and np.isfinite(whole[1, 2]).all() and np.isfinite(y[1, [0, 1, 3]]).all()
    assert FIGURES.statistic_ring_by_h_rather_than_f(other)[4] == (pytest.approx(4 / 32), 0.0)


def test_figures_tables_and_statistics_of_a_small_part(part):
    figures.style()
    for kind in ("figure", "table"):
        for owner, short, _ in design.captions(kind, EXPERIMENTS).values():
            if owner != "decoupled":
                continue
            shown = getattr(FIGURES, f"{kind}_{short}")(part)
            if kind == "figure":
                shown.canvas.draw()
                plt.close(shown)
            else:
                assert len(shown) and "nan" not in latex(shown)
    for name in vars(FIGURES):
        if name.startswith("statistic_"):
            seeds = getattr(FIGURES, name)(part)[3]
            # At quick the grid is left out, and after four steps no run on the ring covers a mode.
            assert seeds == (0 if "grid" in name or "ring" in name else 2)
