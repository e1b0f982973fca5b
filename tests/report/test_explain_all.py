"""Every number of a paper can be explained, whoever made it."""

from pathlib import Path

import pandas as pd
import pytest

from fgan.files import RecordError
from fgan.report import numbers
from fgan.report.explain import explain


@pytest.mark.slow
def test_every_key_of_the_numbers_is_explained(shown_here):
    record = Path("results/smoke")
    keys = pd.read_csv(record / "numbers.csv", keep_default_na=False).key
    for key in keys:
        value, *rest = explain(record, key)
        assert key.removesuffix(".measured") in value and rest
    made = {key.partition(".")[0] for key in keys}
    assert {"toy", "page", "record", "formula", "caption", "told", "claim", "claims"} <= made


def test_a_record_without_claims_says_how_to_judge_them(tmp_path):
    with pytest.raises(RecordError, match="no table of claims; make it with: python -m fgan claims --record "):
        numbers.read_claims(tmp_path)
