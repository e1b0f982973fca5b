"""Every formula that the paper and the README print is the function that trains: LaTeX, read and evaluated."""

import math
import re

import pytest
import torch
from scipy.special import lambertw

from fgan.divergences import DIVERGENCES, alpha

TOKEN = re.compile(r"\\[a-zA-Z]+|\d+(?:\.\d+)?|[A-Za-z]|\S")
FUNCTIONS = {
    r"\log": torch.log,
    r"\tanh": torch.tanh,
    "W": lambda x: torch.as_tensor(lambertw(x.numpy()).real),
}


class Formula:
    """A reader of the LaTeX that the table of divergences uses: sums of products of powers, with juxtaposition."""

    def __init__(self, text, **values):
        self.tokens = [t for t in TOKEN.findall(text) if t not in (r"\left", r"\right")]
        self.values = {"e": math.e, **values}

    def value(self):
        found = self.total()
        assert not self.tokens, f"not read: {self.tokens}"
        return found

    def next(self):
        return self.tokens[0] if self.tokens else ""

    def take(self, expected=None):
        token = self.tokens.pop(0)
        assert expected in (None, token), (expected, token)
        return token

    def total(self):
        negative = self.next() == "-" and bool(self.take())
        found = -self.product() if negative else self.product()
        while self.next() in ("+", "-"):
            sign = 1 if self.take() == "+" else -1
            found = found + sign * self.product()
        return found

    def product(self):
        found = self.power()
        while self.next() and self.next() not in "+-)]},<" and self.next() not in (r"\rvert", r"\leq"):
            found = found / (self.take() and self.power()) if self.next() == "/" else found * self.power()
        return found

    def power(self):
        base = self.atom()
        if self.next() == "^":
            self.take()
            return base ** (self.inside("{", "}") if self.next() == "{" else self.atom())
        return base

    def inside(self, left, right):
        self.take(left)
        found = self.total()
        self.take(right)
        return found

    def atom(self):
        token = self.next()
        for left, right in (("(", ")"), ("[", "]"), (r"\lvert", r"\rvert")):
            if token == left:
                found = self.inside(left, right)
                return found.abs() if left == r"\lvert" else found
        self.take()
        if token == r"\frac":
            return self.inside("{", "}") / self.inside("{", "}")
        if token == r"\sqrt":
            return self.inside("{", "}") ** 0.5
        if token == r"\max":
            self.take("(")
            first = self.total()
            self.take(",")
            second = self.total()
            self.take(")")
            return torch.maximum(torch.as_tensor(first, dtype=torch.float64), second)
        if token in FUNCTIONS:
            return FUNCTIONS[token](torch.as_tensor(self.power(), dtype=torch.float64))
        return self.values[token] if token in self.values else float(token)


def read(text, name, **values):
    """The value of a formula of a divergence."""
    if match := re.fullmatch(r"alpha_(m?)([\d.]+)", name):
        values[r"\alpha"] = float(match[2]) * (-1 if match[1] else 1)
    return Formula(text, **{r"\pi": 0.3} | values).value()


U = torch.logspace(-3, 3, 61, dtype=torch.float64)
V = torch.linspace(-6, 6, 61, dtype=torch.float64)


@pytest.mark.parametrize("name", DIVERGENCES)
def test_the_printed_formulas_are_the_functions_that_train(name):
    d = DIVERGENCES[name]
    for text, function, symbol, at in (
        (d.latex.f, d.f, "u", U),
        (d.latex.activation, d.activation, "v", V),
        (d.latex.conjugate_of_activation, d.conjugate_of_activation, "v", V),
        (d.latex.conjugate, d.conjugate, "t", d.activation(V)),
    ):
        expected = function(at)
        torch.testing.assert_close(read(text, name, **{symbol: at}).expand_as(expected), expected, rtol=1e-9, atol=1e-9)
    assert float(read(d.latex.threshold, name)) == pytest.approx(d.threshold, abs=1e-12)


@pytest.mark.parametrize("name", DIVERGENCES)
def test_the_printed_domain_is_that_of_the_code(name):
    d = DIVERGENCES[name]
    text, (low, high) = d.latex.domain, d.domain
    if text == r"\mathbb{R}":
        assert (low, high) == (-math.inf, math.inf)
    elif r"\leq" in text:
        first, symbol, last = text.split(r"\leq")
        assert symbol.strip() == "t" and [read(first, name), read(last, name)] == pytest.approx([low, high])
    else:
        symbol, last = text.split("<")
        assert symbol == "t" and low == -math.inf and float(read(last, name)) == pytest.approx(high, abs=1e-12)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("2-e^{-v/2}", 2 - math.exp(-1)), (r"\frac{1}{2}\lvert v-5\rvert", 1.5), (r"(v-1)^2\log v", math.log(2)),
     (r"v/2\log e", 1.0), (r"W(e^{1-v})", 0.27846454276107374), (r"-\max(0,v-3)", 0.0)])  # fmt: skip
def test_the_reader_reads(text, wanted):
    assert float(Formula(text, v=torch.tensor(2.0, dtype=torch.float64)).value()) == pytest.approx(wanted, abs=1e-12)


def test_a_wrong_formula_is_seen():
    wrong = read(r"\frac{t}{1+t}", "squared_hellinger", t=DIVERGENCES["squared_hellinger"].activation(V))
    assert not torch.allclose(wrong, DIVERGENCES["squared_hellinger"].conjugate_of_activation(V))
    assert not torch.allclose(read(alpha(3).latex.f, "alpha_2", u=U), alpha(3).f(U))
