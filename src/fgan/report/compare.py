"""Compares two records, verdict by verdict and number by number, and says whether seeds explain a difference.

An outcome is one of OUTCOMES. A number over seeds differs for real if 0 lies outside of the joint interval of both
means, mean_A - mean_B +- t sqrt(var_A / n_A + var_B / n_B) (Welch), and outside of that with one variance for both
(Student), at 95 % for all numbers of an experiment together (Holm). Where all seeds of a record have one value, and so
show no variance, it is by Fisher's exact test of having that value. A number without seeds, as of an exact optimum, has
no chance to differ by more than rounding.
"""

import math
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import ndtr, stdtr

from fgan import design
from fgan.design import nearest
from fgan.files import RecordError, file_hash
from fgan.record.promise import conditions, promise
from fgan.report.claims import arms, judge
from fgan.report.numbers import qualified
from fgan.report.part import Part
from fgan.report.statistics import holm

SAME, ROUNDING, SEEDS, REAL, OPEN, *ABSENT = OUTCOMES = (
    "the same", "differ by rounding", "differ as other seeds would", "differ for real", "have too few seeds to tell",
    "not in A", "not in B",
)  # fmt: skip
ROUNDED = 1e-5  # relative; a sum of float32 in another order moves less
RUNS = ["arm", "divergence", "objective", "metric", "rule"]
DRAWS = ["sampler", "divergence", "metric", "rule"]
BYTES = ("measurements.parquet", "baselines.parquet", "samples.npz", "design.json")
BESIDE = ("seeds", "factors")  # entries of an arm that change no run


def folder(word, root="results"):
    """The folder of a record that is named or is a folder itself; raises RecordError if there is neither."""
    for path in (Path(root, word), Path(word)):
        if any(path.glob("*/card.json")):
            return path
    known = sorted({path.parent.parent.name for path in Path(root).glob("*/*/card.json")})
    raise RecordError(f"no record '{word}', neither in {root} nor as a folder: {nearest(word, known)}")


def compare(a, b, every=False):
    """(lines, whether nothing differs for real) of two records; `every` also prints what is the same."""
    a, b = folder(a), folder(b)
    lines, sound = [f"A is {a}, B is {b}", ""], True
    for name in design.find():
        present = [label for label, record in (("A", a), ("B", b)) if (record / name / "card.json").exists()]
        if len(present) == 2:
            own, fine = experiment(Part(a / name), Part(b / name), every)
            lines, sound = [*lines, *own], sound and fine
        elif present:
            lines.append(f"{name}: only in {present[0]}")
    return [*lines, "", f"{'nothing that can be compared' if sound else 'something'} differs for real"], sound


def experiment(a, b, every=False):
    """(lines, whether nothing differs for real) of one experiment."""
    scales = f" (scales: {a.design['scale']}, {b.design['scale']})" if a.design["scale"] != b.design["scale"] else ""
    equal = all(file_hash(a.folder / file) == file_hash(b.folder / file) for file in BYTES)
    lines = [f"{a.folder.name}: {'same bytes' if equal else 'other bytes'}{scales}"]
    lines.append(f"  predicted: {promise(conditions(a.card), conditions(b.card))}")
    other = unlike(a, b)
    lines += [f"  not comparable{scales}: {what} ({', '.join(keys)})" for what, keys in other.items()]
    found = pd.concat([numbers(a, b, other), claims(a, b, other)], ignore_index=True)
    for kind, rows in found.groupby("kind", sort=False):
        counts = [f"{n} {outcome}" for outcome in OUTCOMES if (n := (rows.outcome == outcome).sum())]
        apart = (~rows.outcome.isin(OUTCOMES)).sum()
        lines.append(f"  {len(rows)} {kind}: " + ", ".join(counts + [f"{apart} not comparable"] * bool(apart)))
    shown = found if every else found[(found.outcome == REAL) | (found.kind == "verdicts") & (found.outcome != SAME)]
    lines += [f"    {row.key}: {row.a} and {row.b}, {row.outcome}" for row in shown.itertuples()]
    return lines, not (found.outcome == REAL).any()


def unlike(a, b):
    """{arm, or 'samplers' of what was not trained: the settings that differ}, of what both parts have."""
    settings = {arm: (a.arms[arm], b.arms[arm]) for arm in a.arms if arm in b.arms}
    common = [part.design.get("settings", {}) for part in (a, b)]
    found = {name: changed(*pair) for name, pair in (settings | {"samplers": common}).items()}
    return {name: keys for name, keys in found.items() if keys}


def changed(these, those):
    """The names of the settings that differ between two mappings."""
    names = [name for name in sorted({*these, *those}) if name not in (*BESIDE, "divergences", "objectives")]
    return [name for name in names if these.get(name) != those.get(name)]


def numbers(a, b, other):
    """The outcome of every number that both parts have, means over seeds and over draws: kind, key, a, b, outcome."""
    found = []
    for keys, frames in ((RUNS, (a.final(), b.final())), (DRAWS, (a.untrained, b.untrained))):
        if keys == RUNS:
            frames = [rows[~rows.arm.isin(list(other))] for rows in frames]
        if not all(map(len, frames)) or (keys == DRAWS and "samplers" in other):
            continue
        rows = tested(*(whole(rows, keys) for rows in frames), keys)
        names = [".".join(filter(None, (a.folder.name, *key[:-2], qualified(*key[-2:])))) for key in rows.index]
        found.append(rows.assign(kind="numbers", key=names))
    found = pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=["kind", "p", "outcome"])
    found["outcome"] = decided([*found.outcome], found.p.to_numpy(float))
    return found


def whole(rows, keys):
    """Rows with a value; a metric that some run lacks also counts, as 'metric undefined', the runs that lack it."""
    rows = rows[[*keys, "seed", "value"]]
    lacks = ~np.isfinite(rows.value)
    some = rows[rows.metric.isin(rows.metric[lacks].unique())]
    names = [f"{metric} undefined" for metric in some.metric]
    counted = some.assign(metric=names, value=(~np.isfinite(some.value)).astype(float))
    return pd.concat([rows[~lacks], counted], ignore_index=True)


def tested(a, b, keys):
    """Both means of every number in both, texts `a` and `b`, the outcome as far as bytes decide it, else p."""
    pairs = a.merge(b, on=[*keys, "seed"], how="outer", suffixes=("_a", "_b"))
    pairs["same"] = pairs.value_a == pairs.value_b
    pairs["close"] = np.isclose(pairs.value_a, pairs.value_b, rtol=ROUNDED, atol=0)
    agree = pairs.groupby(keys)[["same", "close"]].all()
    these, those = ({key: own.to_numpy() for key, own in of.groupby(keys).value} for of in (a, b))
    rows = agree.loc[[key for key in these if key in those]]
    pairs = [(these[key], those[key]) for key in rows.index]
    first = [SAME if r.same else ROUNDING if r.close else None for r in rows.itertuples()]
    mean = lambda own: f"{own.mean():.6g} ({len(own)})"
    texts = {"a": [mean(a) for a, _ in pairs], "b": [mean(b) for _, b in pairs]}
    tests = [test(*pair, "sampler" not in keys) for pair in pairs]
    return pd.DataFrame({"p": tests, "outcome": first} | texts, index=rows.index)


def test(a, b, seeded=True):
    """p of 'both means are equal'; NaN if a mean has a single seed, 0 if it needs none."""
    if min(len(a), len(b)) < 2:
        return math.nan if seeded or max(len(a), len(b)) > 1 else 0.0
    alike, other = sorted((a, b), key=np.ptp)
    if np.ptp(alike) == 0:  # a t test would take two equal seeds for no variance
        shared = len(alike) + int((other == alike[0]).sum())
        return min(1.0, 2 * math.comb(shared, len(alike)) / math.comb(len(a) + len(b), len(alike)))
    (n, m), (va, vb), apart = (len(a), len(b)), (a.var(ddof=1), b.var(ddof=1)), abs(a.mean() - b.mean())
    error, pooled = va / n + vb / m, ((n - 1) * va + (m - 1) * vb) / (n + m - 2)
    freedom = error**2 / ((va / n) ** 2 / (n - 1) + (vb / m) ** 2 / (m - 1))
    welch = stdtr(freedom, -apart / math.sqrt(error))
    # Two seeds that happen to be close hide their variance from Welch, and not from all seeds together.
    student = stdtr(n + m - 2, -apart / math.sqrt(pooled * (1 / n + 1 / m)))
    return float(2 * max(welch, student))


def decided(outcomes, p):
    """Outcomes, with those that bytes do not decide (None) by their p after Holm's correction over all of them."""
    outcomes = np.array(outcomes, object)
    open_ = pd.isna(outcomes)
    outcomes[open_ & np.isnan(p)] = OPEN
    tests = open_ & ~np.isnan(p)
    if tests.any():
        outcomes[tests] = np.where(holm(p[tests]) <= 0.05, REAL, SEEDS)
    return outcomes


def claims(a, b, other):
    """The outcome of every claim by today's criteria: its verdicts, and its estimates by their joint interval."""
    path = Path("experiments", a.folder.name, "claims.yaml")
    read = design.read_claims(path) if path.exists() else []
    rows, columns = [], ["kind", "key", "a", "b", "outcome", "p"]
    scaled = a.design["scale"] != b.design["scale"]
    for claim, x, y in zip(read, judge(a, read), judge(b, read), strict=True):
        apart = scaled or "samplers" in other or not set(arms(a, claim)).isdisjoint(other)
        texts = [f"{row['verdict']} ({told(row)})" for row in (x, y)]
        rows.append(["verdicts", f"claim.{claim['id']}", *texts, *joint(claim, x, y, apart)])
    found = pd.DataFrame(rows, columns=columns)
    found["outcome"] = decided([*found.outcome], found.p.to_numpy(float))
    return found


def told(row):
    """The estimate of a claim with its interval, or why it has none, in words."""
    ends = "" if math.isnan(row["low"]) else f" [{row['low']:.4g}, {row['high']:.4g}]"
    return row["missing"] or f"{row['estimate']:.4g}{ends}"


def joint(claim, x, y, apart):
    """(outcome as far as bytes decide it, p) of a claim's rows: their joint interval is +-sqrt(half_A^2 + half_B^2)."""
    ends = ("estimate", "low", "high")
    for row, outcome in zip((x, y), ABSENT, strict=True):
        if row["missing"] and row["verdict"] == "not run" and not (x["missing"] and y["missing"]):
            return outcome, math.nan
    if x["verdict"] == y["verdict"] and all(x[k] == y[k] or (x[k] != x[k] and y[k] != y[k]) for k in ends):
        return SAME, math.nan
    if apart:
        return "not comparable", math.nan
    distance, half = abs(x["estimate"] - y["estimate"]), math.hypot(*((r["high"] - r["low"]) / 2 for r in (x, y)))
    if distance <= ROUNDED * abs(x["estimate"]) and x["verdict"] == y["verdict"]:
        return ROUNDING, math.nan
    if half == 0 and {check["kind"] for check in claim["checks"]} <= {"baseline"}:
        return None, 0.0
    return None, float(2 * ndtr(-1.96 * distance / half)) if 0 < half < math.inf else math.nan
