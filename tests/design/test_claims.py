"""Files of claims: every mistake in one gets one sentence, and only what decides a verdict is in their hash."""

import itertools

import pytest

from fgan import design
from fgan.design import DesignError
from fgan.divergences import DIVERGENCES

CLAIMS = """claims:
  - id: ring-x
    kind: exercise
    exercise: E1
    statement: s
    source: p
    reason: r
    published: 3 of 8 modes
    known: primary
    seeds: 7
    scale: full
    checks:
      - {kind: share, metric: modes, rule: "3 sd, tenth", where: {divergence: gan, seed: [0, 1]}, at_least: 8, low: 0.5}
      - {kind: mean, metric: mean mu, each: {except: [total_variation]}, minus_baseline: {metric: mu}, high: 1.0e-1}
      - {kind: difference, metric: gap, where: {arm: a, divergence: [kl, gan]}, minus: {objective: saddle}, low: 0.0}
  - id: ring-y
    kind: derived
    statement: s
    source: p
    reason: r
    checks:
      - {kind: equal, metric: gap, minus: {divergence: gan}, high: 1}
      - {kind: baseline, metric: w, sampler: [noise, data], divergence: kl, minus_baseline: {divergence: gan}, low: 0}
      - {kind: statistic, statistic: spread, low: 0.0}
"""
CHECK = "kind: mean, metric: m, low: 0"
FIGURES = "def statistic_spread(part):\n    return 0.0, 0.0, 0.0\n"


@pytest.fixture
def path(tmp_path):
    (tmp_path / "figures.py").write_text(FIGURES)
    return tmp_path / "claims.yaml"


def test_valid_claims_are_read_as_they_stand(path):
    path.write_text(CLAIMS)
    first, second = design.read_claims(path)
    assert [first["id"], second["id"]] == ["ring-x", "ring-y"] and len(first["checks"]) == 3
    assert second["checks"][1]["minus_baseline"] == {"divergence": "gan"}


MISTAKES = {
    "unknown key": ("statement", "statment", "claim 'ring-x'", "statment", "did you mean 'statement'?"),
    "unknown key in a check": ("metric: modes", "metirc: modes", "check 1", "metirc", "did you mean 'metric'?"),
    "missing key": ("    source: p\n", "", "source", "missing", "claim 'ring-x'"),
    "missing kind of the claim": ("    kind: derived\n", "", "'kind' is missing", "claim 'ring-y'"),
    "unknown kind of the claim": ("kind: exercise", "kind: exercize", "exercize", "did you mean 'exercise'?"),
    "a published finding without needs": ("kind: derived", "kind: published", "'needs' is missing", "claim 'ring-y'"),
    "a share of no length": ("seeds: 7", "needs: {length: 0.5}", "'published_steps' is missing", "claim 'ring-x'"),
    "more than the length": ("seeds: 7", "needs: {length: 2}", "needs.length", "2"),
    "unknown need": ("seeds: 7", "needs: {lenght: 1}", "lenght", "did you mean 'length'?"),
    "no reason": ("    reason: r\n", "", "'reason' is missing", "claim 'ring-x'"),
    "an empty reason": ("reason: r", 'reason: ""', "'reason'", "claim 'ring-x'"),
    "an equivalence without a margin": ("kind: equal, metric: gap, minus: {divergence: gan}, high: 1",
                                        "kind: equivalence, metric: gap, minus: {divergence: gan}", "'margin' is"),
    "missing id": ("id: ring-y\n    ", "", "id", "missing"),
    "missing metric": ("metric: modes, ", "", "metric", "missing"),
    "missing kind": ("kind: share, ", "", "kind", "missing"),
    "unknown kind": ("kind: share", "kind: shar", "shar", "did you mean 'share'?"),
    "no bound": (", low: 0.5", "", "'low or high' is missing", "check 1"),
    "no bound of the share": ("at_least: 8, ", "", "'at_least or at_most' is missing"),
    "no second selection": ("minus: {objective: saddle}, ", "", "minus", "missing", "check 3"),
    "no sampler": ("sampler: [noise, data], ", "", "sampler", "missing"),
    "key of another kind": ("kind: equal, ", "kind: equal, sampler: noise, ", "sampler", "check 1", "claim 'ring-y'"),
    "a metric of a statistic": ("statistic: spread", "statistic: spread, metric: m", "metric", "unknown key"),
    "a rule of a statistic": ("statistic: spread", "statistic: spread, rule: r", "rule", "unknown key"),
    "a bound written as a word": ("1.0e-1", "1e-1", "'high'", "a number", "write 1.0e-1", "check 2"),
    "unknown divergence": ("divergence: gan, seed", "divergence: gna, seed", "where.divergence", "gna", "'gan'?"),
    "unknown divergence in a list": ("[kl, gan]", "[kl, gna]", "where.divergence.1", "gna", "did you mean 'gan'?"),
    "unknown divergence of each": ("[total_variation]", "[total]", "each.except.0", "total"),
    "unknown divergence of a sampler": ("divergence: kl,", "divergence: kll,", "'divergence'", "'kll'", "'kl'?"),
    "unknown divergence of a baseline": ("{divergence: gan}, low", "{divergence: gna}, low", "baseline.divergence"),
    "unknown key of a baseline": ("{metric: mu}", "{metirc: mu}", "metirc", "minus_baseline", "did you mean 'metric'?"),
    "the old form of a baseline": ("{metric: mu}", "mu", "minus_baseline", "a mapping", "mu"),
    "unknown column": ("{divergence: gan, seed", "{divergense: gan, seed", "divergense", "did you mean 'divergence'?"),
    "unknown column of minus": ("{objective: saddle}", "{objectiv: saddle}", "objectiv", "minus", "'objective'?"),
    "unknown objective": ("{objective: saddle}", "{objective: sadle}", "sadle", "did you mean 'saddle'?"),
    "objective of another experiment": ("{objective: saddle}", "{objective: elbo}", "elbo", "saddle, alternative"),
    "a seed that is no number": ("seed: [0, 1]", "seed: [0, one]", "where.seed.1", "one"),
    "unknown statistic": ("statistic: spread", "statistic: spred", "spred", "did you mean 'spread'?"),
    "unknown scale": ("scale: full", "scale: ful", "'scale'", "ful", "did you mean 'full'?"),
    "unknown knowledge": ("known: primary", "known: primery", "primery", "did you mean 'primary'?"),
    "no seeds": ("seeds: 7", "seeds: 0", "seeds", "0"),
    "an infinite bound": ("low: 0.5", "low: .inf", "low'", "finite"),
    "no checks": ("    checks:\n      - {kind: equal", "    chekcs:\n      - {kind: equal", "chekcs", "'checks'?"),
    "a check that is a word": ("{kind: equal, metric: gap, minus: {divergence: gan}, high: 1}", "equal", "checks.0"),
    "no claims": ("claims:", "claim:", "claims"),
    "no list": (CLAIMS, "claims: none\n", "claims"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_claims_gets_one_sentence(path, mistake):
    old, new, *words = MISTAKES[mistake]
    assert old in CLAIMS
    path.write_text(CLAIMS.replace(old, new, 1))
    with pytest.raises(DesignError) as caught:
        design.read_claims(path)
    sentence = str(caught.value)
    assert str(path) in sentence and "\n" not in sentence
    for word in words:
        assert word in sentence, sentence


def test_names_are_those_of_the_experiment_beside(path):
    path.write_text(CLAIMS)
    (path.parent / "experiment.yaml").write_text(
        "arms: {x: {grid: {g: {a: {}, b: {}}}}, c: {}}\nscales: {smoke: {}, quick: {}}\n"
    )
    design.read_claims(path)
    path.write_text(CLAIMS.replace("arm: a,", "arm: [b, aa],"))
    with pytest.raises(DesignError, match="check 3: 'where.arm.1' cannot be 'aa'; did you mean 'a'"):
        design.read_claims(path)
    path.write_text(CLAIMS.replace("saddle", "elbo"))
    with pytest.raises(DesignError, match="elbo"):
        design.read_claims(path)
    (path.parent / "schema.yaml").write_text("objectives: [elbo]\n")
    design.read_claims(path)


@pytest.mark.parametrize("name", DIVERGENCES)
def test_every_divergence_may_be_named(path, name):
    path.write_text(CLAIMS.replace("[kl, gan]", name))
    design.read_claims(path)


def hashed(path, *pairs):
    text = CLAIMS
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    return design.criteria_hash(path)


REWORDED = {
    "statement": ("statement: s", "statement: another one"),
    "exercise": ("exercise: E1", "exercise: E2"),
    "kind": ("kind: derived", "kind: identity"),
    "reason": ("reason: r", "reason: another one"),
    "source": ("source: p", "source: q"),
    "published": ("published: 3 of 8 modes", "published: 4"),
    "known": ("    known: primary\n", ""),
    "comment": ("claims:", "# Written before the run.\nclaims:"),
    "order of keys": ("{kind: equal, metric: gap, ", "{metric: gap, kind: equal, "),
    "style": ("high: 1.0e-1", "high: 0.1"),
}
DECIDING = {
    "bound": ("low: 0.5", "low: 0.6"),
    "metric": ("metric: w", "metric: h"),
    "rule": ("3 sd, tenth", "3 sd, one"),
    "seeds": ("seeds: 7", "seeds: 8"),
    "scale": ("    scale: full\n", ""),
    "id": ("ring-y", "ring-z"),
    "needs": ("    seeds: 7\n", "    seeds: 7\n    needs: {target: {kind: mnist}}\n"),
    "published length": ("    seeds: 7\n", "    seeds: 7\n    published_steps: 100\n"),
    "a check less": ("      - {kind: statistic, statistic: spread, low: 0.0}\n", ""),
}


@pytest.mark.parametrize("change", REWORDED)
def test_other_words_leave_the_hash(path, change):
    assert hashed(path, REWORDED[change]) == hashed(path)


@pytest.mark.parametrize("change", DECIDING)
def test_another_criterion_changes_the_hash(path, change):
    assert hashed(path, DECIDING[change]) != hashed(path)


def test_the_order_of_claims_leaves_the_hash(path):
    head, first, second = CLAIMS.partition("  - id: ring-x")[0], *CLAIMS.split("  - id: ")[1:]
    path.write_text(f"{head}  - id: {second}  - id: {first}")
    assert [claim["id"] for claim in design.read_claims(path)] == ["ring-y", "ring-x"]
    assert design.criteria_hash(path) == hashed(path)


def test_the_hash_is_the_same_under_every_python(path):
    path.write_text("claims:\n  - {id: a, statement: s, source: p, seeds: 2, checks: [{kind: mean, low: -1.0e-9}]}\n")
    assert design.criteria_hash(path) == "ffac57e5b8d65c2c8be9f8523321e9ee211ecd6bcbbac086ef0d4b784fc92b6b"


@pytest.mark.parametrize("ids", [{"a": ["x", "x"]}, {"a": ["x"], "b": ["y", "x"]}])
def test_an_id_belongs_to_one_claim_of_one_experiment(tmp_path, ids):
    """Numbers and verdicts name a claim by its id alone."""

    def write(ids):
        for name, own in ids.items():
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / "experiment.yaml").write_text("scales: {smoke: , quick: }\n")
            rest = f"kind: derived, statement: s, source: p, reason: r, checks: [{{{CHECK}}}]"
            rows = [f"  - {{id: {i}, {rest}}}\n" for i in own]
            (tmp_path / name / "claims.yaml").write_text("claims:\n" + "".join(rows))

    write(ids)
    last = list(ids)[-1]
    other = f"a claim of {tmp_path}/a/claims.yaml" if len(ids) > 1 else "another claim of this file"
    for check in (design.all_claims, design.unique_ids):
        with pytest.raises(DesignError, match=f"{last}/claims.yaml: the id 'x' belongs to {other} already"):
            check(tmp_path)
    write({last: ["z"]})
    assert [claim["id"] for claim in design.all_claims(tmp_path)[last]] == ["z"]


def test_every_claim_gives_the_reason_of_its_bound(root):
    claims = list(itertools.chain(*design.all_claims().values()))
    assert len(claims) > 200 and [claim["id"] for claim in claims if len(claim["reason"].split()) < 6] == []


def test_claims_of_a_setting_that_was_chosen_for_its_effect_say_so(root):
    """The ring's and the remedies' own settings were chosen because divergences differ, or GAN collapses, in them."""
    for claim in (*design.all_claims()["ring"], *design.all_claims()["remedies"]):
        trained = any(check["kind"] != "baseline" for check in claim["checks"])
        if trained and claim["kind"] != "identity" and "published" not in claim["id"]:
            assert "in this setting" in claim["statement"].lower(), claim["id"]
