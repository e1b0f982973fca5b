"""Mixtures: moments of the samples, the density, places of countable modes, and values that are no distribution."""

import math

import pytest
import torch
from scipy import stats

from fgan import targets
from fgan.design import schemas
from fgan.targets import mixtures
from fgan.targets.mixtures import Mixture, ring

UNIVARIATE = ([0.33, 0.67], [-1.0, 2.0], [0.065, 2.0])
EMBEDDED = {"kind": "embedded", "levels": [-1, 0, 2.5], "inner": 700, "dimension": 1200, "sd": 1.0}
GRID = {"kind": "grid", "side": 5, "spacing": 2.0, "sd": 0.05}
PLANAR = Mixture([0.2, 0.5, 0.3], [[0.0, 0.0], [3.0, -1.0], [-2.0, 2.0]], [0.5, 0.1, 1.0])


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_samples_have_the_moments_of_the_mixture():
    weights, means, variances = UNIVARIATE
    x = Mixture(*UNIVARIATE).draw((1_000_000,), generator()).double()
    mean = sum(w * m for w, m in zip(weights, means, strict=True))
    second = sum(w * (m**2 + v) for w, m, v in zip(weights, means, variances, strict=True))
    assert x.mean().item() == pytest.approx(mean, abs=0.01)
    assert x.square().mean().item() == pytest.approx(second, abs=0.02)


def test_samples_follow_the_distribution_function():
    x = Mixture(*UNIVARIATE).draw((20_000,), generator()).flatten().numpy()
    parts = list(zip(*UNIVARIATE, strict=True))
    cdf = lambda t: sum(w * stats.norm.cdf(t, m, math.sqrt(v)) for w, m, v in parts)
    assert stats.kstest(x, cdf).pvalue > 0.01


def test_each_component_gets_its_weight_its_mean_and_its_variance():
    apart = Mixture([0.2, 0.5, 0.3], [[0.0, 0.0], [30.0, -10.0], [-20.0, 20.0]], [0.5, 0.1, 1.0])
    x = apart.draw((200_000,), generator()).double()
    nearest = torch.cdist(x, apart.means).argmin(dim=1)
    for k, (weight, variance) in enumerate(zip(apart.weights.tolist(), apart.variances.tolist(), strict=True)):
        own = x[nearest == k]
        assert len(own) / len(x) == pytest.approx(weight, abs=0.005)
        assert own.mean(dim=0).tolist() == pytest.approx(apart.means[k].tolist(), abs=0.02)
        assert own.var(dim=0).tolist() == pytest.approx([variance, variance], rel=0.03)


def test_samples_have_the_shape_asked_for_and_repeat():
    x = PLANAR.draw((3, 4, 5), generator())
    assert x.shape == (3, 4, 5, 2) and x.dtype == torch.float32 and PLANAR.dimension == 2
    assert torch.equal(x, PLANAR.draw((3, 4, 5), generator())) and not torch.equal(
        x, PLANAR.draw((3, 4, 5), generator(1))
    )
    assert PLANAR(x) is x


def test_the_density_of_a_line_integrates_to_one():
    x = torch.linspace(-30, 30, 200_001, dtype=torch.float64)
    density = Mixture(*UNIVARIATE).log_density(x[:, None]).exp()
    assert torch.trapezoid(density, x).item() == pytest.approx(1, abs=1e-9)


def test_the_density_of_a_plane_integrates_to_one():
    axis = torch.linspace(-12, 12, 801, dtype=torch.float64)
    grid = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), dim=-1)
    density = PLANAR.log_density(grid).exp()
    assert torch.trapezoid(torch.trapezoid(density, axis), axis).item() == pytest.approx(1, abs=1e-9)


def test_the_density_is_the_sum_of_its_gaussians():
    x = torch.tensor([[0.3, -0.2], [3.0, -1.0], [40.0, 0.0]], dtype=torch.float64)
    parts = zip(PLANAR.weights.tolist(), PLANAR.means.tolist(), PLANAR.variances.tolist(), strict=True)
    density = sum(w * stats.multivariate_normal.pdf(x.numpy(), m, v) for w, m, v in parts)
    torch.testing.assert_close(PLANAR.log_density(x[:2]).exp(), torch.as_tensor(density)[:2])
    assert PLANAR.log_density(x[2:]).isfinite().all()  # where the density itself rounds to zero
    assert PLANAR.log_density(x.float()).dtype == torch.float32


def test_a_ring_has_its_modes_evenly_on_the_circle():
    target = ring(8, 2.0, 0.02)
    torch.testing.assert_close(target.means.norm(dim=1), torch.full((8,), 2.0, dtype=torch.float64))
    gaps = (target.means - target.means.roll(1, dims=0)).norm(dim=1)
    torch.testing.assert_close(gaps, torch.full((8,), 4 * math.sin(math.pi / 8), dtype=torch.float64))
    assert (target.weights == 1 / 8).all() and (target.variances == 0.02**2).all()


def test_the_grid_has_its_modes_where_the_literature_has_them():
    means = mixtures.of(GRID).means
    assert means.shape == (25, 2) and sorted(set(means.flatten().tolist())) == [-4, -2, 0, 2, 4]


def test_a_ring_may_lie_off_the_origin():
    moved = ring(7, 2.0, 0.02, centre=(3.0, -1.0)).means - ring(7, 2.0, 0.02).means
    torch.testing.assert_close(moved, torch.tensor([[3.0, -1.0]], dtype=torch.float64).expand(7, 2))


def test_a_closed_ring_has_its_last_mode_on_the_first():
    target = ring(8, 1.0, 0.01, closed=True)  # angles 0, 2 pi / 7, ... 2 pi
    torch.testing.assert_close(target.means, ring(7, 1.0, 0.01).means)
    assert target.weights.tolist() == [2 / 8] + [1 / 8] * 6


def test_an_embedded_mode_spreads_in_the_inner_values_alone_and_has_its_level_in_all():
    target = mixtures.of(EMBEDDED)
    x = target.draw((4, 500), generator())
    assert x.shape == (4, 500, 1200) and target.dimension == 1200
    assert torch.equal(x[..., 700:], x[..., 700:701].expand(-1, -1, 500)) and x[..., 700].unique().tolist() == [
        -1,
        0,
        2.5,
    ]
    nearest = torch.cdist(x.flatten(0, 1), target.means.float()).argmin(1)
    assert nearest.bincount().min() > 500
    levels = x.flatten(0, 1)[:, :700].mean(1)
    torch.testing.assert_close(levels, target.means.float()[nearest, 0], atol=0.2, rtol=0)
    assert torch.equal(x.flatten(0, 1)[:, 700], target.means.float()[nearest, 0])
    assert target(x) is x


def test_a_target_takes_every_kind_of_mixture_from_the_design():
    known = schemas.shared()["targets"]
    for kind in mixtures.KINDS:
        assert targets.MODULES.get(kind) == "mixtures", f"name '{kind}' in MODULES in src/fgan/targets/__init__.py"
        assert kind in known, f"name '{kind}' under targets in src/fgan/design/schema.yaml"
    assert len(mixtures.of({"kind": "ring", "modes": 8, "radius": 2.0, "sd": 0.02}).means) == 8
    line = mixtures.of(dict(zip(("kind", "weights", "means", "variances"), ("mixture", *UNIVARIATE), strict=True)))
    assert line.dimension == 1 and line.weights.tolist() == UNIVARIATE[0]


def test_a_mixture_is_drawn_on_its_device():
    for target in (GRID, EMBEDDED):
        assert mixtures.of(target, "meta").draw((3, 5), None).device.type == "meta"


@pytest.mark.parametrize("weights", [[0.5, 0.6], [1.2, -0.2], [1.0, 0.0], [math.nan, 1.0], [0.3, 0.3]])
def test_weights_that_are_no_distribution_are_refused(weights):
    with pytest.raises(ValueError, match="weights of a mixture must be positive and sum to 1"):
        Mixture(weights, [0.0, 1.0], [1.0, 1.0])


@pytest.mark.parametrize("variance", [0.0, -1.0, math.nan, math.inf])
def test_a_variance_that_is_not_positive_and_finite_is_refused(variance):
    with pytest.raises(ValueError, match="variances of a mixture must be positive"):
        Mixture([0.5, 0.5], [0.0, 1.0], [1.0, variance])


@pytest.mark.parametrize(
    "weights, means, variances",
    [([0.5, 0.5], [0.0, 1.0, 2.0], [1.0, 1.0]), ([0.5, 0.5], [0.0, 1.0], [1.0]), ([1.0], [0.0, 1.0], [1.0, 1.0])],
)
def test_components_of_different_number_are_refused(weights, means, variances):
    with pytest.raises(ValueError, match="a mixture"):
        Mixture(weights, means, variances)
