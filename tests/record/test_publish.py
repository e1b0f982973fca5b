"""What may be published: whole parts, small, and none that is less than what is published already."""

import json

import pytest
from records import part

from fgan.files import RecordError, write_json
from fgan.record import audit, publish
from fgan.record.write import PART_FILES
from fgan.report.overview import compute
from fgan.report.part import Part


@pytest.fixture(autouse=True)
def current(monkeypatch):
    """Records that the audit finds whole: what it checks has tests of its own."""
    monkeypatch.setattr(audit, "check", lambda record, only=None: [])


def test_a_part_is_published_whole_and_replaced_only_by_one_of_equal_or_larger_extent(tmp_path):
    reference = tmp_path / "reference"
    part(tmp_path / "quick" / "ring", seeds=20)
    publish.publish(tmp_path / "quick", reference)
    assert Part(reference / "ring").design["seeds"] == 20
    assert {path.name for path in (reference / "ring").iterdir()} == {*PART_FILES, "checksums.txt"}
    assert audit.damaged(reference / "ring") == []
    part(tmp_path / "few" / "ring", seeds=5)
    with pytest.raises(RecordError, match="more than"):
        publish.publish(tmp_path / "few", reference)
    part(tmp_path / "full" / "ring", scale="full", seeds=10)
    publish.publish(tmp_path / "full", reference)
    assert json.loads((reference / "ring" / "design.json").read_text())["scale"] == "full"


def test_one_part_is_published_whatever_the_others_are(tmp_path, monkeypatch):
    """A record that takes days is committed part by part, as they end."""
    monkeypatch.setattr(audit, "check", lambda record, only=None: [] if only == ["ring"] else ["grid: not run"])
    for name in ("ring", "univariate"):
        part(tmp_path / "overnight" / name)
    with pytest.raises(RecordError, match="grid: not run"):
        publish.publish(tmp_path / "overnight", tmp_path / "reference")
    assert len(publish.publish(tmp_path / "overnight", tmp_path / "reference", ["ring"])) == 1
    assert {path.name for path in (tmp_path / "reference").iterdir()} == {"ring", publish.HOURS}


def test_the_hours_of_a_part_are_published_beside_it(tmp_path):
    """A part replaces its own hours and leaves those of the others."""
    for name, seconds in (("ring", (3600, 1800)), ("univariate", (360,))):
        part(tmp_path / "overnight" / name)
        for shard, training in enumerate(seconds):
            durations = {"training": training, "evaluation": 36.0}
            write_json(tmp_path / f"overnight/{name}/shards/tanh-seed{shard}/durations.json", durations)
        publish.publish(tmp_path / "overnight", tmp_path / "reference", [name])
    assert publish.hours(tmp_path / "reference") == pytest.approx({"ring": 1.52, "univariate": 0.11})
    assert publish.hours(tmp_path / "overnight") == {}
    frame = compute([Part(tmp_path / "reference" / name) for name in ("ring", "univariate")])
    assert frame["core hours"].tolist() == ["1.5", "0.11"]
    assert "core hours" not in compute([Part(tmp_path / "overnight/ring")])


def test_a_record_that_is_not_whole_or_too_large_is_not_published(tmp_path, monkeypatch):
    part(tmp_path / "quick" / "ring")
    monkeypatch.setattr(publish, "PART_LIMIT", 100)
    with pytest.raises(RecordError, match="too large"):
        publish.publish(tmp_path / "quick", tmp_path / "reference")
    monkeypatch.setattr(audit, "check", lambda record, only=None: ["ring: stale"])
    with pytest.raises(RecordError, match="cannot be published: ring: stale"):
        publish.publish(tmp_path / "quick", tmp_path / "reference")
    assert not (tmp_path / "reference").exists()
