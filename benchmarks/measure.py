"""A population side by side with a plain loop.

Both train the same networks as a GAN. The plain loop takes one run after the other and has the whole machine; the
population is cut as the workflow cuts it, one stack and one thread for each core, or one captured stack on a GPU.
Every rate is measured in this one run, so their ratios hold on a busy machine too.
"""

import multiprocessing
import os
import shutil
import time
from concurrent.futures import ProcessPoolExecutor

import pandas as pd
import torch

from benchmarks.configurations import CONFIGURATIONS
from benchmarks.plain import Loop, module
from fgan import cost, machines
from fgan.training import captured, step

SIZES = (1, 4, 16, 64, 256, 1024)
LONGEST = 10.0  # seconds of three steps; what takes longer is skipped


def jobs(workers):
    """Processes that measure side by side, as the workflow's jobs train."""
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"))


def together(pool, function, arguments):
    """Results of calls in processes of their own, which begin to measure at the same time."""
    at = time.time() + 1.0
    return [future.result() for future in [pool.submit(function, *given, at) for given in arguments]]


def timed(function, device, least=1.0, steps=3):
    """Seconds of one call: after a warm-up, over at least `steps` calls and `least` seconds."""
    function()
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    wait()
    calls, began = 0, time.perf_counter()
    while calls < steps or time.perf_counter() - began < least:
        function()
        calls += 1
        if calls >= steps:
            wait()
    return (time.perf_counter() - began) / calls


class Products(cost.Counter):
    """Keeps the products of a step, to be executed again without all else."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function._overloadpacket in cost.flop_registry:
            self.calls.append((function, args, kwargs or {}))
        return super().__torch_dispatch__(function, types, args, kwargs)

    def __call__(self):
        for function, args, kwargs in self.calls:
            function(*args, **kwargs)


def plain(name, device, compiled=False):
    """Run-steps per second of a loop over single runs; on a CPU with all threads or with one, whichever is faster."""
    chosen = CONFIGURATIONS[name]
    loop = Loop(*map(module, chosen.networks()), chosen.optimiser, device, compiled)
    x = torch.rand(chosen.batch, chosen.data, device=device)
    z = torch.randn(chosen.batch, chosen.noise, device=device)
    rates = []
    for threads in {1, os.cpu_count()} if device == "cpu" else {1}:
        torch.set_num_threads(threads)
        rates.append(1 / timed(lambda: loop(x, z), device))
    return max(rates)


def stacked(name, runs, device, at):
    """Of one stack: seconds of a step and of its products alone, and what is counted of a step."""
    machines.prepare(device)
    population = CONFIGURATIONS[name].population(runs, device)
    data, noise = population.draws(0, 1, 1)
    inputs = data[:, 0].clone(), noise[:, 0].clone()
    del data, noise
    advance = captured(population, *inputs) if device == "cuda" else lambda x, z: step(population, x, z)
    advance(*inputs)
    time.sleep(max(0.0, at - time.time()))  # the stacks of all cores run at the same time
    seconds = timed(lambda: advance(*inputs), device)
    with torch.no_grad(), Products() as products, torch.enable_grad():
        step(population, *inputs)
    with torch.no_grad():
        alone = timed(graph(products) if device == "cuda" else products, device, least=0.5)
    made = len(population.runs) / runs  # a lone run is padded to two
    memory = torch.cuda.max_memory_allocated() if device == "cuda" else products.peak
    return {"seconds": seconds, "products": alone, "operations": products.operations / made, "memory": memory}


def graph(function):
    """A function without arguments as a captured graph."""
    recorded = torch.cuda.CUDAGraph()
    with torch.cuda.graph(recorded):
        function()
    return recorded.replay


def population(pool, name, runs, device, workers):
    """A row of the table: the runs cut into one stack per worker, all at the same time."""
    shares = [n for n in (runs // workers + (i < runs % workers) for i in range(workers)) if n]
    found = together(pool, stacked, [(name, share, device) for share in shares])
    seconds = max(one["seconds"] for one in found)
    operations = sum(one["operations"] for one in found)
    return {
        "run-steps/s": runs / seconds,
        "samples/s": runs / seconds * CONFIGURATIONS[name].batch,
        "GFLOP a run-step": operations / runs / 1e9,
        "GFLOP/s": operations / seconds / 1e9,
        "share of products": sum(one["products"] for one in found) / sum(one["seconds"] for one in found),
        "MB": sum(one["memory"] for one in found) / 1e6,
        "seconds": seconds,
    }


def table(device, names, sizes, say=print):
    """One row for each configuration and number of runs."""
    workers = 1 if device == "cuda" else os.cpu_count()
    rows = []
    with jobs(workers) as pool:
        together(pool, stacked, [("ring 2x64", 2, device)] * workers)  # imports and warm-up
        for name in names:
            alone = {"plain": plain(name, device)}
            if device == "cuda" or (shutil.which("c++") and not name.startswith("DCGAN")):
                alone["compiled"] = plain(name, device, compiled=True)
            last = None
            for runs in sizes:
                row = {"configuration": name, "runs": runs} | alone
                if last and 3 * last["seconds"] * runs / last["runs"] > LONGEST * (
                    workers if last["runs"] < workers else 1
                ):
                    rows.append(row)
                    continue
                last = row | population(pool, name, runs, device, workers)
                rows.append(last)
                say(f"{name}, {runs} runs: {last['run-steps/s']:,.1f} run-steps/s, plain {alone['plain']:,.1f}")
    frame = pd.DataFrame(rows)
    frame["ratio"] = frame["run-steps/s"] / frame["plain"]
    return frame.drop(columns="seconds")
