"""Anybody's Hessian, dense: the path from a fit whose data are not at hand (M5, M12)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eigenshrink.errors import InputError
from eigenshrink.fit import Fit
from eigenshrink.spectrum.record import DenseBasis, FreeBlock, Spectrum, numerical_floor
from eigenshrink.spectrum.triangular import EPS

Array = NDArray[np.float64]


def decompose_dense(fit: Fit) -> Spectrum:
    """Eigenvalues of ``D^{-½} H_S D^{-½}``, free weights eliminated by pseudo-inverse (M12).

    Every direction is kept, flat and negative ones too, since the fit may have weight along them.

    Raises
    ------
    InputError
        If the free block has negative curvature: the free weights then have no optimum.
    """
    H, free, pen, scale = fit.curvature.dense, fit.free, fit.penalised, fit.scale
    root = np.zeros((0, 0))
    m = 0
    rounding, negligible = _rounding(fit)
    if len(free):
        values, vectors = np.linalg.eigh(H[np.ix_(free, free)])
        noise = rounding * float(np.abs(np.diag(H)).max())
        if values[0] < -1e3 * noise:
            raise InputError(
                f"hessian has negative curvature {values[0]:.3g} among the free weights (penalty_factor 0), "
                "which then have no optimum: penalise them, or use a Gauss-Newton matrix"
            )
        keep = values > noise
        m = int(keep.sum())
        root = vectors[:, keep] / np.sqrt(values[keep])
    inverse = root @ root.T
    onto = inverse @ H[np.ix_(free, pen)]
    A = (H[np.ix_(pen, pen)] - H[np.ix_(pen, free)] @ onto) * np.outer(scale, scale)
    slope = scale[:, None] * (fit.gradient[pen] - onto.T @ fit.gradient[free])
    values, Q = np.linalg.eigh(0.5 * (A + A.T))
    values, Q = values[::-1], Q[:, ::-1]
    noise = rounding * float(np.abs(values).max(initial=0.0))
    rounded = (values < 0) & (-values <= 100 * noise) & fit.curvature.positive
    values = np.where((np.abs(values) <= noise) | rounded, 0.0, values)
    start = Q.T @ (fit.weights[pen] / scale[:, None])
    numerators = values[:, None] * start - Q.T @ slope
    size = float(np.abs(numerators).max(initial=0.0))
    flat = (values[:, None] == 0) & (np.abs(numerators) <= negligible * size)
    numerators = np.where(flat, 0.0, numerators)
    offset = fit.weights[free] - inverse @ fit.gradient[free] + onto @ fit.weights[pen]
    positive = values[values > 0]
    floor = numerical_floor(values[0], positive[-1], rounding, squared=True) if len(positive) else 0.0
    return Spectrum(
        eigenvalues=values,
        directions=DenseBasis(Q),
        numerators=numerators,
        at=fit.alpha,
        route="dense",
        floor=floor,
        free=FreeBlock(m, onto, offset, root),
    )


def _rounding(fit: Fit) -> tuple[float, float]:
    """Relative noise of eigenvalues, and of a slope along a flat direction that is none.

    Errors of products in float32 are random and far above those of the decomposition: they grow as √p.
    """
    p, unit = len(fit.penalty_factor), float(np.finfo(fit.curvature.precision).eps)
    if unit > EPS:
        return unit * float(np.sqrt(p)), unit * float(np.sqrt(p))
    return EPS * p, 1e3 * EPS * p
