"""GAN against VAE: discrete latents and pixels, the hybrid's two objectives, sharpness, and the verdict's rule."""

import math

import pandas as pd
import pytest
import torch
from small import EXPERIMENTS

from fgan import cost, design
from fgan.design import Run
from fgan.hybrids import Hybrid, draw, one_hot
from fgan.metrics import sharpness
from fgan.population import Population, seeded
from fgan.targets import blank, images
from fgan.training import gradients, train
from fgan.vae import VAE

RUN = design.module(EXPERIMENTS, "vae_vs_gan", "run")
FIGURES = design.module(EXPERIMENTS, "vae_vs_gan", "figures")
DIGITS = images.digits()
QUICK = design.load("vae_vs_gan", "quick", EXPERIMENTS)
ARMS = list(QUICK.arms)


def population(arm, seeds=2, device="cpu", **changes):
    own = QUICK.arms[arm] | {"steps": 4, "history": 2} | changes
    name, objective = own["divergences"][0], own["objectives"][0]
    runs = [Run("vae_vs_gan", arm, name, objective, seed) for seed in range(seeds)]
    return RUN.population(own, runs, device, blank(own) if device == "meta" else DIGITS)


def drawn(p):
    data, noise = p.draws(0, 1, 1)
    return p.target(p.spread(data[:, 0, 0])), p.spread(noise[:, 0, 0])


@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_trains_is_judged_and_counted(arm):
    p = population(arm)
    steps, history, diverged = train(p, RUN.observe)
    metrics, samples = RUN.evaluate(p, steps, history)
    assert diverged.isnan().all() and metrics["Frechet distance"].isfinite().all()
    assert samples["samples"].shape == (2, RUN.SHEET, 64)
    if "binary" in p.model:
        assert set(samples["samples"].unique().tolist()) <= {0.0, 1.0}
    assert cost.counted(lambda: population(arm, device="meta")).operations > 0


@pytest.mark.parametrize("arm", ["hybrid", "vae_categorical", "gan_binary_straight_through"])
def test_a_run_does_not_depend_on_the_runs_beside_it(arm):
    whole, piece = population(arm, 4), population(arm, 2)
    train(whole, RUN.observe), train(piece, RUN.observe)
    assert torch.equal(whole.theta[:2], piece.theta) and torch.equal(whole.omega[:2], piece.omega)


def test_with_normal_latents_it_is_the_vae_of_the_library():
    ours = population("vae")
    plain = VAE(ours.runs, ours.target, ours.generator, ours.variational, ours.settings)
    for one, other in zip(ours.losses(*drawn(ours)), plain.losses(*drawn(plain)), strict=True):
        torch.testing.assert_close(one, other)


# --- discrete pixels


def test_pixels_are_drawn_with_the_shades_as_probabilities():
    shades = torch.tensor([0.0, 0.2, 0.9, 1.0])
    uniform = torch.rand(100_000, 4, generator=seeded("cpu", "test"))
    torch.testing.assert_close(draw(shades, uniform).mean(dim=0), shades, atol=0.01, rtol=0)


def test_a_sampled_pixel_passes_no_gradient_and_a_straight_through_one_that_of_its_shade():
    shades = torch.full((50,), 0.5, requires_grad=True)
    uniform = torch.rand(50, generator=seeded("cpu", "test"))
    (none,) = torch.autograd.grad(draw(shades, uniform).sum(), shades)
    (passed,) = torch.autograd.grad(draw(shades, uniform, straight_through=True).sum(), shades)
    assert not none.any() and torch.equal(passed, torch.ones(50))
    assert torch.equal(draw(shades, uniform), draw(shades, uniform, straight_through=True).detach())


def test_a_gan_of_sampled_pixels_never_moves_its_generator():
    p = population("gan_binary")
    start = p.theta.clone()
    _, history, _ = train(p, RUN.observe)
    assert torch.equal(p.theta, start) and not history["gradient_G"].any()


# --- discrete latents


def test_categorical_latents_are_one_hot_and_equally_likely():
    p = population("gan_categorical")
    z = p.noise((20_000,), seeded("cpu", "test"))
    code = one_hot(p.groups(z))
    assert torch.equal(code.sum(-1), torch.ones(20_000, 8))
    torch.testing.assert_close(code.mean(dim=(0, 1)), torch.full((8,), 1 / 8), atol=5e-3, rtol=0)


def test_the_kl_of_categorical_codes_is_the_sum_over_their_categories():
    p = population("vae_categorical")
    x, noise = drawn(p)
    log_q = p.groups(p.encode(x)).log_softmax(-1)
    expected = (log_q.exp() * (log_q - math.log(1 / 8))).sum((-2, -1))
    torch.testing.assert_close(p.terms(x, noise)[1], expected)


def test_only_a_relaxation_carries_the_reconstruction_to_the_encoder():
    relaxed, hard = population("vae_categorical"), population("vae_categorical_hard")
    assert (relaxed.encoder_gradients(*drawn(relaxed))[0] > 0).all()
    reconstruction, divergence = hard.encoder_gradients(*drawn(hard))
    assert not reconstruction.any() and (divergence > 0).all()


# --- the hybrid


def test_the_hybrid_descends_both_objectives_and_v_the_game_alone():
    p = population("hybrid")
    assert isinstance(p, Hybrid)
    x, noise = drawn(p)
    value, loss = p.losses(x, noise)
    game, adversarial = Population.losses(p, x, noise)
    torch.testing.assert_close(value, game)
    torch.testing.assert_close(loss, 3.0 * adversarial - p.elbo(x, noise))
    encoder = gradients(loss, p.encoder_views)
    torch.testing.assert_close(encoder, gradients(-p.elbo(*drawn(p)), p.encoder_views), rtol=1e-4, atol=1e-5)


# --- sharpness


def test_the_laplacian_of_a_checkerboard_and_of_a_ramp():
    board = torch.tensor([[(i + j) % 2 for j in range(8)] for i in range(8)], dtype=torch.float32)
    ramp = torch.arange(8.0).expand(8, 8)
    found = sharpness.laplacian(torch.stack([board, ramp]).view(2, 1, 64), (8, 8))
    assert found[0].item() == pytest.approx(16 * 36 / 35) and found[1].item() == pytest.approx(0.0, abs=1e-12)


def test_high_frequencies_are_where_the_wave_is():
    x = torch.arange(8) * 2 * math.pi / 8
    slow, fast = (torch.cos(k * x).expand(8, 8).reshape(1, 1, 64) for k in (1, 3))
    assert sharpness.high_frequency(slow, (8, 8), 0.25).item() == pytest.approx(0, abs=1e-9)
    assert sharpness.high_frequency(fast, (8, 8), 0.25).item() == pytest.approx(1)


# --- what is shown


@pytest.mark.parametrize(
    ("values", "word"), [([0.9, 0.91, 0.92], "yes"), ([0.1, 0.11, 0.12], "no"), ([0.4, 0.5, 0.6], "undecided"),
                         ([0.9, math.nan, 0.92], "undecided")],
)  # fmt: skip
def test_a_cell_is_decided_by_its_whole_interval(values, word, monkeypatch):
    monkeypatch.setattr(FIGURES, "judged", lambda *_: pd.Series(values).to_numpy())
    part = type("Part", (), {"arms": {"vae": {}}})
    assert FIGURES.measured(part, "vae", {"tracking": (0.5, math.inf)})[0] == word


def test_agreement_compares_words_and_leaves_the_undecided_open():
    found = [FIGURES.agreement(word, "yes") for word in ("yes", "no", "undecided", "--")]
    assert found == ["yes", "no", "undecided", "--"]


def test_a_rank_correlation_is_one_for_each_run():
    a = torch.tensor([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]])
    b = torch.tensor([[10.0, 1.0], [20.0, 5.0], [40.0, 9.0]])
    assert RUN.correlation(a, b).tolist() == pytest.approx([1.0, -1.0])
