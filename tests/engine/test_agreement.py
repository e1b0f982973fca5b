"""The comparison of a device with the CPU, by which a GPU is judged: whom it covers, and that it sees a difference."""

import pytest
import torch
from benchmarks import agreement

from fgan.engine import population, training
from fgan.remedies import REMEDIES

CASES = agreement.cases()


def test_the_cases_have_every_remedy_method_and_kind_of_layer():
    kinds = "".join(agreement.kind(make("meta")) for make in agreement._cases().values())
    layers = ("Linear", "BatchNorm", "Affine", "Maxout", "ConvTranspose", "Conv ", "Logits", "Closeness", "Normalised")
    populations = ("Population", "Remedied", "VAE", "Hybrid", "Snapshot", "Categorical")
    for word in (*REMEDIES, *layers, *populations, "k_step", "single_step", "sgd", "adam"):
        assert word in kinds
    assert len(CASES) > 40 and "smoke/ring/tanh" in CASES


@pytest.mark.parametrize("name", CASES)
def test_the_ways_of_a_gpu_compute_the_same_on_a_cpu(name):
    before = torch.get_default_dtype()
    assert agreement.disagreement(name, "cpu") < 1e-10
    assert torch.get_default_dtype() == before


def test_a_small_difference_is_seen(monkeypatch):
    whole, steps = training.step, []

    def scaled(p, data, noise):
        steps.append(p)
        assert p.theta.dtype == data.dtype == torch.float64
        return whole(p, data, 1.001 * noise if p is not steps[0] else noise)

    monkeypatch.setattr(agreement, "step", scaled)
    assert 1e-8 < agreement.disagreement("smoke/ring/tanh", "cpu") < 1e-3
    assert len(steps) == 2 * agreement.STEPS and population.CHUNK >= agreement.STEPS


def test_what_is_finite_on_one_side_alone_differs_without_limit():
    good, bad = torch.tensor([1.0, 50.0]), torch.tensor([1.0, float("nan")])
    assert agreement.apart(good, bad) == agreement.apart(bad, good) == float("inf")
    assert agreement.apart(bad, bad) == 0 and agreement.apart(good, good + 1) == 1
