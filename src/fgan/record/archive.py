"""The archive of a record: finished shards in tar files of at most 16 MB, which travel from one machine to another.

It holds measurements, samples and run card of each shard, no weights, and serves every cut of the same design: seeds 0
to 24 that one machine trained as one shard are adopted seed by seed on another.
"""

import contextlib
import hashlib
import io
import json
import shutil
import tarfile
import uuid
from pathlib import Path

import numpy as np
import pandas as pd

from fgan.design import Shard, seeds_of
from fgan.files import RecordError, file_hash, whole, write_json
from fgan.record import provenance, write

LIMIT = 16e6
MEASURED = ("measurements.parquet", "samples.npz")
FILES = (*MEASURED, "durations.json", "card.json")
# How a whole file ends: Parquet's mark, and the record at a zip's end, of 22 bytes.
ENDS = {"measurements.parquet": (b"PAR1", 4), "samples.npz": (b"PK\5\6", 22)}
CHECKSUMS = "checksums.json"
# The entries of a run card that describe the training, independent of the cut.
TRAINING = ("claims_hash", "device", "fingerprint", "versions")


class Archive:
    """The files to which one process adds the shards that it finishes.

    Their names are unique, so the files of several machines and calls can lie in one folder.
    """

    def __init__(self, record):
        self.folder, self.path = Path(record, "archive"), None

    def add(self, folder):
        """Adds the finished shard in `folder`, to a new file where the last one is full.

        Raises RecordError for a shard with a damaged file.
        """
        if wrong := damage(folder):
            raise RecordError(f"{wrong}; the same command trains it again")
        contents = read_files(folder)
        checksums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
        contents[CHECKSUMS] = json.dumps(checksums).encode()
        size = sum(len(content) + 1024 for content in contents.values())
        if not self.path or self.path.stat().st_size + size > LIMIT:
            self.path = self.folder / f"{uuid.uuid4().hex[:12]}.tar"
        with whole(self.path) as partial:
            if self.path.exists():
                shutil.copyfile(self.path, partial)
            with tarfile.open(partial, "a" if self.path.exists() else "w") as file:
                for name, content in contents.items():
                    member = tarfile.TarInfo(f"{folder.parent.parent.name}/{folder.name}/{name}")
                    member.size = len(content)
                    file.addfile(member, io.BytesIO(content))


def read(record):
    """The shards in the archive of a record: [{file name: bytes} with the card's content as 'card'].

    Raises RecordError for a file that is cut off or changed.
    """
    archived = {}
    for path in sorted(Path(record, "archive").glob("*.tar")):
        wrong = f"{path} is damaged (%s); delete it or copy it again"
        try:
            with tarfile.open(path) as file:
                for member in file:  # one that was packed again by hand has folders too
                    shard, _, name = member.name.rpartition("/")
                    if member.isfile() and name in (*FILES, CHECKSUMS):
                        archived.setdefault((path, shard), {})[name] = file.extractfile(member).read()
        except (tarfile.TarError, EOFError, OSError) as error:
            raise RecordError(wrong % error) from None
        for (own, shard), files in archived.items():
            if own == path:
                try:
                    expected = json.loads(files.get(CHECKSUMS, "{}"))
                except ValueError:
                    raise RecordError(wrong % f"{shard}/{CHECKSUMS} cannot be read") from None
                changed = [n for n in FILES if hashlib.sha256(files.get(n, b"")).hexdigest() != expected.get(n)]
                if changed:
                    raise RecordError(wrong % f"{shard}/{changed[0]} has another checksum")
    return [files | {"card": json.loads(files["card.json"])} for files in archived.values()]


def siblings(folder, shard):
    """The finished shards beside a shard's folder that share seeds with it, in the form of `read`.

    The others are not read: each of ten thousand shards would read all those before it.
    """
    wanted = range(shard.first, shard.last + 1)
    cards = sorted(Path(folder).parent.glob(f"{shard.arm}-seed*/card.json"))
    near = [card.parent for card in cards if set(wanted) & set(seeds_of(card.parent.name))]
    folders = [path for path in near if path.name != shard.name and not damage(path)]
    return [own | {"card": json.loads(own["card.json"])} for own in map(read_files, folders)]


def read_files(folder):
    """{file name: bytes} of a finished shard; its durations decide nothing, so they may be missing or damaged."""
    files = {name: (folder / name).read_bytes() for name in (*MEASURED, "card.json")}
    durations = b"{}\n"
    with contextlib.suppress(OSError, ValueError):
        written = (folder / "durations.json").read_bytes()
        durations = written if json.loads(written) else durations
    return files | {"durations.json": durations}


def checksums(folder):
    """SHA-256 of the measured files of a shard by name."""
    return {name: file_hash(Path(folder, name)) for name in MEASURED}


def damage(folder):
    """One sentence on the first file of a finished shard that is missing, empty, cut or changed; None if all are whole.

    The card holds the checksums; of a shard whose card is older, the files must end as whole ones do.
    """
    folder = Path(folder)
    try:
        expected = json.loads((folder / "card.json").read_text()).get("files", {})
        for name, (mark, length) in ENDS.items():
            if not (folder / name).read_bytes()[-length:].startswith(mark):
                return f"{folder / name} is empty or cut"
            if expected and file_hash(folder / name) != expected.get(name):
                return f"{folder / name} is not the file that was measured (checksum)"
    except FileNotFoundError as error:
        return f"{error.filename} is missing"
    except (ValueError, AttributeError):
        return f"{folder / 'card.json'} is empty or cut"
    return None


def sources(shard, archived):
    """The archived shards that hold runs of this one, {seed: archived shard}: as many of its seeds as there are.

    They have the settings of the shard and the current code, and share one machine, claims and versions.
    """
    code = provenance.code_hash(shard.experiment)
    wanted, groups = set(range(shard.first, shard.last + 1)), {}
    for p in archived:
        card = p["card"]
        arm = card["shard"].rpartition("-seed")[0]
        same = (card["experiment"], arm, card["code_hash"]) == (shard.experiment, shard.arm, code)
        if same and card["settings"] == shard.settings:
            first, last = card["seeds"]
            trained = json.dumps([card.get(key) for key in TRAINING], sort_keys=True)
            groups.setdefault(trained, {}).update(dict.fromkeys(wanted & set(range(first, last + 1)), p))
    return max((group for _, group in sorted(groups.items())), key=len, default={})


def complete(shard, sources):
    """Whether the archived shards hold every seed of this one."""
    return len(sources) == shard.last - shard.first + 1


def alike(sources, card):
    """Whether archived shards were trained as a shard with this run card would be: by machine, claims and versions."""
    return all(p["card"].get(key) == card[key] for p in sources.values() for key in TRAINING)


def adopt(shard, folder, card, sources):
    """Writes the shard to `folder` from archived ones, {seed: archived shard}.

    `card` is the run card that training the shard now would give; the written card names the machine that trained it.
    """
    folder = Path(folder)
    (folder / "card.json").unlink(missing_ok=True)  # only a whole shard has a card
    trained = sources[shard.first]
    if trained["card"]["shard"] == shard.name:
        for name in FILES:
            with whole(folder / name) as partial:
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
    write.write_table(folder / "measurements.parquet", merged(frames, shard.runs))
    write.write_samples(folder / "samples.npz", {n: np.stack([a[r] for r in shard.runs]) for n, a in arrays.items()})
    write_json(folder / "durations.json", json.loads(trained["durations.json"]))
    commits = " and ".join(sorted({p["card"]["commit"] for p in sources.values()}))
    own = {key: trained["card"].get(key) for key in TRAINING} | {"commit": commits, "files": checksums(folder)}
    write_json(folder / "card.json", card | own)


def merged(frames, runs):
    """The rows of several shards of an arm in the order of one shard with all `runs`: by step, metric and run."""
    frame = pd.concat(frames, ignore_index=True)
    group = frame.groupby(["step", "metric", "rule", "statistic"], sort=False).ngroup()
    order = {(run.divergence, run.objective, run.seed): i for i, run in enumerate(runs)}
    place = [order[row] for row in zip(frame.divergence, frame.objective, frame.seed, strict=True)]
    return frame.iloc[np.lexsort([place, group])].reset_index(drop=True)
