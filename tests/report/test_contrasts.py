"""Sentences over several experiments: the words of comparison follow the numbers."""

import pandas as pd
import pytest
from records import toy

from fgan.report.contrasts import contrasts, mean


def made(folder, name, arm, metric="modes", steps=10, **values):
    """A part with one arm and the values of a metric by divergence."""
    found = toy(folder / name, {(metric, divergence, "saddle"): own for divergence, own in values.items()})
    found.design["name"] = name
    found.measurements["arm"] = arm
    found.design["arms"] = {arm: found.arms["main"] | {"divergences": list(values), "steps": 10}}
    return found


def test_a_record_without_the_parts_says_nothing(tmp_path):
    assert contrasts([]) == {}
    assert set(contrasts([made(tmp_path, "ring", "tanh", kl=[8.0, 8.0])])) == set()


@pytest.mark.parametrize(("grid", "word"), [([9.0, 9.0], "in another order"), ([20.0, 20.0], "in the same order")])
def test_the_order_on_ring_and_grid_is_compared(tmp_path, grid, word):
    parts = [made(tmp_path, "ring", "tanh", kl=[8.0, 8.0], gan=[7.0, 7.0]),
             made(tmp_path, "grid", "grid", kl=grid, gan=[16.0, 16.0])]  # fmt: skip
    text = contrasts(parts)["orders"]
    assert "10 steps) KL 8 (2 runs), GAN 7 (2 runs), and on the grid" in text and word in text
    ended = made(tmp_path, "ends", "tanh", metric="converged", kl=[1.0, 1.0], gan=[1.0, 0.0])
    parts[0].__dict__["measurements"] = pd.concat([parts[0].measurements, ended.measurements])
    for derived in ("_values", "_judged", "_by_run", "ends"):
        parts[0].__dict__.pop(derived, None)
    text = contrasts(parts)["orders"]
    assert "KL 8 (2 runs, 2 converged), GAN 7 (2 runs, 1 converged)" in text


def test_equal_whole_numbers_have_a_mean_without_decimals():
    assert mean([18.0]) == "18" and mean([8.0, 8.0]) == "8" and mean([8.0, 7.0]) == "7.50"


def test_equal_numbers_have_no_order(tmp_path):
    parts = [made(tmp_path, "ring", "tanh", kl=[0.0, 0.0], gan=[0.0, 0.0]),
             made(tmp_path, "grid", "grid", kl=[1.0, 1.0], gan=[0.0, 0.0])]  # fmt: skip
    assert "orders" not in contrasts(parts)


@pytest.mark.parametrize(("values", "paired"), [([4.0, 6.0, 5.0], True), ([5.0, 7.0, 4.0], False)])
def test_even_counts_are_counted_and_called_pairs_only_where_they_prevail(tmp_path, values, paired):
    text = contrasts([made(tmp_path, "ring", "tanh", kl=values)])["parity"]
    assert text.startswith(
        f"Of 3 runs that cover three to seven modes of the ring {2 if paired else 1} cover four or six"
    )
    assert ("pairs of antipodes" in text) == paired


@pytest.mark.parametrize(("ever", "lost"), [([25.0, 25.0], True), ([18.0, 18.0], False)])
def test_modes_are_lost_only_where_fewer_are_left(tmp_path, ever, lost):
    parts = made(tmp_path, "mode_dynamics", "grid", gan=[18.0, 18.0])
    more = made(tmp_path, "other", "grid", metric="ever covered", gan=ever).measurements
    parts.__dict__["measurements"] = pd.concat([parts.measurements, more])
    assert ("lost" in contrasts([parts])["visited"]) == lost


@pytest.mark.parametrize(("short", "started"), [([0.0, 0.0], True), ([8.0, 8.0], False)])
def test_two_lengths_are_compared(tmp_path, short, started):
    ring, decides = (made(tmp_path, name, "tanh", kl=own) for name, own in
                     (("ring", [8.0, 8.0]), ("divergence_or_settings", short)))  # fmt: skip
    ring.design["arms"]["tanh"]["steps"] = 20
    ring.measurements["step"] = ring.measurements.step.replace(10, 20)
    text = contrasts([ring, decides])["length"]
    assert text.startswith("KL covers 8 modes of the ring after 20 steps") and ("who has started" in text) == started
