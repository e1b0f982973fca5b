"""The bundle of a record: an RO-Crate that a validator accepts, the same bytes twice, with a citation that is valid."""

import hashlib
import json
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from records import part
from small import ROOT

from fgan.design import read_yaml
from fgan.files import RecordError
from fgan.record import bundle, write

RECORD = Path("results/quick")
DATE = "2016-12-05T00:00:00+00:00"


@pytest.fixture
def clone(away):
    """A small repository with a record of one part."""
    for name in ("CITATION.cff", "LICENSE", "docs/data.md", "src/fgan/files.py", "paper/published/claims.csv"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, name)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"]
    when = {"GIT_AUTHOR_DATE": DATE, "GIT_COMMITTER_DATE": DATE, "PATH": "/usr/bin:/bin", "HOME": str(away)}
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "copy"]):
        subprocess.run([*git, *words], check=True, env=when)
    folder = part(RECORD / "ring")
    design = json.loads((folder / "design.json").read_text()) | {"title": "The ring", "question": "Which modes?"}
    (folder / "design.json").write_text(json.dumps(design))
    write.write_checksums(folder, write.PART_FILES)
    (RECORD / "tables").mkdir()
    (RECORD / "tables/claims.csv").write_text("claim,verdict\n")
    (RECORD / "time.csv").write_text("1.0 s\n")
    return away


def unpacked(folder):
    """{name: bytes} of a bundle that is unpacked to a folder."""
    with zipfile.ZipFile(bundle.bundle(RECORD)) as file:
        file.extractall(folder)
        return {name: file.read(name) for name in file.namelist()}


def test_a_bundle_holds_the_record_with_its_code_and_the_checksums_of_both(clone):
    files = unpacked(clone / "crate")
    for name in ("LICENSE", "CITATION.cff", "docs/data.md", "src/fgan/files.py", "results/quick/tables/claims.csv"):
        assert files[name] == Path(name).read_bytes()
    assert {f"results/quick/ring/{name}" for name in (*write.PART_FILES, "checksums.txt")} <= set(files)
    assert "results/quick/time.csv" not in files, "durations would differ between equal records"
    listed = dict(line.split("  ")[::-1] for line in files[bundle.MANIFEST].decode().splitlines())
    assert set(files) - set(listed) == {bundle.MANIFEST, bundle.METADATA}
    assert all(hashlib.sha256(files[name]).hexdigest() == known for name, known in listed.items())
    subprocess.run(["sha256sum", "--check", "--quiet", bundle.MANIFEST], cwd=clone / "crate", check=True)


def test_the_metadata_name_every_file_of_the_record_the_licence_the_date_and_the_original_articles(clone):
    files = unpacked(clone / "crate")
    graph = {entity["@id"]: entity for entity in json.loads(files[bundle.METADATA])["@graph"]}
    of_record = {name for name in files if name.startswith("results/")}
    assert set(files) - {bundle.METADATA} <= set(graph)
    assert {part["@id"] for part in graph["results/quick/ring/"]["hasPart"]} < of_record
    assert int(graph["results/quick/ring/samples.npz"]["contentSize"]) == len(files["results/quick/ring/samples.npz"])
    assert graph["results/quick/ring/"]["name"] == "The ring"
    assert "dictionary" in graph["docs/data.md"]["description"]
    root = graph["./"]
    assert root["license"] == {"@id": "https://spdx.org/licenses/MIT"}
    assert root["datePublished"] == DATE
    assert {"@id": "https://arxiv.org/abs/1606.00709"} in root["citation"]
    assert "Nowozin" in graph["https://arxiv.org/abs/1606.00709"]["author"]


def test_two_bundles_of_one_record_are_the_same_bytes(clone):
    first = bundle.bundle(RECORD).read_bytes()
    for path in (*RECORD.rglob("*.*"), Path("LICENSE")):
        path.touch()
    assert bundle.bundle(RECORD).read_bytes() == first


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the libraries that the validator rests on
def test_the_validator_of_ro_crates_accepts_a_bundle(clone, monkeypatch):
    """Without network: the one page that it asks for, the crate's context, is in the library that writes crates."""
    import requests
    import rocrate
    from rocrate_validator import models, services

    context = Path(rocrate.__file__).with_name("data") / "ro-crate.jsonld"

    def answer(self, request, **options):
        assert re.fullmatch(r"https://w3id\.org/ro/crate/1\.\d/context", request.url), request.url
        response = requests.Response()
        response.status_code, response._content, response.url = 200, context.read_bytes(), request.url
        response.headers["Content-Type"] = "application/ld+json"
        return response

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", answer)
    files = unpacked(clone / "crate")

    def issues(severity):
        settings = services.ValidationSettings(
            rocrate_uri=str(clone / "crate"), requirement_severity=severity, no_cache=True,
            profile_identifier="ro-crate-1.3",
        )  # fmt: skip
        return [issue.message for issue in services.validate(settings).get_issues()]

    # What it also recommends, an address of the authors and their organisation, this repository does not have.
    assert [text for text in issues(models.Severity.RECOMMENDED) if "rganization" not in text] == []
    metadata = json.loads(files[bundle.METADATA])
    next(entity for entity in metadata["@graph"] if entity["@id"] == "./").pop("license")
    (clone / "crate" / bundle.METADATA).write_text(json.dumps(metadata))
    assert any("license" in text for text in issues(models.Severity.REQUIRED))


def test_a_damaged_or_empty_record_and_a_folder_that_is_no_clone_are_refused(clone):
    with pytest.raises(RecordError, match="results/full holds no part"):
        bundle.bundle(Path("results/full"))
    (RECORD / "ring/samples.npz").write_bytes(b"other")
    with pytest.raises(RecordError, match="cannot be bundled: ring: samples.npz"):
        bundle.bundle(RECORD)
    write.write_checksums(RECORD / "ring", write.PART_FILES)
    shutil.rmtree(".git")
    with pytest.raises(RecordError, match="in a clone"):
        bundle.bundle(RECORD)


def test_the_citation_is_valid_by_its_schema_and_names_every_replicated_article(root):
    """By the schema of the Citation File Format, which check-jsonschema ships (cffconvert needs an old jsonschema)."""
    from check_jsonschema import main
    from click.testing import CliRunner

    def valid(path):
        return CliRunner().invoke(main, ["--builtin-schema", "vendor.citation-file-format", str(path)]).exit_code == 0

    assert valid("CITATION.cff")
    cited, bibliography = read_yaml("CITATION.cff"), Path("paper/references.bib").read_text()
    numbers = [one["identifiers"][0]["value"] for one in cited["references"]]
    assert numbers[0] == "arXiv:1606.00709"
    assert all(number in bibliography for number in numbers)
    titles = re.sub(r"[{}\s]+", " ", bibliography.replace("{", "").replace("}", "")).lower()
    assert all(one["title"].lower() in titles for one in cited["references"])


def test_a_citation_without_authors_is_not_valid(tmp_path):
    from check_jsonschema import main
    from click.testing import CliRunner

    text = re.sub(r"(?m)^authors:\n  - .*\n", "", (ROOT / "CITATION.cff").read_text())
    (tmp_path / "CITATION.cff").write_text(text)
    call = ["--builtin-schema", "vendor.citation-file-format", str(tmp_path / "CITATION.cff")]
    assert CliRunner().invoke(main, call).exit_code == 1
