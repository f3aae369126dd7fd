"""More rows than columns: the p×p side (M20), by the Gram matrix or, where that is blind, by QR.

The Gram matrix squares the condition number. It is used while every eigenvalue stands clear of its
rounding (ratio 1e-10), which also proves full rank; anything harder goes to QR and SVD of the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from eigenshrink.data.rows import BLOCK
from eigenshrink.fit import Fit, Training
from eigenshrink.spectrum.record import DenseBasis, FreeBlock, Spectrum, left_outside, numerical_floor
from eigenshrink.spectrum.triangular import (
    CANCELLED,
    CLEAR,
    EPS,
    accurate_svd,
    rank_tolerance,
    tall_qr,
    unit_free_rank,
)

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PrimalScores:
    """``U = Z T``, made again in blocks whenever it is needed: no n×k array is held.

    Attributes
    ----------
    training : Training
    T : (p, k + m_F)
        Maps centred rows to the eigenbasis, and to an orthonormal basis of the free columns.
    k : int
    free_signal : (m_F, t)
        Targets along that basis.
    """

    training: Training
    T: Array
    k: int
    free_signal: Array

    def blocks(self) -> Iterator[tuple[slice, Array, Array]]:
        """Row slices, U ``(b, k)`` and the basis of the free columns ``(b, m_F)``."""
        for rows, scores in self.training.rows.times(self.T, self.free_signal.shape[1]):
            yield rows, scores[:, : self.k], scores[:, self.k :]

    def pick(self, picked: NDArray[np.intp]) -> tuple[Array, Array]:
        """U and the basis of the free columns at some rows."""
        scores = np.concatenate([block for _, block in self.training.rows.take(picked).times(self.T)])
        return scores[:, : self.k], scores[:, self.k :]


def decompose_primal(fit: Fit, training: Training) -> Spectrum:
    """The spectrum by the Gram matrix if it can be trusted, else by QR and SVD."""
    spectrum = _by_gram(fit, training)
    return (
        spectrum if spectrum is not None else _by_qr(fit, replace(training, rows=training.rows.recentred()))
    )


def _by_gram(fit: Fit, training: Training) -> Spectrum | None:
    pen, scale, S = fit.penalised, fit.scale, training.table.weight_sum
    projected = _project(fit)
    if projected is None:
        return None
    A, slope, free, whiten = projected
    values, Q = np.linalg.eigh(A) if len(pen) else (np.zeros(0), np.zeros((0, 0)))
    if len(pen) and not values[0] > CLEAR * values[-1]:
        return None
    values, Q = values[::-1], Q[:, ::-1]
    numerators = -(Q.T @ slope)
    explained = np.sum((numerators / np.sqrt(values)[:, None]) ** 2, axis=0)
    explained -= np.sum(free.offset * fit.gradient[fit.free], axis=0)

    def unpenalised() -> Array:
        W = np.zeros_like(fit.gradient)
        W[pen] = scale[:, None] * (Q @ (numerators / values[:, None]))
        W[fit.free] = free.offset - free.onto @ W[pen]
        return W

    T = _row_map(fit, Q * scale[:, None] / np.sqrt(values * S), free.onto, whiten / np.sqrt(S))
    free_signal = -np.sqrt(S) * (whiten.T @ fit.gradient[fit.free])
    return Spectrum(
        eigenvalues=values,
        directions=DenseBasis(Q),
        numerators=numerators,
        at=fit.alpha,
        route="primal-gram",
        floor=_floor(values, EPS * len(values), squared=True),
        free=free,
        outside=_outside(training, explained, unpenalised, len(training.table.y) - free.rank - len(values)),
        scores=PrimalScores(training, T, len(values), free_signal),
        one_target=training.table.one_target,
    )


def _project(fit: Fit) -> tuple[Array, Array, FreeBlock, Array] | None:
    """``D^{-½}H_S D^{-½}``, its slope, the free block and what whitens it; None where digits are lost."""
    H, free, pen, scale, gradient = fit.curvature.dense, fit.free, fit.penalised, fit.scale, fit.gradient
    intercept = fit.sample is not None and fit.sample.fit_intercept
    A, slope = (H, gradient) if len(pen) == len(H) else (H[np.ix_(pen, pen)], gradient[pen])
    whiten = np.zeros((0, 0))
    onto, offset = np.zeros((0, len(pen))), np.zeros((0, gradient.shape[1]))
    if len(free):
        length = np.sqrt(np.diag(H)[free])
        values, vectors = np.linalg.eigh(H[np.ix_(free, free)] / np.outer(length, length))
        if values[0] < CLEAR * values[-1]:
            return None
        whiten = vectors / np.sqrt(values) / length[:, None]
        onto = whiten @ (whiten.T @ H[np.ix_(free, pen)])
        offset = -whiten @ (whiten.T @ gradient[free])
        A = A - H[np.ix_(pen, free)] @ onto
        slope = slope - onto.T @ gradient[free]
        if np.any(np.diag(A) < CANCELLED * np.diag(H)[pen]):
            return None
    if np.any(scale != 1.0):
        A, slope = A * np.outer(scale, scale), slope * scale[:, None]
    return A, slope, FreeBlock(len(free) + intercept, onto, offset, whiten), whiten


def _by_qr(fit: Fit, training: Training) -> Spectrum:
    free, pen, scale = fit.free, fit.penalised, fit.scale
    n, t, f = len(training.table.y), training.table.y.shape[1], len(free)
    order = np.concatenate([free, pen])
    S = training.table.weight_sum
    blocks = ((Z[:, order], training.targets(rows)) for rows, Z in _qr_blocks(training, len(order)))
    R, C, tail = tall_qr(blocks, len(order), t)
    tolerance = rank_tolerance(n, len(order))
    m = unit_free_rank(R[:, :f], tolerance) if f else 0
    left, sizes, right = np.linalg.svd(R[:f, :f]) if f else (np.eye(0), np.zeros(0), np.eye(0))
    inverse = right[:m].T / sizes[:m]
    onto, offset = inverse @ left[:, :m].T @ R[:f, f:], inverse @ left[:, :m].T @ C[:f]
    free_signal, rest = left[:, :m].T @ C[:f], left[:, m:].T
    length = np.linalg.norm(R[:, f:], axis=0)
    R, C = np.vstack([rest @ R[:f, f:], R[f:, f:]]), np.vstack([rest @ C[:f], C[f:]])
    k = min(unit_free_rank(R, tolerance, length), n - m - training.fit_intercept)
    U, singular, Vt = accurate_svd(R * scale)
    U, singular, Q = U[:, :k], singular[:k], Vt[:k].T
    signal = U.T @ C
    squares = tail + np.sum((C - U @ signal) ** 2, axis=0)
    outside = left_outside(squares, training.target_sd**2 * S, n - m - training.fit_intercept - k) / S
    values = singular**2 / S
    scores = PrimalScores(
        training, _row_map(fit, scale[:, None] * Q / singular, onto, inverse), k, free_signal
    )
    return Spectrum(
        eigenvalues=values,
        directions=DenseBasis(Q),
        numerators=singular[:, None] * signal / S,
        at=fit.alpha,
        route="primal-svd",
        floor=_floor(values, EPS * len(order), squared=False),
        free=FreeBlock(m + training.fit_intercept, onto, offset, np.sqrt(S) * inverse),
        outside=outside,
        scores=scores,
        one_target=training.table.one_target,
    )


def _qr_blocks(training: Training, columns: int) -> Iterator[tuple[slice, Array]]:
    """Row blocks of Z, gathered to at least twice as many rows as columns."""
    n, p = training.rows.shape
    gathered: list[Array] = []
    start = 0
    for rows, block in training.rows.blocks():
        gathered.append(block)
        if rows.stop - start >= max(2 * columns, BLOCK // max(p, 1)) or rows.stop == n:
            yield slice(start, rows.stop), np.concatenate(gathered)
            gathered, start = [], rows.stop


def _row_map(fit: Fit, penalised: Array, onto: Array, free: Array) -> Array:
    """T with ``U = Z T``: free columns are projected out by ``−onto``."""
    k = penalised.shape[1]
    T = np.zeros((len(fit.penalty_factor), k + free.shape[1]))
    T[fit.penalised, :k] = penalised
    T[fit.free, :k] = -onto @ penalised
    T[fit.free, k:] = free
    return T


def _outside(training: Training, explained: Array, unpenalised: Callable[[], Array], spare: int) -> Array:
    """Mean square of Y outside the span; by subtraction unless nearly everything cancels."""
    total = training.target_sd**2
    if np.all(total - explained >= CANCELLED * total) and spare > 0:
        return total - explained
    left = np.zeros_like(total)
    for rows, fitted in training.rows.times(unpenalised()):
        E = training.targets(rows) - fitted
        left += np.einsum("ij,ij->j", E, E)
    return left_outside(left / training.table.weight_sum, total, spare)


def _floor(values: Array, relative_error: float, squared: bool) -> float:
    if not len(values):
        return 0.0
    return numerical_floor(float(values[0]), float(values[-1]), relative_error, squared)
