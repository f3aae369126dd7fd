"""The table of directions: eigenvalue, coordinate, share kept, and the columns that carry it (M7, M8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eigenshrink.path import Layer, QuadraticPath

Array = NDArray[np.float64]

KEPT, GONE = 0.9, 0.1  # shares from which a direction counts as kept, and down to which as gone


@dataclass(frozen=True, eq=False)
class Directions:
    """What one strength leaves of each eigen-direction, largest eigenvalue first.

    Attributes
    ----------
    eigenvalue : (k,)
        λ.
    coordinate : (k,)
        Of the unregularised solution along it.
    shrinkage : (k,)
        ``λ/(λ+α)``.
    verdict : tuple of str
        "kept" (share ≥ 0.9), "fading" or "gone" (share ≤ 0.1).
    columns : tuple of tuples (name, loading)
        The columns that load on it most, by absolute loading.
    """

    eigenvalue: Array
    coordinate: Array
    shrinkage: Array
    verdict: tuple[str, ...]
    columns: tuple[tuple[tuple[str, float], ...], ...]

    def __len__(self) -> int:
        return len(self.eigenvalue)


def directions(
    path: QuadraticPath, alpha: float, names: Sequence[str], top: int = 3, target: int = 0
) -> Directions:
    """Describe every direction at one strength; ``top`` columns are named for each. O(p k).

    Along negative curvature no share is kept: such a direction counts as gone.
    """
    kept = np.nan_to_num(path.shrinkage(alpha))
    verdict = np.where(kept >= KEPT, "kept", np.where(kept <= GONE, "gone", "fading"))
    basis, places = path.spectrum.basis, path.fit.penalised
    columns = tuple(
        tuple((names[int(places[j])], float(loads[j])) for j in largest(np.abs(loads), top))
        for loads in basis.T
    )
    return Directions(
        eigenvalue=path.spectrum.eigenvalues,
        coordinate=np.atleast_2d(path.spectrum.coordinates)[target],
        shrinkage=kept,
        verdict=tuple(str(word) for word in verdict),
        columns=columns,
    )


def by_layer(
    loads: Array, places: NDArray[np.intp], layers: Sequence[Layer]
) -> tuple[tuple[str, float], ...]:
    """Share of a direction in each layer of a network, largest first; places are those of its weights."""
    size = float(loads @ loads) or 1.0
    ends = np.searchsorted(places, [(layer.start, layer.stop) for layer in layers])
    shares = [float(loads[low:high] @ loads[low:high]) / size for low, high in ends]
    order = np.argsort(-np.array(shares), kind="stable")
    return tuple((layers[i].name, shares[i]) for i in order)


def largest(values: Array, count: int) -> NDArray[np.intp]:
    """Places of the largest values, largest first and the first of equal ones before the others. O(p)."""
    if len(values) <= count:
        return np.argsort(-values, kind="stable")
    edge = np.partition(values, len(values) - count)[len(values) - count]
    found = np.flatnonzero(values >= edge)
    return found[np.argsort(-values[found], kind="stable")[:count]]
