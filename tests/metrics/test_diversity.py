"""Density, coverage and the Vendi score: hand-made samples, closed forms, and what each of them cannot see."""

import math

import pytest
import torch

from fgan.metrics import diversity
from fgan.targets.mixtures import ring

LINE = torch.tensor([[0.0], [1.0], [3.0], [10.0]])  # radii to the nearest other: 1, 1, 2, 7


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_radii_reach_to_the_kth_other_sample():
    assert diversity.neighbour_radii(LINE, 1).tolist() == [1, 1, 2, 7]
    assert diversity.neighbour_radii(LINE, 2).tolist() == [3, 2, 3, 9]


def test_density_and_coverage_by_hand():
    """0.5 lies in two balls, 2.5 in one, 20 in none; four in the balls of 3 and 10; runs are apart."""
    samples = torch.tensor([[[0.5], [2.5], [20.0]], [[4.0], [4.0], [4.0]]])
    density, coverage = diversity.density_and_coverage(samples, LINE, 1)
    assert density.tolist() == pytest.approx([1, 2]) and coverage.tolist() == [0.75, 0.5]


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize(("n", "m"), [(50, 50), (40, 120)])
def test_fresh_samples_have_their_closed_form(k, n, m):
    """Whatever P is, its rank statistics are those of n + m exchangeable points."""
    g, p = generator(), ring(8, 2.0, 0.3)
    draws = [
        diversity.density_and_coverage(p.draw((1, m), g), p.draw((n,), g), k) for _ in range(400)
    ]  # fmt: skip
    density, coverage = (torch.stack(column).mean().item() for column in zip(*draws, strict=True))
    missed = math.prod((n - i) / (n + m - i) for i in range(1, k + 1))
    assert density == pytest.approx(1, abs=0.04) and coverage == pytest.approx(1 - missed, abs=0.01)


def test_density_does_not_see_collapse_and_coverage_does():
    g, p = generator(), ring(8, 2.0, 0.02)
    one = p.means[0].float() + 0.02 * torch.randn((1, 500, 2), generator=g)
    density, coverage = diversity.density_and_coverage(one, p.draw((500,), g), 5)
    assert density.item() > 0.9 and coverage.item() < 0.2


def test_samples_that_are_not_finite_lie_in_no_ball():
    samples = torch.tensor([[[math.nan], [math.inf], [0.0]]])
    density, coverage = diversity.density_and_coverage(samples, LINE, 1)
    assert density.item() == pytest.approx(2 / 3) and coverage.item() == 0.5
    assert diversity.vendi(samples, 1.0).isnan().all()


def test_vendi_counts_atoms_that_lie_far_apart():
    atoms = 100 * torch.eye(4)
    assert diversity.vendi(atoms[[0, 1, 2, 3] * 25][None], 1.0).item() == pytest.approx(4)
    assert diversity.vendi(atoms[[2] * 50][None], 1.0).item() == pytest.approx(1)


def test_vendi_of_unequal_atoms_is_the_exponential_of_their_entropy():
    atoms = 100 * torch.eye(2)
    found = diversity.vendi(atoms[[0] * 30 + [1] * 10][None], 1.0).item()
    assert found == pytest.approx(math.exp(-0.75 * math.log(0.75) - 0.25 * math.log(0.25)))


def test_vendi_of_two_points_is_that_of_their_kernel():
    """K / 2 has the eigenvalues (1 + s) / 2 and (1 - s) / 2 with s = exp(-d^2 / 2 h^2)."""
    s = math.exp(-(0.6**2) / (2 * 0.5**2))
    high, low = (1 + s) / 2, (1 - s) / 2
    expected = math.exp(-high * math.log(high) - low * math.log(low))
    assert diversity.vendi(torch.tensor([[[0.0], [0.6]]]), 0.5).item() == pytest.approx(expected)


def test_vendi_counts_the_modes_of_a_ring_and_takes_structureless_samples_for_more():
    g, p = generator(), ring(8, 2.0, 0.02)
    diffuse = torch.randn((500, 2), generator=g) * math.sqrt(2)
    modes, none = (diversity.vendi(x[None], 0.4).item() for x in (p.draw((500,), g), diffuse))
    assert modes == pytest.approx(8, abs=0.5) and none > 1.5 * modes
