"""Exact leave-one-out error of every strength, without a refit (M14; Allen 1974, Technometrics 16(1)).

``e_i = r_i/(1−h_i)`` equals the error of a refit without the row at the same Sα. All strengths of a
block of rows come from two products with the shares ``α/(λ+α)``, whose matrix has low rank (M20).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from eigenshrink.fit import Sample, Training
from eigenshrink.path import QuadraticPath
from eigenshrink.risk.curve import LOSS_UNIT, Array, RiskCurve, Signal
from eigenshrink.spectrum import Spectrum
from eigenshrink.spectrum.triangular import EPS

MANY = 24  # strengths from which their shares are worth factoring
ROUNDING = 1e-11  # 1 − h below this is rounding of a row that only itself determines


def loo(path: QuadraticPath) -> RiskCurve:
    """``Σ s_i e_i²/(2S)``, ``e_i = r_i/(1−h_i)``; two passes of GEMM over the rows for all strengths.

    Precision weights: the whole row leaves, ``h_i = s_i x̃ᵢᵀMx̃ᵢ``. Frequency weights: one copy leaves,
    ``h_i = x̃ᵢᵀMx̃ᵢ``. A row that only itself determines (h = 1) makes the curve infinite.
    """
    along = Signal.of(path)
    targets = along.squares.shape[1]

    def evaluate(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        groups = [alphas] if targets == 1 else list(alphas[:, None, :])
        thin = targets == 1 and path.sample.rows > 4 * len(along.eigenvalues)
        shares = [_Shares.of(along, group.reshape(-1, 1), slopes, thin) for group in groups]
        total = np.zeros((2, len(groups), max(len(groups[0]) if targets == 1 else 1, targets)))
        for block in _blocks(path, along):
            for j, share in enumerate(shares):
                total[:, j] += block.error(share)
        values, steep = total.reshape(2, len(alphas), -1) / (2 * along.weight_sum)
        return values, steep

    return RiskCurve(
        "loo",
        LOSS_UNIT,
        evaluate,
        along.span,
        targets,
        path.spectrum.one_target,
        flat_limit=np.zeros(targets, dtype=bool),
    )


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

    U: Array  #        (b, k)
    squares: Array  #  (b, k)  U²
    signal: Array  #   (k, t)  Uᵀ Ỹ of all rows
    outside: Array  #  (b, t)  residuals as α → 0
    spare: Array  #    (b, 1)  1 − leverage as α → 0
    copies: Array | None  # (b, 1) s_i of frequency weights

    def error(self, share: _Shares) -> tuple[Array, Array]:
        """Sums of ``s_i e_i²`` over the rows, and their slopes, ``(q,)`` or ``(t,)`` each."""
        ones, squares = np.ones((len(self.signal), 1)), self.squares
        left_out = share.times(squares, ones, slope=False)
        left_out += self.spare
        residual = share.times(self.U, self.signal, slope=False)
        residual += self.outside
        if self.copies is not None:
            left_out = left_out / self.copies + (1.0 - 1.0 / self.copies)
        with np.errstate(divide="ignore", invalid="ignore"):
            error = np.divide(residual, left_out, out=residual)
            if not left_out.min(initial=1.0) > 0:
                error = np.where(left_out > 0, error, np.inf)
            total = np.einsum("ij,ij->j", error, error)
            if share.slope is None:
                return total, np.full_like(total, np.nan)
            moved = share.times(squares, ones, slope=True)
            if self.copies is not None:
                moved = moved / self.copies
            change = share.times(self.U, self.signal, slope=True) - error * moved
            return total, 2 * np.einsum("ij,ij->j", error, change / left_out)


def _blocks(path: QuadraticPath, along: Signal) -> Iterator[_Block]:
    training, spectrum = path.fit.training, path.spectrum
    if training is None or spectrum.scores is None:
        return
    training.unchanged()
    weight = training.table.weight if training.table.weight_kind == "frequency" else None
    used_up = len(along.eigenvalues) + along.free_rank == path.sample.rows
    rounding = _rounding(path.sample, spectrum)
    signal = spectrum.numerators * np.sqrt(along.weight_sum / along.eigenvalues)[:, None]
    for rows, U, F in spectrum.scores.blocks():
        free = np.einsum("ij,ij->i", F, F) + _intercept(training, rows)
        squares = U**2
        spare = 1.0 - free - squares @ np.ones(U.shape[1])
        outside = training.targets(rows) - U @ signal - F @ spectrum.scores.free_signal
        outside[:, along.outside == 0] = 0.0
        if np.any(free > 1.0 - rounding):
            U = np.where(free[:, None] > 1.0 - rounding, 0.0, U)
            squares = U**2
        fitted = (spare <= rounding) | used_up
        outside[fitted], spare[fitted] = 0.0, 0.0
        yield _Block(
            U=U,
            squares=squares,
            signal=signal,
            outside=outside,
            spare=spare[:, None],
            copies=None if weight is None else weight[rows, None],
        )


def _rounding(sample: Sample, spectrum: Spectrum) -> float:
    """``1 − h`` that may be rounding: of means beside their spread, of a Gram matrix by its condition."""
    sd = np.where(sample.column_sd > 0, sample.column_sd, np.inf)
    far = np.max(np.abs(sample.column_mean) / sd, initial=0.0)
    values = spectrum.eigenvalues
    condition = values[0] / values[-1] if spectrum.route.endswith("gram") and len(values) else 1.0
    return float(np.clip(100 * EPS * max(far, condition), ROUNDING, 1e-6))


def _intercept(training: Training, rows: slice) -> Array | float:
    """Leverage ``s_i/S`` of a fitted intercept."""
    if not training.fit_intercept:
        return 0.0
    weight = training.table.weight
    return (1.0 if weight is None else weight[rows]) / training.table.weight_sum


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
