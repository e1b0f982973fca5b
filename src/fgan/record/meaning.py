"""A hash of the meaning of Python source: comments, docstrings, formatting and the place of a file do not count.

A file's hash covers its syntax tree and, in the place of each name that it imports from this repository, the hash of
the file that the name comes from. So a moved file changes nothing, and one that is edited changes all that reach it.
"""

import ast
import functools
import hashlib
from pathlib import Path

# The modules and subpackages that decide measurements. An experiment's own modules do so too.
SCIENCE = ("divergences", "engine", "models", "remedies", "targets", "metrics")
SKIPPED = ("ctx", "kind", "type_comment")  # fields that carry no meaning, or not in every Python


@functools.cache
def digest(path):
    """SHA-256 of the meaning of a source file, with all the science that it imports."""
    return hashlib.sha256(repr(canonical(tree(path), Path(path))).encode()).hexdigest()


def reached(path):
    """The file and all science files that it imports, at their tops or inside functions, sorted."""
    files, waiting = set(), [Path(path)]
    while waiting:
        file = waiting.pop()
        if file not in files:
            files.add(file)
            imports = [node for node in ast.walk(tree(file)) if isinstance(node, ast.ImportFrom | ast.Import)]
            waiting += [source for node in imports for _, source in sources(node, file) if source]
    return sorted(files)


@functools.cache
def tree(path):
    return ast.parse(Path(path).read_text(encoding="utf-8"), str(path))


def sources(node, file):
    """(name as imported, science file that it comes from or None) for each name of an import."""
    if isinstance(node, ast.Import):
        return [(alias.name, locate(alias.name.split("."), file)) for alias in node.names]
    module = [] if node.module is None else node.module.split(".")
    if node.level:  # `from . import x` within an experiment
        return [(alias.name, beside(file, [*module, alias.name])) for alias in node.names]
    return [(alias.name, locate([*module, alias.name], file)) for alias in node.names]


def beside(file, words):
    """The module of that name beside a file; the last word may be a name within it."""
    places = [file.parent.joinpath(*words), file.parent.joinpath(*words[:-1])]
    return next((place.with_suffix(".py") for place in places if place.with_suffix(".py").is_file()), None)


def locate(words, file):
    """The science file that fgan.<words> comes from, in the source tree that an experiment or the file lies in."""
    if words[0] != "fgan" or len(words) < 2 or words[1] not in SCIENCE:
        return None
    root = next((parent for parent in file.resolve().parents if (parent / "src/fgan").is_dir()), Path())
    for end in (len(words), len(words) - 1):
        place = root.joinpath("src", *words[:end])
        for candidate in (place.with_suffix(".py"), place / "__init__.py"):
            if candidate.is_file():
                return candidate
    return None


def canonical(node, file):
    """A node as nested tuples that every supported Python builds alike."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return imported(node, file)
    if isinstance(node, ast.JoinedStr):
        return ("JoinedStr", *(canonical(part, file) for part in merged(node.values)))
    if isinstance(node, ast.Constant):
        return ("Constant", type(node.value).__name__, repr(node.value))
    if isinstance(node, list):
        return statements(node, file) if node and isinstance(node[0], ast.stmt) else [canonical(n, file) for n in node]
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = [(name, value) for name, value in ast.iter_fields(node) if name not in SKIPPED]
    kept = [(name, canonical(value, file)) for name, value in fields if value is not None and value != []]
    return (type(node).__name__, *kept)


def statements(body, file):
    """Statements without docstrings and other bare constants; imports come first, in one order."""
    kept = [s for s in body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    imports = [s for s in kept if isinstance(s, ast.Import | ast.ImportFrom)]
    names = sorted(entry for s in imports for entry in imported(s, file))
    return [*names, *(canonical(s, file) for s in kept if s not in imports)]


def imported(node, file):
    """Entries (bound name, imported name, where from): the source's hash, or the module's name if it is no science."""
    entries = []
    for alias, (name, source) in zip(node.names, sources(node, file), strict=True):
        bound, module = alias.asname or alias.name, getattr(node, "module", None)
        inside = (module or name).partition(".")[0] == "fgan" or getattr(node, "level", 0)
        # A module that is imported whole is identified by its hash alone, so a renamed module changes nothing.
        whole = source is not None and Path(source).stem == alias.name
        where = digest(source) if source else "" if inside else str(module)
        entries.append((bound, "" if whole else alias.name, where))
    return entries


def merged(values):
    """The parts of an f-string, with neighbouring texts joined and empty ones left out, as newer Pythons do."""
    parts = []
    for value in values:
        if isinstance(value, ast.Constant) and parts and isinstance(parts[-1], ast.Constant):
            parts[-1] = ast.Constant(parts[-1].value + value.value)
        else:
            parts.append(value)
    return [part for part in parts if not (isinstance(part, ast.Constant) and part.value == "")]
