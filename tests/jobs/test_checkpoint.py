"""Training that is interrupted and continued, bit for bit, and the files from which it goes on."""

import copy
import math
import random
from pathlib import Path

import pytest
import torch
from small import driven, full_disk, population, run, trained

from fgan.engine.training import train
from fgan.files import RecordError
from fgan.jobs.train import Checkpoint


class Killed(Exception):
    pass


def killer(at):
    def progress(step):
        if step == at:
            raise Killed

    return progress


class Memory:
    """A checkpoint in memory that keeps the state of one step."""

    def __init__(self, at=None, state=None):
        self.at, self.state = at, state

    def load(self):
        return copy.deepcopy(self.state)

    def save(self, state, last):
        if state["step"] == self.at:
            self.state = copy.deepcopy(state)


def poisoned(p):
    """Observes samples; makes a weight of the second run NaN from step 10 to 15, so that it is frozen for good."""
    if p.theta_optimiser.steps in (10, 15):
        p.omega[1, 0] = math.nan if p.theta_optimiser.steps == 10 else 0.1
    return {"spread": p.sample(20, "watch").std(dim=(1, 2))}


CASES = pytest.mark.parametrize(
    "method", [{"kind": "single_step"}, {"kind": "k_step", "k": 2}], ids=lambda m: m["kind"])  # fmt: skip


def three(method):
    return driven([run("kl"), run("pearson", seed=1), run("gan", "alternative")], method=method, steps=70, history=5)


def same_bits(p, outcome, other, expected):
    assert outcome[0] == expected[0]
    assert torch.equal(outcome[2].nan_to_num(-1), expected[2].nan_to_num(-1)) and outcome[2][1] == 11
    assert set(outcome[1]) == set(expected[1])
    for name in expected[1]:
        assert torch.equal(outcome[1][name].nan_to_num(-1), expected[1][name].nan_to_num(-1)), name
    mine, theirs = p.state(), other.state()
    assert set(mine) == set(theirs) and "theta.mean" in mine
    for name in mine:
        assert torch.equal(mine[name].nan_to_num(-1), theirs[name].nan_to_num(-1)), name


@CASES
@pytest.mark.parametrize("at", [20, 60])
def test_a_continued_training_has_the_bits_of_an_undisturbed_one(method, at):
    """A frozen run among them: its step and its stillness survive too."""
    undisturbed = three(method)
    expected = train(undisturbed, poisoned)
    memory = Memory(at)
    train(three(method), poisoned, checkpoint=memory)
    later = three(method)
    same_bits(later, train(later, poisoned, checkpoint=Memory(state=memory.state)), undisturbed, expected)


@CASES
def test_a_killed_training_continues_from_its_file(method, tmp_path, monkeypatch):
    monkeypatch.setenv("FGAN_CHECKPOINT_SECONDS", "0")
    undisturbed = three(method)
    expected = train(undisturbed, poisoned)
    path = tmp_path / "side.pt"
    with pytest.raises(Killed):
        train(three(method), poisoned, killer(40), Checkpoint(path, "cpu"))
    steps, later = [], three(method)
    outcome = train(later, poisoned, steps.append, Checkpoint(path, "cpu"))
    assert steps == [20, 40, 60, 70]  # from the state of step 20: the work of one chunk is lost
    same_bits(later, outcome, undisturbed, expected)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_damaged_checkpoint_starts_anew(tmp_path, monkeypatch, share):
    monkeypatch.setenv("FGAN_CHECKPOINT_SECONDS", "0")
    path = tmp_path / "side.pt"
    trained(population([run()]), checkpoint=Checkpoint(path, "cpu"))
    whole = path.read_bytes()
    assert Checkpoint(path, "cpu").load()["step"] == 20
    path.write_bytes(whole[: int(share * len(whole))])
    assert Checkpoint(path, "cpu").load() is None
    path.write_bytes(b"not a checkpoint")
    assert Checkpoint(path, "cpu").load() is None
    path.unlink()
    assert Checkpoint(path, "cpu").load() is None


def test_changed_bytes_are_never_loaded_as_if_whole(tmp_path, monkeypatch, capsys):
    """400 changes of one to four bytes anywhere: a state is the one that was saved, or is told and not loaded."""
    monkeypatch.setenv("FGAN_CHECKPOINT_SECONDS", "0")
    path, draw, told = tmp_path / "side.pt", random.Random(0), 0
    trained(population([run()]), checkpoint=Checkpoint(path, "cpu"))
    whole, saved = path.read_bytes(), Checkpoint(path, "cpu").load()
    for _ in range(400):
        changed = bytearray(whole)
        for place in draw.sample(range(len(whole)), draw.randint(1, 4)):
            changed[place] ^= draw.randint(1, 255)
        path.write_bytes(changed)
        found = Checkpoint(path, "cpu").load()
        said = capsys.readouterr().err
        assert said.count("\n") == (found is None)  # one line, or none
        if found is None:
            told += 1
            assert "side.pt is damaged" in said and path.read_bytes() == changed
        else:
            assert found["step"] == saved["step"] and found["history"].keys() == saved["history"].keys()
            for name, value in saved["population"].items():
                assert torch.equal(found["population"][name].nan_to_num(-1), value.nan_to_num(-1)), name
    assert told > 200


def test_want_of_memory_is_no_damage(tmp_path, monkeypatch):
    path = tmp_path / "side.pt"
    Checkpoint(path, "cpu").save({"theta": torch.zeros(2)}, last=True)

    def scarce(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch, "load", scarce)
    with pytest.raises(torch.OutOfMemoryError):
        Checkpoint(path, "cpu").load()


def test_a_checkpoint_is_written_when_its_time_has_come_and_at_the_end(tmp_path, monkeypatch):
    monkeypatch.setenv("FGAN_CHECKPOINT_SECONDS", "3600")
    path, seen = tmp_path / "side.pt", []
    trained(
        population([run()], steps=60), checkpoint=Checkpoint(path, "cpu"), progress=lambda _: seen.append(path.exists())
    )
    assert seen == [False] * 4 and path.exists()
    assert torch.load(path, weights_only=True)["step"] == 60


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_disk_too_full_for_a_checkpoint_gets_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("FGAN_CHECKPOINT_SECONDS", "0")
    full_disk(tmp_path, "side.pt")
    with pytest.raises(RecordError, match="cannot write .*side.pt: "):
        Checkpoint(tmp_path / "side.pt", "cpu").save({"theta": torch.zeros(1_000_000)}, last=True)


def test_what_earlier_starts_took_counts_as_well(tmp_path):
    before = Checkpoint(tmp_path / "state.pt", "cpu")
    before.began -= 100
    before.save({"step": 1}, last=True)
    again = Checkpoint(tmp_path / "state.pt", "cpu")
    assert again.load() == {"step": 1} and 100 <= again.spent < 160
    again.began -= 50
    again.save({"step": 2}, last=True)
    last = Checkpoint(tmp_path / "state.pt", "cpu")
    last.load()
    assert 150 <= last.spent < 210
