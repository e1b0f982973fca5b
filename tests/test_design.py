"""Designs: every experiment.yaml is valid at every scale, and every mistake in one gets one sentence."""

import re
import shutil

import pytest
import yaml
from small import EXPERIMENTS

from fgan import design
from fgan.design import DesignError
from fgan.divergences import DIVERGENCES

NAMES = design.find(EXPERIMENTS)
RING = (EXPERIMENTS / "ring" / "experiment.yaml").read_text()


@pytest.mark.parametrize("scale", design.SCALES)
@pytest.mark.parametrize("name", NAMES)
def test_every_experiment_is_valid_at_every_scale(name, scale):
    loaded = design.load(name, scale, EXPERIMENTS)
    assert loaded.name == name and loaded.scale == scale
    assert bool(loaded.shards()) == ("divergences" in loaded.common or bool(loaded.arms))
    for settings in loaded.arms.values():
        assert not re.search(r"'(smoke|quick|full)'", str(settings))
        assert set(settings["divergences"]) <= set(DIVERGENCES)


def test_a_value_that_differs_by_scale_is_resolved():
    raw = yaml.safe_load(RING)
    for scale in ("smoke", "quick", "full"):
        (settings,) = design.load("ring", scale, EXPERIMENTS).arms.values()
        assert settings["steps"] == raw["steps"][scale] and settings["batch"] == raw["batch"]


def test_extended_falls_back_to_full_and_only_there(tmp_path):
    full, extended = (design.load("ring", scale, EXPERIMENTS) for scale in ("full", "extended"))
    assert extended.arms == full.arms and extended.common == full.common
    longer = RING.replace("full: 20000}", "full: 20000, extended: 400000}")
    found = {scale: write(tmp_path, longer, scale).arms["tanh"] for scale in ("full", "extended")}
    assert found["extended"] == found["full"] | {"steps": 400000}


def write(folder, text, scale="quick", **options):
    """The design of a copy of the ring's folder with another experiment.yaml."""
    target = folder / "experiments" / "ring"
    target.mkdir(parents=True, exist_ok=True)
    for name in ("measure.yaml", "run.py"):
        shutil.copy(EXPERIMENTS / "ring" / name, target)
    (target / "experiment.yaml").write_text(text)
    return design.load("ring", scale, folder / "experiments", **options)


def test_the_real_file_loads_from_a_copy(tmp_path):
    assert write(tmp_path, RING).arms == design.load("ring", "quick", EXPERIMENTS).arms


def complaint(folder, text, scale="quick", **options):
    with pytest.raises(DesignError) as caught:
        write(folder, text, scale, **options)
    sentence = str(caught.value)
    assert "\n" not in sentence and len(sentence) < 400 and "ring/experiment.yaml" in sentence
    return sentence


def edited(old, new):
    assert old in RING
    return RING.replace(old, new, 1)


MISTAKES = {
    "unknown key": ("batch: 128", "bacth: 128", "bacth", "batch"),
    "unknown key, nested": ("dimension: 2}", "dimensions: 2}", "dimensions", "noise", "dimension"),
    "unknown key of a network": ("activation: tanh}", "activatoin: tanh}", "activatoin", "generator", "activation"),
    "unknown key of the measurement": ("  samples: 2500 ", "  sample: 2500 ", "sample", "measure", "samples"),
    "unknown key of the target": ("radius: 2.0", "raduis: 2.0", "raduis", "target", "radius"),
    "missing key of the target": ("radius: 2.0, ", "", "radius", "missing", "target"),
    "unknown key in an arm": ("  tanh: {}", "  tanh: {optimizer: {kind: sgd}}", "optimizer", "optimiser"),
    "missing key": ("batch: 128\n", "", "batch", "missing"),
    "missing key, nested": ("kind: adam, ", "", "kind", "missing", "optimiser"),
    "wrong type": ("batch: 128", "batch: many", "batch", "integer", "many"),
    "a number written as a word": ("3.0e-4", "2e-4", "optimiser.generator", "number", "2e-4"),
    "a list where a name stands": ("activation: tanh}", "activation: [tanh]}", "generator.activation", "tanh"),
    "a mapping is no list": ("divergences: [all]", "divergences: all", "divergences", "array"),
    "a fraction of a step": ("history: {smoke: 50", "history: {smoke: 50.5", "history", "integer", "smoke"),
    "steps as a float": ("quick: 4000", "quick: 4000.0", "steps", "integer"),
    "an arm that is no mapping": ("  tanh: {}", "  tanh: 3", "tanh", "3"),
    "arms that are a list": ("  tanh: {}", "  - tanh", "arms"),
    "no arms": ("arms:\n  tanh: {}", "arms: {}", "arms"),
    "unknown divergence": ("[all]", "[kl, reverse-kl]", "reverse-kl", "reverse_kl"),
    "unknown objective": ("alternative]", "alternate]", "objectives", "alternate", "alternative"),
    "unknown activation": ("activation: tanh}", "activation: tahn}", "generator.activation", "tahn", "tanh"),
    "unknown rule": ("kind: adam", "kind: adan", "optimiser.kind", "adan", "adam"),
    "no batch": ("batch: 128", "batch: 0", "batch", "0"),
    "negative rate": ("3.0e-4", "-3.0e-4", "optimiser.generator", "-0.0003"),
    "a rate that is no number": ("3.0e-4", ".nan", "optimiser.generator", "nan"),
    "an infinite rate": ("3.0e-4", ".inf", "optimiser.generator", "inf"),
    "beta of one": ("beta1: 0.5", "beta1: 1.0", "optimiser.beta1", "1.0"),
    "no seeds": ("quick: 5,", "quick: 0,", "seeds", "0"),
    "no divergences": ("[all]", "[]", "divergences"),
    "a divergence named twice": ("[all]", "[kl, kl]", "divergences"),
    "a share above one": ("fair_share: 0.1", "fair_share: 1.1", "measure.fair_share", "1.1"),
    "missing scale": ("steps: {smoke: 200, quick: 4000,", "steps: {smoke: 200,", "steps", "quick"),
    "misspelt scale": ("steps: {smoke: 200, quick: 4000,", "steps: {smoke: 200, quik: 4000,", "steps", "quik"),
    "broken YAML": ("batch: 128", "batch: [128", "line", "not valid YAML"),
    "a tab": ("batch: 128", "\tbatch: 128", "line", "not valid YAML"),
    "a key given twice": ("batch: 128", "batch: 128\nbatch: 64", "batch", "twice"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gets_one_sentence_with_the_file_the_key_and_the_nearest_name(mistake, tmp_path):
    old, new, *words = MISTAKES[mistake]
    text = edited(old, new)
    sentence = complaint(tmp_path, text, scale="smoke" if "smoke" in words else "quick")
    for word in words:
        assert word in sentence or word == "smoke", sentence


def test_the_nearest_valid_name_is_offered(tmp_path):
    assert "did you mean 'batch'?" in complaint(tmp_path, edited("batch: 128", "bacth: 128"))
    assert "did you mean 'reverse_kl'?" in complaint(tmp_path, edited("[all]", "[reverse-kl]"))
    assert "valid names: " + ", ".join(DIVERGENCES) in complaint(tmp_path, edited("[all]", "[zzz]"))


@pytest.mark.parametrize("content", ["", "- a list", "just a word", "\x00", "\ud83d"])
def test_a_file_that_is_no_mapping_gets_one_sentence(content, tmp_path):
    target = tmp_path / "experiments" / "ring"
    target.mkdir(parents=True)
    (target / "experiment.yaml").write_bytes(content.encode("utf-8", "surrogatepass"))
    with pytest.raises(DesignError, match=r"ring/experiment.yaml.*: (expected a mapping|not valid YAML)"):
        design.load("ring", "quick", tmp_path / "experiments")


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


def test_experiments_stand_in_the_order_of_the_paper(tmp_path):
    for name, text in {"b": "order: 2", "a": "title: last", "c": "order: 1", "d": "title: last too"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "experiment.yaml").write_text(text)
    (tmp_path / "no experiment").mkdir()
    assert design.find(tmp_path) == ["c", "b", "a", "d"]
    (tmp_path / "b" / "experiment.yaml").write_text("order: second")
    with pytest.raises(DesignError, match=r"b/experiment.yaml: .*order.*second"):
        design.find(tmp_path)


def test_an_arm_changes_only_what_it_names(tmp_path):
    text = edited(
        "  tanh: {}", "  tanh: {}\n  relu:\n    generator: {activation: relu}\n    batch: {quick: 64, full: 9}"
    )
    arms = write(tmp_path, text).arms
    wanted = arms["tanh"] | {"batch": 64, "generator": {"hidden": [64, 64], "activation": "relu"}}
    assert arms["relu"] == wanted and arms["tanh"] == design.load("ring", "quick", EXPERIMENTS).arms["tanh"]


def test_max_steps_cuts_and_never_lengthens(tmp_path):
    assert write(tmp_path, RING, max_steps=30).arms["tanh"]["steps"] == 30
    assert write(tmp_path, RING, max_steps=10**9).arms["tanh"]["steps"] == 4000


def test_divergences_stand_in_the_order_of_the_table(tmp_path):
    assert write(tmp_path, edited("[all]", "[gan, kl, neyman]")).arms["tanh"]["divergences"] == ["kl", "neyman", "gan"]


def toy(folder, text):
    (folder / "toy").mkdir(parents=True)
    (folder / "toy" / "experiment.yaml").write_text(text)
    return folder


def test_an_arm_may_have_its_own_seeds_and_be_left_out_at_a_scale(tmp_path):
    arms = "arms:\n  tanh: {}\n  relu: {seeds: {smoke: 0, quick: 3, full: 4}, steps: 7}\n"
    root = toy(tmp_path, re.sub(r"arms:\n  tanh: {}\n", arms, RING))
    (root / "toy" / "measure.yaml").write_text((EXPERIMENTS / "ring" / "measure.yaml").read_text())
    (root / "toy" / "run.py").write_text((EXPERIMENTS / "ring" / "run.py").read_text())
    chosen = design.load("toy", "quick", root)
    assert chosen.seeds == {"tanh": 5, "relu": 3} and chosen.arms["relu"]["steps"] == 7
    assert [shard.name for shard in chosen.shards()] == [f"tanh-seed{s}" for s in range(5)] + [
        f"relu-seed{s}" for s in range(3)
    ]
    assert list(design.load("toy", "smoke", root).arms) == ["tanh"]
    # The command line's number is every arm's, except where an arm is left out.
    assert design.load("toy", "quick", root, seeds=9).seeds == {"tanh": 9, "relu": 9}
    assert design.load("toy", "smoke", root, seeds=9).seeds == {"tanh": 9}


UNTRAINED = """title: a study
question: what?
target: {kind: digits}
measure: {samples: {smoke: 3, quick: 5}}
figures: {}
tables: {}
deviations: []
"""


def test_an_experiment_may_train_nothing(tmp_path):
    chosen = design.load("toy", "quick", toy(tmp_path, UNTRAINED), seeds=3)
    assert (chosen.arms, chosen.seeds, chosen.shards()) == ({}, {}, [])
    assert chosen.common["measure"] == {"samples": 5}
    with pytest.raises(DesignError, match="unknown key 'batch' in the file"):
        design.load("toy", "quick", toy(tmp_path / "b", UNTRAINED + "batch: 3\n"))
    with pytest.raises(DesignError, match="'question' is missing"):
        design.load("toy", "quick", toy(tmp_path / "q", UNTRAINED.replace("question: what?\n", "")))


def test_only_an_optional_experiment_is_left_out_and_only_without_its_data(tmp_path):
    from fgan.targets import natural

    chosen = design.load("natural", "quick", EXPERIMENTS)
    kind = next(iter(chosen.arms.values()))["target"]["kind"]
    sentence = design.missing(chosen, tmp_path)
    assert sentence and sentence == natural.missing(kind, tmp_path)
    assert design.missing(design.load("digits", "full", EXPERIMENTS), tmp_path) is None
