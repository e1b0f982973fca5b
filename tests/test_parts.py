"""Parts: what is kept of the histories, and what may be published."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fgan import audit, design, provenance, publish, records, tex
from fgan.parts import HISTORIES, gather, several, thinned, together
from fgan.records import COLUMNS, Part, RecordError

ROOT = Path(__file__).parents[1]


def rows(seeds, steps=(10, 20)):
    runs = [("ring", "tanh", "kl", "saddle", seed, step, "F", float(seed)) for seed in range(seeds) for step in steps]
    judged = [("ring", "tanh", "kl", "saddle", seed, steps[-1], "modes", 8.0) for seed in range(seeds)]
    return pd.DataFrame(runs + judged, columns=COLUMNS)


def part(folder, scale="quick", seeds=5):
    folder.mkdir(parents=True)
    frame = pd.concat(thinned(rows(seeds), {"tanh": 20}))
    records.write_measurements(folder, [frame])
    records.write_samples(folder / "samples.npz", {"real": np.zeros((2, 2))})
    written = {"name": folder.name, "scale": scale, "seeds": seeds, "arms": {"tanh": {"steps": 20}}}
    records.write_json(folder / "design.json", written)
    records.write_json(folder / "card.json", {"commit": "unknown"})
    records.write_checksums(folder, records.PART_FILES)
    return folder


@pytest.fixture
def current(monkeypatch):
    """Records that the audit finds whole: what it checks has tests of its own."""
    monkeypatch.setattr(audit, "check", lambda record: [])


def test_every_run_keeps_its_judged_values_and_the_first_their_histories():
    kept, quartiles = thinned(rows(20), {"tanh": 20})
    assert set(kept[kept.step == 20].seed) == set(range(20))
    assert set(kept[kept.step == 10].seed) == set(range(HISTORIES))
    assert set(quartiles.seed) == {-1} and set(quartiles.step) == {10, 20}


def test_every_arm_is_judged_at_its_own_last_step(tmp_path):
    frame = pd.concat([rows(7), rows(7, (3, 6)).assign(arm="short")])
    kept, _ = thinned(frame, {"tanh": 20, "short": 6})
    assert set(kept[(kept.arm == "short") & (kept.step == 6)].seed) == set(range(7))
    folder = part(tmp_path / "ring")
    records.write_measurements(folder, thinned(frame, {"tanh": 20, "short": 6}))
    shown = json.loads((folder / "design.json").read_text()) | {"arms": {"tanh": {"steps": 20}, "short": {"steps": 6}}}
    records.write_json(folder / "design.json", shown)
    final = Part(folder).final("modes")
    assert final.groupby("arm").step.unique().map(list).to_dict() == {"short": [6], "tanh": [20]} and len(final) == 14


def test_an_experiment_that_trains_nothing_is_a_part_with_one_card(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "experiments" / "toy"
    folder.mkdir(parents=True)
    (folder / "experiment.yaml").write_text(
        "title: t\nquestion: q\ntarget: {kind: digits}\nmeasure: {n: 4}\nfigures: {}\ntables: {}\ndeviations: []\n"
    )
    (folder / "run.py").write_text(
        "def baselines(settings, data):\n"
        "    return [('P', 0, 'm', settings['measure']['n'] + len(data.train))], {'real': data.test[:2].numpy()}\n"
    )
    shutil.copytree(ROOT / "src" / "fgan", tmp_path / "src" / "fgan")
    gather(design.load("toy", "quick"), "cpu", tmp_path / "results/quick/toy")
    made = Part(tmp_path / "results/quick/toy")
    assert made.arms == {} and made.divergences == {} and len(made.final()) == 0 and made.design["runs"] == 0
    assert made.baselines("m").value.tolist() == [1201.0] and made.samples["real"].shape == (2, 64)
    assert list(made.card["shards"]) == ["baseline-seed0"] and audit.check(tmp_path / "results/quick") == []
    (folder / "run.py").write_text((folder / "run.py").read_text() + "# edited\n")
    assert audit.stale(made.card)


def test_quartiles_are_over_all_seeds():
    _, quartiles = thinned(rows(20), {"tanh": 20})
    medians = quartiles[quartiles.metric == "F [median]"]
    assert list(medians.value) == [9.5, 9.5]
    assert list(quartiles[quartiles.metric == "F [upper quartile]"].value) == [14.25, 14.25]


def test_quartiles_do_not_count_as_runs(tmp_path):
    made = Part(part(tmp_path / "quick" / "ring", seeds=7))
    assert len(made.final("modes")) == 7 and (made.final().seed >= 0).all()
    assert len(made.history("F [median]")) == 2


def test_a_part_is_published_whole_and_replaced_only_by_one_of_equal_or_larger_extent(tmp_path, current):
    reference = tmp_path / "reference"
    part(tmp_path / "quick" / "ring", seeds=20)
    publish.publish(tmp_path / "quick", reference)
    assert Part(reference / "ring").design["seeds"] == 20
    part(tmp_path / "few" / "ring", seeds=5)
    with pytest.raises(RecordError, match="more than"):
        publish.publish(tmp_path / "few", reference)
    part(tmp_path / "full" / "ring", scale="full", seeds=10)
    publish.publish(tmp_path / "full", reference)
    assert json.loads((reference / "ring" / "design.json").read_text())["scale"] == "full"


def test_a_record_that_is_not_whole_or_too_large_is_not_published(tmp_path, current, monkeypatch):
    part(tmp_path / "quick" / "ring")
    monkeypatch.setattr(publish, "PART_LIMIT", 100)
    with pytest.raises(RecordError, match="too large"):
        publish.publish(tmp_path / "quick", tmp_path / "reference")
    monkeypatch.setattr(audit, "check", lambda record: ["ring: stale"])
    with pytest.raises(RecordError, match="cannot be published: ring: stale"):
        publish.publish(tmp_path / "quick", tmp_path / "reference")
    assert not (tmp_path / "reference").exists()


def test_a_part_names_every_device_and_version_of_its_shards():
    assert several(["cpu", "cuda", "cpu"]) == "cpu and cuda" and several(["cpu"]) == "cpu"
    found = together([{"torch": "2.9", "numpy": "2.0"}, {"torch": "2.13", "numpy": "2.0"}, {"torch": "2.9"}])
    assert found == {"torch": "2.13 and 2.9", "numpy": "2.0"}


def test_a_part_that_other_code_trained_is_stale_and_the_paper_says_so(tmp_path, monkeypatch):
    made = part(tmp_path / "quick" / "ring")
    card = {"experiment": "ring", "commits": ["c"], "device": "cpu", "versions": {"torch": "2"}}
    for code, shown in (("now", "current"), ("before", "changed since (ring)")):
        records.write_json(made / "card.json", card | {"shards": {"a": {"code_hash": "now"}, "b": {"code_hash": code}}})
        monkeypatch.setattr(provenance, "code_hash", lambda experiment: "now")
        written = json.loads((made / "design.json").read_text()) | {"runs": 1}
        records.write_json(made / "design.json", written)
        facts = {key: text for key, text, _ in tex._record(tmp_path / "quick", [Part(made)])}
        assert facts["code"] == shown and audit.stale(Part(made).card) == (code != "now")
