"""The time of a record: rows of jobs side by side, and the line that sums them up."""

import threading
import time

import pytest

from fgan.jobs import times


def test_a_clock_gives_each_lap_to_its_kind(tmp_path, monkeypatch):
    now = iter([100.0, 101.0, 103.0, 106.0, 110.0])
    monkeypatch.setattr(times.time, "perf_counter", lambda: next(now))
    clock = times.Clock()
    clock.lap("import")
    clock.lap()  # belongs to no kind
    clock.lap("drawing")
    clock.add({"training": 7.0, "evaluation": 0.5})
    clock.write(tmp_path, "draw ring")
    (row,) = times.read(tmp_path)
    assert row.pop("start") == pytest.approx(time.time(), abs=60)
    assert row == {
        "job": "draw ring", "import": 1.0, "training": 7.0, "evaluation": 0.5, "drawing": 3.0, "elapsed": 10.0
    }  # fmt: skip


def test_jobs_side_by_side_write_whole_rows_under_one_head(tmp_path):
    writes = [
        threading.Thread(target=times.write, args=(tmp_path, f"job {i}", 1.0, {"training": float(i)}, 2.0))
        for i in range(40)
    ]
    for one in writes:
        one.start()
    for one in writes:
        one.join()
    assert sorted(row["training"] for row in times.read(tmp_path)) == list(range(40))
    assert (tmp_path / "time.csv").read_text().count("job,start") == 1


def test_the_summary_counts_this_workflow_alone(tmp_path, monkeypatch):
    times.write(tmp_path, "of an earlier workflow", 10.0, {"training": 1e6}, 1e6)
    times.write(tmp_path, "train", 1001.0, {"training": 60.0, "evaluation": 24.0, "import": 6.0}, 90.0)
    times.write(tmp_path, "draw", 1010.0, {"drawing": 12.0}, 12.0)
    monkeypatch.setattr(times.time, "time", lambda: 1060.0)
    said = times.summary(tmp_path, 1000.0, cores=2, planned=1.25)
    assert "1.0 minutes on 2 cores, 1.2 planned" in said and "70% trained and measured" in said
    assert "10% drew and wrote, 5% imported, 15% was idle or between" in said


def test_a_record_without_times_is_idle(tmp_path):
    assert "0% trained" in times.summary(tmp_path, time.time() - 60, cores=2)
