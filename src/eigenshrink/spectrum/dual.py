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
        for rows in slices(n, BLOCK // max(8 * k, 1)):
            yield rows, self.left[rows], self.free[rows]

    def pick(self, picked: NDArray[np.intp]) -> tuple[Array, Array]:
        """U and the basis of the free columns at some rows."""
        return self.left[picked], self.free[picked]


def decompose_dual(fit: Fit, training: Training) -> Spectrum:
    """The spectrum from ``K = P Z D⁻¹ Zᵀ P``, P projecting the free columns out (M12).

    By ``eigh`` of K where its eigenvalues stand clear of rounding, else by QR of ``Zᵀ`` and SVD.
    """
    fits_densely(len(training.table.y))
    found = _by_kernel(fit, training, *_free_basis(training, fit.free))
    if found is None:
        training = replace(training, rows=training.rows.recentred())
        found = _by_qr(fit, training, *_free_basis(training, fit.free))
    return _spectrum(fit, training, found)


@dataclass(frozen=True, eq=False)
class _Left:
    """Left singular vectors and values of ``P Z D^{-½}``, and how they were found."""

    U: Array  #        (n, k)
    singular: Array  # (k,)
    route: str
    basis: Array  #    (n, m_F)  of the free columns
    inverse: Array  #  (f, n)    their pseudo-inverse


def _spectrum(fit: Fit, training: Training, found: _Left) -> Spectrum:
    left, singular, basis, inverse = found.U, found.singular, found.basis, found.inverse
    n, pen, free = len(training.table.y), fit.penalised, fit.free
    Y = training.targets()
    offset, free_signal = inverse @ Y, basis.T @ Y
    Y = Y - basis @ free_signal
    rank = basis.shape[1] + training.fit_intercept
    signal = left.T @ Y
    left_over = np.sum((Y - left @ signal) ** 2, axis=0)
    outside = left_outside(left_over, np.sum(Y**2, axis=0), n - rank - left.shape[1])
    S = training.table.weight_sum
    values = singular**2 / S
    return Spectrum(
        eigenvalues=values,
        directions=DualBasis(training.rows, pen, fit.scale, left, singular),
        numerators=singular[:, None] * signal / S,
        at=fit.alpha,
        route=found.route,
        floor=_floor(values, EPS * n, found.route == "dual-gram"),
        free=FreeBlock(
            rank=rank,
            onto=training.rows.transpose_times(inverse.T)[pen].T if len(free) else np.zeros((0, len(pen))),
            offset=offset,
            root=np.sqrt(S) * (inverse @ basis),
        ),
        outside=outside / S,
        scores=DualScores(left, basis, free_signal),
        one_target=training.table.one_target,
    )


def _most(fit: Fit, training: Training, basis: Array) -> int:
    spare = len(training.table.y) - int(basis.shape[1]) - training.fit_intercept
    return min(spare, len(fit.penalised))


def _by_kernel(fit: Fit, training: Training, basis: Array, inverse: Array) -> _Left | None:
    n, most = len(training.table.y), _most(fit, training, basis)
    if most <= 0:
        return _Left(np.zeros((n, 0)), np.zeros(0), "dual-gram", basis, inverse)
    K = training.rows.kernel(fit.penalised, fit.scale)
    size = float(np.trace(K))
    if basis.shape[1]:
        K -= basis @ (basis.T @ K)
        K -= (K @ basis) @ basis.T
    values, U = np.linalg.eigh(K)
    del K  # an array of n×n
    values, U = values[::-1][:most], np.ascontiguousarray(U[:, ::-1][:, :most])
    if not values[-1] > CLEAR * max(values[0], size / n) or values.sum() <= CANCELLED * size:
        return None
    if basis.shape[1]:
        U -= basis @ (basis.T @ U)
    return _Left(U, np.sqrt(values), "dual-gram", basis, inverse)


def _by_qr(fit: Fit, training: Training, basis: Array, inverse: Array) -> _Left:
    n, p = training.rows.shape
    size = np.sqrt(np.sum(training.rows.squares()[fit.penalised] * fit.scale**2) / n)

    def blocks() -> Iterator[tuple[Array, Array]]:
        for places, block in training.rows.columns(fit.penalised):
            block -= basis @ (basis.T @ block)
            block -= basis @ (basis.T @ block)
            yield block.T * fit.scale[places, None], np.zeros((places.stop - places.start, 0))

    R, _, _ = tall_qr(blocks(), n, 0)
    U, singular, _ = accurate_svd(np.ascontiguousarray(R.T))
    sure = int(np.sum(singular > rank_tolerance(p, n) * max(singular[0], size)))
    k = min(_most(fit, training, basis), sure)
    return _Left(U[:, :k], singular[:k], "dual-svd", basis, inverse)


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


def _floor(values: Array, relative_error: float, squared: bool) -> float:
    return numerical_floor(values[0], values[-1], relative_error, squared) if len(values) else 0.0
