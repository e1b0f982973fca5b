"""Configuration and the functions that rules refer to."""

import contextlib
import json
import logging
import os
import re
import shutil
import sys
import time
from functools import partial
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import validate
from snakemake_interface_logger_plugins.common import LogEvent

sys.path.insert(0, str(Path(workflow.basedir, "src")))
from fgan import design, targets
from fgan.design.validation import sentence
from fgan.files import RecordError, alone
from fgan.jobs import cut, plan, warm, watch
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
THEORY += [f"{RECORD}/tables/protocols.tex"]
SECTIONS = sorted(map(str, Path("paper/sections").glob("*.tex")))
PUBLISHED = sorted(map(str, Path("paper/published").glob("*.csv")))
HELD = contextlib.ExitStack()  # holds the record's lock, which is released when this process ends


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


def told(record):
    """Whether a message of Snakemake's is shown: not those of each job, because the watch says how far the record is."""
    each = getattr(record, "event", None) in (LogEvent.PROGRESS, LogEvent.JOB_FINISHED)
    return not each and not record.getMessage().startswith(("Select jobs to execute", "Execute "))


def begin():
    """Before the first job, locks the record, starts the warm process and prints the plan of the training."""
    try:
        HELD.enter_context(alone(RECORD))
        if workflow.local_exec:
            HELD.enter_context(warm.process(RECORD))
            # Snakemake 9.27 limits jobs per second by a timer that it starts at every scan of its jobs, and each timer
            # causes another scan: with a hundred jobs or more this takes a third of a core. Local jobs need no limit.
            workflow.scheduler.job_rate_limiter = None
        if TRAINED:
            named = [n for n in DESIGNS if any(re.fullmatch(f"((figure|table)_)?{n}(_.*)?", a) for a in sys.argv)]
            wanted = [DESIGNS[name] for name in named] or DESIGNS.values()
            made = plan.make(wanted, plan.done(Path(RECORD)), DEVICE, workflow.cores)
            print(plan.text(made.table), file=sys.stderr)
            HELD.enter_context(watch.watching(RECORD, made, workflow.cores, BEGAN))
    except RecordError as error:
        raise WorkflowError(str(error)) from None
    for handler in logging.getLogger("snakemake.logging").handlers:
        handler.addFilter(told)
    if shutil.which("latexmk") is None:
        print("latexmk is missing: everything but the PDF will be made (see README, TeX)", file=sys.stderr)


onstart:
    begin()


onsuccess:
    HELD.close()


onerror:
    HELD.close()
