"""Mode counts: hand-made samples, and what the rules say of samplers without training."""

import math

import pytest
import torch
from scipy import stats
from small import population, run

from fgan.metrics import modes
from fgan.targets.mixtures import embedded, grid, ring

RING = ring(8, 2.0, 0.02)
RADIUS = 3 * 0.02
GRID, EMBEDDED = grid(5, 2.0, 0.05), embedded([-1, 0, 2.5], 700, 1200, 1.0)
TARGETS = pytest.mark.parametrize("target", [RING, GRID, EMBEDDED], ids=["ring", "grid", "embedded"])
N = 2500
MEANS = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])


def scores(samples, target=RING, radius=RADIUS):
    """The summary of one run's samples, by a tenth of the fair share."""
    hits = modes.counts(samples[None], target.means, radius)
    return {name: values[0].item() for name, values in modes.summary(hits, len(samples), modes.Rule(0.1)).items()}


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
    found = modes.summary(torch.tensor([[50.0, 3.0, 1.0, 0.0]]), 100, modes.Rule(0.1))  # a tenth of the fair share: 2.5
    assert {k: v.item() for k, v in found.items() if k != "reverse_kl"} == pytest.approx(
        {"modes": 2, "modes_any": 3, "high_quality": 0.54})  # fmt: skip
    shares = (50 / 54, 3 / 54, 1 / 54)
    assert found["reverse_kl"].item() == pytest.approx(sum(s * math.log(4 * s) for s in shares))


def test_the_headline_rule_includes_its_bound():
    hits = torch.tensor([[10.0, 9.0, 81.0, 0.0]])
    assert modes.summary(hits, 400, modes.Rule(0.1))["modes"].tolist() == [2]
    assert modes.summary(hits, 400, modes.Rule(0.09))["modes"].tolist() == [3]


def test_without_a_high_quality_sample_the_reverse_kl_is_undefined():
    found = scores(torch.full((N, 2), 7.0))
    assert math.isnan(found["reverse_kl"]) and found["high_quality"] == 0 and found["modes"] == found["modes_any"] == 0


def test_one_mode_has_a_reverse_kl_of_log_8():
    found = scores(RING.means[3].float() + 0.02 * torch.randn(N, 2, generator=generator()))
    assert found["modes"] == found["modes_any"] == 1 and found["reverse_kl"] == pytest.approx(math.log(8))


def test_fresh_samples_of_p_are_near_the_ceiling():
    """A rule under which P itself scores under 95 % is rejected; the histogram KL of a perfect sampler is not zero."""
    found = scores(RING.draw((N,), generator()))
    assert found["modes"] == 8 and found["high_quality"] > 0.95 and 0 < found["reverse_kl"] < 0.005


@pytest.mark.parametrize("rule", [2.0, 3.0, 5.0])
def test_the_high_quality_share_of_p_is_that_of_its_radius(rule):
    found = scores(RING.draw((100_000,), generator()), radius=rule * 0.02)
    assert found["high_quality"] == pytest.approx(1 - math.exp(-(rule**2) / 2), abs=3e-3)


def test_a_thin_circle_passes_the_weak_rule_and_is_exposed_by_the_headline_rule():
    """It meets each mode with 24 of 2,500 samples: more than one, fewer than a tenth of the fair share (31)."""
    found = [scores(thin_circle(seed)) for seed in range(20)]
    assert all(one["modes_any"] == 8 and one["high_quality"] < 0.1 for one in found)
    assert sum(one["modes"] for one in found) / len(found) < 1.5


def test_a_gaussian_without_structure_is_exposed_by_the_headline_rule():
    found = scores(math.sqrt(2) * torch.randn(N, 2, generator=generator()))
    assert found["modes_any"] >= 2 and found["modes"] == 0 and found["high_quality"] < 0.01


def test_ten_times_the_samples_make_the_weak_rule_weaker():
    found = scores(math.sqrt(2) * torch.randn(10 * N, 2, generator=generator()))
    assert found["modes_any"] == 8 and found["modes"] == 0


@pytest.mark.parametrize("target", [GRID, EMBEDDED], ids=["grid", "embedded"])
@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.989])
def test_the_radius_holds_its_share_of_real_samples(target, quantile):
    x = target.draw((4000,), generator(1))
    distance = torch.cdist(x, target.means.float(), compute_mode="donot_use_mm_for_euclid_dist").amin(1)
    share = (distance <= modes.Rule(0.1, quantile=quantile).radius(target)).double().mean().item()
    assert share == pytest.approx(quantile, abs=4 * (quantile * (1 - quantile) / 4000) ** 0.5)


@pytest.mark.parametrize(("radius", "dimension"), [(3.0, 2), (1.0, 5), (26.0, 700), (10.0, 700)])
def test_the_share_within_a_radius_is_that_of_chi(radius, dimension):
    assert float(modes.share_within(radius, dimension)) == pytest.approx(stats.chi.cdf(radius, dimension), rel=1e-9)


def test_three_standard_deviations_in_the_plane_are_the_headline_quantile():
    assert modes.Rule(0.1, quantile=1 - math.exp(-4.5)).radius(GRID) == pytest.approx(0.15, rel=1e-5)
    assert modes.Rule(0.1, sd=3.0).radius(GRID) == pytest.approx(0.15, rel=1e-12)


def test_the_names_of_the_rules_say_what_they_are():
    for name, rule in modes.RULES.items():
        reach, share = name.split(", ")
        number, unit = reach.split()
        assert rule.share == {"tenth": 0.1, "one": 0.0, "half": 0.5}[share]
        wanted = {"sd": (float(number), None), "%": (None, {"99": 0.989, "90": 0.9}.get(number))}[unit]
        assert (rule.sd, rule.quantile) == wanted


def test_a_rule_asks_for_a_share_of_the_samples_or_for_one():
    assert [modes.Rule(share, sd=3.0).least(2500, 25) for share in (0.5, 0.1, 0.0)] == [50, 10, 1]
    assert modes.Rule(0.1, sd=3.0).least(50, 25) == 1


QUANTILES = [name for name, rule in modes.RULES.items() if rule.quantile]


@TARGETS
def test_under_every_rule_p_covers_all_and_one_mode_covers_one(target):
    rules = QUANTILES if target is EMBEDDED else list(modes.RULES)
    samples = modes.ends(target, N, generator(2))
    found = {
        name: modes.measured(x[None], target, {"rule": "99 %, tenth", "rules": rules}) for name, x in samples.items()
    }
    for key in ("modes", *(("modes", rule) for rule in rules)):
        assert found["fresh samples of P"][key] == len(target.means) and found["one mode"][key] == 1
    assert found["fresh samples of P"]["high_quality"] > 0.95


def test_three_sd_would_reject_p_itself_in_1200_dimensions():
    x = EMBEDDED.draw((1000,), generator(3))
    assert (torch.cdist(x, EMBEDDED.means.float()).amin(1) <= 3).sum() == 0
    assert modes.measured(x[None], EMBEDDED, {"rule": "3 sd, tenth"})["modes"] == 0


@pytest.mark.parametrize("rule", modes.RULES)
def test_a_rule_counts_alike_wherever_it_is_used(rule):
    """As the headline of `measured`, as a further rule, and mode by mode."""
    x = torch.stack([GRID.draw((N,), generator(seed)) for seed in range(2)])
    x[1, N // 50 :] = x[1, : N - N // 50] * 1.01  # which moves the outer modes away
    found = modes.measured(x, GRID, {"rule": "3 sd, tenth", "rules": [rule]})["modes", rule]
    which = modes.covered(x, GRID, rule)
    assert which.shape == (2, 25) and which.dtype == torch.bool and torch.equal(which.sum(1), found)
    if modes.RULES[rule].share:
        assert torch.equal(modes.measured(x, GRID, {"rule": rule})["modes"], found)


def test_a_population_is_watched_under_its_headline_rule():
    measure = {"watched": 64, "rule": "5 sd, tenth", "samples": 500}
    p = population([run("kl"), run("gan", seed=1)], measure=measure)
    found = modes.watched(p)
    assert list(found) == ["watched modes", "watched high_quality"]
    wanted = modes.measured(p.sample(64, "watch"), p.target, measure)
    assert torch.equal(found["watched modes"], wanted["modes"]) and found["watched high_quality"].shape == (2,)


def test_baselines_are_drawn_anew_from_streams_of_their_own():
    measure = {"samples": 300, "rule": "3 sd, tenth", "rules": ["3 sd, one"], "baseline_seeds": 3}
    rows = modes.baselines(RING, measure, "ring")
    assert [(name, divergence, seed) for name, divergence, seed, _ in rows] == [
        (name, "", seed) for seed in range(3) for name in ("fresh samples of P", "one mode")
    ]
    assert rows[2][3]["modes"] == 8 and rows[3][3]["modes", "3 sd, one"] == 1
    quality = [float(metrics["high_quality"]) for name, _, _, metrics in rows if name == "fresh samples of P"]
    assert len(set(quality)) > 1
    again = modes.baselines(RING, measure, "ring")
    assert [float(metrics["high_quality"]) for name, _, _, metrics in again if name == "fresh samples of P"] == quality


def test_a_mode_without_a_sample_is_never_covered_whatever_the_rule():
    for rule in modes.RULES.values():
        nothing = modes.summary(torch.zeros(1, 8), 2500, rule)
        assert nothing["modes"].tolist() == [0] and nothing["high_quality"].tolist() == [0]
