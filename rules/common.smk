"""Configuration and the functions that rules refer to."""

import contextlib
import json
import os
import re
import shutil
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

sys.path.insert(0, str(Path(workflow.basedir, "src")))
from fgan import design
from fgan.__main__ import main as stage
from fgan.provenance import science_files, threads
from fgan.records import RecordError, alone
from fgan.shards import choose_device

# Jobs import the same source tree, installed or not.
os.environ.update(
    PYTHONPATH=os.pathsep.join(filter(None, [str(Path(workflow.basedir, "src")), os.environ.get("PYTHONPATH")])),
    # One thread for each job: jobs run side by side, and the bytes must not depend on the number of cores.
    OMP_NUM_THREADS="1",
    MKL_NUM_THREADS="1",
)

SETTINGS = {
    "record": (str, "the record to make"),
    "device": (str, "auto, cpu or cuda"),
    "data": (str, "folder with the image sets"),
    "seeds": (int, "number of seeds, instead of the scale's own"),
    "max_steps": (int, "cut every training to this many steps"),
}


def checked(config):
    """The configuration, every key and value known; one sentence where not."""
    for key, value in config.items():
        if key not in SETTINGS:
            raise design.DesignError(f"--config: unknown setting '{key}'; {design.nearest(key, SETTINGS)}")
        kind = SETTINGS[key][0]
        if not isinstance(value, kind):
            raise design.DesignError(f"--config {key}={value}: {SETTINGS[key][1]} must be of type {kind.__name__}")
        if kind is int and value < 1:
            raise design.DesignError(f"--config {key}={value}: {SETTINGS[key][1]} must be at least 1")
    for key, valid in (("record", design.RECORDS), ("device", ("auto", "cpu", "cuda"))):
        if config.get(key, valid[0]) not in valid:
            raise design.DesignError(f"--config {key}={config[key]}: {design.nearest(config[key], valid)}")
    return {"record": "full", "device": "auto", **config}


try:
    CONFIG = checked(config)
    NAME = CONFIG["record"]
    TRAINED = NAME != "reference"
    DEVICE = choose_device(CONFIG["device"])
    DESIGNS = {
        name: design.load(name, NAME, seeds=CONFIG.get("seeds"), max_steps=CONFIG.get("max_steps"))
        for name in (design.find() if TRAINED else [])
    }
    # An optional experiment without its data is left out; the paper says so.
    DESIGNS = {n: found for n, found in DESIGNS.items() if not design.missing(found, CONFIG.get("data"))}
    for folder in Path("experiments").iterdir():
        if folder.is_dir() and not (folder / "experiment.yaml").exists() and any(folder.glob("*.py")):
            raise design.DesignError(f"{folder}/experiment.yaml is missing")
except (design.DesignError, RecordError) as error:
    raise WorkflowError(str(error)) from None


wildcard_constraints:
    experiment="[^/]+",
    shard="[^/]+",


# The place of the data decides no result, so it is no param: moving the folder must not train again.
if "data" in CONFIG:
    os.environ.update(FGAN_DATA=str(Path(CONFIG["data"]).expanduser().resolve()))

RECORD = f"results/{NAME}"
SHOWN = list(DESIGNS) if TRAINED else sorted(p.parent.name for p in Path(RECORD).glob("*/card.json"))
if not SHOWN:
    raise WorkflowError(f"{RECORD} holds no record; make one with: snakemake --cores all --config record=quick")
CAPTIONED = {kind: design.captions(kind) for kind in ("figure", "table")}
FIGURES = {n: f"{RECORD}/figures/{n}.pdf" for n, (e, *_) in CAPTIONED["figure"].items() if e in SHOWN}
TABLES = {n: f"{RECORD}/tables/{n}.tex" for n, (e, *_) in CAPTIONED["table"].items() if e in SHOWN}
THEORY = [f"{RECORD}/figures/theory_{name}.pdf" for name in ("generators", "terms")]
THEORY += [f"{RECORD}/tables/theory_{name}.tex" for name in ("definitions", "activations", "implementations")]
SECTIONS = sorted(map(str, Path("paper/sections").glob("*.tex")))
PUBLISHED = sorted(map(str, Path("paper/published").glob("*.csv")))
HELD = contextlib.ExitStack()  # the record's lock lives as long as this process, and dies with it
PART = ("measurements.parquet", "samples.npz", "design.json", "card.json")


def all_science():
    """The science files of every experiment of the record."""
    return sorted({path for experiment in SHOWN for path in science_files(experiment)})


def showing(*names):
    """Source files of the showing floor."""
    return [f"src/fgan/{name}.py" for name in names]


def options(*keys):
    """Command-line options of the settings that are set."""
    given = {k: CONFIG[k] for k in keys if k in CONFIG}
    return " ".join(f"--{key.replace('_', '-')} {value}" for key, value in given.items())


def science(wildcards):
    """The files whose content decides an experiment's measurements."""
    return science_files(wildcards.experiment)


def settings(wildcards):
    """All that decides a shard's result, as sorted JSON: a changed value retrains this shard and no other."""
    decisive = DESIGNS[wildcards.experiment].shard(wildcards.shard).settings | {"threads": threads()}
    return json.dumps(decisive, sort_keys=True)


def data_set(wildcards):
    """The mark that a target's files are in place, for targets that have files."""
    found = DESIGNS[wildcards.experiment]
    kinds = {s["target"]["kind"] for s in found.arms.values() or [found.common]}
    return [ancient("results/.data/mnist")] if "mnist" in kinds else []


def shards(wildcards):
    """The files of all shards of an experiment."""
    return [
        f"{RECORD}/{wildcards.experiment}/shards/{shard.name}/{name}"
        for shard in DESIGNS[wildcards.experiment].shards(DEVICE)
        for name in ("measurements.parquet", "samples.npz", "card.json")
    ]


def own(kind, experiment):
    """Names of the figures (or tables) of an experiment."""
    return [name for name, (owner, *_) in CAPTIONED[kind].items() if owner == experiment]


def begin():
    """Before the first job: hold the record for this workflow alone, and say what will be trained."""
    try:
        HELD.enter_context(alone(RECORD))
    except RecordError as error:
        raise WorkflowError(str(error)) from None
    if workflow.local_exec:
        # For its limit of jobs a second Snakemake 9.27 starts a timer whenever it looks at its jobs, and each timer makes
        # it look again: with some hundred jobs a third of a core. Jobs of one machine need no limit.
        workflow.scheduler.job_rate_limiter = None
    if TRAINED:
        wanted = [name for name in DESIGNS if any(re.fullmatch(f"((figure|table)_)?{name}(_.*)?", a) for a in sys.argv)]
        call = f"plan --record {NAME} --device {DEVICE} --cores {workflow.cores} {options('seeds', 'max_steps')}"
        with contextlib.redirect_stdout(sys.stderr):
            failed = stage([*call.split(), *(["--only", *wanted] if wanted else [])])
        if failed:
            raise WorkflowError("the plan of this record could not be made; the reason stands above")
    if shutil.which("latexmk") is None:
        print("latexmk is missing: everything but the PDF will be made (see README, TeX)", file=sys.stderr)
