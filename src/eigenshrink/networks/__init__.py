"""What weight decay does to a trained PyTorch model, without training again (M3, M11-M13, M18, M19).

The only room that imports PyTorch; names are loaded when they are first used.
"""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import Any

from eigenshrink.errors import MissingExtra

if find_spec("torch") is None:
    raise MissingExtra("torch", "torch")

_WHERE = {
    "study": "chain",
    "Effort": "chain",
    "curvature": "products",
    "L2Hook": "hook",
    "param_groups": "decay",
    "tune": "continuation",
}

__all__ = [*_WHERE]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'eigenshrink.networks' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"eigenshrink.networks.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
