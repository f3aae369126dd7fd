"""Fits with a prescribed spectrum, and their paths by dense algebra: slow, obvious oracles (M5, M9, M12)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eigenshrink.curvature import MatrixCurvature
from eigenshrink.fit import Fit

Array = NDArray[np.float64]

SPECTRA = {
    "power law": np.arange(1, 241.0) ** -1.5,
    "outliers and bulk": np.r_[np.geomspace(10, 1, 12), np.linspace(0.02, 0.001, 228)],
    "rank deficient": np.r_[np.geomspace(5, 0.01, 60), np.zeros(180)],
}
INDEFINITE = np.r_[np.geomspace(5, 0.01, 60), np.linspace(1e-3, -4e-4, 180)]


class Counted(MatrixCurvature):
    """A matrix that counts its products, and can round them to float32 or fail after some."""

    def __init__(self, matrix: Array, float32: bool = False, fails_after: int | None = None) -> None:
        super().__init__(matrix)
        self.calls = self.columns = 0
        self.fails_after = fails_after
        if float32:
            self.precision = np.dtype(np.float32)

    def matvec(self, v: Array) -> Array:
        if self.fails_after is not None and self.calls >= self.fails_after:
            raise KeyboardInterrupt
        self.calls += 1
        self.columns += 1 if v.ndim == 1 else v.shape[1]
        if self.precision == np.float32:
            return (self.matrix.astype(np.float32) @ v.astype(np.float32)).astype(np.float64)
        return self.matrix @ v


@dataclass(frozen=True)
class Problem:
    """A fit, its curvature as a matrix, and what dense algebra says of it."""

    fit: Fit
    H: Array

    def weights(self, alphas: Array) -> Array:
        """``w̃(α)`` by solves, ``(a, p)``; free weights by least squares (M12)."""
        fit, d = self.fit, self.fit.penalty_factor
        w, g = fit.weights[:, 0], fit.gradient[:, 0]
        found = []
        for alpha in alphas:
            change = np.linalg.lstsq(self.H + alpha * np.diag(d), g + alpha * d * w, rcond=1e-12)[0]
            found.append(w - change)
        return np.array(found)

    @property
    def shrunk(self) -> Array:
        """``D^{-½} H_S D^{-½}``."""
        fit = self.fit
        F, P, H = fit.free, fit.penalised, self.H
        schur = H[np.ix_(P, P)] - H[np.ix_(P, F)] @ np.linalg.pinv(H[np.ix_(F, F)], 1e-10) @ H[np.ix_(F, P)]
        return schur * np.outer(fit.scale, fit.scale)

    def shares(self, alphas: Array) -> Array:
        """``Σ λ/(λ+α)``."""
        values = np.linalg.eigvalsh(self.shrunk)
        return (values / (values + alphas[:, None])).sum(axis=1)

    def logs(self, alphas: Array) -> Array:
        """``Σ log(1+λ/α)``."""
        return np.log1p(np.linalg.eigvalsh(self.shrunk) / alphas[:, None]).sum(axis=1)

    def diagonal(self, alpha: float) -> Array:
        """Diagonal of ``(H_S + αD)⁻¹H_S`` in the order of the penalised weights."""
        A = self.shrunk
        return np.diag(np.linalg.solve(A + alpha * np.eye(len(A)), A))


def problem(
    spectrum: Array,
    seed: int = 0,
    alpha: float = 1e-3,
    stray: float = 0.0,
    factors: bool = False,
    free: tuple[int, ...] = (),
    flat: bool = False,
    float32: bool = False,
) -> Problem:
    """A fit that stopped at ``alpha``; ``stray``: how much of the gradient is not explained by the penalty.

    ``flat``: the free weights have a direction along which nothing changes, as softmax intercepts have.
    """
    rng = np.random.default_rng(seed)
    p = len(spectrum)
    Q = np.linalg.qr(rng.normal(size=(p, p)))[0]
    H = (Q * spectrum) @ Q.T
    if flat:
        shift = np.zeros(p)
        shift[list(free)] = 1.0 / np.sqrt(len(free))
        away = np.eye(p) - np.outer(shift, shift)
        H = away @ H @ away
    H = 0.5 * (H + H.T)
    d = rng.uniform(0.5, 2.0, p) if factors else np.ones(p)
    d[list(free)] = 0.0
    target = H @ rng.normal(size=p)
    w = np.linalg.lstsq(H + alpha * np.diag(d), target, rcond=1e-12)[0]
    g = H @ w - target + stray * (H @ rng.normal(size=p))
    return Problem(
        Fit(
            weights=w[:, None],
            gradient=g[:, None],
            alpha=alpha,
            curvature=Counted(H, float32),
            penalty_factor=d,
            active=np.ones(p, dtype=bool),
        ),
        H,
    )
