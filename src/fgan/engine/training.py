"""The one training loop: f-GAN's single-step method (Algorithm 1) and the k-step method, for a whole population."""

import math
from functools import partial

import torch

from fgan.engine.population import CHUNK

# Signs of a run that died without a NaN (finite but absurd): thresholds for the last tenth of its history.
ABSURD_VALUE = 1e4  # |F|; every divergence here stays far below while training works
BELOW_CONSTANT = 1.0  # F this far under f(1), the value that a constant V reaches
VANISHED = 1e-12  # norm of V's gradient


def train(population, observe, progress=None, checkpoint=None):
    """Trains every run of the population; returns the history {metric: [entries, runs]} with its steps.

    `observe(population)` returns more metrics {name: [runs]} at each entry; `checkpoint` has `load()` and
    `save(state, last)`; `progress(step)` is called at the start and after each chunk.
    """
    steps, every = population.settings["steps"], population.settings["history"]
    done, history = 0, {"step": []}

    state = checkpoint.load() if checkpoint else None
    if state:
        done, history = state["step"], state["history"]
        population.load(state["population"])

    advance = None
    if progress:
        progress(done)
    while done < steps:
        # Noise and data of the next chunk, drawn outside the steps: one call of the generator per stream.
        data, noise = population.draws(done // CHUNK, max(rounds(population), 1), rounds(population) + 1)
        # On a GPU the step is captured once and replayed, because launching its kernels one by one takes longer.
        if advance is None:
            capture = population.device.type == "cuda"
            advance = captured(population, data[:, 0], noise[:, 0]) if capture else partial(step, population)
        for i in range(min(CHUNK, steps - done)):
            entry = advance(data[:, i], noise[:, i])
            done += 1
            # No value leaves the device between two entries of the history.
            if done % every == 0 or done == steps:
                with torch.no_grad():
                    entry = entry | observe(population)
                history["step"].append(done)
                for name, values in entry.items():
                    history.setdefault(name, []).append(values.clone())
        if progress:
            progress(done)
        if checkpoint:
            checkpoint.save({"step": done, "history": history, "population": population.state()}, last=done >= steps)

    recorded = {name: torch.stack(values)[:, : population.n_runs] for name, values in history.items() if name != "step"}
    return history["step"], recorded, population.diverged_at[: population.n_runs]


def rounds(population):
    """Updates of V alone before each update of G: k in the k-step method, none in the single-step method."""
    method = population.settings["method"]
    return method.get("k", 1) if method["kind"] == "k_step" else 0


def step(population, data, noise):
    """One step of every run; returns F, the generator's loss and both gradient norms, each [runs].

    A generator whose rate is 0 has no backward pass and no gradient norm.

    data [streams, draws, batch, ...] and noise [streams, draws, batch, z] are this step's draws. A step changes
    nothing but the tensors of `population.state()`, in place, so it can be captured as a graph and replayed.
    """
    k = rounds(population)
    x = [population.target(population.spread(data[:, j])).to(population.theta.dtype) for j in range(data.shape[1])]
    z = [population.spread(noise[:, j]) for j in range(noise.shape[1])]
    population.steps.add_(1)

    # The k-step method first moves V alone, k times, on samples that carry no gradient to G.
    for j in range(k):
        value, _ = population.losses(x[j], z[j], inner=True)
        omega_norm = apply(population, population.omega_optimiser, gradients(-value, population.omega_views), value)

    # Then G moves. In the single-step method V moves too, from the same iterate and the same samples.
    value, loss = population.losses(x[-1], z[k], inner=population.fixed)
    if k == 0:
        omega_gradient = gradients(-value, population.omega_views, retain_graph=not population.fixed)
    if not population.fixed:
        theta_gradient = gradients(loss, population.theta_views)
    if k == 0:
        omega_norm = apply(population, population.omega_optimiser, omega_gradient, value)
    # Detached, because a kept entry would hold the activations of its step in memory beside those of the next.
    metrics = {"F": value, "generator_loss": loss, "gradient_V": omega_norm}
    if not population.fixed:
        metrics["gradient_G"] = apply(population, population.theta_optimiser, theta_gradient, value)
    return {name: values.detach() for name, values in metrics.items()}


def captured(population, *example):
    """`step` of this population as a CUDA graph: a function of data and noise that copies them in and replays."""
    inputs = [tensor.clone() for tensor in example]
    before = {name: tensor.clone() for name, tensor in population.state().items()}
    graph, entry = recorded(partial(step, population, *inputs))
    population.load(before)

    def replay(*fresh):
        for mine, theirs in zip(inputs, fresh, strict=True):
            mine.copy_(theirs)
        graph.replay()
        return entry

    return replay


def recorded(function):
    """(CUDA graph, result) of a function without arguments, executed three times on the stream that then records it.

    Libraries choose algorithms and workspaces at their first call on a stream, in a backward pass in autograd's own
    thread, and a graph may hold nothing that was never executed.
    """
    stream, graph = torch.cuda.Stream(), torch.cuda.CUDAGraph()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            function()
    with torch.cuda.graph(graph, stream=stream):
        result = function()
    torch.cuda.current_stream().wait_stream(stream)
    return graph, result


def gradients(losses, views, retain_graph=False):
    """Gradient stack [runs, parameters] of the sum of the runs' losses: row r is the gradient of run r alone."""
    parts = torch.autograd.grad(losses.sum(), views, retain_graph=retain_graph)
    return torch.cat([part.flatten(1) for part in parts], dim=1)


def apply(population, optimiser, gradient, value):
    """Clips, freezes runs that became non-finite, and lets the optimiser step; returns the norms [runs].

    The squared norm overflows before Adam's second moment does, so no huge gradient stays behind in the moments.
    """
    norm = gradient.square().sum(dim=1).sqrt()
    if population.clip:
        gradient = gradient * (population.clip / norm.clamp(min=population.clip))[:, None]
    with torch.no_grad():
        # Zero times the value is no number unless the value is finite.
        population.alive.logical_and_(torch.add(norm, value, alpha=0) < math.inf)
        # The step at which a run diverged is its only trace.
        fresh = population.diverged_at.isnan() > population.alive
        population.diverged_at.copy_(torch.where(fresh, population.steps, population.diverged_at))
        optimiser.step(torch.where(population.alive[:, None], gradient, 0.0), population.alive)
    return norm


def evaluate(run, population, steps, history, diverged):
    """Metrics and samples at the end of a training: those of the experiment's `run`, and how each run ended."""
    metrics, samples = run.evaluate(population, steps, history)
    return metrics | fate(population, steps, history, diverged), samples


def fate(population, steps, history, diverged):
    """Metrics [runs] of how runs ended: the steps at which they diverged or died (NaN for neither), and `failed`."""
    dead = torch.where(diverged.isnan(), silent_death(steps, history, population.f_at_one), torch.nan)
    return {"diverged_step": diverged, "dead_step": dead, "failed": ~(diverged.isnan() & dead.isnan())}


def silent_death(steps, history, f_at_one):
    """Step at which a finite run died, NaN for a living one [runs].

    Dead: over the last tenth of the history, |F| is absurd, F lies below f(1) (`f_at_one` [runs]) by more than a
    constant V would lose, or V's gradient has vanished. The step is the first entry from which on this holds.
    """
    tail = max(1, len(steps) // 10)
    absurd = history["F"].abs() > ABSURD_VALUE
    below = history["F"] < f_at_one - BELOW_CONSTANT
    vanished = history["gradient_V"] < VANISHED
    bad = (absurd | below | vanished).int().flip(0).cummin(dim=0).values.flip(0)
    first = bad.argmax(dim=0)
    dead = bad[-tail:].all(dim=0)
    return torch.where(dead, torch.tensor(steps, dtype=torch.float32, device=dead.device)[first], math.nan)
