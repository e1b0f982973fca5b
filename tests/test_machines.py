"""Stacks fit in memory: cut by the counted peak, halved when memory ends, and no result depends on the cut."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from benchmarks import cut
from benchmarks.configurations import CONFIGURATIONS
from small import EXPERIMENTS

from fgan import cost, design, machines, records, shards
from fgan.records import RecordError
from fgan.validation import read_yaml

COST = cost.Cost(operations=1.0, traffic=1.0, kernels=1, peak=40.0, runs=4)


@pytest.fixture(autouse=True)
def denormals():
    """What `prepare` sets for a training job ends with the test."""
    yield
    torch.set_flush_denormal(False)


def room(monkeypatch, size, device="cpu"):
    monkeypatch.setitem(machines.MACHINES, device, machines.MACHINES[device] | {"stack": size})


@pytest.mark.parametrize(
    "size, lengths", [(240, [24]), (239, [12, 12]), (100, [8, 8, 8]), (70, [6, 6, 6, 6]), (3, [2] * 12)]
)
def test_pieces_are_the_fewest_equal_ones_that_fit(size, lengths, monkeypatch):
    room(monkeypatch, size)
    runs = list(range(24))
    cut = machines.pieces(runs, COST, "cpu")
    assert [len(piece) for piece in cut] == lengths and [run for piece in cut for run in piece] == runs


def test_a_gpu_gives_no_more_than_it_has_free(monkeypatch):
    room(monkeypatch, 10_000, "cuda")
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (150, 1000))
    assert [len(piece) for piece in machines.pieces(list(range(24)), COST, "cuda")] == [12, 12]


def test_a_shard_for_a_gpu_takes_the_seconds_of_the_table(monkeypatch):
    monkeypatch.setitem(machines.MACHINES, "cuda", {"seconds": 100, "rate": 1.0, "bandwidth": 1.0, "launch": 0.5})
    one = cost.Cost(operations=2.0, traffic=1.0, kernels=8, peak=1.0, runs=1)  # 3 s for each seed, 4 s in all
    assert machines.seeds_per_shard("cuda", lambda: one, 1) == 32
    assert machines.seeds_per_shard("cuda", lambda: one, 10) == 2
    assert machines.seeds_per_shard("cuda", lambda: one, 1000) == 1


@pytest.mark.parametrize("size", [2, 3, 6])
def test_what_the_benchmark_writes_cuts_as_it_chose(size, tmp_path, monkeypatch):
    table = tmp_path / "machines.yaml"
    table.write_text(cut.TABLE.read_text())
    monkeypatch.setattr(cut, "TABLE", table)
    rates = {"ring": {(1, 1): 100, (2, 1): 104}, "MNIST f-GAN": {(1, n): 2.0 + (n == size) for n in (2, 3, 6)}}
    rows = [(what, *key, value) for what, found in rates.items() for key, value in found.items()]
    cut.write(pd.DataFrame(rows, columns=["networks", "threads", "size", "run-steps/s"]))
    written = read_yaml(table)
    assert written["cpu"]["threads"] == 1 and written["cuda"] == machines.MACHINES["cuda"]
    monkeypatch.setitem(machines.MACHINES, "cpu", written["cpu"])
    counted = cost.counted(lambda: CONFIGURATIONS["MNIST f-GAN"].population(12, "meta"))
    assert {len(piece) for piece in machines.pieces(list(range(12)), counted, "cpu")} == {size}


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
        done = shards.with_room(stack, [runs[:8], runs[8:]], log)
    assert [run for piece in done for run in piece] == runs and stack.tried == [8, 4, 2, 2, 4, 2, 2, 3]
    said = "out of memory with 8 runs side by side: going on with 4 and 4"
    assert said in capsys.readouterr().err and said in (tmp_path / "log").read_text()


@ERRORS
def test_one_run_without_room_is_one_sentence(error):
    with pytest.raises(RecordError, match="one run alone does not fit in memory"):
        shards.with_room(Stack(0, error), [[1, 2]])


def test_another_error_is_not_taken_for_want_of_memory():
    with pytest.raises(RuntimeError, match="shapes"):
        shards.with_room(Stack(0, RuntimeError("shapes do not fit")), [[1, 2]])


def outcome(folder):
    """Rows and samples that a shard wrote."""
    frame = pd.read_parquet(folder / "measurements.parquet")
    return frame, records.read_samples(folder / "samples.npz")


@pytest.mark.parametrize("experiment", ["ring", "univariate", "digits"])
def test_no_byte_depends_on_the_cut(experiment, tmp_path, monkeypatch):
    chosen = design.load(experiment, "smoke", EXPERIMENTS, max_steps=30)
    (shard, *_) = chosen.shards()
    monkeypatch.chdir(EXPERIMENTS.parent)
    for name, size in (("whole", 1e9), ("cut", 5 * cost.of(chosen, shard).peak / len(shard.runs))):
        room(monkeypatch, size)
        shards.train_shard(chosen, shard, tmp_path / name / experiment / "shards" / shard.name)
    found = [tmp_path / name / experiment / "shards" / shard.name for name in ("whole", "cut")]
    assert len(list((tmp_path / "cut" / experiment / ".checkpoints").glob("*.pt"))) >= 3
    assert len(list((tmp_path / "whole" / experiment / ".checkpoints").glob("*.pt"))) == 1
    for name in ("measurements.parquet", "samples.npz"):
        assert (found[0] / name).read_bytes() == (found[1] / name).read_bytes(), name


def test_memory_that_ends_in_training_changes_no_byte(tmp_path, monkeypatch):
    chosen = design.load("ring", "smoke", EXPERIMENTS, max_steps=30)
    (shard, *_) = chosen.shards()
    monkeypatch.chdir(EXPERIMENTS.parent)
    folders = [tmp_path / name / "ring/shards/tanh-seed0" for name in ("whole", "halved")]
    shards.train_shard(chosen, shard, folders[0])
    plain = shards.train

    def scarce(population, *rest):
        if len(population.runs) > 8:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return plain(population, *rest)

    monkeypatch.setattr(shards, "train", scarce)
    shards.train_shard(chosen, shard, folders[1])
    (frame, samples), (other, others) = map(outcome, folders)
    pd.testing.assert_frame_equal(frame, other, check_exact=True)
    assert samples.keys() == others.keys() and all(
        np.array_equal(samples[k], others[k], equal_nan=True) for k in samples
    )
    assert json.loads((folders[1] / "durations.json").read_text())["train_s"] > 0


def test_freed_memory_stays_with_the_process():
    """Page faults of a large tensor that is made again and again: many without the setting, none with it."""
    code = """
import resource, torch
from fgan import machines
{}
def faults(): return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10): torch.ones(30_000_000).add(1)
before = faults()
for _ in range(5): torch.ones(30_000_000).add(1)
print(faults() - before)
"""
    plain, kept = (
        int(subprocess.run([sys.executable, "-c", code.format(line)], capture_output=True, text=True).stdout)
        for line in ("", "machines.prepare('cpu')")
    )
    assert plain > 1000 > kept
