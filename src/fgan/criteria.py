"""Criteria: reads the claims of an experiment; a wrong one is a sentence that names the file, the claim and the key."""

import re
from pathlib import Path

from fgan.validation import DesignError, nearest, read_yaml

CLAIM_KEYS = ("id", "exercise", "statement", "source", "published", "known", "seeds", "scale", "checks")
CHECK_KEYS = (
    "kind",
    "metric",
    "where",
    "each",
    "minus",
    "minus_baseline",
    "minus_sampler",
    "sampler",
    "at_least",
    "at_most",
    "low",
    "high",
)
# The kinds of checks, each with the keys of which it needs one.
KINDS = {
    "mean": (), "share": ("at_least", "at_most"), "difference": ("minus",), "equal": ("minus",),
    "baseline": ("sampler",), "statistic": ("statistic",),
}  # fmt: skip


def read(path):
    """The claims of an experiment; raises DesignError for a key or name that is unknown or missing."""
    claims = read_yaml(path).get("claims")
    if not isinstance(claims, list) or not all(isinstance(claim, dict) for claim in claims):
        raise DesignError(f"{path}: expected the key 'claims' with a list of claims")
    for claim in claims:
        where = f"claim '{claim.get('id', '?')}'"
        known(claim, CLAIM_KEYS, ("id", "statement", "source", "checks"), where, path)
        for check in claim["checks"]:
            over_runs = check.get("kind") == "statistic"
            valid = ("kind", "statistic", "low", "high") if over_runs else CHECK_KEYS
            known(check, valid, ("kind", "statistic" if over_runs else "metric"), where, path)
            if check["kind"] not in KINDS:
                raise DesignError(f"{path}: unknown kind '{check['kind']}' in {where}; {nearest(check['kind'], KINDS)}")
            for either in (("low", "high"), KINDS[check["kind"]]):
                if either and not set(either) & set(check):
                    raise DesignError(f"{path}: the key '{' or '.join(either)}' is missing in {where}")
            names(check, where, path)
    return claims


def statistics(path):
    """Names of the statistics that the figures.py beside a claims.yaml defines."""
    source = Path(path).with_name("figures.py")
    return re.findall(r"^def statistic_(\w+)\(", source.read_text(), re.M) if source.exists() else []


def known(found, valid, required, where, path):
    """Raises DesignError for a key that is not valid, or that is required and missing."""
    for key in found:
        if key not in valid:
            raise DesignError(f"{path}: unknown key '{key}' in {where}; {nearest(key, valid)}")
    for key in required:
        if key not in found:
            raise DesignError(f"{path}: the key '{key}' is missing in {where}")


def names(check, where, path):
    """Raises DesignError for a column, divergence, objective or statistic that does not exist."""
    from fgan.divergences import DIVERGENCES

    if "statistic" in check and check["statistic"] not in (defined := statistics(path)):
        which = f"'{check['statistic']}' in {where}; {nearest(check['statistic'], defined)}"
        raise DesignError(f"{path}: unknown statistic {which}")
    valid = {"arm": None, "divergence": DIVERGENCES, "objective": ("saddle", "alternative", "elbo"), "seed": None}
    pairs = [pair for key in ("where", "minus") for pair in check.get(key, {}).items()]
    pairs += [("divergence", check.get("each", {}).get(key, [])) for key in ("only", "except")]
    for column, wanted in pairs:
        if column not in valid:
            raise DesignError(f"{path}: unknown column '{column}' in {where}; {nearest(column, valid)}")
        for name in wanted if isinstance(wanted, list) else [wanted]:
            if valid[column] and name not in valid[column]:
                raise DesignError(f"{path}: unknown {column} '{name}' in {where}; {nearest(name, valid[column])}")
