"""The table of directions: eigenvalue, coordinate, share kept, and the columns that carry it (M7, M8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eigenshrink.path import QuadraticPath

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
    """Describe every direction at one strength; ``top`` columns are named for each. O(p k)."""
    kept = path.shrinkage(alpha)
    verdict = np.where(kept >= KEPT, "kept", np.where(kept <= GONE, "gone", "fading"))
    basis = path.spectrum.basis
    order = np.argsort(-np.abs(basis), axis=0, kind="stable")[:top]
    labels = [names[j] for j in path.fit.penalised]
    columns = tuple(
        tuple((labels[j], float(basis[j, i])) for j in order[:, i]) for i in range(basis.shape[1])
    )
    return Directions(
        eigenvalue=path.spectrum.eigenvalues,
        coordinate=np.atleast_2d(path.spectrum.coordinates)[target],
        shrinkage=kept,
        verdict=tuple(str(word) for word in verdict),
        columns=columns,
    )
