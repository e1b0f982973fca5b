"""Collapse from the latent space: collisions, derivatives and preimages of known maps, and the experiment."""

import math

import matplotlib.pyplot as plt
import pandas as pd
import pytest
import torch
from small import EXPERIMENTS

from fgan import claims, cost, design, figures
from fgan.design import Run, merge
from fgan.metrics import latent, mapping
from fgan.networks import mlp
from fgan.parts import thinned
from fgan.population import seeded
from fgan.records import COLUMNS, Part, tidy, write_json, write_measurements, write_samples
from fgan.tables import latex
from fgan.targets import images, known
from fgan.targets.mixtures import ring
from fgan.training import train

RUN = design.module(EXPERIMENTS, "latent", "run")
FIGURES = design.module(EXPERIMENTS, "latent", "figures")
DIGITS = images.digits()
SMALL = {
    "samples": 200, "mesh": 33, "preimages": 20, "shown": 8, "points": 16, "baseline_seeds": 2, "atom_samples": 2000,
}  # fmt: skip


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("number, common", [(50, 50), (500, 5)])
def test_collisions_of_atoms_are_the_sum_of_squared_masses(number, common):
    b = 0.5 / number
    squares = common * (b + 0.5 / common) ** 2 + (number - common) * b**2
    draws = [latent.collisions(known.atoms(number, common, 2000, seeded("cpu", "atoms", s)), 0.1) for s in range(8)]
    assert torch.stack(draws).mean().item() == pytest.approx(squares, rel=0.03)


def test_collisions_on_the_ring_have_a_closed_form():
    p, sd, r = ring(8, 2.0, 0.02), 0.02, 0.02
    found = [latent.collisions(p.draw((2000,), seeded("cpu", "ring", s))[None], r) for s in range(8)]
    assert torch.stack(found).mean().item() == pytest.approx(-math.expm1(-(r**2) / (4 * sd**2)) / 8, rel=0.03)


def test_collisions_count_pairs_once_and_far_ones_alone():
    x = torch.tensor([[[0.0], [0.1], [5.0], [5.1]]])
    assert latent.collisions(x, 0.2).item() == pytest.approx(2 / 6)
    near, far = torch.tensor([[[0.0], [0.1], [9.0], [9.2]]]), torch.tensor([[[0.0], [9.0], [0.1], [9.2]]])
    assert latent.collisions(x, 0.2, near).item() == 0
    assert latent.collisions(x, 0.2, far).item() == pytest.approx(2 / 3)


def test_the_birthday_of_a_year_is_23_and_a_rare_collision_needs_the_square_root():
    assert latent.birthday(torch.tensor(1 / 365)).item() == pytest.approx(23, abs=0.01)
    assert latent.birthday(torch.tensor(1e-8)).item() == pytest.approx(math.sqrt(2 * math.log(2) * 1e8), rel=1e-3)
    assert latent.birthday(torch.tensor(0.0)).item() == math.inf


def test_effective_modes_count_equal_ones():
    hits = torch.tensor([[100, 100, 100, 100], [400, 0, 0, 0], [1, 1, 0, 0]])
    assert latent.effective(hits).tolist() == pytest.approx([4.0, 1.0, math.inf], rel=0.01)


def test_the_nearest_and_the_closest():
    x = torch.tensor([[[0.0, 0.0], [3.0, 4.0], [0.0, 1.0], [3.0, 4.5]]])
    assert latent.nearest(x)[0].tolist() == [1.0, 0.5, 1.0, 0.5]
    assert latent.closest(x, 2)[0].tolist() == x[0][[1, 3, 0, 2]].tolist()


def test_distances_of_a_similarity_correlate_and_of_unrelated_points_do_not():
    z = normal(2, 2000, 2)
    x = torch.stack([3 - 2 * z[0], normal(2000, 2, seed=1)])
    similar, unrelated = latent.distance_correlation(z, x)
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
    _, _, values = known.linear(
        torch.zeros(3), torch.diag(torch.tensor([10.0, 1.0, 0.1], dtype=torch.float64)), 5, None
    )
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
    assert latent.collisions(x, 1e-9).item() == 1 and latent.birthday(latent.collisions(x, 0.0)).item() < 2


def test_a_run_that_is_not_finite_has_no_value_and_touches_no_other():
    x, z = normal(3, 50, 2), normal(3, 50, 2, seed=1)
    x[1, 0, 0] = math.inf
    for measure in (lambda x, z: latent.collisions(x, 0.5, z), latent.distance_correlation,
                    lambda x, z: latent.nearest(x).mean(1)):  # fmt: skip
        found = measure(x, z)
        assert found[1].isnan() and torch.equal(found[::2], measure(x[::2], z[::2]))


def trained(arm, scale="quick", names=("gan", "kl"), seed=9000):
    """Settings, runs, metrics and samples of a few steps of one arm."""
    settings = design.load("latent", scale, EXPERIMENTS).arms[arm]
    settings = merge(settings, {"steps": 6, "history": 3, "measure": SMALL})
    runs = [Run("latent", arm, name, o, seed) for name in names for o in settings["objectives"]]
    population = RUN.population(settings, runs, data=DIGITS if arm == "digits" else None)
    steps, history, diverged = train(population, RUN.observe)
    assert diverged.isnan().all()
    return settings, runs, *RUN.evaluate(population, steps, history)


def test_noise_and_samples_are_those_of_the_population():
    settings = design.load("latent", "quick", EXPERIMENTS).arms["digits"]
    population = RUN.population(settings, [Run("latent", "digits", "kl", "saddle", 9000)], data=DIGITS)
    z, x = latent.drawn(population, 200, "evaluation")
    assert z.shape == (1, 200, settings["noise"]["dimension"])
    assert torch.equal(x, population.sample(200, "evaluation"))


@pytest.mark.parametrize("arm", ["ring", "small", "digits"])
def test_a_run_is_judged_whoever_is_beside_it(arm):
    _, runs, metrics, samples = trained(arm)
    _, _, alone, _ = trained(arm, names=("gan",))
    for name, found in metrics.items():
        assert found.shape == (len(runs),)
        torch.testing.assert_close(found[: len(alone[name])], alone[name], equal_nan=True, rtol=0, atol=0)
    assert ("preimages" in metrics) == (arm != "digits")
    shape = samples["pairs" if arm == "digits" else "map"].shape
    assert shape == ((len(runs), 2 * RUN.PAIRS, 64) if arm == "digits" else (len(runs), 8, 8))


def test_a_small_start_begins_with_all_z_at_one_x():
    spreads = {}
    for arm in ("ring", "small"):
        settings = design.load("latent", "quick", EXPERIMENTS).arms[arm]
        population = RUN.population(settings, [Run("latent", arm, "gan", "saddle", 9000)])
        spreads[arm] = population.sample(500, "start").std(dim=1).max().item()
    assert spreads["small"] < 0.02 < 0.1 < spreads["ring"]


def test_the_real_data_are_equal_in_number_and_disjoint():
    rule = {"samples": 2000}
    reference, fresh = RUN.real(DIGITS, rule), RUN.real(DIGITS, rule, 0)
    assert reference.shape == fresh.shape == (1, 600, 64)
    assert torch.cdist(reference[0], fresh[0]).min() > 0
    p = ring(8, 2.0, 0.02)
    assert RUN.real(p, rule).shape == (1, 2000, 2) and not torch.equal(RUN.real(p, rule), RUN.real(p, rule, 0))


def test_modes_and_collisions_of_samples_of_known_modes():
    p, rule = ring(8, 2.0, 0.02), design.load("latent", "quick", EXPERIMENTS).arms["ring"]["measure"]
    data = p.draw((1000,), seeded("cpu", "test"))
    centre = p.means[0].float()
    structureless = normal(1000, 2).float()
    broken = data.clone().index_fill(0, torch.tensor([0]), math.inf)
    found = RUN.judged(torch.stack([data, centre + 0.02 * structureless, structureless, broken]), None, None, p, rule)
    # Two samples of one mode are within six standard deviations but for e^-9.
    assert found["collisions [same mode]"][:2].tolist() == pytest.approx([1 / 8, 1], rel=0.02)
    assert found["modes"][:3].tolist() == [8, 1, 0] and found["effective modes"][0].item() == pytest.approx(8, rel=0.02)
    assert found["collapsed without collisions"][:3].tolist() == [0, 0, 1]
    assert found["collapsed without collisions"][3].isnan() and found["collisions [same point]"][3].isnan()


@pytest.fixture(scope="module")
def baselines():
    settings = design.load("latent", "quick", EXPERIMENTS).arms["digits"]
    return RUN.baselines(merge(settings, {"measure": SMALL}), DIGITS)


def test_the_samplers_without_training_are_ceiling_and_floor(baselines):
    rows = pd.DataFrame(baselines[0], columns=["name", "seed", "metric", "value"])
    of = rows.groupby(["name", "metric"]).value.mean()
    for place, number in (("ring", 8), ("digits", 10)):
        for at in ("same mode", "same point"):
            assert of[f"data ({place})", f"relative collisions [{at}]"] == pytest.approx(1, rel=0.5)
        assert of[f"one mode ({place})", "relative collisions [same mode]"] == pytest.approx(number, rel=0.1)
        assert of[f"one mode ({place})", "effective modes"] == pytest.approx(1)
        assert of[f"data ({place})", "modes"] == number and of[f"linear map ({place})", "rank correlation"] > 0.4
        assert 0.3 < of[f"data ({place})", "alone"] < 0.7
    assert of["linear map (ring)", "log volume"] == pytest.approx(math.log10(math.sqrt(2)))
    assert of["one mode (ring)", "log volume"] == pytest.approx(math.log10(0.02))


def test_the_root_of_a_covariance():
    root = known.root(DIGITS.train)
    torch.testing.assert_close(root.mT @ root, DIGITS.train.double().mT.cov())


def small_part(folder, baselines, arms, names):
    """A part of two seeds from a few steps of some arms."""
    rows, kept, settings = [], dict(baselines[1]), {}
    for arm in arms:
        for seed in (0, 1):
            own, runs, metrics, samples = trained(arm, names=names, seed=9000 + seed)
            runs = [Run(run.experiment, arm, run.divergence, run.objective, seed) for run in runs]
            metrics |= {"failed": torch.zeros(len(runs))}
            rows.append(tidy(runs, own["steps"], metrics))
            for name, stack in samples.items():
                kept |= {
                    f"{name}/{arm}/{r.divergence}/{r.objective}/{seed}": v for r, v in zip(runs, stack, strict=True)
                }
        settings[arm] = own | {"divergences": list(names), "seeds": 2}
    untrained = [("latent", "baseline", name, "none", seed, 0, metric, v) for name, seed, metric, v in baselines[0]]
    frames = thinned(pd.concat(rows), {arm: own["steps"] for arm, own in settings.items()})
    write_measurements(folder, [*frames, pd.DataFrame(untrained, columns=COLUMNS)])
    write_samples(folder / "samples.npz", kept)
    labels = [{"name": name, "label": name, "effective": ""} for name in names]
    shown = {"name": "latent", "scale": "quick", "settings": settings[arms[0]], "arms": settings}
    write_json(folder / "design.json", shown | {"divergences": labels})
    return Part(folder)


@pytest.mark.parametrize(
    "arms, names", [(("digits", "ring"), FIGURES.CORE), (("digits", "ring", "small"), (*FIGURES.CORE, "neyman"))]
)
def test_figures_tables_and_claims_take_any_arms_and_divergences(tmp_path, baselines, arms, names):
    part = small_part(tmp_path, baselines, arms, names)
    figures.style()
    for kind in ("figure", "table"):
        for owner, short, _ in design.captions(kind, EXPERIMENTS).values():
            if owner != "latent":
                continue
            made = getattr(FIGURES, f"{kind}_{short}")(part)
            if kind == "figure":
                made.savefig(tmp_path / "figure.png", dpi=40)
                plt.close(made)
            else:
                assert len(made) > 0 and not made.isna().any(axis=None) and latex(made)
    found = {row["claim"]: row for row in claims.judge(part, claims.read(EXPERIMENTS / "latent" / "claims.yaml"))}
    assert found["latent-birthday-bound"]["verdict"] == "partly"
    assert found["latent-no-support"]["verdict"] == "replicated"


def test_the_settings_are_those_of_the_experiments_that_they_are_taken_from():
    arms = design.load("latent", "full", EXPERIMENTS).arms
    theirs = {"ring": design.load("ring", "full", EXPERIMENTS).arms["tanh"]}
    theirs["digits"] = design.load("digits", "full", EXPERIMENTS).arms["fgan"]
    for arm, own in theirs.items():
        for key in ("target", "noise", "generator", "variational", "optimiser", "method", "batch", "steps"):
            assert arms[arm][key] == own[key]
    assert {k: v for k, v in arms["ring"]["target"].items() if k != "kind"} == arms["digits"]["measure"]["ring"]


def test_a_step_can_be_counted_without_data():
    chosen = design.load("latent", "smoke", EXPERIMENTS)
    for shard in chosen.shards():
        assert cost.of(chosen, shard).operations > 0
