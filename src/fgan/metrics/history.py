"""The parts of the histories of runs that a record keeps: quartiles over all seeds, and the first seeds in full."""

import numpy as np

QUARTILES = {0.25: "lower quartile", 0.5: "median", 0.75: "upper quartile"}
KEPT = 5  # seeds whose histories and samples a record keeps


def quartiles(frame, last):
    """Rows of the quartiles over seeds (column `statistic`; no seed) at each entry of every metric with a history.

    `frame` holds tidy measurements, `last` the last step by arm. A run without a value, because it diverged, counts: it
    may lie on either side, so it is the least for the lower quartile and the largest for the upper one, and the median
    is the middle of both cases. A quartile that such runs would decide is undefined.
    """
    entries = frame[frame.step < frame.arm.map(last)]
    history = frame.merge(entries[["metric", "rule"]].drop_duplicates(), on=["metric", "rule"])
    group = ["experiment", "arm", "divergence", "objective", "step", "metric", "rule"]

    def placed(end):
        """The quartiles, a column each, if every missing value is `end`."""
        values = history.assign(value=history.value.fillna(end)).groupby(group, sort=False).value
        return values.quantile(list(QUARTILES)).unstack().reindex(columns=list(QUARTILES))

    least, most = placed(-np.inf), placed(np.inf)
    found = least.assign(**{"median": (least[0.5] + most[0.5]) / 2, "upper quartile": most[0.75]})
    found = found.rename(columns={0.25: "lower quartile"})[[*QUARTILES.values()]]
    found = found.where(np.isfinite(found)).rename_axis(columns="statistic")
    return found.stack(future_stack=True).rename("value").reset_index()


def kept(frame, last):
    """The rows of each run's last step, and all rows of the first seeds, to keep a record small."""
    return frame[(frame.step == frame.arm.map(last)) | (frame.seed < KEPT)]
