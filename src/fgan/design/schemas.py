"""Schemas: the shared schema of designs, the additions in an experiment's own schema.yaml, and checks against them."""

import math
import re
from pathlib import Path

from fgan.design.resolution import arms_of
from fgan.design.validation import DesignError, by_kind, dotted, nearest, read_yaml, sound, validate

# The keys that an experiment without training may have.
UNTRAINED = ("title", "order", "value", "question", "target", "measure", "figures", "tables", "deviations")
# The keys of an experiment.yaml that are resolved before a scale's settings are checked.
FORM = ("arms", "scales", "factors", "grid", "like", "only", "from")

# Names of arms are those of files, of the words of a shell and of TeX's macros.
ARM = re.compile(r"[A-Za-z0-9][\w.+=-]{0,59}", re.ASCII)


def shared():
    """The content of the shared schema.yaml."""
    return read_yaml(Path(__file__).with_name("schema.yaml"))


def read(path):
    """Content of an experiment.yaml after a check of its form; raises DesignError."""
    raw, schema = read_yaml(path), shared()
    validate(raw, inline(schema["form"], schema["$defs"]), path)
    for arm in arms_of(raw):
        if not ARM.fullmatch(arm):
            raise DesignError(f"{path}: an arm is named {arm!r}; write up to 60 letters, digits and any of _ . + = -")
    return raw


def settings(folder, trained=True):
    """The schema of an experiment's settings at one scale; raises DesignError for a wrong schema.yaml in its folder."""
    content, own = shared(), added(folder)
    schema, definitions = content["settings"], content["$defs"]
    properties = schema["properties"]
    if trained:
        from fgan.divergences import DIVERGENCES

        for name in ("divergence", "divergences"):
            definitions[name]["enum"] += DIVERGENCES
        properties["objectives"]["items"]["enum"] += own.get("objectives", [])
    else:
        properties = {key: properties[key] for key in properties if key in (*UNTRAINED, *FORM)}
        schema["required"] = [key for key in schema["required"] if key in UNTRAINED]
        del schema["anyOf"]
    properties["target"] = by_kind(content["targets"] | own.get("target", {}), description="the data distribution P")
    if "measure" in own:
        needed = {"properties": own["measure"], "required": sorted(own["measure"]), "additionalProperties": False}
        properties["measure"] |= needed
    schema["properties"] = properties | own.get("settings", {})
    schema["required"] += own.get("settings", {})
    try:
        return inline(schema, definitions)
    except KeyError as error:
        name = error.args[0]
        raise DesignError(f"{folder}/schema.yaml: no definition '{name}'; {nearest(name, definitions)}") from None


def added(folder):
    """The content of an experiment's own schema.yaml, {} without one; raises DesignError if it is invalid."""
    path = Path(folder, "schema.yaml")
    own = read_yaml(path) if path.exists() else {}
    validate(own, shared()["own"], path)
    for part in ("measure", "settings", "target"):
        for name, schema in own.get(part, {}).items():
            sound(schema, f"{path}: '{part}.{name}'")
    return own


def inline(schema, definitions):
    """A schema with each `$ref` replaced by the definition that it names; keywords beside the `$ref` override it."""
    if isinstance(schema, list):
        return [inline(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    beside = {key: inline(part, definitions) for key, part in schema.items() if key != "$ref"}
    if "$ref" not in schema:
        return beside
    return inline(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions) | beside


def check(chosen, schema, path, sources):
    """Checks settings at one scale; raises DesignError with the sentence of the first mistake.

    `sources` are the mappings that the settings were merged from, by their places in the file, the last change first.
    """

    def name(keys, index=0):
        """The place of a value in the file: where it was changed last, or (index -1) where it was first set."""
        holders = [place for place, source in sources.items() if keys and holds(source, keys)]
        return dotted((*filter(None, holders[index : index + 1 or None]), *keys))

    validate(chosen, schema, path, name=name)
    target = chosen["target"]
    if target["kind"] == "mixture":
        if len({len(target[key]) for key in ("weights", "means", "variances")}) > 1:
            raise DesignError(f"{path}: a mixture needs as many weights as means and variances in 'target'")
        if not math.isclose(sum(target["weights"]), 1):
            raise DesignError(f"{path}: the weights of the mixture in 'target' must sum to 1")


def holds(value, keys):
    """Whether a value has an entry under these nested keys."""
    for key in keys:
        if not isinstance(value, dict | list) or key not in (value if isinstance(value, dict) else range(len(value))):
            return False
        value = value[key]
    return True
