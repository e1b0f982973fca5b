"""Trains one run of a record again, keeps its weights, and compares its measurements and samples with the record's."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from fgan import design, targets
from fgan.design import Run, nearest, schemas, seeds_of
from fgan.files import RecordError, whole, write_json
from fgan.jobs.progress import Progress
from fgan.jobs.train import Checkpoint, measured, prepare, trained
from fgan.record import provenance, write
from fgan.record.promise import condition, conditions, promise

RUN = ("arm", "divergence", "objective", "seed")
PLACE = ["step", "metric", "rule"]
BESIDE = ("seeds", "factors")  # entries of an arm in design.json that are no settings


def retrain(record, name, folder, device="cpu", data=None, log=None):
    """Trains the run `name` (experiment/arm/divergence/objective/seed) of a record into `folder`/`name`.

    Writes measurements, samples, card and weights.pt: {"generator", "variational": tensors in the network's order}.
    Returns (lines of the comparison, whether every byte is equal). Raises RecordError for a run that is not there.
    """
    run, part, rows = find(Path(record), name)
    shown, card = (json.loads((part / file).read_text()) for file in ("design.json", "card.json"))
    settings = {key: value for key, value in shown["arms"][run.arm].items() if key not in BESIDE}
    readable(settings, run.experiment, part / "design.json")
    folder, shard, code = Path(folder, name), shard_of(card, run), provenance.code_hash(run.experiment)
    then = conditions(card | {"shards": {shard: card["shards"][shard]}})
    here = {"device": device, "code_hash": code, "versions": provenance.versions(), "commit": provenance.commit()}
    machine = provenance.fingerprint(device)
    side = Checkpoint(folder / f".{design.digest([settings, code, device])[:16]}.pt", device)
    prepare(device)
    module, images = design.module("experiments", run.experiment, "run"), targets.load(settings, data)
    progress = Progress(name, 1, settings["steps"], log)
    population, *found, seconds = trained(module, settings, [run], device, images, progress, side)
    steps, history, metrics, samples = found
    frame = measured([run], settings, steps, *({k: v.cpu() for k, v in of.items()} for of in (history, metrics)))
    arrays = {f"{what}/{'/'.join(name.split('/')[1:])}": x[0].cpu().numpy() for what, x in samples.items()}
    write.write_table(folder / "measurements.parquet", frame)
    write.write_samples(folder / "samples.npz", arrays)
    views = {"generator": population.theta_views, "variational": population.omega_views}
    with whole(folder / "weights.pt") as partial:
        torch.save({name: [view[0].detach().cpu().clone() for view in own] for name, own in views.items()}, partial)
    write_json(folder / "card.json", here | {"run": name, "settings": settings, "fingerprint": machine})
    side.path.unlink(missing_ok=True)
    numbers, pictures = compared(rows, frame), pictured(part / "samples.npz", folder / "samples.npz", arrays)
    equal = numbers.endswith("equal") and not pictures.endswith("differ")
    return [
        f"{name}: trained again on {device}, {settings['steps']:,} steps in {sum(seconds.values()):.0f} s",
        f"recorded as a run of the shard {shard} at commit {card['shards'][shard]['commit']}",
        f"predicted: {promise(then, [condition(here, machine)], ('then', 'now'))}",
        f"measurements: {numbers}", f"samples: {pictures}",
        f"weights: {folder / 'weights.pt'}",
    ], equal  # fmt: skip


def readable(settings, experiment, path):
    """Raises DesignError if a design of another code lacks a setting of this one, or has one that it does not know."""
    folder = Path("experiments", experiment)
    shown = {k: v for k, v in design.read_yaml(folder / "experiment.yaml").items() if k in design.SHOWN}
    schemas.check(settings | shown | {"seeds": 1}, schemas.settings(folder, True), path, {})


def find(record, name):
    """(run, folder of its part, its rows in the record); raises RecordError with the nearest name that is there."""
    words, known = name.split("/"), sorted(path.parent.name for path in record.glob("*/measurements.parquet"))
    if len(words) != 5:
        raise RecordError(f"no run '{name}'; write experiment/arm/divergence/objective/seed, as ring/tanh/kl/saddle/0")
    if not known:
        raise RecordError(f"{record} holds no runs; make it with: snakemake --cores all --config record={record.name}")
    if words[0] not in known:
        raise RecordError(f"{record} has no experiment '{words[0]}': {nearest(words[0], known)}")
    rows = pd.read_parquet(record / words[0] / "measurements.parquet")
    rows = rows[rows.statistic == "value"].fillna({"rule": ""})
    for column, word in zip(RUN, words[1:], strict=True):
        kept = rows[rows[column].astype(str) == word]
        if not len(kept):
            known = map(str, rows[column].unique())
            raise RecordError(f"{record} has no {column} '{word}' in {words[0]}: {nearest(word, known)}")
        rows = kept
    return Run(*words[:4], int(words[4])), record / words[0], rows


def shard_of(card, run):
    """The name of the shard of a part that trained a run."""
    shards = (s for s in card["shards"] if s.rpartition("-seed")[0] == run.arm and run.seed in seeds_of(s))
    return next(shards)


def compared(old, new):
    """How the measurements of a run differ from the record's, as a phrase that ends with 'equal' if they do not."""
    columns = [*PLACE, "value"]
    both = old[columns].merge(new[columns], on=PLACE, how="left", suffixes=("", "_new"), indicator=True)
    missing = both[both._merge == "left_only"]
    same = (both.value == both.value_new) | both.value.isna() & both.value_new.isna()
    if len(missing):
        first = missing.iloc[0]
        return f"{len(missing)} of {len(old)} are not measured any more, for example '{first.metric}'"
    if same.all():
        return f"{len(both)} values of the record, all equal"
    first = both[~same].sort_values("step", kind="stable").iloc[0]
    name = f"{first.metric} [{first['rule']}]" if first["rule"] else first.metric
    return (
        f"{(~same).sum()} of {len(both)} values differ, first at step {first.step}: "
        f"{name} was {first.value:.9g} and is {first.value_new:.9g}"
    )


def pictured(old, new, names):
    """Whether the arrays of a run are those that the record keeps, as a phrase that ends with 'equal' or 'differ'."""
    with np.load(old) as before, np.load(new) as after:
        kept = [name for name in names if name in before.files]
        if not kept:
            return "the record keeps none of this seed"
        same = all(np.array_equal(before[name], after[name], equal_nan=True) for name in kept)
    return f"{len(kept)} arrays of the record, {'all equal' if same else 'they differ'}"
