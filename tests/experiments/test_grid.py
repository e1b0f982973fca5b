"""Grid and embedded mixture: what a run measures, and what the tables and figures say of one."""

import torch
from small import EXPERIMENTS, settings

from fgan import design, targets
from fgan.design import Run
from fgan.engine.training import train

GRID = design.module(EXPERIMENTS, "grid", "run")
MEASURE = {
    "samples": 500, "watched": 100, "rule": "99 %, tenth", "rules": ["99 %, one", "90 %, tenth"], "baseline_seeds": 2,
    "veegan": {"radius": 10.0, "spread": 700},
}  # fmt: skip
TARGETS = {
    "grid": {"kind": "grid", "side": 3, "spacing": 1.0, "sd": 0.1},
    "embedded": {"kind": "embedded", "levels": [-1, 0, 2], "inner": 20, "dimension": 30, "sd": 1.0},
}
RUNS = [Run("grid", "grid", name, objective, 0) for name in ("kl", "gan") for objective in ("saddle", "alternative")]


def small(kind):
    return settings(target=TARGETS[kind], measure=MEASURE, steps=4, history=2)


def test_runs_on_either_mixture_are_judged():
    for kind, target in TARGETS.items():
        p = GRID.population(small(kind), RUNS)
        steps, history, _ = train(p, GRID.observe)
        metrics, samples = GRID.evaluate(p, steps, history)
        assert samples["samples"].shape == (4, 400, 2) and history["watched modes"].shape == (2, 4)
        assert metrics["modes"].max() <= len(targets.of({"target": target}).means)
        assert {"high_quality", "reverse_kl", "saturated", ("modes", "99 %, one")} <= set(metrics)


def test_a_generator_that_is_p_covers_all_and_one_that_is_a_mode_covers_one():
    rows, _ = GRID.baselines(small("grid"))
    first = {sampler: metrics for sampler, _, seed, metrics in rows if seed == 0}
    assert first["fresh samples of P"]["modes"] == 9 and first["one mode"]["modes"] == 1
    assert abs(first["one mode"]["high_quality"] - 0.989) < 0.02


def test_the_published_mixture_is_the_design_of_the_arm():
    means = targets.of(design.load("grid", "full", EXPERIMENTS).arms["embedded"]).means
    assert means.shape == (10, 1200) and (means == means[:, :1]).all() and means[6, 0] == 10


def test_veegans_rule_accepts_no_sample_of_the_published_mixture():
    arm, rows = design.load("grid", "full", EXPERIMENTS).arms["embedded"], GRID.baselines(small("grid"))[0]
    (share,) = (float(metrics["accepted"]) for sampler, _, _, metrics in rows if sampler == "P in 1200 dimensions")
    rule, target = arm["measure"]["veegan"], targets.of(arm)
    assert share < 1e-160 and (rule, arm["target"]["sd"]) == ({"radius": 10.0, "spread": arm["target"]["inner"]}, 1.0)
    x = target.draw((500,), torch.Generator().manual_seed(0))
    assert torch.cdist(x, target.means.float()).amin(dim=1).min() > 2 * rule["radius"]
