"""The experiment on remedies: what a run measures, equal budgets and costs, published rows that are read, not typed."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from small import EXPERIMENTS, settings

from fgan import design
from fgan.design import Run
from fgan.divergences import DIVERGENCES
from fgan.engine.training import train
from fgan.record.write import COLUMNS
from fgan.report import figures
from fgan.report.part import Part
from fgan.report.tables import latex

RUN = design.module(EXPERIMENTS, "remedies", "run")
FIGURES = design.module(EXPERIMENTS, "remedies", "figures")
MEASURE = {
    "samples": 300, "watched": 100, "rule": "99 %, tenth", "rules": ["99 %, one"], "baseline_seeds": 2,
    "tuning_seeds": 0,
}  # fmt: skip
TARGET = {"kind": "ring", "modes": 8, "radius": 2.0, "sd": 0.1}
LARGEST = design.load("remedies", "extended", EXPERIMENTS)


def trained(remedies):
    runs = [Run("remedies", "none", name, "saddle", 0) for name in ("kl", "gan")]
    small = settings(target=TARGET, measure=MEASURE, steps=4, history=2) | {"remedies": remedies}
    p = RUN.population(small, runs)
    steps, history, _ = train(p, RUN.observe)
    return RUN.evaluate(p, steps, history)[0]


def part(scale, seeds=4, tuning=2, modes=lambda arm, seed: 5):
    """A part in memory; judged values are modes(arm, seed), the same for every divergence and objective."""
    chosen = design.load("remedies", scale, EXPERIMENTS, seeds=seeds)
    own = {
        arm: s | {"seeds": seeds, "factors": chosen.factors[arm], "measure": s["measure"] | {"tuning_seeds": tuning}}
        for arm, s in sorted(chosen.arms.items())  # as design.json has them
    }
    rows = []
    for arm, s in own.items():
        for run in ((arm, name, o) for name in s["divergences"] for o in s["objectives"]):
            for seed in range(seeds):
                judged = {"modes": modes(arm, seed), "modes_any": 6, "high_quality": 0.5, "operations": 9, "failed": 0}
                judged |= {"converged": 1, "cycles": 0}
                rows += [("remedies", *run, seed, s["steps"], m, "", "value", float(v)) for m, v in judged.items()]
            for step in (1, s["steps"]):
                rows += [("remedies", *run, None, step, "watched modes", "", "median", 4.0)]
    trained = {name for s in own.values() for name in s["divergences"]}
    labels = [{"name": n, "label": d.label, "effective": d.effective} for n, d in DIVERGENCES.items() if n in trained]
    shown = {"name": "remedies", "scale": scale, "arms": own, "divergences": labels}
    made = Part(None)
    vars(made).update(measurements=pd.DataFrame(rows, columns=COLUMNS), samples={})
    vars(made).update(design=shown | {"settings": next(iter(own.values()))})
    return made


def test_a_run_says_what_its_step_costs():
    plain, unrolled = (trained(remedies) for remedies in ([], [{"kind": "unrolling", "steps": 1}]))
    assert plain["operations"].shape == (2,) and (unrolled["operations"] > 2 * plain["operations"]).all()


def test_every_remedy_has_the_same_budget_and_every_arm_its_remedy():
    budget = FIGURES.budget(part("full"))
    assert tuple(budget) == tuple(FIGURES.REMEDIES) and sum(map(len, budget.values())) == 24
    for remedy, arms in budget.items():
        assert len(arms) == 3
        for arm in arms:
            kinds = [own["kind"] for own in LARGEST.arms[arm].get("remedies", [])]
            assert kinds == ([] if remedy == "none" else [kinds[0]]) and len({str(LARGEST.arms[a]) for a in arms}) == 3


def test_factors_say_what_an_arm_is():
    for arm, factors in LARGEST.factors.items():
        own = LARGEST.arms[arm]
        assert factors["target"] == own["target"]["kind"]
        assert [factors["remedy"]] == ([r["kind"] for r in own.get("remedies", [])] or ["none"])


def test_a_setting_is_chosen_on_seeds_that_are_not_judged():
    """Three packed samples are best on the tuning seeds, and worst on the others."""
    made = part("full", modes=lambda arm, seed: (8 if seed < 2 else 1) if arm == "packing_3" else 5)
    table = FIGURES.table_tuned(made)
    packing = table[table.Remedy == "packing"]
    assert set(packing.chosen) == {"packing 3"} and set(packing.modes) == {"1.0"} and len(packing) == 4
    assert set(table[table.Remedy == "no remedy"].chosen) == {"no remedy"}


@pytest.mark.parametrize("scale, tuning", [("smoke", 0), ("quick", 0), ("full", 2)])
def test_figures_and_tables_take_the_arms_of_every_scale(monkeypatch, scale, tuning):
    monkeypatch.chdir(EXPERIMENTS.parent)
    made = part(scale, tuning=tuning, modes=lambda arm, seed: 4 + seed % 2)
    figures.style()
    for name in ("figure_modes", "figure_cost"):
        figure = vars(FIGURES)[name](made)
        figure.canvas.draw()
        plt.close(figure)
    for name in ("table_ring", "table_grid", "table_tuned", "table_published"):
        frame = vars(FIGURES)[name](made)
        assert len(frame) and "nan" not in latex(frame)
    assert len(FIGURES.table_ring(made)) == {"smoke": 1, "quick": 5, "full": 26}[scale]


def test_published_rows_are_those_of_the_files(monkeypatch):
    monkeypatch.chdir(EXPERIMENTS.parent)
    for arm, (_, source, row, modes, quality) in FIGURES.ROWS.items():
        frame = pd.read_csv(FIGURES.PUBLISHED / f"{source}.csv").set_index("method")
        assert arm in LARGEST.arms and {modes, quality} <= set(frame.columns) and row in frame.index


def test_equal_cost_is_the_cost_of_unrolling():
    def operations(arm):
        own = LARGEST.arms[arm]
        runs = [Run("remedies", arm, "gan", "saddle", 0)] * 2
        counted = RUN.cost.counted(lambda: RUN.population(own, runs, "meta"))
        return counted.operations * own["steps"]

    assert operations("none_equal_cost") == pytest.approx(operations("unrolling_1"), rel=0.05)
    assert operations("none_long") == pytest.approx(operations("unrolling_5"), rel=0.1)


def test_baselines_are_the_data_and_one_mode():
    rows, _ = RUN.baselines({"target": TARGET, "measure": MEASURE})
    first = {sampler: metrics for sampler, _, seed, metrics in rows if seed == 0}
    assert first["fresh samples of P"]["modes"] == 8 and first["one mode"]["modes"] == 1
    assert all(np.isfinite(float(value)) for metrics in first.values() for value in metrics.values())
