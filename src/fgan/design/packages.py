"""Packages: each experiment's folder is a package, so its run.py and figures.py can say `from . import NAME`."""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path

from fgan.design.validation import DesignError, digest

PREFIX = "experiment_"


class Fresh(importlib.machinery.SourceFileLoader):
    """Compiles a file anew at every import: a cache by time and size would miss an edit within the same second."""

    def path_stats(self, path):
        raise OSError("no cache")


class Finder:
    """Finds the modules in an experiment's folder, by the path of the experiment's package."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        package, _, stem = name.rpartition(".")
        if not package.startswith(PREFIX) or "." in package:
            return None
        file = Path(sys.modules[package].__path__[0], f"{stem}.py")
        if not file.exists():
            return None
        return importlib.util.spec_from_file_location(name, file, loader=Fresh(name, str(file)))


def module(root, experiment, stem):
    """An experiment's run.py or figures.py as a module, read anew; raises DesignError if it is missing or no Python."""
    folder = Path(root, experiment).resolve()
    if not (folder / f"{stem}.py").exists():
        raise DesignError(f"{Path(root, experiment)}/{stem}.py is missing")
    if Finder not in sys.meta_path:
        sys.meta_path.insert(0, Finder)
    package = f"{PREFIX}{digest(str(folder))[:16]}"
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        del sys.modules[name]
    spec = importlib.machinery.ModuleSpec(package, None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    sys.modules[package] = importlib.util.module_from_spec(spec)
    try:
        return importlib.import_module(f"{package}.{stem}")
    except SyntaxError as error:
        file = Path(root, experiment, Path(error.filename or f"{stem}.py").name)
        raise DesignError(f"{file}, line {error.lineno}: no valid Python ({error.msg})") from None
