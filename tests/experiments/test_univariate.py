"""Univariate: a run's exact divergences, the optima without training, and the figures from a small part."""

from types import SimpleNamespace

import matplotlib.pyplot as plt
import pytest
import torch
from memory import measured, trained_part
from small import EXPERIMENTS

from fgan import design
from fgan.design import Run
from fgan.metrics import exact
from fgan.report import figures
from fgan.report.tables import latex

RUN = design.module(EXPERIMENTS, "univariate", "run")
FIGURES = design.module(EXPERIMENTS, "univariate", "figures")
NAMES = list(FIGURES.PAPER_NAMES)


def settings(arm):
    """An arm at quick, for a few steps and the divergences of the paper's table."""
    own = design.load("univariate", "quick", EXPERIMENTS).arms[arm]
    names = [name for name in NAMES if name in own["divergences"]]
    return own | {"divergences": names, "batch": 32, "steps": 12, "history": 4, "measure": {"averaged": 5}}


def small(arm="sgd", seeds=1):
    own = settings(arm)
    runs = [
        Run("univariate", arm, name, objective, seed)
        for name in own["divergences"] for objective in own["objectives"] for seed in range(seeds)
    ]  # fmt: skip
    return RUN.population(own, runs)


@pytest.fixture(scope="module")
def untrained():
    return RUN.baselines(settings("sgd"))


def test_a_run_is_judged_by_its_mean_over_the_last_steps_under_every_divergence():
    p = small()
    steps, history, metrics, _ = measured(RUN, p)
    assert steps == [4, 8, 12]
    mu, sigma = metrics["mean mu"], metrics["mean sigma"]
    torch.testing.assert_close(mu, history["mu"][1:].double().mean(dim=0))
    for name in NAMES:
        known = [exact.divergence(exact.convex(name), p.target, *model) for model in zip(mu, sigma, strict=True)]
        torch.testing.assert_close(metrics["D", name], torch.tensor(known, dtype=torch.float64))


def test_each_divergence_is_smallest_at_its_own_optimum(untrained):
    rows, _ = untrained
    exact_rows = {name: metrics for sampler, name, _, metrics in rows if sampler == "exact optimum"}
    for judge in NAMES:
        values = {name: metrics["D", judge] for name, metrics in exact_rows.items()}
        assert min(values, key=values.get) == judge
        assert float(values[judge]) == pytest.approx(exact_rows[judge]["D"])


def test_the_effective_optimum_of_pearson_is_that_of_kl(untrained):
    rows = {(sampler, name): metrics for sampler, name, _, metrics in untrained[0]}
    for metric in ("mu", "sigma"):
        assert rows["effective optimum", "pearson"][metric] == pytest.approx(
            rows["exact optimum", "kl"][metric], abs=1e-3
        )


def judged(population, steps, history):
    """As run.py's, with the flag of failed runs that a shard adds."""
    metrics, sheets = RUN.evaluate(population, steps, history)
    return metrics | {"failed": torch.zeros(population.n_runs)}, sheets


@pytest.mark.parametrize("arms, seeds", [(["sgd"], 1), (["sgd", "k_step"], 2)])
def test_figures_and_tables_of_a_small_part(untrained, arms, seeds):
    run = SimpleNamespace(observe=RUN.observe, evaluate=judged)
    made = trained_part("univariate", run, {arm: small(arm, seeds) for arm in arms}, untrained)
    figures.style()
    for kind in ("figure", "table"):
        for owner, short, _ in design.captions(kind, EXPERIMENTS).values():
            if owner != "univariate":
                continue
            shown = getattr(FIGURES, f"{kind}_{short}")(made)
            if kind == "figure":
                shown.canvas.draw()
                plt.close(shown)
            else:
                assert len(shown) and "nan" not in latex(shown)
