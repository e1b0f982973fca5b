"""Machines: stacks fit in memory by the counted peak, shards take the seconds of the table, freed memory is kept."""

import subprocess
import sys

import pandas as pd
import pytest
import torch
from benchmarks import cut
from benchmarks.configurations import CONFIGURATIONS
from small import room

from fgan.design import read_yaml
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
