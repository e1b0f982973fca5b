"""Pairing: arms of an experiment draw the same numbers for the same seed, as far as their shapes allow."""

import itertools

import pytest
import torch
from small import EXPERIMENTS

from fgan import design
from fgan.design import Run
from fgan.engine.training import rounds


def start(experiment, arm, seed=0, scale="full"):
    """The first run of an arm at its start: what it draws, by name, and the settings that decide the shapes of each."""
    loaded = design.load(experiment, scale, EXPERIMENTS)
    own = loaded.arms[arm]
    run = Run(experiment, arm, own["divergences"][0], own["objectives"][0], seed)
    p = loaded.run.population(own, [run])
    data, noise = p.draws(0, max(rounds(p), 1), rounds(p) + 1)
    z = noise[..., : own["noise"]["dimension"]]  # behind it are the random values of remedies
    drawn = {"data": data, "noise": z, "G": p.theta[0].detach(), "V": p.omega[0].detach()[:-1]}  # without V's threshold
    size = (own["batch"], rounds(p))
    generator, variational = ({**own.get(name, {}), "activation": None} for name in ("generator", "variational"))
    return drawn, {
        "data": (own["target"], *size), "noise": (own["noise"], *size),
        "G": (own.get("start"), generator, p.theta.shape), "V": (variational, own.get("remedies"), p.omega.shape),
    }  # fmt: skip


@pytest.mark.parametrize("experiment", ["remedies", "divergence_or_settings", "convergence", "mode_dynamics"])
def test_what_has_the_same_shape_is_the_same_in_every_arm(experiment):
    arms = list(design.load(experiment, "full", EXPERIMENTS).arms)
    starts, shared = {arm: start(experiment, arm) for arm in arms}, 0
    for one, other in itertools.combinations(arms, 2):
        (mine, shapes), (theirs, others) = starts[one], starts[other]
        for name in mine:
            if shapes[name] == others[name]:
                assert torch.equal(mine[name], theirs[name]), (one, other, name)
                shared += 1
    assert shared >= len(arms) - 1


@pytest.mark.parametrize(
    "experiment, one, other",
    [("divergence_or_settings", "tanh_slow_base", "tanh_equal_high"), ("remedies", "none", "none_fast"),
     ("divergence_or_settings", "tanh_slow_base", "relu_slow_base"), ("remedies", "none", "unrolling_5"),
     ("remedies", "none", "gradient_penalty"), ("remedies", "none", "none_equal_cost")])  # fmt: skip
def test_arms_of_the_same_shapes_share_all_that_they_draw(experiment, one, other):
    (mine, _), (theirs, _), (later, _) = start(experiment, one), start(experiment, other), start(experiment, one, 1)
    for name in mine:
        assert torch.equal(mine[name], theirs[name]) and not torch.equal(mine[name], later[name])


@pytest.mark.parametrize(
    "arm, same",
    [("packing_2", ["data", "noise", "G"]), ("instance_noise", ["data", "noise", "G", "V"]),
     ("spectral_norm", ["data", "noise", "G"]), ("minibatch_8", ["data", "noise", "G"]),
     ("reconstructor", ["data", "noise"]), ("grid_none", ["noise"])])  # fmt: skip
def test_an_arm_of_other_shapes_shares_the_rest(arm, same):
    """Packs and pairs give V another width, minibatch discrimination another layer; another target has other data."""
    (mine, _), (theirs, _) = start("remedies", "none"), start("remedies", arm)
    assert [name for name in same if not torch.equal(mine[name], theirs[name])] == []
    size = len(mine["G"])
    assert arm == "grid_none" or torch.equal(theirs["G"][:size], mine["G"])  # a reconstructor's weights follow G's
