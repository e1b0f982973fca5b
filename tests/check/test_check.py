"""Anyone's formulas: what is right passes, each fault of public code is caught by its check, misuse is one sentence."""

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from small import ROOT

from fgan import check
from fgan.__main__ import main
from fgan.check.checks import CHECKS, NEEDS, _plainest
from fgan.design import DesignError
from fgan.divergences import DIVERGENCES, alpha
from fgan.report.theory import public

NUMBER = r"-?(?:inf|nan|\d+\.?\d*(?:e[+-]\d+)?)"
GAN, JS, KL = DIVERGENCES["gan"], DIVERGENCES["jensen_shannon"], DIVERGENCES["kl"]


def failing(d):
    return {name: text for name, text in check.verdicts(d) if text is not None}


@pytest.mark.parametrize("a", [-5, -1, -0.01, 0.01, 0.5, 0.99, 1.01, 1.5, 4, 10])
def test_alpha_passes(a):
    assert not failing(alpha(a))


def test_a_multiple_and_a_shift_pass():
    """c f + k (u - 1) has the divergence c D_f; its conjugate is c f*((t - k) / c) + k."""
    shifted = SimpleNamespace(
        f=lambda u: 3 * GAN.f(u) + 2 * (u - 1), conjugate=lambda t: 3 * GAN.conjugate((t - 2) / 3) + 2,
        activation=lambda v: 3 * GAN.activation(v) + 2,
        conjugate_of_activation=lambda v: 3 * GAN.conjugate_of_activation(v) + 2,
    )  # fmt: skip
    assert not failing(shifted)
    assert [name for name, _ in check.verdicts(shifted)] == [n for n in CHECKS if n not in ("f_prime", "threshold")]


def dropped(d):
    return replace(d, conjugate=lambda t: -(2 - torch.exp(t)), conjugate_of_activation=None)


def weight(d):
    w = public.WEIGHT
    return replace(d, f=lambda u: w * torch.xlogy(u, u) - torch.xlogy(1 - w + w * u, 1 - w + w * u))


CONJUGATE = {"Fenchel-Young", "biconjugate", "supremum"}
WEIGHTED = DIVERGENCES["jensen_shannon_weighted"]
FAULTS = {
    "logarithms dropped": (dropped(JS), CONJUGATE),
    "V ends in a sigmoid": (public.squashed(GAN), {"range of g_f", "supremum", "float32"}),
    "V ends in a sigmoid, g_f = v": (public.squashed(KL), {"range of g_f", "supremum", "float32"}),
    "f* of v": (public.misplaced(DIVERGENCES["squared_hellinger"]), {"closed form", "supremum"}),
    "pi in f*": (public.ALONE["weighted JS, pi = 3.14159"], CONJUGATE | {"range of g_f"}),
    "pi in f": (weight(WEIGHTED), {"f is convex", "f_prime", "Fenchel-Young", "supremum"}),
    "literal": (public.literal(GAN), {"float32"}),
    "tanh, literal": (public.literal(DIVERGENCES["total_variation"]), {"float32"}),
    "g_f falls": (replace(KL, activation=lambda v: -v, conjugate_of_activation=None), {"slope of g_f"}),
    "g_f leaves the domain": (replace(JS, activation=lambda v: v, conjugate_of_activation=None), {"range of g_f"}),
    "concave": (replace(KL, f=lambda u: -KL.f(u)), {"f is convex", "f_prime", "threshold"}),
    "threshold": (replace(KL, threshold=0.0), {"threshold"}),
    "conjugate too large": (replace(KL, conjugate=lambda t: torch.exp(t - 1) + 0.01), {"biconjugate", "Fenchel-Young"}),
    "conjugate too small": (replace(KL, conjugate=lambda t: 0.99 * torch.exp(t - 1)), {"biconjugate", "Fenchel-Young"}),
    "double": (replace(KL, activation=lambda v: v.double()), {"float32"}),
}  # fmt: skip
ALONE = {
    "logarithms dropped",
    "literal",
    "tanh, literal",
    "g_f falls",
    "threshold",
    "double",
}  # no other check may fail


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_caught_with_a_counterexample(fault):
    d, expected = FAULTS[fault]
    found = failing(d)
    assert expected <= set(found) and (fault not in ALONE or expected == set(found))
    for name, text in found.items():
        assert name == "float32" or len(re.findall(NUMBER, text)) > 1, text


def test_counterexamples_are_true():
    u, t = map(float, re.search(rf"at u = ({NUMBER}), t = ({NUMBER})", failing(dropped(JS))["Fenchel-Young"]).groups())
    at = lambda function, x: float(function(torch.tensor([x], dtype=torch.float64)))
    assert at(JS.f, u) - (2 - at(torch.exp, t)) < u * t
    ratio, needed, low, high = map(float, re.findall(NUMBER, failing(public.squashed(KL))["range of g_f"]))
    assert at(KL.f_prime, ratio) == pytest.approx(needed, 1e-4) and (low, high) == (0, 1) and not low <= needed <= high
    v, single, double = map(
        float,
        re.search(
            rf"v = ({NUMBER}) is ({NUMBER}) in float32, ({NUMBER}) in", failing(public.literal(GAN))["float32"]
        ).groups(),
    )
    assert 16 < v < 18 and single == float("inf") and double == pytest.approx(v)  # fmt: skip


def slow(v):
    """KL's closed form with a slope 1 % too small."""
    h = KL.conjugate_of_activation(v)
    return h.detach() + 0.99 * (h - h.detach())


@pytest.mark.parametrize(
    "d, name, words",
    [(weight(WEIGHTED), "f is convex", r"f\(0\.\d+\) = nan"),
     (replace(KL, conjugate_of_activation=slow), "closed form", "the slope of conjugate_of_activation is"),
     (replace(KL, activation=lambda v: v.clamp(-2, 4), conjugate_of_activation=None), "supremum", r"P = \[0\.001"),
     (public.literal(DIVERGENCES["neyman"]), "float32", r"f\*\(g_f\(v\)\) at v = 17.* is 2 in float32, 1\.9"),
     (public.literal(DIVERGENCES["total_variation"]), "float32", r"the slope of g_f\(v\) at v = -?9.* is 0 in"),
     (public.literal(alpha(-2)), "float32", "the slope of .* is inf in float32, 4.* in float64"),
     (SimpleNamespace(  # its slope at -80 is a difference of nearly equal numbers
         f=lambda u: u**2 / 2, conjugate=lambda t: t**2 / 2, activation=lambda v: v + (1 + v**2).sqrt()),
      "float32", r"the slope of g_f\(v\) at v = -\d\d")])  # fmt: skip
def test_each_part_of_a_check_finds_what_only_it_can_find(d, name, words):
    assert re.search(words, failing(d)[name])


def test_the_plainest_point_is_a_bad_one():
    far = torch.tensor([torch.inf, torch.nan, torch.inf, 2.0])
    assert _plainest(torch.tensor([False, True, False, False]), far) == (1,)
    assert _plainest(torch.tensor([False, True, True, True]), far) == (3,) and _plainest(far == 9, far) is None


def test_every_check_is_needed():
    """Each check fails for one of the faults here."""
    assert {name for d, _ in FAULTS.values() for name in failing(d)} == set(CHECKS) and set(NEEDS) < set(CHECKS)


def good(**changes):
    return SimpleNamespace(**{"f": KL.f, "conjugate": KL.conjugate, "activation": KL.activation} | changes)


def stops(u):
    raise KeyError("no such ratio")


@pytest.mark.parametrize(
    "formulas, words",
    [(good(f=None), "need a function f, but have None"),
     (good(f_prime=3), "need a function f_prime, but have 3"),
     (good(threshold="one"), "threshold must be the number f'(1), but is 'one'"),
     (good(activation=stops), "activation raises KeyError: 'no such ratio'"),
     (good(f=lambda u: u.sum()), "f must map a tensor of shape [121] to one of that shape, but gives a tensor of"),
     (good(conjugate=lambda t: 1.0), "gives a float"),
     (good(activation=lambda v: v * torch.nan), "activation is nan at every one of 301 points from -15 to 15"),
     (good(conjugate=lambda t: torch.log(-1 - t**2)), "conjugate is nan at every one of 121 points"),
     (good(f=lambda u: u.detach() ** 2), "f cannot be differentiated")])  # fmt: skip
def test_misuse_is_one_sentence(formulas, words):
    with pytest.raises(DesignError, match=re.escape(words)):
        check.verdicts(formulas)


def test_the_page_shows_what_the_command_prints(tmp_path, monkeypatch, capsys):
    page = (ROOT / "docs/check.md").read_text()
    monkeypatch.chdir(tmp_path)
    code = re.search(r"```python\n(.*?)```", page, re.S)[1]
    command, *lines = re.search(r"```\n\$ python -m fgan (.*?)```", page, re.S)[1].splitlines()
    (tmp_path / "divergence.py").write_text(code)
    assert main(command.split()) == 1 and capsys.readouterr().out.splitlines() == lines
    right = code.replace("-(2 - torch.exp(t))", "-torch.log(2 - torch.exp(t))")
    assert right != code
    (tmp_path / "divergence.py").write_text(right)
    assert main(command.split()) == 1
    out = capsys.readouterr().out
    assert out.count("holds") == 6 and out.count("FAILS  float32") == 1
    closed = "    def conjugate_of_activation(v):\n        return -logsigmoid(-v) - math.log(2)\n"
    (tmp_path / "divergence.py").write_text(right + "\n" + closed)
    assert main(command.split()) == 0 and capsys.readouterr().out.count("holds") == 8
    assert all(f"| {name}" in page or name in ("f_prime", "threshold") for name in CHECKS)


def test_a_module_is_checked_without_a_name_and_may_work_in_place(tmp_path, capsys):
    (tmp_path / "beside.py").write_text("import torch\nsquare = torch.square\n")
    (tmp_path / "pearson.py").write_text(
        "from beside import square\n"
        "f = lambda u: square(u - 1)\nconjugate = lambda t: t * (t / 4 + 1)\nactivation = lambda v: v.mul_(1.0)\n"
    )
    assert main(["check", str(tmp_path / "pearson.py")]) == 0
    assert capsys.readouterr().out.startswith("holds  f is convex\n")


@pytest.mark.parametrize(
    "text, name, words",
    [(None, "KL", "there is no file"), ("x = 1", "KL", "has no name KL"), ("x = 1", "x", "need a function f"),
     ("import nothing_of_this_name", "x", "cannot be imported, ModuleNotFoundError"),
     ("def f(:", "x", "cannot be imported, SyntaxError")])  # fmt: skip
def test_a_wrong_place_is_one_sentence(text, name, words, tmp_path, capsys):
    if text:
        (tmp_path / "formulas.py").write_text(text)
    assert main(["check", f"{tmp_path / 'formulas.py'}:{name}"]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("error: ") and words in said.err and said.err.count("\n") == 1 and not said.out
