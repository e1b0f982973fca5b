"""Parts: joins the shards of an experiment into the one part of a record that is shown, audited and published."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from fgan import machines, provenance, records, targets
from fgan.design import SHOWN, Shard
from fgan.divergences import DIVERGENCES
from fgan.records import COLUMNS, PART_FILES, RecordError
from fgan.shards import checkpoints, current

# What a part keeps of the histories: the runs of the first seeds, and these quantiles over all seeds.
HISTORIES = 5
QUARTILES = {0.25: "lower quartile", 0.5: "median", 0.75: "upper quartile"}


def thinned(frame, last):
    """Every run's values at the last step; of the history, quartiles over all seeds (seed -1) and the first runs.

    `last` is the last step by arm. Full histories stay in the shards: a part has to be small enough to be committed.
    """
    last = frame.arm.map(last)
    history = frame[frame.metric.isin(frame[frame.step < last].metric.unique())]
    group = ["experiment", "arm", "divergence", "objective", "step", "metric"]
    quartiles = history.groupby(group, sort=False).value.quantile(list(QUARTILES)).reset_index()
    quartiles["metric"] += " [" + quartiles.pop("level_6").map(QUARTILES) + "]"
    return [frame[(frame.step == last) | (frame.seed < HISTORIES)], quartiles.assign(seed=-1)[COLUMNS]]


def several(values):
    """The different ones of some words as one text: shards may come from several machines."""
    return " and ".join(sorted(set(values)))


def together(versions):
    """One version of each package, or all that trained some shard."""
    versions = list(versions)
    return {name: several(v[name] for v in versions if name in v) for name in sorted(set().union(*versions))}


def gather(design, device, folder, data=None):
    """Joins the shards in `folder`/shards into the part `folder` and adds the rows that need no training."""
    folder = Path(folder)
    machines.prepare("cpu")
    shards = design.shards(device)
    frames, samples, cards = [], {}, []
    for shard in shards:
        source = folder / "shards" / shard.name
        if not current(source, shard):
            raise RecordError(f"{source} was made by other settings or code; make it again with: {design.command}")
        frames.append(pd.read_parquet(source / "measurements.parquet"))
        cards.append(json.loads((source / "card.json").read_text()))
        with np.load(source / "samples.npz") as arrays:
            for name in arrays.files:
                for run, array in zip(shard.runs, arrays[name], strict=True):
                    if run.seed >= HISTORIES:
                        continue
                    samples[f"{name}/{run.arm}/{run.divergence}/{run.objective}/{run.seed}"] = array
    # Where nothing is trained, the common settings are all there is.
    settings = shards[0].settings if shards else {k: v for k, v in design.common.items() if k not in SHOWN}
    rows, references = design.run.baselines(settings, targets.load(settings, data))
    samples |= references
    baseline = [(design.name, "baseline", name, "none", seed, 0, metric, value) for name, seed, metric, value in rows]
    if frames:
        frames = thinned(pd.concat(frames, ignore_index=True), {arm: s["steps"] for arm, s in design.arms.items()})
    frames.append(pd.DataFrame(baseline, columns=COLUMNS))
    trained = {name for own in design.arms.values() for name in own["divergences"]}
    names = [name for name in DIVERGENCES if name in trained]
    shown = {
        "name": design.name, "scale": design.scale, "settings": settings,
        "arms": {arm: own | {"seeds": design.seeds[arm]} for arm, own in design.arms.items()},
        "seeds": design.common.get("seeds", 0), "runs": sum(len(s.runs) for s in shards),
        "divergences": [
            {"name": name, "label": DIVERGENCES[name].label, "effective": DIVERGENCES[name].effective} for name in names
        ],
    } | {key: design.common[key] for key in ("title", "question", "deviations")}  # fmt: skip
    # An experiment that trains nothing has one card, of this process.
    untrained = settings | {"divergences": [], "objectives": []}
    cards = cards or [provenance.run_card(Shard(design.name, "baseline", 0, 0, untrained), "cpu")]
    own = ("settings_hash", "code_hash", "claims_hash", "commit", "versions", "device")
    card = {"experiment": design.name, "command": design.command, "versions": together(c["versions"] for c in cards)}
    card |= {"device": several(c["device"] for c in cards), "commits": sorted({c["commit"] for c in cards})}
    card["shards"] = {c["shard"]: {key: c[key] for key in own} for c in cards}
    records.write_measurements(folder, frames)
    records.write_samples(folder / "samples.npz", samples)
    records.write_json(folder / "design.json", shown)
    records.write_json(folder / "card.json", card)
    records.write_checksums(folder, PART_FILES)
    # Only now: what a killed workflow's orphans finished is continued from their last state, not trained again.
    for shard in shards:
        for state in checkpoints(folder / "shards" / shard.name).glob(f"{shard.name}-*.pt"):
            state.unlink()
