"""Resolution: the settings of a design at one scale.

The values of a file are those of `full`; the block of another scale overrides them, after those of the scale that it is
`like`. An arm overrides the common
settings, first with the changes of the arm that it is `like`, then with its own. An arm may be trained `from` a scale
on; a smaller scale trains it where its `only` names it. An entry of `arms` with a `grid`
stands for a family of arms, one for each combination of levels.
"""

import contextlib
import itertools

from fgan.design.designs import SCALES
from fgan.design.validation import DesignError, nearest


def merge(common, changes):
    """The common settings with changes merged in key by key.

    Two mappings are replaced as a whole: one of another `kind`, and the seeds by divergence.
    """
    if "kind" in common and changes.get("kind", common["kind"]) != common["kind"]:
        return dict(changes)
    merged = dict(common)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(common.get(key), dict) and key != "seeds"
        merged[key] = merge(common[key], value) if both else value
    return merged


def without(settings, *keys):
    """The settings without some of their keys."""
    return {key: value for key, value in settings.items() if key not in keys}


def block(raw, scale):
    """What differs at a scale, with the differences of the scale that it is `like` beneath its own."""
    own = raw["scales"].get(scale) or {}
    model = own.get("like", scale)  # a scale that is like itself keeps the word, which no setting has
    return own if model == scale else merge(block(raw, model), without(own, "like"))


def at_scale(raw, scale, path):
    """(common settings, changes by arm) of a design's file at a scale, without the arms that are left out there.

    Raises DesignError if `like`, `only` or the scale's own `arms` name an arm that does not exist.
    """
    own = block(raw, scale)
    common = merge(without(raw, "arms", "scales"), without(own, "arms", "only"))
    arms = models(families(raw, scale, path), path)
    if "only" in own:
        for arm in own["only"]:
            known(arm, arms, f"scales.{scale}.only", path)
    wanted = own.get("only") or [a for a in arms if SCALES.index(arms[a].get("from", scale)) <= SCALES.index(scale)]
    return common, {arm: without(changes, "from") for arm, changes in arms.items() if arm in wanted}


def arms_of(raw):
    """Names of all arms of a design's file."""
    return [
        arm for name, own in raw.get("arms", {}).items()
        for arm in (family(own) if "grid" in (own or {}) else [name])
    ]  # fmt: skip


def families(raw, scale, path):
    """Changes by arm at a scale, with every family written out."""
    changed = {arm: own or {} for arm, own in block(raw, scale).get("arms", {}).items()}
    arms = {}
    for name, own in raw.get("arms", {}).items():
        changes = merge(own or {}, changed.get(name, {}))
        members = family(changes) if "grid" in changes else {name: changes}
        for arm in members:
            if arm in arms:
                raise DesignError(f"{path}: two arms are named '{arm}', one of them by a grid")
        arms |= members
    for arm in without(changed, *raw.get("arms", {})):
        known(arm, arms | raw.get("arms", {}), f"scales.{scale}.arms", path)
        arms[arm] = merge(arms[arm], changed[arm])
    return arms


def family(changes):
    """The arms of a grid, by the names of their levels; the last axis runs fastest.

    An arm's factor is the name of its level, unless the level sets it under `factors`.
    """
    arms = {}
    for levels in itertools.product(*(axis.items() for axis in changes["grid"].values())):
        settings = without(changes, "grid")
        for axis, (level, own) in zip(changes["grid"], levels, strict=True):
            settings = merge(settings, {"factors": {axis: plain(level)}} | (own or {}))
        arms["_".join(level for level, _ in levels)] = settings
    return arms


def plain(level):
    """The number that a level's name is, or the name."""
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(level)
    return level


def models(arms, path):
    """Changes by arm, each merged over the changes of the arm that it is `like`."""

    def changes(arm, followed=()):
        if arm in followed:
            raise DesignError(f"{path}: the arm '{arm}' is like itself ({' -> '.join((*followed, arm))})")
        model = arms[arm].get("like")
        if model is None:
            return arms[arm]
        known(model, arms, f"arms.{arm}.like", path)
        return merge(changes(model, (*followed, arm)), without(arms[arm], "like"))

    return {arm: changes(arm) for arm in arms}


def known(arm, arms, key, path):
    """Raises DesignError if no arm has this name."""
    if arm not in arms:
        raise DesignError(f"{path}: '{key}' names no arm '{arm}'; {nearest(arm, arms)}")
