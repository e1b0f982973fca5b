"""A run card says what ran: never the hash of another source tree."""

import shutil

import pytest
from small import ROOT, forget

from fgan import design
from fgan.files import RecordError
from fgan.record import provenance


def test_a_tree_that_does_not_run_is_not_hashed(root, tmp_path, monkeypatch):
    """Two checkouts may share one environment."""
    shard = design.load("univariate", "smoke").shard("sgd-seed0")
    assert provenance.run_card(shard, "cpu")["code_hash"] == provenance.code_hash("univariate")
    for name in ("src", "experiments"):
        shutil.copytree(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    forget()
    assert provenance.run_card(shard, "cpu"), "the same code in another place"
    edited = tmp_path / "src/fgan/engine/training.py"
    edited.write_text(edited.read_text().replace("BELOW_CONSTANT = 1.0", "BELOW_CONSTANT = 1.5"))
    with pytest.raises(RecordError, match="PYTHONPATH"):
        provenance.run_card(shard, "cpu")
