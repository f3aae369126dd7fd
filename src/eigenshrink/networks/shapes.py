"""Nested inputs as a list of tensors and what they were: batches of one kind share one traced product."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class Kind:
    """What a nested value is, without the numbers in its tensors; equal for batches of equal shapes.

    Attributes
    ----------
    name : str
        "tensor", "named", "row" or "value".
    facts : tuple
        Shape, strides, type and device; names; nothing; the value itself and its type.
    parts : tuple of Kind
    """

    name: str
    facts: tuple[Hashable, ...] = ()
    parts: tuple[Kind, ...] = ()


@dataclass(frozen=True, eq=False)
class _Itself:
    """A value that cannot be compared: it is equal to itself only."""

    value: Any


def taken_apart(value: Any) -> tuple[list[Tensor], Kind]:
    """The tensors in a nested value, and its kind."""
    if isinstance(value, Tensor):
        return [value], Kind("tensor", (tuple(value.shape), value.stride(), value.dtype, value.device))
    if isinstance(value, Mapping):
        names, members, name = tuple(value), list(value.values()), "named"
    elif isinstance(value, tuple | list):
        names, members, name = (), list(value), "row"
    else:
        held = value if isinstance(value, Hashable) else _Itself(value)
        return [], Kind("value", (str(type(value)), held))
    tensors: list[Tensor] = []
    kinds = []
    for member in members:
        inner, kind = taken_apart(member)
        tensors += inner
        kinds.append(kind)
    return tensors, Kind(name, names, tuple(kinds))


def put_together(kind: Kind, tensors: Sequence[Tensor]) -> Any:
    """The nested value of other tensors."""
    return _built(kind, iter(tensors))


def _built(kind: Kind, tensors: Iterator[Tensor]) -> Any:
    if kind.name == "tensor":
        return next(tensors)
    if kind.name == "value":
        held = kind.facts[1]
        return held.value if isinstance(held, _Itself) else held
    parts = [_built(part, tensors) for part in kind.parts]
    return dict(zip(kind.facts, parts, strict=True)) if kind.name == "named" else tuple(parts)
