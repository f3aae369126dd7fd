"""Exact leave-one-out error of every strength, without a refit (M14; Allen 1974, Technometrics 16(1)).

``e_i = r_i/(1−h_i)`` equals the error of a refit without the row at the same Sα. All strengths of a
block of rows come from two products with the shares ``α/(λ+α)``, whose matrix has low rank (M20).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from eigenshrink.data.rows import slices
from eigenshrink.path import QuadraticPath
from eigenshrink.risk.curve import Array, RiskCurve, loss_curve, once
from eigenshrink.risk.leaving import Leaving
from eigenshrink.risk.uncertainty import Piece

TOGETHER = 256  # targets with a strength each that are looked at together
MANY = 24  # strengths from which their shares are worth factoring


@once
def loo(path: QuadraticPath) -> RiskCurve:
    """``Σ s_i e_i²/(2S)``, ``e_i = r_i/(1−h_i)``; two passes of GEMM over the rows for all strengths.

    Precision weights: the whole row leaves, ``h_i = s_i x̃ᵢᵀMx̃ᵢ``. Frequency weights: one copy leaves,
    ``h_i = x̃ᵢᵀMx̃ᵢ``. A row that only itself determines (h = 1) makes the curve infinite.
    """
    leaving = Leaving.of(path)
    along = leaving.along
    t = along.squares.shape[1]

    def evaluate(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        asked = _Question.of(leaving, alphas, slopes)
        total = np.zeros((2, *asked.shape))
        for block in _blocks(leaving):
            for row, targets, share in asked:
                total[:, row, targets] += block.error(share, targets)
        values, steep = total.reshape(2, len(alphas), t) / (2 * along.weight_sum)
        return values, steep

    def units(reference: Array, alphas: Array) -> Iterator[Piece]:
        first = _Question.of(leaving, reference[None, :], False)
        rest = _Question.of(leaving, alphas, False)
        for block in _blocks(leaving):
            copies = None if block.copies is None else block.copies[:, 0]
            parts = (part / (2 * along.weight_sum) for part in block.squared(rest))
            yield copies, next(block.squared(first)) / (2 * along.weight_sum), parts

    return loss_curve("loo", path, evaluate, along.span, units)


@dataclass(frozen=True, eq=False)
class _Question:
    """Strengths to answer for, in pieces: all those of one target at once, or one strength of all targets.

    A piece is the row of the answer, the columns in it, and the shares. Where each target has its own
    strength, a few targets are looked at together, so that no further array of weights × targets is held.
    """

    leaving: Leaving
    pieces: list[tuple[int, slice, Array]]
    shape: tuple[int, int]
    slopes: bool

    @classmethod
    def of(cls, leaving: Leaving, alphas: Array, slopes: bool) -> _Question:
        t = leaving.along.squares.shape[1]
        if t == 1:
            pieces = [(0, slice(None), alphas.reshape(-1, 1))]
            return cls(leaving, pieces, (1, len(alphas)), slopes)
        pieces = [
            (row, some, strength[some, None])
            for row, strength in enumerate(alphas)
            for some in ([slice(None)] if len(strength) == 1 else slices(t, TOGETHER))
        ]
        return cls(leaving, pieces, (len(alphas), t), slopes)

    def __iter__(self) -> Iterator[tuple[int, slice, _Shares]]:
        for row, targets, strength in self.pieces:
            single = len(self.pieces) == 1
            yield row, targets, self.only if single else self._share(targets, strength)

    @cached_property
    def only(self) -> _Shares:
        """The shares of a question in one piece."""
        return self._share(*self.pieces[0][1:])

    def _share(self, targets: slice, strength: Array) -> _Shares:
        return _Shares.of(self.leaving, strength, targets, self.slopes)


@dataclass(frozen=True, eq=False)
class _Shares:
    """Lost shares of q strengths as products of thin matrices, ``(k, q)``; slopes beside them."""

    numerators: Array  #    (k, c)  of some targets
    scale: Array  #         (k, 1)  what makes Uᵀ Ỹ of them
    left: Array  #          (k, r)
    lost: Array  #          (r, q)
    slope: Array | None  #  (r, q)

    @classmethod
    def of(cls, leaving: Leaving, alphas: Array, targets: slice, slopes: bool) -> _Shares:
        along = leaving.along
        one = along.squares.shape[1] == 1
        lost = along.lost_columns(alphas)
        both = np.hstack([lost, along.lost_slope(alphas).T]) if slopes else lost
        q = lost.shape[1]
        thin = one and q > MANY and leaving.path.sample.rows > 4 * len(both) > 0
        left, right = _thin(both) if thin else (np.eye(0), both)
        numerators = leaving.path.spectrum.numerators[:, targets]
        return cls(numerators, leaving.scale, left, right[:, :q], right[:, q:] if slopes else None)

    def leverage(self, squares: Array, slope: bool = False) -> Array:
        """``Σ_k U_ik² · share_kq``."""
        share = self.slope if slope and self.slope is not None else self.lost
        return (squares @ self.left) @ share if self.left.size else squares @ share

    def residual(self, U: Array, slope: bool = False) -> Array:
        """``Σ_k U_ik · signal_k · share_kq``."""
        share = self.slope if slope and self.slope is not None else self.lost
        if self.left.size:
            return (U @ (self.scale * self.numerators * self.left)) @ share
        if share.shape[1] < self.numerators.shape[1]:  # no product of weights × targets
            return (U * (self.scale * share).T) @ self.numerators
        if self.numerators.shape[1] == 1:
            return U @ (self.scale * self.numerators * share)
        weights = self.scale * share
        weights *= self.numerators
        return U @ weights


@dataclass(frozen=True, eq=False)
class _Block:
    """Rows in the eigenbasis: what is needed to leave each of them out."""

    rows: slice
    U: Array  #        (b, k)
    squares: Array  #  (b, k)  U²
    outside: Array  #  (b, t)  residuals as α → 0
    spare: Array  #    (b, 1)  1 − leverage as α → 0
    copies: Array | None  # (b, 1) s_i of frequency weights

    def error(self, share: _Shares, targets: slice) -> tuple[Array, Array]:
        """Sums of ``s_i e_i²`` over the rows, and their slopes, ``(q,)`` or ``(c,)`` for c targets each."""
        error, left_out = self.left_out(share, targets)
        with np.errstate(divide="ignore", invalid="ignore"):
            total = np.einsum("ij,ij->j", error, error)
            if share.slope is None:
                return total, np.full_like(total, np.nan)
            moved = share.leverage(self.squares, slope=True)
            if self.copies is not None:
                moved = moved / self.copies
            change = share.residual(self.U, slope=True) - error * moved
            return total, 2 * np.einsum("ij,ij->j", error, change / left_out)

    def squared(self, asked: _Question) -> Iterator[Array]:
        """``s_i e_i²`` of each row, ``(b, q)`` or ``(b, t)``, for each row of the answer."""
        found: list[Array] = []
        for _, targets, share in asked:
            found.append(np.square(self.left_out(share, targets)[0]))
            if targets.stop in (None, asked.shape[1]):
                yield found[0] if len(found) == 1 else np.hstack(found)
                found = []

    def left_out(self, share: _Shares, targets: slice) -> tuple[Array, Array]:
        """``√s_i e_i`` and ``1 − h_i``, ``(b, q)`` or ``(b, c)`` each."""
        left_out = share.leverage(self.squares)
        left_out += self.spare
        residual = share.residual(self.U)
        residual += self.outside if self.outside.shape[1] == 1 else self.outside[:, targets]
        if self.copies is not None:
            left_out = left_out / self.copies + (1.0 - 1.0 / self.copies)
        with np.errstate(divide="ignore", invalid="ignore"):
            error = np.divide(residual, left_out, out=residual)
        if not left_out.min(initial=1.0) > 0:
            error = np.where(left_out > 0, error, np.inf)
        return error, left_out


def row_errors(path: QuadraticPath, alphas: Array) -> RowErrors:
    """Each row as it is fitted and as it is left out, each target at its own strength.

    Parameters
    ----------
    path : QuadraticPath
        With its rows.
    alphas : (t,)
        A strength per target.
    """
    leaving = Leaving.of(path)
    n, t = leaving.training.table.y.shape
    asked = _Question.of(leaving, alphas[None, :], slopes=False)
    residual, left_out, spare = np.empty((n, t)), np.empty((n, t)), np.empty((n, t))
    for block in _blocks(leaving):
        for _, targets, share in asked:
            left_out[block.rows, targets], spare[block.rows, targets] = block.left_out(share, targets)
            residual[block.rows, targets] = block.outside[:, targets] + share.residual(block.U)
    root = np.ones(n) if leaving.training.rows.root is None else leaving.training.rows.root
    residual, left_out = residual / root[:, None], left_out / root[:, None]
    fitted = leaving.training.table.y - residual
    return RowErrors(fitted, residual, left_out, 1.0 - spare)


@dataclass(frozen=True, eq=False)
class RowErrors:
    """Each row as it is fitted and as it is left out, original units, weights taken off.

    Attributes
    ----------
    fitted, residual : (n, t)
        ``ŷ`` and ``y − ŷ``.
    left_out : (n, t)
        ``(y − ŷ)/(1 − h)``: the error of a fit without the row (frequency weights: without one copy).
    leverage : (n, t)
        h.
    """

    fitted: Array
    residual: Array
    left_out: Array
    leverage: Array


def _blocks(leaving: Leaving) -> Iterator[_Block]:
    weight = leaving.copies
    scores = leaving.path.spectrum.scores
    if scores is None:
        return
    leaving.unchanged()
    for rows, U, F in scores.blocks():
        free = np.einsum("ij,ij->i", F, F) + leaving.intercept_share(rows)
        squares = U**2
        spare = 1.0 - free - squares @ np.ones(U.shape[1])
        outside = leaving.outside(rows, U, F)
        if np.any(free > 1.0 - leaving.rounding):
            U = np.where(free[:, None] > 1.0 - leaving.rounding, 0.0, U)
            squares = U**2
        fitted = (spare <= leaving.rounding) | leaving.used_up
        outside[fitted], spare[fitted] = 0.0, 0.0
        yield _Block(
            rows=rows,
            U=U,
            squares=squares,
            outside=outside,
            spare=spare[:, None],
            copies=None if weight is None else weight[rows, None],
        )


def _thin(shares: Array) -> tuple[Array, Array]:
    """``(k, q)`` as ``(k, r) (r, q)``: the shares of many strengths have rank near 36 (M20).

    Columns are brought to one size first, so that small strengths keep their digits.
    """
    largest = np.abs(shares).max(axis=0)
    U, sizes, Vt = np.linalg.svd(shares / np.where(largest > 0, largest, 1.0), full_matrices=False)
    r = int(np.sum(sizes > 1e-16 * sizes[0])) if len(sizes) else 0
    if 2 * r >= shares.shape[1]:
        return np.eye(0), shares
    return U[:, :r], sizes[:r, None] * Vt[:r] * largest
