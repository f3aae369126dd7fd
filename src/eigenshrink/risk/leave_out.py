"""Rows that leave together, exactly and without a refit (M14).

What is left of a group is ``(I − Z_G M Z_Gᵀ)⁻¹ r_G`` at the same Sα. Groups of few rows are solved in
stacks, one small system per strength; groups of many rows by one small ``eigh`` of the *other* rows'
statistics, which holds for every strength. Both are the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np

from eigenshrink.data.rows import BLOCK
from eigenshrink.path import QuadraticPath
from eigenshrink.risk.curve import RiskCurve, loss_curve
from eigenshrink.risk.fold import Folds, make_folds
from eigenshrink.risk.leaving import Array, Codes, Leaving
from eigenshrink.risk.stack import stacks
from eigenshrink.risk.uncertainty import Piece

Said = tuple[Array | None, Array]

FEW = 20  # rows up to which a group is always solved in a stack


class Part(Protocol):
    """Rows that leave, one group of them or a stack of groups."""

    def error(self, alphas: Array, slopes: bool) -> tuple[Array, Array]:
        """Sums of ``s_i e_i²`` over the rows, and their slopes, ``(m, t)`` each."""
        ...

    def rows(self, alphas: Array) -> Iterator[tuple[Codes, Array]]:
        """Rows ``(b,)`` and their ``√s_i e_i``, ``(b, m, t)``, in blocks that keep units whole."""
        ...


def leave_out(name: str, path: QuadraticPath, labels: Codes, units: Codes | None = None) -> RiskCurve:
    """``Σ s_i e_i²/(2S)``, e_i the error of a fit without the rows that have the label of row i.

    Parameters
    ----------
    name : str
    path : QuadraticPath
    labels : (n,)
        Rows of one label leave together, with all their copies.
    units : (n,), optional
        What counts as one observation for the paired standard error; None: each row (each copy).

    Notes
    -----
    Sα stays fixed: this equals a refit at ``α·S/(S − s_G)``. Infinite where the others cannot determine a
    free weight. Cost per strength: ``Σ b²k`` over groups of few rows; one ``eigh`` and ``O(k²)`` for each
    group of many.
    """
    leaving = Leaving.of(path)
    along, t = leaving.along, leaving.along.squares.shape[1]
    kept: list[Sequence[Folds]] = []

    def parts() -> Iterator[Part]:
        leaving.unchanged()
        sizes = np.bincount(labels)
        many = sizes > max(along.free_rank + len(along.eigenvalues), FEW)
        if not kept:
            kept.append(make_folds(leaving, labels, np.flatnonzero(many), units))
        yield from kept[0]
        yield from stacks(leaving, labels, np.flatnonzero(~many & (sizes > 0)))

    def evaluate(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        total = np.zeros((2, len(alphas), t))
        for part in parts():
            total += part.error(alphas, slopes)
        values, steep = total / (2 * along.weight_sum)
        return values, steep if slopes else np.full_like(values, np.nan)

    def parted(reference: Array, alphas: Array) -> Iterator[Piece]:
        wanted = np.concatenate(
            [np.broadcast_to(reference, (1, t)), np.broadcast_to(alphas, (len(alphas), t))]
        )
        wanted = wanted if t > 1 else wanted[:, :1]
        pieces = (_piece(leaving, *found, units) for part in parts() for found in part.rows(wanted))
        for copies, squares in _gathered(pieces):
            yield copies, squares[:, 0], (squares[:, j] for j in range(1, squares.shape[1]))

    return loss_curve(name, path, evaluate, along.span, parted)


def _piece(leaving: Leaving, rows: Codes, error: Array, units: Codes | None) -> Said:
    """Copies ``(u,)`` and what each unit adds to the curve, ``(u, 1+m, t)``: the reference first."""
    squares = np.square(error) / (2 * leaving.along.weight_sum)
    copies = None if leaving.copies is None else leaving.copies[rows]
    if units is not None:
        _, place = np.unique(units[rows], return_inverse=True)
        order = np.argsort(place, kind="stable")
        starts = np.flatnonzero(np.diff(place[order], prepend=-1))
        squares, copies = np.add.reduceat(squares[order], starts, axis=0), None
    return copies, squares


def _gathered(pieces: Iterable[Said]) -> Iterator[Said]:
    """Pieces of a group or two put together: each costs a look at every strength."""
    kept: list[Said] = []
    size = 0
    for piece in pieces:
        kept.append(piece)
        size += piece[1].size
        if size >= BLOCK:
            yield _joined(kept)
            kept, size = [], 0
    if kept:
        yield _joined(kept)


def _joined(kept: list[Said]) -> Said:
    copies = [np.ones(len(squares)) if copies is None else copies for copies, squares in kept]
    counted = any(own is not None for own, _ in kept)
    return np.concatenate(copies) if counted else None, np.concatenate([squares for _, squares in kept])
