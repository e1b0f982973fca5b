"""Old parts (one table, words packed into names) to the new form: measurements, baselines, arrays."""

import importlib.util
import pathlib
import re

import numpy as np
import pandas as pd

OLD = {
    "divergence_or_settings": "decides",
    "mode_dynamics": "film",
    "kde_protocol": "parzen",
    "special_case": "textbook",
}
STAT = {"lower quartile", "median", "upper quartile"}


def hooks(name):
    path = pathlib.Path(__file__).with_name(f"{name}.py")
    if not path.exists():
        return None
    spec = importlib.util.spec_from_file_location(f"conv_{name}", path)
    m = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(m)
    return m


def bracket(metric):
    """'a [b]' -> ('a', 'b')."""
    m = re.fullmatch(r"(.+?) \[(.+)\]", metric)
    return (m[1], m[2]) if m else (metric, "")


def convert(name, folder):
    """(measurements, baselines, arrays) in the new form of an old part's folder."""
    h, folder = hooks(name), pathlib.Path(folder)
    old = pd.read_parquet(folder / "measurements.parquet")
    with np.load(folder / "samples.npz") as a:
        arrays = dict(a)
    base = old[old.arm == "baseline"]
    rows = old[old.arm != "baseline"].copy()
    rows["experiment"] = name
    stat, rest = [], []
    for m in rows.metric:
        x = re.fullmatch(r"(.+) \[(lower quartile|median|upper quartile)\]", m)
        stat.append(x[2] if x else "value")
        rest.append(x[1] if x else m)
    rows["statistic"] = stat
    mapper = getattr(h, "metric", bracket)  # metric(old name) -> (metric, rule); default: brackets
    pairs = {m: mapper(m) for m in set(rest)}
    rows["metric"] = [pairs[m][0] for m in rest]
    rows["rule"] = [pairs[m][1] for m in rest]
    rows = rows[~rows.metric.isin(["DROP"])]
    rows["seed"] = rows.seed.where(rows.seed >= 0).astype("Int32")
    cols = ["experiment", "arm", "divergence", "objective", "seed", "step", "metric", "rule", "statistic", "value"]
    # baseline(sampler = old column divergence, metric) -> (sampler, divergence, metric, rule) or None to drop
    bmap = getattr(h, "baseline", lambda sampler, metric: (sampler, "", *bracket(metric)))
    out = []
    for r in base.itertuples():
        new = bmap(r.divergence, r.metric)
        if new:
            out.append((new[0], new[1], r.seed, new[2], new[3], r.value))
    baselines = pd.DataFrame(out, columns=["sampler", "divergence", "seed", "metric", "rule", "value"])
    if hasattr(h, "arrays"):
        arrays = h.arrays(arrays, base)  # arrays(old arrays, old baseline rows) -> new arrays
    return rows[cols].reset_index(drop=True), baselines, arrays
