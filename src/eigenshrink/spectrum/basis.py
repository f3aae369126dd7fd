"""An orthonormal basis that grows, kept in the precision of the products (M19)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RECENT = 8  # rows that a product with the newest one may have a large part of
FAINT = 1e-3  # share of a vector: what is taken out of it once leaves no more than rounding
SPAN = 1 << 14  # numbers that are added up in the precision of the basis before float64 takes over


class Growing:
    """Rows that are orthonormal to the rounding of their precision, ``(m, p)``.

    Parameters
    ----------
    p : int
    precision : dtype
        Of the rows.
    most : int
        Rows that there will ever be; memory is taken as they come.
    """

    def __init__(self, p: int, precision: np.dtype[Any], most: int) -> None:
        self.size = 0
        self._room = np.empty((most, p), dtype=precision)  # pages are not there until they are written

    @property
    def rows(self) -> NDArray[np.floating]:
        """The basis, ``(m, p)``."""
        return self._room[: self.size]

    def add(self, vectors: Array) -> None:
        """Append rows ``(b, p)``."""
        count = self.size + len(vectors)
        self._room[self.size : count] = vectors
        self.size = count

    def without(self, vectors: Array) -> Array:
        """Take the rows out of ``(b, p)`` in place; what was taken, ``(m, b)``.

        First the newest rows, of which a product with the last one has a part, then all, and all once more
        if that was more than rounding.
        """
        newest = max(self.size - RECENT, 0)
        taken = np.zeros((self.size, len(vectors)))
        taken[newest:] = take_out(self.rows[newest:], vectors)
        for _ in range(2):
            again = take_out(self.rows, vectors)
            taken += again
            if faint(again, vectors):
                break
        return taken


def faint(taken: Array, vectors: Array) -> bool:
    """Whether so little was taken out of each row that taking it out once was enough."""
    lengths = np.linalg.norm(vectors, axis=1)
    return bool(np.all(np.linalg.norm(taken, axis=0) <= FAINT * lengths))


def times(rows: NDArray[np.floating], vectors: Array) -> Array:
    """``V Wᵀ`` for V ``(m, p)`` and W ``(b, p)``, ``(m, b)``."""
    if rows.dtype == np.float64:
        answer: Array = rows @ vectors.T
        return answer
    total = np.zeros((len(rows), len(vectors)))
    for part in parts(rows.shape[1]):
        total += rows[:, part] @ vectors[:, part].astype(rows.dtype).T
    return total


def take_out(rows: NDArray[np.floating], vectors: Array) -> Array:
    """Subtract ``Vᵀ V Wᵀ`` once, in place; ``V Wᵀ``."""
    taken = times(rows, vectors)
    if rows.dtype == np.float64:
        vectors -= taken.T @ rows
        return taken
    small = taken.T.astype(rows.dtype)
    for part in parts(rows.shape[1]):
        vectors[:, part] -= small @ rows[:, part]
    return taken


def parts(p: int) -> Iterator[slice]:
    """Places that are taken at once."""
    return (slice(start, min(start + SPAN, p)) for start in range(0, p, SPAN))


def orthonormal(vectors: Array, floor: float) -> tuple[Array, Array]:
    """``W = Rᵀ V``: rows ``(b, p)`` made orthonormal ``(k, p)``, and R ``(k, b)``.

    A row of which less than ``floor`` is left by those before it adds no direction.
    """
    kept: list[Array] = []
    R = np.zeros((len(vectors), len(vectors)))
    for j, row in enumerate(vectors):
        left = row.astype(np.float64, copy=True)
        for _ in range(2):
            for i, other in enumerate(kept):
                share = float(other @ left)
                R[i, j] += share
                left -= share * other
        size = float(np.linalg.norm(left))
        if size > floor:
            R[len(kept), j] = size
            kept.append(left / size)
    basis = np.stack(kept) if kept else np.zeros((0, vectors.shape[1]))
    return basis, R[: len(kept)]


@dataclass(frozen=True, eq=False)
class KrylovBasis:
    """Directions ``Q = Vᵀ S`` of a Krylov space, kept as the product (M19).

    Attributes
    ----------
    lead : (b, p_pen)
        The first rows of V in float64: w₀ is in them, and is given back exactly.
    rest : (m - b, p_pen)
        The other rows of V.
    turn : (m, k)
        S: eigenvectors of the small side.
    """

    lead: Array
    rest: NDArray[np.floating]
    turn: Array

    def back(self, coordinates: Array) -> Array:
        """``Q c``."""
        inner = self.turn @ coordinates
        b = len(self.lead)
        answer: Array = self.lead.T @ inner[:b]
        small = inner[b:].astype(self.rest.dtype)
        for part in parts(len(answer)):
            answer[part] += self.rest[:, part].T @ small
        return answer

    def restrict(self, picked: NDArray[np.intp]) -> KrylovBasis:
        """Some of the directions."""
        return KrylovBasis(self.lead, self.rest, self.turn[:, picked])

    def take_out(self, rows: Array) -> None:
        """Subtract the directions from rows ``(b, p_pen)`` in place, twice if they are more than faint."""
        if not self.turn.shape[1]:
            return
        for _ in range(2):
            along = self.forth(rows.T)
            inner = self.turn @ along
            rows -= inner[: len(self.lead)].T @ self.lead
            small = inner[len(self.lead) :].T.astype(self.rest.dtype)
            for part in parts(rows.shape[1]):
                rows[:, part] -= small @ self.rest[:, part]
            if faint(along, rows):
                return

    def forth(self, vectors: Array) -> Array:
        """``Qᵀ v``."""
        inner = np.concatenate([self.lead @ vectors, times(self.rest, np.asarray(vectors.T))])
        answer: Array = self.turn.T @ inner
        return answer
