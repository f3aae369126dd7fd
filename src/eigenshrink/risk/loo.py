"""Exact leave-one-out error of every strength, without a refit (M14; Allen 1974, Technometrics 16(1)).

``e_i = r_i/(1−h_i)`` equals the error of a refit without the row at the same Sα. All strengths of a
block of rows come from two products with the shares ``α/(λ+α)``, whose matrix has low rank (M20).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from eigenshrink.path import QuadraticPath
from eigenshrink.risk.curve import Array, RiskCurve, loss_curve, once
from eigenshrink.risk.leaving import Leaving
from eigenshrink.risk.signal import Signal
from eigenshrink.risk.uncertainty import Piece

MANY = 24  # strengths from which their shares are worth factoring


@once
def loo(path: QuadraticPath) -> RiskCurve:
    """``Σ s_i e_i²/(2S)``, ``e_i = r_i/(1−h_i)``; two passes of GEMM over the rows for all strengths.

    Precision weights: the whole row leaves, ``h_i = s_i x̃ᵢᵀMx̃ᵢ``. Frequency weights: one copy leaves,
    ``h_i = x̃ᵢᵀMx̃ᵢ``. A row that only itself determines (h = 1) makes the curve infinite.
    """
    leaving = Leaving.of(path)
    along = leaving.along
    targets = along.squares.shape[1]

    def share(alphas: Array, slopes: bool) -> list[_Shares]:
        groups = [alphas] if targets == 1 else list(alphas[:, None, :])
        thin = targets == 1 and path.sample.rows > 4 * len(along.eigenvalues)
        return [_Shares.of(along, group.reshape(-1, 1), slopes, thin) for group in groups]

    def evaluate(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        shares = share(alphas, slopes)
        total = np.zeros((2, len(shares), max(len(alphas) if targets == 1 else 1, targets)))
        for block in _blocks(leaving):
            for j, part in enumerate(shares):
                total[:, j] += block.error(part)
        values, steep = total.reshape(2, len(alphas), -1) / (2 * along.weight_sum)
        return values, steep

    def units(reference: Array, alphas: Array) -> Iterator[Piece]:
        (first,), rest = share(reference[None, :], False), share(alphas, False)
        for block in _blocks(leaving):
            parts = (block.squared(part) / (2 * along.weight_sum) for part in rest)
            copies = None if block.copies is None else block.copies[:, 0]
            yield copies, block.squared(first) / (2 * along.weight_sum), parts

    return loss_curve("loo", path, evaluate, along.span, units)


@dataclass(frozen=True, eq=False)
class _Shares:
    """Lost shares of q strengths as products of thin matrices, ``(k, q)``; slopes beside them."""

    left: Array  #          (k, r)
    lost: Array  #          (r, q)
    slope: Array | None  #  (r, q)

    @classmethod
    def of(cls, along: Signal, alphas: Array, slopes: bool, thin: bool) -> _Shares:
        lost = along.lost(alphas).T
        both = np.hstack([lost, along.lost_slope(alphas).T]) if slopes else lost
        q = lost.shape[1]
        left, right = _thin(both) if thin and q > MANY and len(both) else (np.eye(0), both)
        return cls(left, right[:, :q], right[:, q:] if slopes else None)

    def times(self, U: Array, columns: Array, slope: bool) -> Array:
        """``Σ_k U_ik · columns_k · share_kq``; factored shares take one column, others any."""
        share = self.slope if slope and self.slope is not None else self.lost
        if self.left.size:
            return (U @ (columns * self.left)) @ share
        return U @ (share * columns)


@dataclass(frozen=True, eq=False)
class _Block:
    """Rows in the eigenbasis: what is needed to leave each of them out."""

    rows: slice
    U: Array  #        (b, k)
    squares: Array  #  (b, k)  U²
    signal: Array  #   (k, t)  Uᵀ Ỹ of all rows
    outside: Array  #  (b, t)  residuals as α → 0
    spare: Array  #    (b, 1)  1 − leverage as α → 0
    copies: Array | None  # (b, 1) s_i of frequency weights

    def error(self, share: _Shares) -> tuple[Array, Array]:
        """Sums of ``s_i e_i²`` over the rows, and their slopes, ``(q,)`` or ``(t,)`` each."""
        error, left_out = self.left_out(share)
        with np.errstate(divide="ignore", invalid="ignore"):
            total = np.einsum("ij,ij->j", error, error)
            if share.slope is None:
                return total, np.full_like(total, np.nan)
            moved = share.times(self.squares, np.ones((len(self.signal), 1)), slope=True)
            if self.copies is not None:
                moved = moved / self.copies
            change = share.times(self.U, self.signal, slope=True) - error * moved
            return total, 2 * np.einsum("ij,ij->j", error, change / left_out)

    def squared(self, share: _Shares) -> Array:
        """``s_i e_i²`` of each row, ``(b, q)`` or ``(b, t)``."""
        return np.square(self.left_out(share)[0])

    def left_out(self, share: _Shares) -> tuple[Array, Array]:
        """``√s_i e_i`` and ``1 − h_i``, ``(b, q)`` or ``(b, t)`` each."""
        left_out = share.times(self.squares, np.ones((len(self.signal), 1)), slope=False)
        left_out += self.spare
        residual = share.times(self.U, self.signal, slope=False)
        residual += self.outside
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
    share = _Shares.of(leaving.along, alphas[:, None], False, False)
    residual, left_out, spare = np.empty((n, t)), np.empty((n, t)), np.empty((n, t))
    for block in _blocks(leaving):
        error, rest = block.left_out(share)
        left_out[block.rows], spare[block.rows] = error, rest
        residual[block.rows] = block.outside + share.times(block.U, block.signal, slope=False)
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
            signal=leaving.signal,
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
