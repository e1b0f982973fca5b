"""What a record is written to: tidy rows, baselines, samples and checksums, the same bytes on every day."""

import errno
import hashlib
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from small import full_disk, run

from fgan.files import RecordError
from fgan.record import write
from fgan.record.write import BASELINE_COLUMNS, COLUMNS

FRAME = pd.DataFrame(
    [("ring", "tanh", "kl", "saddle", seed, 10, "modes", "", "value", seed / 3) for seed in range(5)],
    columns=COLUMNS)  # fmt: skip
BASELINES = write.baseline_rows([("P", "", seed, {"modes": 8, ("modes", "3 sd, one"): 7.5}) for seed in range(2)])
ARRAYS = {"b": np.arange(6.0).reshape(2, 3), "a": np.linspace(0, 1, 7), "curve/x": np.array([1e6, 1 / 3])}
WRITERS = {
    "measurements.parquet": lambda folder: write.write_table(folder / "measurements.parquet", FRAME),
    "baselines.parquet": lambda folder: write.write_table(folder / "baselines.parquet", BASELINES),
    "samples.npz": lambda folder: write.write_samples(folder / "samples.npz", ARRAYS),
}
EVERY = pytest.mark.parametrize("name", WRITERS)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@EVERY
def test_a_full_disk_gets_one_sentence(tmp_path, name):
    full_disk(tmp_path, name)
    with pytest.raises(RecordError, match=f"cannot write .*{name}: .*No space left on device; free some") as caught:
        WRITERS[name](tmp_path)
    assert "\n" not in str(caught.value) and not os.listdir(tmp_path)


@EVERY
def test_a_disk_that_fills_up_gets_one_sentence(tmp_path, monkeypatch, name):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(RecordError, match="No space left on device"):
        WRITERS[name](tmp_path)
    assert not os.listdir(tmp_path)


@EVERY
def test_a_folder_that_cannot_be_made_gets_one_sentence(tmp_path, name):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecordError, match="cannot write .*permissions"):
        WRITERS[name](tmp_path / "file" / "folder")


@EVERY
def test_writing_twice_gives_the_same_bytes(tmp_path, monkeypatch, name):
    WRITERS[name](tmp_path)
    first = (tmp_path / name).read_bytes()
    (tmp_path / name).unlink()
    monkeypatch.setattr(time, "time", lambda: 2e9)  # on another day
    WRITERS[name](tmp_path)
    assert (tmp_path / name).read_bytes() == first


def test_tidy_frames_have_one_row_for_each_run_and_metric():
    runs = [run("kl", seed=1), run("gan", "alternative", seed=2)]
    frame = write.tidy(runs, 30, {"modes": torch.tensor([8, 7]), "F": [0.5, float("nan")]})
    assert list(frame.columns) == COLUMNS and frame.value.dtype == np.float64
    assert frame[frame.metric == "modes"].values.tolist() == [
        ["ring", "main", "kl", "saddle", 1, 30, "modes", "", "value", 8.0],
        ["ring", "main", "gan", "alternative", 2, 30, "modes", "", "value", 7.0],
    ]
    assert frame[frame.metric == "F"].value.isna().tolist() == [False, True]


def test_a_metric_may_be_taken_under_several_rules():
    frame = write.tidy([run()], 30, {"modes": [8], ("modes", "3 sd, one"): [7]})
    assert frame[["metric", "rule", "value"]].values.tolist() == [["modes", "", 8.0], ["modes", "3 sd, one", 7.0]]


def test_baselines_have_one_row_for_each_sampler_draw_and_metric():
    assert list(BASELINES.columns) == BASELINE_COLUMNS and BASELINES.value.dtype == np.float64
    assert BASELINES[BASELINES.seed == 1].values.tolist() == [
        ["P", "", 1, "modes", "", 8.0], ["P", "", 1, "modes", "3 sd, one", 7.5],
    ]  # fmt: skip
    assert list(write.baseline_rows([]).columns) == BASELINE_COLUMNS


@pytest.mark.parametrize(
    ("frame", "name"), [(FRAME, "'metric': 'modes'"), (BASELINES, "'sampler': 'P'")], ids=["measurements", "baselines"]
)
def test_a_value_that_would_be_counted_twice_is_refused(tmp_path, frame, name):
    with pytest.raises(RecordError, match=f"two values of one metric: .*{name}.*; give one another name or rule"):
        write.write_table(tmp_path / "table.parquet", pd.concat([frame, frame[1:2].assign(value=9.0)]))
    assert not os.listdir(tmp_path)


def test_a_statistic_over_seeds_has_no_seed(tmp_path):
    median = FRAME[:1].drop(columns="seed").assign(statistic="median")
    write.write_table(tmp_path / "table.parquet", pd.concat([FRAME, median], ignore_index=True))
    seeds = pd.read_parquet(tmp_path / "table.parquet").seed
    assert seeds.dropna().tolist() == [0, 1, 2, 3, 4] and seeds.isna().tolist() == [False] * 5 + [True]


def test_samples_are_kept_in_half_precision_and_curves_in_single(tmp_path):
    WRITERS["samples.npz"](tmp_path)
    with np.load(tmp_path / "samples.npz") as arrays:
        kinds = {name: arrays[name].dtype for name in arrays.files}
        np.testing.assert_allclose(arrays["a"], ARRAYS["a"], atol=1e-3)
        np.testing.assert_array_equal(arrays["curve/x"], ARRAYS["curve/x"].astype(np.float32))
    assert kinds == {"a": np.float16, "b": np.float16, "curve/x": np.float32}


def test_samples_too_large_for_float16_become_infinite_without_a_warning(tmp_path):
    write.write_samples(tmp_path / "samples.npz", {"a": np.array([1e6, -1e30, np.nan, 1.0])})
    with np.load(tmp_path / "samples.npz") as arrays:
        np.testing.assert_array_equal(arrays["a"], [np.inf, -np.inf, np.nan, 1.0])


def test_checksums_are_those_of_sha256sum(tmp_path):
    for writer in WRITERS.values():
        writer(tmp_path)
    write.write_checksums(tmp_path, list(WRITERS))
    lines = (tmp_path / "checksums.txt").read_text().splitlines()
    assert lines == [f"{hashlib.sha256((tmp_path / n).read_bytes()).hexdigest()}  {n}" for n in WRITERS]
