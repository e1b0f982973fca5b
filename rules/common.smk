"""Configuration and the functions that rules refer to."""

import json
import os
import sys
import time
from functools import partial
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

sys.path.insert(0, str(Path(workflow.basedir, "src")))
from fgan import design, targets
from fgan.design.validation import sentence
from fgan.files import RecordError
from fgan.jobs import cut, gather
from fgan.jobs.train import SHARD_FILES, choose_device
from fgan.record.provenance import code_hash, ways
from fgan.record.write import PART_FILES

BEGAN = time.time()
# Jobs import the same source tree, installed or not.
os.environ.update(
    PYTHONPATH=os.pathsep.join(filter(None, [str(Path(workflow.basedir, "src")), os.environ.get("PYTHONPATH")])),
    # One thread for each job: jobs run side by side, and the bytes must not depend on the number of cores.
    OMP_NUM_THREADS="1",
    MKL_NUM_THREADS="1",
)


try:
    validate(config, "config.schema.yaml")
except WorkflowError as error:
    raise WorkflowError(f"--config: {sentence(error.__context__, 'the configuration')}") from None

try:
    NAME = config["record"]
    TRAINED = NAME != "reference"
    DEVICE = choose_device(config["device"])
    DESIGNS = {
        name: design.load(name, NAME, seeds=config.get("seeds"), max_steps=config.get("max_steps"))
        for name in (design.find() if TRAINED else [])
    }
    # An optional experiment without its data is left out; the paper says so.
    DESIGNS = {name: one for name, one in DESIGNS.items() if not targets.missing(one, config.get("data"))}
    for run in Path("experiments").glob("*/run.py"):
        if not run.with_name("experiment.yaml").exists():
            raise design.DesignError(f"{run.parent}/experiment.yaml is missing")
except (design.DesignError, RecordError) as error:
    raise WorkflowError(str(error)) from None


wildcard_constraints:
    shard="[^/]+",


# The path of the data decides no result, so it is not a param: moving the folder must not retrain anything.
if "data" in config:
    os.environ.update(FGAN_DATA=str(Path(config["data"]).expanduser().resolve()))

RECORD = f"results/{NAME}"
for one in DESIGNS.values():
    gather.mark_outdated(one, Path(RECORD, one.name))
# Whole experiments one after the other, trained and drawn, the most valuable first: its figures are there early.
PRIORITY = {one.name: len(DESIGNS) - place for place, one in enumerate(design.by_value(DESIGNS.values()))}
# An edit in these packages redraws figures and tables, and trains nothing.
ROOMS = ("report", "check", "design", "record")
SHOWING = sorted(str(path) for room in ROOMS for path in Path("src/fgan", room).rglob("*.py"))
SHOWN = list(DESIGNS) if TRAINED else sorted(p.parent.name for p in Path(RECORD).glob("*/card.json"))
if not SHOWN:
    raise WorkflowError(f"{RECORD} holds no record; make one with: snakemake --cores all --config record=quick")
CAPTIONED = {kind: design.captions(kind) for kind in ("figure", "table")}
FIGURES = {n: f"{RECORD}/figures/{n}.pdf" for n, (e, *_) in CAPTIONED["figure"].items() if e in SHOWN}
TABLES = {n: f"{RECORD}/tables/{n}.tex" for n, (e, *_) in CAPTIONED["table"].items() if e in SHOWN}
THEORY = [f"{RECORD}/figures/theory_{name}.pdf" for name in ("generators", "terms")]
THEORY += [f"{RECORD}/tables/theory_{name}.tex" for name in ("definitions", "activations", "implementations", "caught")]
THEORY += [f"{RECORD}/tables/{name}.tex" for name in ("protocols", "confronted")]
SECTIONS = sorted(map(str, Path("paper/sections").glob("*.tex")))
PUBLISHED = sorted(map(str, Path("paper/published").glob("*.csv")))


def options(*keys):
    """Command-line options of the settings that are set."""
    given = {k: config[k] for k in keys if k in config}
    return " ".join(f"--{key.replace('_', '-')} {value}" for key, value in given.items())


def settings(experiment, wildcards):
    """The settings that decide a shard's result, as sorted JSON: a changed value retrains this shard and no other."""
    decisive = DESIGNS[experiment].shard(wildcards.shard).settings | {"ways": ways()}
    return json.dumps(decisive, sort_keys=True)


def data_set(experiment):
    """The marker file that a target's data are in place, for targets that read files."""
    found = DESIGNS[experiment]
    kinds = {s["target"]["kind"] for s in found.arms.values() or [found.common]}
    return [ancient("results/.data/mnist")] if "mnist" in kinds else []


def shards(experiment):
    """The files of all shards of an experiment."""
    return [
        f"{RECORD}/{experiment}/shards/{shard.name}/{name}"
        for shard in cut.shards(DESIGNS[experiment], DEVICE)
        for name in SHARD_FILES
    ]


def own(kind, experiment):
    """Names of the figures (or tables) of an experiment."""
    return [name for name, (owner, *_) in CAPTIONED[kind].items() if owner == experiment]
