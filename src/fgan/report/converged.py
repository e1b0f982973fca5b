"""Which runs a count of modes is about: those that converged. The others have their own columns, and no say in claims.

Of the runs of an arm, divergence and objective some
  converged:  at least half of their samples lie in a mode, and their history is flat (`fgan.metrics.convergence`);
              with modes missing they collapsed, with exactly one mode completely (zero modes is not one)
  cycle:      their history rises and falls; these have not converged
  are on their way, or diffuse: not converged either
  failed:     they diverged or died; these count in every denominator, and neither cover nor collapse
"""

import numpy as np
import pandas as pd

from fgan.report import fates
from fgan.report.part import RUN
from fgan.report.statistics import wilson

# Metrics that count modes, or say of those covered which they are.
COUNTS = ("modes", "modes_any", "covered", "even number", "paired", "pairs beyond chance")
OF_RUNS = ("mean", "share", "every", "difference", "equivalence")  # kinds of checks that judge runs


def over_modes(check):
    """Whether a check judges modes covered, and so converged runs alone; an identity holds for every run."""
    return check["kind"] in OF_RUNS and check["metric"] in COUNTS and check.get("runs") != "all"


def with_ends(part, rows):
    """Judged rows with the columns `converged`, `cycles` and `failed`; False where the record does not say."""
    known = part.ends[["converged", "cycles", "failed"]].reindex(pd.MultiIndex.from_frame(rows[RUN])) > 0
    return rows.assign(**{name: known[name].to_numpy() for name in known})


def ends(part, arm, divergence, objective="saddle", first=0):
    """{word: bool [runs]} of an arm's runs from seed number `first` on: converged, cycles, failed; empty if none is."""
    known = {
        word: part.values(word, arm, divergence, objective)[first:] > 0 for word in ("converged", "cycles", "failed")
    }
    return {word: runs if len(runs) else np.zeros(len(known["failed"]), bool) for word, runs in known.items()}


def counted(part, metric, arm, divergence, objective="saddle", first=0):
    """Values of a metric [runs], NaN for a run that has not converged, from seed number `first` on."""
    values = part.values(metric, arm, divergence, objective)[first:]
    return np.where(ends(part, arm, divergence, objective, first)["converged"], values, np.nan)


def columns(part, arm, divergence, objective="saddle", first=0, total=None):
    """Cells of a table that counts modes: runs that have not converged, and those that failed.

    With the number of modes `total`, also the share of runs that cover all of them, of those that converged or failed,
    and how many of those that converged miss a mode (and all but one).
    """
    converged, cycles, failed = ends(part, arm, divergence, objective, first).values()
    open_, cells = ~converged & ~failed, {}
    if not len(part.final("converged")):  # a column without a value, which the paper's table leaves out
        words = ([f"all {total}", "collapsed (to one)"] if total else []) + ["not converged"]
        return dict.fromkeys(words, "not known") | {"failed": fates.cell(part, arm, divergence, objective, first)}
    if total:
        modes = counted(part, "modes", arm, divergence, objective, first)[converged]
        share, low, high = wilson(int((modes >= total).sum()), int((converged | failed).sum()))
        cells[f"all {total}"] = nothing(part) if np.isnan(share) else f"{share:.2f} [{low:.2f}, {high:.2f}]"
        cells["collapsed (to one)"] = f"{(modes < total).sum()} ({(modes == 1).sum()}) of {len(modes)}"
    turning = f", {(cycles & open_).sum()} cycle" if (cycles & open_).any() else ""
    failed = fates.cell(part, arm, divergence, objective, first)
    return cells | {"not converged": f"{open_.sum()} of {len(open_)}{turning}", "failed": failed}


def too_short(part):
    """The reason why a claim over modes is undecided if most of its runs have not converged."""
    return "too short" if len(part.final("converged")) else "the record does not say which runs converged"


def nothing(part, words="no run converged"):
    """What stands in the place of a value over modes if no run has converged."""
    return words if len(part.final("converged")) else "not known which runs converged"


def left_out(part, checks):
    """The largest share of the runs of a check that have not converged, as a phrase.

    Empty if none counts modes, and of a part that does not say which runs converged.
    """
    found = [check.unconverged for check in checks if check.unconverged is not None]
    if not found or not len(part.final("converged")):
        return ""
    share, cycling = max(found)
    return f", {100 * share:.0f} % of the runs not converged" + (f" ({100 * cycling:.0f} % cycle)" if cycling else "")


def unconverged(part, arms, divergences, objectives):
    """The same shares as `shares` of all runs of some arms, divergences and objectives, for a statistic over modes."""
    rows = part.final("failed")
    for column, names in {"arm": arms, "divergence": divergences, "objective": objectives}.items():
        rows = rows[rows[column].isin(names)]
    rows = with_ends(part, rows)
    return shares(rows.assign(settled=rows.converged | rows.failed))


def shares(rows):
    """The shares of judged rows that have neither converged nor failed, and that cycle; 0 without rows."""
    if not len(rows):
        return 0.0, 0.0
    return float(np.mean(~rows.settled)), float(np.mean(rows.cycles & ~rows.settled))
