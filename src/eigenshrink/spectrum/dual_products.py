"""Few rows, many weights: the whole spectrum from the small side of ``H = BᵀB`` (M7, M12, M19)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eigenshrink.fit import Fit
from eigenshrink.spectrum.basis import SPAN, KrylovBasis, orthonormal
from eigenshrink.spectrum.eliminated import Columns
from eigenshrink.spectrum.penalised import Penalised
from eigenshrink.spectrum.record import FreeBlock, Spectrum, numerical_floor

Array = NDArray[np.float64]

ROWS = 3000  # of the factor up to which the small side is decomposed
NOISE = 10.0  # times ε of the factor are no direction any more


def factor_bytes(fit: Fit, rows: int) -> int:
    """Bytes of the factor, of its columns of penalised weights, and of three square arrays."""
    p, f = len(fit.penalty_factor), len(fit.free)
    return rows * (2 * p + f) * fit.curvature.precision.itemsize + 3 * 8 * rows * rows


def decompose_factor(fit: Fit) -> Spectrum:
    """Eigenvalues and directions of ``D^{-½}H_S D^{-½}`` from the r × r side; exact up to rounding (M19).

    ``H_S = B_Pᵀ(I − UUᵀ)B_P`` with U the left singular vectors of ``B_F``. Directions outside the span of the
    rows have eigenvalue zero; the one or two that w₀ and the gradient have a part in come last.

    Cost: about r products for the factor, ``2r²p`` and one ``eigh`` of r × r.
    """
    B = fit.curvature.factor()
    epsilon = float(np.finfo(B.dtype).eps)
    free = _free_block(fit, B, epsilon)
    rows = _scaled(fit, B)
    del B
    gram = np.zeros((len(rows), len(rows)))
    for start in range(0, rows.shape[1], SPAN):
        part = rows[:, start : start + SPAN].astype(np.float64)
        gram += part @ part.T
    values, U = np.linalg.eigh(gram)
    values, U = values[::-1], U[:, ::-1]
    keep = values > NOISE * epsilon * np.sqrt(len(rows)) * float(values.max(initial=0.0))
    values, U = values[keep], U[:, keep]
    operator = Penalised(fit, free)
    alpha = fit.alpha if np.isfinite(fit.alpha) else 0.0
    both = np.stack([operator.start, operator.slope + alpha * operator.start])
    basis = _with_start(rows, U / np.sqrt(values), both, epsilon)
    values = np.append(values, np.zeros(len(basis.lead)))
    along = basis.forth(both.T)
    numerators = (values + alpha) * along[:, 0] - along[:, 1]
    level = NOISE * epsilon * float(np.abs(numerators).max(initial=0.0))
    numerators[(values == 0) & (np.abs(numerators) <= level)] = 0.0
    positive = values[values > 0]
    smallest = float(positive[-1]) if len(positive) else 0.0
    return Spectrum(
        eigenvalues=values,
        directions=basis,
        numerators=numerators[:, None],
        at=fit.alpha,
        route="dual-products",
        floor=numerical_floor(float(values.max(initial=0.0)), smallest, epsilon, squared=True),
        free=free,
    )


def _with_start(rows: NDArray[np.floating], turn: Array, both: Array, epsilon: float) -> KrylovBasis:
    """Directions inside the span of the rows, then those of v₀ and ρ, ``(2, p_pen)``, outside of it."""
    inside = KrylovBasis(np.zeros((0, rows.shape[1])), rows, turn)
    beside = both.copy()
    inside.take_out(beside)
    extra, _ = orthonormal(beside, epsilon * float(np.linalg.norm(both, axis=1).max()))
    (r, k), e = turn.shape, len(extra)
    joined = np.zeros((e + r, k + e))
    joined[e:, :k], joined[:e, k:] = turn, np.eye(e)
    return KrylovBasis(extra, rows, joined)


def _free_block(fit: Fit, B: NDArray[np.floating], epsilon: float) -> FreeBlock:
    """``H_FF⁺ H_FP = B_F⁺ B_P``; takes the free part out of the rows of B, in place."""
    free, pen = fit.free, fit.penalised
    if not len(free):
        return FreeBlock(0, np.zeros((0, len(pen))), np.zeros((0, 1)), np.zeros((0, 0)))
    U, sizes, Vt = np.linalg.svd(B[:, free].astype(np.float64), full_matrices=False)
    keep = sizes > NOISE * epsilon * np.sqrt(len(B)) * float(sizes.max(initial=0.0))
    U, sizes, Vt = U[:, keep], sizes[keep], Vt[keep]
    inner = np.empty((len(sizes), B.shape[1]))
    for start in range(0, B.shape[1], SPAN):
        part = B[:, start : start + SPAN].astype(np.float64)
        inner[:, start : start + SPAN] = U.T @ part
        B[:, start : start + SPAN] = part - U @ inner[:, start : start + SPAN]
    root = Vt.T / sizes
    onto = Columns((root @ inner[:, pen]).astype(B.dtype))
    offset = fit.weights[free] - root @ (root.T @ fit.gradient[free]) + onto @ fit.weights[pen]
    return FreeBlock(len(sizes), onto, offset, root)


def _scaled(fit: Fit, B: NDArray[np.floating]) -> NDArray[np.floating]:
    """``B_S D^{-½}``, ``(r, p_pen)``."""
    rows = B[:, fit.penalised]
    rows *= fit.scale.astype(B.dtype)
    return rows
