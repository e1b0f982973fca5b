"""The result of a check: an estimate with its interval, the range that is allowed, and the outcome."""

import math
from dataclasses import dataclass, field

import numpy as np

UNKNOWN = (math.inf, -math.inf, math.inf)  # estimate and interval if a run failed
MISSING = (math.nan,) * 3  # if nothing was measured


@dataclass
class Result:
    """One check: its estimate, interval, allowed range, seeds (pairs of a difference), and p-values.

    `p` is of the test that decides a difference or an equivalence, `null` of the test that a difference is too small
    to matter; None where no such test was run. `differences` are the paired differences that a margin is held
    against, [seeds]; None without a margin. `unconverged` are the shares of its runs that have neither converged nor
    failed, and that cycle; None for a check that counts no modes. `missing` says in words why there is no estimate,
    `failed` which of its runs diverged or died; empty if there is nothing to say.
    """

    label: str
    estimate: float
    low: float
    high: float
    allowed: tuple
    seeds: float
    p: float | None = None
    null: float | None = None
    unconverged: tuple | None = None
    differences: np.ndarray | None = field(default=None, repr=False, compare=False)
    missing: str = ""
    failed: str = ""

    @property
    def numbers(self):
        """(estimate, low, high) as they are printed: NaN for unbounded ends, and for all three without an estimate."""
        if not math.isfinite(self.estimate):
            return MISSING
        bounded = math.isfinite(self.low) and math.isfinite(self.high)
        return (self.estimate, self.low, self.high) if bounded else (self.estimate, math.nan, math.nan)

    @property
    def too_short(self):
        """Whether most of the runs have not converged."""
        return self.unconverged is not None and self.unconverged[0] > 0.5

    @property
    def too_small(self):
        """Whether a difference that is not there by its own test is shown to be below its margin."""
        return self.null is not None and self.null <= 0.05 < self.p

    @property
    def excess(self):
        """How far the estimate lies outside the allowed range; negative inside, -inf if unknown."""
        outside = max(self.allowed[0] - self.estimate, self.estimate - self.allowed[1])
        return outside if math.isfinite(outside) else -math.inf

    @property
    def outcome(self):
        """'holds', 'fails', 'undecided', or 'not run' if nothing was measured."""
        if self.too_short:
            return "undecided"
        if math.isnan(self.estimate):
            return "not run"
        lower, upper = self.allowed
        if self.p is not None:
            if self.p <= 0.05:
                return "holds" if lower <= self.estimate <= upper else "fails"
            return "fails" if self.too_small else "undecided"
        if lower <= self.low and self.high <= upper:
            return "holds"
        return "fails" if self.high < lower or self.low > upper else "undecided"
