"""What only a GPU can show (`pytest -m gpu`): a captured step is a plain step, waits for nothing, fits as counted."""

import numpy as np
import pytest
import small
import torch
from benchmarks import agreement
from benchmarks.configurations import CONFIGURATIONS
from benchmarks.measure import inputs_of
from plain import permutation
from small import EXPERIMENTS, nothing, run

from fgan import design, targets
from fgan.design import merge
from fgan.divergences import DIVERGENCES
from fgan.engine import cost, machines
from fgan.engine.training import captured, step, train
from fgan.jobs.cut import shards

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here"),
]
EVERY = [run(name, objective) for name in DIVERGENCES for objective in ("saddle", "alternative")]
METHODS = pytest.mark.parametrize(
    "method", [{"kind": "single_step"}, {"kind": "k_step", "k": 2}], ids=lambda m: m["kind"]
)


def population(device, runs=EVERY, **changes):
    return small.population(runs, device, **changes)


def close(one, other, **tolerance):
    for name, value in one.state().items():
        torch.testing.assert_close(value.cpu(), other.state()[name].cpu(), equal_nan=True, msg=name, **tolerance)


@METHODS
def test_twenty_captured_steps_are_twenty_plain_steps(method):
    k = method.get("k", 0)
    fast, plain = population("cuda", method=method), population("cuda", method=method)
    data, noise = plain.draws(0, max(k, 1), k + 1)
    replay = captured(fast, data[:, 0], noise[:, 0])
    close(fast, plain, rtol=0, atol=0)  # warming up and recording left no trace
    for i in range(20):
        mine, wanted = replay(data[:, i], noise[:, i]), step(plain, data[:, i], noise[:, i])
        for name in wanted:
            torch.testing.assert_close(mine[name], wanted[name], rtol=1e-4, atol=1e-5, equal_nan=True)
    close(fast, plain, rtol=1e-3, atol=1e-5)


def test_twenty_steps_on_the_gpu_are_those_of_the_cpu():
    fast, plain = population("cuda"), population("cpu")
    data, noise = plain.draws(0, 1, 1)
    replay = captured(fast, data[:, 0].cuda(), noise[:, 0].cuda())
    for i in range(20):
        mine, wanted = replay(data[:, i].cuda(), noise[:, i].cuda()), step(plain, data[:, i], noise[:, i])
        torch.testing.assert_close(mine["F"].cpu(), wanted["F"].detach(), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", agreement.cases() if torch.cuda.is_available() else ["every case"])
def test_twenty_captured_steps_in_double_precision_are_those_of_the_cpu(name):
    """Every architecture and every remedy, on the same draws."""
    assert agreement.disagreement(name, "cuda") < 1e-8


def test_a_frozen_run_is_marked_by_the_captured_step():
    def poison(p):
        p.omega[1, 0] = torch.where(p.steps == 10, torch.nan, p.omega[1, 0])
        return {}

    p = population("cuda", [run("kl"), run("gan"), run("pearson", seed=1)], steps=40, history=10)
    _, history, diverged = train(p, poison)
    assert diverged.nan_to_num(-1).tolist() == [-1, 11, -1] and history["F"].isfinite()[:, [0, 2]].all()


@pytest.mark.filterwarnings("ignore:Synchronization debug mode")  # which torch calls a prototype
def test_nothing_waits_between_two_entries_of_the_history():
    p = population("cuda", steps=60, history=60)
    data, noise = p.draws(0, 1, 1)
    replay = captured(p, data[:, 0], noise[:, 0])
    torch.cuda.synchronize()
    try:
        torch.cuda.set_sync_debug_mode("error")
        for i in range(20):
            replay(data[:, i], noise[:, i])
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_long_training_agrees_in_distribution_with_the_cpu():
    runs = [run("gan", seed=seed) for seed in range(48)]
    found = []
    for device in ("cuda", "cpu"):
        p = population(device, runs, steps=2000, history=2000)
        _, history, _ = train(p, nothing)
        spread = p.sample(500, "evaluation").std(dim=(1, 2))
        found.append(torch.stack([history["F"][-1], spread], dim=1).cpu().numpy().astype(np.float64))
    assert permutation(*found).min() > 0.01


def test_tf32_does_not_move_the_distribution_of_long_trainings(monkeypatch):
    """What `precision: tf32` in the table of machines waits for."""
    runs, found = [run("gan", seed=seed) for seed in range(48)], []
    for precision in ("float32", "tf32"):
        small.settle(monkeypatch, "cuda", precision=precision)
        machines.prepare("cuda")
        p = population("cuda", runs, steps=2000, history=2000, generator={"hidden": [128, 128]})
        _, history, _ = train(p, nothing)
        spread = p.sample(500, "evaluation").std(dim=(1, 2))
        found.append(torch.stack([history["F"][-1], spread], dim=1).cpu().numpy().astype(np.float64))
    monkeypatch.undo()
    machines.prepare("cuda")
    assert (found[0] != found[1]).any() and permutation(*found).min() > 0.01


@pytest.mark.parametrize("name", ["ring 2x128", "MNIST f-GAN", "DCGAN 28"])
def test_the_counted_peak_is_what_a_gpu_allocates(name):
    chosen, runs = CONFIGURATIONS[name], 64 if name == "ring 2x128" else 4
    counted = cost.counted(lambda: chosen.population(runs, "meta"), "cuda").peak
    torch.cuda.empty_cache()
    before = torch.cuda.memory_allocated()
    p = chosen.population(runs, "cuda")
    inputs = inputs_of(p)
    own = torch.cuda.memory_allocated() - before
    step(p, *inputs)
    # What products keep as their workspaces, and gradients' nodes, belongs to no stack.
    kept = torch.cuda.memory_allocated() - before - own
    torch.cuda.reset_peak_memory_stats()
    step(p, *inputs)
    assert torch.cuda.max_memory_allocated() - before - kept == pytest.approx(counted, rel=0.4)


@pytest.mark.parametrize("name", ["MNIST small", "DCGAN small"])
def test_products_and_convolutions_keep_single_precision(name):
    """float32 is the reference: samples agree with double precision far better than TF32's 1e-3 would let them."""
    machines.prepare("cuda")
    p = CONFIGURATIONS[name].population(2, "cuda")
    z = torch.randn(2, 64, CONFIGURATIONS[name].noise, device="cuda")
    with torch.no_grad():
        found = p.generate(z)
        wanted = p.generator([view.double() for view in p.theta_views], z.double())
    assert (found - wanted).norm() / wanted.norm() < 1e-5


@pytest.mark.parametrize("experiment", ["univariate", "ring", "digits"])
def test_every_experiment_trains_and_is_evaluated_on_the_gpu(experiment):
    chosen = design.load(experiment, "smoke", EXPERIMENTS)
    (shard, *_) = shards(chosen, "cuda")
    values = merge(shard.settings, {"steps": 40, "history": 20})
    p = chosen.run.population(values, shard.runs, torch.device("cuda"), targets.load(values))
    steps, history, _ = train(p, chosen.run.observe)
    metrics, samples = chosen.run.evaluate(p, steps, history)
    assert all(len(values) == len(shard.runs) for values in (*metrics.values(), *samples.values()))
