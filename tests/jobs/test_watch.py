"""Watching a record: the line of a moment, on a terminal and in a log, and the one at the end."""

import io
import time

import pandas as pd
import pytest
from records import place
from small import EXPERIMENTS

from fgan import design
from fgan.design import Shard
from fgan.jobs import train, watch
from fgan.jobs.plan import Plan


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def shards(root):
    chosen = design.load("ring", "smoke", EXPERIMENTS).arms["tanh"]
    return [Shard("ring", "tanh", seed, seed, chosen) for seed in range(4)]


@pytest.fixture
def seen(tmp_path, shards):
    """A watch of four shards, of which the last takes half of the ten planned minutes of training."""
    record = tmp_path / "quick"
    return watch.Watch(record, Plan(pd.DataFrame(), [*zip(shards, (100, 100, 100, 300), strict=True)], 12.0))


def finish(record, shard):
    folder = place(record, shard)
    folder.mkdir(parents=True)
    (folder / "card.json").write_text("{}")


def test_at_first_the_minutes_left_are_those_of_the_plan(seen):
    assert seen.line() == "ring: 0 of 96 runs done, 0%, 12 minutes left"


def test_work_counts_by_its_planned_seconds_and_in_part_while_it_trains(seen, shards):
    finish(seen.record, shards[0])
    share = train.share(place(seen.record, shards[3]))
    share.parent.mkdir(parents=True, exist_ok=True)
    share.write_text("0.5000")
    seen.began -= 300
    assert seen.line() == "ring: 24 of 96 runs done, 42%, 7 minutes left", "5 minutes for 250 of 600 seconds"


def test_a_shard_of_an_earlier_workflow_does_not_count(seen, shards):
    finish(seen.record, shards[0])
    seen.began = time.time() + 100
    assert "0 of 96 runs done, 0%" in seen.line()


def test_after_the_training_it_says_what_is_left(seen, shards):
    for shard in shards:
        finish(seen.record, shard)
    assert seen.line() == "quick: all 96 runs are done, figures and paper, 12 minutes left"


@pytest.mark.parametrize("stream, written", [(Terminal(), "\r\033[Kring: 0"), (io.StringIO(), "")])
def test_a_terminal_has_one_line_and_a_log_one_a_minute(seen, stream, written):
    seen.stream = stream
    seen.start()
    time.sleep(1.3)
    seen.stop()
    assert stream.getvalue().startswith(written) and "\n" not in stream.getvalue()


def test_the_end_says_what_the_time_went_to(seen, capsys):
    with watch.watching(seen.record, seen.plan, 2):
        pass
    assert "12.0 planned" in capsys.readouterr().err


def test_a_record_that_takes_long_to_look_at_is_looked_at_less_often(seen, monkeypatch):
    """On a terminal it looks every second, but spends a fiftieth of the time on that at most."""
    waits = []

    class Over:
        def wait(self, seconds):
            waits.append(seconds)
            return len(waits) > 2

    seen.stream, seen.over = Terminal(), Over()
    monkeypatch.setattr(seen, "line", lambda: time.sleep(0.1) or "")
    seen.run()
    assert waits[0] == 1 and min(waits[1:]) >= 5
