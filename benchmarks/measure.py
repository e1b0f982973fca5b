"""A population side by side with a plain loop.

Both train the same networks as a GAN. The plain loop trains one run after the other and has the whole machine; the
population is cut as the workflow cuts it, one stack and one thread for each core, or one captured stack on a GPU.
All rates are measured in one execution, so their ratios hold on a busy machine too.
"""

import multiprocessing
import shutil
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import pandas as pd
import torch

from benchmarks.configurations import CONFIGURATIONS
from benchmarks.plain import Loop, module
from fgan.engine import cost, machines
from fgan.engine.training import captured, recorded, step
from fgan.jobs import plan

SIZES = (1, 4, 16, 64, 256, 1024)
LONGEST = 10.0  # expected seconds of three steps above which a size is skipped


def jobs(workers):
    """Processes that measure side by side, as the workflow's jobs train."""
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"))


def together(pool, function, arguments):
    """Results of calls in separate processes, which start to measure at the same time."""
    at = time.time() + 1.0
    return [future.result() for future in [pool.submit(function, *given, at) for given in arguments]]


def timed(function, device, least=1.0):
    """Seconds of one call, averaged after a warm-up over at least three calls and `least` seconds."""
    function()
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    wait()
    calls, batch, began = 0, 3, time.perf_counter()
    while not calls or time.perf_counter() - began < least:
        for _ in range(batch):
            function()
        wait()
        calls, batch = calls + batch, 2 * batch  # few waits, because each one slows a short step down
    return (time.perf_counter() - began) / calls


class Limit(cost.Counter):
    """Records the work that every program of a step must do: its products, and the bytes that other kernels move."""

    def __init__(self):
        super().__init__()
        self.calls, self.moved = [], []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        before = self.traffic
        result = super().__torch_dispatch__(function, types, args, kwargs)
        if function._overloadpacket in cost.OPERATIONS:
            self.calls.append((function, args, kwargs or {}))
        elif self.traffic > before:
            self.moved.append(int(self.traffic - before))
        return result

    def products(self):
        for function, args, kwargs in self.calls:
            function(*args, **kwargs)

    def copies(self, device):
        """A function that makes one copy for each other kernel, of the bytes that the kernel reads and writes."""
        source, target = torch.zeros(2, max(self.moved) // 8 + 1, device=device)  # 4 bytes are read and 4 written
        pairs = [(target[: size // 8 + 1], source[: size // 8 + 1]) for size in self.moved]

        def copy():
            for there, here in pairs:
                there.copy_(here)

        return copy


def plain(name, device, compiled=False):
    """Run-steps per second of a loop over single runs; on a CPU with all threads or with one, whichever is faster."""
    machines.prepare(device)
    chosen = CONFIGURATIONS[name]
    x = torch.rand(chosen.batch, chosen.data, device=device)
    z = torch.randn(chosen.batch, chosen.noise, device=device)
    rates = []
    for threads in {1, plan.available()} if device == "cpu" else {1}:
        torch.set_num_threads(threads)
        torch.compiler.reset()
        loop = Loop(*map(module, chosen.networks()), chosen.optimiser, device, compiled)
        rates.append(1 / timed(partial(loop, x, z), device))
    return max(rates)


def inputs_of(population):
    """Data and noise of one step."""
    shape = (len(population.streams), 1, population.settings["batch"])
    return population.target.draw(shape, None), population.noise(shape, None)


def stacked(name, runs, device, at):
    """Seconds of a step of one job's runs, of its products alone and of copies of its other bytes, with the counts.

    The runs are cut as a shard is: stacks that do not fit in memory together take turns.
    """
    machines.prepare(device)
    chosen = CONFIGURATIONS[name]
    counted = cost.counted(lambda: chosen.population(runs, "meta"), device)
    stack, *_ = machines.pieces(range(runs), counted, device)
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    population = chosen.population(len(stack), device)
    inputs = inputs_of(population)
    advance = captured(population, *inputs) if device == "cuda" else lambda x, z: step(population, x, z)
    advance(*inputs)
    time.sleep(max(0.0, at - time.time()))  # the stacks of all cores run at the same time
    seconds = timed(partial(advance, *inputs), device)
    memory = torch.cuda.max_memory_allocated() if device == "cuda" else counted.peak * len(stack) / counted.runs
    del advance  # its graph holds the memory of a step
    with torch.no_grad(), Limit() as limit, torch.enable_grad():
        step(population, *inputs)
    with torch.no_grad():
        alone = [limit.products, limit.copies(device)]
        products, copies = (timed(graph(f) if device == "cuda" else f, device, least=0.5) for f in alone)
    turns = runs / len(stack)
    made = len(population.runs) / len(stack)  # a lone run is padded to two
    return {
        "seconds": turns * seconds, "products": turns * products, "copies": turns * copies,
        "operations": turns * limit.operations / made, "memory": memory,
    }  # fmt: skip


def graph(function):
    """A function without arguments as a captured graph."""
    return recorded(function)[0].replay


def population(pool, name, runs, device, workers):
    """A row of the table: the runs cut into one stack per worker, all at the same time."""
    shares = [n for n in (runs // workers + (i < runs % workers) for i in range(workers)) if n]
    stacks = together(pool, stacked, [(name, share, device) for share in shares])
    seconds, taken = max(one["seconds"] for one in stacks), sum(one["seconds"] for one in stacks)
    operations = sum(one["operations"] for one in stacks)
    return {
        "run-steps/s": runs / seconds,
        "samples/s": runs / seconds * CONFIGURATIONS[name].batch,
        "GFLOP a run-step": operations / runs / 1e9,
        "GFLOP/s": operations / seconds / 1e9,
        "share of products": sum(one["products"] for one in stacks) / taken,
        "share of copies": sum(one["copies"] for one in stacks) / taken,
        "MB": sum(one["memory"] for one in stacks) / 1e6,
        "seconds": seconds,
    }


def table(device, names, sizes, say=print):
    """One row for each configuration and number of runs."""
    workers = 1 if device == "cuda" else plan.available()
    rows = []
    with jobs(workers) as pool:
        together(pool, stacked, [("ring 2x64", 2, device)] * workers)  # imports and warm-up
        for name in names:
            alone = {"plain": plain(name, device)}
            if device == "cuda" or shutil.which("c++"):
                alone["compiled"] = plain(name, device, compiled=True)
            last = None
            for runs in sizes:
                # A size without a measurement is listed as skipped.
                row = {"configuration": name, "runs": runs} | alone
                rows.append(row)
                if last and 3 * last["seconds"] * -(-runs // workers) / -(-last["runs"] // workers) > LONGEST:
                    continue
                try:
                    row |= population(pool, name, runs, device, workers)
                except (MemoryError, torch.OutOfMemoryError):
                    continue
                last = row
                say(f"{name}, {runs} runs: {row['run-steps/s']:,.1f} run-steps/s, plain {row['plain']:,.1f}")
            # Measured twice, so that another process's load at one of the two moments does not flatter the ratios.
            again = max(alone["plain"], plain(name, device))
            for row in rows[-len(sizes) :]:
                row["plain"] = again
    frame = pd.DataFrame(rows)
    frame["ratio"] = frame["run-steps/s"] / frame["plain"]
    return frame.drop(columns="seconds")
