"""The licences of the packages that requirements.lock pins, by what each package says of itself."""

from importlib import metadata
from pathlib import Path

HEAD = """# Licences of the dependencies

Every package that `requirements.lock` pins, those of the tests included, with the licence that its own metadata states.
None is part of this repository (MIT): pip installs each from its registry. A CUDA build of torch brings NVIDIA's
libraries with it, under NVIDIA's licences."""


def pins(lock="requirements.lock"):
    """{package: version} of a lock of exact versions."""
    lines = Path(lock).read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def installed(versions):
    """Whether exactly these versions are installed; torch's `+cpu` or `+cu130` names a build, not a version."""
    found = {name: [d.version.partition("+")[0] for d in metadata.distributions(name=name)] for name in versions}
    return all(version in found[name] for name, version in versions.items())


def licence(name):
    """What an installed package states: an expression, a short text, a classifier, or its licence file's first line."""
    stated = metadata.metadata(name)
    classes = [value.rpartition(" :: ")[2] for value in stated.get_all("Classifier", []) if value.startswith("License")]
    for text in (stated["License-Expression"], stated["License"], ", ".join(classes)):
        if text and len(text) < 120 and "\n" not in text:
            return text
    files = [file for file in metadata.files(name) or [] if file.name.upper().startswith("LICEN")]
    return next((line.strip() for file in files for line in file.read_text().splitlines() if line.strip()), "")


def page(note, versions):
    """docs/licences.md: the licence of each pinned package."""
    rows = [f"| {name} | {version} | {licence(name)} |" for name, version in versions.items()]
    return "\n".join([HEAD, note, "", "| package | version | licence |", "|---|---|---|", *rows]) + "\n"
