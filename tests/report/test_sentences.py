"""Sentences about claims: every branch, by records made up for it, and no template that says what it may not."""

import math
import re
from types import SimpleNamespace

import pandas as pd
import pytest
from small import EXPERIMENTS, ROOT

from fgan import design
from fgan.design import DesignError
from fgan.report import sentences

CLAIMS = [claim for claims in design.all_claims(EXPERIMENTS).values() for claim in claims]
TEMPLATES, FIRST, QUESTIONS, CONCLUSIONS = sentences.read({claim["id"] for claim in CLAIMS}, ROOT / sentences.SOURCE)
OUTCOMES = {  # verdict, estimate and interval of a claim that allows [0, inf], by branch
    "holds": ("replicated", 0.5, 0.4, 0.6), "fails": ("not replicated", -0.1, -0.3, 0.1),
    "against": ("not replicated", -0.5, -0.6, -0.4), "partly": ("partly", -0.5, -0.6, -0.4),
    "open": ("undecided", 0.1, -0.1, 0.3),
}  # fmt: skip


def claim(name="x", verdict="replicated", estimate=0.5, low=0.4, high=0.6, **others):
    own = {"kind": "published", "statement": "A is larger than B.", "published": "it is", "allowed_low": 0.0,
           "example": "modes, KL"}  # fmt: skip
    own |= {"why": "5 seeds, the claim needs 20; so far it holds", "allowed_high": math.inf, "p_holm": math.nan}
    return SimpleNamespace(claim=name, verdict=verdict, estimate=estimate, low=low, high=high, **own | others)


def of(branch, name="x", **others):
    return claim(name, *OUTCOMES[branch], **others)


@pytest.mark.parametrize("wanted", OUTCOMES)
def test_the_verdict_and_the_sign_choose_the_branch(wanted):
    assert sentences.branch(of(wanted)) == wanted


def test_a_claim_that_allows_what_is_below_zero_is_contradicted_above_it():
    below = {"allowed_low": -math.inf, "allowed_high": 0.0}
    assert sentences.branch(claim("x", "not replicated", 0.5, 0.4, 0.6, **below)) == "against"
    assert sentences.branch(claim("x", "not replicated", 0.1, -0.1, 0.3, **below)) == "fails"
    # A bound that is not 0 has no other side.
    assert sentences.branch(claim("x", "not replicated", -0.5, -0.6, -0.4, allowed_low=0.9)) == "fails"


def test_each_branch_tells_its_own_text():
    templates = {"x": {"topic": "whether A wins", "unit": "modes", "holds": "A wins by {size}.",
                       "fails": "A does not win ({ours}).",
                       "against": "A loses by {size}.", "partly": "A wins at times ({percent})."}}  # fmt: skip
    told = {branch: sentences.sentence(of(branch), templates) for branch in OUTCOMES}
    assert told["holds"] == "A wins by 0.50 [0.40, 0.60]."
    assert told["fails"] == "A does not win ($-$0.1 [$-$0.3, 0.1])."
    assert told["against"] == "A loses by 0.50 [0.40, 0.60]."
    assert told["partly"] == r"A wins at times ($-$50\,\% [$-$60, $-$40])."
    assert told["open"].startswith("It stays open whether A wins (0.1 [$-$0.1, 0.3] modes). The reason: 5 seeds")
    assert sentences.sentence(claim(verdict="not run"), templates) == ""


def test_without_a_text_of_its_own_the_other_sign_fails_and_a_claim_is_told_by_its_statement():
    assert sentences.sentence(of("against"), {"x": {"fails": "No."}}) == "No."
    told = {branch: sentences.sentence(of(branch), {}) for branch in OUTCOMES}
    assert told["holds"] == "A is larger than B (modes, KL: 0.50 [0.40, 0.60])."
    assert sentences.sentence(of("holds"), {"x": {"unit": "modes"}}) == "A is larger than B (0.50 [0.40, 0.60] modes)."
    for branch in ("fails", "against"):
        assert told[branch].startswith("We cannot confirm this: A is larger than B (") and r"$\geq$ 0)." in told[branch]
    assert told["fails"].endswith(r"; allowed $\geq$ 0).")
    assert told["partly"].startswith("Only in part: ") and told["open"].startswith("Not settled here: ")


def test_a_size_that_may_have_either_sign_keeps_it():
    assert sentences.values(of("fails"))["size"] == "0.1 [$-$0.3, 0.1]"
    assert sentences.values(of("against"))["size"] == "0.50 [0.40, 0.60]"


def test_only_an_interval_straddles():
    why = "the check is undecided"
    assert sentences.reason(claim(why=why, low=0.4, high=0.6)) == "the interval straddles the criterion"
    for ends in ({"low": math.nan, "high": math.nan}, {"low": -math.inf, "high": math.inf}):
        assert "no interval" in sentences.reason(claim(why=why, **ends))
    assert sentences.reason(claim(why="too short, 75 % of the runs not converged")) == "too short"


def test_at_least_and_at_most_are_true_of_a_value_without_an_interval():
    values = lambda estimate, *ends: sentences.values(
        claim("x", "replicated", estimate, *(ends or (math.nan, math.nan)))
    )
    assert values(-0.15196)["least"] == "0.151" and values(-0.15196)["size"] == "0.152"
    assert values(0.48101)["most"] == r"48.2\,\%" and values(0.745)["least"] == "0.745"
    assert values(0.15196, 0.1, 0.2)["least"] == "0.15 [0.10, 0.20]"
    assert values(0.0)["least"] == "0" and values(math.nan)["least"] == "--"


@pytest.mark.parametrize(
    ("ends", "text"),
    [((0.0714, 0.063, 0.0798), "0.071 [0.063, 0.080]"), ((343.2, 237.4, 449.1), "340 [240, 450]"),
     ((0.996, 0.9947, 0.9982), "0.9960 [0.9947, 0.9982]"), ((94.0, 94.0, 94.0), "94"), ((0.674, 0.674, 0.674), "0.674"),
     ((0.0009, -0.00001, 0.0018), "0.00090 [$-$0.00001, 0.00180]"),
     ((0.5, -math.inf, math.inf), "0.500"), ((-5.0, -6.0, -4.0), "$-$5.0 [$-$6.0, $-$4.0]")])  # fmt: skip
def test_no_digit_is_finer_than_the_interval_but_where_it_would_touch_zero(ends, text):
    assert sentences.interval(*ends) == text


def test_our_own_hypotheses_are_supported_and_published_findings_replicated():
    assert sentences.shown("not replicated", "published") == "not replicated"
    assert sentences.shown("not replicated", "derived") == "not supported"
    assert sentences.shown("replicated", "identity") == "holds" and sentences.shown("partly", "derived") == "partly"


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_sentence_of_the_paper_can_be_told(name):
    (own,) = (claim for claim in CLAIMS if claim["id"] == name)
    for branch in OUTCOMES:
        text = sentences.sentence(of(branch, name, statement=own["statement"]), TEMPLATES)
        assert text.endswith(".") and not text.endswith("..")
        assert not set(re.findall(sentences.NAME, text)) & {*sentences.values(of(branch))}
        assert "%" not in text.replace(r"\%", "")


@pytest.mark.parametrize("name", [name for name, own in TEMPLATES.items() if "holds" in own])
def test_a_refuted_claim_is_never_told_like_one_that_holds(name):
    told = {branch: sentences.sentence(of(branch, name), TEMPLATES) for branch in OUTCOMES}
    assert len(set(told.values()) - {told["fails"], told["against"]}) == 3
    assert told["holds"] not in (told["fails"], told["against"])


def test_page_one_sorts_what_was_found_from_what_was_not():
    names = FIRST[:4]
    rows = [vars(of(branch, name)) for branch, name in zip(("holds", "against", "partly", "open"), names, strict=True)]
    page = sentences.page_one(pd.DataFrame(rows), TEMPLATES, names)
    assert page["found"] == sentences.sentence(of("holds", names[0]), TEMPLATES)
    assert page["refuted"].startswith(sentences.sentence(of("against", names[1]), TEMPLATES))
    assert page["open"] == TEMPLATES[names[3]]["topic"]
    assert page["basis"] == "Of the 3 findings below 0 are computed without training."
    basis = sentences.page_one(pd.DataFrame(rows), TEMPLATES, names, {names[0], names[3]})["basis"]
    assert basis == "Of the 3 findings below 1 are computed without training."  # what stays open is not found
    nothing = pd.DataFrame([vars(claim(name, "not run")) for name in names])
    assert sentences.page_one(nothing, TEMPLATES, names) == dict.fromkeys(page, "")


def test_a_claim_of_a_section_is_a_line_with_its_verdict_and_one_that_was_not_run_is_none():
    assert sentences.line(of("holds", kind="derived"), {}) == (
        r"\finding{\verdict{supported}}{A is larger than B (modes, KL: 0.50 [0.40, 0.60]).}"
    )
    told = sentences.line(of("open"), {})
    assert told.startswith(r"\finding{\verdict{undecided}}{Not settled here: A is larger") and "so far" not in told
    assert sentences.line(claim(verdict="not run"), {}) == ""


def test_findings_that_stay_open_share_a_paragraph_after_the_others():
    names = QUESTIONS["fit"][:4]
    rows = [of("holds", names[0]), of("open", names[1]), of("open", names[2]), claim(names[3], "not run")]
    text = sentences.findings(pd.DataFrame(map(vars, rows)), TEMPLATES, names)
    assert text.count(r"\finding{") == 2 and text.count("Open (5 seeds, the claims need 20):") == 1
    assert all(TEMPLATES[name]["topic"] in text for name in names[1:3]) and TEMPLATES[names[3]]["topic"] not in text


def test_what_is_open_is_grouped_by_its_reason_and_wanting_seeds_are_one():
    why = {
        "a": "2 seeds, the claim needs 35",
        "b": "scale quick, the claim needs full; so far it holds",
        "c": "1 seeds, the claim needs 7; so far it holds",
    }
    rows = pd.DataFrame([vars(of("open", name, why=text)) for name, text in why.items()])
    text = sentences.findings(rows, {name: {"topic": f"whether {name}", "unit": "modes"} for name in why}, why)
    told = "whether {} (0.1 [$-$0.1, 0.3] modes)".format
    assert f"(1 to 2 seeds, the claims need 7 to 35):}} {told('a')}; {told('c')}. " in text
    assert f"(scale quick, the claim needs full):}} {told('b')}.}}" in text


@pytest.mark.parametrize(
    ("verdicts", "wanted"),
    [
        (("holds", "holds"), "yes"),
        (("fails", "against"), "no"),
        (("holds", "fails"), "open"),
        (("holds", "open"), "open"),
    ],
)
def test_a_conclusion_follows_the_verdicts_of_its_claims(verdicts, wanted):
    rows = pd.DataFrame([vars(of(branch, name)) for name, branch in zip("ab", verdicts, strict=True)])
    written = {"c": {"claims": ["a", "b"], "holds": "yes", "fails": "no", "open": "open"}, "d": {"claims": ["a"]}}
    assert sentences.conclusions(rows, written) == {"c": wanted, "d": ""}


def test_the_paper_prints_every_conclusion():
    body = "".join(file.read_text() for file in (ROOT / "paper/body").glob("*.tex"))
    assert set(re.findall(r"conclusion\.(\w+)", body)) == set(CONCLUSIONS)


@pytest.mark.parametrize(
    ("change", "said"),
    [("sentences: {y: {holds: a}}\nfirst: []\nquestions: {}", "no claim 'y'"),
     ("sentences: {x: {held: a}}\nfirst: []\nquestions: {}", "did you mean 'holds'"),
     ("sentences: {x: {holds: a}}\nfirst: [x]\nquestions: {}", "has no topic"),
     ("sentences: {}\nfirst: []\nquestions: {q: [x]}", "has no topic"),
     ("sentences: {x: {topic: a}}\nfirst: []\nquestions: {q: [x]}", "has no unit"),
     ("sentences: {}\nfirst: []\nquestions: {}\nconclusions: {c: {claims: [y]}}", "no claim 'y'")])  # fmt: skip
def test_a_wrong_name_gets_one_sentence(tmp_path, change, said):
    (tmp_path / "s.yaml").write_text(change)
    with pytest.raises(DesignError, match=said):
        sentences.read({"x"}, tmp_path / "s.yaml")


def test_a_value_that_there_is_not_gets_one_sentence():
    with pytest.raises(DesignError, match="no value 'hours'; did you mean 'ours'"):
        sentences.sentence(of("holds"), {"x": {"holds": "A wins by {hours}."}})
