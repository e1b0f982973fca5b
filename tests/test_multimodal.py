"""The mixtures with countable modes: their places, what P itself scores, and the radius that a quantile means."""

import pytest
import torch

from fgan import design, figures
from fgan.metrics import coverage
from fgan.targets import multimodal

EMBEDDED = {"kind": "embedded", "levels": [-1, 0, 2.5], "inner": 700, "dimension": 1200, "sd": 1.0}
GRID = {"kind": "grid", "side": 5, "spacing": 2.0, "sd": 0.05}
RING = {"kind": "ring", "modes": 8, "radius": 2.0, "sd": 0.02}
RULE = {"samples": 2500, "quantile": 0.989, "fair_share": 0.1}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def of(target):
    return multimodal.of({"target": target})


def test_the_grid_has_its_modes_where_the_literature_has_them():
    means = of(GRID).means
    assert means.shape == (25, 2) and sorted(set(means.flatten().tolist())) == [-4, -2, 0, 2, 4]


def test_an_embedded_mode_spreads_in_the_inner_values_alone():
    target = of(EMBEDDED)
    x = target.draw((4, 500), generator())
    assert x.shape == (4, 500, 1200) and target.dimension == 1200 and not x[..., 700:].any()
    nearest = torch.cdist(x.flatten(0, 1), target.means.float()).argmin(1)
    assert nearest.bincount().min() > 500
    levels = x.flatten(0, 1)[:, :700].mean(1)
    torch.testing.assert_close(levels, target.means.float()[nearest, 0], atol=0.2, rtol=0)


@pytest.mark.parametrize(
    "target", [GRID, {"kind": "ring", "modes": 8, "radius": 2.0, "sd": 0.02}], ids=["grid", "ring"]
)
def test_figures_draw_the_modes_where_the_target_has_them(target):
    torch.testing.assert_close(torch.from_numpy(figures.centres(target)), of(target).means.double())


def test_a_target_takes_every_kind_of_mixture_from_the_design():
    assert list(multimodal.MIXTURES) == ["ring", "grid", "embedded"]
    assert len(of(RING).means) == 8


@pytest.mark.parametrize("target", [GRID, EMBEDDED])
@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.989])
def test_the_radius_holds_its_share_of_real_samples(target, quantile):
    p = of(target)
    x = p.draw((4000,), generator(1))
    distance = torch.cdist(x, p.means.float(), compute_mode="donot_use_mm_for_euclid_dist").amin(1)
    share = (distance <= coverage.radius(p, quantile)).double().mean().item()
    assert share == pytest.approx(quantile, abs=4 * (quantile * (1 - quantile) / 4000) ** 0.5)


def test_three_standard_deviations_in_the_plane_are_the_headline_quantile():
    assert coverage.radius(of(GRID), 1 - torch.tensor(-4.5).exp().item()) == pytest.approx(0.15, rel=1e-5)


@pytest.mark.parametrize("target", [GRID, EMBEDDED])
def test_under_every_rule_p_covers_all_and_one_mode_covers_one(target):
    p = of(target)
    found = coverage.untrained(p, RULE, generator(2))
    for rule in ("modes", *(f"modes [{name}]" for name in coverage.RULES)):
        assert found["fresh samples of P"][rule] == len(p.means) and found["one mode"][rule] == 1
    assert found["fresh samples of P"]["high_quality"] > 0.95


def test_three_sd_would_reject_p_itself_in_1200_dimensions():
    p = of(EMBEDDED)
    distance = torch.cdist(p.draw((1000,), generator(3)), p.means.float()).amin(1)
    assert (distance <= 3).sum() == 0


@pytest.mark.parametrize("target", [{"kind": "grid", "side": 5, "sd": 0.05}, GRID | {"radius": 1.0}])
def test_a_design_with_half_a_target_is_refused(tmp_path, target):
    folder = tmp_path / "ring"
    folder.mkdir()
    source = design.read_yaml("experiments/ring/experiment.yaml") | {"target": target}
    (folder / "experiment.yaml").write_text(design.json.dumps(source))
    with pytest.raises(design.DesignError, match="spacing|radius"):
        design.load("ring", "smoke", tmp_path)
