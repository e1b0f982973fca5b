"""The cut of a design into shards, and what an edit of it trains again."""

import itertools
import json
import re
from collections import Counter

import pytest
from small import EXPERIMENTS, RING, edited, written

from fgan import design
from fgan.design import DesignError, digest
from fgan.engine import cost
from fgan.engine.machines import MACHINES
from fgan.jobs import cut
from fgan.jobs.cut import shards


def by_name(loaded, device="cpu"):
    return {shard.name: shard for shard in shards(loaded, device)}


def kept(before, after):
    """Shards whose settings and hash are what they were."""
    return [n for n in before if n in after and after[n] == before[n] and after[n].hash == before[n].hash]


@pytest.fixture
def singles(monkeypatch):
    """Every shard has one seed on a CPU, and five on a GPU."""
    monkeypatch.setattr(cut, "seeds_per_shard", lambda device, cost, steps: {"cpu": 1, "cuda": 5}[device])


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_shard_takes_the_seconds_of_the_table_by_its_marginal_cost(device, monkeypatch):
    monkeypatch.setitem(MACHINES, device, {"seconds": 100, "rate": 1.0, "bandwidth": 1.0, "launch": 0.5})
    one = cost.Cost(operations=2.0, traffic=1.0, kernels=8, peak=1.0, runs=1)  # 3 s for each seed, 4 s in all
    assert [cut.seeds_per_shard(device, one, steps) for steps in (1, 10, 1000)] == [32, 2, 1]


def test_short_trainings_of_many_seeds_are_one_job_and_long_ones_are_many():
    quick, full = (shards(design.load("ring", scale, EXPERIMENTS, seeds=40)) for scale in ("smoke", "full"))
    assert len(quick) < 6 and len(full) == 40


def test_the_cost_of_a_shard_is_counted_once_for_all_processes(tmp_path, monkeypatch):
    loaded = written(tmp_path, RING)
    monkeypatch.chdir(EXPERIMENTS.parent)
    monkeypatch.setattr(cut, "Path", lambda *parts: tmp_path.joinpath(*parts))
    first = cut.count(loaded, shards(loaded)[0])
    cut.counts.cache_clear()
    monkeypatch.setattr(cut.cost, "of", lambda *given: pytest.fail("counted twice"))
    assert cut.count(loaded, shards(loaded)[0]) == first
    monkeypatch.setattr(cut, "file_hash", lambda path: "of another way of counting")
    with pytest.raises(pytest.fail.Exception, match="counted twice"):
        cut.count(loaded, shards(loaded)[0])
    cut.counts.cache_clear()


def test_a_shard_has_two_runs_where_it_can(tmp_path, singles):
    text = edited("[all]", "[gan]").replace("[saddle, alternative]", "[saddle]")
    assert list(by_name(written(tmp_path, text, seeds=5))) == ["tanh-seed0-1", "tanh-seed2-3", "tanh-seed4"]


def test_a_gpu_shard_holds_many_seeds_and_the_last_one_the_rest(tmp_path, singles):
    assert list(by_name(written(tmp_path, RING), "cuda")) == ["tanh-seed0-1"]
    many = list(by_name(written(tmp_path, RING, seeds=12), "cuda"))
    assert many == ["tanh-seed0-4", "tanh-seed5-9", "tanh-seed10-11"]


@pytest.mark.parametrize("name", ["univariate", "ring", "digits", "convergence"])
def test_the_seeds_of_quick_that_train_the_same_are_one_shard_on_a_gpu(name):
    loaded = design.load(name, "quick", EXPERIMENTS)
    found = [(shard.arm, shard.first, shard.last, shard.settings) for shard in shards(loaded, "cuda")]
    assert found == [(arm, *span) for arm in loaded.arms for span in loaded.spans(arm)]


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("seeds", [1, 5, 26])
def test_shards_hold_every_run_of_the_design_once(device, seeds):
    loaded = design.load("ring", "full", EXPERIMENTS, seeds=seeds)
    runs = [run for shard in shards(loaded, device) for run in shard.runs]
    settings = loaded.arms["tanh"]
    wanted = set(itertools.product(settings["divergences"], settings["objectives"], range(seeds)))
    found = [(run.divergence, run.objective, run.seed) for run in runs]
    assert len(found) == len(wanted) and set(found) == wanted


def test_runs_are_ordered_so_that_one_divergence_is_one_slice():
    (shard,) = shards(design.load("ring", "quick", EXPERIMENTS, seeds=2), "cuda")
    assert [(r.divergence, r.objective, r.seed) for r in shard.runs[:5]] == [
        ("total_variation", "saddle", 0), ("total_variation", "saddle", 1), ("total_variation", "alternative", 0),
        ("total_variation", "alternative", 1), ("kl", "saddle", 0)]  # fmt: skip


def test_streams_belong_to_experiment_and_seed_alone():
    for name, arms, divergences in (("remedies", 5, 1), ("divergence_or_settings", 5, 3)):
        runs = [run for shard in shards(design.load(name, "quick", EXPERIMENTS)) for run in shard.runs]
        assert len({run.arm for run in runs}) >= arms and len({run.divergence for run in runs}) >= divergences
        assert {(run.seed, run.stream) for run in runs} == {(run.seed, f"{name}/{run.seed}") for run in runs}


def test_another_seed_leaves_the_other_shards_alone(tmp_path, singles):
    before = by_name(written(tmp_path, RING))
    after = by_name(written(tmp_path, edited("quick: {seeds: 2", "quick: {seeds: 3")))
    assert kept(before, after) == list(before) and set(after) - set(before) == {"tanh-seed2"}


def test_another_arm_leaves_the_other_shards_alone(tmp_path):
    before = by_name(written(tmp_path, RING))
    after = by_name(written(tmp_path, edited("  tanh: {}", "  relu: {generator: {activation: relu}}\n  tanh: {}")))
    assert kept(before, after) == list(before) and len(after) == 2 * len(before)


@pytest.mark.parametrize(
    "old, new",
    [("title: ", "title: Again "), ("question: ", "question: Indeed "), ("  - V's", "  - Also V's"),
     ("  rules: The", "  rules: All the"), ("steps: 20000", "steps: 30000"),
     ("tanh: {}", "tanh: {factors: {net: tanh}}")])  # fmt: skip
def test_what_is_only_shown_or_of_another_scale_leaves_every_shard_alone(tmp_path, old, new):
    before = by_name(written(tmp_path, RING))
    assert kept(before, by_name(written(tmp_path, edited(old, new)))) == list(before)


@pytest.mark.parametrize(
    "old, new",
    [("batch: 128", "batch: 127"), ("[all]", "[kl]"), ("sd: 0.02", "sd: 0.03"), ("steps: 4000", "steps: 4001"),
     ("3.0e-4", "3.1e-4"), ("  samples: 2500", "  samples: 2501"), ("beta1: 0.5", "beta1: 0.6")])  # fmt: skip
def test_what_decides_a_result_changes_every_hash(tmp_path, old, new, singles):
    before, after = by_name(written(tmp_path, RING)), by_name(written(tmp_path, edited(old, new)))
    assert not kept(before, after) and len({s.hash for s in [*before.values(), *after.values()]}) == 4


def test_the_order_of_keys_does_not_change_a_hash(tmp_path):
    turned = edited("{kind: normal, dimension: 2}", "{dimension: 2, kind: normal}")
    before, after = by_name(written(tmp_path, RING)), by_name(written(tmp_path, turned))
    assert [s.hash for s in before.values()] == [s.hash for s in after.values()]
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1}) != digest({"a": 1, "b": [3]})


def test_settings_are_plain_json(tmp_path):
    for shard in shards(written(tmp_path, RING)):
        assert json.loads(json.dumps(shard.settings)) == shard.settings


@pytest.mark.parametrize(
    "name, said",
    [("tanh-sed0", "no arm 'tanh-sed0' .*; did you mean 'tanh'?"),
     ("tahn-seed0", "no arm 'tahn' .*; did you mean 'tanh'?"),
     ("tanh-seed", "write its seeds as in tanh-seed0 or tanh-seed0-4")])  # fmt: skip
def test_an_unknown_shard_offers_the_nearest_name(name, said):
    with pytest.raises(DesignError, match=f"ring: no (arm|shard) .*'{name}'.*") as caught:
        design.load("ring", "quick", EXPERIMENTS).shard(name)
    assert re.search(said, str(caught.value)) and "\n" not in str(caught.value)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_shard_holds_only_seeds_that_train_the_same_divergences(tmp_path, device):
    loaded = written(tmp_path, edited("quick: {seeds: 2", "quick: {seeds: {all: 2, gan: 5, kl: 3}"))
    found = shards(loaded, device)
    assert Counter(run for shard in found for run in shard.runs) == Counter(loaded.runs("tanh"))
    assert {(run.divergence, run.seed) for shard in found for run in shard.runs if run.seed > 1} == {
        ("gan", 2), ("kl", 2), ("gan", 3), ("gan", 4)}  # fmt: skip
    assert all(loaded.shard(shard.name) == shard for shard in found)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_shard_is_found_by_its_name(device):
    loaded = design.load("ring", "full", EXPERIMENTS)
    for shard in shards(loaded, device):
        assert loaded.shard(shard.name) == shard and loaded.shard(shard.name).hash == shard.hash
