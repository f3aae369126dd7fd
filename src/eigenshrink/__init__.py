"""How strong should L2 regularisation be, and what does it do to a model? (docs/maths.md).

The public names, in reading order. They are loaded when they are first used (PEP 562), so that
``import eigenshrink`` costs nothing and brings no optional dependency.
"""

from __future__ import annotations

import importlib
from typing import Any

from eigenshrink._version import __version__

_WHERE = {
    "study": "chain",
    "load": "chain",
    "quadratic": "hessian",
    "L2": "penalty",
    "convert": "units",
    "L2Regressor": "estimators",
    "L2Classifier": "estimators",
    "Study": "record",
    "InputError": "errors",
    "NotConverged": "errors",
    "MissingExtra": "errors",
    "EigenshrinkError": "errors",
}

__all__ = ["__version__", *_WHERE]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'eigenshrink' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"eigenshrink.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
