"""How much faster is a population than the same training written as a plain loop? Both in run-steps per second.

32 runs of the ring's networks (2 x 64, batch 128, GAN, saddle). The plain loop is what one would write: nn.Module,
torch.optim.Adam with foreach, data in memory, no synchronisation, on all cores. The population uses all cores as the
workflow does: one shard and one thread per core.
"""

import multiprocessing
import os
import time

import torch
from torch import nn

from fgan import design
from fgan.design import merge
from fgan.population import Population
from fgan.training import train

RUNS = 32
PLAIN_STEPS, POPULATION_STEPS = 60, 400


def plain():
    """Run-steps per second of a loop over single runs."""
    chosen = design.load("ring", "quick")
    settings, run = chosen.arms["tanh"], chosen.run
    p = run.target(settings)

    def network(inputs, outputs):
        return nn.Sequential(
            nn.Linear(inputs, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, outputs)
        )  # fmt: skip

    done, began = 0, None
    for seed in range(-2, RUNS):  # two runs to warm up
        generator, variational = network(2, 2), network(2, 1)
        rates = dict(betas=(0.5, 0.999), foreach=True)
        g_rule = torch.optim.Adam(generator.parameters(), lr=3e-4, **rates)
        v_rule = torch.optim.Adam(variational.parameters(), lr=1e-3, **rates)
        stream = torch.Generator().manual_seed(seed + 2)
        data = p.draw((PLAIN_STEPS, 128), stream)
        noise = torch.randn((PLAIN_STEPS, 128, 2), generator=stream)
        if seed == 0:
            began = time.perf_counter()
        for x, z in zip(data, noise, strict=True):
            fake = generator(z)
            v_fake, v_real = variational(fake), variational(x)
            value = nn.functional.logsigmoid(v_real).mean() + nn.functional.logsigmoid(-v_fake).mean()
            g_loss = nn.functional.logsigmoid(-v_fake).mean()
            v_grads = torch.autograd.grad(-value, list(variational.parameters()), retain_graph=True)
            g_grads = torch.autograd.grad(g_loss, list(generator.parameters()))
            for rule, grads in ((v_rule, v_grads), (g_rule, g_grads)):
                for parameter, grad in zip(rule.param_groups[0]["params"], grads, strict=True):
                    parameter.grad = grad
                rule.step()
            done += seed >= 0
    return done / (time.perf_counter() - began)


def shard(arguments):
    """Seconds of one shard of the population, on one thread, after a warm-up; its steps."""
    seeds, barrier_at = arguments
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    chosen = design.load("ring", "quick")
    changes = {"divergences": ["gan"], "objectives": ["saddle"], "history": 10**9, "steps": POPULATION_STEPS}
    settings = merge(chosen.arms["tanh"], changes)
    runs = design.Shard("ring", "tanh", seeds[0], seeds[-1], settings).runs

    def population(steps):
        networks = chosen.run.population(settings | {"steps": steps}, runs)
        assert isinstance(networks, Population)
        return networks

    train(population(20), lambda _: {})
    ready = population(POPULATION_STEPS)
    time.sleep(max(0.0, barrier_at - time.time()))  # all shards start together
    began = time.time()
    train(ready, lambda _: {})
    return began, time.time(), POPULATION_STEPS * len(runs)


def stacked(cores):
    """Run-steps per second of the population, cut into one shard per core."""
    size = -(-RUNS // cores)
    groups = [list(range(first, min(first + size, RUNS))) for first in range(0, RUNS, size)]
    with multiprocessing.get_context("spawn").Pool(len(groups)) as pool:
        spans = pool.map(shard, [(group, time.time() + 12) for group in groups])
    elapsed = max(end for _, end, _ in spans) - min(begin for begin, _, _ in spans)
    return sum(steps for *_, steps in spans) / elapsed


def main():
    cores = os.cpu_count()
    loop = plain()
    population = stacked(cores)
    print(f"{RUNS} runs of the ring's networks (2 x 64, batch 128) on {cores} cores")
    print(f"plain loop  {loop:8,.0f} run-steps/s")
    print(f"population  {population:8,.0f} run-steps/s")
    print(f"ratio       {population / loop:8.1f}")


if __name__ == "__main__":
    main()
