"""The one training loop: f-GAN's single-step method (Algorithm 1) and the k-step method, for a whole population."""

import math

import torch

from fgan.objectives import objective
from fgan.population import CHUNK

# Signs of a run that died without a NaN (finite but absurd): thresholds for the last tenth of its history.
ABSURD_VALUE = 1e4  # |F|; every divergence here stays far below while training works
BELOW_CONSTANT = 1.0  # F this far under f(1), the value that a constant V reaches
VANISHED = 1e-12  # norm of V's gradient


def train(population, observe, progress=None, checkpoint=None):
    """Trains every run of the population; returns the history {metric: [entries, runs]} with its steps.

    `observe(population)` returns more metrics {name: [runs]} at each entry; `checkpoint` has `load()` and
    `save(state, last)`; `progress(step)` is called at the start and after each chunk.
    """
    settings = population.settings
    steps, every = settings["steps"], settings["history"]
    k = settings["method"].get("k", 1) if settings["method"]["kind"] == "k_step" else 0
    step, history = 0, {"step": []}
    diverged_at = torch.full((len(population.runs),), math.nan, device=population.device)

    state = checkpoint.load() if checkpoint else None
    if state:
        step, history, diverged_at = state["step"], state["history"], state["diverged_at"]
        population.load(state["population"])

    if progress:
        progress(step)
    while step < steps:
        # Noise and data of the next chunk, drawn outside the steps: one call of the generator per stream.
        data, noise = population.draws(step // CHUNK, max(k, 1), k + 1)
        for i in range(min(CHUNK, steps - step)):
            x = [population.target(population.spread(data[:, i, j])) for j in range(data.shape[2])]
            z = [population.spread(noise[:, i, j]) for j in range(noise.shape[2])]

            # The k-step method first moves V alone, k times, on samples that carry no gradient to G.
            for j in range(k):
                with torch.no_grad():
                    fake = population.generate(z[j])
                value, _ = objective(population.slices, population.judge(x[j]), population.judge(fake))
                omega_gradient = gradients(-value, population.omega_views)
                omega_norm = apply(population, population.omega_rule, omega_gradient, value)

            # Then G moves. In the single-step method V moves too, from the same iterate and the same samples.
            v_fake = population.judge(population.generate(z[k]))
            value, loss = objective(population.slices, population.judge(x[-1]), v_fake)
            if k == 0:
                omega_gradient = gradients(-value, population.omega_views, retain_graph=True)
            theta_gradient = gradients(loss, population.theta_views)
            if k == 0:
                omega_norm = apply(population, population.omega_rule, omega_gradient, value)
            theta_norm = apply(population, population.theta_rule, theta_gradient, value)

            step += 1
            # The only trace of a divergence is its step: no value leaves the device between two entries.
            fresh = ~population.alive & diverged_at.isnan()
            diverged_at = torch.where(fresh, float(step), diverged_at)
            if step % every == 0 or step == steps:
                entry = {"F": value, "generator_loss": loss, "gradient_V": omega_norm, "gradient_G": theta_norm}
                with torch.no_grad():
                    entry |= observe(population)
                history["step"].append(step)
                for name, values in entry.items():
                    history.setdefault(name, []).append(values.detach().clone())
        if progress:
            progress(step)
        if checkpoint:
            state = {"step": step, "history": history, "diverged_at": diverged_at, "population": population.state()}
            checkpoint.save(state, last=step >= steps)

    recorded = {name: torch.stack(values)[:, : population.wanted] for name, values in history.items() if name != "step"}
    return history["step"], recorded, diverged_at[: population.wanted]


def gradients(losses, views, retain_graph=False):
    """Gradient stack [runs, parameters] of the sum of the runs' losses: row r is the gradient of run r alone."""
    parts = torch.autograd.grad(losses.sum(), views, retain_graph=retain_graph)
    return torch.cat([part.flatten(1) for part in parts], dim=1)


def apply(population, rule, gradient, value):
    """Clips, freezes runs that became non-finite, and lets the optimiser step; returns the norms [runs].

    The squared norm overflows before Adam's second moment does, so no huge gradient stays behind in the moments.
    """
    norm = gradient.square().sum(dim=1).sqrt()
    if population.clip:
        gradient = gradient * (population.clip / norm.clamp(min=population.clip))[:, None]
    population.alive = population.alive & value.detach().isfinite() & norm.isfinite()
    gradient = torch.where(population.alive[:, None], gradient, 0.0)
    with torch.no_grad():
        rule.step(gradient, population.alive)
    return norm


def silent_death(steps, history, lower):
    """Step at which a finite run died, NaN for a living one [runs].

    Dead: over the last tenth of the history, |F| is absurd, F lies below f(1) (`lower` [runs]) by more than a
    constant V would lose, or V's gradient has vanished. The step is the first entry from which on this holds.
    """
    tail = max(1, len(steps) // 10)
    absurd = history["F"].abs() > ABSURD_VALUE
    below = history["F"] < lower - BELOW_CONSTANT
    vanished = history["gradient_V"] < VANISHED
    bad = (absurd | below | vanished).int().flip(0).cummin(dim=0).values.flip(0)
    first = bad.argmax(dim=0)
    dead = bad[-tail:].all(dim=0)
    return torch.where(dead, torch.tensor(steps, dtype=torch.float32, device=dead.device)[first], math.nan)
