"""The bound by quadrature: F(V) <= D_f for any V, equality at T* = f'(p/q), and the experiment that measures it."""

import itertools
import math
from dataclasses import replace

import matplotlib.pyplot as plt
import pytest
import torch
from experiments.bound import estimates, parameters, quadrature
from experiments.bound.quadrature import Densities
from memory import measured, trained_part
from small import EXPERIMENTS, trained

from fgan import design
from fgan.design import Run
from fgan.divergences import DIVERGENCES
from fgan.engine.population import Population
from fgan.metrics import exact
from fgan.report import figures
from fgan.report.tables import latex
from fgan.targets.mixtures import Mixture

P = Mixture([0.33, 0.67], [-1.0, 2.0], [0.065, 2.0])
NORMAL = Mixture([1.0], [0.0], [1.0])
BOTH = Densities.of(P, 0.6, 1.4, 4001)
RUN = design.module(EXPERIMENTS, "bound", "run")
FIGURES = design.module(EXPERIMENTS, "bound", "figures")
EVERY = pytest.mark.parametrize("divergence", DIVERGENCES.values(), ids=DIVERGENCES)


@EVERY
def test_no_v_exceeds_the_divergence(divergence):
    generator = torch.Generator().manual_seed(0)
    supremum = BOTH.supremum(divergence)
    assert supremum == pytest.approx(exact.divergence(exact.convex(divergence.name), P, 0.6, 1.4), rel=1e-5)
    parameters = torch.randn((4, 200, 1), generator=generator, dtype=torch.float64)
    size, slope, offset, tilt = parameters * torch.tensor([3.0, 2.0, 2.0, 0.3], dtype=torch.float64)[:, None, None]
    v = divergence.threshold_v + size * torch.tanh(slope * BOTH.x + offset) + tilt * BOTH.x
    values = BOTH.value(divergence, v)
    assert not values.isnan().any() and (values <= supremum + 1e-12).all() and values.max() > values.min()


@EVERY
def test_the_free_t_loses_nothing(divergence):
    supremum = BOTH.supremum(divergence)
    assert math.isinf(supremum) or BOTH.free(divergence) == pytest.approx(supremum, abs=1e-12)


@EVERY
def test_f_with_parameters_has_the_gradient_of_samples_and_g_f_keeps_the_domain(divergence):
    checked = parameters.measured(divergence, BOTH, 0.6, 1.4)
    raw, built_in = checked["T = V"], checked["T = g_f(V)"]
    assert built_in["error of the gradient"] < 1e-12 and built_in["error of the composition"] < 1e-12
    assert built_in["outside the domain"] == 0 and (raw["outside the domain"] > 0) == (
        divergence.domain != (-math.inf, math.inf)
    )
    wrong = replace(divergence, conjugate_of_activation=lambda v: 2 * divergence.conjugate_of_activation(v) + v)
    assert parameters.errors(wrong, BOTH, 0.6, 1.4)["error of the composition"] > 1e-3


@EVERY
def test_a_constant_v_reaches_f_of_one_and_a_line_more(divergence):
    constant = BOTH.value(divergence, torch.full_like(BOTH.x, divergence.threshold_v))
    assert constant.item() == pytest.approx(divergence.f(torch.ones(())).item(), abs=1e-6)
    assert constant < BOTH.best_line(divergence) < BOTH.supremum(divergence)
    assert BOTH.free(divergence, reach=0.0) == pytest.approx(constant.item(), abs=2e-2)


def test_the_closed_forms_between_gaussians():
    """KL(N(0,1) || N(m, s^2)) and the chi-squared divergence of two Gaussians."""
    m, s = 0.5, 1.3
    both = Densities.of(NORMAL, m, s, 4001)
    kl = math.log(s) + (1 + m**2) / (2 * s**2) - 0.5
    precision = 2 - 1 / s**2
    pearson = s / math.sqrt(precision) * math.exp((m / s**2) ** 2 / (2 * precision) + m**2 / (2 * s**2)) - 1
    for name, known in (("kl", kl), ("pearson", pearson)):
        assert both.supremum(DIVERGENCES[name]) == pytest.approx(known, rel=1e-10)
        assert both.free(DIVERGENCES[name]) == pytest.approx(known, rel=1e-10)


@pytest.mark.parametrize("name, sigma", [("pearson", 0.6), ("alpha_3", 0.6), ("neyman", 1.6), ("alpha_m2", 1.6)])
def test_an_infinite_divergence_has_a_bound_that_grows_with_the_reach_of_t(name, sigma):
    both = Densities.of(NORMAL, 0.0, sigma, 4001)
    assert both.supremum(DIVERGENCES[name]) == math.inf
    levels = [both.free(DIVERGENCES[name], reach) for reach in (2.0, 4.0, 6.0, 8.0)]
    assert all(above > 2 * below for below, above in itertools.pairwise(levels)) and levels[-1] > 100


# The v at which g_f(v) = f'(u), in closed form.
INVERSE = {
    "kl": lambda u: 1 + u.log(), "reverse_kl": lambda u: u.log(), "pearson": lambda u: 2 * (u - 1),
    "gan": lambda u: u.log(), "jensen_shannon": lambda u: u.log(), "squared_hellinger": lambda u: u.log() / 2,
    "neyman": lambda u: 2 * u.log(), "jeffrey": lambda u: 1 + u.log() - 1 / u, "alpha_3": lambda u: (u**2 - 1) / 2,
}  # fmt: skip


@pytest.mark.parametrize("name", INVERSE)
def test_the_ratio_that_v_stands_for(name):
    log_u = torch.linspace(-3, 3, 25, dtype=torch.float64)
    learned = quadrature.log_ratio(DIVERGENCES[name], INVERSE[name](log_u.exp()))
    torch.testing.assert_close(learned, log_u, rtol=1e-8, atol=1e-8)


def test_the_distance_is_zero_at_the_optimum_alone_and_the_sign_counts_mass():
    kl, best = DIVERGENCES["kl"], 1 + BOTH.log_ratio
    assert BOTH.ratio_error(kl, best, 6.9) < 1e-6 and BOTH.wrong_side(kl, best) == 0
    assert BOTH.ratio_error(kl, best + 0.5, 600.0).item() == pytest.approx(0.5)
    assert BOTH.wrong_side(kl, 2 - best).item() == pytest.approx(1.0)
    assert BOTH.ratio_error(DIVERGENCES["total_variation"], best, 6.9).isnan()


def test_the_spread_is_the_standard_deviation_of_an_estimate():
    """T = 1 + x for KL: Var_P[x] and the variance of a log-normal variable."""
    both = Densities.of(NORMAL, 0.0, 0.5, 4001)
    spread = both.spread(DIVERGENCES["kl"], 1 + both.x).item()
    assert spread == pytest.approx(math.sqrt(1 + math.exp(0.25) * math.expm1(0.25)), rel=1e-10)


MEASURE = {"points": 801, "watched": 401, "fresh": 256, "sizes": [64, 128], "shown_points": 41}
ARMS = ("line", "w32", "n64", "narrow", "wide")


def small(arm, names=None, seeds=1, first=0, steps=12):
    """A short population of one arm of the experiment at quick."""
    chosen = design.load("bound", "quick", EXPERIMENTS)
    settings = chosen.arms[arm] | {"steps": steps, "history": 4}
    settings["measure"] = settings["measure"] | MEASURE
    names = names or settings["divergences"]
    runs = [Run("bound", arm, name, "saddle", seed) for name in names for seed in range(first, first + seeds)]
    return RUN.population(settings, runs)


def judged(population):
    """As `measured`, and no run diverged."""
    outcome = measured(RUN, population)
    assert population.diverged_at.isnan().all()
    return outcome


@pytest.mark.parametrize("arm", ["w4", "n64"])
def test_a_frozen_generator_keeps_its_bits(arm):
    p = small(arm)
    before, omega = p.theta.clone(), p.omega.clone()
    trained(p)
    assert torch.equal(p.theta, before) and not torch.equal(p.omega, omega)
    assert p.theta[0].tolist() == torch.tensor(p.settings["start"]).tolist()


def test_a_fixed_sample_is_the_sample_that_is_judged():
    p = small("n64", ["kl", "gan"], steps=1)
    v = Population(p.runs, p.target, p.generator, p.variational, p.settings)
    history, _ = trained(p)
    real, fake = estimates.terms(v, *(draw[:, 0, 0] for draw in v.draws(0, 1, 1)))
    torch.testing.assert_close(history["F"][0].double(), real.mean(1) - fake.mean(1), rtol=1e-5, atol=1e-6)
    assert torch.equal(v.draws(0, 1, 1)[0], v.draws(3, 1, 1)[0])


@pytest.mark.parametrize("arm", ARMS)
def test_what_is_measured_is_a_bound_and_its_estimate(arm):
    p = small(arm, list(DIVERGENCES))
    _, _, metrics, shown = judged(p)
    assert (metrics["gap"] >= -1e-12).all() and (metrics["D_f"].isinf() == metrics["gap"].isinf()).all()
    published = {"narrow": {"pearson", "alpha_3"}, "wide": {"neyman", "alpha_m2"}}.get(arm, set())
    steep = {name for name, d in DIVERGENCES.items() if max(d.growth) > 3}  # entries beyond the published ones
    assert {n for n, d in zip(DIVERGENCES, metrics["D_f"], strict=True) if d.isinf()} - steep == published
    within = (metrics["fresh F"] - metrics["exact F"]).abs() <= 5 * metrics["spread"] / MEASURE["fresh"] ** 0.5
    assert within.all()
    assert all(values.shape[0] == len(DIVERGENCES) for values in [*metrics.values(), *shown.values()])


def test_a_run_has_the_bytes_that_it_has_beside_others():
    _, history, metrics, shown = judged(small("w4", ["kl", "gan"], seeds=2))
    _, one, alone, kept = judged(small("w4", ["kl", "gan"], seeds=1, first=1))
    for mine, theirs in ((history, one), (metrics, alone), (shown, kept)):
        for name, values in mine.items():
            every = values.movedim(1, 0) if mine is history else values
            single = theirs[name].movedim(1, 0) if mine is history else theirs[name]
            assert torch.equal(every[[1, 3]].nan_to_num(), single.nan_to_num()), name


def part(arms, names, seeds):
    """A part of a record, in memory: the given arms, trained for a few steps."""
    rows, curves = RUN.baselines(small("w4").settings)
    untrained = rows, {name: curve.numpy() for name, curve in curves.items()}
    return trained_part("bound", RUN, {arm: small(arm, names, seeds) for arm in arms}, untrained)


SMOKE = ("w4", "n64", "narrow")


@pytest.mark.parametrize(
    "arms, names, seeds", [(SMOKE, None, 1), (ARMS, None, 2), (SMOKE, list(DIVERGENCES), 1), (("w32",), ["kl"], 1)]
)
def test_figures_and_tables_of_a_small_part(arms, names, seeds):
    """With arms missing, a single seed, one or all divergences; warnings are errors."""
    made = part(arms, names, seeds)
    figures.style()
    for name in ("classes", "ratio", "samples", "infinite"):
        figure = getattr(FIGURES, f"figure_{name}")(made)
        figure.canvas.draw()
        plt.close(figure)
    for name in ("classes", "samples", "estimates"):
        frame = getattr(FIGURES, f"table_{name}")(made)
        assert "nan" not in latex(frame) and (len(frame) or name == "samples")


def test_a_lone_run_scatters_to_the_bit_as_it_does_among_others():
    x = torch.randn(12, 128, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.equal(estimates.sd(x)[:1], estimates.sd(x[:1]))
    assert estimates.sd(x).tolist() == pytest.approx(x.std(dim=1).tolist(), rel=1e-12)
    assert not torch.equal(x.std(dim=1)[:1], x[:1].std(dim=1))  # why torch's own is not used
