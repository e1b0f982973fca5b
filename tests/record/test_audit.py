"""The audit: every file of a part is the one that was written, by the code and for the claims of the working tree."""

import json
import subprocess
from pathlib import Path

import pytest
from small import edited, forget

from fgan.__main__ import main
from fgan.record import audit
from fgan.record.write import PART_FILES, write_checksums

HERE, CLAIMS = Path("experiments/toy"), Path("experiments/toy/claims.yaml")


@pytest.fixture
def record(shown_here):
    return Path("results/smoke")


def change(path, old, new):
    Path(path).write_text(edited(old, new, Path(path).read_text()))
    forget()


def git(*words):
    call = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false", *words]
    subprocess.run(call, check=True, capture_output=True)


def test_a_record_that_is_whole_and_current_has_no_findings(record):
    assert audit.check(record) == []


def test_an_experiment_that_was_not_run_is_named_unless_it_is_optional(record, capsys):
    assert audit.check(Path("results/full")) == ["toy: not run"]
    assert main(["audit", "--record", "full"]) == 1 and capsys.readouterr().out == "toy: not run\n"
    change(HERE / "experiment.yaml", "order: 1", "order: 1\noptional: true")
    assert audit.check(Path("results/full")) == []


@pytest.mark.parametrize("name", PART_FILES)
def test_a_file_that_is_changed_or_gone_is_named_with_what_rests_on_it(record, name):
    path = record / "toy" / name
    path.write_bytes(path.read_bytes() + b" ")
    first, second, *_ = audit.check(record)
    assert first == f"toy: {name} is not the file that was measured (checksum)"
    assert second == "toy: touched: figures toy_modes; tables toy_modes; claims quality, order, spread, sampler"
    path.unlink()
    assert [line for line in audit.damaged(path.parent) if name in line]


def test_a_file_that_no_checksum_names_is_named(record):
    path = record / "toy/checksums.txt"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[1:]))
    assert audit.damaged(record / "toy") == [f"toy: {PART_FILES[0]} is not the file that was measured (checksum)"]
    path.unlink()
    assert audit.damaged(record / "toy") == ["toy: checksums.txt is missing"]


def test_a_part_that_other_code_trained_is_stale(record):
    change(HERE / "run.py", ":200", ":100")
    (line,) = audit.check(record)
    assert line == "toy: stale, the science code changed since it was trained at unknown"
    assert audit.stale(json.loads((record / "toy/card.json").read_text()))


@pytest.mark.parametrize(
    ("old", "new", "changed"), [("low: 0.2", "low: 0.1", True), ("statement: Some", "statement: Many", False)]
)
def test_criteria_that_changed_after_the_run_show_and_words_do_not(record, old, new, changed):
    change(CLAIMS, old, new)
    found = audit.check(record)
    assert bool(found) == changed and all("the criteria of its claims changed after the run" in line for line in found)


@pytest.mark.parametrize(("old", "new", "changed"), [("batch: 64", "batch: 32", True), ("A small", "A tiny", False)])
def test_settings_are_compared_with_todays_design(record, old, new, changed):
    change(HERE / "experiment.yaml", old, new)
    found = audit.check(record)
    wanted = "toy: 1 of 1 shards differ from today's design, see: git log -p experiments/toy/experiment.yaml"
    assert found == ([wanted] if changed else [])


def test_the_design_of_a_command_with_other_seeds_and_steps_is_compared_as_such(record):
    """The part's own command names them, so a record of more seeds or fewer steps does not differ from today's."""
    card = json.loads((record / "toy/card.json").read_text())
    (shard, own), now = next(iter(card["shards"].items())), audit.planned("toy", card)
    assert now(shard) == own["settings_hash"] and now("other-seed0") is None
    fewer = audit.planned("toy", card | {"command": card["command"] + " seeds=2 max_steps=30"})
    assert fewer(shard) != own["settings_hash"]


def test_a_part_whose_trainings_were_cut_says_so(record):
    design = record / "toy/design.json"
    design.write_text(json.dumps(json.loads(design.read_text()) | {"cut": 20}))
    write_checksums(record / "toy", PART_FILES)
    assert audit.check(record) == ["toy: its trainings were cut to 20 steps by max_steps"]


@pytest.mark.parametrize("stage", ["audit", "plan"])
@pytest.mark.parametrize(
    ("text", "wanted"), [(None, "run.py is missing"), ("def def", "run.py, line 1: no valid Python")]
)
def test_a_run_that_is_no_python_is_one_sentence(record, stage, text, wanted, capsys):
    path = HERE / "run.py"
    path.unlink() if text is None else path.write_text(text)
    forget()
    assert main([stage, "--record", "smoke"]) == {"audit": 1, "plan": 2}[stage]
    said = capsys.readouterr()
    assert wanted in said.out + said.err and "Traceback" not in said.err


def test_a_committed_record_is_compared_with_its_commit(record, shown_here):
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "a record")
    assert audit.check(record) == []
    path = record / "toy/samples.npz"
    path.write_bytes(path.read_bytes() + b" ")
    write_checksums(record / "toy", PART_FILES)
    found = audit.check(record)
    assert found[:2] == [
        f"toy: {name} is not the committed one (git diff)" for name in ("checksums.txt", "samples.npz")
    ]
    assert found[2].startswith("toy: touched: ")


def test_no_edit_keeps_the_digest_of_a_record(record):
    before = audit.digest(record)
    path = record / "toy/design.json"
    path.write_text(path.read_text() + " ")
    write_checksums(record / "toy", PART_FILES)
    assert audit.digest(record) != before and len(before) == 64
