"""Designs: finds the experiments, and reads an experiment.yaml at one scale, resolved and validated."""

import math
import re
from pathlib import Path

import yaml

from fgan.design import schemas
from fgan.design.designs import SCALES, SHOWN, Design
from fgan.design.resolution import at_scale, block, merge, without
from fgan.design.texts import unprintable
from fgan.design.validation import DesignError, nearest, read_yaml


def find(root="experiments"):
    """Names of all experiments (the folders with an experiment.yaml), in the order of the paper."""
    if not Path(root).is_dir():
        raise DesignError(f"there is no folder '{root}' here; run this in the root of the repository")
    orders = {}
    for path in Path(root).glob("*/experiment.yaml"):
        if not re.fullmatch(r"[A-Za-z]\w{0,59}", path.parent.name, re.ASCII):
            wrong = f"{str(path.parent)!r}: the name of an experiment has up to 60 letters, digits and _ alone"
            raise DesignError(f"{wrong}; rename the folder")
        orders[path.parent.name] = order = read_yaml(path).get("order", math.inf)
        if not isinstance(order, int | float):
            raise DesignError(f"{path}: 'order' (place of the experiment in the paper) must be a number, not '{order}'")
    return sorted(orders, key=lambda name: (orders[name], name))


def by_value(designs):
    """Designs in the order in which they are trained: the most valuable first, then in the order of the paper."""
    return sorted(designs, key=lambda one: (one.common.get("value", math.inf), one.common.get("order", math.inf)))


def load(name, scale, root="experiments", seeds=None, max_steps=None):
    """Design of one experiment at one scale, validated; `seeds` and `max_steps` change the scale's own values.

    Raises DesignError with one sentence for an unreadable file, an unknown key, a wrong type or an impossible value.
    """
    if name not in find(root):
        raise DesignError(f"no experiment '{name}' in {root}/: {nearest(name, find(root))}")
    if scale not in SCALES:
        raise DesignError(f"no scale '{scale}': {nearest(scale, SCALES)}")
    changed = {key: value for key, value in (("seeds", seeds), ("max_steps", max_steps)) if value is not None}
    for key, value in changed.items():
        if value < 1:
            raise DesignError(f"{key}={value}: must be at least 1")
    folder = Path(root, name)
    path = folder / "experiment.yaml"
    raw = schemas.read(path)
    printable(raw, path)
    own, trained = block(raw, scale), "arms" in raw or "divergences" in raw
    keep_shown(without(own, "value"), f"scales.{scale}", path)  # what is worth most may differ by scale
    schema = schemas.settings(folder, trained)
    common, arms = at_scale(raw, scale, path)
    if not trained:
        schemas.check(common, schema, path, {f"scales.{scale}": own, "": raw})
        return Design(name, scale, folder, common)
    if not arms:
        raise DesignError(f"{path}: 'arms' is missing or empty; write at least one, for example 'main: {{}}'")
    whole = {arm: merge(common, changes) for arm, changes in arms.items()}
    for arm, changes in arms.items():
        keep_shown(changes, f"arms.{arm}", path)
        inner = own.get("arms", {}).get(arm) or {}
        sources = {f"scales.{scale}.arms.{arm}": inner, f"arms.{arm}": changes, f"scales.{scale}": own, "": raw}
        schemas.check(without(whole[arm], "factors"), schema, path, sources)
    wanted = {arm: {} if seeds else seeds_by_divergence(settings) for arm, settings in whole.items()}
    most = {arm: seeds or max(wanted[arm].values()) for arm in whole}
    return Design(
        name, scale, folder,
        common=without(common, "factors") | ({"seeds": shared} if (shared := seeds or largest(common)) else {}),
        arms={arm: deciding(settings, max_steps) for arm, settings in whole.items()},
        seeds=most,
        fewer={arm: {d: n for d, n in own.items() if n < most[arm]} for arm, own in wanted.items()},
        changed=changed,
        factors={arm: settings.get("factors", {}) for arm, settings in whole.items()},
    )  # fmt: skip


def printable(raw, path):
    """Raises DesignError for a text that the paper cannot print, or a figure or table that no function can make."""
    texts = {key: raw[key] for key in ("title", "question") if isinstance(raw.get(key), str)}
    for kind in ("figures", "tables", "deviations"):
        own = raw.get(kind) or {}
        texts |= {f"{kind}.{k}": v for k, v in (own.items() if isinstance(own, dict) else enumerate(own))}
        for name in own if isinstance(own, dict) else ():
            if not re.fullmatch(r"[A-Za-z]\w{0,59}", name, re.ASCII):
                raise DesignError(f"{path}: '{kind}' names {name!r}; write up to 60 letters, digits and _ alone")
    for key, text in texts.items():
        if isinstance(text, str) and (wrong := unprintable(text)):
            raise DesignError(f"{path}: '{key}' {wrong}")


def deciding(settings, max_steps):
    """The settings of an arm that decide its runs, with divergences by name and no more steps than `max_steps`.

    A run that is cut shorter than its history's interval keeps an entry half-way, so that there is a path to draw.
    """
    chosen = without(settings, *SHOWN, "seeds", "factors") | {"divergences": expand(settings["divergences"])}
    if max_steps is None or max_steps >= settings["steps"]:
        return chosen
    interval = settings["history"] if settings["history"] < max_steps else max(1, max_steps // 2)
    return chosen | {"steps": max_steps, "history": interval}


def largest(settings):
    """The largest number of seeds that settings name, None if they name none."""
    seeds = settings.get("seeds")
    return max(seeds.values()) if isinstance(seeds, dict) else seeds


def seeds_by_divergence(settings):
    """{divergence: number of seeds} of an arm."""
    seeds = settings["seeds"] if isinstance(settings["seeds"], dict) else {"all": settings["seeds"]}
    return {name: seeds.get(name, seeds["all"]) for name in expand(settings["divergences"])}


def keep_shown(changes, key, path):
    """Raises DesignError if a scale or an arm changes a setting of the whole experiment."""
    for shown in SHOWN:
        if shown in changes:
            raise DesignError(f"{path}: '{key}' cannot change '{shown}', which belongs to the whole experiment")


def expand(names):
    """Names of divergences in the table's order; the word `all` stands for the whole table."""
    from fgan.divergences import DIVERGENCES

    return [name for name in DIVERGENCES if "all" in names or name in names]


def left_out(name, root="experiments"):
    """The reason why a complete record lacks an experiment, as a phrase for the paper."""
    optional = read_yaml(Path(root, name, "experiment.yaml")).get("optional")
    return "not run: no data" if optional else "not part of this record"


def captions(kind, root="experiments"):
    """All figures (or tables): {<experiment>_<short name>: (experiment, short name, caption)}."""
    return {
        f"{experiment}_{short}": (experiment, short, " ".join(caption.split()))
        for experiment in find(root)
        for short, caption in read_yaml(Path(root, experiment, "experiment.yaml")).get(f"{kind}s", {}).items()
    }


def resolved(name, scale, **options):
    """The resolved design of an experiment as plain data; `options` and errors are those of `load`."""
    return plain(load(name, scale, **options))


def text(design):
    """A resolved design as YAML."""
    return yaml.dump(plain(design), Dumper=Plain, sort_keys=False, width=110, allow_unicode=True)


def plain(design):
    """A design as plain data: the keys of the whole experiment, then each arm in full."""
    shared = {key: value for key, value in design.common.items() if key in SHOWN or not design.arms}
    arms = {
        arm: {"factors": design.factors[arm], "seeds": design.seeds[arm]}
        | ({"fewer": design.fewer[arm]} if design.fewer[arm] else {})
        | settings
        for arm, settings in design.arms.items()
    }
    return {"name": design.name, "scale": design.scale} | shared | ({"arms": arms} if arms else {})


class Plain(yaml.SafeDumper):
    """Writes YAML as if by hand: no anchors, short collections on one line, long texts folded."""

    def ignore_aliases(self, data):
        return True

    def represent_mapping(self, tag, mapping, flow_style=None):
        return super().represent_mapping(tag, mapping, flow_style=len(str(mapping)) < 100)

    def represent_sequence(self, tag, sequence, flow_style=None):
        numbers = all(isinstance(value, int | float) for value in sequence)
        return super().represent_sequence(tag, sequence, flow_style=numbers or len(str(sequence)) < 100)

    def represent_str(self, data):
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=">" if len(data) > 100 else None)


Plain.add_representer(str, Plain.represent_str)
