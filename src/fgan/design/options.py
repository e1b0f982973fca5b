"""Settings from outside a design: options of a command, `--config` of the workflow, and the variables FGAN_*."""

import argparse
import math
import os

from fgan.design.validation import DesignError, nearest, read_yaml, validate

CHECKPOINT = "FGAN_CHECKPOINT_SECONDS"  # between two checkpoints of a training
VARIABLES = ("FGAN_DATA", CHECKPOINT, "FGAN_WARM", "FGAN_TORTURE", "FGAN_PLACES", "FGAN_WRONG")


def count(text):
    """A number of seeds, steps or cores: a whole number of at least 1."""
    if not (text.isascii() and text.isdigit() and int(text) >= 1):
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not '{text}'")
    return int(text)


def minutes(text):
    """A number of minutes above 0; inf is one without an end."""
    if not (value := number(text)) > 0:
        raise argparse.ArgumentTypeError(f"must be a number above 0, not '{text}'")
    return value


def number(text):
    """A text as a number, nan if it is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


class Parser(argparse.ArgumentParser):
    """Answers a wrong command with one sentence, the nearest name and exit code 2, without the usage of all options."""

    def __init__(self, **settings):
        super().__init__(allow_abbrev=False, **settings)

    def parse_known_args(self, args=None, namespace=None):
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown

    def _check_value(self, action, value):
        if action.choices is not None and value not in action.choices:
            raise argparse.ArgumentError(action, f"cannot be '{value}'; {nearest(value, action.choices)}")

    def error(self, message):
        known = [flag for action in self._actions for flag in action.option_strings if flag.startswith("--")]
        unknown = message.removeprefix("unrecognized arguments: ").split()[0]
        hint = f"; {nearest(unknown, known)}" if unknown.startswith("--") and unknown in message else ""
        self.exit(2, f"error: {self.prog}: {message}{hint}\n")


def variables(environment=os.environ):
    """Raises DesignError for a variable FGAN_* that is unknown or has no possible value."""
    for name in environment:
        if name.startswith("FGAN_") and name not in VARIABLES:
            raise DesignError(f"the environment variable {name} is unknown: {nearest(name, VARIABLES)}")
    seconds = environment.get(CHECKPOINT, "0")
    if not 0 <= number(seconds) < math.inf:
        raise DesignError(f"the environment variable {CHECKPOINT} must be a number of seconds, not '{seconds}'")


def configuration(config, path):
    """The settings of `--config key=value` with their defaults, by the schema at `path`; raises DesignError."""
    schema = read_yaml(path)
    # YAML reads the name of a folder that has digits alone as a number.
    config = {key: str(v) if key == "data" and type(v) is int else v for key, v in config.items()}
    validate(config, schema, "--config", "the configuration")
    defaults = {key: own["default"] for key, own in schema["properties"].items() if "default" in own}
    chosen = defaults | config
    idle = [key for key in ("seeds", "max_steps") if key in chosen and chosen["record"] == "reference"]
    if idle:
        raise DesignError(f"--config: the record 'reference' is only shown, so '{idle[0]}' changes nothing: omit it")
    if "data" in chosen and not os.path.isdir(os.path.expanduser(chosen["data"])):
        raise DesignError(f"--config: data={chosen['data']} is no folder that is there; name that of the image sets")
    return chosen
