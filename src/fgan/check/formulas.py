"""The protocol: the formulas of an f-divergence as an object has them, guarded so that a misuse is one sentence."""

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from fgan.check.search import LINE, U, gradient
from fgan.design import DesignError

REQUIRED, OPTIONAL = ("f", "conjugate", "activation"), ("f_prime", "conjugate_of_activation")


def guarded(name: str, function: Callable) -> Callable:
    """The function on a flat copy of its argument; raises DesignError if it raises or its result is no such tensor."""

    def call(x: Tensor) -> Tensor:
        try:
            y = function(x.flatten().clone())
        except Exception as error:
            raise DesignError(f"{name} raises {type(error).__name__}: {error}") from error
        if not isinstance(y, Tensor) or y.shape != (x.numel(),):
            kind = f"a tensor of shape {list(y.shape)}" if isinstance(y, Tensor) else f"a {type(y).__name__}"
            raise DesignError(f"{name} must map a tensor of shape [{x.numel()}] to one of that shape, but gives {kind}")
        if x.requires_grad and not y.requires_grad:
            raise DesignError(f"{name} cannot be differentiated; write it with torch functions of its argument")
        return y.reshape(x.shape)

    return call


@dataclass(frozen=True)
class Formulas:
    """The formulas of a divergence, with the optional ones None where they are not given."""

    f: Callable[[Tensor], Tensor]
    conjugate: Callable[[Tensor], Tensor]
    activation: Callable[[Tensor], Tensor]
    f_prime: Callable[[Tensor], Tensor] | None = None
    conjugate_of_activation: Callable[[Tensor], Tensor] | None = None
    threshold: float | None = None

    @classmethod
    def of(cls, thing) -> "Formulas":
        """Those of any object; raises DesignError for one that is missing, no function, or NaN everywhere."""
        given = {}
        for name in REQUIRED + OPTIONAL:
            function = getattr(thing, name, None)
            if callable(function):
                given[name] = guarded(name, function)
            elif function is not None or name in REQUIRED:
                raise DesignError(f"the formulas need a function {name}, but have {function!r}; see docs/check.md")
        threshold = getattr(thing, "threshold", None)
        try:
            made = cls(**given, threshold=None if threshold is None else float(threshold))
        except (TypeError, ValueError):
            raise DesignError(f"threshold must be the number f'(1), but is {threshold!r}") from None
        for name, function in given.items():
            x = {"f": U, "f_prime": U, "conjugate": gradient(made.f, U)}.get(name, LINE)
            if function(x).isnan().all():
                raise DesignError(f"{name} is nan at every one of {len(x)} points from {x[0]:.6g} to {x[-1]:.6g}")
        return made

    def composed(self, v: Tensor) -> Tensor:
        """f*(g_f(v)), by its closed form if there is one."""
        return (self.conjugate_of_activation or (lambda v: self.conjugate(self.activation(v))))(v)


def load(place):
    """The object that FILE.py:NAME names, or the module itself for FILE.py; raises DesignError if there is none."""
    file, _, name = place.partition(".py:")
    path = Path(file).with_suffix(".py")
    if not path.is_file():
        raise DesignError(f"there is no file {path}; name the formulas as FILE.py:NAME")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))  # as `python FILE.py` would, for what the file imports from beside it
    try:
        sys.modules[path.stem] = module  # a dataclass looks its module up there
        spec.loader.exec_module(module)
    except Exception as error:
        raise DesignError(f"{path} cannot be imported, {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(str(path.parent))
    if name and not hasattr(module, name):
        raise DesignError(f"{path} has no name {name}")
    return getattr(module, name) if name else module
