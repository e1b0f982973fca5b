"""Relativistic pairing: the factorial and its effects, the runs that it pairs, exact values, figures and tables."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from small import EXPERIMENTS

from fgan import design
from fgan.design import Run
from fgan.divergences import DIVERGENCES
from fgan.engine.training import train
from fgan.record import write
from fgan.report import figures
from fgan.report.part import Part
from fgan.report.tables import latex

RUN = design.module(EXPERIMENTS, "relativistic", "run")
FIGURES = design.module(EXPERIMENTS, "relativistic", "figures")
# Modes of a cell, before the seed's own share: effects 1.5, 2 and .5 at the alternative objective, less a half each.
MODES = {
    ("none", "alternative"): 2, ("none", "relativistic_swapped"): 3.5, ("r1_r2", "alternative"): 4,
    ("r1_r2", "relativistic_swapped"): 6, ("none", "saddle"): 2, ("none", "relativistic"): 3,
    ("r1_r2", "saddle"): 4, ("r1_r2", "relativistic"): 5,
}  # fmt: skip


def part(scale, seeds=4):
    """A part in memory; a run's modes are those of its cell, and its seed's own share, which pairs remove."""
    chosen, rows = design.load("relativistic", scale, EXPERIMENTS, seeds=seeds), []
    own = {arm: s | {"seeds": seeds, "factors": chosen.factors[arm]} for arm, s in sorted(chosen.arms.items())}
    for arm, s in own.items():
        for name, objective in [(name, o) for name in s["divergences"] for o in s["objectives"]]:
            key = ("relativistic", arm, name, objective)
            level = MODES.get((s["factors"]["penalties"], objective), 3)
            for seed in range(seeds):
                judged = {"modes": level + (seed - 1.5) / 3, "high_quality": 0.3 + 0.1 * seed, "failed": 0}
                judged["converged"] = 1
                rows += [(*key, seed, s["steps"], m, "", "value", float(value)) for m, value in judged.items()]
            for metric in ("watched modes", "watched high_quality"):
                words = ("lower quartile", "median", "upper quartile")
                rows += [(*key, None, t, metric, "", w, 0.5) for w in words for t in (1, s["steps"])]
    trained = {name for s in own.values() for name in s["divergences"]}
    labels = [{"name": n, "label": d.label, "effective": d.effective} for n, d in DIVERGENCES.items() if n in trained]
    made, exact = Part(None), write.baseline_rows(RUN.exact.rows({"draws": 2, "points": 3}))
    vars(made).update(measurements=pd.DataFrame(rows, columns=write.COLUMNS), samples={}, untrained=exact)
    shown = {"name": "relativistic", "scale": scale, "arms": own, "divergences": labels}
    vars(made).update(design=shown | {"settings": next(iter(own.values()))})
    return made


def test_effects_are_those_of_the_cells():
    """Whatever the seeds have in common; at the saddle objective the effects are additive."""
    made = part("full")
    found = FIGURES.effects(FIGURES.factorial(made, "modes", "ring", "alternative"))
    wanted = {
        "pairing alone": 1.5, "penalties alone": 2, "both": 4, "pairing, main effect": 1.75,
        "penalties, main effect": 2.25, "interaction": 0.5,
    }  # fmt: skip
    assert {name: values.round(9).tolist() for name, values in found.items()} == {n: [v] * 4 for n, v in wanted.items()}
    assert FIGURES.statistic_interaction(made)[0] == pytest.approx(0.5)
    assert FIGURES.statistic_penalties_over_pairing(made)[0] == pytest.approx(0.5)
    assert FIGURES.statistic_penalties_over_pairing_saddle(made)[:4:3] == (pytest.approx(1), 4)


def test_a_seed_with_a_run_on_its_way_has_no_effect_on_modes_and_a_failed_one_leaves_it_unknown():
    made = part("full")
    rows = made.measurements
    run = (rows.arm == "ring_r1_r2") & (rows.objective == "alternative") & (rows.seed == 1)
    rows.loc[run & (rows.metric == "converged"), "value"] = 0.0
    *_, seeds, unconverged = FIGURES.statistic_interaction(made)
    assert seeds == 3 and unconverged == (pytest.approx(1 / 16), 0.0)
    made = part("full")
    rows = made.measurements
    rows.loc[run & (rows.metric == "failed"), "value"] = 1.0
    rows.loc[run & (rows.metric == "modes"), "value"] = np.nan
    assert FIGURES.statistic_interaction(made)[:4] == (np.inf, -np.inf, np.inf, 4)


def test_a_scale_without_a_cell_has_no_effect_of_it():
    estimate, *_, seeds, _ = FIGURES.statistic_penalties_over_pairing_saddle(part("quick"))
    assert np.isnan(estimate) and seeds == 0


def test_an_arm_differs_from_its_plain_one_in_the_penalties_alone():
    chosen = design.load("relativistic", "full", EXPERIMENTS)
    for arm, own in chosen.arms.items():
        factors = chosen.factors[arm]
        plain = chosen.arms[f"{factors['setting']}_none"]
        kinds = {"none": [], "r1": ["gradient_penalty"], "r1_r2": ["gradient_penalty", "fake_gradient_penalty"]}
        assert [(r["kind"], r["weight"]) for r in own.get("remedies", [])] == [
            (kind, 0.1) for kind in kinds[factors["penalties"]]
        ]
        apart = ("divergences", "objectives", "remedies")
        assert {k: v for k, v in own.items() if k not in apart} == {k: v for k, v in plain.items() if k not in apart}


def test_the_objectives_of_a_seed_share_start_and_draws():
    chosen = design.load("relativistic", "smoke", EXPERIMENTS, max_steps=4)
    runs = [Run("relativistic", "ring_none", "gan", objective, 0) for objective in FIGURES.STYLES]
    p = RUN.population(chosen.arms["ring_none"], runs)
    assert len(p.streams) == 1 and (p.theta == p.theta[0]).all() and (p.omega == p.omega[0]).all()
    steps, history, _ = train(p, RUN.observe)
    assert {"watched modes", "watched high_quality"} <= set(history)
    assert RUN.evaluate(p, steps, history)[0]["modes"].shape == (4,) and len(p.theta.unique(dim=0)) == 4


def test_the_supremum_is_that_of_a_plain_search():
    """Against a grid over the two outputs of V that matter on two points."""
    p, q = torch.tensor([[0.7, 0.3], [0.4, 0.6]], dtype=torch.float64)
    grid = torch.linspace(-40, 40, 80001, dtype=torch.float64)
    for name, own in DIVERGENCES.items():
        every = sum(
            p[i] * q[j] * RUN.exact.integrand(own, (i == 0) * grid - (j == 0) * grid) for i in (0, 1) for j in (0, 1)
        )
        assert RUN.exact.supremum(own, p, q) == pytest.approx(float(every.max()), abs=1e-5), name


@pytest.mark.parametrize("scale", ["smoke", "quick", "full"])
def test_figures_and_tables_take_the_arms_of_every_scale(scale):
    made = part(scale)
    figures.style()
    for name in ("figure_factorial", "figure_histories"):
        figure = vars(FIGURES)[name](made)
        figure.canvas.draw()
        plt.close(figure)
    sizes = {name: len(vars(FIGURES)[name](made)) for name in ("table_effects", "table_cells", "table_divergences")}
    assert sizes["table_cells"] == {"smoke": 4, "quick": 4, "full": 18}[scale]
    assert sizes["table_effects"] == {"smoke": 6, "quick": 6, "full": 24}[scale]
    for name in (*sizes, "table_exact"):
        assert "nan" not in latex(vars(FIGURES)[name](made))
