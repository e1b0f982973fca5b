"""The film: pictures of the same z, modes won and lost counted between them, and a state that survives a kill."""

import torch
from small import EXPERIMENTS, settings

from fgan import design
from fgan.design import Run
from fgan.training import train

FILM = design.module(EXPERIMENTS, "film", "run")
MEASURE = {"samples": 400, "shown": 30, "quantile": 0.989, "fair_share": 0.1}
RUNS = [Run("film", "ring", name, "saddle", 0) for name in ("kl", "gan")]


def population(runs=RUNS, **changes):
    target = {"kind": "ring", "modes": 8, "radius": 2.0, "sd": 0.1}
    return FILM.population(
        settings(**{"steps": 25, "history": 10, "target": target, "measure": MEASURE} | changes), runs
    )


def test_there_is_a_picture_at_every_entry_and_it_follows_the_same_z():
    p = population()
    steps, history, _ = train(p, FILM.observe)
    _, samples = FILM.evaluate(p, steps, history)
    assert steps == [10, 20, 25] and samples["frames"].shape == (2, 3, 30, 2)
    torch.testing.assert_close(p.frames[:, -1], p.sample(400, "film")[:, :30])
    assert not torch.equal(p.frames[:, 0], p.frames[:, 1])
    torch.testing.assert_close(history["watched modes"][-1], p.covered[:, -1].sum(dim=1))


def test_a_lone_run_is_filmed_like_any_other():
    whole, lone = population(), population(RUNS[:1])
    train(whole, FILM.observe), train(lone, FILM.observe)
    assert torch.equal(whole.frames[0], lone.frames[0])


def test_what_is_won_and_lost_is_counted():
    p = population()
    p.covered = torch.tensor([[[1, 0, 0], [1, 1, 0], [0, 1, 0]], [[1, 1, 1]] * 3], dtype=torch.uint8)
    metrics, _ = FILM.evaluate(p, [], {})
    found = {name: values.tolist() for name, values in metrics.items()}
    assert found == {"modes": [1, 3], "forgotten": [1, 0], "ever covered": [2, 3], "won": [1, 0], "lost": [1, 0]}


def test_the_pictures_belong_to_the_state():
    p, later = population(), population()
    train(p, FILM.observe)
    later.load({name: values.clone() for name, values in p.state().items()})
    assert torch.equal(p.frames, later.frames) and torch.equal(p.covered, later.covered)
