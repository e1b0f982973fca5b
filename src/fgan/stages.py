"""The command line: every stage with its options."""

import math
from pathlib import Path

from fgan import design
from fgan.design.options import Parser, count, minutes

DESCRIPTION = "Every stage of the workflow as a command: python -m fgan STAGE --record quick ..."
OPTIONS = {
    "record": {"default": "full", "choices": design.RECORDS, "help": "name of the record (its scale)"},
    "experiment": {"required": True, "help": "folder in experiments/"},
    "shard": {"required": True, "help": "for example tanh-seed0"},
    "name": {"required": True, "help": "for example ring_modes"},
    "device": {"default": "auto", "choices": ("auto", "cpu", "cuda"), "help": "auto takes a GPU if there is one"},
    "data": {"help": "folder with the image sets (default: FGAN_DATA, else data/)"},
    "only": {"nargs": "+", "help": "names of experiments (default: all)"},
    "budget-minutes": {
        "type": minutes,
        "default": math.inf,
        "help": "stop after so long; the same command continues",
    },
    "cores": {"type": count, "help": "cores to train on (default: all)"},
    "seeds": {"type": count, "help": "number of seeds, instead of the scale's own"},
    "max-steps": {"type": count, "help": "cut every training to this many steps"},
    "table": {"help": "list the keys of a table's cells, for example ring_modes"},
    "to": {"default": "retrained", "help": "folder for what is trained again (default: retrained)"},
    "all": {"action": "store_true", "help": "also show what is the same"},
    "without-pdf": {"action": "store_true", "help": "do not compile the PDFs again to compare their text"},
    "log": {"type": Path, "help": "file for plain lines of progress and for errors, beside the terminal"},
}
POSITIONAL = {
    "experiment_name": {"metavar": "experiment", "help": "folder in experiments/"},
    "data_set": {"choices": ("mnist",)},
    "formulas": {"metavar": "FILE.py:NAME", "help": "an object with f, conjugate, activation (docs/check.md)"},
    "key": {"nargs": "?", "help": "for example ring.tanh.kl.saddle.modes, claim.ID, table.ring_modes.1.5, figure.NAME"},
    "run": {"metavar": "RUN", "help": "experiment/arm/divergence/objective/seed, for example ring/tanh/kl/saddle/0"},
    "a": {"metavar": "A", "help": "a record's name or folder"},
    "b": {"metavar": "B", "help": "another one's"},
}
STAGES = {
    "plan": ("print the cost of a record before it starts", "record only device cores seeds max-steps"),
    "design": ("print the resolved design of an experiment", "experiment_name record seeds max-steps"),
    "validate": ("check every experiment: design, functions, claims", "record seeds max-steps"),
    "fetch": ("download a data set once, verified by checksum", "data_set data log"),
    "train": ("train one shard of a population", "record experiment shard device data max-steps log"),
    "train-all": (
        "train a whole record without the workflow, for a machine with little more than torch",
        "record budget-minutes only device cores data seeds max-steps log",
    ),
    "gather": ("join the shards of an experiment into its part", "record experiment device data seeds max-steps log"),
    "draw": ("draw the figures and write the tables of an experiment", "record experiment log"),
    "figure": ("draw one figure", "record name log"),
    "table": ("write one table", "record name log"),
    "animate": ("draw an animation, for example mode_dynamics_ring, as a GIF", "record name log"),
    "theory": ("draw and check the table of divergences", "record log"),
    "claims": ("judge every claim", "record log"),
    "numbers": ("write the numbers of the paper, each with its source", "record log"),
    "paper": ("compile the paper and its supplement", "record log"),
    "audit": ("make all that a record shows again, and say what differs", "record without-pdf log"),
    "explain": ("trace a number, table cell, figure, claim or statistic to its runs", "key record table"),
    "compare": ("compare two records, verdict by verdict and number by number", "a b all"),
    "retrain": ("train one run of a record again, and compare it", "run record to device data log"),
    "explorer": ("write one page with every run and every claim, without network", "record log"),
    "bundle": ("write a record with its code as an RO-Crate, for an archive", "record"),
    "publish": ("copy a record's parts to the committed one, results/reference", "record only"),
    "check": ("check anyone's formulas of an f-divergence, one verdict a line", "formulas"),
    "pages": ("write the generated pages: README's findings, VERDICTS.md, claims.json, and three of docs/", ""),
}


def arguments(words):
    """The stage and its options; an error of the user's ends with status 2 and one sentence."""
    parser = Parser(prog="python -m fgan", description=DESCRIPTION)
    stages = parser.add_subparsers(dest="stage", required=True, metavar="STAGE")
    for stage, (text, options) in STAGES.items():
        sub = stages.add_parser(stage, help=text, description=text)
        for option in options.split():
            flag, settings = (option, POSITIONAL[option]) if option in POSITIONAL else (f"--{option}", OPTIONS[option])
            sub.add_argument(flag, **settings)
    return parser.parse_args(words)
