"""Names of the weights of a network, made when they are asked for: there may be millions."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from math import prod
from typing import overload

Shape = tuple[int, ...]


class WeightNames(Sequence[str]):
    """``"conv1.weight[3,0,1]"`` for each weight, in the order of the flat vector.

    Parameters
    ----------
    parameters : iterable of (name, shape)
        Tensors one after the other, each flattened row by row; a shape ``()`` is one weight.

    Examples
    --------
    >>> names = WeightNames([("fc.weight", (2, 3)), ("fc.bias", (2,)), ("scale", ())])
    >>> len(names), names[4], names[-1], names.index("fc.bias[1]"), "fc.weight[2,0]" in names
    (9, 'fc.weight[1,1]', 'scale', 7, False)
    """

    def __init__(self, parameters: Iterable[tuple[str, Sequence[int]]]) -> None:
        self.parameters: tuple[tuple[str, Shape], ...] = tuple(
            (str(name), tuple(int(size) for size in shape)) for name, shape in parameters
        )
        self._ends = list(accumulate(prod(shape) for _, shape in self.parameters))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        places = range(len(self))[index]
        return self._name(places) if isinstance(places, int) else tuple(map(self._name, places))

    def __iter__(self) -> Iterator[str]:
        return map(self._name, range(len(self)))

    def __contains__(self, name: object) -> bool:
        return self._place(name) is not None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WeightNames) and self.parameters == other.parameters

    def __hash__(self) -> int:
        return hash(self.parameters)

    def __repr__(self) -> str:
        return f"WeightNames({list(self.parameters)!r})"

    def index(self, name: str, start: int = 0, stop: int | None = None) -> int:
        """Return the place of a name; ValueError if there is none."""
        place = self._place(name)
        if place is None or place not in range(*slice(start, stop).indices(len(self))):
            raise ValueError(f"{name!r} is no weight")
        return place

    def tensor(self, place: int) -> str:
        """Name of the tensor that a weight stands in."""
        return self.parameters[bisect_right(self._ends, place)][0]

    def _name(self, place: int) -> str:
        number = bisect_right(self._ends, place)
        name, shape = self.parameters[number]
        if not shape:
            return name
        rest, indices = place - (self._ends[number] - prod(shape)), []
        for size in reversed(shape):
            rest, index = divmod(rest, size)
            indices.append(index)
        return f"{name}[{','.join(map(str, reversed(indices)))}]"

    def _place(self, name: object) -> int | None:
        """Where a name stands, without making the others."""
        if not isinstance(name, str):
            return None
        for (tensor, shape), end in zip(self.parameters, self._ends, strict=True):
            within = _inside(name, tensor, shape)
            if within is not None:
                return end - prod(shape) + within
        return None


def _inside(name: str, tensor: str, shape: Shape) -> int | None:
    """The place of ``tensor[i,j]`` in its tensor; None if it is no weight of it."""
    if not shape:
        return 0 if name == tensor else None
    if not (name.startswith(f"{tensor}[") and name.endswith("]")):
        return None
    indices = name[len(tensor) + 1 : -1].split(",")
    if len(indices) != len(shape) or not all(each.isascii() and each.isdigit() for each in indices):
        return None
    place = 0
    for each, size in zip(indices, shape, strict=True):
        if int(each) >= size or str(int(each)) != each:
            return None
        place = place * size + int(each)
    return place
