"""The archive carries finished shards between machines and between cuts, and says where a file of it is damaged."""

import json
import shutil
import tarfile

import numpy as np
import pandas as pd
import pytest
import torch
from records import outcome, place
from small import EXPERIMENTS, ROOT, run

from fgan import design
from fgan.design import Shard
from fgan.files import RecordError, write_json
from fgan.jobs import train
from fgan.record import archive, provenance, write

pytestmark = pytest.mark.usefixtures("root")


@pytest.fixture(scope="module")
def chosen():
    return design.load("ring", "smoke", EXPERIMENTS, seeds=4, max_steps=20)


@pytest.fixture(scope="module")
def trained(chosen, tmp_path_factory):
    """A record with a shard of each of four seeds, one of the seeds 0 to 3, and one of the seeds 1 to 2."""
    record = tmp_path_factory.mktemp("results") / "smoke"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        for first, last in ((0, 0), (1, 1), (2, 2), (3, 3), (0, 3), (1, 2)):
            shard = Shard("ring", "tanh", first, last, chosen.arms["tanh"])
            train.train_shard(chosen, shard, place(record, shard))
    torch.set_flush_denormal(False)
    return record


def shard(chosen, first, last):
    return Shard("ring", "tanh", first, last, chosen.arms["tanh"])


def archived(tmp_path, trained, chosen, *spans):
    """A record that holds nothing but an archive of the shards with these seeds."""
    record = tmp_path / "smoke"
    own = archive.Archive(record)
    for span in spans:
        own.add(place(trained, shard(chosen, *span)))
    return record


def adopted(record, wanted):
    """Whether the shard was taken from the record's archive."""
    found = archive.sources(wanted, archive.read(record))
    if archive.complete(wanted, found):
        archive.adopt(wanted, place(record, wanted), provenance.run_card(wanted, "cpu"), found)
    return archive.complete(wanted, found)


def test_an_archived_shard_comes_back_byte_for_byte(tmp_path, trained, chosen):
    record = archived(tmp_path, trained, chosen, (0, 0), (1, 1))
    assert adopted(record, shard(chosen, 1, 1))
    for name in archive.FILES:
        mine, theirs = (place(where, shard(chosen, 1, 1)) / name for where in (record, trained))
        assert mine.read_bytes() == theirs.read_bytes()
    assert train.current(place(record, shard(chosen, 1, 1)), shard(chosen, 1, 1))


@pytest.mark.parametrize(
    "spans, wanted",
    [([(0, 3)], (2, 2)), ([(0, 3)], (1, 2)), ([(0, 0), (1, 1), (2, 2), (3, 3)], (0, 3)),
     ([(0, 0), (1, 2), (3, 3)], (0, 3))])  # fmt: skip
def test_another_cut_takes_its_seeds_from_what_is_archived(spans, wanted, tmp_path, trained, chosen):
    """On the CPU a run's bits do not depend on its shard, so the adopted rows are those of a training."""
    record = archived(tmp_path, trained, chosen, *spans)
    assert adopted(record, shard(chosen, *wanted))
    folders = [place(where, shard(chosen, *wanted)) for where in (record, trained)]
    (mine, samples), (theirs, wanted_samples) = map(outcome, folders)
    pd.testing.assert_frame_equal(mine, theirs, check_exact=True)
    assert samples.keys() == wanted_samples.keys()
    assert all(np.array_equal(samples[name], wanted_samples[name], equal_nan=True) for name in samples)
    assert train.current(folders[0], shard(chosen, *wanted))


def test_what_is_incomplete_or_of_other_settings_or_code_is_not_adopted(tmp_path, trained, chosen):
    record = archived(tmp_path, trained, chosen, (0, 0), (1, 2))
    assert not adopted(record, shard(chosen, 0, 3)) and not adopted(record, shard(chosen, 3, 3))
    assert not adopted(record, Shard("ring", "tanh", 0, 0, chosen.arms["tanh"] | {"batch": 4}))
    assert not adopted(record, Shard("ring", "relu", 0, 0, chosen.arms["tanh"]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(provenance, "code_hash", lambda experiment: "another")
        assert not adopted(record, shard(chosen, 0, 0))
    assert not place(record, shard(chosen, 0, 0)).exists()
    assert adopted(record, shard(chosen, 0, 0))


def test_the_card_says_where_it_was_trained_and_devices_do_not_mix(tmp_path, trained, chosen):
    record = tmp_path / "smoke"
    own = archive.Archive(record)
    for span in ((0, 0), (1, 1)):
        folder = tmp_path / "other" / f"tanh-seed{span[0]}"
        shutil.copytree(place(trained, shard(chosen, *span)), folder)
        card = json.loads((folder / "card.json").read_text())
        write_json(folder / "card.json", card | {"device": "cuda", "commit": "far"})
        own.add(folder)
    own.add(place(trained, shard(chosen, 2, 2)))
    assert not adopted(record, shard(chosen, 0, 2)) and adopted(record, shard(chosen, 0, 1))
    card = json.loads((place(record, shard(chosen, 0, 1)) / "card.json").read_text())
    assert (card["device"], card["commit"], card["seeds"], card["shard"]) == ("cuda", "far", [0, 1], "tanh-seed0-1")
    assert card["runs"] == 48


def test_machines_do_not_mix_in_a_shard_and_earlier_archives_may_not_name_theirs(tmp_path, trained, chosen):
    record = tmp_path / "smoke"
    own = archive.Archive(record)
    for seed, machine in ((0, None), (1, None), (2, {"cpu": "another"})):
        folder = tmp_path / "other" / f"tanh-seed{seed}"
        shutil.copytree(place(trained, shard(chosen, seed, seed)), folder)
        card = json.loads((folder / "card.json").read_text())
        if not machine:
            del card["fingerprint"]
        write_json(folder / "card.json", card | ({"fingerprint": machine} if machine else {}))
        own.add(folder)
    assert not adopted(record, shard(chosen, 1, 2)) and adopted(record, shard(chosen, 0, 1))
    card = json.loads((place(record, shard(chosen, 0, 1)) / "card.json").read_text())
    assert card["fingerprint"] is None, "not the machine that adopts"


def test_a_file_is_closed_before_it_is_larger_than_the_limit(tmp_path, trained, chosen, monkeypatch):
    size = sum((place(trained, shard(chosen, 0, 0)) / name).stat().st_size for name in archive.FILES)
    monkeypatch.setattr(archive, "LIMIT", 2.5 * size + 20_480)
    record = archived(tmp_path, trained, chosen, *[(seed, seed) for seed in range(4)])
    found = list((record / "archive").iterdir())
    assert len(found) == 2 and all(path.stat().st_size <= archive.LIMIT for path in found)
    assert len(archive.read(record)) == 4 and all(adopted(record, shard(chosen, seed, seed)) for seed in range(4))


def test_files_of_two_machines_lie_side_by_side(tmp_path, trained, chosen):
    for seed in (0, 1):
        record = archived(tmp_path, trained, chosen, (seed, seed))
    assert len(list((record / "archive").iterdir())) == 2 and adopted(record, shard(chosen, 0, 1))


def test_the_largest_shard_of_a_gpu_fits_a_file(tmp_path):
    """The longest history, univariate at full: 24 runs of a seed, 200 entries of six metrics; a hundred such seeds."""
    runs = [run(seed=seed) for seed in range(24 * 100)]
    draw = np.random.default_rng(0)
    frames = [
        write.tidy(runs, 100 * step, {name: draw.normal(size=len(runs)).astype(np.float32) for name in "abcdef"})
        for step in range(50)
    ]
    write.write_table(tmp_path / "measurements.parquet", pd.concat(frames))
    assert 4 * (tmp_path / "measurements.parquet").stat().st_size < archive.LIMIT


def test_an_archive_that_was_packed_again_has_folders_and_foreign_files(tmp_path, trained, chosen):
    record = archived(tmp_path, trained, chosen, (0, 0), (1, 1))
    (path,) = (record / "archive").iterdir()
    with tarfile.open(path) as file:
        file.extractall(tmp_path / "unpacked", filter="data")
    (tmp_path / "unpacked" / "notes.txt").write_text("mine")
    with tarfile.open(path, "w") as file:
        file.add(tmp_path / "unpacked", ".")
    assert len(archive.read(record)) == 2 and adopted(record, shard(chosen, 0, 1))


def test_of_the_shards_beside_it_a_shard_reads_those_that_hold_its_seeds(trained, chosen, monkeypatch):
    """Of ten thousand, each would otherwise read all that ended before it."""
    read = []
    monkeypatch.setattr(archive, "damage", lambda folder: read.append(folder.name))
    found = archive.siblings(place(trained, shard(chosen, 1, 1)), shard(chosen, 1, 1))
    assert read == [own["card"]["shard"] for own in found] == ["tanh-seed0-3", "tanh-seed1-2"]


DAMAGES = pytest.mark.parametrize(
    "name, damage",
    [(name, damage) for name in train.SHARD_FILES for damage in ("empty", "cut", "changed")]
    + [("card.json", "a list"), ("samples.npz", "missing")],
)  # fmt: skip


@DAMAGES
def test_a_damaged_shard_is_named_never_packed_and_trained_again(tmp_path, trained, chosen, name, damage):
    """Its settings and code still fit, so only the bytes can tell; what is trained again has the same ones."""
    one = shard(chosen, 1, 1)
    folder = shutil.copytree(place(trained, one), place(tmp_path / "smoke", one))
    path, whole = folder / name, (folder / name).read_bytes()
    changed = whole[:200] + bytes([whole[200] ^ 1]) + whole[201:]
    contents = {"empty": b"", "cut": whole[: len(whole) // 2], "changed": changed, "a list": b"[]"}
    path.unlink() if damage == "missing" else path.write_bytes(contents[damage])
    if damage == "changed" and name == "card.json":
        path.write_text(whole.decode().replace('"files"', '"fails"').replace('"commit"', "commit"))
    assert name in archive.damage(folder) and not train.current(folder, one)
    with pytest.raises(RecordError, match=name):
        archive.Archive(tmp_path / "smoke").add(folder)
    assert not list(tmp_path.rglob("*.tar")) and not archive.siblings(folder.with_name("other"), shard(chosen, 0, 3))
    with open(tmp_path / "log", "w") as log:
        train.train_shard(chosen, one, folder, log=log)
    said = (tmp_path / "log").read_text()
    assert f"{path} is" in said and "complete already" not in said
    assert path.read_bytes() == whole and train.current(folder, one)


def test_a_shard_without_checksums_is_known_by_its_ends(tmp_path, trained, chosen):
    """Those of earlier versions are taken as they are, unless one of their files is empty or cut."""
    one = shard(chosen, 1, 1)
    folder = shutil.copytree(place(trained, one), place(tmp_path / "smoke", one))
    card = json.loads((folder / "card.json").read_text())
    assert card.pop("files").keys() == {"measurements.parquet", "samples.npz"}
    write_json(folder / "card.json", card)
    (folder / "durations.json").write_text("")  # they decide nothing
    assert train.current(folder, one)
    archive.Archive(tmp_path / "smoke").add(folder)
    shutil.rmtree(folder)
    assert adopted(tmp_path / "smoke", one) and train.current(folder, one)
    (folder / "samples.npz").write_bytes((folder / "samples.npz").read_bytes()[:-5])
    assert not train.current(folder, one)


def test_an_archive_holds_no_weights_and_a_damaged_one_is_named(tmp_path, trained, chosen):
    record = archived(tmp_path, trained, chosen, (0, 0))
    (path,) = (record / "archive").iterdir()
    with tarfile.open(path) as file:
        assert {name.rpartition("/")[2] for name in file.getnames()} == {*archive.FILES, archive.CHECKSUMS}
        starts = [member.offset for member in file]
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[starts[1] + 700] ^= 1
    for content in (whole[:700], whole[: starts[2]], changed):
        path.write_bytes(content)
        with pytest.raises(RecordError, match=rf"{path.name} is damaged"):
            archive.read(record)
