"""Records: files are whole or absent, repeat byte for byte, and say what to do where they are missing or damaged."""

import errno
import hashlib
import os
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from small import run

from fgan import provenance, records
from fgan.records import COLUMNS, Part, RecordError
from fgan.shards import Checkpoint

FRAME = pd.DataFrame(
    [("ring", "tanh", "kl", "saddle", seed, 10, "modes", seed / 3) for seed in range(5)], columns=COLUMNS)  # fmt: skip
ARRAYS = {"b": np.arange(6.0).reshape(2, 3), "a": np.linspace(0, 1, 7)}
WRITERS = {
    "measurements.parquet": lambda folder: records.write_measurements(folder, [FRAME]),
    "samples.npz": lambda folder: records.write_samples(folder / "samples.npz", ARRAYS),
    "card.json": lambda folder: records.write_json(folder / "card.json", {"b": 1, "a": [2.5, None]}),
}
EVERY = pytest.mark.parametrize("name", WRITERS)


def test_a_whole_file_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "new" / "folder" / "file.txt"
    with records.whole(path) as partial:
        partial.write_text("all of it")
        assert not path.exists() and partial.parent == path.parent
    assert path.read_text() == "all of it" and os.listdir(path.parent) == ["file.txt"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, OSError(errno.ENOSPC, "No space left on device")])
def test_a_block_that_raises_leaves_the_old_file_and_nothing_else(tmp_path, failure):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises((ValueError, KeyboardInterrupt, RecordError)), records.whole(path) as partial:
        partial.write_text("half of")
        raise failure
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["file.txt"]


def full_disk(folder, name):
    """Makes the partial file of `name` a link to the device that is always full."""
    folder.mkdir(exist_ok=True)
    (folder / f".{name}.partial").symlink_to("/dev/full")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@EVERY
def test_a_full_disk_gets_one_sentence(tmp_path, name):
    full_disk(tmp_path, name)
    with pytest.raises(RecordError, match=f"cannot write .*{name}: .*No space left on device; free some") as caught:
        WRITERS[name](tmp_path)
    assert "\n" not in str(caught.value) and not os.listdir(tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_disk_too_full_for_a_checkpoint_gets_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("FGAN_CHECKPOINT_SECONDS", "0")
    full_disk(tmp_path, "side.pt")
    with pytest.raises(RecordError, match="cannot write .*side.pt: "):
        Checkpoint(tmp_path / "side.pt", "cpu").save({"theta": torch.zeros(1_000_000)}, last=True)


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


def test_a_lock_that_cannot_be_made_gets_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecordError, match="cannot write"), records.locked(tmp_path / "file" / "x.lock", "waiting"):
        pass


@EVERY
def test_writing_twice_gives_the_same_bytes(tmp_path, monkeypatch, name):
    WRITERS[name](tmp_path)
    first = (tmp_path / name).read_bytes()
    (tmp_path / name).unlink()
    monkeypatch.setattr(time, "time", lambda: 2e9)  # on another day
    WRITERS[name](tmp_path)
    assert (tmp_path / name).read_bytes() == first


def test_the_order_of_keys_does_not_change_a_byte(tmp_path):
    records.write_json(tmp_path / "one.json", {"b": 1, "a": 2})
    records.write_json(tmp_path / "two.json", {"a": 2, "b": 1})
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


def test_what_is_written_is_read_again(tmp_path):
    for write in WRITERS.values():
        write(tmp_path)
    part = Part(tmp_path)
    pd.testing.assert_frame_equal(part.measurements, FRAME)
    assert part.card == {"a": [2.5, None], "b": 1}
    assert {name: array.dtype for name, array in part.samples.items()} == dict.fromkeys("ab", np.float16)
    np.testing.assert_allclose(part.samples["a"], ARRAYS["a"], atol=1e-3)


def test_samples_too_large_for_float16_become_infinite_without_a_warning(tmp_path):
    records.write_samples(tmp_path / "samples.npz", {"a": np.array([1e6, -1e30, np.nan, 1.0])})
    np.testing.assert_array_equal(Part(tmp_path).samples["a"], [np.inf, -np.inf, np.nan, 1.0])


def test_tidy_frames_have_one_row_for_each_run_and_metric():
    runs = [run("kl", seed=1), run("gan", "alternative", seed=2)]
    frame = records.tidy(runs, 30, {"modes": torch.tensor([8, 7]), "F": [0.5, float("nan")]})
    assert list(frame.columns) == COLUMNS and frame.value.dtype == np.float64
    assert frame[frame.metric == "modes"].values.tolist() == [
        ["ring", "main", "kl", "saddle", 1, 30, "modes", 8.0],
        ["ring", "main", "gan", "alternative", 2, 30, "modes", 7.0],
    ]
    assert frame[frame.metric == "F"].value.isna().tolist() == [False, True]


def test_a_value_that_would_be_counted_twice_is_refused(tmp_path):
    with pytest.raises(RecordError, match="two values of one metric at one step: .*'modes'"):
        records.write_measurements(tmp_path, [FRAME, FRAME[2:3].assign(value=9.0)])
    assert not os.listdir(tmp_path)


def test_checksums_are_those_of_sha256sum(tmp_path):
    for write in WRITERS.values():
        write(tmp_path)
    records.write_checksums(tmp_path, list(WRITERS))
    lines = (tmp_path / "checksums.txt").read_text().splitlines()
    assert lines == [f"{hashlib.sha256((tmp_path / n).read_bytes()).hexdigest()}  {n}" for n in WRITERS]


ATTRIBUTES = {Path(name).stem: name for name in (*WRITERS, "design.json")}


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_a_missing_file_of_a_part_names_the_command_that_makes_it(tmp_path, attribute):
    part = Part(tmp_path / "results" / "quick" / "ring")
    with pytest.raises(RecordError, match="is missing; make it with: snakemake --cores all ring --config record=quick"):
        getattr(part, attribute)


@pytest.mark.parametrize("content", [b"", b"damaged", b"PAR1", b"PK\x03\x04", b"{"])
@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_a_damaged_file_of_a_part_is_named_with_what_to_do(tmp_path, attribute, content):
    part = Part(tmp_path / "results" / "quick" / "ring")
    part.folder.mkdir(parents=True)
    (part.folder / ATTRIBUTES[attribute]).write_bytes(content)
    with pytest.raises(RecordError, match=f"{ATTRIBUTES[attribute]} .*snakemake --cores all ring") as caught:
        getattr(part, attribute)
    assert "\n" not in str(caught.value)


def test_a_second_holder_of_a_lock_waits_and_says_so(tmp_path, capsys):
    order = []

    def second():
        with records.locked(tmp_path / "x.lock", "waiting for the other"):
            order.append("second")

    with records.locked(tmp_path / "x.lock", "not shown"):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.2)
        order.append("first")
    thread.join(timeout=10)
    assert order == ["first", "second"] and capsys.readouterr().err == "waiting for the other\n"


SCIENCE = {
    "experiments/ring/run.py": "from fgan.metrics import modes\n",
    "experiments/ring/experiment.yaml": "target: {kind: digits}\n",
    "src/fgan/parts.py": "def gather():\n    import fgan.training\n    from fgan import figures, packs, validation\n",
    "src/fgan/training.py": "",
    "src/fgan/metrics/__init__.py": "",
    "src/fgan/metrics/modes.py": "from fgan.metrics.exact import optimum\n",
    "src/fgan/metrics/exact.py": "",
    "src/fgan/targets/images.py": "",
}
OTHERS = {
    "src/fgan/figures.py": "",
    "src/fgan/validation.py": "",
    "src/fgan/packs.py": "from fgan import budget\n",
    "src/fgan/metrics/kde.py": "",
    "src/fgan/targets/natural.py": "",
    "experiments/ring/figures.py": "",
    "experiments/ring/claims.yaml": "",
}


def test_the_code_hash_follows_the_science_and_not_the_showing(tmp_path):
    """What run.py and parts.py reach, and the reader of the target; not what shows, nor what others measure."""
    for name, text in (SCIENCE | OTHERS).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    table = tmp_path / "src/fgan/machines.yaml"
    table.write_text("cpu: {threads: 1, stack: 4.0e+8}\ncuda: {threads: 1, rate: 1.0}\n")
    before = provenance.code_hash("ring", tmp_path)
    for name, text in (SCIENCE | OTHERS).items():
        (tmp_path / name).write_text(text + "# edited\n")
        changed = provenance.code_hash("ring", tmp_path) != before
        # The design itself is hashed as settings, value by value.
        assert changed == (name in SCIENCE and not name.endswith(".yaml")), name
        (tmp_path / name).write_text(text)
    # No run depends on the cut; threads round otherwise.
    table.write_text("# measured\ncpu: {threads: 1, stack: 9.0e+8}\ncuda: {threads: 1, rate: 2.0}\n")
    assert provenance.code_hash("ring", tmp_path) == before
    table.write_text("cpu: {threads: 2, stack: 4.0e+8}\ncuda: {threads: 1, rate: 1.0}\n")
    assert provenance.code_hash("ring", tmp_path) != before
