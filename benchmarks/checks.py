"""What a GPU must show before it trains anything.

A case is a function of the device. It returns what it measured, and `ok` where something can be wrong.
"""

import multiprocessing
import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import torch

from benchmarks import measure
from benchmarks.configurations import CONFIGURATIONS
from fgan import design
from fgan.engine import machines
from fgan.engine.machines import MACHINES
from fgan.engine.training import captured, rounds, step, train
from fgan.jobs.train import Checkpoint
from fgan.record import provenance

STEPS = 40  # two chunks of draws
CLOSE = 1e-8  # |dF| in float64 after 20 steps
SINGLE = 1e-3  # relative, in float32 after 20 steps
PRODUCTS = {64: (2400, 128), 400: (200, 128), 1200: (100, 4096)}  # runs and batch of each width
SPEEDS = {"ring 2x64": 256, "MNIST f-GAN": 100}  # runs; images are random, because no pixel decides a step's time


def ring(device, kind="single_step", **method):
    """Every divergence and objective on the ring of the scale smoke, two seeds of each."""
    chosen = design.load("ring", "smoke")
    changes = {"steps": STEPS, "history": 10, "method": {"kind": kind, **method}}
    shard = design.Shard("ring", "tanh", 0, 1, design.merge(chosen.arms["tanh"], changes))
    return chosen.run.population(shard.settings, shard.runs, torch.device(device))


def configured(name, device):
    """Two runs of a configuration of the benchmark, for half as many steps."""
    population = CONFIGURATIONS[name].population(2, device)
    population.settings |= {"steps": STEPS // 2, "history": 10}
    return population


POPULATIONS = {
    "ring, every divergence": ring, "ring, k steps of V": partial(ring, kind="k_step", k=2),
    **{name: partial(configured, name) for name in ("ring maxout", "MNIST small", "DCGAN small")},
}  # fmt: skip


def versions(device):
    """The machine and what runs on it."""
    return provenance.fingerprint(device) | provenance.versions() | {"commit": provenance.commit()}


def copy(device):
    """Bytes read and written by a copy of a large tensor, and those in the table of machines."""
    source = torch.zeros(2**28 if device == "cuda" else 2**23, device=device)
    target = torch.empty_like(source)
    rate = 2 * source.nbytes / measure.timed(lambda: target.copy_(source), device, 0.5)
    return {"GB/s": rate / 1e9, "table": MACHINES[device]["bandwidth"] / 1e9}


def products(width, device):
    """Batched float32 products in the shape of a population's layer."""
    runs, batch = PRODUCTS[width]
    runs = runs if device == "cuda" else max(2, runs // 100)
    x, w = (torch.randn(runs, n, width, device=device) for n in (batch, width))
    seconds = measure.timed(lambda: torch.bmm(x, w), device, 0.5)
    rates = {"TFLOP/s": 2 * x.numel() * width / seconds / 1e12, "table": MACHINES[device]["rate"] / 1e12}
    return rates | {"runs": runs, "batch": batch}


def kernels(device, count=1000):
    """A graph of small kernels; on a CPU the same calls one by one."""
    x = torch.zeros(1000, device=device)

    def adds():
        for _ in range(count):
            x.add_(1)

    adds()
    seconds = measure.timed(measure.graph(adds) if device == "cuda" else adds, device, 0.5) / count
    return {"us a kernel": 1e6 * seconds, "table": 1e6 * MACHINES[device]["launch"]}


def apart(one, other):
    """The largest difference of two tensors, relative above 1; infinite where only one of two values is a number."""
    same = (one == other) | (one.isnan() & other.isnan())
    differences = (one - other).abs() / one.abs().clamp(min=1)
    return torch.where(same, 0.0, differences.nan_to_num(nan=torch.inf)).max().item()


def as_eager(make, device):
    """Twenty captured steps against twenty plain ones on the same device, in float32."""
    fast, plain, largest = make(device), make(device), 0.0
    data, noise = plain.draws(0, max(rounds(plain), 1), rounds(plain) + 1)
    advance = captured(fast, data[:, 0], noise[:, 0]) if fast.device.type == "cuda" else partial(step, fast)
    for i in range(20):
        mine, wanted = advance(data[:, i], noise[:, i]), step(plain, data[:, i], noise[:, i])
        largest = max(largest, apart(wanted["F"], mine["F"]))
    return {"dF": largest, "ok": largest < SINGLE}


def frozen(device, poisoned=1, at=10):
    """A run whose weights become NaN in the middle is marked, and no bit of the others changes."""

    def poison(population):
        population.omega[poisoned, 0] = torch.where(population.steps == at, torch.nan, population.omega[poisoned, 0])
        return {}

    (_, history, diverged), (_, clean, _) = train(ring(device), poison), train(ring(device), lambda population: {})
    others = [r for r in range(len(diverged)) if r != poisoned]
    marks = diverged.nan_to_num(-1).tolist()
    right = marks[poisoned] == at + 1 and torch.equal(history["F"][:, others], clean["F"][:, others])
    return {"marked at": marks[poisoned], "ok": right and all(marks[r] == -1 for r in others)}


class Stopping(Checkpoint):
    """A checkpoint after which the training ends."""

    def save(self, state, last):
        super().save(state, last=True)
        raise InterruptedError


def stopped(make, device, path):
    """Trains a population until its first checkpoint."""
    machines.prepare(device)
    try:
        train(make(device), lambda population: {}, checkpoint=Stopping(path, device))
    except InterruptedError:
        return


def whole(make, device, checkpoint=None):
    """The state of a population after its training."""
    population = make(device)
    train(population, lambda population: {}, checkpoint=checkpoint)
    return population.state()


def same_bits(one, other):
    """Whether two states are equal to the bit (where NaN is NaN)."""
    return {"ok": all(torch.equal(one[key].nan_to_num(-1), other[key].nan_to_num(-1)) for key in one)}


def resumed(make, device):
    """A training that a process began and another one ends has the bits of one that nothing interrupted."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "state.pt")
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            pool.submit(stopped, make, device, path).result()
        return same_bits(whole(make, device, Checkpoint(path, device)), whole(make, device))


def twice(make, device):
    """Two trainings of the same runs have the same bits."""
    return same_bits(whole(make, device), whole(make, device))


def speed(name, device):
    """Run-steps per second of a population, captured on a GPU, against a plain eager loop over single runs."""
    runs = SPEEDS[name]
    mine = measure.stacked(name, runs, device, at=0.0)
    rates = {"run-steps/s": runs / mine["seconds"], "plain": measure.plain(name, device)}
    shares = {"share of products": mine["products"], "TFLOP/s": mine["operations"] / 1e12}
    shares = {key: value / mine["seconds"] for key, value in shares.items()}
    return rates | {"ratio": rates["run-steps/s"] / rates["plain"], "runs": runs} | shares


def agrees(name, device):
    """Twenty steps in float64 on the device against the CPU, on the same draws."""
    from benchmarks import agreement

    largest = agreement.disagreement(name, device)
    return {"dF": largest, "ok": largest < CLOSE}


def groups():
    """{name: function of the device} of the short cases, then of those whose list alone takes seconds to make."""
    yield (
        {"versions": versions, "ceiling: copy": copy}
        | {f"ceiling: products of {width}": partial(products, width) for width in PRODUCTS}
        | {"ceiling: small kernels": kernels, "a run made NaN": frozen, "resumed: ring": partial(resumed, ring)}
        | {f"twice the same bits: {name}": partial(twice, make) for name, make in POPULATIONS.items()}
        | {f"captured as eager: {name}": partial(as_eager, make) for name, make in POPULATIONS.items()}
        | {f"speed: {name}": partial(speed, name) for name in SPEEDS}
    )
    from benchmarks import agreement

    yield {f"as on the CPU: {name}": partial(agrees, name) for name in agreement.cases()}
