"""Designs: every experiment.yaml is valid at every scale, and the command line changes what it names."""

import sys

import pytest
import yaml
from small import EXPERIMENTS

from fgan import design
from fgan.design import DesignError
from fgan.divergences import DIVERGENCES

NAMES = design.find(EXPERIMENTS)


@pytest.mark.parametrize("scale", design.SCALES)
@pytest.mark.parametrize("name", NAMES)
def test_every_experiment_is_valid_at_every_scale(name, scale):
    loaded = design.load(name, scale, EXPERIMENTS)
    assert (loaded.name, loaded.scale) == (name, scale)
    assert bool(loaded.arms) == ("divergences" in loaded.common)
    assert list(loaded.arms) == list(loaded.seeds) == list(loaded.factors)
    for settings in loaded.arms.values():
        assert set(settings["divergences"]) <= set(DIVERGENCES)
        assert not {"seeds", "factors", "scales", "like", "grid", "only", *design.SHOWN} & set(settings)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("file", ["experiment.yaml", "schema.yaml"])
def test_the_files_are_plain_and_narrow(name, file):
    text = (EXPERIMENTS / name / file).read_text()
    assert max(map(len, text.splitlines())) <= 120
    assert not any(isinstance(token, yaml.AnchorToken | yaml.AliasToken) for token in yaml.scan(text))


def test_experiments_stand_in_the_order_of_the_paper(tmp_path):
    for name, text in {"b": "order: 2", "a": "title: last", "c": "order: 1", "d": "title: last too"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "experiment.yaml").write_text(text)
    (tmp_path / "no experiment").mkdir()
    assert design.find(tmp_path) == ["c", "b", "a", "d"]
    (tmp_path / "b" / "experiment.yaml").write_text("order: second")
    with pytest.raises(DesignError, match=r"b/experiment.yaml: .*order.*second"):
        design.find(tmp_path)
    with pytest.raises(DesignError, match="no folder '.*nowhere'"):
        design.find(tmp_path / "nowhere")


def test_unknown_experiments_and_scales_offer_the_nearest_name():
    with pytest.raises(DesignError, match="no experiment 'rign' in .*: did you mean 'ring'?"):
        design.load("rign", "quick", EXPERIMENTS)
    with pytest.raises(DesignError, match="no scale 'qick': did you mean 'quick'?"):
        design.load("ring", "qick", EXPERIMENTS)


@pytest.mark.parametrize("options", [{"seeds": 0}, {"seeds": -1}, {"max_steps": 0}])
def test_an_impossible_option_is_named(options):
    (key,) = options
    with pytest.raises(DesignError, match=f"{key}=.*at least 1"):
        design.load("ring", "quick", EXPERIMENTS, **options)


def test_the_command_of_a_design_has_its_options(ring):
    loaded = ring(seeds=3, max_steps=30)
    assert loaded.seeds == {"tanh": 3} and loaded.common["seeds"] == 3
    assert loaded.command == "snakemake --cores all ring --config record=quick seeds=3 max_steps=30"
    assert ring().command == "snakemake --cores all ring --config record=quick"


def test_max_steps_cuts_and_never_lengthens(ring):
    assert ring(max_steps=30).arms["tanh"]["steps"] == 30
    assert ring(max_steps=10**9).arms["tanh"]["steps"] == 4000
    intervals = {steps: ring(max_steps=steps).arms["tanh"]["history"] for steps in (1, 5, 100, 101, 5000)}
    assert intervals == {1: 1, 5: 2, 100: 50, 101: 100, 5000: 100}, "a path to draw, however short"


def test_divergences_stand_in_the_order_of_the_table(ring):
    assert ring(("[all]", "[gan, kl, neyman]")).arms["tanh"]["divergences"] == ["kl", "neyman", "gan"]


def test_a_shard_is_found_by_its_name(ring):
    loaded = ring(seeds=2)
    shard = loaded.shard("tanh-seed0-24")
    assert (shard.name, shard.first, shard.last) == ("tanh-seed0-24", 0, 24)
    assert len(shard.runs) == 25 * len(DIVERGENCES) * 2
    with pytest.raises(DesignError, match="no arm 'tahn' .*did you mean 'tanh'"):
        loaded.shard("tahn-seed0")
    with pytest.raises(DesignError, match="no shard 'tanh'; write its seeds as in tanh-seed0"):
        loaded.shard("tanh")


def test_the_seeds_of_a_shard_are_read_from_its_name():
    assert [*design.seeds_of("a-seed3")] == [3] and [*design.seeds_of("a-seed0-2")] == [0, 1, 2]
    assert not design.seeds_of("a")


def test_the_resolved_design_reads_back_as_it_was_loaded():
    loaded, plain = design.load("bound", "quick", EXPERIMENTS), design.resolved("bound", "quick", root=EXPERIMENTS)
    text = design.text(loaded)
    assert yaml.safe_load(text) == plain and "&id" not in text
    assert plain["arms"]["n64"] == {"factors": {"n": 64}, "seeds": 2} | loaded.arms["n64"]
    assert plain["title"] == loaded.common["title"] and "batch" not in plain


UNTRAINED = """title: a study
question: why?
target: {kind: digits}
measure: {samples: 9}
scales:
  smoke: {measure: {samples: 3}}
  quick: {measure: {samples: 5}}
figures: {}
tables: {}
deviations: []
"""


def test_an_experiment_may_train_nothing(toy):
    chosen = toy(UNTRAINED, seeds=3)
    assert (chosen.arms, chosen.seeds, chosen.changed) == ({}, {}, {})
    assert chosen.common["measure"] == {"samples": 5}
    assert yaml.safe_load(design.text(chosen))["measure"] == {"samples": 5}
    with pytest.raises(DesignError, match="unknown key 'batch' in the file"):
        toy(UNTRAINED + "batch: 3\n")
    with pytest.raises(DesignError, match="'question' is missing"):
        toy(UNTRAINED.replace("question: why?\n", ""))
    with pytest.raises(DesignError, match="'factors' does not belong to the file"):
        toy(UNTRAINED + "factors: {a: 1}\n")


def test_captions_are_one_line_each():
    found = design.captions("figure", EXPERIMENTS)
    experiment, short, caption = found["ring_modes"]
    assert (experiment, short) == ("ring", "modes") and caption.startswith("Modes covered") and "\n" not in caption
    assert {owner for owner, *_ in found.values()} <= set(NAMES)


def test_only_an_optional_experiment_may_lack_its_data():
    assert design.left_out("natural", EXPERIMENTS) == "not run: no data"
    assert design.left_out("ring", EXPERIMENTS) == "not part of this record"


def test_without_jsonschema_a_design_loads_all_the_same(ring, monkeypatch):
    wanted = ring().arms
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    assert ring().arms == wanted and ring(("batch: 128", "batch: 128\nbacth: 3")).arms["tanh"]["batch"] == 128


def test_every_experiment_has_a_place_in_the_order_of_training():
    for scale in design.SCALES:
        ordered = design.by_value([design.load(name, scale, EXPERIMENTS) for name in NAMES])
        values = [one.common["value"] for one in ordered]
        assert values == sorted(values) and {one.name for one in ordered} == set(NAMES)
        assert {one.name for one in ordered[:4]} == {"ring", "digits", "remedies", "stacked"}


def test_the_order_of_training_may_differ_by_scale_but_not_by_arm(toy, ring):
    early, late = toy(UNTRAINED + "value: 3\n"), toy(UNTRAINED.replace("quick: {", "quick: {value: 4, ") + "value: 3\n")
    assert (early.common["value"], late.common["value"]) == (3, 4)
    assert design.by_value([toy(UNTRAINED), late, early]) == [early, late, toy(UNTRAINED)]
    with pytest.raises(DesignError, match=r"'arms.tanh' cannot change 'value'"):
        ring(("tanh: {}", "tanh: {value: 2}"))
