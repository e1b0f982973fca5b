"""Every stage of the workflow as a command: python -m fgan STAGE --record quick ..."""

import contextlib
import importlib
import locale
import os
import sys
import traceback
from pathlib import Path

from fgan import design
from fgan.design import DesignError
from fgan.files import ENVIRONMENT, MEND, DataError, RecordError, writing
from fgan.jobs import times, warm
from fgan.stages import arguments

# Stages whose time a record keeps in time.csv, and the functions of those that are not in report/draw.py by their name.
TIMED = ("train", "gather", "draw", "theory", "claims", "numbers", "paper", "explorer")
SHOWN = {
    "claims": ("paper", "write_claims"),
    "numbers": ("paper", "write_numbers"),
    "paper": ("paper", "compile_pdf"),
    "explorer": ("explorer", "write"),
}


def main(words=None):
    args = arguments(words)
    record = Path("results", getattr(args, "record", ""))
    clock = times.Clock()
    with contextlib.ExitStack() as stack:
        path, args.log = getattr(args, "log", None), None
        try:
            design.variables()
            if path:
                with writing(path):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    args.log = stack.enter_context(open(path, "a"))
            status = run(args, record, clock)
            if args.stage in TIMED:
                clock.write(record, " ".join(filter(None, (args.stage, subject(args)))))
        except (DesignError, RecordError, DataError) as error:
            # The user can mend wrong input, so it gets one sentence; a bug keeps its traceback.
            return complain(error, args.log)
        except Exception as error:
            if isinstance(error, OSError) and error.errno in ENVIRONMENT:
                return complain(f"{error.filename or record}: {error.strerror}; {MEND}", args.log)
            if args.log:
                traceback.print_exc(file=args.log)
            raise
    return status or 0


def complain(error, log):
    """Prints an error of the user's or the machine's in one sentence, on the terminal and in the log; returns 2."""
    for file in filter(None, (sys.stderr, log)):
        with contextlib.suppress(OSError):
            print(f"error: {error}", file=file, flush=True)
    return 2


def subject(args):
    """What a stage works on: an experiment, its shard, or a figure or table by name."""
    return "/".join(value for key in ("experiment", "shard", "name") if (value := getattr(args, key, None)))


def run(args, record, clock):
    """Executes the stage; returns an exit status, or None for success."""
    stage = args.stage
    if stage in ("design", "plan", "validate", "train", "train-all", "gather") and args.record == "reference":
        raise DesignError("the record 'reference' is only shown; train at one of " + ", ".join(design.SCALES))
    if stage in ("train", "gather"):
        train(args, record / args.experiment, clock)
    elif stage == "train-all":
        train_all(args, record)
    elif stage == "plan":
        plan(args, record)
    elif stage == "design":
        print(design.text(load(args.experiment_name, args)), end="")
    elif stage == "validate":
        from fgan.jobs.validate import validate

        for name in design.find():
            validate(load(name, args))
        design.all_claims()
        print(f"{len(design.find())} experiments are valid at scale {args.record}")
    elif stage == "fetch":
        from fgan.targets import images

        print(f"MNIST is in {images.fetch_mnist(args.data)}")
    elif stage == "bundle":
        from fgan.record.bundle import bundle

        print(f"{bundle(record)}: written")
    elif stage == "publish":
        from fgan.record.publish import publish

        print("\n".join(publish(record, record.with_name("reference"), args.only)))
    elif stage == "pages":
        from fgan.report import pages

        print("\n".join(f"{path}: written" for path in pages.write(record / "reference")) or "all pages are current")
    elif stage == "check":
        return check(args)
    elif stage == "audit":
        return audit(args, record)
    elif stage in ("explain", "compare", "retrain"):
        return traced(args, record)
    else:
        show(args, record, clock)


def check(args):
    """Prints the verdict of every check; returns 1 if one of them fails."""
    from fgan.check import load, verdicts

    found = verdicts(load(args.formulas))
    print("\n".join(map(str, found)))
    return int(any(verdict.counterexample is not None for verdict in found))


def audit(args, record):
    """Prints what is wrong with a record and what could not be compared; returns 1 if anything is wrong."""
    from fgan.record import audit
    from fgan.report import recompute

    wrong, left = audit.check(record), []
    if any(record.glob("*/measurements.parquet")):
        more, left = recompute.differences(record, not args.without_pdf)
        wrong += more
    print("\n".join(wrong or [f"{record} is whole and current"]))
    print("".join(f"not compared: {text}\n" for text in left), end="")
    return int(bool(wrong))


def traced(args, record):
    """Prints where something comes from, or what two records or two trainings of a run share; 1 if they differ."""
    if args.stage == "retrain":
        from fgan.jobs import retrain, train

        device = train.choose_device(args.device)
        lines, equal = retrain.retrain(record, args.run, args.to, device, args.data, args.log)
    elif args.stage == "compare":
        from fgan.report.compare import compare

        lines, equal = compare(args.a, args.b, args.all)
    else:
        from fgan.report import explain

        lines, equal = explain.cells(record, args.table) if args.table else explain.explain(record, args.key), True
    print("\n".join(lines))
    return int(not equal)


def show(args, record, clock):
    """Runs a stage that draws or writes what a record holds and trains nothing."""
    module, function = SHOWN.get(args.stage, ("draw", args.stage))
    made = importlib.import_module(f"fgan.report.{module}")
    clock.lap("import")
    getattr(made, function)(record, *([subject(args)] if subject(args) else []))
    clock.lap("drawing")


def designs(args, say):
    """The designs of a record. An optional experiment whose data are missing is left out, with a message."""
    from fgan import targets

    chosen = []
    for name in args.only or design.find():
        loaded = load(name, args)
        reason = targets.missing(loaded, getattr(args, "data", None))
        if reason:
            say(f"{name} is left out: {reason}")
        else:
            chosen.append(loaded)
    return chosen


def load(name, args):
    return design.load(name, args.record, seeds=getattr(args, "seeds", None), max_steps=args.max_steps)


def train(args, folder, clock):
    from fgan.jobs import gather, train

    clock.lap("import")
    device, chosen = train.choose_device(args.device, args.stage == "train"), load(args.experiment, args)
    if args.stage == "gather":
        clock.add(gather.gather(chosen, device, folder, args.data))
    else:
        shard = chosen.shard(args.shard)
        clock.add(train.train_shard(chosen, shard, folder / "shards" / shard.name, device, args.data, args.log))


def train_all(args, record):
    from fgan.jobs import budget, train

    def say(text):
        for file in filter(None, (sys.stderr, args.log)):
            print(text, file=file, flush=True)

    device = train.choose_device(args.device)
    budget.train_all(designs(args, say), record, device, args.budget_minutes, args.cores, args.data, say)


def plan(args, record):
    from fgan.jobs import plan, train

    device = train.choose_device(args.device, used=False)
    made = plan.make(designs(args, print), plan.done(record), device, args.cores)
    print(plan.text(made.table))
    print("Minutes on an H200 rest on its data sheet; no training was timed on one.")
    if device == "cpu" and made.minutes > 60:
        print(f"There is no GPU here: this record takes about {made.minutes / 60:.0f} hours.", end=" ")
        print("A laptop's record takes minutes: --config record=quick")


if __name__ == "__main__":
    if not sys.flags.utf8_mode and locale.getencoding().lower() not in ("utf-8", "utf8"):
        # Texts are UTF-8 whatever the locale says, and so are those of the packages that read and write them.
        os.execv(sys.executable, [sys.executable, "-X", "utf8", "-m", "fgan", *sys.argv[1:]])
    os.environ["MPLBACKEND"] = "agg"  # a notebook's setting would be imported, or open windows
    try:
        status = warm.ask(sys.argv[1:])
        sys.exit(main() if status is None else status)
    except KeyboardInterrupt:
        if not warm.workflow():  # which says it once for all of its jobs
            print("\nstopped: what is finished is safe, and the same command goes on from there", file=sys.stderr)
        sys.exit(130)
