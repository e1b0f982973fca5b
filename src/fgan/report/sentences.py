"""Sentences about claims: each is a template with branches, chosen by the verdict and by the sign of the effect."""

import math
import re

from fgan.design import DesignError, nearest, read_yaml
from fgan.report.printed import allowed, interval, prose

SOURCE = "paper/sentences.yaml"
BRANCHES = ("holds", "fails", "against", "partly", "open")
WANTED = ("topic", "unit")  # of every claim that the body tells
NAME = r"(?<![a-z])\{(\w+)\}"  # what a template names; not the argument of a TeX command
SEEDS = re.compile(r"(\d+) seeds?, the claim needs (\d+)")
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
    """What a template may name: ours with its interval, its size without the sign, the same in percent, the range.

    `least` is the size for 'at least', `most` the percent for 'at most': without an interval no digit may overstate.
    """
    ends = claim.estimate, claim.low, claim.high
    size = sorted(map(abs, ends[1:])) if claim.low * claim.high >= 0 else ends[1:]
    size = (abs(claim.estimate), *size)
    percent = tuple(100 * end for end in ends)
    return {
        "ours": interval(*ends), "size": interval(*size), "percent": interval(*percent, r"\,\%"),
        "least": interval(*toward(math.floor, size)), "most": interval(*toward(math.ceil, percent), r"\,\%"),
        "range": allowed(claim), "published": prose(claim.published),
    }  # fmt: skip


def toward(rounding, ends):
    """An estimate that has no interval, rounded down or up to three digits; with one, the three as they are."""
    estimate, low, high = ends
    if low < high or estimate == 0 or not math.isfinite(estimate):
        return ends
    digits = 2 - math.floor(math.log10(abs(estimate)))
    return rounding(round(estimate * 10**digits, 6)) / 10**digits, low, high


def sentence(claim, templates):
    """The sentence on one claim; '' if it was not run. Raises DesignError for a name that no template may use."""
    chosen, own = branch(claim), templates.get(claim.claim, {})
    if not chosen:
        return ""
    known = values(claim)
    if chosen == "open" and "topic" in own:
        return f"It stays open {own['topic']}{measured(claim, own)}. The reason: {prose(reason(claim))}."
    text = own.get(chosen, own.get("fails") if chosen == "against" else None)
    if text is None:
        opening = OPENINGS.get("fails" if chosen == "against" else chosen, "")
        tail = {"holds": "", "open": prose(reason(claim))}.get(chosen, known["range"])
        return opening + prose(claim.statement).rstrip(".") + measured(claim, own, tail) + "."
    return filled(text, known, claim.claim)


def filled(text, known, claim):
    """A template with its values; raises DesignError for a name that there is not."""
    for name in re.findall(NAME, text):
        if name not in known:
            raise DesignError(f"{SOURCE}, {claim}: no value '{name}'; {nearest(name, known)}")
    return re.sub(NAME, lambda match: known[match[1]], text)


def read(claims, path=SOURCE):
    """The templates {claim: {branch: text}}, the claims of page 1, those of each question, and the conclusions.

    Raises DesignError for an unknown name, and for a claim that is to be told and has no topic or no unit.
    """
    raw = read_yaml(path)
    for name, own in raw["sentences"].items():
        if name not in claims:
            raise DesignError(f"{path}: no claim '{name}'; {nearest(name, claims)}")
        for key in own:
            if key not in (*BRANCHES, *WANTED):
                raise DesignError(f"{path}, {name}: no branch '{key}'; {nearest(key, BRANCHES)}")
    for name in [*raw["first"], *(name for names in raw["questions"].values() for name in names)]:
        for key in WANTED:
            if key not in raw["sentences"].get(name, {}):
                raise DesignError(f"{path}: '{name}' is to be told and has no {key}; {nearest(name, raw['sentences'])}")
    last = raw.get("conclusions", {})
    for name in (claim for own in last.values() for claim in own["claims"]):
        if name not in claims:
            raise DesignError(f"{path}, conclusions: no claim '{name}'; {nearest(name, claims)}")
    return raw["sentences"], raw["first"], raw["questions"], last


def page_one(frame, templates, order, computed=()):
    """What page 1 says was found, was not found, and stays open, as {found, refuted, open, basis}: texts or ''.

    `basis` is how many of the decided claims that it tells are among those `computed` without training.
    """
    rows = frame.set_index("claim", drop=False)
    chosen = [(branch(rows.loc[name]), rows.loc[name]) for name in order]
    told = {  # so many are enough for a page
        "found": [row for kind, row in chosen if kind == "holds"][:8],
        "refuted": [row for kind, row in chosen if kind in ("fails", "against", "partly")][:6],
    }
    topics = [templates[row.claim]["topic"] for kind, row in chosen if kind == "open"][:6]
    decided = [row.claim for own in told.values() for row in own]
    texts = {key: " ".join(sentence(row, templates) for row in own) for key, own in told.items()}
    basis = f"Of the {len(decided)} findings below {len(set(decided) & set(computed))} are computed without training."
    return texts | {"open": "; ".join(topics), "basis": basis if decided else ""}


def findings(frame, templates, names):
    """The findings on one question as LaTeX: a line for each decided claim, and one for all that stay open."""
    rows, lines, alike = frame.set_index("claim", drop=False), [], {}
    for name in names:
        claim = rows.loc[name]
        if branch(claim) == "open":
            alike.setdefault("seeds" if SEEDS.match(claim.why) else reason(claim), []).append(claim)
        elif branch(claim):
            lines.append(line(claim, templates))
    left = [
        rf"\emph{{Open ({prose(because(group))}):}} "
        + "; ".join(templates[claim.claim]["topic"] + measured(claim, templates[claim.claim]) for claim in group)
        for group in alike.values()
    ]
    return "".join(lines) + (rf"\finding{{\verdict{{undecided}}}}{{{'. '.join(left)}.}}" if left else "")


def conclusions(frame, written):
    """{name: text} of what follows from several claims: `holds` where all hold, `fails` where all fail, else `open`."""
    rows = frame.set_index("claim", drop=False)
    texts = {}
    for name, own in written.items():
        found = {branch(rows.loc[claim]) for claim in own["claims"]}
        key = "holds" if found == {"holds"} else "fails" if found <= {"fails", "against"} else "open"
        texts[name] = own.get(key, "")
    return texts


def line(claim, templates):
    """The sentence on one claim as LaTeX, its verdict in the margin; '' if it was not run."""
    told = sentence(claim, templates)
    return rf"\finding{{\verdict{{{shown(claim.verdict, claim.kind)}}}}}{{{told}}}" if told else ""


def reason(claim):
    """Why a claim stays open, without what was found so far and the share of runs, by which claims differ."""
    short = re.split(r"; so far|, \d+ % of the|, \d+ of \d+ runs failed", claim.why)[0]
    if not short.endswith("check is undecided"):
        return short
    tied = math.isfinite(claim.estimate) and not math.isfinite(claim.high - claim.low)
    return "values that tie, or a single one, have no interval" if tied else "the interval straddles the criterion"


def because(group):
    """Why claims that lack seeds, or share a reason, stay open."""
    found = [SEEDS.match(claim.why) for claim in group]
    if len(group) == 1 or not all(found):
        return reason(group[0])
    have, need = ([int(match[i]) for match in found] for i in (1, 2))
    spread = [f"{min(n)}" if min(n) == max(n) else f"{min(n)} to {max(n)}" for n in (have, need)]
    return f"{spread[0]} {'seed' if spread[0] == '1' else 'seeds'}, the claims need {spread[1]}"


def measured(claim, own, tail=""):
    """What was measured of a claim with its unit, or else with the measurement's name, and then `tail`, in brackets."""
    text = ""
    if math.isfinite(claim.estimate):
        ours = interval(claim.estimate, claim.low, claim.high)
        text = f"{ours} {own['unit']}" if "unit" in own else f"{prose(claim.example)}: {ours}"
    inside = "; ".join(filter(None, (text, tail)))
    return f" ({inside})" if inside else ""
