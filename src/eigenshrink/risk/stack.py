"""Groups of few rows: one small system per group and strength, solved in stacks (M14)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from eigenshrink.data.rows import BLOCK, slices
from eigenshrink.risk.leaving import Array, Codes, Leaving, rows_of

CLEAR = 1e-4  # smallest eigenvalue from which a matrix of I − leverage needs no care
MANY = 64  # rows from which pairs of them are not multiplied out for several strengths at once
ROOM = 16 * BLOCK  # numbers that the systems of some strengths may hold at a time


@dataclass(frozen=True, eq=False)
class Stack:
    """Groups of equal size b in the eigenbasis: a system is ``spare + B diag(lost) Bᵀ``.

    ``spare`` is ``I − leverage`` at α → 0. Where it is nearly singular the rows of each group are turned so
    that it is diagonal: where only the group itself knows a direction, ``spare`` and ``outside`` are then
    exactly zero, so that the limit α → 0 keeps its digits.
    """

    leaving: Leaving
    picked: Codes  #   (g, b)
    B: Array  #        (g, b, k)
    spare: Array  #    (g, b, b)
    outside: Array  #  (g, b, t)
    turn: Array | None  # (g, b, b)
    unknown: bool  #   others cannot determine what is free

    def error(self, alphas: Array, slopes: bool) -> tuple[Array, Array]:
        """Sums of ``s_i e_i²`` over the rows, and their slopes, ``(m, t)`` each."""
        t = self.outside.shape[2]
        if self.unknown:
            return np.full((len(alphas), t), np.inf), np.full((len(alphas), t), np.nan)
        values, steep = [], []
        for strength, column in self._strengths(alphas):
            system, D = self._systems(strength)
            error = self._left_out(system, D, strength, column)
            values.append(np.sum(error**2, axis=(0, 2)))
            if slopes:
                change = self._change(system, D, strength, column, error)
                steep.append(2 * np.sum(error * change, axis=(0, 2)))
        shape = (len(alphas), t)
        return np.concatenate(values).reshape(shape), (
            np.concatenate(steep).reshape(shape) if slopes else np.full(shape, np.nan)
        )

    def rows(self, alphas: Array) -> Iterator[tuple[Codes, Array]]:
        """Rows ``(g·b,)`` and their ``√s_i e_i``, ``(g·b, m, t)``."""
        g, b, t = self.outside.shape
        if self.unknown:
            yield self.picked.reshape(-1), np.full((g * b, len(alphas), t), np.inf)
            return
        parts = []
        for strength, column in self._strengths(alphas):
            error = self._left_out(*self._systems(strength), strength, column)
            error = error if self.turn is None else self.turn[:, None] @ error
            parts.append(error.transpose(0, 2, 1, 3))
        error = np.concatenate(parts, axis=2).reshape(g * b, len(alphas), t)
        yield self.picked.reshape(-1), error

    def _strengths(self, alphas: Array) -> Iterator[tuple[Array, Codes]]:
        """Strengths ``(q,)`` and the targets that each is for, ``(q, c)``; few at a time."""
        g, b, t = self.outside.shape
        if alphas.shape[1] == 1:
            strength, column = alphas[:, 0], np.broadcast_to(np.arange(t), (len(alphas), t))
        else:
            strength, column = alphas.reshape(-1), np.tile(np.arange(t), len(alphas))[:, None]
        room = ROOM // (g * max(b, self.B.shape[2]) * max(b, column.shape[1]))
        for picked in slices(len(strength), room):
            yield strength[picked], column[picked]

    def _systems(self, strength: Array) -> tuple[Array, Array]:
        """The systems ``(g, q, b, b)`` with ones on their diagonals, and the divisor ``(g, q, b)``."""
        g, b, k = self.B.shape
        lost = self.leaving.along.lost(strength[:, None]).T
        if b > MANY:
            system = (self.B[:, None] * lost.T[None, :, None]) @ self.B.transpose(0, 2, 1)[:, None]
            system += self.spare[:, None]
        else:
            system = np.empty((g, len(strength), b, b))
            for i in range(b):  # one large product for all strengths
                pairs = (self.B[:, i, None] * self.B[:, i:]).reshape(g * (b - i), k)
                row = (pairs @ lost).reshape(g, b - i, len(strength)) + self.spare[:, i, i:, None]
                system[:, :, i, i:] = system[:, :, i:, i] = row.transpose(0, 2, 1)
        D = np.sqrt(np.einsum("gqii->gqi", system))
        D = np.where(D > 0, D, 1.0)
        system /= D[..., :, None] * D[..., None, :]
        np.einsum("gqii->gqi", system)[:] = 1.0
        return system, D

    def _left_out(self, system: Array, D: Array, strength: Array, column: Codes) -> Array:
        """Errors of the rows, turned, ``(g, q, b, c)``."""
        lost = self.leaving.along.lost(strength[:, None]).T
        moved = self.leaving.signal[:, column] * lost[:, :, None]
        k, q, c = moved.shape
        residual = (self.B @ moved.reshape(k, q * c)).reshape(*self.picked.shape, q, c)
        residual = (residual + self.outside[:, :, column]).transpose(0, 2, 1, 3)
        return _solve(system, D, residual)

    def _change(self, system: Array, D: Array, strength: Array, column: Codes, error: Array) -> Array:
        """``d error / d log α``: the system moves, and so does what is fitted."""
        steep = self.leaving.along.lost_slope(strength[:, None])
        apart = self.leaving.signal[:, column].transpose(1, 0, 2) - self.B.transpose(0, 2, 1)[:, None] @ error
        return _solve(system, D, self.B[:, None] @ (apart * steep[:, :, None]))


def stacks(leaving: Leaving, labels: Codes, which: Codes) -> Iterator[Stack]:
    """Stacks of the groups that are meant, equal sizes together, a few at a time."""
    k = len(leaving.along.eigenvalues)
    sizes = np.bincount(labels)[which]
    for b in np.unique(sizes):
        same = which[sizes == b]
        for some in slices(len(same), 4 * BLOCK // (b * max(k, b, 1))):
            yield _stack(leaving, np.stack(rows_of(labels, same[some])))


def _stack(leaving: Leaving, picked: Codes) -> Stack:
    g, b = picked.shape
    U, G, outside = (part.reshape(g, b, -1) for part in leaving.pick(picked.reshape(-1)))
    certain = np.linalg.eigvalsh(G.transpose(0, 2, 1) @ G).max(initial=0.0) if G.shape[2] else 0.0
    spare = np.eye(b) - G @ G.transpose(0, 2, 1) - U @ U.transpose(0, 2, 1)
    turn = None
    if leaving.used_up:
        spare, outside = np.zeros_like(spare), np.zeros_like(outside)
    elif not _clear(spare):
        left, turn = np.linalg.eigh(spare)
        known = left > leaving.rounding
        back = turn.transpose(0, 2, 1)
        U, outside = back @ U, np.where(known[:, :, None], back @ outside, 0.0)
        spare = np.where(known, left, 0.0)[:, :, None] * np.eye(b)
    unknown = bool(certain > 1.0 - leaving.rounding)
    return Stack(leaving, picked, U, spare, outside, turn, unknown)


def _clear(spare: Array) -> bool:
    """Whether every one of these matrices is far from singular; much cheaper to see than how singular."""
    try:
        np.linalg.cholesky(spare - CLEAR * np.eye(spare.shape[-1]))
    except np.linalg.LinAlgError:
        return False
    return True


def _solve(system: Array, D: Array, right: Array) -> Array:
    return np.asarray(np.linalg.solve(system, right / D[..., None]) / D[..., None])
