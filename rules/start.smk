"""What happens before the first job of a workflow and after its last: lock, warm process, plan, watch, times."""

import contextlib
import logging
import re
import shlex
import shutil

from snakemake_interface_logger_plugins.common import LogEvent

from fgan.files import alone
from fgan.jobs import plan, warm, watch

HELD = contextlib.ExitStack()  # holds the record's lock, which is released when this process ends


STOPPED = []  # holds the sentence on what is safe once the user has stopped the workflow


def told(record):
    """Whether a message of Snakemake's is shown: not those of each job, because the watch says how far the record is.

    After Ctrl-C one sentence stands for all: Snakemake's are of jobs that failed, and none did.
    """
    if not STOPPED and record.getMessage().startswith("Terminating processes on user request"):
        again = shlex.join(["snakemake", *sys.argv[1:]])
        STOPPED.append(f"stopped: what {RECORD} holds is safe; go on from the last checkpoints with: {again}")
        print(STOPPED[0], file=sys.stderr, flush=True)
    each = getattr(record, "event", None) in (LogEvent.PROGRESS, LogEvent.JOB_FINISHED)
    return not STOPPED and not each and not record.getMessage().startswith(("Select jobs to execute", "Execute "))


def begin():
    """Before the first job, locks the record, starts the warm process and prints the plan of the training."""
    try:
        if workflow.local_exec:
            choose_device(config["device"])
        elif config["device"] == "auto":
            raise RecordError("this machine cannot see what the cluster's nodes have: set device=cpu or device=cuda")
        HELD.enter_context(alone(RECORD))
        slots = workflow.cores if workflow.local_exec else workflow.nodes  # shards that train side by side
        if workflow.local_exec:
            HELD.enter_context(warm.process(RECORD))
            # Snakemake 9.27 limits jobs per second by a timer that it starts at every scan of its jobs, and each timer
            # causes another scan: with a hundred jobs or more this takes a third of a core. Local jobs need no limit.
            workflow.scheduler.job_rate_limiter = None
        if TRAINED:
            named = [n for n in DESIGNS if any(re.fullmatch(f"((figure|table)_)?{n}(_.*)?", a) for a in sys.argv)]
            wanted = [DESIGNS[name] for name in named] or DESIGNS.values()
            made = plan.make(wanted, plan.done(Path(RECORD)), DEVICE, slots)
            print(plan.text(made.table), file=sys.stderr)
            HELD.enter_context(watch.watching(RECORD, made, workflow.cores if workflow.local_exec else None, BEGAN))
    except RecordError as error:
        refuse(error)
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
