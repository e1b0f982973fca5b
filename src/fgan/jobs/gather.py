"""Gathers the shards of an experiment into the one part of a record that is shown, audited and published."""

import contextlib
import json
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd

from fgan import targets
from fgan.design import SHOWN, DesignError, Shard
from fgan.divergences import DIVERGENCES
from fgan.files import RecordError, write_json
from fgan.jobs import warm
from fgan.jobs.cut import shards as cut
from fgan.jobs.train import clear, current, prepare
from fgan.metrics.history import KEPT, kept, quartiles
from fgan.record import archive, provenance, write


def gather(design, device, folder, data=None):
    """Joins the shards in `folder`/shards into the part `folder` and adds the baselines, which need no training.

    Returns the seconds {"evaluation"} that the baselines took. Raises RecordError if a shard is missing or was made by
    other settings or code.
    """
    folder = Path(folder)
    prepare("cpu")
    shards = cut(design, device)
    settings = shards[0].settings if shards else alone(design)
    frames, samples, cards = joined(design, shards, folder)
    images = targets.load(settings, data)
    began = time.perf_counter()
    baselines, arrays = design.run.baselines(settings, images)
    facts = getattr(design.run, "facts", None)  # about the judge of the samples, for example a classifier
    known = facts(settings, images) if facts else {}
    seconds = time.perf_counter() - began
    last = {arm: own["steps"] for arm, own in design.arms.items()}
    measurements = pd.DataFrame(columns=write.COLUMNS)
    if frames:
        every = pd.concat(frames, ignore_index=True)
        measurements = pd.concat([kept(every, last), quartiles(every, last)], ignore_index=True)[write.COLUMNS]
    write.write_table(folder / "measurements.parquet", measurements)
    write.write_table(folder / "baselines.parquet", write.baseline_rows(baselines))
    write.write_samples(folder / "samples.npz", samples | arrays)
    write_json(folder / "design.json", shown(design, settings, shards))
    # An experiment that trains nothing has one card, which describes this process.
    card = common_card(design, cards or [provenance.run_card(untrained(design, settings), "cpu")])
    write_json(folder / "card.json", card | known)
    write.write_checksums(folder, write.PART_FILES)
    # Checkpoints go last: a training that a killed workflow left unfinished continues from its last state.
    for shard in shards:
        clear(folder / "shards" / shard.name, shard)
    return {"evaluation": seconds}


def alone(design):
    """The settings of an experiment that trains nothing: those that decide a result."""
    return {key: value for key, value in design.common.items() if key not in SHOWN}


def untrained(design, settings):
    """The shard that stands for what is not trained."""
    return Shard(design.name, "baseline", 0, 0, settings | {"divergences": [], "objectives": []})


def outdated(design, folder):
    """Whether the part in `folder` has other seeds, settings or code than the design has now, in whatever cut.

    A workflow without Snakemake's notes on how the part was made would take it for finished.
    """
    try:
        known, code = json.loads((folder / "card.json").read_text())["shards"], provenance.code_hash(design.name)
        shards = [design.shard(name) for name in known] if design.arms else [untrained(design, alone(design))]
        held = {(one.arm, seed) for one in shards for seed in range(one.first, one.last + 1)}
        wanted = {(arm, seed) for arm, number in design.seeds.items() for seed in range(number)}
        same = all(known[one.name]["settings_hash"] == one.hash for one in shards)
        return not same or (design.arms and held != wanted) or any(own["code_hash"] != code for own in known.values())
    except FileNotFoundError:
        return False  # there is none
    except (DesignError, ValueError, KeyError):
        return True


def mark_outdated(design, folder):
    """Makes the files of an outdated part older than all others, so that the workflow gathers them again."""
    if outdated(design, folder):
        for name in write.PART_FILES:
            with contextlib.suppress(OSError):
                os.utime(folder / name, (1, 1))  # Snakemake takes a time of 0 for none


def joined(design, shards, folder):
    """Measurements of every arm, the same for every cut, samples of the first seeds by name, and run cards."""
    frames, samples, cards = {}, {}, []
    for shard in shards:
        source = folder / "shards" / shard.name
        if not current(source, shard):
            reason = archive.damage(source) if source.exists() else f"{source} is missing"
            # A workflow that has lost Snakemake's notes takes what is there for finished, and trains what is not.
            if reason or warm.workflow():
                (source / "card.json").unlink(missing_ok=True)
            reason = reason or f"{source} was made by other settings or code"
            raise RecordError(f"{reason}; make it with: {design.command}")
        frames.setdefault(shard.arm, []).append(pd.read_parquet(source / "measurements.parquet"))
        cards.append(json.loads((source / "card.json").read_text()))
        with np.load(source / "samples.npz") as arrays:
            for name in arrays.files:
                runs = zip(shard.runs, arrays[name], strict=True)
                samples |= {
                    f"{name}/{run.arm}/{run.divergence}/{run.objective}/{run.seed}": array
                    for run, array in runs if run.seed < KEPT
                }  # fmt: skip
    return [archive.merged(own, design.runs(arm)) for arm, own in frames.items()], dict(sorted(samples.items())), cards


def shown(design, settings, shards):
    """The resolved design with the facts that figures, tables and claims need."""
    trained = {name for own in design.arms.values() for name in own["divergences"]}
    arms = {
        arm: own | {"seeds": design.seeds[arm], "factors": design.factors.get(arm, {})}
        for arm, own in design.arms.items()
    }
    return {
        "name": design.name, "scale": design.scale, "settings": settings, "arms": arms,
        "seeds": design.common.get("seeds", 0), "runs": sum(len(shard.runs) for shard in shards),
        "divergences": [
            {"name": name, "label": divergence.label, "effective": divergence.effective}
            for name, divergence in DIVERGENCES.items() if name in trained
        ],
    } | {key: design.common[key] for key in ("title", "question", "deviations")} | (
        {"cut": design.changed["max_steps"]} if shards and "max_steps" in design.changed else {}
    )  # fmt: skip


def common_card(design, cards):
    """The card of a part: each shard's entries, and a summary of all shards, which may come from several machines.

    `fingerprints` lists the machines, and a shard's `fingerprint` is its place in that list.
    """
    own = ("settings_hash", "code_hash", "claims_hash", "commit", "versions", "device")
    packages = sorted({name for card in cards for name in card["versions"]})
    versions = {name: {card["versions"][name] for card in cards if name in card["versions"]} for name in packages}
    machines = sorted({json.dumps(card.get("fingerprint"), sort_keys=True) for card in cards})
    return {
        "experiment": design.name, "command": design.command,
        "versions": {name: " and ".join(sorted(known)) for name, known in versions.items()},
        "device": " and ".join(sorted({card["device"] for card in cards})),
        "commits": sorted({card["commit"] for card in cards}),
        "fingerprints": [json.loads(machine) for machine in machines],
        "shards": {
            card["shard"]: {key: card[key] for key in own}
            | {"fingerprint": machines.index(json.dumps(card.get("fingerprint"), sort_keys=True))} for card in cards
        },
    }  # fmt: skip
