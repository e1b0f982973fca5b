"""Checks before any training that an experiment is complete: its remedies, its functions of run.py and figures.py."""

from fgan import design, remedies
from fgan.design import DesignError

# What run.py must define to train, and what it must define if the experiment trains nothing.
TRAINED, UNTRAINED = ("population", "observe", "evaluate", "baselines"), ("baselines",)


def validate(loaded, root="experiments"):
    """Raises DesignError for an unknown remedy or a function that run.py or figures.py lacks."""
    for settings in loaded.arms.values():
        remedies.build(settings.get("remedies", []))
    shown = [f"{kind}_{short}" for kind in ("figure", "table") for short in loaded.common[f"{kind}s"]]
    for stem, names in (("run", TRAINED if loaded.arms else UNTRAINED), ("figures", shown)):
        module = design.module(root, loaded.name, stem)
        for name in names:
            if not hasattr(module, name):
                raise DesignError(f"{loaded.folder}/{stem}.py lacks the function '{name}'")
