"""The plan of a record: what is counted for each experiment, and that what is there already costs nothing."""

import math

import pytest
from small import EXPERIMENTS

from fgan import design
from fgan.engine import machines
from fgan.jobs import cut, plan
from fgan.jobs.cut import shards

RATES = {"rate": 1e9, "bandwidth": 1e10, "launch": 5.6e-6}
OVERHEAD = {
    "launch": 2.8e-6, "training": 1.5, "start": 0.5, "evaluation": {"ring": 0.1, "other": 9.0},
    "shown": {"ring": 6.0, "other": 3.0}, "paper": 30.0,
}  # fmt: skip


@pytest.fixture
def designs(root, monkeypatch):
    """A design that trains two shards, and one that trains nothing, on a machine half as fast as the table's."""
    monkeypatch.setattr(plan, "rates", lambda device: RATES)
    monkeypatch.setattr(plan, "read_yaml", lambda path: OVERHEAD)
    monkeypatch.setattr(cut, "seeds_per_shard", lambda device, cost, steps: {"cpu": 1, "cuda": 2}[device])
    return [design.load(name, "smoke", EXPERIMENTS) for name in ("ring", "kde_protocol")]


def test_a_plan_counts_training_starts_evaluation_and_what_is_shown(designs):
    made = plan.make(designs, lambda shard: False, cores=2)
    ring, nothing, paper, total = made.table.to_dict("records")
    count = cut.count(designs[0], shards(designs[0])[0])
    shard = 200 * count.seconds(**RATES) * 1.5 * 1.1 + 2 * 0.5
    assert (ring["experiment"], ring["runs"], ring["steps"], ring["complete"]) == ("ring", 48, 200, "0 of 2 shards")
    assert ring["operations"] == 2 * 200 * count.operations
    assert [seconds for _, seconds in made.shards] == pytest.approx([shard, shard])
    assert ring["minutes here"] == pytest.approx((2 * shard + 2 * 6.0) / 60 / 2)
    on_gpu = cut.count(designs[0], shards(designs[0])[0], "cuda")
    assert ring["minutes H200"] == pytest.approx(200 * on_gpu.seconds(**RATES, copies=2) / 60)
    assert (nothing["runs"], nothing["complete"]) == (0, "0 of 0 shards")
    assert nothing["minutes here"] == pytest.approx(2 * 3.0 / 60 / 2)
    assert paper["minutes here"] == pytest.approx(2 * 30.0 / 60), "one core writes the paper"
    assert (total["experiment"], total["runs"], total["operations"]) == ("all", 48, ring["operations"])
    assert made.minutes == pytest.approx(sum(row["minutes here"] for row in (ring, nothing, paper)))


def test_on_a_gpu_the_plan_adds_the_shards_as_they_are_cut(designs):
    """One after the other, whatever the number of cores; what is shown still takes a core."""
    made = plan.make(designs[:1], lambda shard: False, "cuda", cores=4)
    count = cut.count(designs[0], shards(designs[0])[0], "cuda")
    assert [shard.name for shard, _ in made.shards] == ["tanh-seed0-1"]
    seconds = 200 * count.seconds(**RATES, copies=2) * 1.1 + 0.5
    assert made.table["minutes here"][0] == pytest.approx((seconds + 6.0 / 4) / 60)


def test_a_shard_that_is_there_costs_no_more_minutes(designs):
    made = plan.make(designs, lambda shard: shard.first == 0, cores=1)
    every = plan.make(designs, lambda shard: False, cores=1)
    assert made.table["complete"][0] == "1 of 2 shards" and len(made.shards) == 1
    assert made.table["operations"][0] == every.table["operations"][0]
    shown = 2 * 6.0 / 60
    assert made.table["minutes here"][0] - shown == pytest.approx((every.table["minutes here"][0] - shown) / 2)
    whole = plan.make(designs, lambda shard: True, cores=1)
    assert whole.shards == [] and whole.table["minutes H200"].tolist() == [0, 0, 0, 0]


def test_a_plan_is_a_table_for_a_terminal(designs):
    text = plan.text(plan.make(designs, lambda shard: False).table)
    assert len(text.splitlines()) == 5 and "minutes here" in text and "ring" in text and "NA" not in text


def test_the_rates_of_this_machine_are_measured_and_those_of_a_gpu_read():
    here = plan.rates("cpu")
    assert here.keys() == plan.rates("cuda").keys() and all(0 < value < 1e15 for value in here.values())


def test_a_job_on_a_cluster_requests_what_the_plan_counts(designs):
    """Memory of its largest stack and the plan's minutes, both with room; on a GPU only memory of the host."""
    ring = designs[0]
    small, large = (ring.shard(name) for name in ("tanh-seed0", "tanh-seed0-199"))
    count = cut.count(ring, small)
    rates = {name: machines.MACHINES["cpu"][name] for name in RATES}
    (memory, minutes), (more, longer) = (plan.needs(ring, shard, "cpu") for shard in (small, large))
    assert memory == plan.OWN["cpu"] + plan.SPARE * count.peak
    assert memory < more <= plan.OWN["cpu"] + plan.SPARE * machines.MACHINES["cpu"]["stack"], "the rest waits"
    seconds = 200 * count.seconds(**rates, copies=200) * 1.5 * 1.1
    assert (minutes, longer) == (plan.START + 1, plan.START + math.ceil(plan.SPARE * seconds / 60))
    assert plan.needs(ring, large, "cuda")[0] == plan.OWN["cuda"]
