"""The overview of a record: main table, state, what it lacks, and how far each claim is from its criterion."""

import math

import pandas as pd
import pytest
from records import toy

from fgan import design
from fgan.design import DesignError
from fgan.report import figures, overview

INF = math.inf
ROW = {"experiment": "ring", "kind": "published", "source": "f-GAN, Table 4", "verdict": "replicated", "missing": "",
       "published_share": None, "data": "", "at_half": "", "at_twice": ""}  # fmt: skip


def frame(*rows):
    return pd.DataFrame([ROW | row for row in rows])


def ends(estimate, low, high, allowed_low=0.0, allowed_high=INF):
    names = ("estimate", "low", "high", "allowed_low", "allowed_high")
    return dict(zip(names, (estimate, low, high, allowed_low, allowed_high), strict=True))


@pytest.mark.parametrize(
    ("own", "z"),
    [(ends(3.0, 2.0, 4.0), 3.0), (ends(-3.0, -4.0, -2.0), -3.0), (ends(0.5, -0.5, 1.5), 0.5),
     (ends(-3.0, -4.0, -2.0, -INF, 0.0), 3.0), (ends(1.0, 0.0, 2.0, -5.0, 3.0), 2.0),
     (ends(9.0, 8.0, 10.0, 0.0, 5.0), -4.0), (ends(0.0, 0.0, 0.0, -INF, 0.0), 8.0), (ends(2.0, 2.0, 2.0, 3.0), -8.0),
     (ends(1e6, 1e6 - 1, 1e6 + 1), 8.0)])  # fmt: skip
def test_the_distance_from_a_criterion_is_in_half_widths_and_positive_inside(own, z):
    assert overview.standing(frame(own)).z.tolist() == [z]


def test_a_claim_without_an_interval_has_no_place_in_the_figure():
    rows = frame(ends(math.nan, math.nan, math.nan), ends(1.0, -INF, INF), ends(INF, -INF, INF))
    assert not len(overview.standing(rows))
    assert len(overview.figure(rows).texts) == 1  # it says so


def test_the_figure_has_a_mark_for_every_claim_with_an_interval():
    rows = frame(
        *[ends(1.0, 0.5, 1.5)] * 12, ends(-9.0, -9.1, -8.9) | {"experiment": "grid", "verdict": "not replicated"}
    )
    figures.style()
    (axis,) = overview.figure(rows).axes
    points = {(float(line.get_xdata()[0]), round(float(line.get_ydata()[0]), 3)) for line in axis.lines}
    assert len(axis.lines) == len(points) == 13  # none hides another


@pytest.mark.parametrize(
    ("half", "twice", "edges"),
    [("replicated", "replicated", 0), ("", "", 0), ("undecided", "replicated", 1), ("replicated", "partly", 1)],
)
def test_a_verdict_that_another_tolerance_flips_has_a_black_edge(half, twice, edges):
    picture = overview.figure(frame(ends(1.0, 0.5, 1.5) | {"at_half": half, "at_twice": twice}))
    words = [text.get_text() for text in picture.legends[0].get_texts()]
    assert sum(line.get_mec() == "black" for line in picture.axes[0].lines) == edges
    assert ("flips at half or twice the tolerance" in words) == bool(edges)


def test_the_tally_of_fgan_leaves_out_public_code_and_our_own_claims():
    rows = frame({}, {"verdict": "undecided"}, {"source": "f-GAN-pytorch (minlee077), README"}, {"kind": "derived"})
    assert len(overview.of_fgan(rows)) == 2
    assert overview.tally(overview.of_fgan(rows)) == "1 hold and 1 stay undecided"
    assert overview.tally(rows[:1]) == "1 hold" and overview.tally(rows[:0]) == ""


def main(tmp_path, *rows, found="ring-x"):
    path = tmp_path / "findings.yaml"
    path.write_text(f"paper: [{{claim: {found}, finding: KL & co, published: -2 nats, unit: nats}}]")
    part = toy(tmp_path / "ring", {("m", "kl", "saddle"): [1.0]})
    part.design["name"] = "ring"
    return overview.main_table(frame(*rows), [part], path)


def test_the_main_table_has_finding_published_ours_verdict_and_scale(tmp_path):
    text = main(tmp_path, {"claim": "ring-x"} | ends(3.0, 2.0, 4.0))
    scale = design.SCALES
    row = next(line for line in text.splitlines() if line.startswith("KL"))
    assert row.startswith(r"KL \& co & $-$2 nats & 3.0 [2.0, 4.0] nats & \verdict{replicated} & ")
    assert row.removesuffix(r" \\").split(" & ")[-1] in scale
    short = main(tmp_path, {"claim": "ring-x", "published_share": 0.0008} | ends(3.0, 2.0, 4.0))
    assert r", 0.08 \% \\" in short
    other = main(tmp_path, {"claim": "ring-x", "data": "8x8 digits, stack of 2"} | ends(3.0, 2.0, 4.0))
    assert r" & 3.0 [2.0, 4.0] nats (8x8 digits, stack of 2) & " in other


def test_what_was_not_run_is_no_row_of_the_main_table(tmp_path):
    nothing = ends(math.nan, math.nan, math.nan)
    assert "KL" not in main(tmp_path, {"claim": "ring-x", "verdict": "not run"} | nothing)
    with pytest.raises(DesignError, match="no claim 'ring-y'; did you mean 'ring-x'"):
        main(tmp_path, {"claim": "ring-x"} | nothing, found="ring-y")


def test_what_a_record_lacks_is_said_once(root, tmp_path):
    part = toy(tmp_path / "ring", {("m", "kl", "saddle"): [1.0]})
    part.design["name"] = "ring"
    text = overview.absent([part], frame({"verdict": "not run"}, {}, {"verdict": "not run", "experiment": "grid"}))
    assert text.startswith("The record lacks the experiments bound, univariate, grid") and "ring," not in text
    assert text.endswith("In the others 1 claims need arms or data that it does not hold: ring 1.")


def test_the_scales_are_counted_and_the_few_are_named(root, tmp_path):
    made = []
    for name, scale in (("a", "quick"), ("b", "quick"), ("c_d", "full")):
        part = toy(tmp_path / name, {("m", "kl", "saddle"): [1.0]})
        part.design.update(name=name, scale=scale)
        made.append(part)
    text = overview.scales(made)
    assert "short" in overview.caution(made) and overview.caution(made[2:]) == ""
    made[1].design["scale"] = "overnight"  # none of two scales hides the other
    assert "short" in overview.caution(made) and "affordable" in overview.caution(made)
    made[1].design["scale"] = "quick"
    assert text.endswith(r"2 at \emph{quick} (a, b) and 1 at \emph{full} (c d)") and text.startswith("3 of ")
