"""Every stage of the workflow as a command: python -m fgan STAGE --record quick ..."""

import argparse
import contextlib
import sys
import traceback
from pathlib import Path

from fgan import design
from fgan.design import DesignError
from fgan.records import DataError, RecordError


def arguments():
    parser = argparse.ArgumentParser(prog="python -m fgan", description=__doc__)
    stages = parser.add_subparsers(dest="stage", required=True, metavar="STAGE")

    def stage(name, text, *options):
        sub = stages.add_parser(name, help=text, description=text)
        for flag, settings in options:
            sub.add_argument(flag, **settings)

    record = ("--record", {"default": "full", "choices": design.RECORDS, "help": "name of the record (its scale)"})
    experiment = ("--experiment", {"required": True, "help": "folder in experiments/"})
    name = ("--name", {"required": True, "help": "for example ring_modes"})
    device = (
        "--device",
        {"default": "auto", "choices": ("auto", "cpu", "cuda"), "help": "auto takes a GPU where there is one"},
    )
    data = ("--data", {"default": None, "help": "folder with MNIST's files; else FGAN_DATA, else data/"})
    seeds = ("--seeds", {"type": int, "help": "number of seeds, instead of the scale's own"})
    steps = ("--max-steps", {"type": int, "help": "cut every training to this many steps"})
    log = ("--log", {"type": Path, "help": "file for plain lines of progress and for errors"})
    stage("plan", "what a record costs before it starts", record, device, seeds, steps)
    stage("validate", "check every experiment.yaml and claims.yaml", record, seeds, steps)
    stage("fetch", "download a data set once, verified by checksum", ("data_set", {"choices": ("mnist",)}), data)
    stage(
        "train",
        "train one shard of a population",
        record,
        experiment,
        ("--shard", {"required": True}),
        device,
        data,
        seeds,
        steps,
        log,
    )
    stage(
        "gather",
        "join the shards of an experiment into its part of the record",
        record,
        experiment,
        device,
        data,
        seeds,
        steps,
    )
    stage("figure", "draw one figure", record, name)
    stage("table", "write one table", record, name)
    stage("claims", "judge every claim", record)
    stage("numbers", "write the numbers of the paper, each with its source", record)
    stage("paper", "compile the PDF", record)
    stage(
        "audit",
        "verify a record, or say where one number comes from",
        record,
        ("key", {"nargs": "?", "help": "for example ring.tanh.kl.saddle.modes"}),
    )
    stage("divergences", "print the table of divergences for the README")
    return parser.parse_args()


def main():
    args = arguments()
    with contextlib.ExitStack() as stack:
        args.log = stack.enter_context(open(args.log, "a")) if getattr(args, "log", None) else None
        try:
            return run(args, Path("results", getattr(args, "record", "")))
        except (DesignError, RecordError, DataError) as error:
            # Wrong input is the reader's to mend: one sentence. A bug of ours keeps its traceback.
            print(f"error: {error}", file=sys.stderr)
            if args.log:
                print(f"error: {error}", file=args.log)
            return 1
        except Exception:
            if args.log:
                traceback.print_exc(file=args.log)
            raise


def run(args, record):
    if args.stage in ("plan", "validate", "train", "gather") and args.record == "reference":
        raise DesignError(
            "the record 'reference' is only shown; train at one of the scales " + ", ".join(design.SCALES)
        )
    if args.stage in ("train", "gather"):
        from fgan import shards

        device = shards.choose_device(args.device)
        chosen = design.load(args.experiment, args.record, seeds=args.seeds, max_steps=args.max_steps)
        folder = record / args.experiment
        if args.stage == "gather":
            shards.gather(chosen, device, folder, args.data)
        else:
            shard = chosen.shard(args.shard, device)
            shards.train_shard(chosen, shard, folder / "shards" / shard.name, device, args.data, args.log)
    elif args.stage in ("plan", "validate"):
        designs = [design.load(name, args.record, seeds=args.seeds, max_steps=args.max_steps) for name in design.find()]
        if args.stage == "plan":
            show_plan(designs, record)
        else:
            from fgan import claims

            for chosen in designs:
                claims.read(chosen.folder / "claims.yaml")
            print(f"{len(designs)} experiments are valid at scale {args.record}")
    elif args.stage == "fetch":
        from fgan.targets import images

        print(f"MNIST is in {images.fetch_mnist(args.data)}")
    elif args.stage == "audit":
        from fgan import audit

        print(
            audit.origin(record, args.key)
            if args.key
            else "\n".join(audit.check(record)) or f"{record} is whole and current"
        )
    elif args.stage == "divergences":
        from fgan.tex import divergence_table

        frame = divergence_table()[1]
        print("| " + " | ".join(frame.columns) + " |\n" + "|---" * frame.shape[1] + "|")
        print("\n".join("| " + " | ".join(row) + " |" for row in frame.itertuples(index=False)))
    else:
        from fgan import show

        stage = {
            "figure": show.figure,
            "table": show.table,
            "claims": show.verdicts,
            "numbers": show.numbers,
            "paper": show.paper,
        }[args.stage]
        stage(record, *([args.name] if args.stage in ("figure", "table") else []))
    return 0


def show_plan(designs, record):
    from fgan import plan
    from fgan.shards import choose_device

    frame = plan.table(
        designs, lambda shard: (record / shard.experiment / "shards" / shard.name / "card.json").exists()
    )
    print(plan.text(frame))
    minutes = frame["minutes here"].iloc[-1]
    if minutes > 60 and choose_device("auto") == "cpu":
        print(
            f"There is no GPU here: this record takes about {minutes / 60:.0f} hours. "
            "A laptop's record takes minutes: --config record=quick"
        )


if __name__ == "__main__":
    sys.exit(main())
