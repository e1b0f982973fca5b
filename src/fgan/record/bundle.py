"""The bundle of a record: an RO-Crate (researchobject.org/ro-crate) in one zip file, for an archive that gives a DOI.

Unpacked it is the repository with the record in its place, so the paper is made again as in a clone.
"""

import hashlib
import json
import mimetypes
import subprocess
import zipfile
from pathlib import Path

from fgan.design import read_yaml
from fgan.files import RecordError, whole
from fgan.record import audit, provenance
from fgan.record.write import PART_FILES

METADATA, MANIFEST, CITATION = "ro-crate-metadata.json", "manifest-sha256.txt", "CITATION.cff"
LICENCE = {"@id": "https://spdx.org/licenses/MIT", "@type": "CreativeWork", "name": "MIT License",
           "description": "use, copy, change and pass on, with the notice in LICENSE"}  # fmt: skip
MEDIA = {".parquet": "application/vnd.apache.parquet", ".npz": "application/zip", ".cff": "text/yaml",
         ".yaml": "text/yaml", ".smk": "text/plain", ".lock": "text/plain", ".md": "text/markdown"}  # fmt: skip
TYPES = mimetypes.MimeTypes()  # without the tables of the machine, which would change bytes
SAID = {  # of a file by its name
    "measurements.parquet": "tidy measurements, a row for each run, step and metric",
    "baselines.parquet": "the same metrics of samplers that were not trained",
    "samples.npz": "samples and curves of runs",
    "design.json": "the resolved design",
    "card.json": "run cards: seeds, versions, device, commit, hashes of settings, code and criteria",
    "checksums.txt": "SHA-256 of the files of this part when they were written",
    "claims.csv": "every claim with its criterion, estimate, interval and verdict",
    "claims.json": "every claim with its criterion, estimate, interval and verdict",
    "numbers.csv": "every number of the paper with its source",
    "paper.pdf": "the paper, made from this record",
    "explorer.html": "every run and every claim on one page, without network",
    "data.md": "data dictionary: columns, files and metrics with their units",
    CITATION: "how to cite this replication and the articles that it replicates",
    "figures": "a figure",
    "tables": "a table",
    MANIFEST: "SHA-256 of every other file but the metadata; check with: sha256sum --check",
}
CODE = {"src": "library", "experiments": "designs, criteria and code of the experiments", "rules": "workflow",
        "paper": "text of the paper", "tests": "tests", "docs": "documentation", "benchmarks": "benchmarks",
        "profiles": "settings of the workflow", ".ci": "what is checked on every change"}  # fmt: skip


def bundle(record):
    """Writes bundle.zip into a record and returns its path; equal records and commits give equal bytes.

    Raises RecordError if the record has no part, if a part is damaged, or outside a clone.
    """
    folders = [path.parent for path in sorted(record.glob("*/card.json"))]
    if not folders:
        raise RecordError(f"{record} holds no part; make one with: snakemake --cores all --config record={record.name}")
    if wrong := [line for folder in folders for line in audit.damaged(folder)]:
        raise RecordError(f"{record} cannot be bundled: {'; '.join(wrong)}; make these parts again")
    files = [*tracked(), *(folder / name for folder in folders for name in (*PART_FILES, "checksums.txt"))]
    contents = {path.as_posix(): path.read_bytes() for path in [*files, *made(record)]}
    manifest = "".join(f"{hashlib.sha256(contents[name]).hexdigest()}  {name}\n" for name in sorted(contents))
    contents[MANIFEST] = manifest.encode()
    contents[METADATA] = json.dumps(metadata(record, folders, contents), indent=1).encode()
    with whole(record / "bundle.zip") as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as file:
        for name in sorted(contents):
            # A time, a mode or a system in a member would change the bytes of every copy.
            member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            member.compress_type, member.create_system, member.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            file.writestr(member, contents[name])
    return record / "bundle.zip"


def git(*words):
    """What git says; raises RecordError outside a clone."""
    try:
        return subprocess.run(["git", *words], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        raise RecordError("a bundle holds the code and its date, so run this in a clone of the repository") from None


def tracked():
    """The files of the repository without its records; those that were deleted and not committed are left out."""
    paths = map(Path, filter(None, git("ls-files", "-z").split("\0")))
    return [path for path in paths if path.parts[0] != "results" and path.is_file()]


def made(record):
    """What was made from the parts of a record: figures, tables, numbers, pages. Durations are no part of it."""
    kinds = (".csv", ".tex", ".json", ".pdf", ".png", ".gif", ".html", ".txt", ".md")
    places = [path for folder in (".", "tables", "figures") for path in sorted(Path(record, folder).glob("*"))]
    return [path for path in places if path.suffix in kinds and path.is_file() and path.name != "time.csv"]


def metadata(record, folders, contents):
    """The crate's metadata as JSON-LD: a folder lists its files; `contents` are {path in the crate: bytes}."""
    from rocrate.model.contextentity import ContextEntity
    from rocrate.rocrate import ROCrate

    cited, crate = read_yaml(CITATION), ROCrate()
    authors, licence, *articles = (
        crate.add(ContextEntity(crate, one["@id"], properties=one))
        for one in ({"@id": "#authors", "@type": "Organization"} | cited["authors"][0], LICENCE,
                    *map(article, cited["references"]))
    )  # fmt: skip
    crate.name = f"{cited['title']}: the record '{record.name}'"
    crate.description = (
        f"Measurements, samples, run cards, figures, tables and claims of {len(folders)} experiments, with the code "
        f"that made them, at commit {provenance.commit()}. docs/data.md is the data dictionary, {MANIFEST} has the "
        "checksums. `python -m fgan audit` says which parts were trained by this code and judged by these criteria."
    )
    crate.license, crate.creator, crate.publisher = licence, authors, authors
    crate.datePublished, crate.root_dataset["version"] = git("log", "-1", "--format=%cI").strip(), cited["version"]
    crate.keywords, crate.root_dataset["citation"] = ", ".join(cited["keywords"]), articles
    for path, said in described(record, folders, contents).items():
        crate.add_dataset(dest_path=path, properties=dict(zip(("name", "description"), said, strict=True)))
    for path in sorted(contents):
        kind = MEDIA.get(Path(path).suffix) or TYPES.guess_type(path)[0] or "text/plain"
        folder = Path(path).parent
        said = SAID.get(Path(path).name) or SAID.get(folder.name) or f"a file of {folder.as_posix()}"
        facts = {"name": path, "description": said, "encodingFormat": kind, "contentSize": str(len(contents[path]))}
        file = crate.add_file(dest_path=path, properties=facts)
        within = next(found for parent in Path(path).parents if (found := crate.get(f"{parent.as_posix()}/")))
        if within is not crate.root_dataset:  # which lists every file by itself
            within.append_to("hasPart", file, compact=True)
    return crate.metadata.generate()


def described(record, folders, contents):
    """{folder of the crate: (name, description)}: those of the code, the record and its parts."""
    known = {f"{name}/": (name, text) for name, text in CODE.items() if any(p.startswith(f"{name}/") for p in contents)}
    known[f"{record.as_posix()}/"] = (f"the record '{record.name}'", "what was made from its parts")
    for folder in folders:
        design = json.loads((folder / "design.json").read_text())
        known[f"{folder.as_posix()}/"] = (design["title"], " ".join(design["question"].split()))
    return known


def article(reference):
    """A reference of CITATION.cff as an entity of the crate."""
    known = next(one["value"] for one in reference["identifiers"] if one["value"].startswith("arXiv:"))
    names = [" ".join(filter(None, (one.get("given-names"), one["family-names"]))) for one in reference["authors"]]
    address = f"https://arxiv.org/abs/{known.removeprefix('arXiv:')}"
    said = {"name": reference["title"], "datePublished": str(reference["year"]), "author": ", ".join(names)}
    return {"@id": address, "@type": "ScholarlyArticle"} | said
