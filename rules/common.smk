"""Configuration and the functions that rules refer to."""

import json
import os
import sys
import time
from functools import cache, partial
from pathlib import Path

sys.path.insert(0, str(Path(workflow.basedir, "src")))
from fgan import design, targets
from fgan.design.validation import sentence
from fgan.files import DataError, RecordError, now_at_latest
from fgan.jobs import cut, gather, plan
from fgan.jobs.train import SHARD_FILES, choose_device
from fgan.record.provenance import code_hash, ways
from fgan.record.write import PART_FILES

BEGAN = time.time()
# Jobs import the same source tree, installed or not; by its relative name, because the path of a clone may have a colon.
os.environ.update(
    PYTHONPATH=os.pathsep.join(filter(None, ["src", os.environ.get("PYTHONPATH")])),
    # One thread for each job: jobs run side by side, and the bytes must not depend on the number of cores.
    OMP_NUM_THREADS="1",
    MKL_NUM_THREADS="1",
    # The user's locale and notebook decide nothing, and `python` is the one that runs the workflow.
    PYTHONUTF8="1",
    MPLBACKEND="agg",
    PATH=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
)


def refuse(error):
    """Ends the workflow with one sentence on what the user can mend; Snakemake would add lines of its own."""
    print(f"error: {error}", file=sys.stderr, flush=True)
    sys.exit(2)


try:
    design.variables()
    config |= design.configuration(config, Path(workflow.basedir, "rules/config.schema.yaml"))
    design.unique_ids()
    NAME = config["record"]
    TRAINED = NAME != "reference"
    DEVICE = choose_device(config["device"], used=False)  # or else `begin` says so; on a cluster it is in the nodes
    DESIGNS = {
        name: design.load(name, NAME, seeds=config.get("seeds"), max_steps=config.get("max_steps"))
        for name in (design.find() if TRAINED else [])
    }
    # An optional experiment without its data is left out; the paper says so.
    DESIGNS = {name: one for name, one in DESIGNS.items() if not targets.missing(one, config.get("data"))}
    for run in Path("experiments").glob("*/run.py"):
        if not run.with_name("experiment.yaml").exists():
            raise design.DesignError(f"{run.parent}/experiment.yaml is missing")
except (design.DesignError, DataError, RecordError) as error:
    refuse(error)


wildcard_constraints:
    shard="[^/]+",


# The path of the data decides no result, so it is not a param: moving the folder must not retrain anything.
if "data" in config:
    os.environ.update(FGAN_DATA=str(Path(config["data"]).expanduser().resolve()))

RECORD = f"results/{NAME}"
now_at_latest("src", "experiments", "paper", "results/.data", RECORD)
# Snakemake takes braces for a wildcard's, those in the path of a clone too.
ENVIRONMENT = str(Path(workflow.basedir, "environment.yml")).replace("{", "{{").replace("}", "}}")
for one in DESIGNS.values():
    gather.mark_outdated(one, Path(RECORD, one.name))
# Whole experiments one after the other, trained and drawn, the most valuable first: its figures are there early.
PRIORITY = {one.name: len(DESIGNS) - place for place, one in enumerate(design.by_value(DESIGNS.values()))}
# An edit in these packages redraws figures and tables, and trains nothing.
ROOMS = ("report", "check", "design", "record")
SHOWING = sorted(str(path) for room in ROOMS for path in Path("src/fgan", room).rglob("*.py"))
SHOWN = list(DESIGNS) if TRAINED else sorted(p.parent.name for p in Path(RECORD).glob("*/card.json"))
if not SHOWN:
    refuse(f"{RECORD} holds no record; make one with: snakemake --cores all --config record=quick")
CAPTIONED = {kind: design.captions(kind) for kind in ("figure", "table")}
TITLES = {name: design.read_yaml(f"experiments/{name}/experiment.yaml")["title"] for name in SHOWN}
FIGURES = {n: f"{RECORD}/figures/{n}.pdf" for n, (e, *_) in CAPTIONED["figure"].items() if e in SHOWN}
TABLES = {n: f"{RECORD}/tables/{n}.tex" for n, (e, *_) in CAPTIONED["table"].items() if e in SHOWN}
THEORY = [f"{RECORD}/figures/theory_{name}.pdf" for name in ("generators", "terms")]
THEORY += [f"{RECORD}/tables/theory_{name}.tex" for name in ("definitions", "activations", "implementations", "caught")]
THEORY += [f"{RECORD}/tables/{name}.tex" for name in ("protocols", "confronted")]
SECTIONS = sorted(str(path) for room in ("body", "sections") for path in Path("paper", room).glob("*.tex"))
TOLD = ["paper/sentences.yaml", "paper/findings.yaml"]
CLAIMS = [str(path) for experiment in SHOWN if (path := Path("experiments", experiment, "claims.yaml")).exists()]
PUBLISHED = sorted(map(str, Path("paper/published").glob("*.csv")))


def options(*keys):
    """Command-line options of the settings that are set."""
    given = {k: config[k] for k in keys if k in config}
    return " ".join(f"--{key.replace('_', '-')} {value}" for key, value in given.items())


def settings(experiment, wildcards):
    """The settings that decide a shard's result, as sorted JSON: a changed value retrains this shard and no other."""
    decisive = DESIGNS[experiment].shard(wildcards.shard).settings | {"ways": ways()}
    return json.dumps(decisive, sort_keys=True)


@cache
def needs(experiment, shard):
    """Megabytes and minutes that the job of a shard requests on a cluster."""
    memory, minutes = plan.needs(DESIGNS[experiment], DESIGNS[experiment].shard(shard), DEVICE)
    return int(memory / 1e6), minutes


def requested(experiment, which, wildcards, attempt):
    """One of a job's needs, with twice as much in its second attempt: it may have ended because it had too little."""
    return attempt * needs(experiment, wildcards.shard)[which]


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


def reported(kind, name, folder, end):
    """A figure (or table) of the record, with its place and its caption in Snakemake's report."""
    experiment, short, _ = CAPTIONED[kind][name]
    return report(
        f"{RECORD}/{folder}/{name}.{end}",
        caption=str(Path(RECORD, "captions", f"{kind}_{name}.rst").absolute()),
        category=TITLES[experiment],
        subcategory=f"{kind}s",
        labels={kind: short.replace("_", " ")},
    )
