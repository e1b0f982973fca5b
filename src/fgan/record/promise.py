"""What two run cards promise: equal machines, versions, code and settings give equal bytes on a CPU, no others do."""


def conditions(card):
    """The conditions under which each shard of a part trained: [{device, code, machine and versions by name}]."""
    machines = card.get("fingerprints") or []
    return [condition(shard, machines[shard["fingerprint"]] if machines else None) for shard in card["shards"].values()]


def condition(shard, machine):
    """One shard's conditions as a flat mapping; earlier cards name no machine."""
    own = {"device": shard["device"], "science code": shard["code_hash"][:12]}
    return own | shard["versions"] | (machine or {"machine": "not recorded"})


def differing(these, those, names=("A", "B")):
    """What differs between two lists of conditions, in words: name (A: of these; B: of those)."""
    one, other = names
    words = []
    for name in sorted({name for own in (*these, *those) for name in own}):
        a, b = (" and ".join(sorted({str(own.get(name, "none")) for own in of})) for of in (these, those))
        words += [f"{name} ({one}: {a}; {other}: {b})"] if a != b or a == "not recorded" else []
    return words


def promise(these, those, names=("A", "B")):
    """What two lists of conditions let one expect of the bytes of the same settings, as a sentence."""
    if words := differing(these, those, names):
        return "bytes may differ, because these do: " + ", ".join(words)
    if any(one["device"] == "cuda" for one in these):
        return "nothing, because equal machines promise no bytes on a GPU"
    return "equal bytes, because machine, versions and code are equal"
