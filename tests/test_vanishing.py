"""Vanishing gradients: closed forms between Gaussians, snapshots that stay, gradients of one V, and the figures."""

import math

import matplotlib.pyplot as plt
import pandas as pd
import pytest
import torch
from small import EXPERIMENTS, trained

from fgan import claims, design, figures
from fgan.design import Run, merge
from fgan.divergences import DIVERGENCES
from fgan.metrics import exact, separation
from fgan.metrics.energy import energy_distance
from fgan.parts import thinned
from fgan.records import COLUMNS, Part, tidy
from fgan.snapshot import watched
from fgan.tables import latex
from fgan.targets import images
from fgan.targets.mixtures import Mixture
from fgan.training import gradients, train

RUN = design.module(EXPERIMENTS, "vanishing", "run")
FIGURES = design.module(EXPERIMENTS, "vanishing", "figures")
DATA = images.digits()
EVERY = pytest.mark.parametrize("divergence", DIVERGENCES.values(), ids=DIVERGENCES)
# Derivatives in d of D_f(N(0, 1) || N(d, 1)), in closed form.
CLOSED = {
    "kl": lambda d: d, "reverse_kl": lambda d: d, "jeffrey": lambda d: 2 * d,
    "pearson": lambda d: 2 * d * math.exp(d**2), "neyman": lambda d: 2 * d * math.exp(d**2),
    "squared_hellinger": lambda d: d / 2 * math.exp(-(d**2) / 8), "alpha_3": lambda d: d * math.exp(3 * d**2),
    "alpha_m2": lambda d: d * math.exp(3 * d**2),
    "total_variation": lambda d: math.exp(-(d**2) / 8) / math.sqrt(2 * math.pi),
}  # fmt: skip


@pytest.mark.parametrize("d", [0.5, 3.0, 10.0])
@pytest.mark.parametrize("name", CLOSED)
def test_the_exact_gradient_in_closed_form(name, d):
    assert separation.exact(DIVERGENCES[name], d)["saddle"] == pytest.approx(CLOSED[name](d), rel=1e-6)


@EVERY
def test_at_the_optimum_the_saddle_gradient_is_that_of_the_divergence(divergence):
    normal, d, step = Mixture([1.0], [0.0], [1.0]), 1.2, 1e-3
    above, below = (exact.divergence(exact.of(divergence.name), normal, d + s, 1.0) for s in (step, -step))
    assert separation.exact(divergence, d)["saddle"] == pytest.approx((above - below) / (2 * step), rel=2e-3)


@pytest.mark.parametrize("name, other, factor", [("kl", "reverse_kl", 1), ("pearson", "kl", 2), ("gan", "gan", None)])
def test_the_alternative_gradient_is_that_of_its_effective_divergence(name, other, factor):
    found = separation.exact(DIVERGENCES[name], 3.0)
    if factor:
        assert found["alternative"] == pytest.approx(factor * separation.exact(DIVERGENCES[other], 3.0)["saddle"])
    else:  # r f'' + r^2 f'' = 1 for GAN, so that the two gradients add up to d
        assert found["alternative"] + found["saddle"] == pytest.approx(3.0)


@pytest.mark.parametrize("way", ["optimal", "noisy"])
@EVERY
def test_a_batch_has_the_gradient_of_autograd_through_T(divergence, way):
    generator = torch.Generator().manual_seed(0)
    z, phase = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in ((3, 64), (3, 1)))
    x = (1.5 + z).requires_grad_()
    s, slope = separation.optimal(1.5, x) if way == "optimal" else separation.noisy(1.5, x, 0.1, 3.0, phase)
    if way == "noisy":
        torch.testing.assert_close(torch.autograd.grad(s.sum(), x, retain_graph=True)[0], slope)
    t = divergence.f_prime(s.exp())
    losses = {"saddle": -divergence.conjugate(t), "alternative": -t}
    found = separation.through(divergence, s.detach(), slope.detach())
    for name, loss in losses.items():
        (expected,) = torch.autograd.grad(loss.mean(-1).sum(), x, retain_graph=True)
        torch.testing.assert_close(found[name], expected.sum(-1), rtol=1e-6, atol=1e-9)


def test_a_noisy_classifier_is_off_by_the_error_at_most():
    x, phase = torch.linspace(-5, 15, 2001, dtype=torch.float64)[None], torch.zeros((1, 1), dtype=torch.float64)
    off = separation.noisy(8.0, x, 0.01, 3.0, phase)[0].sigmoid() - separation.optimal(8.0, x)[0].sigmoid()
    assert 0.009 < off.abs().max() <= 0.01


@EVERY
def test_the_weights_go_on_evenly_beyond_the_edge(divergence):
    s = torch.tensor([-200.0, -100.0, -50.0], dtype=torch.float64)
    for name, weights in separation.log_weights(divergence, s).items():
        k = separation.exponents(divergence)[name]
        if divergence.name != "total_variation":
            torch.testing.assert_close(weights.diff(), k * s.diff())
        assert name == "alternative" or k == separation.exponents(divergence)["alternative"] + 1


def test_the_limits_of_F():
    known = {"gan": 0.0, "jensen_shannon": 2 * math.log(2), "total_variation": 1.0, "squared_hellinger": 2.0,
             "jensen_shannon_weighted": -0.3 * math.log(0.3) - 0.7 * math.log(0.7)}  # fmt: skip
    for name, divergence in DIVERGENCES.items():
        assert separation.limit(divergence) == pytest.approx(known.get(name, math.inf))
        assert separation.uniform(divergence, 0.0) == pytest.approx(float(divergence.f(torch.ones(()))))
        assert separation.uniform(divergence, 2.0) == separation.uniform(divergence, 1.0)


def test_the_energy_distance_is_zero_for_the_same_points_and_grows_with_a_shift():
    x = torch.rand((50, 4), generator=torch.Generator().manual_seed(0))
    found = energy_distance(torch.stack([x, x + 1, x + 2]), x)
    assert found[0].abs() < 1e-3 and 0 < found[1] < found[2]


def small(arm="epoch1", names=("gan", "kl"), seeds=(0,), **changes):
    """A short population of one arm of the experiment at quick."""
    chosen = design.load("vanishing", "quick", EXPERIMENTS).arms[arm]
    short = {"steps": 4, "history": 2, "batch": 32, "measure": {"samples": 40}, "pretraining": {"epochs": 0.1}}
    settings = merge(merge(chosen, short), changes) | {"divergences": list(names)}
    runs = [Run("vanishing", arm, n, o, s) for n in names for o in settings["objectives"] for s in seeds]
    return RUN.population(settings, runs, "cpu", DATA)


def test_a_snapshot_stays_and_is_shared_by_arms_and_divergences():
    p, later = small(), small("epoch25")
    start, omega = p.theta.clone(), p.omega.clone()
    assert torch.equal(p.theta[0], p.theta[1]) and torch.equal(p.theta, later.theta)
    assert not torch.equal(p.theta, small(pretraining={"epochs": 0.2}).theta)
    assert not torch.equal(omega[0], later.omega[0])  # V is another one
    trained(p)
    assert torch.equal(p.theta, start) and not torch.equal(p.omega, omega)


def test_a_longer_training_before_goes_on_from_a_shorter_one():
    one = small(pretraining={"epochs": 1e-6})
    settings = one.settings["pretraining"]["optimiser"]
    fresh = torch.stack([one.generator.start(RUN.seeded("cpu", "vanishing/pretraining/0", "weights", "generator"))] * 2)
    assert 0 < (one.theta - fresh).abs().max() <= 1.01 * settings["generator"]  # one step of Adam


def test_the_generator_moves_again_where_its_rate_is_not_zero():
    p = small("optimal", ["gan"])
    steps, history, _ = train(p, RUN.observe)
    metrics, _ = RUN.evaluate(p, steps, history)
    assert not torch.equal(p.theta, p.start) and (metrics["learnt"] != 0).all()


def test_both_gradients_are_those_that_a_step_would_take():
    p = small("optimal", ["gan", "kl", "pearson"])
    found = watched(p)
    draw = RUN.seeded("cpu", p.streams[0], "watch")
    x = p.target(p.target.draw((32,), draw))[None].expand(len(p.runs), -1, -1)
    z = p.noise((32,), draw)[None].expand(len(p.runs), -1, -1)
    value, loss = p.losses(x, z)
    norms = gradients(loss, p.theta_views).norm(dim=1)
    expected = [found[f"gradient {run.objective}"][i] for i, run in enumerate(p.runs)]
    torch.testing.assert_close(norms.double(), torch.stack(expected), rtol=1e-3, atol=1e-7)
    torch.testing.assert_close(value.detach().double(), found["fresh F"], rtol=1e-4, atol=1e-5)
    assert not torch.equal(found["gradient saddle"], found["gradient alternative"])


@pytest.mark.parametrize("shift", [400, 1000])  # beyond float64: the square of the norm, or the gradient itself
def test_an_overflow_is_an_infinite_gradient_and_no_error(shift):
    p = small(names=["reverse_kl"])
    with torch.no_grad():
        p.omega_views[-1].sub_(shift)
    assert watched(p)["gradient alternative"].isinf().all()
    assert RUN.log_norm(torch.tensor([0.0, math.inf])).tolist() == [-300.0, 300.0]


def test_accuracy_counts_both_sides():
    p = small(names=["kl"])
    real, fake = torch.tensor([[[2.0], [0.0]]] * 2), torch.tensor([[[0.0], [0.5]]] * 2)  # KL's threshold is 1
    assert RUN.accuracy(p, real.double(), fake.double()).tolist() == [0.75, 0.75]


def test_a_run_has_the_bytes_that_it_has_beside_others():
    def measured(p):
        steps, history, _ = train(p, RUN.observe)
        return history, RUN.evaluate(p, steps, history)[0]

    beside, alone = measured(small(seeds=(0, 1))), measured(small(seeds=(1,)))
    for name, values in beside[0].items():
        assert torch.equal(values[:, [1, 3]], alone[0][name]), name
    for name, values in beside[1].items():
        assert torch.equal(values[[1, 3]].nan_to_num(), alone[1][name].nan_to_num()), name


@pytest.fixture(scope="module")
def untrained():
    rule = {"batches": 20, "batch": 256}
    settings = design.load("vanishing", "quick", EXPERIMENTS).arms["epoch1"]
    return RUN.baselines(settings | {"measure": settings["measure"] | rule})


def part(untrained, arms, names, seeds):
    """A part of a record, in memory: the given arms, trained for a few steps."""
    frames, populations = [], {arm: small(arm, names, range(seeds)) for arm in arms}
    for p in populations.values():
        steps, history, _ = train(p, RUN.observe)
        metrics, _ = RUN.evaluate(p, steps, history)
        runs = p.runs[: p.wanted]
        frames += [tidy(runs, s, {k: v[i] for k, v in history.items()}) for i, s in enumerate(steps)]
        frames.append(tidy(runs, steps[-1], metrics))
    frames = thinned(pd.concat(frames), {arm: p.settings["steps"] for arm, p in populations.items()})
    rows, arrays = untrained
    tidied = [("vanishing", "baseline", n, "none", s, 0, m, v) for n, s, m, v in rows]
    frames.append(pd.DataFrame(tidied, columns=COLUMNS))
    settings = {arm: p.settings for arm, p in populations.items()}
    labels = [{"name": n, "label": DIVERGENCES[n].label, "effective": ""} for n in DIVERGENCES if n in names]
    found = Part(None)
    vars(found).update(
        measurements=pd.concat(frames), samples=arrays,
        design={"name": "vanishing", "scale": "quick", "arms": settings, "settings": settings[arms[0]],
                "divergences": labels},
    )  # fmt: skip
    return found


@pytest.mark.parametrize(
    "arms, names, seeds",
    [(["epoch1", "optimal"], ["gan"], 1), (["epoch1", "epoch25", "optimal", "one_step"], list(DIVERGENCES), 2)],
)
def test_figures_and_tables_of_a_small_part(untrained, arms, names, seeds):
    found = part(untrained, arms, names, seeds)
    figures.style()
    for kind in ("figure", "table"):
        for owner, short, _ in design.captions(kind, EXPERIMENTS).values():
            if owner == "vanishing":
                made = getattr(FIGURES, f"{kind}_{short}")(found)
                if kind == "figure":
                    made.canvas.draw()
                    plt.close(made)
                else:
                    assert len(made) > 1 and "nan" not in latex(made)


def test_claims_on_the_gaussians_hold_and_the_others_are_judged(untrained):
    found = part(untrained, ["epoch1", "optimal"], ["gan", "kl", "reverse_kl"], 1)
    rows = claims.judge(found, claims.read(EXPERIMENTS / "vanishing" / "claims.yaml"))
    verdicts = {row["claim"]: row["verdict"] for row in rows}
    for name in ("saturates", "explodes", "error-bound", "disjoint"):
        assert verdicts[f"vanishing-{name}"] == "replicated"
    assert verdicts["vanishing-nothing-learnt-fast"] == "not run"  # the part has no such arm
