"""Claims: reads a claims.yaml; the error for a mistake names the file, the claim and the key in one sentence."""

import copy
import re
from functools import lru_cache
from pathlib import Path

from fgan.design import schemas
from fgan.design.designs import SCALES
from fgan.design.load import find
from fgan.design.resolution import arms_of
from fgan.design.texts import unprintable
from fgan.design.validation import DesignError, by_kind, digest, read_yaml, validate

# The keys of a claim that decide its verdict; the others are wording.
CRITERIA = ("id", "seeds", "scale", "published_steps", "needs", "checks")


def read(path):
    """The claims of an experiment as a list; raises DesignError for a key or name that is unknown or missing."""
    beside = (Path(path), *(Path(path).with_name(name) for name in ("experiment.yaml", "schema.yaml", "figures.py")))
    return copy.deepcopy(checked(path, *(file.read_bytes() if file.exists() else None for file in beside)))


@lru_cache(maxsize=64)
def checked(path, *contents):
    """The same, read once for the `contents` that its file and those beside it have."""
    claims = listed(path)
    unique({path: claims})
    claim_schema, check_schema = schema(path)
    for claim in claims:
        where = f"{path}, claim '{claim.get('id', '?')}'"
        validate(claim, claim_schema, where, "the claim")
        for number, check in enumerate(claim["checks"], 1):
            validate(check, check_schema, f"{where}, check {number}", "the check")
        for key in ("statement", "source", "published", "reason"):
            if isinstance(claim.get(key), str) and (wrong := unprintable(claim[key])):
                raise DesignError(f"{where}: '{key}' {wrong}")
        for key, why in needed(claim):
            if key not in claim:
                raise DesignError(f"{where}: the key '{key}' is missing; {why}")
    return claims


def needed(claim):
    """(key, what it says) of the keys that a claim needs because of its others."""
    if claim["kind"] == "published":
        yield "needs", "it says what of the published setting a verdict needs, {} if nothing"
    if "length" in claim.get("needs", {}):
        yield "published_steps", "it says of what length a verdict needs a share"


def read_all(root="experiments"):
    """The claims of every experiment in the order of the paper, {experiment: claims}.

    Raises DesignError for an id that two claims share: numbers and verdicts name a claim by its id alone.
    """
    unique_ids(root)
    paths = {name: Path(root, name, "claims.yaml") for name in find(root)}
    return {name: read(path) if path.exists() else [] for name, path in paths.items()}


def unique_ids(root="experiments"):
    """Raises DesignError for an id that two claims of any files share."""
    paths = (Path(root, name, "claims.yaml") for name in find(root))
    unique({path: listed(path) for path in paths if path.exists()})


def unique(files):
    """Raises DesignError for an id that two claims of {path: claims} share."""
    owners = {}
    for path, claims in files.items():
        for claim in claims:
            name = claim.get("id")
            if name is not None and (owner := owners.setdefault(str(name), (path, claim)))[1] is not claim:
                other = "another claim of this file" if owner[0] == path else f"a claim of {owner[0]}"
                raise DesignError(f"{path}: the id '{name}' belongs to {other} already; give this claim one of its own")


def criteria_hash(path):
    """SHA-256 of the criteria of an experiment's claims; their wording, order and comments do not change it."""
    criteria = [{key: claim[key] for key in CRITERIA if key in claim} for claim in listed(path)]
    return digest(sorted(criteria, key=lambda claim: str(claim.get("id"))))


def listed(path):
    """The claims of a file before they are checked; raises DesignError if the file has no list of claims."""
    claims = read_yaml(path).get("claims")
    if not isinstance(claims, list) or not all(isinstance(claim, dict) for claim in claims):
        raise DesignError(f"{path}: expected the key 'claims' with a list of claims")
    return claims


def schema(path):
    """The schemas of a claim and of a check, with all names that are valid beside this file."""
    from fgan.divergences import DIVERGENCES

    content, folder = read_yaml(Path(__file__).with_name("claims_schema.yaml")), Path(path).parent
    definitions = content["$defs"]
    definitions["scale"]["enum"] += SCALES
    definitions["divergence"]["enum"] += DIVERGENCES
    definitions["objective"]["enum"] += schemas.added(folder).get("objectives", [])
    definitions["statistic"]["enum"] += statistics(folder / "figures.py")
    if (folder / "experiment.yaml").exists():
        definitions["arm"]["enum"] += arms_of(schemas.read(folder / "experiment.yaml"))
    else:
        definitions["arm"] = {"type": "string"}
    kinds = {kind: keys_of(row, content["keys"]) for kind, row in content["kinds"].items()}
    check = by_kind(kinds, description="how it is judged")
    return schemas.inline(content["claim"], definitions), schemas.inline(check, definitions)


def keys_of(row, keys):
    """The schema of a kind of check from its row in the table of kinds."""
    bounds = () if "margin" in row["required"] else ("low", "high")
    valid, pairs = (*row["required"], *row["optional"], *bounds), filter(None, (bounds, row.get("either")))
    return {
        "required": row["required"], "properties": {key: keys[key] for key in valid},
        "allOf": [{"anyOf": [{"required": [key]} for key in pair]} for pair in pairs],
    }  # fmt: skip


def statistics(path):
    """Names of the statistics that a figures.py defines."""
    return re.findall(r"^def statistic_(\w+)\(", path.read_text(), re.M) if path.exists() else []
