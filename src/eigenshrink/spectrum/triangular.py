"""QR of tall rows in blocks (TSQR) and the rank of a triangular factor, independent of units."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy.linalg import lapack

Array = NDArray[np.float64]

EPS = float(np.finfo(np.float64).eps)
CLEAR = 1e-10  # smallest eigenvalue ratio that a Gram route accepts: it squares the condition number
CANCELLED = 1e-6  # a difference below this share of its terms is computed again without subtracting
JACOBI_LIMIT = 400  # columns up to which the one-sided Jacobi SVD is worth its time


def tall_qr(blocks: Iterable[tuple[Array, Array]], p: int, t: int) -> tuple[Array, Array, Array]:
    """R of stacked rows and what the targets become, one block in memory at a time.

    Parameters
    ----------
    blocks : iterable of ((b, p), (b, t))
        Rows and targets.

    Returns
    -------
    R : (min(n, p), p)
        Upper triangular.
    C : (min(n, p), t)
        ``Qᵀ Y``.
    outside : (t,)
        Sums of squares of Y outside the span, summed and not subtracted.
    """
    R, C, outside = np.zeros((0, p)), np.zeros((0, t)), np.zeros(t)
    for Z, Y in blocks:
        (factored, tau), _ = scipy.linalg.qr(np.vstack([R, Z]), mode="raw", check_finite=False)
        stacked = np.vstack([C, Y])
        if t:
            stacked, _, _ = lapack.dormqr("L", "T", factored[:, : len(tau)], tau, stacked, max(64 * t, 1))
        kept = min(len(stacked), p)
        R, C = np.triu(factored[:kept]), stacked[:kept]
        outside += np.einsum("ij,ij->j", stacked[kept:], stacked[kept:])
    return R, C, outside


def rank_tolerance(rows: int, columns: int) -> float:
    """Relative size of a singular value that is indistinguishable from rounding."""
    return EPS * (columns + 10.0 * math.sqrt(rows))


def unit_free_rank(R: Array, tolerance: float, length: Array | None = None) -> int:
    """Numerical rank after the columns are brought to one length, so that units do not matter.

    ``length`` are those of the columns before others were projected out of them (default: of R): what
    is then rounding of the longer column is not counted.
    """
    length = np.linalg.norm(R, axis=0) if length is None else length
    if not np.any(length > 0):
        return 0
    values = scipy.linalg.svdvals(R[:, length > 0] / length[length > 0], check_finite=False)
    return int(np.sum(values > tolerance * max(1.0, values[0])))


def accurate_svd(R: Array) -> tuple[Array, Array, Array]:
    """``R = U diag(σ) Vᵀ``, thin; small σ keep their digits when columns differ in scale.

    One-sided Jacobi (Drmač & Veselić 2008) up to a size, divide and conquer beyond it.
    """
    rows, columns = R.shape
    if rows >= columns and 0 < columns <= JACOBI_LIMIT:
        values, U, V, work, _, info = lapack.dgejsv(R, joba=0, jobu=0, jobv=0, jobr=0, jobt=0, jobp=0)
        if info == 0 and np.all(np.isfinite(values)):
            return U[:, :columns], values * (work[0] / work[1]), V.T
    U, values, Vt = scipy.linalg.svd(R, full_matrices=False, check_finite=False)
    return U, values, Vt
