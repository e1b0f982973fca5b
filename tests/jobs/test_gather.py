"""Gathering: what a part holds of its shards, of samplers without training, and of the machines that trained."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from records import place
from small import EXPERIMENTS, ROOT, forget

from fgan import design
from fgan.files import RecordError
from fgan.jobs import gather, train
from fgan.jobs.cut import shards
from fgan.record import audit, provenance, write
from fgan.report.part import Part


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """(design, folder of its part) of the ring, two seeds of 60 steps, trained and gathered."""
    folder = tmp_path_factory.mktemp("results") / "smoke" / "ring"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        chosen = design.load("ring", "smoke", EXPERIMENTS, max_steps=60)
        for shard in shards(chosen):
            train.train_shard(chosen, shard, place(folder.parent, shard))
        assert list(train.checkpoints(place(folder.parent, shard)).glob("*.pt"))
        gather.gather(chosen, "cpu", folder)
    return chosen, folder


def test_a_part_holds_the_values_of_its_shards(trained):
    chosen, folder = trained
    made = Part(folder)
    rows = pd.concat(
        [pd.read_parquet(place(folder.parent, shard) / "measurements.parquet") for shard in shards(chosen)]
    )
    wanted = rows[rows.step == 60].set_index([*write.RUN, "metric", "rule"]).value.sort_index()
    found = made.final().set_index([*write.RUN, "metric", "rule"]).value.sort_index()
    pd.testing.assert_series_equal(found, wanted, check_index_type=False)
    single = made.history("watched modes", "tanh", "kl")
    assert list(single.index) == [50, 60] and list(single.columns) == [0, 1]
    assert list(made.quartiles("watched modes", "tanh", "kl").index) == [50, 60]


def test_a_part_is_whole_and_says_what_it_is(trained, root):
    chosen, folder = trained
    made = Part(folder)
    assert audit.damaged(folder) == [] and not audit.stale(made.card)
    assert made.name == "ring" and made.design["scale"] == "smoke" and made.design["runs"] == 48
    assert made.arms["tanh"]["seeds"] == 2 and made.arms["tanh"]["factors"] == {}
    assert list(made.divergences) == chosen.arms["tanh"]["divergences"] and made.labels["kl"] == "KL"
    assert sorted(made.card["shards"]) == ["tanh-seed0-1"] and made.card["command"] == chosen.command
    assert made.samplers("modes")["fresh samples of P"] == 8


def test_samples_are_those_of_the_first_seeds_by_run(trained):
    chosen, folder = trained
    made = Part(folder)
    for shard in shards(chosen):
        with np.load(place(folder.parent, shard) / "samples.npz") as arrays:
            for run, wanted in zip(shard.runs, arrays["samples"], strict=True):
                name = f"samples/{run.arm}/{run.divergence}/{run.objective}/{run.seed}"
                np.testing.assert_array_equal(made.samples[name], wanted)


def test_the_last_states_are_gone_once_a_part_is_whole(trained):
    _, folder = trained
    assert not list((folder / ".checkpoints").glob("*.pt"))


def test_a_shard_of_other_settings_is_not_gathered(trained, root):
    _, folder = trained
    before = (folder / "checksums.txt").read_bytes()
    other = design.load("ring", "smoke", EXPERIMENTS, max_steps=50)
    with pytest.raises(RecordError, match="tanh-seed0-1 was made by other settings or code; make it with: snakemake"):
        gather.gather(other, "cpu", folder)
    assert (folder / "checksums.txt").read_bytes() == before


def test_a_part_of_other_seeds_settings_or_code_is_known_without_the_workflow(trained, root, monkeypatch):
    """In any cut; its files are made older than all others, so that it is gathered again."""
    chosen, folder = trained
    load = lambda **options: design.load("ring", "smoke", EXPERIMENTS, **options)
    times = lambda: {(folder / name).stat().st_mtime for name in write.PART_FILES}
    assert not gather.outdated(chosen, folder) and not gather.outdated(chosen, folder / "missing")
    gather.mark_outdated(chosen, folder)
    assert min(times()) > 1
    assert gather.outdated(load(max_steps=60, seeds=3), folder) and gather.outdated(load(max_steps=50), folder)
    with monkeypatch.context() as patch:
        patch.setattr(provenance, "code_hash", lambda experiment: "another")
        assert gather.outdated(chosen, folder)
    gather.mark_outdated(load(max_steps=60, seeds=3), folder)
    assert times() == {1.0}
    untrained = design.load("kde_protocol", "smoke", EXPERIMENTS)
    card = {"shards": {"baseline-seed0": {"settings_hash": gather.untrained(untrained, gather.alone(untrained)).hash}}}
    card["shards"]["baseline-seed0"]["code_hash"] = provenance.code_hash("kde_protocol")
    (folder.parent / "kde_protocol").mkdir()
    (folder.parent / "kde_protocol/card.json").write_text(json.dumps(card))
    assert not untrained.arms and not gather.outdated(untrained, folder.parent / "kde_protocol")
    (folder.parent / "kde_protocol/card.json").write_text("")
    assert gather.outdated(untrained, folder.parent / "kde_protocol")


TOY = """
title: t
question: q
target: {kind: digits}
measure: {n: 4}
scales: {smoke: {}, quick: {}}
figures: {}
tables: {}
deviations: []
"""
RUN = """
def baselines(settings, data):
    return [("P", "", 0, {"m": settings["measure"]["n"] + len(data.train)})], {"real": data.test[:2].numpy()}
"""
FACTS = """

def facts(settings, data):
    return {"facts": {"images": len(data.test)}}
"""


@pytest.fixture
def toy(away):
    """The folder of an experiment that trains nothing."""
    folder = away / "experiments" / "toy"
    folder.mkdir(parents=True)
    (folder / "experiment.yaml").write_text(TOY)
    (folder / "run.py").write_text(RUN)
    shutil.copytree(ROOT / "src" / "fgan", away / "src" / "fgan", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_an_experiment_that_trains_nothing_is_a_part_with_one_card(toy, away):
    gather.gather(design.load("toy", "quick"), "cpu", away / "results/quick/toy")
    made = Part(away / "results/quick/toy")
    assert made.arms == {} and made.divergences == {} and len(made.final()) == 0 and made.design["runs"] == 0
    assert made.baselines("m").value.tolist() == [1201.0] and made.samples["real"].shape == (2, 64)
    assert list(made.card["shards"]) == ["baseline-seed0"] and audit.check(away / "results/quick") == []
    (toy / "run.py").write_text(RUN.replace("+ len", "- len"))
    forget()
    assert audit.stale(made.card)


def test_facts_of_what_judges_go_into_the_card(toy, away):
    (toy / "run.py").write_text(RUN + FACTS)
    gather.gather(design.load("toy", "quick"), "cpu", away / "results/quick/toy")
    made = Part(away / "results/quick/toy")
    assert made.card["facts"] == {"images": 300} and made.card["experiment"] == "toy"
    assert audit.check(away / "results/quick") == []


def test_a_part_names_every_device_and_version_of_its_shards(root):
    chosen = design.load("ring", "smoke", EXPERIMENTS)
    card = provenance.run_card(shards(chosen)[0], "cpu")
    versions = [{"torch": "2.9", "numpy": "2.0"}, {"torch": "2.13", "numpy": "2.0"}, {"torch": "2.9"}]
    devices, commits = ("cpu", "cuda", "cpu"), ("b", "a", "b")
    machines = card["fingerprint"], card["fingerprint"] | {"gpu": "fast"}, card["fingerprint"]
    several = [
        card | {"shard": str(k), "device": device, "versions": known, "commit": commit, "fingerprint": machine}
        for k, (device, known, commit, machine) in enumerate(zip(devices, versions, commits, machines, strict=True))
    ]
    found = gather.common_card(chosen, several)
    assert found["device"] == "cpu and cuda" and found["commits"] == ["a", "b"]
    assert found["versions"] == {"torch": "2.13 and 2.9", "numpy": "2.0"} and list(found["shards"]) == ["0", "1", "2"]
    assert gather.common_card(chosen, several[:1])["device"] == "cpu"
    assert json.loads(json.dumps(found["shards"]["1"])) == {
        key: several[1][key] for key in ("settings_hash", "code_hash", "claims_hash", "commit", "versions", "device")
    } | {"fingerprint": found["fingerprints"].index(machines[1])}
    assert len(found["fingerprints"]) == 2, "each machine is written once"
    assert found["fingerprints"][found["shards"]["2"]["fingerprint"]] == machines[2]


def test_shards_of_earlier_records_do_not_name_their_machine(root):
    chosen = design.load("ring", "smoke", EXPERIMENTS)
    card = provenance.run_card(shards(chosen)[0], "cpu")
    del card["fingerprint"]
    assert gather.common_card(chosen, [card])["fingerprints"] == [None]
