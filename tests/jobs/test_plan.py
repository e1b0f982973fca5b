"""The plan of a record: what is counted for each experiment, and that what is there already costs nothing."""

import pytest
from small import EXPERIMENTS

from fgan import design
from fgan.engine import cost
from fgan.jobs import plan
from fgan.jobs.cut import shards

RATES = {"rate": 1e9, "bandwidth": 1e10, "launch": 1e-6}


@pytest.fixture
def designs(root, monkeypatch):
    """A design that trains two seeds, and one that trains nothing; every device has the same rates."""
    monkeypatch.setattr(plan, "rates", lambda device: RATES)
    return [design.load(name, "smoke", EXPERIMENTS) for name in ("ring", "kde_protocol")]


def test_a_plan_counts_runs_steps_operations_and_minutes(designs):
    frame = plan.table(designs, done=lambda shard: False, cores=2)
    ring, nothing, total = frame.to_dict("records")
    count = cost.of(designs[0], shards(designs[0])[0])
    assert (ring["experiment"], ring["runs"], ring["steps"], ring["complete"]) == ("ring", 48, 200, "0 of 2 shards")
    assert ring["operations"] == 2 * 200 * count.operations
    assert ring["minutes here"] == pytest.approx(2 * 200 * count.seconds(**RATES) / 60 / 2)
    assert ring["minutes H200"] == pytest.approx(200 * count.seconds(**RATES, copies=2) / 60)
    assert (nothing["runs"], nothing["complete"], nothing["minutes here"]) == (0, "0 of 0 shards", 0)
    assert (total["experiment"], total["runs"], total["operations"]) == ("all", 48, ring["operations"])


def test_a_shard_that_is_there_costs_no_more_minutes(designs):
    frame = plan.table(designs, done=lambda shard: shard.first == 0, cores=1)
    every = plan.table(designs, done=lambda shard: False, cores=1)
    assert frame["complete"][0] == "1 of 2 shards" and frame["operations"][0] == every["operations"][0]
    assert frame["minutes here"][0] == pytest.approx(every["minutes here"][0] / 2)
    whole = plan.table(designs, done=lambda shard: True, cores=1)
    assert whole["minutes here"].tolist() == whole["minutes H200"].tolist() == [0, 0, 0]


def test_a_plan_is_a_table_for_a_terminal(designs):
    text = plan.text(plan.table(designs, done=lambda shard: False))
    assert len(text.splitlines()) == 4 and "minutes here" in text and "ring" in text


def test_the_rates_of_this_machine_are_measured_and_those_of_a_gpu_read():
    here = plan.rates("cpu")
    assert here.keys() == plan.rates("cuda").keys() and all(0 < value < 1e15 for value in here.values())
