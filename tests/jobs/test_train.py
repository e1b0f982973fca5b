"""Training a shard: a stack without room is halved, and no byte depends on the cut."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from records import outcome, place
from small import EXPERIMENTS, room

from fgan import design
from fgan.design import Shard
from fgan.engine import cost
from fgan.files import RecordError
from fgan.jobs import train
from fgan.jobs.cut import shards

pytestmark = pytest.mark.usefixtures("root")


class Stack:
    """Trains at most `most` runs side by side and runs out of memory with more."""

    def __init__(self, most, error):
        self.most, self.error, self.tried = most, error, []

    def __call__(self, runs):
        self.tried.append(len(runs))
        if len(runs) > self.most:
            raise self.error
        return runs


ERRORS = pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), MemoryError(), RuntimeError("can't allocate memory"),
     RuntimeError("CUBLAS_STATUS_ALLOC_FAILED")], ids=["cuda", "python", "allocator", "library"])  # fmt: skip


@ERRORS
def test_without_memory_a_piece_is_halved_and_that_is_said(error, capsys, tmp_path):
    stack, runs = Stack(3, error), list(range(11))
    with open(tmp_path / "log", "w") as log:
        done = train.with_room(stack, [runs[:8], runs[8:]], log)
    assert [run for piece in done for run in piece] == runs and stack.tried == [8, 4, 2, 2, 4, 2, 2, 3]
    said = "out of memory with 8 runs side by side: going on with 4 and 4"
    assert said in capsys.readouterr().err and said in (tmp_path / "log").read_text()


@ERRORS
def test_one_run_without_room_is_one_sentence(error):
    with pytest.raises(RecordError, match="one run alone does not fit in memory"):
        train.with_room(Stack(0, error), [[1, 2]])


def test_another_error_is_not_taken_for_want_of_memory():
    with pytest.raises(RuntimeError, match="shapes"):
        train.with_room(Stack(0, RuntimeError("shapes do not fit")), [[1, 2]])


@pytest.mark.parametrize("experiment", ["ring", "univariate", "digits"])
def test_no_byte_depends_on_the_cut(experiment, tmp_path, monkeypatch):
    chosen = design.load(experiment, "smoke", EXPERIMENTS, max_steps=30)
    (shard, *_) = shards(chosen)
    folders = [place(tmp_path / name, shard) for name in ("whole", "cut")]
    for folder, size in zip(folders, (1e9, 5 * cost.of(chosen, shard).peak / len(shard.runs)), strict=True):
        room(monkeypatch, size)
        train.train_shard(chosen, shard, folder)
    assert len(list((tmp_path / "cut" / experiment / ".checkpoints").glob("*.pt"))) >= 3
    assert len(list((tmp_path / "whole" / experiment / ".checkpoints").glob("*.pt"))) == 1
    for name in ("measurements.parquet", "samples.npz"):
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name


def test_seeds_that_were_trained_before_are_not_trained_again(tmp_path, monkeypatch, capsys):
    """A larger shard takes those of the smaller ones beside it, trains the rest, and has the bytes of a training."""
    chosen = design.load("ring", "smoke", EXPERIMENTS, seeds=4, max_steps=20)
    whole, parts = [Shard("ring", "tanh", *span, chosen.arms["tanh"]) for span in ((0, 3), (0, 0), (2, 2))], []
    (whole, *pieces), plain = whole, train.train
    folders = [place(tmp_path / name, whole) for name in ("at once", "later")]
    train.train_shard(chosen, whole, folders[0])
    for piece in pieces:
        train.train_shard(chosen, piece, place(tmp_path / "later", piece))
    monkeypatch.setattr(train, "train", lambda population, *rest: parts.append(population) or plain(population, *rest))
    seconds = train.train_shard(chosen, whole, folders[1])
    assert [sorted({run.seed for run in population.runs}) for population in parts] == [[1], [3]]
    assert seconds["training"] > 0 and "taken from shards that were trained before" in capsys.readouterr().out
    for name in ("measurements.parquet", "samples.npz", "card.json"):
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name


def test_memory_that_ends_in_training_changes_no_byte(tmp_path, monkeypatch):
    chosen = design.load("ring", "smoke", EXPERIMENTS, max_steps=30)
    (shard, *_) = shards(chosen)
    folders = [place(tmp_path / name, shard) for name in ("whole", "halved")]
    train.train_shard(chosen, shard, folders[0])
    plain = train.train

    def scarce(population, *rest):
        if len(population.runs) > 8:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return plain(population, *rest)

    monkeypatch.setattr(train, "train", scarce)
    train.train_shard(chosen, shard, folders[1])
    (frame, samples), (other, others) = map(outcome, folders)
    pd.testing.assert_frame_equal(frame, other, check_exact=True)
    assert samples.keys() == others.keys() and all(
        np.array_equal(samples[k], others[k], equal_nan=True) for k in samples
    )
    assert json.loads((folders[1] / "durations.json").read_text())["training"] > 0


def test_stacks_with_different_metrics_are_refused():
    with pytest.raises(RecordError, match="different metrics"):
        train.joined([{"a": torch.ones(1)}, {"a": torch.ones(1), "b": torch.ones(1)}], 0)
