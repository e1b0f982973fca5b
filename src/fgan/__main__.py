"""Every stage of the workflow as a command: python -m fgan STAGE --record quick ..."""

import argparse
import contextlib
import math
import sys
import traceback
from pathlib import Path

from fgan import design
from fgan.design import DesignError
from fgan.records import DataError, RecordError

OPTIONS = {
    "record": {"default": "full", "choices": design.RECORDS, "help": "name of the record (its scale)"},
    "experiment": {"required": True, "help": "folder in experiments/"},
    "shard": {"required": True, "help": "for example tanh-seed0"},
    "name": {"required": True, "help": "for example ring_modes"},
    "device": {"default": "auto", "choices": ("auto", "cpu", "cuda"), "help": "auto takes a GPU where there is one"},
    "data": {"help": "folder with the image sets; else FGAN_DATA, else data/"},
    "only": {"nargs": "+", "help": "names of experiments; else all"},
    "budget-minutes": {"type": float, "default": math.inf, "help": "stop after this long; the same command goes on"},
    "cores": {"type": int, "help": "cores that train; else all of this machine"},
    "seeds": {"type": int, "help": "number of seeds, instead of the scale's own"},
    "max-steps": {"type": int, "help": "cut every training to this many steps"},
    "log": {"type": Path, "help": "file for plain lines of progress and for errors, beside the terminal"},
}
POSITIONAL = {
    "data_set": {"choices": ("mnist",)},
    "key": {"nargs": "?", "help": "a number of the paper, for example ring.tanh.kl.saddle.modes"},
}
STAGES = {
    "plan": ("what a record costs before it starts", "record only device cores seeds max-steps"),
    "validate": ("check every experiment.yaml and claims.yaml", "record seeds max-steps"),
    "fetch": ("download a data set once, verified by checksum", "data_set data log"),
    "train": ("train one shard of a population", "record experiment shard device data max-steps log"),
    "train-all": (
        "train a whole record without the workflow, for a machine that has little but torch",
        "record budget-minutes only device cores data seeds max-steps log",
    ),
    "gather": ("join the shards of an experiment into its part", "record experiment device data seeds max-steps log"),
    "draw": ("draw the figures and write the tables of an experiment", "record experiment log"),
    "figure": ("draw one figure", "record name log"),
    "table": ("write one table", "record name log"),
    "animate": ("draw an animation, for example film_ring, as a GIF", "record name log"),
    "theory": ("draw and check the table of divergences", "record log"),
    "claims": ("judge every claim", "record log"),
    "numbers": ("write the numbers of the paper, each with its source", "record log"),
    "paper": ("compile the PDF", "record log"),
    "audit": ("verify a record, or say where one number comes from", "record key log"),
    "publish": ("copy a record's parts to the committed one, results/reference", "record"),
    "divergences": ("print the table of divergences for the README", ""),
}


def arguments(words):
    parser = argparse.ArgumentParser(prog="python -m fgan", description=__doc__)
    stages = parser.add_subparsers(dest="stage", required=True, metavar="STAGE")
    for stage, (text, options) in STAGES.items():
        sub = stages.add_parser(stage, help=text, description=text)
        for option in options.split():
            flag, settings = (option, POSITIONAL[option]) if option in POSITIONAL else (f"--{option}", OPTIONS[option])
            sub.add_argument(flag, **settings)
    return parser.parse_args(words)


def main(words=None):
    args = arguments(words)
    with contextlib.ExitStack() as stack:
        args.log = stack.enter_context(open(args.log, "a")) if getattr(args, "log", None) else None
        try:
            run(args, Path("results", getattr(args, "record", "")))
        except (DesignError, RecordError, DataError) as error:
            # Wrong input is the reader's to mend: one sentence. A bug of ours keeps its traceback.
            for file in filter(None, (sys.stderr, args.log)):
                with contextlib.suppress(OSError):
                    print(f"error: {error}", file=file, flush=True)
            return 1
        except Exception:
            if args.log:
                traceback.print_exc(file=args.log)
            raise
    return 0


def run(args, record):
    if args.stage in ("plan", "validate", "train", "train-all", "gather") and args.record == "reference":
        raise DesignError("the record 'reference' is only shown; train at one of " + ", ".join(design.SCALES))
    if args.stage in ("train", "gather"):
        train(args, record / args.experiment)
    elif args.stage == "train-all":
        train_all(args, record)
    elif args.stage == "plan":
        plan(args, record)
    elif args.stage == "validate":
        from fgan import criteria

        for name in design.find():
            criteria.read(load(name, args).folder / "claims.yaml")
        print(f"{len(design.find())} experiments are valid at scale {args.record}")
    elif args.stage == "fetch":
        from fgan.targets import images

        print(f"MNIST is in {images.fetch_mnist(args.data)}")
    elif args.stage == "audit":
        from fgan import audit

        found = [audit.origin(record, args.key)] if args.key else audit.check(record)
        print("\n".join(found) or f"{record} is whole and current")
    elif args.stage == "publish":
        from fgan.publish import publish

        print("\n".join(publish(record, record.with_name("reference"))))
    elif args.stage == "divergences":
        from fgan import tex

        print(tex.markdown(tex.divergence_table()[1]))
    else:
        from fgan import show

        chosen = [value for key in ("experiment", "name") if (value := getattr(args, key, None))]
        getattr(show, args.stage)(record, *chosen)


def designs(args, say):
    """The designs of a record, without those that are left out because their data are missing; that is said."""
    found = [load(name, args) for name in args.only or design.find()]
    reasons = {chosen.name: design.missing(chosen, getattr(args, "data", None)) for chosen in found}
    for name, reason in reasons.items():
        if reason:
            say(f"{name} is left out: {reason}")
    return [chosen for chosen in found if not reasons[chosen.name]]


def load(name, args):
    return design.load(name, args.record, seeds=getattr(args, "seeds", None), max_steps=args.max_steps)


def train(args, folder):
    from fgan import parts, shards

    device = shards.choose_device(args.device)
    chosen = load(args.experiment, args)
    if args.stage == "gather":
        parts.gather(chosen, device, folder, args.data)
    else:
        shard = chosen.shard(args.shard)
        shards.train_shard(chosen, shard, folder / "shards" / shard.name, device, args.data, args.log)


def train_all(args, record):
    from fgan import budget, shards

    def say(text):
        for file in filter(None, (sys.stderr, args.log)):
            print(text, file=file, flush=True)

    device = shards.choose_device(args.device)
    budget.train_all(designs(args, say), record, device, args.budget_minutes, args.cores, args.data, say)


def plan(args, record):
    from fgan import packs, plan, shards

    packed = packs.read(record)

    def done(shard):
        folder = record / shard.experiment / "shards" / shard.name
        return shards.current(folder, shard) or bool(packs.sources(shard, packed))

    device = shards.choose_device(args.device)
    frame = plan.table(designs(args, print), done, device, args.cores)
    print(plan.text(frame))
    minutes = frame["minutes here"].iloc[-1]
    print("Minutes on an H200 rest on its data sheet; no training was timed on one.")
    if device == "cpu" and minutes > 60:
        print(f"There is no GPU here: this record takes about {minutes / 60:.0f} hours.", end=" ")
        print("A laptop's record takes minutes: --config record=quick")


if __name__ == "__main__":
    sys.exit(main())
