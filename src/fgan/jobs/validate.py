"""Checks before any training that an experiment is complete: its remedies, its functions of run.py and figures.py."""

from fgan import design, remedies, targets
from fgan.design import DesignError

# What run.py must define to train, and what it must define if the experiment trains nothing.
TRAINED, UNTRAINED = ("population", "observe", "evaluate", "baselines"), ("baselines",)


def validate(loaded, root="experiments"):
    """Raises DesignError for an unknown remedy or a function that run.py or figures.py lacks."""
    for arm, settings in loaded.arms.items():
        try:
            remedies.build(settings.get("remedies", []))
            if not targets.reader(settings)[1] and targets.module(settings)[1]:
                targets.of(settings)
        except (ValueError, TypeError) as error:  # a DesignError of a remedy names no file
            raise DesignError(f"{loaded.folder}/experiment.yaml, arm '{arm}': {error}") from None
    shown = [f"{kind}_{short}" for kind in ("figure", "table") for short in loaded.common[f"{kind}s"]]
    for stem, names in (("run", TRAINED if loaded.arms else UNTRAINED), ("figures", shown)):
        module = design.module(root, loaded.name, stem)
        for name in names:
            if not hasattr(module, name):
                raise DesignError(f"{loaded.folder}/{stem}.py lacks the function '{name}'")
