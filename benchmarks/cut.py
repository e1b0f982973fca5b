"""Finds the fastest cut of a design on this machine: threads of a job, seeds of a shard, bytes of a stack."""

import re
import time
from pathlib import Path

import pandas as pd
import torch

from benchmarks.configurations import CONFIGURATIONS
from benchmarks.measure import inputs_of, jobs, stacked, together
from fgan import design
from fgan.engine import cost, machines
from fgan.engine.convolutions import WAYS
from fgan.engine.training import step
from fgan.jobs import plan

TABLE = Path(machines.__file__).with_name("machines.yaml")


def rate(what, threads, size, at):
    """Run-steps per second of one job: `size` seeds of the quick ring, or `size` runs of the MNIST networks."""
    machines.prepare("cpu")
    torch.set_num_threads(threads)
    if what == "ring":
        chosen = design.load("ring", "quick")
        shard = design.Shard("ring", "tanh", 0, size - 1, chosen.arms["tanh"])
        population = chosen.run.population(shard.settings, shard.runs)
    else:
        population = CONFIGURATIONS[what].population(size, "cpu")
    inputs = inputs_of(population)
    step(population, *inputs)
    time.sleep(max(0.0, at - time.time()))
    steps, began = 0, time.perf_counter()
    while time.perf_counter() - began < 4 or steps < 2:
        step(population, *inputs)
        steps += 1
    return steps * population.n_runs / (time.perf_counter() - began)


def measure():
    """Run-steps per second of this machine for each way to cut, with all cores busy."""
    cores, rows = plan.available(), []
    with jobs(cores) as pool:
        together(pool, rate, [("ring", 1, 1)] * cores)  # imports and warm-up
        for what, threads, size in [
            *(("ring", threads, 1) for threads in sorted({1, cores})), ("ring", 1, 2), ("ring", 1, 5),
            *(("MNIST f-GAN", 1, size) for size in (2, 3, 6)),
        ]:  # fmt: skip
            number = cores // threads
            rates = together(pool, rate, [(what, threads, size)] * number)
            rows.append({"networks": what, "jobs": number, "threads": threads, "size": size, "run-steps/s": sum(rates)})
    return pd.DataFrame(rows)


def ways(device):
    """Seconds of a step of the stacked DCGANs, in each way of their convolutions."""
    before, found = machines.MACHINES[device], {}
    try:
        for way in WAYS:
            machines.MACHINES[device] = before | {"convolutions": way}
            found[way] = sum(stacked(name, 16, device, time.time())["seconds"] for name in ("DCGAN small", "DCGAN 28"))
    finally:
        machines.MACHINES[device] = before
    return found


def write_way(device, seconds):
    """Writes the fastest way of convolutions into a device's entry of the table of machines."""
    way, text = min(seconds, key=seconds.get), TABLE.read_text()
    TABLE.write_text(re.sub(rf"(?ms)(^{device}:.*?^  convolutions: )\w+", rf"\g<1>{way}", text, count=1))


def best(rows, slack=0.05):
    """The first row within `slack` of the fastest, so that noise does not displace a simpler cut."""
    return rows[rows["run-steps/s"] >= (1 - slack) * rows["run-steps/s"].max()].iloc[0]


def write(frame):
    """Writes threads and stack into the table of machines and keeps its comments."""
    ring, mnist = frame[frame.networks == "ring"], frame[frame.networks == "MNIST f-GAN"]
    threads = int(best(ring[ring["size"] == 1]).threads)
    size = int(best(mnist)["size"])
    peak = cost.counted(lambda: CONFIGURATIONS["MNIST f-GAN"].population(size, "meta")).peak
    text = TABLE.read_text()
    for key, value in {"threads": str(threads), "stack": f"{1.01 * peak:.2e}"}.items():
        # The first match is the CPU's entry.
        text = re.sub(rf"(?<=  {key}: )\S+", value, text, count=1)
    TABLE.write_text(text)
