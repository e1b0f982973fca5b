"""Validation of YAML and settings; an error is one sentence that names the file, the key and the nearest valid name."""

import copy
import difflib
import functools
import hashlib
import json
import math
import re
from pathlib import Path

import yaml

# What a limit of JSON Schema asks for.
LIMITS = {
    "minimum": "at least {}", "maximum": "at most {}", "exclusiveMinimum": "above {}", "exclusiveMaximum": "below {}",
    "minItems": "at least {} long", "maxItems": "at most {} long", "minProperties": "at least {} long",
}  # fmt: skip
# The types of JSON Schema in words.
WORDS = {
    "object": "a mapping", "array": "a list", "string": "text", "number": "a number", "integer": "an integer",
    "boolean": "true or false", "null": "empty",
}  # fmt: skip


class DesignError(ValueError):
    """A setting that cannot be used; the message names the file, the key and the nearest valid name."""


def nearest(word, valid):
    """'did you mean ...?' with the closest of the valid names, or the list of them."""
    valid = [str(v) for v in valid]
    if str(word).lower() in ("gpu", "nvidia") and "cuda" in valid:
        return "a GPU is 'cuda'"
    close = difflib.get_close_matches(str(word), valid, n=1)
    return f"did you mean '{close[0]}'?" if close else f"valid names: {', '.join(valid)}"


def digest(value):
    """SHA-256 of a JSON-able value, independent of the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


NO_TEXT = {f"tag:yaml.org,2002:{kind}" for kind in ("bool", "int", "float", "null", "timestamp")}


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """YAML's safe loader (in C if PyYAML has it: ten times as fast), which also refuses a key that is given twice.

    PyYAML itself would silently drop the first value. A key is always text: an arm may be named on, off or 64.
    """

    def construct_mapping(self, node, deep=False):
        for key, _ in node.value:
            if key.tag in NO_TEXT:
                key.tag = "tag:yaml.org,2002:str"
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"the key '{key}' is given twice", node.start_mark)
        return super().construct_mapping(node, deep)


@functools.lru_cache
def parsed(text):
    """Content of a YAML text, parsed once per process because every experiment reads the same schema."""
    return yaml.load(text, Loader)


def read_yaml(path):
    """Content of a YAML file; raises DesignError if it is not valid YAML or not a mapping."""
    try:
        content = copy.deepcopy(parsed(Path(path).read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise DesignError(f"{path} cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise DesignError(f"{path}: not valid YAML (not UTF-8 text: {error.reason})") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise DesignError(f"{path}{where}: not valid YAML ({getattr(error, 'problem', error)})") from None
    if not isinstance(content, dict):
        raise DesignError(f"{path}: expected a mapping of settings")
    return content


def dotted(keys, index=0):
    """The place of a value in a file as text, for example optimiser.generator."""
    return ".".join(map(str, keys))


def infinite(value, keys=()):
    """The places of all numbers that are not finite."""
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        return [place for key, inner in pairs for place in infinite(inner, (*keys, key))]
    return [keys] if isinstance(value, float) and not math.isfinite(value) else []


def by_kind(kinds, **keywords):
    """The schema of a mapping whose `kind` decides which keys it may and must have: {kind: {required, properties}}."""
    cases = [
        {
            "if": {"required": ["kind"], "properties": {"kind": {"const": kind}}},
            "then": own | {"additionalProperties": False, "properties": {"kind": True} | own.get("properties", {})},
        }
        for kind, own in kinds.items()
    ]
    known = {"kind": {"enum": list(kinds)} | keywords}
    return {"type": "object", "required": ["kind"], "properties": known, "allOf": cases} | keywords


def validate(value, schema, path, place="the file", name=dotted):
    """Checks a value against a JSON schema; raises DesignError with the sentence of its first mistake.

    `place` says what the value is; `name(keys, index)` names a value within it (see `fgan.design.schemas.check`).
    """
    try:
        import jsonschema
    except ImportError:  # a training machine without it: the workflow has already validated the same file
        return
    for keys in infinite(value):
        raise DesignError(f"{path}: '{name(keys)}' must be a finite number, not nan or inf")
    # JSON calls 4000.0 an integer; range() does not.
    whole = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, v: type(v) is int)
    validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=whole)
    errors = list(validator(schema).iter_errors(value))
    if errors:
        # A misspelt key is both unknown and missing; the unknown key says more.
        first = min(errors, key=lambda e: ([*map(str, e.path)], e.validator in ("required", "anyOf")))
        raise DesignError(f"{path}: {sentence(first, place, name)}")


def sound(schema, place):
    """Raises DesignError if a schema is not a valid JSON schema."""
    try:
        from jsonschema import Draft202012Validator, SchemaError
    except ImportError:
        return
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise DesignError(f"{place} is no JSON schema ({error.message.splitlines()[0]})") from None


def sentence(error, place="the file", name=dotted):
    """One plain sentence for a jsonschema error."""
    keys = tuple(error.absolute_path)
    around = name(keys) or place
    if error.validator == "additionalProperties":
        valid = list(error.schema.get("properties", {}))
        unknown = sorted(set(map(str, error.instance)) - set(valid))[0]
        parent = name((*keys, unknown)).rpartition(unknown)[0].strip(".") or place
        return f"unknown key '{unknown}' in {parent}; {nearest(unknown, valid)}"
    if error.validator == "not":  # the schemas here use `not` only to forbid a key
        return f"'{around}' does not belong to " + (f"this kind of {keys[-2]}" if keys[1:] else place)
    if error.validator == "anyOf":  # the schemas here use `anyOf` only to require one of several keys
        return f"the key '{' or '.join(case['required'][0] for case in error.validator_value)}' is missing in {around}"
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        return f"the key '{missing[0]}' is missing in {name(keys, -1) or place}"
    described = isinstance(error.schema, dict) and "description" in error.schema
    subject = f"'{around}'" + (f" ({error.schema['description']})" if described else "")
    instance = str(error.instance) if len(str(error.instance)) <= 60 else f"{str(error.instance)[:57]}..."
    if error.validator == "enum":
        return f"{subject} cannot be '{instance}'; {nearest(error.instance, error.validator_value)}"
    if error.validator == "type":
        wanted = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
        hint = f"; write {number}" if "number" in wanted and (number := spelt(error.instance)) else ""
        if "string" in wanted and not isinstance(error.instance, dict | list):
            hint = "; put it in quotes, as YAML takes words like on, off, yes and 64 for something else"
        return f"{subject} must be {' or '.join(WORDS[w] for w in wanted)}, not '{instance}'{hint}"
    if error.validator in LIMITS:
        limit = LIMITS[error.validator].format(error.validator_value)
        return f"{subject} cannot be {instance}: it must be {limit}"
    return f"{subject} cannot be {instance}: {error.message}"


def spelt(text):
    """The spelling that YAML reads as a number (2.0e-4) for one that it reads as text (2e-4); None for other texts."""
    parts = re.fullmatch(r"([+-]?)(\d*)(\.\d*)?[eE]([+-]?)(\d+)", text) if isinstance(text, str) else None
    if not parts or not (parts[2] or parts[3]):
        return None
    return f"{parts[1]}{parts[2] or 0}{parts[3] if len(parts[3] or '') > 1 else '.0'}e{parts[4] or '+'}{parts[5]}"
