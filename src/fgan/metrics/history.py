"""The parts of the histories of runs that a record keeps: quartiles over all seeds, and the first seeds in full."""

QUARTILES = {0.25: "lower quartile", 0.5: "median", 0.75: "upper quartile"}
KEPT = 5  # seeds whose histories and samples a record keeps


def quartiles(frame, last):
    """Rows of the quartiles over seeds (column `statistic`; no seed) at each entry of every metric with a history.

    `frame` holds tidy measurements, `last` the last step by arm.
    """
    entries = frame[frame.step < frame.arm.map(last)]
    history = frame.merge(entries[["metric", "rule"]].drop_duplicates(), on=["metric", "rule"])
    group = ["experiment", "arm", "divergence", "objective", "step", "metric", "rule"]
    found = history.groupby(group, sort=False).value.quantile(list(QUARTILES)).reset_index()
    found["statistic"] = found.pop("level_7").map(QUARTILES)
    return found


def kept(frame, last):
    """The rows of each run's last step, and all rows of the first seeds, to keep a record small."""
    return frame[(frame.step == frame.arm.map(last)) | (frame.seed < KEPT)]
