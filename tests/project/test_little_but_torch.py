"""What a machine that trains must have: torch, numpy, pandas, pyarrow and PyYAML, and for some data one more."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from small import ROOT

from fgan import design
from fgan.record import provenance

LITTLE = {"torch", "numpy", "pandas", "pyarrow", "yaml"}
# Optional natural images, and exact optima and k-means, which are computed where a part is gathered.
MORE = {
    "targets/vision.py": {"torchvision"}, "targets/natural.py": {"lmdb"}, "metrics/exact.py": {"scipy"},
    "divergence_or_settings/plane.py": {"scipy"}, "kde_protocol/run.py": {"sklearn", "threadpoolctl"},
}  # fmt: skip
BLOCKED = """
import sys
sys.modules.update(dict.fromkeys(["sklearn", "scipy", "threadpoolctl", "jsonschema", "matplotlib"]))
import torch
from fgan.jobs import train
from fgan.targets import images
try:
    images.digits()
except images.DataError as error:
    print(error)
"""


def imports(path):
    """Dotted names of all modules of other packages that a file imports anywhere in it."""
    nodes = [*ast.walk(ast.parse(path.read_bytes()))]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return names | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}


@pytest.mark.parametrize("name", design.find(ROOT / "experiments"))
def test_what_decides_a_measurement_needs_little_but_torch(name):
    for path in map(Path, provenance.science_files(name, ROOT)):
        others = {name.split(".")[0] for name in imports(path)} - sys.stdlib_module_names - {"fgan", ""}
        assert others <= LITTLE | MORE.get(f"{path.parent.name}/{path.name}", set()), path


def test_without_scikit_learn_training_starts_and_the_small_digits_are_asked_for():
    done = subprocess.run([sys.executable, "-c", BLOCKED], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.startswith("the 8x8 digits are a file of scikit-learn"), done.stderr
