"""The experiment on remedies: what a run measures, equal budgets and costs, published rows that are read, not typed."""

import pandas as pd
import pytest
import torch
from small import EXPERIMENTS, settings

from fgan import design
from fgan.design import Run
from fgan.training import train

RUN = design.module(EXPERIMENTS, "remedies", "run")
FIGURES = design.module(EXPERIMENTS, "remedies", "figures")
MEASURE = {"samples": 300, "watched": 100, "quantile": 0.989, "fair_share": 0.1, "baseline_seeds": 2, "tuning_seeds": 0}
TARGET = {"kind": "ring", "modes": 8, "radius": 2.0, "sd": 0.1}
FULL = design.load("remedies", "full", EXPERIMENTS)


def trained(remedies):
    runs = [Run("remedies", "none", name, "saddle", 0) for name in ("kl", "gan")]
    chosen = settings(target=TARGET, measure=MEASURE, steps=4, history=2) | {"remedies": remedies}
    p = RUN.population(chosen, runs)
    steps, history, _ = train(p, RUN.observe)
    return RUN.evaluate(p, steps, history)[0]


def test_a_run_says_what_its_step_costs():
    plain, unrolled = (trained(remedies) for remedies in ([], [{"kind": "unrolling", "steps": 1}]))
    assert plain["operations"].shape == (2,) and (unrolled["operations"] > 2 * plain["operations"]).all()


def test_every_arm_of_the_budget_is_in_the_design_and_has_its_remedy():
    for remedy, arms in FIGURES.BUDGET.items():
        assert len(arms) == 3
        for arm in arms:
            kinds = [own["kind"] for own in FULL.arms[arm].get("remedies", [])]
            assert kinds == ([] if remedy == "none" else [kinds[0]]) and len({str(FULL.arms[a]) for a in arms}) == 3


def test_published_rows_are_those_of_the_files(monkeypatch):
    monkeypatch.chdir(EXPERIMENTS.parent)
    for arm, (source, row, modes, quality) in FIGURES.ROWS.items():
        frame = pd.read_csv(FIGURES.PUBLISHED / f"{source}.csv").set_index("method")
        assert arm in FULL.arms and {modes, quality} <= set(frame.columns) and row in frame.index


def test_equal_cost_is_the_cost_of_unrolling():
    def operations(arm):
        own = FULL.arms[arm]
        runs = [Run("remedies", arm, "gan", "saddle", 0)] * 2
        counted = RUN.cost.counted(lambda: RUN.population(own, runs, "meta"))
        return counted.operations * own["steps"]

    assert operations("none_equal_cost") == pytest.approx(operations("unrolling_1"), rel=0.05)
    assert operations("none_long") == pytest.approx(operations("unrolling_5"), rel=0.1)


def test_baselines_are_the_data_and_one_mode():
    rows, _ = RUN.baselines({"target": TARGET, "measure": MEASURE})
    found = {(name, metric): value for name, seed, metric, value in rows if seed == 0}
    assert found["fresh samples of P", "modes"] == 8 and found["one mode", "modes"] == 1
    assert torch.tensor(list(found.values())).isfinite().all()
