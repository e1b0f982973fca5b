"""paper/published/protocols.csv: what it says of our settings is what the designs resolve to at extended."""

import csv
import json

import pytest
from small import EXPERIMENTS, ROOT

from fgan import design

with (ROOT / "paper/published/protocols.csv").open() as file:
    ROWS = list(csv.DictReader(file))
SET = [row for row in ROWS if row["setting"]]
DESIGNS = {name: design.load(name, "extended", EXPERIMENTS) for name in {row["setting"].split(".")[0] for row in SET}}
UNPUBLISHED = {"none", "no penalty", "gradient_penalty", "R1 and R2"}  # remedies that these sources lack


def resolved(setting):
    """The value at a place <experiment>.<arm>.<key>..., where a number counts the entries of a list."""
    name, arm, *keys = setting.split(".")
    if keys == ["seeds"]:
        return DESIGNS[name].seeds[arm]
    value = DESIGNS[name].arms[arm]
    for key in keys:
        value = value[int(key) if isinstance(value, list) else key]
    return value


@pytest.mark.parametrize("row", SET, ids=lambda row: f"{row['protocol']}: {row['quantity']}")
def test_ours_is_the_design(row):
    assert row["ours"] == json.dumps(resolved(row["setting"]))


def test_a_row_is_the_same_where_both_values_are_and_else_gives_a_reason():
    found = {(row["same"], row["ours"] == row["source_value"], bool(row["reason"])) for row in ROWS}
    assert found == {("yes", True, False), ("no", False, True)}
    assert all(row[key] for row in ROWS for key in ("protocol", "quantity", "source_value", "source"))
    assert {row["known"] for row in ROWS} <= {"primary", "quoted", "secondary", "recalled"}
    assert len({(row["protocol"], row["quantity"]) for row in ROWS}) == len(ROWS)


def test_every_arm_with_published_settings_is_compared():
    named = {tuple(row["setting"].split(".")[:2]) for row in SET}
    arms = {("remedies", arm) for arm, own in DESIGNS["remedies"].factors.items() if own["published"]}
    stacked = DESIGNS["stacked"].factors.items()
    arms |= {("stacked", arm) for arm, own in stacked if own["remedy"] not in UNPUBLISHED or arm in ("veegan",)}
    assert not arms - named
