"""A population: what a run computes is its own, whatever trains beside it."""

import itertools
import math
from dataclasses import replace

import pytest
import torch
from small import driven, nothing, population, published, run, trained

from fgan.design import DesignError
from fgan.divergences import DIVERGENCES
from fgan.engine.population import CHUNK, seeded
from fgan.engine.training import train

OBJECTIVES = ("saddle", "alternative")
STEPS = 60
# All divergences and objectives, over three seeds: neighbours with the same and with other streams.
PAIRS = list(itertools.product(DIVERGENCES, OBJECTIVES))
RUNS = [run(*pair, seed=k % 3, arm="tanh") for k, pair in enumerate(PAIRS)]
NETWORKS = pytest.mark.parametrize("experiment", ["ring", "digits"])


def outcome(experiment, runs):
    """{run: its parameters and its history, flat} after training side by side."""
    p = published(experiment, runs, STEPS)
    steps, history, _ = train(p, nothing)
    assert steps[-1] == STEPS and all(values.shape == (len(steps), len(runs)) for values in history.values())
    rows = torch.cat([p.theta[: len(runs)], p.omega[: len(runs)], *(history[m].T for m in sorted(history))], dim=1)
    assert rows.isfinite().all()
    return dict(zip(runs, rows, strict=True))


@pytest.fixture(scope="module")
def together():
    return {experiment: outcome(experiment, RUNS) for experiment in ("ring", "digits")}


def same_bits(found, wanted):
    different = [one for one, row in found.items() if not torch.equal(row, wanted[one])]
    assert not different


@NETWORKS
def test_bits_do_not_depend_on_the_number_of_neighbours(experiment, together):
    for first in range(0, len(RUNS), 7):
        same_bits(outcome(experiment, RUNS[first : first + 7]), together[experiment])


@NETWORKS
def test_bits_do_not_depend_on_the_order(experiment, together):
    same_bits(outcome(experiment, RUNS[::-1]), together[experiment])
    same_bits(outcome(experiment, RUNS[::5] + RUNS[2::3]), together[experiment])


@NETWORKS
def test_bits_of_a_lone_run_are_those_among_others(experiment, together):
    for one in RUNS[::2] if experiment == "ring" else RUNS[1::4]:
        same_bits(outcome(experiment, [one]), together[experiment])


def test_a_lone_run_is_padded_to_two_and_returned_once():
    p = population([run()])
    history, diverged = trained(p)
    assert len(p.theta) == 2 and torch.equal(p.theta[0], p.theta[1])
    assert history["F"].shape == (20, 1) and diverged.shape == (1,)
    assert p.sample(50, "evaluation").shape == (1, 50, 2)


def test_all_runs_of_a_seed_share_weights_data_and_noise():
    one, other = population([run("kl"), run("pearson", "alternative")]), population([run("neyman"), run("kl", seed=1)])
    zero = dict(zip(("data", "noise"), one.draws(0, 1, 1), strict=True))
    mixed = dict(zip(("data", "noise"), other.draws(0, 1, 1), strict=True))
    assert torch.equal(one.theta[0], one.theta[1]) and torch.equal(one.theta[0], other.theta[0])
    weights = slice(0, -1)  # all but V's output bias, which starts at the divergence's own threshold
    assert torch.equal(one.omega[0, weights], one.omega[1, weights])
    assert torch.equal(one.omega[0, weights], other.omega[0, weights])
    for name in zero:
        assert len(zero[name]) == 1 and len(mixed[name]) == 2
        assert torch.equal(zero[name][0], mixed[name][0])


def test_another_experiment_seed_or_chunk_has_other_streams():
    p = population([run(), run(seed=1), replace(run(), experiment="other")])
    assert len(p.theta.unique(dim=0)) == len(p.omega.unique(dim=0)) == 3
    first, second = p.draws(0, 1, 1), p.draws(1, 1, 1)
    for now, later in zip(first, second, strict=True):
        everything = torch.cat([now.flatten(1), later.flatten(1)])
        assert len(everything.unique(dim=0)) == 6
    assert first[0].shape == (3, CHUNK, 1, 32, 2) and first[1].shape == (3, CHUNK, 1, 32, 2)


@pytest.mark.parametrize("chunk", [0, 3])
def test_without_fresh_draws_every_step_has_the_first_one(chunk):
    runs = [run(), run(seed=1)]
    fixed, free = population(runs, fresh=False), population(runs)
    for mine, theirs in zip(fixed.draws(chunk, 1, 1), free.draws(0, 1, 1), strict=True):
        assert mine.shape == theirs.shape
        assert torch.equal(mine, theirs[:, :1].expand_as(theirs))
    # What only judges has its own draws, whatever the training sees.
    assert not torch.equal(fixed.draws("judge", 1, 1)[0][:, 0], fixed.draws(0, 1, 1)[0][:, 0])


@pytest.mark.parametrize("kind", ["sgd", "adam"])
def test_a_generator_with_rate_zero_stays_bit_for_bit(kind):
    decays = {} if kind == "sgd" else {"beta1": 0.5}
    p = driven([run(), run("kl")], optimiser={"kind": kind, "generator": 0.0, "variational": 1e-2} | decays)
    theta, omega = p.theta.clone(), p.omega.clone()
    trained(p)
    assert torch.equal(p.theta, theta) and (p.omega != omega).any(dim=1).all()


def test_generator_and_variational_network_start_from_different_streams():
    p = population([run(), run(seed=1)], variational={"hidden": [16, 16]})
    assert (p.theta_views[0][0, :, :2] != p.omega_views[0][0, :, :2]).all()


def test_the_noise_is_normal_or_uniform_on_minus_one_to_one():
    normal = population([run()]).noise((50_000,), seeded("cpu", "test"))
    uniform = population([run()], noise={"kind": "uniform", "dimension": 2}).noise((50_000,), seeded("cpu", "test"))
    assert normal.std().item() == pytest.approx(1, abs=0.01) and normal.abs().max() > 3
    assert uniform.std().item() == pytest.approx(1 / math.sqrt(3), abs=0.01) and uniform.abs().max() <= 1
    assert abs(uniform.mean()) < 0.01


def test_samples_of_a_run_depend_on_their_purpose_alone():
    few, many = population([run("kl")]), population([run("gan", seed=1), run("kl"), run("kl", seed=2)])
    wanted = few.sample(100, "evaluation")
    assert torch.equal(wanted[0], many.sample(100, "evaluation")[1])
    assert not torch.equal(wanted, few.sample(100, "watch"))


def test_no_global_seed_is_read_or_touched():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    p = population([run(), run("kl", seed=1)])
    first, _ = trained(p)
    p.sample(10, "evaluation")
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(2)
    again, _ = trained(population([run(), run("kl", seed=1)]))
    assert torch.equal(first["F"], again["F"])


@NETWORKS
def test_jensen_shannon_and_gan_are_one_algorithm(experiment):
    """F differs by log 4, the parameters by rounding, over the first 20 steps and under both objectives."""
    pairs = list(itertools.product(("jensen_shannon", "gan"), OBJECTIVES))
    p = published(experiment, [run(*pair) for pair in pairs], 20)
    _, history, _ = train(p, nothing)
    for parameters in (p.theta, p.omega):
        torch.testing.assert_close(parameters[:2], parameters[2:], rtol=1e-4, atol=2e-5)
        assert not torch.allclose(parameters[0], parameters[1], rtol=1e-4, atol=2e-5)  # the objectives do differ
    shift = torch.full_like(history["F"][:, :2], math.log(4))
    torch.testing.assert_close(history["F"][:, :2] - history["F"][:, 2:], shift, rtol=0, atol=2e-5)


def test_v_starts_at_the_threshold_of_its_divergence():
    """The output bias carries g^-1(f'(1)) on top of the start that the seed gives to all divergences."""
    p = population([run(name) for name in DIVERGENCES] + [run("alpha_3", "alternative")])
    biases = p.omega_views[-1].detach().flatten()
    wanted = torch.tensor([d.threshold_v for d in DIVERGENCES.values()])
    free = biases[-1]  # alpha = 3 has its threshold at v = 0
    torch.testing.assert_close(biases[:-1] - free, wanted)
    assert wanted.unique().numel() > 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"remedies": [{"kind": "packing", "points": 2}]}, "remedies"),
        ({"noise": {"kind": "gumbel", "dimension": 2}}, "noise.kind"),
    ],
)
def test_a_setting_that_the_population_would_ignore_is_refused(changes, words):
    with pytest.raises(DesignError, match=words):
        population([run()], **changes)
