"""Resolution: blocks of scales, arms that are like another, grids of arms, and their factors."""

import pytest
import yaml
from small import EXPERIMENTS

from fgan import design

TANH, QUICK = "  tanh: {}\n", "quick: {"


def test_the_values_of_a_file_are_those_of_full_and_a_block_is_laid_over_them():
    raw = design.read_yaml(EXPERIMENTS / "ring" / "experiment.yaml")
    for scale in design.SCALES:
        loaded, block = design.load("ring", scale, EXPERIMENTS), raw["scales"].get(scale, {})
        assert loaded.arms["tanh"]["steps"] == block.get("steps", raw["steps"])
        assert loaded.common["measure"] == raw["measure"]
        assert loaded.arms["tanh"]["batch"] == raw["batch"]


def test_a_block_changes_what_it_names_key_by_key_and_arm_by_arm(ring):
    edits = (
        (TANH, "  tanh: {}\n  relu: {batch: 9, steps: 7}\n"),
        (QUICK, "quick: {measure: {samples: 10}, optimiser: {generator: 0.5}, arms: {relu: {batch: 64}}, "),
    )
    before, arms = ring().arms["tanh"], ring(*edits).arms
    wanted = {"measure": before["measure"] | {"samples": 10}, "optimiser": before["optimiser"] | {"generator": 0.5}}
    assert arms["tanh"] == before | wanted
    assert arms["relu"] == before | wanted | {"batch": 64, "steps": 7}
    assert ring(*edits, scale="full").arms["relu"]["batch"] == 9


def test_extended_is_full_but_for_its_own_block(ring):
    full, extended = ring(scale="full"), ring(scale="extended")
    assert extended.arms == full.arms and extended.common == full.common
    longer = ("scales:\n", "scales:\n  extended: {steps: 400000}\n")
    assert ring(longer, scale="extended").arms["tanh"] == full.arms["tanh"] | {"steps": 400000}
    assert ring(longer, scale="full").arms == full.arms


def test_a_scale_may_start_from_another(ring):
    like = ("scales:\n", "scales:\n  extended: {like: quick, steps: 20000, optimiser: {generator: 0.5}}\n")
    quick, extended = ring(like).arms["tanh"], ring(like, scale="extended").arms["tanh"]
    assert extended == quick | {"steps": 20000, "optimiser": quick["optimiser"] | {"generator": 0.5}}
    assert ring(like, scale="extended").seeds == ring(like).seeds
    with pytest.raises(design.DesignError, match="'scales.extended.like' .* cannot be 'qick'; did you mean 'quick'"):
        ring(("scales:\n", "scales:\n  extended: {like: qick}\n"))


def test_an_arm_may_be_trained_from_a_scale_on(ring):
    arms = (TANH, "  tanh: {}\n  wide: {from: full}\n  wider: {like: wide, from: extended}\n")
    trained = {scale: list(ring(arms, scale=scale).arms) for scale in design.SCALES}
    few, most = ["tanh"], ["tanh", "wide"]
    assert list(trained.values()) == [few, few, few, most, [*most, "wider"]]
    assert ring(arms, scale="full").arms["wide"] == ring(arms, scale="full").arms["tanh"]
    assert list(ring(arms, (QUICK, "quick: {only: [wider], ")).arms) == ["wider"]


def test_seeds_by_divergence_are_replaced_as_a_whole(ring):
    edits = ("seeds: 100", "seeds: {all: 5, gan: 50}"), (QUICK + "seeds: 2", QUICK + "seeds: {all: 1, kl: 2}")
    assert ring(*edits).runs("tanh")[-1].divergence == "alpha_m2" and ring(*edits).seeds == {"tanh": 2}
    assert ring(*edits, scale="full").seeds == {"tanh": 50}


def test_only_the_named_arms_are_trained_in_the_order_of_the_file(ring):
    edits = (
        (TANH, "  tanh: {}\n  relu: {seeds: 4}\n  elu: {}\n"),
        (QUICK, "quick: {only: [elu, relu], arms: {relu: {seeds: 3}}, "),
    )
    assert list(ring(*edits).seeds.items()) == [("relu", 3), ("elu", 2)]
    assert ring(*edits, scale="full").seeds == {"tanh": 100, "relu": 4, "elu": 100}
    # The command line's number is every arm's, except where an arm is left out.
    assert ring(*edits, seeds=9).seeds == {"relu": 9, "elu": 9}


def test_an_arm_may_start_from_the_changes_of_another(ring):
    arms = (
        "  last: {like: wide, steps: 3}\n"
        "  tanh: {batch: 10, factors: {width: 64, depth: 2}}\n"
        "  wide: {like: tanh, generator: {hidden: [99]}, factors: {width: 99}}\n"
    )
    loaded = ring((TANH, arms), (QUICK, "quick: {arms: {tanh: {history: 11}}, "))
    tanh = ring().arms["tanh"] | {"batch": 10, "history": 11}
    wide = tanh | {"generator": {"hidden": [99], "activation": "tanh"}}
    assert loaded.arms == {"last": wide | {"steps": 3}, "tanh": tanh, "wide": wide}
    factors = {"last": {"width": 99, "depth": 2}, "tanh": {"width": 64, "depth": 2}, "wide": {"width": 99, "depth": 2}}
    assert loaded.factors == factors


def test_a_mapping_of_another_kind_replaces_the_old_one_whole(ring):
    loaded = ring((TANH, "  tanh: {}\n  grid: {target: {kind: grid, side: 3, spacing: 1.0, sd: 0.1}}\n"))
    assert loaded.arms["grid"]["target"] == {"kind": "grid", "side": 3, "spacing": 1.0, "sd": 0.1}
    same, whole = {"a": {"kind": "x", "b": 1}}, {"a": {"kind": "y", "c": 2}}
    assert design.merge(same, {"a": {"kind": "x", "c": 2}}) == {"a": {"kind": "x", "b": 1, "c": 2}}
    assert design.merge(same, whole) == whole


GRID = """  family:
    batch: 99
    grid:
      activation:
        tanh: {}
        relu: {generator: {activation: relu}, variational: {activation: relu}}
      rates:
        slow: {optimiser: {generator: 1.0e-4}, factors: {ratio: 0.1}}
        fast: {optimiser: {generator: 1.0e-2}, factors: {ratio: 10.0}}
  alone: {like: relu_slow, batch: 10}
"""


def test_a_grid_is_a_family_of_arms_with_their_factors(ring):
    loaded = ring((TANH, GRID))
    assert list(loaded.arms) == ["tanh_slow", "tanh_fast", "relu_slow", "relu_fast", "alone"]
    assert loaded.factors["relu_fast"] == {"activation": "relu", "ratio": 10.0}
    assert loaded.factors["alone"] == {"activation": "relu", "ratio": 0.1}
    fast = loaded.arms["relu_fast"]
    assert fast["optimiser"]["generator"] == 1e-2 and fast["generator"] == {"hidden": [64, 64], "activation": "relu"}
    assert [settings["batch"] for settings in loaded.arms.values()] == [99, 99, 99, 99, 10]
    assert loaded.arms["alone"] == loaded.arms["relu_slow"] | {"batch": 10}


def test_a_scale_changes_a_whole_family_or_one_of_its_arms(ring):
    block = "quick: {only: [tanh_slow, relu_slow, alone], arms: {family: {steps: 8}, relu_slow: {steps: 9}}, "
    arms = ring((TANH, GRID), (", steps: 4000", ""), (QUICK, block)).arms
    assert {arm: settings["steps"] for arm, settings in arms.items()} == {"tanh_slow": 8, "relu_slow": 9, "alone": 9}


def test_a_level_may_be_a_number(ring):
    loaded = ring((TANH, "  batches: {grid: {n: {64: {batch: 64}, 128: {}}}}\n"))
    assert loaded.factors == {"64": {"n": 64}, "128": {"n": 128}} and loaded.arms["64"]["batch"] == 64


def test_factors_decide_nothing(ring):
    plain, told = ring(), ring((TANH, "  tanh: {factors: {activation: tanh, width: 64}}\n"))
    assert told.shard("tanh-seed0").hash == plain.shard("tanh-seed0").hash
    assert (plain.factors, told.factors) == ({"tanh": {}}, {"tanh": {"activation": "tanh", "width": 64}})


def test_factors_of_the_file_are_those_of_every_arm(ring):
    loaded = ring(
        (f"arms:\n{TANH}", f"factors: {{remedy: none}}\narms:\n{TANH}  relu: {{factors: {{remedy: packing}}}}\n")
    )
    assert loaded.factors == {"tanh": {"remedy": "none"}, "relu": {"remedy": "packing"}}
    assert "factors" not in loaded.common


@pytest.mark.parametrize(
    ("experiment", "arm", "factors"),
    [("divergence_or_settings", "relu_slow_high", {"activation": "relu", "ratio": 0.3, "rate": 3e-3}),
     ("remedies", "grid_packing_2", {"target": "grid", "remedy": "packing", "setting": 2, "published": False}),
     ("convergence", "ring_k5_fast", {"target": "ring", "method": "k5_fast"}),
     ("stacked", "veegan_packing_2", {"protocol": "veegan", "width": "equal", "remedy": "packing", "setting": 2}),
     ("vanishing", "epoch25", {"epochs": 25, "V": "tanh"}),
     ("bound", "w32", {"class": "w32"}),
     ("bound", "n1024", {"n": 1024}),
     ("vae_vs_gan", "vae_categorical", {"model": "vae", "latents": "relaxed", "pixels": "grey"})])  # fmt: skip
def test_the_arms_of_the_experiments_say_what_they_stand_for(experiment, arm, factors):
    assert design.load(experiment, "extended", EXPERIMENTS).factors[arm] == factors


def test_the_text_of_a_design_has_factors_and_settings_by_arm(ring):
    shown = yaml.safe_load(design.text(ring((TANH, GRID))))
    assert shown["arms"]["tanh_fast"]["factors"] == {"activation": "tanh", "ratio": 10.0}
    assert shown["arms"]["tanh_fast"]["batch"] == 99


def test_divergences_may_differ_in_their_number_of_seeds(ring):
    loaded = ring((QUICK + "seeds: 2", QUICK + "seeds: {all: 2, gan: 4, kl: 3}"))
    assert loaded.seeds == {"tanh": 4} and loaded.common["seeds"] == 4
    every, fewer = loaded.arms["tanh"]["divergences"], loaded.fewer["tanh"]
    assert (len(every), len(fewer), fewer["kl"], fewer["pearson"]) == (12, 11, 3, 2) and "gan" not in fewer
    spans = [(first, last, own["divergences"]) for first, last, own in loaded.spans("tanh")]
    assert spans == [(0, 1, every), (2, 2, ["kl", "gan"]), (3, 3, ["gan"])]
    counts = {name: sum(run.divergence == name for run in loaded.runs("tanh")) for name in every}
    assert counts == dict.fromkeys(every, 4) | {"kl": 6, "gan": 8}  # two objectives
    assert loaded.shard("tanh-seed2").settings["divergences"] == ["kl", "gan"]
    # Seeds of the command line are those of every divergence; a divergence that is not trained has none.
    assert ring((QUICK + "seeds: 2", QUICK + "seeds: {all: 2, gan: 4}"), seeds=3).spans("tanh")[0][:2] == (0, 2)
    assert ring((QUICK + "seeds: 2", QUICK + "divergences: [kl], seeds: {all: 2, gan: 4}")).seeds == {"tanh": 2}


def test_one_number_of_seeds_leaves_the_settings_of_a_shard_alone(ring):
    loaded = ring()
    ((first, last, settings),) = loaded.spans("tanh")
    assert (first, last, settings) == (0, 1, loaded.arms["tanh"]) and loaded.fewer == {"tanh": {}}
