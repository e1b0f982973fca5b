"""One run of a record again: equal bytes at `smoke`, its weights, and what is said where something differs."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from records import place
from small import ROOT

from fgan import __main__, design
from fgan.files import RecordError, write_json
from fgan.jobs import gather, retrain
from fgan.jobs.cut import shards
from fgan.jobs.train import train_shard
from fgan.record import write

pytestmark = pytest.mark.usefixtures("root")
RUN = "ring/tanh/kl/saddle/1"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A record with the ring of three seeds, trained side by side."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        record = tmp_path_factory.mktemp("results") / "smoke"
        chosen = design.load("ring", "smoke", seeds=3, max_steps=40)
        for shard in shards(chosen):
            train_shard(chosen, shard, place(record, shard))
        gather.gather(chosen, "cpu", record / "ring")
    return record


@pytest.fixture
def record(trained, tmp_path):
    """A copy of the record's part, to be changed."""
    folder = tmp_path / "smoke" / "ring"
    folder.mkdir(parents=True)
    for name in write.PART_FILES:
        (folder / name).write_bytes((trained / "ring" / name).read_bytes())
    return tmp_path / "smoke"


def test_a_run_has_its_bytes_again(record, tmp_path):
    lines, equal = retrain.retrain(record, RUN, tmp_path / "to")
    assert equal and "predicted: equal bytes, because machine, versions and code are equal" in lines
    part, folder = record / "ring", tmp_path / "to" / RUN
    old, new = (pd.read_parquet(path / "measurements.parquet") for path in (part, folder))
    old = old[(old.divergence == "kl") & (old.objective == "saddle") & (old.seed == 1)]
    order = ["step", "metric", "rule", "statistic"]
    old, new = (frame.sort_values(order, ignore_index=True) for frame in (old, new))
    pd.testing.assert_frame_equal(old, new, check_exact=True)
    assert f"measurements: {len(old)} values of the record, all equal" in lines
    with np.load(part / "samples.npz") as before, np.load(folder / "samples.npz") as after:
        (name,) = after.files
        assert name == "samples/tanh/kl/saddle/1" and np.array_equal(before[name], after[name])
    assert not list(folder.glob(".*"))  # the checkpoint is gone


def test_the_weights_are_those_that_made_the_samples(record, tmp_path):
    retrain.retrain(record, RUN, tmp_path / "to")
    weights = torch.load(tmp_path / "to" / RUN / "weights.pt", weights_only=True)
    settings = json.loads((tmp_path / "to" / RUN / "card.json").read_text())["settings"]
    population = design.module("experiments", "ring", "run").population(
        settings, [design.Run("ring", "tanh", "kl", "saddle", 1)], torch.device("cpu")
    )
    with torch.no_grad():
        for view, own in zip(population.theta_views, weights["generator"], strict=True):
            view.copy_(own.expand_as(view))
        assert len(population.omega_views) == len(weights["variational"])
    made = population.sample(settings["measure"]["samples"], "evaluation")[0].numpy().astype(np.float16)
    with np.load(tmp_path / "to" / RUN / "samples.npz") as kept:
        samples = kept["samples/tanh/kl/saddle/1"]
    assert np.array_equal(made[: len(samples)], samples)


def changed(record, edit):
    path = record / "ring" / "measurements.parquet"
    frame = pd.read_parquet(path)
    rows = (frame.divergence == "kl") & (frame.objective == "saddle") & (frame.seed == 1) & (frame.metric == "F")
    write.write_table(path, edit(frame, rows & (frame.step == 40)))


def test_a_value_that_was_changed_is_found(record, tmp_path, capsys):
    changed(record, lambda frame, rows: frame.assign(value=frame.value.where(~rows, 99.0)))
    lines, equal = retrain.retrain(record, RUN, tmp_path / "to")
    assert not equal and any("1 of" in line and "first at step 40: F was 99 and is" in line for line in lines)


def test_a_metric_that_is_not_measured_any_more_is_found(record, tmp_path):
    changed(record, lambda frame, rows: frame.replace({"metric": {"modes": "hats"}}))
    lines, equal = retrain.retrain(record, RUN, tmp_path / "to")
    assert not equal and any("are not measured any more, for example 'hats'" in line for line in lines)


def test_samples_that_were_changed_are_found(record, tmp_path):
    with np.load(record / "ring" / "samples.npz") as kept:
        arrays = {name: kept[name] + (name.endswith("kl/saddle/1")) for name in kept.files}
    write.write_samples(record / "ring" / "samples.npz", arrays)
    lines, equal = retrain.retrain(record, RUN, tmp_path / "to")
    assert not equal and "samples: 1 arrays of the record, they differ" in lines


def test_another_machine_or_code_predicts_other_bytes(record, tmp_path):
    card = json.loads((record / "ring" / "card.json").read_text())
    card["fingerprints"][0]["cpu"] = "slow"
    write_json(record / "ring" / "card.json", card)
    lines, _ = retrain.retrain(record, RUN, tmp_path / "to")
    assert any(line.startswith("predicted: bytes may differ, because these do: cpu (then: slow; ") for line in lines)


def test_a_design_of_other_code_is_one_sentence(record, tmp_path):
    shown = json.loads((record / "ring" / "design.json").read_text())
    shown["arms"]["tanh"]["hat"] = 1
    write_json(record / "ring" / "design.json", shown)
    with pytest.raises(design.DesignError, match="design.json: unknown key 'hat'"):
        retrain.retrain(record, RUN, tmp_path / "to")


WRONG = {
    "rnig/tanh/kl/saddle/1": "did you mean 'ring'?",
    "ring/tahn/kl/saddle/1": "no arm 'tahn' in ring: did you mean 'tanh'?",
    "ring/tanh/kll/saddle/1": "did you mean 'kl'?", "ring/tanh/kl/sadle/1": "did you mean 'saddle'?",
    "ring/tanh/kl/saddle/7": "no seed '7' in ring: valid names: 0, 1, 2",
    "ring/tanh/kl": "write experiment/arm/divergence",
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_run_offers_the_nearest(record, name):
    with pytest.raises(RecordError, match=WRONG[name].replace("?", r"\?")):
        retrain.retrain(record, name, record.parent / "to")


def test_the_command_ends_with_2_for_a_run_that_is_not_there(capsys):
    assert __main__.main(["retrain", "ring/hat/kl/saddle/0", "--record", "reference"]) == 2
    assert capsys.readouterr().err.startswith("error: results/reference has no arm 'hat' in ring")
