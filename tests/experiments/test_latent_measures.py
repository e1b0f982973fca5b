"""What the latent space is measured by: collisions, derivatives and preimages of maps that are known."""

import math

import pytest
import torch
from experiments.latent import collisions, known, mapping

from fgan.engine.networks import mlp
from fgan.engine.population import seeded
from fgan.targets.mixtures import ring


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("number, common", [(50, 50), (500, 5)])
def test_collisions_of_atoms_are_the_sum_of_squared_masses(number, common):
    b = 0.5 / number
    squares = common * (b + 0.5 / common) ** 2 + (number - common) * b**2
    draws = [collisions.share(known.atoms(number, common, 2000, seeded("cpu", "atoms", s)), 0.1) for s in range(8)]
    assert torch.stack(draws).mean().item() == pytest.approx(squares, rel=0.03)


def test_collisions_on_the_ring_have_a_closed_form():
    p, sd, r = ring(8, 2.0, 0.02), 0.02, 0.02
    found = [collisions.share(p.draw((2000,), seeded("cpu", "ring", s))[None], r) for s in range(8)]
    assert torch.stack(found).mean().item() == pytest.approx(-math.expm1(-(r**2) / (4 * sd**2)) / 8, rel=0.03)


def test_collisions_count_pairs_once_and_far_ones_alone():
    x = torch.tensor([[[0.0], [0.1], [5.0], [5.1]]])
    assert collisions.share(x, 0.2).item() == pytest.approx(2 / 6)
    near, far = torch.tensor([[[0.0], [0.1], [9.0], [9.2]]]), torch.tensor([[[0.0], [9.0], [0.1], [9.2]]])
    assert collisions.share(x, 0.2, near).item() == 0
    assert collisions.share(x, 0.2, far).item() == pytest.approx(2 / 3)


def test_the_birthday_of_a_year_is_23_and_a_rare_collision_needs_the_square_root():
    assert collisions.birthday(torch.tensor(1 / 365)).item() == pytest.approx(23, abs=0.01)
    assert collisions.birthday(torch.tensor(1e-8)).item() == pytest.approx(math.sqrt(2 * math.log(2) * 1e8), rel=1e-3)
    assert collisions.birthday(torch.tensor(0.0)).item() == math.inf


def test_effective_modes_count_equal_ones():
    hits = torch.tensor([[100, 100, 100, 100], [400, 0, 0, 0], [1, 1, 0, 0]])
    assert collisions.effective_modes(hits).tolist() == pytest.approx([4.0, 1.0, math.inf], rel=0.01)


def test_the_nearest_and_the_closest():
    x = torch.tensor([[[0.0, 0.0], [3.0, 4.0], [0.0, 1.0], [3.0, 4.5]]])
    assert collisions.nearest(x)[0].tolist() == [1.0, 0.5, 1.0, 0.5]
    assert collisions.closest(x, 2)[0].tolist() == x[0][[1, 3, 0, 2]].tolist()


def test_distances_of_a_similarity_correlate_and_of_unrelated_points_do_not():
    z = normal(2, 2000, 2)
    x = torch.stack([3 - 2 * z[0], normal(2000, 2, seed=1)])
    similar, unrelated = collisions.distance_correlation(z, x)
    assert similar == pytest.approx(1.0) and abs(unrelated) < 0.1


@pytest.mark.parametrize("batch_norm, activation", [(False, "tanh"), (True, "relu")])
def test_the_jacobian_is_the_derivative_with_the_batchs_statistics_held(batch_norm, activation):
    network = mlp(3, 5, [7, 6], activation, batch_norm=batch_norm, output="sigmoid")
    weights = torch.stack([network.start(torch.Generator().manual_seed(s)) for s in range(2)]).double()
    # One point moves by so little among so many that the statistics hold.
    z, n, step = normal(2, 4000, 3), 4, 1e-6
    _, found = mapping.jacobian(network, network.views(weights), z, n)
    assert found.shape == (2, n, 3, 5)
    for point in range(n):
        for k in range(3):
            moved = z.clone()
            moved[:, point, k] += step
            both = [network(network.views(weights), noise)[:, point] for noise in (moved, z)]
            torch.testing.assert_close(found[:, point, k], (both[0] - both[1]) / step, rtol=2e-2, atol=2e-4)


def test_singular_values_are_each_runs_own():
    network = mlp(2, 3, [8], "tanh")
    weights = torch.stack([network.start(torch.Generator().manual_seed(s)) for s in range(3)])
    weights[2] = math.nan
    z = normal(3, 10, 2).float()
    found = mapping.singular_values(network, network.views(weights), z, 5)
    alone = mapping.singular_values(network, network.views(weights[1:2]), z[1:2], 5)
    assert torch.equal(found[1:2], alone) and found[:2].isfinite().all() and found[2].isnan().all()
    _, slopes = mapping.jacobian(network, network.views(weights[:2]), z[:2], 5)
    torch.testing.assert_close(found[:2], torch.linalg.svdvals(slopes))


def test_the_spectrum_of_a_linear_map():
    matrix = torch.diag(torch.tensor([10.0, 1.0, 0.1], dtype=torch.float64))
    _, _, values = known.linear(torch.zeros(3), matrix, 5, None)
    found = mapping.spectrum(torch.cat([values, torch.full_like(values, math.nan)]), 0.05)
    assert found["log condition"][0].item() == pytest.approx(2) and found["log volume"][0].item() == pytest.approx(0)
    assert found["local rank"][0].item() == pytest.approx(2 / 3)
    assert all(value[1].isnan() for value in found.values())


def with_slope(function):
    """A map of the plane with its derivative [n, k, d]."""
    return lambda z: (function(z), torch.func.vmap(torch.func.jacrev(function))(z).mT)


MAPS = {
    "identity": (lambda z: z, 1.0),
    "square": (lambda z: torch.stack([z[..., 0] ** 2 - z[..., 1] ** 2, 2 * z[..., 0] * z[..., 1]], -1), 2.0),
    "fold": (lambda z: torch.stack([z[..., 0].abs(), z[..., 1]], -1), 2.0),
    "contraction": (lambda z: 1e-3 * z, 1.0),
    # Every triangle's image encloses x, and no step leads on: what is not solved is not counted.
    "line": (lambda z: torch.stack([z[..., 0].abs(), 0 * z[..., 1]], -1), 1.0),
    # Its image is a thin bent band, which the images of triangles cross in a zigzag: they enclose a point many times.
    "band": (lambda z: torch.stack([z[..., 0].sin(), z[..., 0].cos()], -1) * (1 + 1e-4 * z[..., 1:]), None),
}  # fmt: skip


@pytest.mark.parametrize("name", MAPS)
def test_preimages_of_known_maps(name):
    function, number = MAPS[name]
    z = 0.7 * normal(1, 100, 2)
    found = mapping.preimages([with_slope(function)], z, 61, 4.0).item()
    if name == "band":  # an angle comes back after 2 pi, where it is within reach
        number = 1 + ((z[0, :, 0] + 2 * math.pi < 4) | (z[0, :, 0] - 2 * math.pi > -4)).double().mean().item()
    assert found == pytest.approx(number, abs=0.03)


def test_a_constant_map_sends_every_z_to_its_one_x():
    constant = with_slope(lambda z: 0 * z)
    z = normal(2, 3, 2)
    z[1, 0] = math.nan
    assert mapping.preimages([constant] * 2, z, 5, 4.0)[0].item() == 1 + 2 * 4 * 4
    assert mapping.preimages([constant] * 2, z, 5, 4.0)[1].isnan()
    x = torch.zeros(1, 3, 2)
    assert collisions.share(x, 1e-9).item() == 1 and collisions.birthday(collisions.share(x, 0.0)).item() < 2


def test_a_run_that_is_not_finite_has_no_value_and_touches_no_other():
    x, z = normal(3, 50, 2), normal(3, 50, 2, seed=1)
    x[1, 0, 0] = math.inf
    for measure in (lambda x, z: collisions.share(x, 0.5, z), collisions.distance_correlation,
                    lambda x, z: collisions.nearest(x).mean(1)):  # fmt: skip
        found = measure(x, z)
        assert found[1].isnan() and torch.equal(found[::2], measure(x[::2], z[::2]))
