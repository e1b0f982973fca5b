"""The audit: every file of a part is the one that was written, by the code and for the claims of the working tree."""

import json

import pytest
from records import part

from fgan.files import write_json
from fgan.record import audit, provenance
from fgan.record.write import PART_FILES, write_checksums

CLAIM = "claims: [{id: c, statement: s, source: p, checks: [{kind: mean, metric: m, low: 0.0}]}]\n"


@pytest.fixture
def record(away, monkeypatch):
    """A record with the part of one experiment, which is current; another experiment may be left out."""
    for name, extra in (("ring", ""), ("pictures", "optional: true\n")):
        folder = away / "experiments" / name
        folder.mkdir(parents=True)
        (folder / "experiment.yaml").write_text(f"title: {name}\n{extra}")
    (away / "experiments/ring/claims.yaml").write_text(CLAIM)
    monkeypatch.setattr(provenance, "code_hash", lambda experiment: "now")
    made = part(away / "results/quick/ring")
    carded(made)
    return made.parent


def carded(folder, code="now"):
    """Writes a card of two shards, the second of them trained by this code."""
    claims = provenance.criteria_hash("experiments/ring/claims.yaml")
    shards = {name: {"code_hash": hash, "claims_hash": claims} for name, hash in (("a", "now"), ("b", code))}
    write_json(folder / "card.json", {"experiment": "ring", "commits": ["c", "d"], "shards": shards})
    write_checksums(folder, PART_FILES)


def test_a_record_that_is_whole_and_current_has_no_findings(record):
    assert audit.check(record) == []


def test_an_experiment_that_was_not_run_is_named_unless_it_is_optional(record, away):
    assert audit.check(away / "results/full") == ["ring: not run"]


@pytest.mark.parametrize("name", PART_FILES)
def test_a_file_that_is_changed_or_gone_is_named(record, name):
    path = record / "ring" / name
    path.write_bytes(path.read_bytes() + b" ")
    assert f"ring: {name} is not the file that was measured (checksum)" in audit.check(record)
    path.unlink()
    assert [line for line in audit.damaged(path.parent) if name in line]


def test_missing_checksums_are_named(record):
    (record / "ring/checksums.txt").unlink()
    assert audit.check(record) == ["ring: checksums.txt is missing"]


def test_a_part_of_which_other_code_trained_a_shard_is_stale(record):
    carded(record / "ring", code="before")
    (line,) = audit.check(record)
    assert line == "ring: stale, the science code changed since it was trained at c and d"
    assert audit.stale(json.loads((record / "ring/card.json").read_text()))


@pytest.mark.parametrize(
    ("old", "new", "changed"), [("low: 0.0", "low: 0.1", True), ("statement: s", "statement: t", False)]
)
def test_criteria_that_changed_after_the_run_show_and_words_do_not(record, away, old, new, changed):
    (away / "experiments/ring/claims.yaml").write_text(CLAIM.replace(old, new))
    found = audit.check(record)
    assert bool(found) == changed and all("the criteria of its claims changed after the run" in line for line in found)
