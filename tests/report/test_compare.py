"""Two records side by side: what is the same, what seeds explain, what differs for real, what cannot be compared."""

import json

import numpy as np
import pandas as pd
import pytest
from records import experiment, toy

from fgan import __main__
from fgan.files import write_json
from fgan.record import promise
from fgan.report import compare

CLAIMS = """
claims:
  - id: high
    kind: derived
    statement: m is high.
    source: derived here
    reason: any
    checks:
      - {kind: mean, metric: m, where: {divergence: kl}, low: 0}
"""
M = [1.0, 2.0, 3.0, 4.0, 5.0]
DRAWN = [2.0, 1.5, 4.0, 3.0, 5.5]  # as other seeds would be
MACHINE = {"cpu": "fast", "vector": "AVX2"}


@pytest.fixture
def made(away):
    """A function that writes a record: values of m, of `exact` without seeds, scale, steps and machine."""
    experiment(away, CLAIMS)

    def record(name, m=M, exact=0.5, scale="quick", batch=2, machine=MACHINE, end=(np.nan,) * 5):
        values = {("m", "kl", "saddle"): m, ("zero", "kl", "saddle"): [0.0] * 5, ("dead_step", "kl", "saddle"): end}
        part = toy(away / "results" / name / "toy", values, [("optimum", "", {"exact": exact})])
        shard = {"commit": "a", "device": "cpu", "versions": {"torch": "2.9"}, "code_hash": "0" * 64, "fingerprint": 0}
        card = {"fingerprints": [machine], "shards": {"main-seed0-4": shard}, "command": "", "device": "cpu"}
        write_json(part.folder / "card.json", card | {"experiment": "toy"})
        np.savez(part.folder / "samples.npz", real=np.zeros(2))
        arms = {"main": {"steps": 10, "seeds": len(m), "batch": batch}}
        write_json(part.folder / "design.json", part.design | {"scale": scale, "arms": arms})
        return part

    return record


def outcomes(lines):
    """{what the lines of one experiment count: its text}."""
    counts = (line.strip().partition(": ") for line in lines)
    return {kind.split()[-1]: text for kind, _, text in counts if kind.split()[-1:] in (["numbers"], ["verdicts"])}


def test_equal_records_have_the_same_bytes(made):
    made("a"), made("b")
    lines, sound = compare.compare("a", "b")
    assert (
        sound
        and "toy: same bytes" in lines
        and "  predicted: equal bytes, because machine, versions and code are equal" in lines
    )
    assert outcomes(lines) == {"numbers": "4 the same", "verdicts": "1 the same"}
    assert __main__.main(["compare", "a", "b"]) == 0


def test_values_of_other_seeds_differ_as_seeds_would(made):
    made("a"), made("b", DRAWN, machine=MACHINE | {"cpu": "slow"})
    lines, sound = compare.compare("a", "results/b")
    assert sound and "toy: other bytes" in lines
    assert outcomes(lines) == {
        "numbers": "3 the same, 1 differ as other seeds would",
        "verdicts": "1 differ as other seeds would",
    }
    assert "  predicted: bytes may differ, because these do: cpu (A: fast; B: slow)" in lines
    assert compare.compare("a", "b", every=True)[0][4:] != lines[4:]  # also what is the same
    assert any("toy.main.kl.saddle.m: 3 (5) and 3.2 (5), differ as other seeds would" in line
               for line in compare.compare("a", "b", every=True)[0])  # fmt: skip


def test_values_far_beyond_the_seeds_differ_for_real(made):
    made("a"), made("b", [value - 40 for value in M])
    lines, sound = compare.compare("a", "b")
    assert not sound and outcomes(lines) == {
        "numbers": "3 the same, 1 differ for real",
        "verdicts": "1 differ for real",
    }
    assert "    toy.main.kl.saddle.m: 3 (5) and -37 (5), differ for real" in lines
    assert any(line.startswith("    claim.high: ") and line.endswith(", differ for real") for line in lines)
    assert __main__.main(["compare", "a", "b"]) == 1


def test_what_has_no_seeds_may_differ_by_rounding_alone(made):
    made("a"), made("b", exact=0.5 + 1e-9), made("c", exact=0.51)
    assert outcomes(compare.compare("a", "b")[0])["numbers"] == "3 the same, 1 differ by rounding"
    lines, sound = compare.compare("a", "c")
    assert not sound and "    toy.optimum.exact: 0.5 (1) and 0.51 (1), differ for real" in lines


def test_another_scale_or_setting_is_not_compared(made):
    made("a"), made("b", [value - 40 for value in M], scale="full", batch=8)
    lines, sound = compare.compare("a", "b")
    assert sound and "  not comparable (scales: quick, full): main (batch)" in lines
    assert outcomes(lines) == {"numbers": "1 the same", "verdicts": "1 not comparable"}
    assert lines[-1] == "nothing that can be compared differs for real"


def test_runs_that_failed_are_counted(made):
    made("a"), made("b", end=(10.0, np.nan, np.nan, 10.0, 10.0))
    lines, _ = compare.compare("a", "b", every=True)
    assert "    toy.main.kl.saddle.dead_step undefined: 1 (5) and 0.4 (5), differ as other seeds would" in lines


def test_a_single_seed_tells_nothing(made):
    made("a", [1.0]), made("b", [9.0])
    assert outcomes(compare.compare("a", "b")[0])["numbers"] == "3 the same, 1 have too few seeds to tell"


def test_the_test_of_a_number():
    rng = np.random.default_rng(1000)
    from scipy.stats import ttest_ind

    a, b = rng.normal(size=6), rng.normal(size=9) + 1
    larger = max(ttest_ind(a, b, equal_var=equal).pvalue for equal in (False, True))
    assert compare.test(a, b) == compare.test(b, a) == pytest.approx(larger)
    zeros, ones = np.zeros(5), np.ones(5)
    assert compare.test(zeros, ones) == pytest.approx(2 / 252)  # 10 over 5
    assert compare.test(ones, ones) == 1.0 and np.isnan(compare.test(ones[:1], b))


def test_two_seeds_that_are_equal_or_close_are_no_certainty():
    most = np.array([8.0] * 40 + [5.0] * 35)
    for two in ([8.0, 8.0], [8.0, 8.001]):
        assert 0.1 < compare.test(np.array(two), most) < 1
    assert compare.test(np.array([8.0, 8.0]), most) == pytest.approx(2 * (42 * 41) / (77 * 76))  # both of 42 eights
    assert compare.test(np.full(75, 8.0), np.array([1.0, 2.0] * 20)) < 1e-20


def test_what_one_record_did_not_measure_is_not_in_it(made):
    made("a")
    path = made("b").folder / "measurements.parquet"
    rows = pd.read_parquet(path)
    rows[rows.metric != "m"].to_parquet(path)
    lines, sound = compare.compare("a", "b")
    assert sound and outcomes(lines)["verdicts"] == "1 not in B"
    assert outcomes(compare.compare("b", "a")[0])["verdicts"] == "1 not in A"
    # Of a hundred numbers a p of .01 is no difference; alone it is one.
    assert list(compare.decided([None] * 100, np.full(100, 0.01))) == [compare.SEEDS] * 100
    assert list(compare.decided([None, compare.SAME], np.array([0.01, np.nan]))) == [compare.REAL, compare.SAME]


def test_a_part_of_one_record_is_named_and_a_wrong_record_offered(made, capsys):
    made("quick"), made("b")
    (made("c").folder / "card.json").unlink()
    write_json(compare.Path("results/c/other/card.json"), {})
    assert "toy: only in A" in compare.compare("quick", "c")[0]
    assert __main__.main(["compare", "quikc", "b"]) == 2
    assert capsys.readouterr().err == (
        "error: no record 'quikc', neither in results nor as a folder: did you mean 'quick'?\n"
    )


def test_what_machines_promise():
    shard = {"device": "cuda", "code_hash": "c" * 64, "versions": {"torch": "2.9"}}
    gpu = [promise.condition(shard, {"gpu": "H"})]
    assert promise.promise(gpu, gpu).startswith("nothing, because equal machines promise no bytes on a GPU")
    old = promise.conditions({"shards": {"s": shard | {"device": "cpu"}}})
    assert "machine (A: not recorded; B: not recorded)" in promise.promise(old, old)
    assert promise.differing(gpu, old) == [
        "device (A: cuda; B: cpu)",
        "gpu (A: H; B: none)",
        "machine (A: none; B: not recorded)",
    ]
    assert json.dumps(gpu)  # plain data
