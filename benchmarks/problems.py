"""Seeded data of the shapes that are measured, and strengths that matter for them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.records import Shape

Array = NDArray[np.float64]

DECADES = 8


def regression(shape: Shape, seed: int, shift: float = 1.0) -> tuple[Array, Array]:
    """Columns of falling spread, their means about ``shift`` times as large; one target is 1-d."""
    rng = np.random.default_rng(seed)
    spread = np.logspace(0, -1.5, shape.p)
    X = (rng.normal(size=(shape.n, shape.p)) + shift * rng.normal(size=shape.p)) * spread
    signal = X @ (rng.normal(size=(shape.p, shape.t)) / np.sqrt(shape.p))
    noise = rng.normal(size=signal.shape) * np.logspace(-0.5, 1, shape.t) * signal.std()
    y = signal + noise + 1.0
    return X, y[:, 0] if shape.t == 1 else y


def strengths(X: Array, count: int) -> Array:
    """House strengths over 8 decades around the spectrum: 10 λ_max down to 1e-7 λ_max."""
    Z = X - X.mean(axis=0)
    small = Z @ Z.T if len(Z) < Z.shape[1] else Z.T @ Z
    largest = np.linalg.eigvalsh(small / len(Z))[-1]
    return float(largest) * np.logspace(1 - DECADES, 1, count)
