"""Publishes the parts of a record as the committed one, results/reference."""

import json
import shutil

from fgan.design import SCALES
from fgan.files import RecordError, whole, write_json
from fgan.record import audit
from fgan.record.write import PART_FILES

PART_LIMIT, RECORD_LIMIT = 4e6, 24e6  # bytes
HOURS = "hours.json"


def publish(record, reference, only=None):
    """Copies every part of `record` to `reference`, or those of `only` some experiments; returns a line for each.

    What training and evaluation took goes to hours.json beside the parts, because a part keeps no times.

    Raises RecordError if what is copied is not whole and current, if a published part has a larger scale or more
    seeds, or if the files would be larger than 4 MB a part or 24 MB in all.
    """
    if wrong := audit.check(record, only):
        raise RecordError(f"{record} cannot be published: {'; '.join(wrong)}")
    folders = [record / name for name in only or sorted(path.parent.name for path in record.glob("*/card.json"))]
    if cut := [folder.name for folder in folders if "cut" in json.loads((folder / "design.json").read_text())]:
        raise RecordError(f"{record} cannot be published: max_steps cut the trainings of {', '.join(cut)}")
    files = {folder.name: [folder / name for name in (*PART_FILES, "checksums.txt")] for folder in folders}
    sizes = {name: sum(file.stat().st_size for file in group) for name, group in files.items()}
    if max(sizes.values()) > PART_LIMIT or sum(sizes.values()) > RECORD_LIMIT:
        raise RecordError(f"{record} is too large to be committed (bytes by part: {sizes}); write histories less often")
    for folder in folders:
        published = reference / folder.name
        if published.exists() and extent(published) > extent(folder):
            raise RecordError(f"{published} has {extent(published)} as scale and seeds, more than {extent(folder)}")
    for name, group in files.items():
        for file in group:  # the checksums last: until then an audit says that the part is not whole
            with whole(reference / name / file.name) as partial:
                shutil.copyfile(file, partial)
    write_json(reference / HOURS, hours(reference) | {folder.name: took(folder) / 3600 for folder in folders})
    return [f"{reference / name}: {size / 1e6:.1f} MB" for name, size in sizes.items()]


def took(folder):
    """Seconds that a core, or a GPU, trained and evaluated the shards of a part."""
    return sum(sum(json.loads(path.read_text()).values()) for path in folder.glob("shards/*/durations.json"))


def hours(record):
    """{experiment: hours of a core or GPU}, of the parts of a record that were published."""
    path = record / HOURS
    return json.loads(path.read_text()) if path.exists() else {}


def extent(folder):
    """(scale, seeds) of a part, to be compared."""
    design = json.loads((folder / "design.json").read_text())
    return SCALES.index(design["scale"]), design["seeds"]
