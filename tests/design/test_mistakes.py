"""Mistakes in a design: every one gets one sentence with the file, the key and the nearest valid name."""

import re

import pytest
from small import EXPERIMENTS

from fgan import design
from fgan.design import DesignError
from fgan.divergences import DIVERGENCES


@pytest.fixture
def complaint(ring):
    """The sentence about the ring's file after an edit."""

    def of(old, new):
        with pytest.raises(DesignError) as caught:
            ring((old, new))
        sentence = str(caught.value)
        assert "\n" not in sentence and len(sentence) < 400 and "ring/experiment.yaml" in sentence
        return sentence

    return of


ARMS, QUICK = "  tanh: {}\n", "quick: {"
SETTINGS = {
    "unknown key": ("batch: 128", "bacth: 128", "bacth", "in the file", "batch"),
    "unknown key, nested": ("dimension: 2}", "dimensions: 2}", "dimensions", "noise", "dimension"),
    "unknown key of a network": ("activation: tanh}", "activatoin: tanh}", "activatoin", "generator", "activation"),
    "unknown key of the measurement": ("  samples: 2500 ", "  sample: 2500 ", "sample", "measure", "samples"),
    "unknown key of the target": ("radius: 2.0", "raduis: 2.0", "raduis", "target", "radius"),
    "key of another target": ("radius: 2.0", "radius: 2.0, side: 5", "side", "target"),
    "missing key of the target": ("radius: 2.0, ", "", "radius", "missing", "target"),
    "unknown target": ("kind: ring", "kind: rign", "target.kind", "rign", "did you mean 'ring'"),
    "missing key": ("batch: 128\n", "", "batch", "missing"),
    "missing key, nested": ("kind: adam, ", "", "kind", "missing", "optimiser"),
    "no generator": ("generator: {hidden: [64, 64], activation: tanh}\n", "", "generator or start", "missing"),
    "wrong type": ("batch: 128", "batch: many", "batch", "integer", "many"),
    "a number written as a word": ("3.0e-4", "2e-4", "optimiser.generator", "a number", "'2e-4'; write 2.0e-4"),
    "a number without the sign YAML wants": ("3.0e-4", "1.5e4", "optimiser.generator", "'1.5e4'; write 1.5e+4"),
    "a word where a number stands": ("3.0e-4", "fast", "optimiser.generator", "a number", "not 'fast'"),
    "a list where a name stands": ("activation: tanh}", "activation: [tanh]}", "generator.activation", "tanh"),
    "a name where a list stands": ("divergences: [all]", "divergences: all", "divergences", "a list"),
    "unknown divergence": ("[all]", "[kl, reverse-kl]", "divergences", "reverse-kl", "did you mean 'reverse_kl'?"),
    "no divergence of a name like this": ("[all]", "[zzz]", "valid names: all, " + ", ".join(DIVERGENCES)),
    "unknown objective": ("alternative]", "alternate]", "objectives", "alternate", "alternative"),
    "objective of another experiment": ("alternative]", "elbo]", "objectives", "elbo", "saddle, alternative"),
    "unknown activation": ("activation: tanh}", "activation: tahn}", "generator.activation", "tahn", "tanh"),
    "an activation of V's output": ("variational: {", "variational: {output: tanh, ", "variational.output", "does not"),
    "unknown rule of the update": ("kind: adam", "kind: adan", "optimiser.kind", "adan", "adam"),
    "unknown rule of counting": ("rule: 3 sd, tenth", "rule: 3 sd, tent", "measure.rule", "did you mean '3 sd, tenth'"),
    "unknown rule among several": ('"5 sd, tenth"', '"6 sd, tenth"', "measure.rules.3", "did you mean"),
    "no batch": ("batch: 128", "batch: 0", "batch", "0"),
    "negative rate": ("3.0e-4", "-3.0e-4", "optimiser.generator", "-0.0003"),
    "a rate that is no number": ("3.0e-4", ".nan", "optimiser.generator", "nan"),
    "an infinite rate": ("3.0e-4", ".inf", "optimiser.generator", "inf"),
    "beta of one": ("beta1: 0.5", "beta1: 1.0", "optimiser.beta1", "1.0"),
    "a decay of Adam for SGD": ("kind: adam", "kind: sgd", "optimiser.beta1", "does not belong"),
    "no divergences": ("[all]", "[]", "divergences"),
    "a divergence named twice": ("[all]", "[kl, kl]", "divergences"),
    "broken YAML": ("batch: 128", "batch: [128", "line", "not valid YAML"),
    "a tab": ("batch: 128", "\tbatch: 128", "line", "not valid YAML"),
    "a key given twice": ("batch: 128", "batch: 128\nbatch: 64", "batch", "twice"),
}
SCALES = {
    "no scales": ("scales:\n", "scale:\n", "scales", "missing"),
    "missing scale": ("  quick: {", "  extended: {", "quick", "missing", "scales"),
    "misspelt scale": ("  quick: {", "  quik: {}\n  quick: {", "quik", "scales", "quick"),
    "the scale of the file itself": ("  quick: {", "  full: {}\n  quick: {", "'full'", "scales", "extended"),
    "a scale that is no mapping": ("quick: {seeds: 2, steps: 4000, history: 100}", "quick: 5", "scales.quick", "5"),
    "a fraction of a step": ("history: 100}", "history: 50.5}", "scales.quick.history", "integer"),
    "steps as a float": ("steps: 4000", "steps: 4000.0", "scales.quick.steps", "integer"),
    "no seeds": ("quick: {seeds: 2,", "quick: {seeds: 0,", "scales.quick.seeds", "0"),
    "seeds of no divergence": ("quick: {seeds: 2,", "quick: {seeds: {all: 2, gna: 3},", "'gna'", "did you mean 'gan'"),
    "seeds of few divergences": ("quick: {seeds: 2,", "quick: {seeds: {gan: 3},", "'all' is missing", "seeds"),
    "unknown key in a scale": (QUICK, "quick: {bacth: 3, ", "bacth", "scales.quick;", "did you mean 'batch'"),
    "unknown key in it, nested": (QUICK, "quick: {noise: {dim: 3}, ", "'dim'", "scales.quick.noise;", "dimension"),
    "misspelt only": (QUICK, "quick: {onyl: [tanh], ", "onyl", "scales.quick", "did you mean 'only'"),
    "unknown key in its arm": (QUICK, "quick: {arms: {tanh: {bacth: 3}}, ", "bacth", "in scales.quick.arms.tanh"),
    "wrong type in its arm": (QUICK, "quick: {arms: {tanh: {batch: b}}, ", "'scales.quick.arms.tanh.batch'", "'b'"),
    "unknown arm in a scale": (QUICK, "quick: {arms: {tahn: {}}, ", "scales.quick.arms", "tahn", "'tanh'"),
    "unknown arm in only": (QUICK, "quick: {only: [tahn], ", "scales.quick.only", "tahn", "did you mean 'tanh'"),
    "a scale like itself": (QUICK, "quick: {like: quick, ", "'scales.quick.like' does not belong"),
    "only without arms": (QUICK, "quick: {only: [], ", "scales.quick.only"),
    "only, a name": (QUICK, "quick: {only: tanh, ", "scales.quick.only", "a list"),
    "only in the file itself": ("batch: 128", "batch: 128\nonly: [tanh]", "'only' does not belong to the file"),
    "factors of a scale": (QUICK, "quick: {factors: {a: 1}, ", "'scales.quick.factors' does not belong"),
    "a scale that changes a caption": (QUICK, "quick: {title: a, ", "scales.quick", "title"),
}
TREATMENTS = {
    "an arm that is no mapping": (ARMS, "  tanh: 3\n", "arms.tanh", "a mapping", "3"),
    "arms that are a list": (ARMS, "  - tanh\n", "arms", "a mapping"),
    "no arms": ("arms:\n  tanh: {}", "arms: {}", "'arms' is missing or empty"),
    "misspelt arms": ("arms:\n", "amrs:\n", "'arms' is missing or empty"),
    "an arm that changes a caption": (ARMS, "  tanh: {title: a}\n", "arms.tanh", "title"),
    "unknown key in an arm": (ARMS, "  tanh: {optimizer: {kind: sgd}}\n", "arms.tanh", "optimizer", "'optimiser'"),
    "misspelt like": (ARMS, "  tanh: {}\n  b: {lik: tanh}\n", "lik", "arms.b", "did you mean 'like'"),
    "unknown arm in like": (ARMS, "  tanh: {}\n  b: {like: tahn}\n", "arms.b.like", "tahn", "did you mean 'tanh'"),
    "an arm like itself": (ARMS, "  tanh: {like: tanh}\n", "tanh", "like itself"),
    "arms like each other": (ARMS, "  a: {like: b}\n  b: {like: c}\n  c: {like: a}\n", "itself (a -> b -> c -> a)"),
    "like a list": (ARMS, "  tanh: {like: [a]}\n", "arms.tanh.like", "text"),
    "factors that are a list": (ARMS, "  tanh: {factors: [a]}\n", "arms.tanh.factors", "a mapping"),
    "a factor that is a mapping": (ARMS, "  tanh: {factors: {a: {}}}\n", "arms.tanh.factors.a"),
    "a grid that is a list": (ARMS, "  x: {grid: [a, b]}\n", "arms.x.grid", "a mapping"),
    "an axis that is a list": (ARMS, "  x: {grid: {a: [b, c]}}\n", "arms.x.grid.a", "a mapping"),
    "an axis without levels": (ARMS, "  x: {grid: {a: {}}}\n", "arms.x.grid.a"),
    "a level that is no mapping": (ARMS, "  x: {grid: {a: {b: 3}}}\n", "arms.x.grid.a.b", "a mapping", "3"),
    "unknown key in a level": (ARMS, "  x: {grid: {a: {b: {bacth: 3}}}}\n", "bacth", "arms.b", "'batch'"),
    "an arm with the name of a grid's": (ARMS, "  b: {}\n  x: {grid: {a: {b: {}}}}\n", "two arms are named 'b'"),
}
MISTAKES = SETTINGS | SCALES | TREATMENTS


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gets_one_sentence_with_the_file_the_key_and_the_nearest_name(mistake, complaint):
    old, new, *words = MISTAKES[mistake]
    sentence = complaint(old, new)
    for word in words:
        assert word in sentence, sentence


@pytest.mark.parametrize(
    ("weights", "words"),
    [("[0.5, 0.6]", "sum to 1"), ("[1.0]", "as many weights"), ("[0.5, -0.5]", "target.weights.1")],
)
def test_a_mixture_needs_weights_that_fit(complaint, weights, words):
    mixture = f"{{kind: mixture, weights: {weights}, means: [0.0, 1.0], variances: [1.0, 1.0]}}"
    assert words in complaint("{kind: ring, modes: 8, radius: 2.0, sd: 0.02}", mixture)


@pytest.mark.parametrize("content", ["", "- a list", "just a word", "\x00", "\ud83d"])
def test_a_file_that_is_no_mapping_gets_one_sentence(content, tmp_path):
    target = tmp_path / "ring"
    target.mkdir()
    (target / "experiment.yaml").write_bytes(content.encode("utf-8", "surrogatepass"))
    with pytest.raises(DesignError, match=r"ring/experiment.yaml.*: (expected a mapping|not valid YAML)"):
        design.load("ring", "quick", tmp_path)


RING = (EXPERIMENTS / "ring" / "experiment.yaml").read_text()
OWN = """measure:
  samples: {type: integer, minimum: 1, description: samples of a sampler}
settings:
  colour: {enum: [red, green], description: colour of everything}
  rates: {$ref: "#/$defs/rates", description: rates of an earlier training}
  before: {$ref: "#/$defs/divergence", description: divergence of an earlier training}
target:
  cube: {required: [edge], properties: {edge: {$ref: "#/$defs/positive"}}}
objectives: [elbo]
"""
TOY = (
    re.sub(r"measure:\n(  .*\n)+", "measure: {samples: 3}\n", RING)
    .replace("target: {kind: ring, modes: 8, radius: 2.0, sd: 0.02}", "target: {kind: cube, edge: 2.0}")
    .replace("[saddle, alternative]", "[saddle, elbo]")
) + "colour: green\nrates: {kind: sgd, generator: 0.1, variational: 0.1}\nbefore: kl\n"


def test_an_experiment_adds_its_own_settings_targets_and_objectives(toy):
    settings = toy(TOY, OWN).arms["tanh"]
    assert (settings["colour"], settings["before"], settings["target"]["edge"]) == ("green", "kl", 2.0)
    assert settings["objectives"] == ["saddle", "elbo"] and settings["measure"] == {"samples": 3}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [("colour: green", "colour: gren", "'colour' .colour of everything. cannot be 'gren'; did you mean 'green'"),
     ("colour: green\n", "", "the key 'colour' is missing in the file"),
     ("colour: green", "coluor: green", "unknown key 'coluor' in the file; did you mean 'colour'"),
     ("edge: 2.0", "edge: 0.0", "target.edge"),
     ("cube", "cueb", "'target.kind' .* did you mean 'cube'"),
     ("kind: sgd", "kind: sdg", "'rates.kind' .* did you mean 'sgd'"),
     ("before: kl", "before: kll", "'before' .divergence of an earlier training.*did you mean 'kl'"),
     ("{samples: 3}", "{samples: 0}", "'measure.samples' .samples of a sampler. cannot be 0")])  # fmt: skip
def test_a_mistake_in_an_own_setting_gets_one_sentence(toy, old, new, words):
    assert old in TOY
    with pytest.raises(DesignError, match=words):
        toy(TOY.replace(old, new, 1), OWN)


@pytest.mark.parametrize(
    ("schema", "words"),
    [("measures: {}", "unknown key 'measures' in the file; did you mean 'measure'"),
     ("measure: [samples]", "'measure' .* must be a mapping"),
     ("measure: {samples: {type: integr}}", "'measure.samples' is no JSON schema"),
     ("measure: {samples: 3}", "'measure.samples' is no JSON schema"),
     ("target: {cube: {required: edge}}", "'target.cube' is no JSON schema"),
     ('measure: {samples: {$ref: "#/$defs/postive"}}', "no definition 'postive'; did you mean 'positive'"),
     ("measure: [", "not valid YAML")])  # fmt: skip
def test_a_mistake_in_an_own_schema_gets_one_sentence(toy, schema, words):
    with pytest.raises(DesignError, match=words) as caught:
        toy(TOY, schema)
    assert "toy/schema.yaml" in str(caught.value) and "\n" not in str(caught.value)


def test_the_schema_knows_all_scales_and_all_rules_of_counting():
    from fgan.design import schemas
    from fgan.metrics.modes import RULES

    content = schemas.shared()
    assert {"full", *content["form"]["properties"]["scales"]["properties"]} == set(design.SCALES)
    assert content["$defs"]["rule"]["enum"] == list(RULES)
