"""Claims and designs: what a claim asks for is trained at the scale that it asks for."""

import re
from types import SimpleNamespace

import pytest
from small import EXPERIMENTS

from fgan import design
from fgan.report.claims import unmet
from fgan.report.statistics import wilson

CLAIMS = design.all_claims(EXPERIMENTS)
# A claim that names no scale is one of the replication.
DEFAULT = "full"


def listed(value):
    return value if isinstance(value, list) else [value]


def selections(loaded, check):
    """The selections of trained runs that a check compares, {column: names}."""
    if check["kind"] == "baseline":
        return []
    where, minus = ({key: listed(v) for key, v in check.get(part, {}).items()} for part in ("where", "minus"))
    where.setdefault("arm", list(loaded.arms))
    groups, each = [{}], check.get("each")
    if each is not None:
        trained = dict.fromkeys(d for arm in where["arm"] for d in loaded.arms.get(arm, {}).get("divergences", []))
        names = [name for name in each.get("only", trained) if name not in each.get("except", [])]
        groups = [{"divergence": [name]} for name in names]
    return [where | group | other for group in groups for other in ([{}, minus] if minus else [{}])]


def lacking(loaded, claim):
    """What a claim asks for and the design does not train, as sentences."""
    sentences = []
    for wanted in (selection for check in claim["checks"] for selection in selections(loaded, check)):
        runs = [run for arm in wanted["arm"] if arm in loaded.arms for run in loaded.runs(arm)]
        chosen = [run for run in runs if all(getattr(run, key) in names for key, names in wanted.items())]
        for key, names in wanted.items():
            found = {getattr(run, key) for run in chosen}
            sentences += [f"{claim['id']}: no {key} '{name}' in {wanted}" for name in names if name not in found]
        seeds = len({run.seed for run in chosen})
        if seeds < claim.get("seeds", 2):
            sentences.append(f"{claim['id']}: {seeds} of {claim.get('seeds', 2)} seeds in {wanted}")
    return sentences


@pytest.mark.parametrize("scale", ["overnight", "full", "extended"])
@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_finds_its_runs_at_its_scale_and_above(name, scale):
    loaded, reached = design.load(name, scale, EXPERIMENTS), design.SCALES.index(scale)
    claims = [claim for claim in CLAIMS[name] if design.SCALES.index(claim.get("scale", DEFAULT)) <= reached]
    assert [sentence for claim in claims for sentence in lacking(loaded, claim)] == []


@pytest.mark.parametrize("scale", design.SCALES)
@pytest.mark.parametrize("name", CLAIMS)
def test_every_run_of_an_equality_has_its_partner(name, scale):
    """A difference of 0 between some of the runs says nothing of those without a partner."""
    loaded = design.load(name, scale, EXPERIMENTS)
    for claim in CLAIMS[name]:
        for check in (check for check in claim["checks"] if check["kind"] == "equal"):
            found = [
                {run.seed for arm in loaded.arms for run in loaded.runs(arm) if all(
                    getattr(run, key) in names for key, names in wanted.items())}
                for wanted in selections(loaded, check)
            ]  # fmt: skip
            assert not all(found) or all(seeds == found[0] for seeds in found), claim["id"]  # else it is not run


# Experiments of minutes: what two cores can decide in a night is decided in it.
CHEAP = ("bound", "univariate", "ring", "grid", "mode_dynamics", "divergence_or_settings", "latent", "discrete",
         "vae_vs_gan", "convergence", "local_convergence", "special_case")  # fmt: skip


@pytest.mark.parametrize("name", CHEAP)
def test_no_claim_stays_undecided_overnight_for_want_of_minutes(name):
    """Those that ask for a larger scale need hours."""
    loaded = design.load(name, "overnight", EXPERIMENTS)
    claims = [claim for claim in CLAIMS[name] if claim.get("scale") not in ("full", "extended")]
    assert [sentence for claim in claims for sentence in lacking(loaded, claim)] == []


@pytest.mark.parametrize("name", CLAIMS)
def test_the_seeds_that_a_share_asks_for_can_show_it(name):
    """Three of three runs put the lower end of Wilson's interval at .44, so they never show that most do."""
    for claim in CLAIMS[name]:
        seeds = claim.get("seeds", 2)
        for check in (check for check in claim["checks"] if check["kind"] == "share"):
            assert wilson(seeds, seeds)[1] >= check.get("low", 0.0), claim["id"]
            assert wilson(0, seeds)[2] <= check.get("high", 1.0), claim["id"]


@pytest.mark.parametrize(
    "claim", [claim for claims in CLAIMS.values() for claim in claims], ids=lambda claim: claim["id"]
)
def test_a_claim_is_one_sentence_and_its_checks_measure_one_thing(claim):
    """Two statements in one claim have one verdict, which then says 'partly' of neither."""
    statement = re.sub(r"\([^()]*\)", "", claim["statement"])
    assert not re.search(r";|\. [A-Z]", statement)
    assert len({(check["kind"], check.get("metric", check.get("statistic"))) for check in claim["checks"]}) == 1


# Experiments whose claims have one check each, for every divergence at most.
SINGLE = ("bound", "univariate", "digits", "kde_protocol", "natural", "vae_vs_gan", "convergence", "special_case",
          "discrete", "latent")  # fmt: skip


@pytest.mark.parametrize("name", SINGLE)
def test_a_claim_has_one_check(name):
    assert [claim["id"] for claim in CLAIMS[name] if len(claim["checks"]) > 1] == []


@pytest.mark.parametrize("name", CLAIMS)
def test_what_a_claim_needs_of_the_published_setting_is_there_at_the_largest_scale(name):
    """Otherwise it could never be judged; a replication's own length may be less than what is published."""
    loaded = design.load(name, "extended", EXPERIMENTS)
    facts = SimpleNamespace(arms=loaded.arms, design={"settings": loaded.common})
    assert {claim["id"]: unmet(facts, claim) for claim in CLAIMS[name] if unmet(facts, claim)} == {}


@pytest.mark.parametrize(
    ("scale", "claim", "said"),
    [("quick", "ring-complete-rare", "2 of 73 seeds"), ("quick", "remedies-published-pacgan", "no arm"),
     ("overnight", "grid-embedded-collapses", "no arm 'embedded'"),
     ("overnight", "digits-hellinger-nan-alternative", "no arm 'alternative'"),
     ("quick", "convergence-single-step", "no divergence 'pearson'"),
     ("smoke", "latent-alternative", "1 of 7 seeds")])  # fmt: skip
def test_a_claim_without_its_runs_is_named(scale, claim, said):
    ((name, found),) = [(name, one) for name, claims in CLAIMS.items() for one in claims if one["id"] == claim]
    assert any(said in sentence for sentence in lacking(design.load(name, scale, EXPERIMENTS), found))


@pytest.mark.parametrize("scale", ["quick", "overnight", "full", "extended"])
@pytest.mark.parametrize("name", CLAIMS)
def test_a_history_of_modes_is_fine_enough_to_tell_a_flat_end(name, scale):
    """With fewer entries the last quarter is less than the four that `metrics/convergence.py` looks at."""
    loaded = design.load(name, scale, EXPERIMENTS)
    watched = [arm for arm in loaded.arms.values() if arm["target"]["kind"] in ("ring", "grid")]
    assert [arm for arm in watched if arm["steps"] / arm["history"] < 15] == []
