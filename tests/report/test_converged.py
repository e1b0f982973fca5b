"""Claims over modes judge converged runs, say which share is not, and are undecided where that is most."""

import numpy as np
import pytest
from records import toy

from fgan import design
from fgan.report import claims, converged

GAN = {"divergence": "gan", "objective": "saddle"}
FEW = {"kind": "share", "metric": "modes", "where": GAN, "at_most": 7, "low": 0.5}  # partial collapse is common
ALL = {"kind": "share", "metric": "modes", "where": GAN, "at_least": 8, "low": 0.8}
ONE = {"kind": "share", "metric": "modes", "where": GAN, "at_least": 1, "at_most": 1, "high": 0.2}
FEWER = {"kind": "difference", "metric": "modes", "where": GAN, "minus": {"divergence": "kl"}, "high": 0.0}


def part(folder, modes, ended, failed=None, cycles=None, **others):
    """A part whose runs of GAN cover `modes`; `ended` says which converged. `others` are the same of KL, as a dict."""
    values = {}
    for name, own in {
        "gan": {"modes": modes, "converged": ended, "failed": failed, "cycles": cycles},
        **others,
    }.items():
        zeros = [0.0] * len(own["modes"])
        values |= {(metric, name, "saddle"): [*map(float, own.get(metric) or zeros)]
                   for metric in ("modes", "converged", "failed", "cycles")}  # fmt: skip
    return toy(folder, values)


def judged(found, check, **keys):
    claim = {"id": "c", "statement": "s", "source": "p", "seeds": 2, "checks": [check]} | keys
    return claims.judge(found, [claim])[0]


def test_a_diffuse_run_has_not_collapsed(tmp_path):
    """Ten runs that have found no mode yet, beside ten that cover all of them: nothing collapsed."""
    row = judged(part(tmp_path, [0] * 10 + [8] * 10, [0] * 10 + [1] * 10), FEW)
    assert row["verdict"] == "not replicated" and row["estimate"] == 0.0
    assert row["why"] == "the check fails, 50 % of the runs not converged"


@pytest.mark.parametrize("check", [FEW, ALL, ONE, {"kind": "mean", "metric": "modes", "where": GAN, "high": 9.0}])
def test_a_claim_is_undecided_where_most_runs_have_not_converged(tmp_path, check):
    for modes in ([0] * 20, [8] * 20):
        found = part(tmp_path, modes, [1] * 9 + [0] * 11, cycles=[0] * 15 + [1] * 5)
        row = judged(found, check)
        assert row["verdict"] == "undecided" and row["why"].startswith("too short, 55 % of the runs not converged")
        assert "25 % cycle" in row["why"]


def test_a_difference_judges_pairs_of_which_both_have_converged(tmp_path):
    kl = {"modes": [8] * 12, "converged": [1] * 10 + [0] * 2}
    row = judged(part(tmp_path, [4] * 8 + [20] * 4, [1] * 8 + [0, 0, 1, 1], kl=kl), FEWER)
    assert row["verdict"] == "replicated" and row["estimate"] == -4.0
    assert row["why"] == "the check holds, 33 % of the runs not converged"


def test_a_test_that_was_not_run_is_not_counted_by_holm(tmp_path):
    kl = {"modes": [8] * 8, "converged": [1] * 8}
    found = part(tmp_path, [4, 5, 4, 5, 4, 5, 4, 5], [1] * 8, kl=kl, reverse_kl={"modes": [8] * 8})
    short = FEWER | {"minus": {"divergence": "reverse_kl"}}
    one, other = claims.judge(
        found, [{"id": c, "checks": [check], "seeds": 2} for c, check in (("a", FEWER), ("b", short))]
    )
    assert one["p_holm"] == 2 / 2**8 and other["p_holm"] != other["p_holm"] and other["verdict"] == "undecided"


@pytest.mark.parametrize("metric", ["even number", "paired", "pairs beyond chance"])
def test_which_modes_are_covered_is_judged_of_converged_runs_too(tmp_path, metric):
    values = {(metric, "gan", "saddle"): [0.0] * 12 + [1.0] * 8, ("failed", "gan", "saddle"): [0.0] * 20}
    found = toy(tmp_path, values | {("converged", "gan", "saddle"): [0.0] * 8 + [1.0] * 12})
    row = judged(found, {"kind": "mean", "metric": metric, "where": GAN, "low": 0.0})
    assert row["estimate"] == pytest.approx(8 / 12) and "40 % of the runs not converged" in row["why"]


def test_zero_modes_is_no_complete_collapse_and_one_is(tmp_path):
    ended = [1] * 20
    assert judged(part(tmp_path, [1] * 20, ended), ONE)["verdict"] == "not replicated"
    assert judged(part(tmp_path, [0] * 20, ended), ONE)["verdict"] == "replicated"


def test_a_failed_run_counts_and_neither_covers_nor_collapses(tmp_path):
    ended, failed = [1] * 10 + [0] * 10, [0] * 10 + [1] * 10
    for modes, check in (([8] * 10 + [0] * 10, FEW), ([8] * 20, ALL), ([8] * 10 + [1] * 10, ONE)):
        row = judged(part(tmp_path, modes, ended, failed), check)
        assert row["verdict"] != "replicated" and "0 % of the runs not converged" in row["why"]
    assert judged(part(tmp_path, [8] * 10 + [0] * 10, ended, failed), ALL)["estimate"] == 0.5


def test_all_runs_are_judged_where_the_claim_says_so_and_in_what_counts_no_modes(tmp_path):
    found = part(tmp_path, [0] * 20, [0] * 20)
    assert judged(found, FEW | {"runs": "all"})["verdict"] == "replicated"
    row = judged(found, {"kind": "share", "metric": "failed", "where": GAN, "at_most": 0, "low": 0.5})
    assert row["verdict"] == "replicated" and "converged" not in row["why"]


def test_a_record_that_does_not_say_which_runs_converged_decides_nothing(tmp_path):
    row = judged(toy(tmp_path, {("modes", "gan", "saddle"): [8.0] * 20}), ALL)
    assert row["verdict"] == "undecided" and row["why"] == "the record does not say which runs converged"


def test_a_statistic_over_modes_says_how_many_runs_have_not_converged(tmp_path, monkeypatch):
    figures = type("Figures", (), {"statistic_x": staticmethod(lambda part: (1.0, 0.5, 1.5, 9, (0.6, 0.0)))})
    monkeypatch.setattr(design, "module", lambda *names: figures)
    row = judged(part(tmp_path, [8] * 9, [1] * 9), {"kind": "statistic", "statistic": "x", "low": 0.0})
    assert row["verdict"] == "undecided" and row["why"].startswith("too short, 60 %")


def test_the_columns_of_a_table_name_every_end_of_a_run(tmp_path):
    found = part(tmp_path, [8, 7, 1, 0, 3, 0], [1, 1, 1, 0, 0, 0], [0] * 5 + [1], [0, 0, 0, 0, 1, 0])
    cells = converged.columns(found, "main", "gan", total=8)
    assert list(cells) == ["all 8", "collapsed (to one)", "not converged", "failed"]
    assert list(cells.values()) == ["0.25 [0.05, 0.70]", "2 (1) of 3", "2 of 6, 1 cycle", "1 of 6"]
    assert converged.columns(found, "main", "kl", total=8)["all 8"] == "no run converged"
    assert converged.columns(found, "main", "gan", first=5) == {"not converged": "0 of 1", "failed": "1 of 1"}
    counted = converged.counted(found, "modes", "main", "gan")
    assert counted[:3].tolist() == [8, 7, 1] and np.isnan(counted[3:]).all()
