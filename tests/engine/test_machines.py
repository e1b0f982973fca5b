"""Machines: stacks fit in memory by the counted peak, shards take the seconds of the table, freed memory is kept."""

import os
import subprocess
import sys

import pandas as pd
import pytest
import torch
from benchmarks import cut, measure
from benchmarks.configurations import CONFIGURATIONS
from small import room, settle

from fgan.design import DesignError, read_yaml
from fgan.engine import cost, machines

COST = cost.Cost(operations=1.0, traffic=1.0, kernels=1, peak=40.0, runs=4)


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


@pytest.fixture
def libraries():
    """What is set for CUDA's libraries, and put back at the end."""
    places = [(torch.backends.cuda.matmul, "allow_tf32"), (torch.backends.cudnn, "allow_tf32")]
    places.append((torch.backends.cudnn, "deterministic"))
    before = [getattr(*place) for place in places]
    yield lambda: [getattr(*place) for place in places]
    for place, value in zip(places, before, strict=True):
        setattr(*place, value)


@pytest.mark.parametrize("precision, rounded", [("float32", False), ("tf32", True)])
def test_precision_and_determinism_are_set_together(precision, rounded, libraries, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", False)
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    settle(monkeypatch, "cuda", precision=precision)
    machines.prepare("cuda")
    assert libraries() == [rounded, rounded, True] and os.environ["CUBLAS_WORKSPACE_CONFIG"]
    machines.prepare("cpu")
    assert libraries() == [False, False, True]


def test_an_unknown_precision_is_named(monkeypatch):
    settle(monkeypatch, "cuda", precision="bf16")
    with pytest.raises(DesignError, match="cuda.precision is 'bf16'; write float32 or tf32"):
        machines.prepare("cuda")


def test_the_plain_loop_is_prepared_like_a_population(monkeypatch):
    prepared = []
    monkeypatch.setattr(machines, "prepare", prepared.append)
    monkeypatch.setattr(measure, "timed", lambda function, device: 1.0)
    assert measure.plain("ring 2x64", "cpu") == 1.0 and prepared == ["cpu"]


def test_a_meta_tensor_takes_the_ways_of_the_device_it_stands_for():
    x = torch.zeros(1, device="meta")
    with machines.as_on("cuda"):
        assert machines.kind(x) == machines.kind(torch.zeros(1)) == "cuda"
    assert machines.kind(x) == machines.kind(torch.zeros(1)) == "cpu"


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


def test_the_fastest_way_of_convolutions_is_written_for_its_device_alone(tmp_path, monkeypatch):
    table = tmp_path / "machines.yaml"
    table.write_text(cut.TABLE.read_text())
    monkeypatch.setattr(cut, "TABLE", table)
    way = lambda: machines.MACHINES["cuda"]["convolutions"]
    monkeypatch.setattr(cut, "stacked", lambda *_: {"seconds": {"looped": 3.0, "grouped": 1.0, "unfolded": 2.0}[way()]})
    before = way()
    cut.write_way("cuda", cut.ways("cuda"))
    written = read_yaml(table)
    assert written["cuda"] == machines.MACHINES["cuda"] | {"convolutions": "grouped"} and way() == before
    assert written["cpu"] == machines.MACHINES["cpu"]


@pytest.mark.slow
def test_freed_memory_stays_with_the_process():
    """Page faults of a large tensor that is made again and again: many without the setting, none with it."""
    code = """
import resource, torch
from fgan.engine import machines
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
