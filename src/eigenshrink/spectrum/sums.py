"""Sums over all directions of a curvature, known exactly or estimated: γ, log-determinants (M9, M14, M19)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Estimate:
    """A number for each strength, with what is known of its error.

    Attributes
    ----------
    value : (a,)
    standard_error : (a,)
        Of the random probes; 0 where the sum is exact.
    low, high : (a,)
        95 % interval: the t-interval over probes together with the brackets of the quadrature (M19).
    """

    value: Array
    standard_error: Array
    low: Array
    high: Array

    @classmethod
    def exact(cls, value: Array) -> Estimate:
        """A number that is known."""
        return cls(value, np.zeros_like(value), value, value)


class Sums(Protocol):
    """Sums over the eigenvalues of ``D^{-½} H_S D^{-½}``, for strengths ``(a,)`` in [0, ∞]."""

    @property
    def products(self) -> int:
        """Products with H that they cost beyond the path itself."""
        ...

    def shares(self, alphas: Array) -> Estimate:
        """``Σ λ/(λ+α)``: γ without what is free (M9)."""
        ...

    def logs(self, alphas: Array) -> Estimate:
        """``Σ log(1 + λ/α)``; infinite at α = 0."""
        ...

    def layers(self, alphas: Array) -> Array:
        """``Σ λ/(λ+α)`` split over the layers, ``(a, l)``: the diagonal of ``(H_S + αD)⁻¹H_S``."""
        ...

    def density(self, edges: Array) -> Array:
        """Number of eigenvalues between neighbouring edges, ``(e - 1,)``."""
        ...

    @property
    def negative(self) -> float:
        """Share of ``Σ|λ|`` that lies below zero: 0 for a Gauss-Newton matrix."""
        ...


@dataclass(frozen=True, eq=False)
class WholeSums:
    """Of a spectrum that is known in full.

    Attributes
    ----------
    eigenvalues : (k,)
    parts : (l, k)
        Share of each direction in each layer: squares of its weights there.
    flat : int
        Directions more, with eigenvalue zero.
    """

    eigenvalues: Array
    parts: Array
    flat: int = 0

    products = 0

    def shares(self, alphas: Array) -> Estimate:
        """``Σ λ/(λ+α)``."""
        return Estimate.exact(self._kept(alphas).sum(axis=1))

    def logs(self, alphas: Array) -> Estimate:
        """``Σ log(1 + λ/α)``."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            each = np.where(self.eigenvalues == 0, 0.0, np.log1p(self.eigenvalues / alphas[:, None]))
        return Estimate.exact(each.sum(axis=1))

    def layers(self, alphas: Array) -> Array:
        """The same by layer, ``(a, l)``."""
        return self._kept(alphas) @ self.parts.T

    def density(self, edges: Array) -> Array:
        """Number of eigenvalues between neighbouring edges."""
        zeros = self.flat * np.histogram([0.0], edges)[0]
        return np.asarray(np.histogram(self.eigenvalues, edges)[0] + zeros, dtype=np.float64)

    @property
    def negative(self) -> float:
        """Share of ``Σ|λ|`` below zero."""
        total = float(np.abs(self.eigenvalues).sum())
        return float(-self.eigenvalues.clip(max=0.0).sum()) / total if total > 0 else 0.0

    def _kept(self, alphas: Array) -> Array:
        values = self.eigenvalues
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            share = values / (values + alphas[:, None])
        return np.where(np.isinf(alphas[:, None]) | (values == 0), 0.0, share)
