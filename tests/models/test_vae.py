"""The variational autoencoder: its bound term by term, its gradients, and that training raises it."""

import math

import pytest
import torch
from small import run
from torch.distributions import Bernoulli, Normal, kl_divergence

from fgan.engine.networks import mlp
from fgan.engine.training import train
from fgan.models.vae import VAE
from fgan.targets import images

SETTINGS = {
    "noise": {"kind": "normal", "dimension": 3}, "batch": 32, "method": {"kind": "single_step"},
    "optimiser": {"kind": "adam", "generator": 2e-3, "variational": 2e-3}, "steps": 150, "history": 10,
}  # fmt: skip


def vae(seeds, **changes):
    runs = [run("kl", "elbo", seed) for seed in seeds]
    return VAE(runs, images.digits(), mlp(3, 64, [32], "relu"), mlp(64, 6, [32], "relu"), SETTINGS | changes)


def test_the_bound_is_reconstruction_minus_divergence():
    p = vae([0, 1])
    data, noise = p.draws(0, 1, 1)
    x, z = p.target(p.spread(data[:, 0, 0])), p.spread(noise[:, 0, 0])
    mean, log_variance = p.variational(p.omega_views, x).split(3, dim=-1)
    posterior = Normal(mean, (log_variance / 2).exp())
    logits = p.generator(p.theta_views, mean + posterior.scale * z)
    # Pixels are shades of grey, which the Bernoulli term takes as expectations.
    pixels = Bernoulli(logits=logits, validate_args=False).log_prob(x).sum(-1)
    expected = (pixels - kl_divergence(posterior, Normal(0.0, 1.0)).sum(-1)).mean(-1)
    value, loss = p.losses(x, z)
    assert torch.allclose(value, expected, rtol=1e-5) and torch.equal(loss, -value)
    assert value.shape == (2,) and (value < 0).all()


def test_training_raises_the_bound_and_is_not_taken_for_dead():
    p = vae([0, 1])
    assert torch.equal(p.f_at_one, torch.full((2,), -math.inf))
    _, history, diverged = train(p, lambda population: {})
    assert (history["F"][-1] > history["F"][0] + 5).all() and diverged.isnan().all()


def test_a_run_does_not_depend_on_those_beside_it():
    alone, beside = vae([1], steps=20), vae([0, 1], steps=20)
    for p in (alone, beside):
        train(p, lambda population: {})
    assert torch.equal(alone.theta[0], beside.theta[1]) and torch.equal(alone.omega[0], beside.omega[1])


def test_samples_are_means_of_pixels():
    samples = vae([0, 1]).sample(10, "evaluation")
    assert samples.shape == (2, 10, 64) and (samples > 0).all() and (samples < 1).all()


def test_the_encoder_starts_without_the_threshold_of_a_divergence():
    p = vae([0, 1])
    assert p.output_bias().eq(0).all()
    assert torch.equal(p.omega, torch.stack([p._start(p.variational, "variational")[r] for r in range(2)]))


@pytest.mark.parametrize("part", ["theta", "omega"])
def test_both_networks_move(part):
    p = vae([0], steps=1)
    before = getattr(p, part).clone()
    train(p, lambda population: {})
    assert (getattr(p, part) != before).any()
