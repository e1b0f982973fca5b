"""Packs: finished shards in tar files of at most 16 MB, in which a record travels from one machine to another.

A pack holds measurements, samples and run card of each shard, no weights. It serves every cut of the same design:
what one machine trained as seeds 0 to 24, another takes over seed by seed.
"""

import hashlib
import io
import json
import shutil
import tarfile
import uuid
from pathlib import Path

import numpy as np
import pandas as pd

from fgan import provenance, records
from fgan.design import Shard

LIMIT = 16e6
FILES = ("measurements.parquet", "samples.npz", "durations.json", "card.json")
CHECKSUMS = "checksums.json"
# What a run card says of the training itself, whatever the cut.
TRAINING = ("claims_hash", "device", "versions", "commit")


class Pack:
    """Where one process packs the shards that it finishes.

    Its files have names of their own: packs of several machines and calls can lie in one folder, none over another.
    """

    def __init__(self, record):
        self.folder, self.path = Path(record, "packs"), None

    def add(self, folder):
        """Adds the finished shard in `folder`, to a new file where the last one is full."""
        contents = {name: (folder / name).read_bytes() for name in FILES}
        checksums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
        contents[CHECKSUMS] = json.dumps(checksums).encode()
        size = sum(len(content) + 1024 for content in contents.values())
        if not self.path or self.path.stat().st_size + size > LIMIT:
            self.path = self.folder / f"{uuid.uuid4().hex[:12]}.tar"
        with records.whole(self.path) as partial:
            if self.path.exists():
                shutil.copyfile(self.path, partial)
            with tarfile.open(partial, "a" if self.path.exists() else "w") as pack:
                for name, content in contents.items():
                    member = tarfile.TarInfo(f"{folder.parent.parent.name}/{folder.name}/{name}")
                    member.size = len(content)
                    pack.addfile(member, io.BytesIO(content))


def read(record):
    """The shards in the packs of a record: [{file name: bytes} with the card's content as 'card'].

    Raises RecordError for a file that is cut off or changed.
    """
    found = {}
    for path in sorted(Path(record, "packs").glob("*.tar")):
        wrong = f"{path} is no whole pack (%s); delete it or bring it again"
        try:
            with tarfile.open(path) as pack:
                for member in pack:
                    shard, _, name = member.name.rpartition("/")
                    found.setdefault((path, shard), {})[name] = pack.extractfile(member).read()
        except (tarfile.TarError, EOFError) as error:
            raise records.RecordError(wrong % error) from None
        for (own, shard), files in found.items():
            if own == path:
                expected = json.loads(files.get(CHECKSUMS, "{}"))
                changed = [n for n in FILES if hashlib.sha256(files.get(n, b"")).hexdigest() != expected.get(n)]
                if changed:
                    raise records.RecordError(wrong % f"{shard}/{changed[0]} is damaged")
    return [files | {"card": json.loads(files["card.json"])} for files in found.values()]


def sources(shard, packed):
    """Which packed shards hold the runs of this one: {seed: packed shard}; empty where they do not hold all.

    They have the same settings and code, and one device, version and claims among them.
    """
    code = provenance.code_hash(shard.experiment)
    wanted, groups = set(range(shard.first, shard.last + 1)), {}
    for p in packed:
        card = p["card"]
        arm = card["shard"].rpartition("-seed")[0]
        same = (card["experiment"], arm, card["code_hash"]) == (shard.experiment, shard.arm, code)
        if same and card["settings"] == shard.settings:
            first, last = card["seeds"]
            trained = json.dumps([card[key] for key in TRAINING], sort_keys=True)
            groups.setdefault(trained, {}).update(dict.fromkeys(wanted & set(range(first, last + 1)), p))
    return next((group for _, group in sorted(groups.items()) if set(group) == wanted), {})


def adopt(shard, folder, card, sources):
    """Writes the shard to `folder` from packed ones, {seed: packed shard}.

    `card` is the run card that training the shard now would have; the one written says where it was trained.
    """
    folder = Path(folder)
    (folder / "card.json").unlink(missing_ok=True)  # a shard with a card is whole
    trained = sources[shard.first]
    if trained["card"]["shard"] == shard.name:
        for name in FILES:
            with records.whole(folder / name) as partial:
                partial.write_bytes(trained[name])
        return
    frames, arrays = [], {}
    for seed, p in sorted(sources.items()):
        frame = pd.read_parquet(io.BytesIO(p["measurements.parquet"]))
        frames.append(frame[frame.seed == seed])
        runs = Shard(shard.experiment, shard.arm, *p["card"]["seeds"], shard.settings).runs
        with np.load(io.BytesIO(p["samples.npz"])) as samples:
            for name in samples.files:
                arrays.setdefault(name, {}).update(zip(runs, samples[name], strict=True))
    records.write_measurements(folder, frames)
    records.write_samples(folder / "samples.npz", {n: np.stack([a[r] for r in shard.runs]) for n, a in arrays.items()})
    records.write_json(folder / "durations.json", json.loads(trained["durations.json"]))
    records.write_json(folder / "card.json", card | {key: trained["card"][key] for key in TRAINING})
