"""A part of a record, read from its files alone: the data of one experiment for figures, tables and claims."""

import json
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from fgan.files import RecordError
from fgan.metrics.history import KEPT

RUN = ["arm", "divergence", "objective", "seed"]
ENDS = ["converged", "cycles", "failed", "diverged_step", "dead_step"]


@dataclass(frozen=True)
class Part:
    """One experiment of a record."""

    folder: Path

    @cached_property
    def measurements(self):
        """Rows (experiment, arm, divergence, objective, seed, step, metric, rule, statistic, value)."""
        return self._read("measurements.parquet", named)

    @cached_property
    def untrained(self):
        """Rows (sampler, divergence, seed, metric, rule, value) of samplers that were not trained."""
        return self._read("baselines.parquet", named)

    @cached_property
    def samples(self):
        """Arrays by name: samples/<arm>/<divergence>/<objective>/<seed>, and those of no run."""
        return self._read("samples.npz", read_arrays)

    @cached_property
    def design(self):
        """The resolved design, with the facts that figures need."""
        return self._read("design.json", mapping)

    @cached_property
    def card(self):
        """The run cards of all shards, and a summary of them."""
        return self._read("card.json", mapping)

    @property
    def machines(self):
        """The fingerprint of each machine that trained the part, as one phrase; earlier cards have none."""
        known = filter(None, self.card.get("fingerprints", []))
        phrases = [", ".join(f"{k} {v}" for k, v in sorted(machine.items())) for machine in known]
        return phrases or ["no recorded fingerprint"]

    @property
    def name(self):
        """The experiment's name."""
        return self.design["name"]

    @property
    def measure(self):
        """The settings of the experiment's own measurements."""
        return self.design["settings"]["measure"]

    @property
    def divergences(self):
        """The divergences that this part was trained on, in the table's order: name -> {label, effective}."""
        return {row["name"]: row for row in self.design["divergences"]}

    @property
    def labels(self):
        """{name: label} of the divergences that this part was trained on."""
        return {name: row["label"] for name, row in self.divergences.items()}

    @property
    def every_label(self):
        """{name: label} of every divergence in the table, trained or not."""
        from fgan.divergences import DIVERGENCES  # loads torch, which most figures do not need

        return {name: divergence.label for name, divergence in DIVERGENCES.items()}

    @property
    def arms(self):
        """Settings by arm, each with its number of seeds and its factors."""
        return self.design["arms"]

    def rules(self, metric):
        """The rules under which a metric was taken, in their order, without the empty one."""
        rules = self.measurements[self.measurements.metric == metric].rule.unique()
        return [rule for rule in rules if rule]

    def final(self, metric=None, arm=None, rule=""):
        """Rows of each run's last step, which is judged; of every metric and rule if no metric is named."""
        rows = self._values if metric is None else self._judged.get((metric, rule), self._values.iloc[:0])
        return rows if arm is None else rows[rows.arm == arm]

    @cached_property
    def _judged(self):
        return dict(iter(self._values.groupby(["metric", "rule"], sort=False)))

    @cached_property
    def _values(self):
        rows = self.measurements
        last = {name: settings["steps"] for name, settings in self.arms.items()}
        rows = rows[(rows.step == rows.arm.map(last)) & (rows.statistic == "value")]
        return rows.astype({"seed": int})

    @cached_property
    def ends(self):
        """How each run ended: ENDS at its last step, a row for each RUN, NaN where the record does not say."""
        return pd.DataFrame({metric: self.final(metric).set_index(RUN).value for metric in ENDS})

    def by_run(self, metric, arm, rule=""):
        """{(divergence, objective): judged values over seeds} of an arm."""
        return dict(self._by_run.get((metric, rule, arm), {}))

    @cached_property
    def _by_run(self):
        runs, rows = {}, self._values.sort_values("seed", kind="stable")
        groups = rows.groupby(["metric", "rule", "arm", "divergence", "objective"], sort=False)
        for (*key, divergence, objective), values in groups.value:
            runs.setdefault(tuple(key), {})[divergence, objective] = values.to_numpy()
        return runs

    def values(self, metric, arm, divergence, objective="saddle", rule=""):
        """Judged values over seeds of one arm, divergence and objective; empty if they were not trained."""
        return self.by_run(metric, arm, rule).get((divergence, objective), np.array([]))

    def history(self, metric, arm, divergence, objective="saddle", rule=""):
        """The histories of the first seeds as a frame, a row for each step and a column for each seed."""
        rows = self._path(metric, arm, divergence, objective, rule)
        rows = rows[(rows.statistic == "value") & (rows.seed < KEPT)]  # of later seeds a part has the last step alone
        return rows.pivot(index="step", columns="seed", values="value")

    def quartiles(self, metric, arm, divergence, objective="saddle", rule=""):
        """The lower quartile, median and upper quartile over seeds as columns of a frame, a row for each step."""
        rows = self._path(metric, arm, divergence, objective, rule)
        return rows[rows.statistic != "value"].pivot(index="step", columns="statistic", values="value")

    def _path(self, metric, arm, divergence, objective, rule):
        return self.measurements.iloc[self._paths.get((metric, rule, arm, divergence, objective), [])]

    @cached_property
    def _paths(self):
        return self.measurements.groupby(["metric", "rule", "arm", "divergence", "objective"], sort=False).indices

    def baselines(self, metric, rule="", sampler=None, divergence=None):
        """Rows of the samplers that were not trained: of all of them, of one, or of one divergence."""
        rows = self.untrained
        rows = rows[(rows.metric == metric) & (rows.rule == rule)]
        for column, wanted in (("sampler", sampler), ("divergence", divergence)):
            rows = rows if wanted is None else rows[rows[column] == wanted]
        return rows

    def baseline(self, metric, sampler, divergence="", rule=""):
        """The mean over draws of one sampler's metric; NaN if there is none or a draw has none."""
        return float(self.baselines(metric, rule, sampler, divergence).value.mean(skipna=False))

    def samplers(self, metric, rule=""):
        """{sampler: mean over draws} of the samplers that were not trained; NaN if a draw has none."""
        draws = self.baselines(metric, rule).groupby("sampler", sort=False).value
        return {name: float(values.mean(skipna=False)) for name, values in draws}

    def _read(self, name, reader):
        path = self.folder / name
        wrong = "is missing; make it with" if not path.exists() else "is damaged; move it away and make it again with"
        try:
            return reader(path)
        except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile):
            raise RecordError(
                f"{path} {wrong}: snakemake --cores all {self.folder.name} --config record={self.folder.parent.name}"
            ) from None


def mapping(path):
    """A JSON object; raises ValueError for another value."""
    value = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(value, dict):
        raise ValueError(f"{path} holds no object")
    return value


def named(path):
    """A table whose text columns have no missing entries: a group of such rows would vanish from tables."""
    frame = pd.read_parquet(path)
    texts = [column for column in ("sampler", "arm", "divergence", "objective", "rule") if column in frame]
    return frame.fillna(dict.fromkeys(texts, ""))


def read_arrays(path):
    """The arrays of an npz file by name."""
    with open(path, "rb") as file, np.load(file) as arrays:
        return dict(arrays)
