"""Wrong commands: each gets one sentence with what to do, exit code 2, no traceback, and writes nothing."""

import json

import pytest
from records import part
from small import ROOT

from fgan import design
from fgan.__main__ import main

RING = "--experiment ring"
COMMANDS = {
    # numbers
    "plan --cores -1": "--cores: must be a whole number of at least 1, not '-1'",
    "plan --cores 0": "--cores: must be a whole number of at least 1, not '0'",
    "plan --cores 1.5": "--cores: must be a whole number of at least 1, not '1.5'",
    "plan --cores two": "--cores: must be a whole number of at least 1, not 'two'",
    "plan --cores nan": "--cores: must be a whole number of at least 1, not 'nan'",
    "plan --cores ٣": "--cores: must be a whole number of at least 1, not '٣'",
    "plan --cores": "--cores: expected one argument",
    "plan --seeds 0": "--seeds: must be a whole number of at least 1, not '0'",
    "plan --seeds -3": "--seeds: must be a whole number of at least 1, not '-3'",
    "plan --seeds 1e3": "--seeds: must be a whole number of at least 1, not '1e3'",
    "plan --max-steps 0": "--max-steps: must be a whole number of at least 1, not '0'",
    "plan --max-steps inf": "--max-steps: must be a whole number of at least 1, not 'inf'",
    "validate --seeds nan": "--seeds: must be a whole number of at least 1, not 'nan'",
    "design ring --seeds x": "--seeds: must be a whole number of at least 1, not 'x'",
    "design ring --max-steps -5": "--max-steps: must be a whole number of at least 1, not '-5'",
    "train-all --cores -1": "--cores: must be a whole number of at least 1, not '-1'",
    "train-all --budget-minutes nan": "--budget-minutes: must be a number above 0, not 'nan'",
    "train-all --budget-minutes 0": "--budget-minutes: must be a number above 0, not '0'",
    "train-all --budget-minutes -1": "--budget-minutes: must be a number above 0, not '-1'",
    "train-all --budget-minutes -inf": "--budget-minutes: expected one argument",
    "train-all --budget-minutes soon": "--budget-minutes: must be a number above 0, not 'soon'",
    f"gather {RING} --seeds 0": "--seeds: must be a whole number of at least 1, not '0'",
    f"gather {RING} --max-steps 1.0": "--max-steps: must be a whole number of at least 1, not '1.0'",
    f"train {RING} --shard tanh-seed0 --max-steps 0": "must be a whole number of at least 1, not '0'",
    # names of stages, options and choices
    "": "the following arguments are required: STAGE",
    "pln": "STAGE: cannot be 'pln'; did you mean 'plan'?",
    "--record smoke": "STAGE: cannot be 'smoke'; valid names: plan",
    "plan --recrd smoke": "unrecognized arguments: --recrd smoke; did you mean '--record'?",
    "plan --seed 3": "unrecognized arguments: --seed 3; did you mean '--seeds'?",
    "plan smoke": "unrecognized arguments: smoke",
    "plan --record": "--record: expected one argument",
    "plan --record smok": "--record: cannot be 'smok'; did you mean 'smoke'?",
    "plan --record ../smoke": "--record: cannot be '../smoke'; did you mean 'smoke'?",
    "plan --device gpu": "--device: cannot be 'gpu'; a GPU is 'cuda'",
    "plan --device CPU": "--device: cannot be 'CPU'; valid names: auto, cpu, cuda",
    "plan --device cuda:0": "--device: cannot be 'cuda:0'; did you mean 'cuda'?",
    "fetch": "the following arguments are required: data_set",
    "fetch mnsit": "data_set: cannot be 'mnsit'; did you mean 'mnist'?",
    "train": "the following arguments are required: --experiment, --shard",
    "figure": "the following arguments are required: --name",
    "design": "the following arguments are required: experiment",
    # what a record that is only shown cannot do
    "plan --record reference": "the record 'reference' is only shown; train at one of smoke",
    "design ring --record reference": "the record 'reference' is only shown",
    "validate --record reference": "the record 'reference' is only shown",
    "train-all --record reference": "the record 'reference' is only shown",
    f"gather {RING} --record reference": "the record 'reference' is only shown",
    f"train {RING} --shard tanh-seed0 --record reference": "the record 'reference' is only shown",
    # names in the repository
    "design rign --record smoke": "no experiment 'rign' in experiments/: did you mean 'ring'?",
    "design ../ring --record smoke": "no experiment '../ring' in experiments/: did you mean 'ring'?",
    "gather --experiment rign --record smoke": "no experiment 'rign' in experiments/: did you mean 'ring'?",
    "train --experiment rign --shard a --record smoke": "no experiment 'rign' in experiments/: did you mean 'ring'?",
    "train-all --only rign --record smoke": "no experiment 'rign' in experiments/: did you mean 'ring'?",
    f"train {RING} --shard tahn-seed0 --record smoke": "no arm 'tahn' for the shard 'tahn-seed0'; did you mean 'tanh'?",
    f"train {RING} --shard tanh --record smoke": "no shard 'tanh'; write its seeds as in tanh-seed0",
    f"train {RING} --shard tanh-seed-1 --record smoke": "no shard 'tanh-seed-1'",
    f"train {RING} --shard ../tanh-seed0 --record smoke": "no arm '../tanh'",
    "figure --name ring_mods --record smoke": "no figure 'ring_mods': did you mean 'ring_modes'?",
    "table --name ring_mods --record smoke": "no table 'ring_mods'",
    "animate --name ring --record smoke": "no animation 'ring': valid names: mode_dynamics_ring",
    # records that are not there
    "figure --name ring_modes --record smoke": "smoke/ring/",
    "claims --record smoke": "results/smoke holds no measurements; make them with: snakemake",
    "numbers --record smoke": "results/smoke holds no measurements; make them with: snakemake",
    "paper --record smoke": "results/smoke has no numbers; make them with: python -m fgan numbers --record smoke",
    f"gather {RING} --record smoke": "is missing; make it with: snakemake",
    "publish --record smoke --only rign": "no experiment 'rign': did you mean 'ring'?",
    "publish --record smoke --only ring": "results/smoke cannot be published: ring: not run",
    # data and formulas
    "fetch mnist --data nowhere": "the data folder nowhere does not exist: set FGAN_DATA",
    "fetch mnist --data a-file": "the data folder a-file is a file: set FGAN_DATA",
    "fetch mnist --data ~no-such-user/x": "cannot be read",
    "check nothing.py:mine": "nothing.py",
    "check a-file": "a-file",
    # a log that cannot be written
    "plan --record smok --log x": "cannot be 'smok'",
    f"train {RING} --shard tanh-seed0 --record smoke --log .": "cannot write .: Is a directory",
}  # fmt: skip
VARIABLES = {
    "FGAN_CHECKPOINT_SECONDS=abc": "FGAN_CHECKPOINT_SECONDS must be a number of seconds, not 'abc'",
    "FGAN_CHECKPOINT_SECONDS=": "FGAN_CHECKPOINT_SECONDS must be a number of seconds, not ''",
    "FGAN_CHECKPOINT_SECONDS=-1": "FGAN_CHECKPOINT_SECONDS must be a number of seconds, not '-1'",
    "FGAN_CHECKPOINT_SECONDS=nan": "FGAN_CHECKPOINT_SECONDS must be a number of seconds, not 'nan'",
    "FGAN_CHECKPOINT_SECONDS=inf": "FGAN_CHECKPOINT_SECONDS must be a number of seconds, not 'inf'",
    "FGAN_CHECKPOINT_SECONDS=15s": "FGAN_CHECKPOINT_SECONDS must be a number of seconds, not '15s'",
    "FGAN_CHECKPOINTS_SECONDS=15": "FGAN_CHECKPOINTS_SECONDS is unknown: did you mean 'FGAN_CHECKPOINT_SECONDS'?",
    "FGAN_DTA=data": "FGAN_DTA is unknown: did you mean 'FGAN_DATA'?",
}


@pytest.fixture
def said(tmp_path, monkeypatch, capsys):
    """What a command says, in a folder with this repository's experiments and nothing else."""
    for name in ("experiments", "src", "paper"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "a-file").write_text("no folder")
    monkeypatch.chdir(tmp_path)
    for name in ("FGAN_DATA", "FGAN_CHECKPOINT_SECONDS"):
        monkeypatch.delenv(name, raising=False)

    def files():
        return {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file() and ".data" not in p.parts}

    def say(words):
        before = files()
        try:
            status = main(words.split())
        except SystemExit as end:
            status = end.code
        assert files() == before, "nothing is written"
        captured = capsys.readouterr()
        lines = [line for line in (captured.out + captured.err).splitlines() if "is left out" not in line]
        assert status == 2 and len(lines) == 1 and lines[0].startswith("error: "), (status, lines)
        return lines[0]

    return say


@pytest.mark.parametrize("words", COMMANDS)
def test_a_wrong_command_gets_one_sentence(said, words):
    assert COMMANDS[words] in said(words)


@pytest.mark.parametrize("setting", VARIABLES)
def test_a_wrong_variable_gets_one_sentence(said, setting, monkeypatch):
    monkeypatch.setenv(*setting.split("="))
    assert f"the environment variable {VARIABLES[setting]}" in said("validate --record smoke")


@pytest.mark.parametrize("content", [b"", b"{", b"null", b"\xff\xfe", b"PAR1"])
@pytest.mark.parametrize("name", ["design.json", "measurements.parquet"])
def test_a_damaged_file_of_a_part_gets_one_sentence(said, tmp_path, name, content, monkeypatch):
    monkeypatch.setattr(design, "all_claims", lambda root: {"ring": design.read_claims("experiments/ring/claims.yaml")})
    folder = part(tmp_path / "results/smoke/ring", scale="smoke")
    (folder / name).write_bytes(content)
    sentence = said("claims --record smoke")
    assert f"results/smoke/ring/{name} is damaged" in sentence and "snakemake --cores all ring" in sentence


def test_what_max_steps_cut_is_never_published(said, tmp_path, monkeypatch):
    folder = part(tmp_path / "results/smoke/ring", scale="smoke")
    monkeypatch.setattr("fgan.record.audit.check", lambda *_: [])
    shown = json.loads((folder / "design.json").read_text())
    (folder / "design.json").write_text(json.dumps(shown | {"cut": 50}))
    assert "cannot be published: max_steps cut the trainings of ring" in said("publish --record smoke --only ring")
