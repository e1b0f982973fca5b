"""Validation: YAML and settings are right, or one sentence names the file, the key and the nearest valid name."""

import copy
import difflib
import functools
import math
from pathlib import Path

import yaml

# What the design of an experiment that trains nothing may say.
UNTRAINED = ("title", "order", "question", "target", "measure", "figures", "tables", "deviations")


class DesignError(ValueError):
    """A setting that cannot be used; the message names the file, the key and the nearest valid name."""


def nearest(word, valid):
    """'did you mean ...?' with the closest of the valid names, or the list of them."""
    valid = [str(v) for v in valid]
    close = difflib.get_close_matches(str(word), valid, n=1)
    return f"did you mean '{close[0]}'?" if close else f"valid names: {', '.join(valid)}"


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """YAML's safe loader (in C where PyYAML has it: ten times as fast), which also refuses a key that is given twice.

    The first would be lost in silence.
    """

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"the key '{key}' is given twice", node.start_mark)
        return super().construct_mapping(node, deep)


def infinite(value, key=""):
    """The keys of all numbers that are not finite."""
    if isinstance(value, dict):
        return [found for k, v in value.items() for found in infinite(v, f"{key}.{k}".strip("."))]
    if isinstance(value, list):
        return [found for v in value for found in infinite(v, key)]
    return [key] if isinstance(value, float) and not math.isfinite(value) else []


@functools.lru_cache
def parsed(text):
    """Content of a YAML text, parsed once in a process: every arm is checked against the same schema."""
    return yaml.load(text, Loader)


def read_yaml(path):
    """Content of a YAML file; DesignError where it is not valid YAML or not a mapping."""
    try:
        content = copy.deepcopy(parsed(Path(path).read_text()))
    except UnicodeDecodeError as error:
        raise DesignError(f"{path}: not valid YAML (not UTF-8 text: {error.reason})") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise DesignError(f"{path}{where}: not valid YAML ({getattr(error, 'problem', error)})") from None
    if not isinstance(content, dict):
        raise DesignError(f"{path}: expected a mapping of settings")
    return content


def validate(settings, path, folder):
    """Checks resolved settings against schema.yaml and the experiment's own measure.yaml; raises DesignError."""
    try:
        import jsonschema
    except ImportError:  # a bare training machine: the workflow has validated the same file before
        return
    schema = read_yaml(Path(__file__).with_name("schema.yaml"))
    if not {"arms", "divergences"} & set(settings):  # nothing is trained
        schema["properties"] = {key: schema["properties"][key] for key in UNTRAINED}
        schema["required"] = [key for key in schema["required"] if key in UNTRAINED]
        del schema["anyOf"]
    own = folder / "measure.yaml"
    if own.exists():
        properties = read_yaml(own)
        schema["properties"]["measure"] |= {
            "additionalProperties": False,
            "properties": properties,
            "required": sorted(properties),
        }
    for key in infinite(settings):
        raise DesignError(f"{path}: '{key}' must be a finite number, not nan or inf")
    # JSON calls 4000.0 an integer; range() does not.
    whole = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, v: type(v) is int)
    validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=whole)
    errors = sorted(validator(schema).iter_errors(settings), key=lambda e: list(map(str, e.path)))
    if errors:
        raise DesignError(f"{path}: {sentence(errors[0])}")
    target = settings["target"]
    if target["kind"] == "mixture":
        if len({len(target[key]) for key in ("weights", "means", "variances")}) > 1:
            raise DesignError(f"{path}: a mixture needs as many weights as means and variances in 'target'")
        if not math.isclose(sum(target["weights"]), 1):
            raise DesignError(f"{path}: the weights of the mixture in 'target' must sum to 1")


def sentence(error):
    """One plain sentence for a jsonschema error."""
    key = ".".join(map(str, error.absolute_path)) or "the file"
    described = isinstance(error.schema, dict) and "description" in error.schema
    meaning = f" ({error.schema['description']})" if described else ""
    if error.validator == "additionalProperties":
        valid = list(error.schema.get("properties", {}))
        unknown = sorted(set(error.instance) - set(valid))[0]
        return f"unknown key '{unknown}' in {key}; {nearest(unknown, valid)}"
    if error.schema is False:
        return f"'{key}' does not belong to this kind of {error.absolute_path[0]}"
    if error.validator == "anyOf":
        return "the key 'generator' (or, for a model with mean and standard deviation, 'start') is missing in the file"
    if error.validator == "required":
        missing = [k for k in error.validator_value if k not in error.instance]
        return f"the key '{missing[0]}' is missing in {key}"
    if error.validator == "enum":
        return f"'{key}'{meaning} cannot be '{error.instance}'; {nearest(error.instance, error.validator_value)}"
    if error.validator == "type":
        return f"'{key}'{meaning} must be of type {error.validator_value}, not '{error.instance}'"
    return f"'{key}'{meaning} cannot be {error.instance}: {error.message}"
