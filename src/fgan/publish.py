"""Publishes the parts of a record as the committed one, results/reference."""

import shutil

from fgan import audit
from fgan.design import SCALES
from fgan.records import PART_FILES, Part, RecordError

PART_LIMIT, RECORD_LIMIT = 4e6, 24e6  # bytes


def publish(record, reference):
    """Copies every part of `record` to `reference` and returns what it did, one line per part.

    Raises RecordError where the record is not whole and current, where a published part has a larger scale or more
    seeds, or where the files would be larger than 4 MB a part and 24 MB in all.
    """
    if wrong := audit.check(record):
        raise RecordError(f"{record} cannot be published: {'; '.join(wrong)}")
    parts = [Part(path.parent) for path in sorted(record.glob("*/card.json"))]
    files = {part.folder.name: [part.folder / name for name in (*PART_FILES, "checksums.txt")] for part in parts}
    sizes = {name: sum(file.stat().st_size for file in group) for name, group in files.items()}
    if max(sizes.values()) > PART_LIMIT or sum(sizes.values()) > RECORD_LIMIT:
        raise RecordError(f"{record} is too large to be committed (bytes by part: {sizes}); write histories less often")
    for part in parts:
        published = Part(reference / part.folder.name)
        if published.folder.exists() and extent(published) > extent(part):
            raise RecordError(
                f"{published.folder} has {extent(published)} as scale and seeds, more than {extent(part)}"
            )
    done = []
    for name, group in files.items():
        folder = reference / name
        folder.mkdir(parents=True, exist_ok=True)
        for file in group:
            shutil.copyfile(file, folder / file.name)
        done.append(f"{folder}: {sizes[name] / 1e6:.1f} MB")
    return done


def extent(part):
    """(scale, seeds) of a part, to be compared."""
    return SCALES.index(part.design["scale"]), part.design["seeds"]
