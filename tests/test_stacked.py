"""Stacked MNIST: the target, the modes that a classifier finds, the rules of counting, and the statistic over them."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from small import EXPERIMENTS

from fgan import cost, design
from fgan.classifier import classifier
from fgan.design import DesignError, Run
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


def judged(x):
    return stacked_modes.judged(classifier(DIGITS), x, 2)


def test_a_stack_is_independent_images_as_channels():
    indices = torch.tensor([[3, 7], [7, 3]])
    x = P(indices)
    assert x.shape == (2, P.dimension) and P.shape == (2, 8, 8)
    assert torch.equal(x[0, :64], DIGITS.train[3] * 2 - 1) and torch.equal(x[0, 64:], DIGITS.train[7] * 2 - 1)
    drawn = P.draw((20_000,), seeded("cpu", "test"))
    assert torch.corrcoef(drawn.double().T)[0, 1].abs() < 0.03 and drawn.shape == (20_000, 2)


def test_real_stacks_are_judged_as_the_digits_that_they_are():
    drawn = P.draw((1, 1500), seeded("cpu", "test"))
    mode, confidence = judged(P(drawn))
    labels = DIGITS.labels[0][drawn]
    assert (mode == labels[..., 0] * 10 + labels[..., 1]).double().mean() > 0.99
    assert (confidence > 0.9).double().mean() > 0.85 and (confidence > 0.5).double().mean() > 0.98


def test_the_confidence_is_that_of_the_least_sure_channel():
    x = P(P.draw((1, 200), seeded("cpu", "test")))
    single = stacked_modes.probabilities(classifier(DIGITS), x.view(1, 400, 64).add(1).div(2))
    assert torch.allclose(single.sum(-1), torch.ones(1, 400))
    assert torch.equal(judged(x)[1], single.amax(-1).view(1, 200, 2).amin(-1))


def test_a_runs_modes_do_not_depend_on_the_runs_beside_it():
    x = P(P.draw((3, 701), seeded("cpu", "test")))  # no whole number of blocks
    for found, alone in zip(judged(x), judged(x[1:2]), strict=True):
        assert torch.equal(found[1:2], alone)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_sample_that_is_not_finite_leaves_its_run_without_values(value):
    x = P(P.draw((2, 5), seeded("cpu", "test")))
    x[0, 2, 100] = value
    mode, confidence = judged(x)
    assert (mode < 0).nonzero().tolist() == confidence.isnan().nonzero().tolist() == [[0, 2]]
    for values in STACKED.measured(mode, confidence, P).values():
        assert values[0].isnan()
    assert STACKED.measured(mode, confidence, P)["modes"][1] > 0


def test_rules_count_what_they_say():
    mode = torch.tensor([[0, 0, 0, 1, 1, 2]])
    confidence = torch.tensor([[0.95, 0.9, 0.6, 0.95, 0.4, 0.2]], dtype=torch.float64)
    found = {name: value.item() for name, value in stacked_modes.summary(mode, confidence, 4).items()}
    assert len(found) == 24
    assert [found[f"modes [1, confidence {c:g}]"] for c in stacked_modes.CONFIDENCES] == [3, 2, 2]
    assert [found[f"modes [{n}, confidence 0]"] for n in stacked_modes.COUNTS] == [3, 1, 0, 0]
    for rule, counts in {"1, confidence 0": [3, 2, 1], "1, confidence 0.9": [2, 1], "3, confidence 0": [3]}.items():
        shares = torch.tensor(counts, dtype=torch.float64) / sum(counts)
        assert found[f"KL [{rule}]"] == pytest.approx(float((shares * (4 * shares).log()).sum()))
    assert math.isnan(found["KL [10, confidence 0]"])  # no mode is covered


@pytest.mark.parametrize("arm", list(QUICK.arms))
def test_every_arm_trains_and_is_judged(arm):
    p = population(arm)
    steps, history, diverged = train(p, STACKED.observe)
    metrics, samples = STACKED.evaluate(p, steps, history)
    assert diverged.isnan().all() and samples["samples"].shape == (2, STACKED.SHEET, 128)
    assert (metrics["modes"] == metrics["modes [1, confidence 0]"]).all() and metrics["modes"].max() <= 100
    assert torch.equal(metrics["covered"] * 100, metrics["modes"])


def test_samples_drawn_in_portions_are_all_judged_and_all_different(monkeypatch):
    found = []
    monkeypatch.setattr(STACKED, "PORTION", 40)
    monkeypatch.setattr(STACKED, "measured", lambda mode, confidence, p: found.append(confidence) or {})
    STACKED.evaluate(population("unrolled_quarter", measure={"samples": 100}), None, None)
    assert found[0].shape == (2, 100) and len(found[0][0].unique()) == 100


@pytest.mark.parametrize("arm", list(FULL.arms))
def test_the_published_arms_can_be_built_and_counted(arm):
    own = FULL.arms[arm]
    p = STACKED.population(own, runs(arm), "meta", blank(own))
    packed = 2 if "packing" in arm else 1
    assert p.variational.layers[1].shapes[0][:2] == (own["variational"]["channels"][0], 3 * packed)
    assert cost.counted(lambda: STACKED.population(own, runs(arm), "meta", blank(own))).operations > 0


@pytest.mark.parametrize("kind", ["unrolling", "gradient_penalty"])
def test_second_derivatives_pass_through_the_convolutions(kind):
    own = {"unrolling": {"steps": 2}, "gradient_penalty": {"weight": 0.1}}[kind]
    plain, changed = population("unrolled_half"), population("unrolled_half", remedies=[{"kind": kind} | own])
    for p in (plain, changed):
        train(p, STACKED.observe)
        assert p.theta.isfinite().all() and p.omega.isfinite().all()
    moved = "theta" if kind == "unrolling" else "omega"
    assert not torch.equal(getattr(plain, moved), getattr(changed, moved))


def test_a_run_does_not_depend_on_the_runs_beside_it():
    every = runs("unrolled_quarter", ("kl", "gan", "pearson", "reverse_kl"))
    whole = population("unrolled_quarter_packing_2", every)
    piece = population("unrolled_quarter_packing_2", every[1:3])
    train(whole, STACKED.observe), train(piece, STACKED.observe)
    assert torch.equal(whole.theta[1:3], piece.theta) and torch.equal(whole.omega[1:3], piece.omega)


def test_baselines_are_the_ceiling_and_the_floors():
    rows, samples = STACKED.baselines(QUICK.arms["unrolled_quarter"], DIGITS)
    found = {(name, metric): value for name, seed, metric, value in rows if seed == 0}
    strict = [
        value for name, _, metric, value in rows if (name, metric) == ("fresh samples of P", "covered [strictest]")
    ]
    assert np.mean(strict) >= 0.95  # or the rule asks too much of this number of samples
    assert found["one image", "modes"] == 1 and found["one image", "KL"] == pytest.approx(math.log(100))
    n = QUICK.arms["unrolled_quarter"]["measure"]["samples"]
    floor = 99 / (2 * n)  # of n samples of 100 equal modes, to first order
    assert found["uniform classes", "KL"] == pytest.approx(floor, rel=0.5)
    assert found["uniform classes", "KL"] < found["fresh samples of P", "KL"] + floor / 2 < 0.1
    assert found["uniform classes", "modes [5, confidence 0.9]"] == 100
    assert 1 < found["noise", "modes [10, confidence 0.9]"] < 0.1 * 100 < found["noise", "modes"]
    assert found["classifier", "accuracy"] > 0.95 and samples["real"].shape == (STACKED.SHEET, 128)


def test_published_rows_are_found(monkeypatch):
    monkeypatch.chdir(EXPERIMENTS.parent)
    for arm, _, source, wanted in FIGURES.ROWS:
        printed = FIGURES.published(source, wanted)
        assert arm in FULL.arms and 0 < printed["modes"] <= 1000 and 0 < printed["KL"] < math.log(1000)


def part_of(modes):
    """A part whose modes under [count, confidence], divergence and seed are modes(count, confidence, name, seed)."""
    rows = [
        (f"modes [{c}, confidence {p:g}]", name, "alternative", seed, modes(c, p, name, seed))
        for c in stacked_modes.COUNTS for p in stacked_modes.CONFIDENCES for name in ("kl", "gan") for seed in range(3)
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["metric", "divergence", "objective", "seed", "value"])
    arms = {FIGURES.MAIN: {"divergences": ["kl", "gan"]}}
    return SimpleNamespace(arms=arms, measurements=frame, final=lambda metric, arm: frame[frame.metric == metric])


def test_the_statistic_is_what_rules_move_less_what_divergences_move():
    def by_rule(c, p, name, seed):
        return 80 + seed - c - 20 * p

    assert FIGURES.statistic_rule_over_divergence(part_of(by_rule))[0] == pytest.approx(9 + 18)
    by_name = part_of(lambda c, p, name, seed: 50.0 + 30 * (name == "kl") + seed)
    assert FIGURES.statistic_rule_over_divergence(by_name)[0] == pytest.approx(-30)
    failed = part_of(lambda c, p, name, seed: math.nan if name == "kl" else 60.0)
    assert FIGURES.statistic_rule_over_divergence(failed)[0] == pytest.approx(-60)


def test_only_sets_of_single_digits_are_stacked(tmp_path):
    folder = tmp_path / "stacked"
    folder.mkdir()
    for name in ("experiment.yaml", "measure.yaml", "run.py", "claims.yaml", "figures.py"):
        text = (EXPERIMENTS / "stacked" / name).read_text()
        (folder / name).write_text(text.replace("quick: digits", "quick: cifar10"))
    with pytest.raises(DesignError):
        design.load("stacked", "quick", tmp_path)
