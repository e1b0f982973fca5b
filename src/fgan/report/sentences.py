"""Sentences about claims: each is a template with branches, chosen by the verdict and by the sign of the effect."""

import math
import re

from fgan.design import DesignError, nearest, read_yaml
from fgan.report.tables import allowed, interval, prose

SOURCE = "paper/sentences.yaml"
BRANCHES = ("holds", "fails", "against", "partly", "open")
OPENINGS = {"fails": "We cannot confirm this: ", "partly": "Only in part: ", "open": "Not settled here: "}
WORDS = {  # what a verdict is called where nothing published is repeated
    "derived": {"replicated": "supported", "not replicated": "not supported"},
    "identity": {"replicated": "holds", "not replicated": "does not hold"},
}


def shown(verdict, kind):
    """A verdict in the words for its kind of claim: our own hypotheses are supported or not, an identity holds."""
    return WORDS.get(kind, {}).get(verdict, verdict)


def branch(claim):
    """The branch of a claim's sentence; '' if it was not run.

    A claim of a direction that fails is 'against' if its whole interval lies on the other side of 0.
    """
    if claim.verdict == "not replicated":
        low, high = claim.allowed_low, claim.allowed_high
        other = (low == 0 and claim.high < 0) or (high == 0 and claim.low > 0)
        return "against" if other else "fails"
    return {"replicated": "holds", "partly": "partly", "undecided": "open"}.get(claim.verdict, "")


def values(claim):
    """What a template may name: ours with its interval, its size without the sign, the same in percent, the range."""
    ends = claim.estimate, claim.low, claim.high
    size = sorted(map(abs, ends[1:])) if claim.low * claim.high >= 0 else ends[1:]
    size = (abs(claim.estimate), *size)
    return {
        "ours": interval(*ends), "size": interval(*size), "percent": interval(*(100 * end for end in ends), r"\,\%"),
        "range": allowed(claim), "published": prose(claim.published),
    }  # fmt: skip


def sentence(claim, templates):
    """The sentence on one claim; '' if it was not run. Raises DesignError for a name that no template may use."""
    chosen, own = branch(claim), templates.get(claim.claim, {})
    if not chosen:
        return ""
    known = values(claim)
    if chosen == "open" and "topic" in own:
        measured = f": {known['ours']}" if math.isfinite(claim.estimate) else ""
        return f"It stays open {own['topic']}{measured} ({prose(reason(claim.why))})."
    text = own.get(chosen, own.get("fails") if chosen == "against" else None)
    if text is None:
        statement = prose(claim.statement).rstrip(".")
        ours = f" ({known['ours']}" if math.isfinite(claim.estimate) else " ("
        tail = {"holds": "", "open": f"; {prose(reason(claim.why))}"}.get(chosen, f"; {known['range']}")
        found = f"{ours}{tail})" if ours != " (" or tail else ""
        return (
            OPENINGS.get("fails" if chosen == "against" else chosen, "") + statement + found.replace("(; ", "(") + "."
        )
    return filled(text, known, claim.claim)


def filled(text, known, claim):
    """A template with its values; raises DesignError for a name that there is not."""
    for name in re.findall(r"\{(\w+)\}", text):
        if name not in known:
            raise DesignError(f"{SOURCE}, {claim}: no value '{name}'; {nearest(name, known)}")
    return re.sub(r"\{(\w+)\}", lambda match: known[match[1]], text)


def read(claims, path=SOURCE):
    """The templates {claim: {branch: text}}, the claims of page 1, and those of each question, in their order.

    Raises DesignError for an unknown name, and for a claim that is to be told and has no topic.
    """
    raw = read_yaml(path)
    for name, own in raw["sentences"].items():
        if name not in claims:
            raise DesignError(f"{path}: no claim '{name}'; {nearest(name, claims)}")
        for key in own:
            if key not in (*BRANCHES, "topic"):
                raise DesignError(f"{path}, {name}: no branch '{key}'; {nearest(key, BRANCHES)}")
    for name in [*raw["first"], *(name for names in raw["questions"].values() for name in names)]:
        if "topic" not in raw["sentences"].get(name, {}):
            raise DesignError(f"{path}: '{name}' is to be told and has no topic; {nearest(name, raw['sentences'])}")
    return raw["sentences"], raw["first"], raw["questions"]


def page_one(frame, templates, order):
    """What page 1 says was found, was not found, and stays open, as {found, refuted, open}: texts, '' if nothing is."""
    rows = frame.set_index("claim", drop=False)
    chosen = [(branch(rows.loc[name]), rows.loc[name]) for name in order]
    told = {  # so many are enough for a page
        "found": [sentence(row, templates) for kind, row in chosen if kind == "holds"][:8],
        "refuted": [sentence(row, templates) for kind, row in chosen if kind in ("fails", "against", "partly")][:6],
    }
    topics = [templates[row.claim]["topic"] for kind, row in chosen if kind == "open"][:6]
    return {key: " ".join(texts) for key, texts in told.items()} | {"open": "; ".join(topics)}


def findings(frame, templates, names):
    """The findings on one question as LaTeX: a line for each decided claim, and one for all that stay open alike."""
    rows, lines, alike = frame.set_index("claim", drop=False), [], {}
    for name in names:
        claim = rows.loc[name]
        if branch(claim) == "open":
            alike.setdefault(reason(claim.why), []).append(claim)
        elif branch(claim):
            lines.append(line(claim, templates))
    for why, group in alike.items():
        told = "; ".join(templates[claim.claim]["topic"] + measured(claim) for claim in group)
        lines.append(rf"\finding{{\verdict{{undecided}}}}{{It stays open {told}. The reason: {prose(why)}.}}")
    return "".join(lines)


def line(claim, templates):
    """The sentence on one claim as LaTeX, its verdict in the margin; '' if it was not run."""
    told = sentence(claim, templates)
    return rf"\finding{{\verdict{{{shown(claim.verdict, claim.kind)}}}}}{{{told}}}" if told else ""


def reason(why):
    """Why a claim stays open, without what was found so far and the share of runs, by which claims differ."""
    short = re.split(r"; so far|, \d+ % of the|, \d+ of \d+ runs failed", why)[0]
    return "the interval straddles the criterion" if short.endswith("check is undecided") else short


def measured(claim):
    """What was measured so far of a claim that stays open, in brackets; '' if nothing was."""
    if not math.isfinite(claim.estimate):
        return ""
    return f" ({interval(claim.estimate, claim.low, claim.high)})"
