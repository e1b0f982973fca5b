"""A hash of the meaning of Python source: comments, docstrings, formatting and the place of a file do not count.

A file's hash covers its syntax tree and, in the place of each name that it imports from this repository, the hash of
the file that the name comes from. So a moved file changes nothing, and one that is edited changes all that reach it.
"""

import ast
import functools
import hashlib
from pathlib import Path

from fgan.files import RecordError

# The rooms that hand the settings over and write files whole. All else that is imported decides measurements.
OUTSIDE = ("design", "files")
SKIPPED = ("ctx", "kind", "type_comment")  # fields that carry no meaning, or not in every Python


@functools.cache
def digest(path):
    """SHA-256 of the meaning of a source file, with all that it imports; raises RecordError for a circle of imports."""
    try:
        return hashlib.sha256(repr(canonical(tree(path), Path(path))).encode()).hexdigest()
    except RecursionError:
        raise RecordError(f"{path} is in a circle of imports, which has no hash") from None


def reached(path):
    """The file and all files of this repository that it imports, at their tops or inside functions, sorted."""
    files, waiting = set(), [Path(path)]
    while waiting:
        file = waiting.pop()
        if file not in files:
            files.add(file)
            imports = [node for node in ast.walk(tree(file)) if isinstance(node, ast.ImportFrom | ast.Import)]
            waiting += [source for node in imports for _, source, _ in sources(node, file) if source]
    return sorted(files)


@functools.cache
def tree(path):
    """The syntax tree of a source file; raises RecordError if it is missing or no Python."""
    try:
        return ast.parse(Path(path).read_bytes(), str(path))
    except FileNotFoundError:
        raise RecordError(f"{path} is missing") from None
    except (SyntaxError, ValueError) as error:
        line = f", line {error.lineno}" if getattr(error, "lineno", None) else ""
        raise RecordError(f"{path}{line}: no valid Python ({getattr(error, 'msg', error)})") from None


def sources(node, file):
    """(name as imported, file that it comes from or None, whether it is the file) for each name of an import."""
    if isinstance(node, ast.Import):
        return [(alias.name, *locate(alias.name.split("."), root(file))) for alias in node.names]
    module = [] if node.module is None else node.module.split(".")
    place = file.parents[node.level - 1] if node.level else root(file)
    return [(alias.name, *locate([*module, alias.name], place)) for alias in node.names]


def root(file):
    """The source tree that a file or its experiment lies in."""
    return next((parent for parent in file.resolve().parents if (parent / "src/fgan").is_dir()), Path())


def locate(words, place):
    """(the file that dotted words name, seen from a place; whether the last word is the file and no name within it).

    (None, False) for a module of another package or of a room that decides nothing.
    """
    if words[0] == "fgan":
        place = place / "src"
        if words[1:] and words[1] in OUTSIDE:
            return None, False
    for end in (len(words), len(words) - 1):
        path = place.joinpath(*words[:end])
        for candidate in (path.with_name(f"{path.name}.py"), path / "__init__.py"):
            if candidate.is_file():
                return candidate, end == len(words)
    if words[0] == "fgan":
        raise RecordError(f"no file of the import {'.'.join(words)}, which the code hash should cover")
    return None, False


def canonical(node, file):
    """A node as nested tuples that every supported Python builds alike."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return imported(node, file)
    if isinstance(node, ast.JoinedStr):
        return ("JoinedStr", *(canonical(part, file) for part in merged(node.values)))
    if isinstance(node, ast.Constant):
        # ascii() because repr() escapes what the Unicode table of a Python does not know; hex() has no limit of digits.
        plain = hex(node.value) if type(node.value) is int else ascii(node.value)
        return ("Constant", type(node.value).__name__, plain)
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
    """Entries (bound name, imported name, where from): the source's hash, or the name of a module of other packages."""
    entries = []
    for alias, (name, source, whole) in zip(node.names, sources(node, file), strict=True):
        bound, module = alias.asname or alias.name, getattr(node, "module", None)
        inside = (module or name).partition(".")[0] == "fgan" or getattr(node, "level", 0)
        # A module that is imported whole is identified by its hash alone, so a renamed module changes nothing.
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
