"""A part of a record as figures, tables and claims see it, and what it says where a file is missing or damaged."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from records import part, rows

from fgan.files import RecordError, write_json
from fgan.record import write
from fgan.report import numbers
from fgan.report.part import Part

FILES = {"measurements": "measurements.parquet", "untrained": "baselines.parquet", "samples": "samples.npz",
         "design": "design.json", "card": "card.json"}  # fmt: skip


def test_every_file_of_a_part_is_read():
    assert set(FILES.values()) == set(write.PART_FILES)


@pytest.mark.parametrize("attribute", FILES)
def test_a_missing_file_of_a_part_names_the_command_that_makes_it(tmp_path, attribute):
    made = Part(tmp_path / "results" / "quick" / "ring")
    with pytest.raises(RecordError, match="is missing; make it with: snakemake --cores all ring --config record=quick"):
        getattr(made, attribute)


@pytest.mark.parametrize("content", [b"", b"damaged", b"PAR1", b"PK\x03\x04", b"{"])
@pytest.mark.parametrize("attribute", FILES)
def test_a_damaged_file_of_a_part_is_named_with_what_to_do(tmp_path, attribute, content):
    made = Part(tmp_path / "results" / "quick" / "ring")
    made.folder.mkdir(parents=True)
    (made.folder / FILES[attribute]).write_bytes(content)
    with pytest.raises(RecordError, match=f"{FILES[attribute]} .*snakemake --cores all ring") as caught:
        getattr(made, attribute)
    assert "\n" not in str(caught.value)


def test_what_is_written_is_read_again(tmp_path):
    frame, arrays = rows(3), {"b": np.arange(6.0).reshape(2, 3), "a": np.linspace(0, 1, 7)}
    write.write_table(tmp_path / "measurements.parquet", frame)
    write.write_samples(tmp_path / "samples.npz", arrays)
    write_json(tmp_path / "card.json", {"b": 1, "a": [2.5, None]})
    made = Part(tmp_path)
    pd.testing.assert_frame_equal(made.measurements.astype({"seed": int}), frame, check_dtype=False)
    assert made.card == {"a": [2.5, None], "b": 1}
    assert {name: array.dtype for name, array in made.samples.items()} == dict.fromkeys("ab", np.float16)
    np.testing.assert_allclose(made.samples["a"], arrays["a"], atol=1e-3)


def test_every_arm_is_judged_at_its_own_last_step(tmp_path):
    frame = pd.concat([rows(7), rows(7, (3, 6), "short")], ignore_index=True)
    final = Part(part(tmp_path / "ring", frame=frame, last={"tanh": 20, "short": 6})).final("modes")
    assert final.groupby("arm").step.unique().map(list).to_dict() == {"short": [6], "tanh": [20]} and len(final) == 14


def test_quartiles_do_not_count_as_runs(tmp_path):
    made = Part(part(tmp_path / "quick" / "ring", seeds=7))
    assert len(made.final("modes")) == 7 and made.final().seed.tolist() == [*range(7)] * 2
    quartiles = made.quartiles("F", "tanh", "kl")
    assert list(quartiles.index) == [10, 20] and list(quartiles["median"]) == [3.0, 3.0]
    assert set(quartiles.columns) == {"lower quartile", "median", "upper quartile"}


def test_a_history_has_a_row_for_each_step_and_a_column_for_each_first_seed(tmp_path):
    single = Part(part(tmp_path / "ring", seeds=7)).history("F", "tanh", "kl")
    assert list(single.index) == [10, 20]
    assert single[[0, 1, 2, 3, 4]].loc[10].tolist() == single[[0, 1, 2, 3, 4]].loc[20].tolist() == [0, 1, 2, 3, 4]
    assert single.loc[10].count() == 5  # of the others a part has no history


def test_values_are_in_the_order_of_the_seeds_and_empty_where_nothing_was_trained(tmp_path):
    frame = rows(12).sample(frac=1, random_state=0, ignore_index=True)
    made = Part(part(tmp_path / "ring", frame=frame))
    assert made.values("F", "tanh", "kl").tolist() == [float(seed) for seed in range(12)]
    assert list(made.by_run("F", "tanh")) == [("kl", "saddle")]
    for other in (("F", "relu", "kl"), ("F", "tanh", "gan"), ("F", "tanh", "kl", "alternative"), ("G", "tanh", "kl")):
        assert made.values(*other).tolist() == []


def test_a_rule_is_another_value_of_the_same_metric(tmp_path):
    weak = rows(3).query("metric == 'modes'").assign(rule="3 sd, one", value=2.0)
    made = Part(part(tmp_path / "ring", frame=pd.concat([rows(3), weak], ignore_index=True)))
    assert made.rules("modes") == ["3 sd, one"] and made.rules("F") == []
    assert made.values("modes", "tanh", "kl").tolist() == [8.0] * 3
    assert made.values("modes", "tanh", "kl", rule="3 sd, one").tolist() == [2.0] * 3
    assert len(made.final()) == 9 and len(made.final("modes")) == len(made.final("modes", rule="3 sd, one")) == 3


BASELINES = [
    ("P", "", 0, {"modes": 8, ("modes", "3 sd, one"): 7}),
    ("P", "", 1, {"modes": 6}),
    ("circle", "", 0, {"modes": 1}),
    ("torn", "", 0, {"modes": 8}),
    ("torn", "", 1, {"modes": math.nan}),
    ("exact optimum", "kl", 0, {"width": 1.5}),
    ("exact optimum", "gan", 0, {"width": 2.5}),
]  # fmt: skip


def test_samplers_that_were_not_trained_have_means_over_their_draws(tmp_path):
    made = Part(tmp_path)
    write.write_table(tmp_path / "baselines.parquet", write.baseline_rows(BASELINES))
    whole = {name: value for name, value in made.samplers("modes").items() if name != "torn"}
    assert whole == {"P": 7.0, "circle": 1.0} and made.samplers("modes", "3 sd, one") == {"P": 7.0}
    assert made.baselines("modes").value.tolist()[:3] == [8, 6, 1] and made.baselines(
        "modes", sampler="P"
    ).seed.tolist() == [0, 1]
    assert made.baselines("width", divergence="gan").value.tolist() == [2.5]
    assert made.baseline("modes", "P") == 7.0 and made.baseline("width", "exact optimum", "kl") == 1.5
    assert math.isnan(made.baseline("modes", "torn")) and math.isnan(made.samplers("modes")["torn"])
    for nothing in (("modes", "nobody"), ("width", "exact optimum"), ("modes", "circle", "", "3 sd, one")):
        assert math.isnan(made.baseline(*nothing))


def test_a_row_without_a_rule_or_divergence_is_in_every_table(tmp_path):
    frame = rows(3).assign(rule=None)
    made = Part(part(tmp_path / "ring", frame=pd.concat([frame, frame.assign(arm="other", rule="")])))
    assert made.values("modes", "tanh", "kl").tolist() == [8.0] * 3
    write.write_table(made.folder / "baselines.parquet", write.baseline_rows([("P", None, 0, {("modes", None): 7.0})]))
    again = Part(made.folder)
    assert again.baseline("modes", "P") == 7.0 and len(numbers.untrained(again)) == 1
    assert {row["metric"] for row in numbers.judged(made) if "metric" in row} == {"F", "modes"}


def test_the_divergences_of_a_part_keep_their_order_and_labels(tmp_path):
    listed = [{"name": name, "label": label, "effective": "E"} for name, label in (("kl", "KL"), ("gan", "GAN"))]
    settings = {"measure": {"samples": 7}}
    write_json(
        tmp_path / "design.json", {"name": "ring", "divergences": listed, "settings": settings, "arms": {"tanh": {}}}
    )
    made = Part(Path(tmp_path))
    assert list(made.divergences) == ["kl", "gan"] and made.labels == {"kl": "KL", "gan": "GAN"}
    assert made.name == "ring" and made.measure == {"samples": 7} and made.arms == {"tanh": {}}
