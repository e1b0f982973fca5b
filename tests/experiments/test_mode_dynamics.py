"""Mode dynamics: pictures of the same z, modes won and lost counted between them, and a state that survives a kill."""

import math

import torch
from small import EXPERIMENTS, settings

from fgan import design
from fgan.design import Run
from fgan.engine.training import train

DYNAMICS = design.module(EXPERIMENTS, "mode_dynamics", "run")
MEASURE = {"samples": 400, "shown": 30, "rule": "99 %, tenth"}
RUNS = [Run("mode_dynamics", "ring", name, "saddle", 0) for name in ("kl", "gan")]


def population(runs=RUNS, **changes):
    target = {"kind": "ring", "modes": 8, "radius": 2.0, "sd": 0.1}
    common = {"steps": 25, "history": 10, "target": target, "measure": MEASURE}
    return DYNAMICS.population(settings(**common | changes), runs)


def test_there_is_a_picture_at_every_entry_and_it_follows_the_same_z():
    p = population()
    steps, history, _ = train(p, DYNAMICS.observe)
    _, samples = DYNAMICS.evaluate(p, steps, history)
    assert steps == [10, 20, 25] and samples["pictures"].shape == (2, 3, 30, 2)
    torch.testing.assert_close(p.pictures[:, -1], p.sample(400, "film")[:, :30])
    assert not torch.equal(p.pictures[:, 0], p.pictures[:, 1])
    torch.testing.assert_close(history["watched modes"][-1], p.covered[:, -1].sum(dim=1))


def test_a_lone_run_has_the_pictures_that_it_has_beside_others():
    whole, lone = population(), population(RUNS[:1])
    train(whole, DYNAMICS.observe), train(lone, DYNAMICS.observe)
    assert torch.equal(whole.pictures[0], lone.pictures[0])


def test_what_is_won_and_lost_is_counted():
    p = population()
    p.covered = torch.tensor([[[1, 0, 0], [1, 1, 0], [0, 1, 0]], [[1, 1, 1]] * 3], dtype=torch.uint8)
    metrics, _ = DYNAMICS.evaluate(p, [], {})
    counts = {name: values.tolist() for name, values in metrics.items()}
    assert counts == {"modes": [1, 3], "forgotten": [1, 0], "ever covered": [2, 3], "won": [1, 0], "lost": [1, 0]}


def test_the_pictures_belong_to_the_state():
    p, later = population(), population()
    train(p, DYNAMICS.observe)
    later.load({name: values.clone() for name, values in p.state().items()})
    assert torch.equal(p.pictures, later.pictures) and torch.equal(p.covered, later.covered)


def test_the_first_cover_and_the_loss_after_it_have_their_steps():
    """A mode covered from the second picture on, one lost and won again, one never covered, one kept throughout."""
    covered = torch.tensor([[0, 1, 0, 1], [1, 0, 0, 1], [1, 1, 0, 1]], dtype=torch.bool)[None]
    first, lost = DYNAMICS.spells(covered, [10, 20, 30])
    torch.testing.assert_close(first, torch.tensor([[20.0, 10.0, math.nan, 10.0]]).double(), equal_nan=True)
    torch.testing.assert_close(lost, torch.tensor([[math.nan, 20.0, math.nan, math.nan]]).double(), equal_nan=True)
