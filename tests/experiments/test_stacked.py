"""Stacked MNIST: the target, the modes that a classifier finds, the rules of counting, and the statistic over them."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from experiments.stacked import tuples
from experiments.stacked.tuples import CONFIDENCES, COUNTS, PUBLISHED, RULES, STRICTEST
from memory import measured
from small import EXPERIMENTS

from fgan import design
from fgan.design import DesignError, Run
from fgan.engine import cost
from fgan.engine.population import seeded
from fgan.engine.training import train
from fgan.metrics.classifier import classifier
from fgan.report.part import RUN
from fgan.targets import blank, images
from fgan.targets.stacked import Stacked

STACKED = design.module(EXPERIMENTS, "stacked", "run")
FIGURES = design.module(EXPERIMENTS, "stacked", "figures")
DIGITS = images.digits()
QUICK = design.load("stacked", "quick", EXPERIMENTS)
LARGEST = design.load("stacked", "extended", EXPERIMENTS)
P = Stacked(DIGITS, 2)


def runs(arm, names=("kl", "gan")):
    return [Run("stacked", arm, name, "alternative", 0) for name in names]


def population(arm, chosen=None, device="cpu", **changes):
    own = QUICK.arms[arm] | {"steps": 3, "history": 1} | changes
    return STACKED.population(own, chosen or runs(arm), device, blank(own) if device == "meta" else DIGITS)


def modes_of(x):
    return tuples.modes_of(classifier(DIGITS), x, 2)


def test_a_stack_is_independent_images_as_channels():
    indices = torch.tensor([[3, 7], [7, 3]])
    x = P(indices)
    assert x.shape == (2, P.dimension) and P.shape == (2, 8, 8)
    assert torch.equal(x[0, :64], DIGITS.train[3] * 2 - 1) and torch.equal(x[0, 64:], DIGITS.train[7] * 2 - 1)
    drawn = P.draw((20_000,), seeded("cpu", "test"))
    assert torch.corrcoef(drawn.double().T)[0, 1].abs() < 0.03 and drawn.shape == (20_000, 2)


def test_real_stacks_are_judged_as_the_digits_that_they_are():
    drawn = P.draw((1, 1500), seeded("cpu", "test"))
    mode, confidence = modes_of(P(drawn))
    labels = DIGITS.labels[0][drawn]
    assert (mode == labels[..., 0] * 10 + labels[..., 1]).double().mean() > 0.99
    assert (confidence > 0.9).double().mean() > 0.85 and (confidence > 0.5).double().mean() > 0.98


def test_the_confidence_is_that_of_the_least_sure_channel():
    x = P(P.draw((1, 200), seeded("cpu", "test")))
    single = tuples.probabilities(classifier(DIGITS), x.view(1, 400, 64).add(1).div(2))
    assert torch.allclose(single.sum(-1), torch.ones(1, 400))
    assert torch.equal(modes_of(x)[1], single.amax(-1).view(1, 200, 2).amin(-1))


def test_a_runs_modes_do_not_depend_on_the_runs_beside_it():
    x = P(P.draw((3, 701), seeded("cpu", "test")))  # no whole number of blocks
    for together, alone in zip(modes_of(x), modes_of(x[1:2]), strict=True):
        assert torch.equal(together[1:2], alone)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_sample_that_is_not_finite_leaves_its_run_without_values(value):
    x = P(P.draw((2, 5), seeded("cpu", "test")))
    x[0, 2, 100] = value
    mode, confidence = modes_of(x)
    assert (mode < 0).nonzero().tolist() == confidence.isnan().nonzero().tolist() == [[0, 2]]
    for values in STACKED.measured(mode, confidence, P).values():
        assert values[0].isnan()
    assert STACKED.measured(mode, confidence, P)["modes"][1] > 0


def test_rules_count_what_they_say():
    mode = torch.tensor([[0, 0, 0, 1, 1, 2]])
    confidence = torch.tensor([[0.95, 0.9, 0.6, 0.95, 0.4, 0.2]], dtype=torch.float64)
    metrics = {name: value.item() for name, value in tuples.summary(mode, confidence, 4).items()}
    assert len(metrics) == 24 and (PUBLISHED, STRICTEST) == ("1, confidence 0", "10, confidence 0.9")
    assert [metrics["modes", f"1, confidence {c:g}"] for c in CONFIDENCES] == [3, 2, 2]
    assert [metrics["modes", f"{n}, confidence 0"] for n in COUNTS] == [3, 1, 0, 0]
    for rule, counts in {"1, confidence 0": [3, 2, 1], "1, confidence 0.9": [2, 1], "3, confidence 0": [3]}.items():
        shares = torch.tensor(counts, dtype=torch.float64) / sum(counts)
        assert metrics["KL", rule] == pytest.approx(float((shares * (4 * shares).log()).sum()))
    assert math.isnan(metrics["KL", "10, confidence 0"])  # no mode is covered


@pytest.mark.parametrize("arm", list(QUICK.arms))
def test_every_arm_trains_and_is_judged(arm):
    p = population(arm)
    _, _, metrics, samples = measured(STACKED, p)
    assert p.diverged_at.isnan().all() and samples["samples"].shape == (2, STACKED.SHEET, 128)
    assert (metrics["modes"] == metrics["modes", PUBLISHED]).all() and metrics["modes"].max() <= 100
    assert torch.equal(metrics["covered"] * 100, metrics["modes"])


def test_samples_drawn_in_portions_are_all_judged_and_all_different(monkeypatch):
    judged = []
    monkeypatch.setattr(STACKED, "PORTION", 40)
    monkeypatch.setattr(STACKED, "measured", lambda mode, confidence, p: judged.append(confidence) or {})
    STACKED.evaluate(population("unrolled_quarter", measure={"samples": 100}), None, None)
    assert judged[0].shape == (2, 100) and len(judged[0][0].unique()) == 100


@pytest.mark.parametrize("arm", list(LARGEST.arms))
def test_the_published_arms_can_be_built_and_counted(arm):
    own = LARGEST.arms[arm]
    p = STACKED.population(own, runs(arm), "meta", blank(own))
    packed = 2 if LARGEST.factors[arm]["remedy"] == "packing" else 1
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
    metrics = {(name, key): float(value) for name, _, seed, own in rows for key, value in own.items() if seed == 0}
    strict = [own["covered", STRICTEST] for name, _, _, own in rows if name == "fresh samples of P"]
    assert len(strict) == 5 and np.mean(strict) >= 0.95  # or the rule asks too much of this number of samples
    assert metrics["one image", "modes"] == 1 and metrics["one image", "KL"] == pytest.approx(math.log(100))
    n = QUICK.arms["unrolled_quarter"]["measure"]["samples"]
    floor = 99 / (2 * n)  # of n samples of 100 equal modes, to first order
    assert metrics["uniform classes", "KL"] == pytest.approx(floor, rel=0.5)
    assert metrics["uniform classes", "KL"] < metrics["fresh samples of P", "KL"] + floor / 2 < 0.1
    assert metrics["uniform classes", ("modes", "5, confidence 0.9")] == 100
    assert 1 < metrics["noise", ("modes", STRICTEST)] < 0.1 * 100 < metrics["noise", "modes"]
    assert metrics["classifier", "accuracy"] > 0.95 and samples["real"].shape == (STACKED.SHEET, 128)
    assert samples["rules"] == list(RULES.values())


def test_published_rows_are_found(root):
    labels = [FIGURES.label(factors) for factors in LARGEST.factors.values()]
    assert len(set(labels)) == len(labels) == len(LARGEST.arms)
    for label, _, source, wanted in FIGURES.ROWS:
        printed = FIGURES.published(source, wanted)
        assert label in labels and 0 < printed["modes"] <= 1000 and 0 < printed["KL"] < math.log(1000)


def part_of(modes):
    """A part whose modes under a rule, of a divergence and over seeds are modes(count, confidence, name, seed)."""

    def values(metric, arm, name, objective, rule):
        assert (metric, arm, objective) == ("modes", FIGURES.MAIN, "alternative")
        return np.array([modes(*RULES[rule], name, seed) for seed in range(3)])

    def final(metric, arm=None):
        """Every run of GAN has converged, those of KL cycle."""
        value = {"modes": (9, 9), "converged": (0, 1), "cycles": (1, 0), "failed": (0, 0)}[metric]
        rows = [(FIGURES.MAIN, n, "alternative", seed, v)
                for n, v in zip(("kl", "gan"), value, strict=True) for seed in range(3)]  # fmt: skip
        return pd.DataFrame(rows, columns=["arm", "divergence", "objective", "seed", "value"])

    arms = {FIGURES.MAIN: {"divergences": ["kl", "gan"]}}
    ends = pd.DataFrame({name: final(name).set_index(RUN).value for name in ("converged", "cycles", "failed")})
    return SimpleNamespace(arms=arms, rules=lambda metric: list(RULES), values=values, final=final, ends=ends)


def test_the_statistic_is_what_rules_move_less_what_divergences_move():
    def by_rule(c, p, name, seed):
        return 80 + seed - c - 20 * p

    estimate, *_, seeds, unconverged = FIGURES.statistic_rule_over_divergence(part_of(by_rule))
    assert estimate == pytest.approx(9 + 18) and seeds == 3 and unconverged == (0.5, 0.5)
    by_name = part_of(lambda c, p, name, seed: 50.0 + 30 * (name == "kl") + seed)
    assert FIGURES.statistic_rule_over_divergence(by_name)[0] == pytest.approx(-30)
    failed = part_of(lambda c, p, name, seed: math.nan if name == "kl" else 60.0)
    assert FIGURES.statistic_rule_over_divergence(failed)[0] == pytest.approx(-60)


def test_only_sets_of_single_digits_are_stacked(tmp_path):
    folder = tmp_path / "stacked"
    folder.mkdir()
    for path in (EXPERIMENTS / "stacked").glob("*.*"):
        text = path.read_text().replace("{kind: digits, stack: 2}", "{kind: cifar10, stack: 2}")
        (folder / path.name).write_text(text)
    with pytest.raises(DesignError, match="unknown key 'stack'"):
        design.load("stacked", "quick", tmp_path)
