"""What is kept of the histories: every judged value, the first runs in full, and quartiles over all seeds."""

import math

import pandas as pd
import pytest
from records import rows

from fgan.metrics.history import KEPT, kept, quartiles
from fgan.record.write import COLUMNS

LAST = {"tanh": 20, "short": 6}


def test_every_run_keeps_its_judged_values_and_the_first_their_histories():
    frame = kept(rows(20), LAST)
    assert set(frame[frame.step == 20].seed) == set(range(20))
    assert set(frame[frame.step == 10].seed) == set(range(KEPT))


def test_every_arm_is_judged_at_its_own_last_step():
    frame = kept(pd.concat([rows(7), rows(7, (3, 6), "short")]), LAST)
    assert set(frame[(frame.arm == "short") & (frame.step == 6)].seed) == set(range(7))
    assert set(frame[(frame.arm == "short") & (frame.step == 3)].seed) == set(range(KEPT))


def test_quartiles_are_over_all_seeds():
    frame = quartiles(rows(20), LAST)
    wanted = {"lower quartile": [4.75, 4.75], "median": [9.5, 9.5], "upper quartile": [14.25, 14.25]}
    assert {name: list(own.value) for name, own in frame[frame.metric == "F"].groupby("statistic")} == wanted
    assert set(frame.step) == {10, 20} and set(frame.columns) == set(COLUMNS) - {"seed"}


def test_quartiles_are_of_what_has_a_history_rule_by_rule():
    other = rows(8).assign(rule="3 sd, one", value=1.0)
    frame = quartiles(pd.concat([rows(8), other[other.metric == "F"]]), LAST)
    assert set(frame.metric) == {"F"}  # modes are counted at the last step alone
    medians = frame[(frame.statistic == "median") & (frame.step == 10)].set_index("rule").value
    assert medians.to_dict() == {"": 3.5, "3 sd, one": 1.0}


def test_a_run_without_a_value_counts_in_every_quartile():
    """Of nine runs one diverged: it may be the least or the largest, and the survivors' quartiles would be 2, 4, 6."""
    frame = rows(9)
    frame.loc[(frame.metric == "F") & (frame.seed == 8), "value"] = math.nan
    found = quartiles(frame, LAST).set_index(["step", "statistic"]).value[10]
    assert found.to_dict() == {"lower quartile": 1.0, "median": 3.5, "upper quartile": 6.0}


@pytest.mark.parametrize(("diverged", "defined"), [(2, {"lower quartile", "median", "upper quartile"}),
                                                   (3, {"median"}), (5, set())])  # fmt: skip
def test_a_quartile_that_runs_without_a_value_would_decide_is_undefined(diverged, defined):
    frame = rows(9)
    frame.loc[(frame.metric == "F") & (frame.seed >= 9 - diverged), "value"] = math.nan
    found = quartiles(frame, LAST).set_index(["step", "statistic"]).value[10]
    assert set(found[found.notna()].index) == defined and len(found) == 3
