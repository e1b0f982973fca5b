"""Mode counts: hand-made samples, and what the rules say of samplers without training."""

import math

import pytest
import torch

from fgan.metrics import modes
from fgan.targets.mixtures import ring

RING = ring(8, 2.0, 0.02)
RADIUS = 3 * 0.02
N = 2500
MEANS = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])


def judged(samples, target=RING, radius=RADIUS, **options):
    return {k: v[0].item() for k, v in modes.summary(
        modes.counts(samples[None], target.means, radius), len(samples), **options).items()}  # fmt: skip


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def thin_circle(seed):
    angle = 2 * math.pi * torch.rand(N, generator=generator(seed))
    return 2 * torch.stack([angle.cos(), angle.sin()], dim=1)


def test_counts_go_to_the_nearest_mean_within_the_radius():
    samples = torch.tensor([[[0.0, 0.0], [0.5, 0.0], [1.01, 0.0], [9.5, 0.5], [5.0, 5.0], [0.0, 10.9]]])
    assert modes.counts(samples, MEANS, 1.0).tolist() == [[2, 1, 1]]


def test_runs_are_counted_apart():
    samples = torch.stack([MEANS[[0, 0, 0]], MEANS[[0, 1, 2]], MEANS + 5.0])
    assert modes.counts(samples, MEANS, 1.0).tolist() == [[3, 0, 0], [1, 1, 1], [0, 0, 0]]


def test_a_sample_on_the_circle_counts():
    assert modes.counts(torch.tensor([[[1.0, 0.0]]]), MEANS, 1.0).tolist() == [[1, 0, 0]]


def test_many_samples_are_counted_as_exactly_as_few():
    """Distances by a matrix product would lose digits where the radius is small beside the coordinates."""
    means = MEANS + 1000.0
    angle = torch.linspace(0, 2 * math.pi, 100)[:-1]
    circle = torch.stack([angle.cos(), angle.sin()], dim=1)
    samples = torch.cat([means[1] + 0.05 * circle, means[2] + 0.07 * circle])[None]
    assert modes.counts(samples, means, 0.06).tolist() == [[0, 99, 0]]


def test_samples_that_are_not_finite_are_of_no_mode():
    samples = torch.tensor([[[math.nan, 0.0], [math.inf, 0.0], [0.0, 0.0]]])
    assert modes.counts(samples, MEANS, 1.0).tolist() == [[1, 0, 0]]


def test_the_summary_of_a_hand_made_count():
    found = modes.summary(torch.tensor([[50.0, 3.0, 1.0, 0.0]]), 100)  # a tenth of the fair share: 2.5
    assert {k: v.item() for k, v in found.items() if k != "reverse_kl"} == pytest.approx(
        {"modes": 2, "modes_any": 3, "high_quality": 0.54})  # fmt: skip
    shares = (50 / 54, 3 / 54, 1 / 54)
    assert found["reverse_kl"].item() == pytest.approx(sum(s * math.log(4 * s) for s in shares))


def test_the_headline_rule_includes_its_bound():
    hits = torch.tensor([[10.0, 9.0, 81.0, 0.0]])
    assert modes.summary(hits, 400)["modes"].tolist() == [2]
    assert modes.summary(hits, 400, fair_share=0.09)["modes"].tolist() == [3]


def test_without_a_high_quality_sample_the_reverse_kl_is_undefined():
    found = judged(torch.full((N, 2), 7.0))
    assert math.isnan(found["reverse_kl"]) and found["high_quality"] == 0 and found["modes"] == found["modes_any"] == 0


def test_one_mode_has_a_reverse_kl_of_log_8():
    found = judged(RING.means[3].float() + 0.02 * torch.randn(N, 2, generator=generator()))
    assert found["modes"] == found["modes_any"] == 1 and found["reverse_kl"] == pytest.approx(math.log(8))


def test_fresh_samples_of_p_are_near_the_ceiling():
    """A rule under which P itself scores under 95 % is rejected; the histogram KL of a perfect sampler is not zero."""
    found = judged(RING.draw((N,), generator()))
    assert found["modes"] == 8 and found["high_quality"] > 0.95 and 0 < found["reverse_kl"] < 0.005


@pytest.mark.parametrize("rule", [2.0, 3.0, 5.0])
def test_the_high_quality_share_of_p_is_that_of_its_radius(rule):
    found = judged(RING.draw((100_000,), generator()), radius=rule * 0.02)
    assert found["high_quality"] == pytest.approx(1 - math.exp(-(rule**2) / 2), abs=3e-3)


def test_a_thin_circle_passes_the_weak_rule_and_is_exposed_by_the_headline_rule():
    """It meets each mode with 24 of 2,500 samples: more than one, fewer than a tenth of the fair share (31)."""
    found = [judged(thin_circle(seed)) for seed in range(20)]
    assert all(one["modes_any"] == 8 and one["high_quality"] < 0.1 for one in found)
    assert sum(one["modes"] for one in found) / len(found) < 1.5


def test_a_gaussian_without_structure_is_exposed_by_the_headline_rule():
    found = judged(math.sqrt(2) * torch.randn(N, 2, generator=generator()))
    assert found["modes_any"] >= 2 and found["modes"] == 0 and found["high_quality"] < 0.01


def test_ten_times_the_samples_make_the_weak_rule_weaker():
    found = judged(math.sqrt(2) * torch.randn(10 * N, 2, generator=generator()))
    assert found["modes_any"] == 8 and found["modes"] == 0
