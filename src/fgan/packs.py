"""Packs: finished shards in tar files of at most 16 MB, in which a record travels from one machine to another.

A pack holds measurements, samples and run card of each shard, no weights. It serves every cut of the same design:
what one machine trained as seeds 0 to 24, another takes over seed by seed.
"""

import io
import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd

from fgan import records
from fgan.design import Shard

LIMIT = 16e6
FILES = ("measurements.parquet", "samples.npz", "durations.json", "card.json")
# What a run card says of the training itself, whatever the cut.
TRAINING = ("claims_hash", "device", "versions", "commit")


def read(record):
    """The shards in the packs of a record: [{file name: bytes} with the card's content as 'card']."""
    found = {}
    for path in sorted(Path(record, "packs").glob("*.tar")):
        try:
            with tarfile.open(path) as pack:
                for member in pack:
                    shard, _, name = member.name.rpartition("/")
                    found.setdefault((path, shard), {})[name] = pack.extractfile(member).read()
        except tarfile.TarError as error:
            raise records.RecordError(f"{path} is no whole pack ({error}); delete it or bring it again") from None
    return [files | {"card": json.loads(files["card.json"])} for files in found.values()]


def add(record, folder):
    """Packs the finished shard in `folder` into the record's newest pack, or into a new one where that is full."""
    packs = sorted(Path(record, "packs").glob("*.tar"))
    size = sum((folder / name).stat().st_size + 1024 for name in FILES)
    if not packs or packs[-1].stat().st_size + size > LIMIT:
        packs.append(Path(record, "packs", f"{len(packs):03d}.tar"))
    target = packs[-1]
    with records.whole(target) as partial:
        if target.exists():
            shutil.copyfile(target, partial)
        with tarfile.open(partial, "a" if target.exists() else "w") as pack:
            for name in FILES:
                member = tarfile.TarInfo(f"{folder.parent.parent.name}/{folder.name}/{name}")
                content = (folder / name).read_bytes()
                member.size = len(content)
                pack.addfile(member, io.BytesIO(content))


def adopt(shard, folder, card, packed=None):
    """Writes the shard to `folder` from the packs of its record, if runs of the same settings and code are there.

    `card` is the run card that training the shard now would have; the one written says where it was trained.
    """
    packed = read(folder.parents[2]) if packed is None else packed
    alike = ("experiment", "settings", "code_hash")
    same = [p for p in packed if all(p["card"][key] == card[key] for key in alike) and arm(p["card"]) == shard.arm]
    for p in same:
        if p["card"]["shard"] == shard.name:
            for name in FILES:
                with records.whole(folder / name) as partial:
                    partial.write_bytes(p[name])
            return True
    for device in sorted({p["card"]["device"] for p in same}):
        sources = {}
        for p in same:
            first, last = p["card"]["seeds"]
            if p["card"]["device"] == device:
                sources |= {seed: p for seed in range(first, last + 1) if shard.first <= seed <= shard.last}
        if len(sources) == shard.last - shard.first + 1:
            join(shard, folder, card, sources)
            return True
    return False


def join(shard, folder, card, sources):
    """Writes the shard from `sources`, which holds for each seed the packed shard that trained it."""
    frames, arrays = [], {}
    for seed, p in sorted(sources.items()):
        frame = pd.read_parquet(io.BytesIO(p["measurements.parquet"]))
        frames.append(frame[frame.seed == seed])
        runs = Shard(shard.experiment, shard.arm, *p["card"]["seeds"], shard.settings).runs
        with np.load(io.BytesIO(p["samples.npz"])) as samples:
            for name in samples.files:
                arrays.setdefault(name, {}).update(zip(runs, samples[name], strict=True))
    trained = next(iter(sources.values()))
    records.write_measurements(folder, frames)
    records.write_samples(folder / "samples.npz", {n: np.stack([a[r] for r in shard.runs]) for n, a in arrays.items()})
    records.write_json(folder / "durations.json", json.loads(trained["durations.json"]))
    records.write_json(folder / "card.json", card | {key: trained["card"][key] for key in TRAINING})


def arm(card):
    """The arm of a run card, which names it in front of the seeds."""
    return card["shard"].rpartition("-seed")[0]
