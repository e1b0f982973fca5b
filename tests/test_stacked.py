"""Stacked digits: the target, the modes that a classifier finds, the rules of counting, and the statistic over them."""

import math

import pytest
import torch
from small import EXPERIMENTS

from fgan import cost, design
from fgan.classifier import classifier
from fgan.design import Run
from fgan.metrics import stacked_modes
from fgan.population import seeded
from fgan.targets import blank, images
from fgan.targets.stacked import Stacked
from fgan.training import train

STACKED = design.module(EXPERIMENTS, "stacked", "run")
FIGURES = design.module(EXPERIMENTS, "stacked", "figures")
DIGITS = images.digits()
QUICK = design.load("stacked", "quick", EXPERIMENTS)
FULL = design.load("stacked", "full", EXPERIMENTS)
P = Stacked(DIGITS, 2)


def runs(arm, names=("kl", "gan")):
    return [Run("stacked", arm, name, "alternative", 0) for name in names]


def population(arm, chosen=None, device="cpu", **changes):
    own = QUICK.arms[arm] | {"steps": 3, "history": 1} | changes
    return STACKED.population(own, chosen or runs(arm), device, blank(own) if device == "meta" else DIGITS)


def test_a_stack_is_independent_images_as_channels():
    indices = torch.tensor([[3, 7], [7, 3]])
    x = P(indices)
    assert x.shape == (2, P.dimension) and P.shape == (2, 8, 8)
    assert torch.equal(x[0, :64], DIGITS.train[3] * 2 - 1) and torch.equal(x[0, 64:], DIGITS.train[7] * 2 - 1)
    drawn = P.draw((20_000,), seeded("cpu", "test"))
    assert torch.corrcoef(drawn.double().T)[0, 1].abs() < 0.03 and drawn.shape == (20_000, 2)


def test_real_stacks_are_judged_as_the_digits_that_they_are():
    drawn = P.draw((1, 1500), seeded("cpu", "test"))
    mode, confidence = stacked_modes.judged(P(drawn), classifier(DIGITS), 2)
    labels = DIGITS.labels[0][drawn]
    assert (mode == labels[..., 0] * 10 + labels[..., 1]).double().mean() > 0.99
    assert (confidence > 0.9).double().mean() > 0.85 and (confidence > 0.5).double().mean() > 0.98


def test_a_sample_that_is_not_finite_is_no_mode():
    x = P(P.draw((1, 5), seeded("cpu", "test")))
    x[0, 2, 100] = math.nan
    mode, confidence = stacked_modes.judged(x, classifier(DIGITS), 2)
    assert mode[0].tolist()[2] == -1 and confidence[0, 2] == 0 and (mode[0, [0, 1, 3, 4]] >= 0).all()


def test_rules_count_what_they_say():
    mode = torch.tensor([[0, 0, 0, 1, 1, 2, -1]])
    confidence = torch.tensor([[0.95, 0.95, 0.6, 0.95, 0.4, 0.2, 0.0]])
    found = {name: value.item() for name, value in stacked_modes.summary(mode, confidence, 4).items()}
    assert [found[f"modes [1, confidence {c:g}]"] for c in stacked_modes.CONFIDENCES] == [3, 2, 2]
    assert [found[f"modes [{n}, confidence 0]"] for n in stacked_modes.COUNTS] == [3, 1, 0, 0]
    shares = torch.tensor([3.0, 2.0, 1.0]) / 6
    assert found["KL [confidence 0]"] == pytest.approx(float((shares * (4 * shares).log()).sum()))
    nobody = stacked_modes.summary(torch.tensor([[-1]]), torch.tensor([[0.0]]), 4)
    assert nobody["KL [confidence 0.9]"].isnan().all() and nobody["modes [1, confidence 0]"].item() == 0


@pytest.mark.parametrize("arm", list(QUICK.arms))
def test_every_arm_trains_and_is_judged(arm):
    p = population(arm)
    steps, history, diverged = train(p, STACKED.observe)
    metrics, samples = STACKED.evaluate(p, steps, history)
    assert diverged.isnan().all() and samples["samples"].shape == (2, STACKED.SHEET, 128)
    assert (metrics["modes"] == metrics["modes [1, confidence 0]"]).all() and metrics["modes"].max() <= 100


@pytest.mark.parametrize("arm", list(FULL.arms))
def test_the_published_arms_can_be_built_and_counted(arm):
    own = FULL.arms[arm]
    assert cost.counted(lambda: STACKED.population(own, runs(arm), "meta", blank(own))).operations > 0


def test_a_run_does_not_depend_on_the_runs_beside_it():
    every = runs("unrolled_quarter", ("kl", "gan", "pearson", "reverse_kl"))
    whole = population("unrolled_quarter_packing_2", every)
    piece = population("unrolled_quarter_packing_2", every[1:3])
    train(whole, STACKED.observe), train(piece, STACKED.observe)
    assert torch.equal(whole.theta[1:3], piece.theta) and torch.equal(whole.omega[1:3], piece.omega)


def test_baselines_are_the_ceiling_and_the_floor():
    rows, samples = STACKED.baselines(
        QUICK.arms["unrolled_quarter"] | {"measure": {"samples": 2500, "baseline_seeds": 2}}, DIGITS
    )
    found = {(name, metric): value for name, seed, metric, value in rows if seed == 0}
    assert found["fresh samples of P", "modes [10, confidence 0.9]"] >= 95 and found["one image", "modes"] == 1
    assert found["one image", "KL"] == pytest.approx(math.log(100)) and found["classifier", "accuracy"] > 0.95
    assert found["fresh samples of P", "KL"] < 0.05 and samples["real"].shape == (STACKED.SHEET, 128)


def test_published_rows_are_found(monkeypatch):
    monkeypatch.chdir(EXPERIMENTS.parent)
    assert set(FIGURES.ROWS) <= set(FULL.arms)
    for source, wanted, *columns in FIGURES.ROWS.values():
        printed = FIGURES.pd.read_csv(FIGURES.PUBLISHED / f"{source}.csv")
        for column, value in wanted.items():
            printed = printed[printed[column] == value]
        assert len(printed) == 1 and printed[columns].notna().all(axis=None)
