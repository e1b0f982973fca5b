"""GAN against VAE: gradients through discrete pixels and latents, the bound term by term, sharpness, and the table."""

import math

import matplotlib.pyplot as plt
import pandas as pd
import pytest
import torch
from experiments.vae_vs_gan.quality import high_frequency, laplacian
from experiments.vae_vs_gan.tracking import tracking
from memory import measured, trained_part
from small import EXPERIMENTS
from torch.distributions import Categorical, kl_divergence

from fgan import design
from fgan.design import Run
from fgan.divergences import DIVERGENCES
from fgan.engine.population import Population
from fgan.engine.training import step, train
from fgan.models.base import draw, one_hot
from fgan.report import figures
from fgan.report.part import Part
from fgan.report.tables import latex
from fgan.targets import images

RUN = design.module(EXPERIMENTS, "vae_vs_gan", "run")
FIGURES = design.module(EXPERIMENTS, "vae_vs_gan", "figures")
ARMS = tuple(FIGURES.LABELS)
DATA = images.digits()
MEASURE = {"samples": 100, "watched": 100, "manifold": 100, "classifier_images": 100}


def small(arm, seeds=(0, 1), steps=12, **model):
    """A short population of an arm as it is at quick, of its first divergence."""
    settings = design.load("vae_vs_gan", "quick", EXPERIMENTS).arms[arm] | {"steps": steps, "history": 3}
    settings["measure"] = settings["measure"] | MEASURE
    settings["model"] = settings["model"] | model
    name, objective = settings["divergences"][0], settings["objectives"][0]
    return RUN.population(settings, [Run("vae_vs_gan", arm, name, objective, s) for s in seeds], data=DATA)


def batch(p):
    data, noise = p.draws(0, 1, 1)
    return p.target(p.spread(data[:, 0, 0])), p.spread(noise[:, 0, 0])


def test_drawn_pixels_have_their_shades_as_means_and_pass_the_gradient_that_they_say():
    shades = torch.tensor([0.0, 0.2, 0.7, 1.0]).expand(100_000, 4).clone().requires_grad_()
    uniform = torch.rand(shades.shape, generator=torch.Generator().manual_seed(0))
    for straight_through, slope in ((False, 0.0), (True, 1.0)):
        pixels = draw(shades, uniform, straight_through)
        assert set(pixels.unique().tolist()) == {0.0, 1.0}
        torch.testing.assert_close(pixels.mean(0), shades[0], atol=5e-3, rtol=0)
        (gradient,) = torch.autograd.grad(pixels.sum(), shades)
        assert gradient.eq(slope).all()


def test_categorical_latents_are_one_hot_and_equally_likely():
    p = small("gan_categorical")
    codes = one_hot(p.groups(p.noise((20_000,), torch.Generator().manual_seed(0))))
    assert codes.sum(-1).eq(1).all() and codes.shape[1:] == (8, 8)
    torch.testing.assert_close(codes.mean((0, 1)), torch.full((8,), 1 / 8), atol=5e-3, rtol=0)


@pytest.mark.parametrize("arm, moves", [("gan_binary", False), ("gan_binary_straight_through", True)])
def test_a_generator_of_hard_pixels_moves_by_the_straight_through_gradient_alone(arm, moves):
    p = small(arm)
    theta, omega = p.theta.clone(), p.omega.clone()
    assert set(p.sample(50, "evaluation").unique().tolist()) == set(p.target.train.unique().tolist()) == {0.0, 1.0}
    _, history, _ = train(p, RUN.observe)
    assert torch.equal(p.theta, theta) is not moves and not torch.equal(p.omega, omega)
    assert (history["gradient_G"].eq(0).all(dim=0)).tolist() == [not moves] * 2


@pytest.mark.parametrize("arm, reaches", [("vae_categorical", True), ("vae_categorical_hard", False), ("vae", True)])
def test_the_encoder_has_a_gradient_of_the_reconstruction_unless_its_code_is_sampled(arm, reaches):
    p = small(arm)
    reconstruction, divergence = p.encoder_gradients(*batch(p))
    assert reconstruction.gt(0).all() if reaches else reconstruction.eq(0).all()
    assert divergence.gt(0).all()  # the exact KL pulls the encoder in either case


def test_the_categorical_bound_is_exact_in_its_divergence_and_relaxed_in_its_code():
    p = small("vae_categorical")
    x, noise = batch(p)
    logits, z = p.judge(x), p.split(noise)[0]
    q, prior = Categorical(logits=p.groups(logits)), Categorical(logits=torch.zeros(8))
    relaxed, divergence = p.bound.terms(logits, x, z)
    torch.testing.assert_close(divergence, kl_divergence(q, prior).sum(-1), rtol=1e-4, atol=1e-6)
    hard, _ = p.bound.terms(logits, x, z, hard=True)
    assert not torch.equal(hard, relaxed)
    p.model["temperature"] = 1e-5  # in the limit the relaxed code is the sampled one, near ties too
    torch.testing.assert_close(p.bound.terms(logits, x, z)[0], hard, rtol=1e-3, atol=1e-3)


def test_a_sampled_code_has_the_posteriors_probabilities(monkeypatch):
    p, codes = small("vae_categorical_hard"), []
    logits = torch.tensor([0.05, 0.05, 0.1, 0.1, 0.1, 0.1, 0.2, 0.3]).log().repeat(8)
    monkeypatch.setattr(p, "generator", lambda views, code: codes.append(code) or torch.zeros(*code.shape[:2], 64))
    noise = p.noise((2, 10_000), torch.Generator().manual_seed(0))
    p.bound.terms(logits.expand(2, 10_000, -1), torch.zeros(2, 10_000, 64), noise)
    torch.testing.assert_close(codes[0].mean((0, 1)), logits.exp(), atol=0.015, rtol=0)


def elbo(p, x, noise):
    """The bound of a hybrid on given images and noise [runs]."""
    return p.bound(p.encode(x), x, p.split(noise)[0])


def test_the_hybrid_is_a_vae_and_a_gan_in_one():
    p = small("hybrid")
    x, noise = batch(p)
    value, loss = p.losses(x, noise)
    f, generator_loss = Population.losses(p, x, noise)
    assert torch.equal(value, f)
    torch.testing.assert_close(loss, p.model["adversarial_weight"] * generator_loss - elbo(p, x, noise))
    before = [view.clone() for view in (*p.theta_views, *p.omega_views)]
    data, z = p.draws(0, 1, 1)
    step(p, data[:, 0], z[:, 0])
    assert all((old != new).any() for old, new in zip(before, (*p.theta_views, *p.omega_views), strict=True))
    assert p.f_at_one.tolist() == [float(DIVERGENCES["gan"].f(torch.ones(())))] * 2


def test_without_weight_the_hybrid_has_the_gradient_of_the_vae():
    p = small("hybrid", adversarial_weight=0.0)
    x, noise = batch(p)
    own = torch.autograd.grad(p.losses(x, noise)[1].sum(), p.theta_views)
    vae = torch.autograd.grad(-elbo(p, x, noise).sum(), p.theta_views)
    assert all(torch.equal(a, b) for a, b in zip(own, vae, strict=True))


def test_sharpness_of_known_images():
    x = torch.arange(8.0).repeat(8, 1)
    stripes = (torch.arange(8) % 2).float().repeat(8, 1)
    stack = torch.stack([x, stripes, 0.5 * stripes]).reshape(3, 1, 64)
    # A ramp has no Laplacian; stripes of period two have -2 and 2 at inner pixels, and the highest frequency alone.
    expected = torch.tensor([0.0, 4 * 36 / 35, 36 / 35], dtype=torch.float64)
    torch.testing.assert_close(laplacian(stack, (8, 8)), expected)
    share = high_frequency(stack, (8, 8), 0.25)
    torch.testing.assert_close(share[1:], torch.ones(2, dtype=torch.float64))
    assert share[0] < 0.2 and high_frequency(torch.ones(1, 2, 64), (8, 8), 0.25).isnan()
    noise = torch.rand((1, 4000, 256), generator=torch.Generator().manual_seed(0))
    inside = [f.abs() for f in (torch.fft.fftfreq(16)[:, None], torch.fft.fftfreq(16))]
    white = (inside[0].hypot(inside[1]) > 0.25).sum() / 255
    torch.testing.assert_close(high_frequency(noise, (16, 16), 0.25).item(), white.item(), atol=5e-3, rtol=0)


def test_tracking_is_signed_by_what_is_better():
    distance = torch.tensor([[4.0, 4.0], [3.0, 5.0], [2.0, 6.0], [1.0, 7.0]])
    found = tracking(10 - 2 * distance, distance, rises=True)
    assert found["tracking"].tolist() == pytest.approx([1, 1]) and found["rising share"].tolist() == [1.0, 0.0]
    assert tracking(distance.exp(), -distance, rises=False)["tracking"].tolist() == pytest.approx([-1, -1])
    odd = torch.stack([distance[:, 0], torch.tensor([1.0, 2.0, 2.0, 1.0])], dim=1)
    assert tracking(odd, distance, False)["tracking", "second half"].tolist() == pytest.approx([1, -1])
    assert tracking(torch.ones(4, 2), distance, rises=True)["tracking"].isnan().all()


@pytest.mark.parametrize("arm", ["hybrid", "gan_binary_straight_through", "vae_categorical"])
def test_a_run_has_the_bytes_that_it_has_beside_others(arm):
    _, history, metrics, sheets = measured(RUN, small(arm, steps=6))
    _, one, alone, own = measured(RUN, small(arm, seeds=(1,), steps=6))
    assert history.keys() == one.keys() and metrics.keys() == alone.keys()
    assert all(torch.equal(history[name][:, 1:].nan_to_num(), one[name].nan_to_num()) for name in history)
    assert all(torch.equal(metrics[name][1:].nan_to_num(), alone[name].nan_to_num()) for name in metrics)
    assert all(torch.equal(sheets[name][1:], own[name]) for name in sheets)


@pytest.mark.parametrize("arm", ARMS)
def test_a_killed_training_goes_on_to_the_same_bits(arm):
    whole, first, second = (small(arm, steps=steps) for steps in (25, 20, 25))
    train(whole, RUN.observe)
    saved = {}

    class Checkpoint:
        def __init__(self, load):
            self.load = load

        def save(self, state, last):
            saved.update(state)

    train(first, RUN.observe, checkpoint=Checkpoint(lambda: None))
    train(second, RUN.observe, checkpoint=Checkpoint(lambda: dict(saved)))
    assert torch.equal(whole.theta, second.theta) and torch.equal(whole.omega, second.omega)


def part(arms, seeds):
    """A part of a record, in memory: the given arms, trained for a few steps."""
    populations = {arm: small(arm, seeds) for arm in arms}
    return trained_part("vae_vs_gan", RUN, populations, RUN.baselines(populations[arms[0]].settings, DATA))


@pytest.mark.parametrize("arms, seeds", [(("gan", "vae"), (0,)), (ARMS, (0, 1))], ids=["smoke", "quick"])
def test_figures_and_tables_of_a_small_part(arms, seeds):
    """With arms missing or all, a single seed or two; warnings are errors."""
    made = part(arms, seeds)
    figures.style()
    for name in ("samples", "tracking", "sharpness"):
        figure = getattr(FIGURES, f"figure_{name}")(made)
        figure.canvas.draw()
        plt.close(figure)
    for name in ("verdict", "models", "tracking", "gradients"):
        frame = getattr(FIGURES, f"table_{name}")(made)
        assert len(frame) and "nan" not in latex(frame)


@pytest.mark.parametrize(
    "values, word",
    [
        ([0.9, 0.91, 0.92], "yes"),
        ([0.1, 0.11, 0.12], "no"),
        ([0.2, 0.5, 0.8], "undecided"),
        ([0.9, math.nan], "undecided"),
    ],
)
def test_the_verdict_comes_from_intervals(values, word):
    runs = [("vae", "kl", "elbo", seed, 9, "tracking", "", "value", value) for seed, value in enumerate(values)]
    columns = ("arm", "divergence", "objective", "seed", "step", "metric", "rule", "statistic", "value")
    made, checks = Part(None), FIGURES.TRACKS[:1]
    arms = {"vae": {"steps": 9, "divergences": ["kl"], "objectives": ["elbo"]}}
    vars(made).update(measurements=pd.DataFrame(runs, columns=columns), design={"arms": arms, "divergences": []})
    assert FIGURES.measured(made, "vae", checks)[0] == word
    assert FIGURES.measured(made, "gan", checks) == ("not run", "not run")
    assert FIGURES.agreement(word, "yes") == {"yes": "yes", "no": "no", "undecided": "undecided"}[word]


def test_independent_pixels_have_each_pixel_right_and_no_pair():
    found = RUN.independent(DATA, 20_000)[0]
    torch.testing.assert_close(found.mean(0), DATA.train.mean(0), atol=0.02, rtol=0)
    assert found[:, 20:40].T.corrcoef().fill_diagonal_(0).nan_to_num().abs().max() < 0.05
