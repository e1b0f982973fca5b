"""Checks of the formulas of an f-divergence, this repository's or anyone's: python -m fgan check FILE.py:NAME.

The formulas are an object with f(u), conjugate(t) = f*(t) and activation(v) = g_f(v), and at will f_prime(u),
threshold = f'(1) and conjugate_of_activation(v) = f*(g_f(v)). docs/check.md has the protocol and what each check means.
"""

from typing import NamedTuple

from fgan.check.checks import CHECKS, NEEDS
from fgan.check.formulas import Formulas, load

__all__ = ["CHECKS", "NEEDS", "Formulas", "Verdict", "load", "verdicts"]


class Verdict(NamedTuple):
    """The name of a check and its counterexample, None where the formulas hold."""

    name: str
    counterexample: str | None

    def __str__(self):
        return f"holds  {self.name}" if self.counterexample is None else f"FAILS  {self.name}: {self.counterexample}"


def verdicts(thing):
    """The verdict of every check of which the object has the formulas; raises DesignError if they cannot be used."""
    d = Formulas.of(thing)
    applied = {name: check for name, check in CHECKS.items() if getattr(d, NEEDS.get(name, "f")) is not None}
    return [Verdict(name, check(d)) for name, check in applied.items()]
