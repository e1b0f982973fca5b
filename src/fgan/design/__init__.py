"""Designs: reads and validates an experiment's experiment.yaml and claims.yaml."""

from fgan.design.claims import criteria_hash, unique_ids
from fgan.design.claims import read as read_claims
from fgan.design.claims import read_all as all_claims
from fgan.design.designs import RECORDS, SCALES, SHOWN, Design, seeds_of
from fgan.design.load import by_value, captions, find, left_out, load, resolved, text
from fgan.design.options import configuration, variables
from fgan.design.packages import module
from fgan.design.resolution import merge
from fgan.design.runs import Run, Shard
from fgan.design.validation import DesignError, digest, nearest, read_yaml

__all__ = [
    "RECORDS",
    "SCALES",
    "SHOWN",
    "Design",
    "DesignError",
    "Run",
    "Shard",
    "all_claims",
    "by_value",
    "captions",
    "configuration",
    "criteria_hash",
    "digest",
    "find",
    "left_out",
    "load",
    "merge",
    "module",
    "nearest",
    "read_claims",
    "read_yaml",
    "resolved",
    "seeds_of",
    "text",
    "unique_ids",
    "variables",
]
