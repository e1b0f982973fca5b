"""How runs ended: one that diverged or died stays in every denominator, and what is shown says at which step.

A run that diverged has no values from that step on; one that died has values that mean nothing.
"""

import numpy as np
import pandas as pd

from fgan.report.part import RUN

WORDS = {"diverged_step": "diverged", "dead_step": "died"}  # metrics of the step at which a run ended


def phrase(steps):
    """'2 diverged at step 7 to 30, 1 died at step 90' of {metric: steps [runs]}, NaN for other runs."""
    known = {word: np.asarray(steps[metric], float) for metric, word in WORDS.items() if metric in steps}
    known = {word: own[np.isfinite(own)] for word, own in known.items()}
    known = {word: own for word, own in known.items() if len(own)}
    numbers = [f"{len(own)} " for own in known.values()] if len(known) > 1 else [""]
    told = zip(numbers, known.items(), strict=False)
    return ", ".join(f"{number}{word} at step {span(own)}" for number, (word, own) in told)


def span(steps):
    """The least and the largest of some steps as text."""
    first, last = f"{steps.min():,.0f}", f"{steps.max():,.0f}"
    return first if first == last else f"{first} to {last}"


def cell(part, arm, divergence, objective="saddle", first=0):
    """A cell on the runs of an arm from seed number `first` on: '0 of 5', or '2 of 5 (diverged at step 7)'."""
    failed = part.values("failed", arm, divergence, objective)[first:]
    if not len(failed):
        return "not run"
    told = phrase({metric: part.values(metric, arm, divergence, objective)[first:] for metric in WORDS})
    return f"{failed.sum():.0f} of {len(failed)}" + (f" ({told})" if told else "")


def of_rows(part, *frames):
    """'3 of 10 runs failed (...)' of the runs that judged rows belong to, each counted once; '' if none failed."""
    runs = pd.concat([rows[RUN] for rows in frames]).drop_duplicates()
    ends = part.ends[[*WORDS]].reindex(pd.MultiIndex.from_frame(runs))
    failed = np.isfinite(ends).any(axis=1).sum()
    return f"{failed} of {len(runs)} runs failed ({phrase(ends)})" if failed else ""


def note(part, shown):
    """What a figure says of the failed runs among those whose measurements it has `shown`; '' if none failed."""
    runs, groups = part.final("failed"), RUN[:3]  # what is shown over seeds names none
    runs = runs[pd.MultiIndex.from_frame(runs[groups]).isin(pd.MultiIndex.from_frame(shown[groups]))]
    told = of_rows(part, runs) if len(runs) else ""
    return f"Of what is shown {told}; a run that diverged has no value from then on." if told else ""
