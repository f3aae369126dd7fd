"""More columns than rows: the n×n side (M20). No array of p×p and none of p×k is ever held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from eigenshrink.curvature import fits_densely
from eigenshrink.data.rows import BLOCK, slices
from eigenshrink.fit import Fit, Training
from eigenshrink.spectrum.record import DualBasis, FreeBlock, Spectrum, left_outside, numerical_floor
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
class DualScores:
    """U itself, ``(n, k)``, and an orthonormal basis of the free columns, ``(n, m_F)``."""

    left: Array
    free: Array
    free_signal: Array  # (m_F, t)

    def blocks(self) -> Iterator[tuple[slice, Array, Array]]:
        """Row slices, U ``(b, k)`` and the basis of the free columns ``(b, m_F)``."""
        n, k = self.left.shape
        for rows in slices(n, BLOCK // max(k, 1)):
            yield rows, self.left[rows], self.free[rows]


def decompose_dual(fit: Fit, training: Training) -> Spectrum:
    """The spectrum from ``K = P Z D⁻¹ Zᵀ P``, P projecting the free columns out (M12).

    By ``eigh`` of K where its eigenvalues stand clear of rounding, else by QR of ``Zᵀ`` and SVD.
    """
    n, pen, free = len(training.table.y), fit.penalised, fit.free
    fits_densely(n)
    training = replace(training, rows=training.rows.recentred())
    basis, inverse = _free_basis(training, free)
    Y = training.targets()
    offset, free_signal = inverse @ Y, basis.T @ Y
    Y = Y - basis @ free_signal
    rank = basis.shape[1] + training.fit_intercept
    most = min(n - rank, len(pen))
    left, singular, route = _by_kernel(fit, training, basis, most)
    signal = left.T @ Y
    left_over = np.sum((Y - left @ signal) ** 2, axis=0)
    outside = left_outside(left_over, np.sum(Y**2, axis=0), n - rank - left.shape[1])
    S = training.table.weight_sum
    values = singular**2 / S
    error = EPS * n
    return Spectrum(
        eigenvalues=values,
        directions=DualBasis(training.rows, pen, fit.scale, left, singular),
        numerators=singular[:, None] * signal / S,
        at=fit.alpha,
        route=route,
        floor=numerical_floor(values[0], values[-1], error, route == "dual-gram") if len(values) else 0.0,
        free=FreeBlock(
            rank=rank,
            onto=training.rows.transpose_times(inverse.T)[pen].T if len(free) else np.zeros((0, len(pen))),
            offset=offset,
        ),
        outside=outside / S,
        scores=DualScores(left, basis, free_signal),
        one_target=training.table.one_target,
    )


def _by_kernel(fit: Fit, training: Training, basis: Array, most: int) -> tuple[Array, Array, str]:
    n = len(training.table.y)
    if most <= 0:
        return np.zeros((n, 0)), np.zeros(0), "dual-gram"
    K = training.rows.kernel(fit.penalised, fit.scale)
    size = float(np.trace(K))
    if basis.shape[1]:
        K -= basis @ (basis.T @ K)
        K -= (K @ basis) @ basis.T
    values, U = np.linalg.eigh(K)
    values, U = values[::-1][:most], U[:, ::-1][:, :most]
    U -= basis @ (basis.T @ U)
    if values[-1] > CLEAR * max(values[0], size / n) and values.sum() > CANCELLED * size:
        return U, np.sqrt(values), "dual-gram"
    return *_by_qr(fit, training, basis, most, np.sqrt(size / n)), "dual-svd"


def _by_qr(fit: Fit, training: Training, basis: Array, most: int, size: float) -> tuple[Array, Array]:
    n, p = training.rows.shape

    def blocks() -> Iterator[tuple[Array, Array]]:
        for places, block in training.rows.columns(fit.penalised):
            block -= basis @ (basis.T @ block)
            block -= basis @ (basis.T @ block)
            yield block.T * fit.scale[places, None], np.zeros((places.stop - places.start, 0))

    R, _, _ = tall_qr(blocks(), n, 0)
    U, singular, _ = accurate_svd(np.ascontiguousarray(R.T))
    k = min(most, int(np.sum(singular > rank_tolerance(p, n) * max(singular[0], size))))
    return U[:, :k], singular[:k]


def _free_basis(training: Training, free: NDArray[np.intp]) -> tuple[Array, Array]:
    """Orthonormal basis of the free columns ``(n, m_F)`` and their pseudo-inverse ``(f, n)``."""
    n = len(training.table.y)
    if not len(free):
        return np.zeros((n, 0)), np.zeros((0, n))
    Z = np.concatenate([block for _, block in training.rows.columns(free)], axis=1)
    U, sizes, Vt = np.linalg.svd(Z, full_matrices=False)
    m = unit_free_rank(Z, rank_tolerance(n, len(free)))
    m = min(m, n - training.fit_intercept)
    return U[:, :m], Vt[:m].T @ (U[:, :m] / sizes[:m]).T
