"""Writes the committed record anew in the form of this tree: the same numbers under the new columns, new hashes.

    python resign.py OLD_TREE NEW_SMOKE REFERENCE

First it proves that nothing moved: every value, baseline and sample of the smoke record that the old tree made
(OLD_TREE/results/smoke), in the new form, is the one that this tree made (NEW_SMOKE). Then it converts each part of
OLD_TREE/results/reference, checks that its settings are those of today's designs, and signs it with today's hashes.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))
from common import OLD, convert

from fgan import design
from fgan.files import write_json
from fgan.record import provenance, write

old_tree, smoke, reference = map(Path, sys.argv[1:])


def rows(frame, values):
    keys = [name for name in frame if name != "value"]
    return frame.astype(dict.fromkeys(keys, str)).sort_values(keys, ignore_index=True)[[*keys, *values]]


def same(old, new):
    pd.testing.assert_frame_equal(rows(old, ["value"]), rows(new, ["value"]), check_exact=True, check_dtype=False)


def sweep(key, array, new):
    """Curves that were rows of float64, or halves, and are singles now."""
    return key.startswith("curve/") and np.allclose(array, new[key], rtol=1e-6, equal_nan=True)


def proved(name):
    measurements, baselines, arrays = convert(name, old_tree / "results/smoke" / OLD.get(name, name))
    same(measurements, pd.read_parquet(smoke / name / "measurements.parquet"))
    same(baselines, pd.read_parquet(smoke / name / "baselines.parquet"))
    with np.load(smoke / name / "samples.npz") as file:
        new = dict(file)
    assert set(arrays) == set(new), set(arrays) ^ set(new)
    for key, array in arrays.items():  # all were halves; curves are singles now
        assert np.array_equal(np.float16(array), np.float16(new[key]), equal_nan=True) or sweep(key, array, new), key
    return len(measurements) + len(baselines), len(arrays)


def signed(name):
    source = old_tree / "results/reference" / OLD.get(name, name)
    measurements, baselines, arrays = convert(name, source)
    shown, card = (json.loads((source / file).read_text()) for file in ("design.json", "card.json"))
    loaded = design.load(name, shown["scale"], seeds=shown["seeds"] or None)
    changed = ("stream", "measure")  # the name of the streams is new, rules of counting have names
    for arm, before in shown["arms"].items():
        now = loaded.arms[arm]
        kept = {key: value for key, value in before.items() if key not in (*changed, "seeds")}
        assert kept == {key: value for key, value in now.items() if key not in changed}, (name, arm)
        shown["arms"][arm] = now | {"seeds": before["seeds"], "factors": loaded.factors.get(arm, {})}
    first = next(iter(loaded.arms.values()), None)
    common = {key: value for key, value in loaded.common.items() if key not in design.SHOWN}
    shown |= {"name": name, "settings": first or common}
    shown |= {key: loaded.common[key] for key in ("title", "question", "deviations")}
    code, criteria = provenance.code_hash(name), design.criteria_hash(Path("experiments", name, "claims.yaml"))
    for key, shard in card["shards"].items():
        settings = (
            loaded.shard(key).hash
            if loaded.arms
            else provenance.run_card(
                design.Shard(name, "baseline", 0, 0, common | {"divergences": [], "objectives": []}), "cpu"
            )["settings_hash"]
        )
        shard |= {"settings_hash": settings, "code_hash": code, "claims_hash": criteria}
    card |= {"experiment": name, "command": card["command"].replace(f" {OLD.get(name, name)} ", f" {name} ")}
    old = pd.read_parquet(source / "measurements.parquet")
    hashes = old[(old.metric == "hash") & (old.divergence == "classifier")].value
    if len(hashes):
        card["facts"] = {"classifier": f"{int(hashes.iloc[0]):012x}"}
    folder = reference / name
    write.write_table(folder / "measurements.parquet", measurements)
    write.write_table(folder / "baselines.parquet", baselines)
    write.write_samples(folder / "samples.npz", arrays)
    write_json(folder / "design.json", shown)
    write_json(folder / "card.json", card)
    write.write_checksums(folder, write.PART_FILES)


total = np.zeros(2, int)
names = [
    name for name in design.find() if (old_tree / "results/reference" / OLD.get(name, name) / "card.json").exists()
]
for name in names:
    total += proved(name)
print(f"smoke: {total[0]:,} values and {total[1]} arrays of {len(names)} parts are the same")
for name in names:
    signed(name)
    print(name, "signed")
