"""What a Krylov space says of the path at every strength, and how sure that is (M5, M19)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

EPS = float(np.finfo(np.float64).eps)
STRENGTHS = 40  # at which the error is watched while the space grows
SURE = 1e-6  # relative error of w̃ below which six digits are sure
WEAK = 1e-5  # weakest strength in units of the largest curvature, where α₀ says nothing
BELOW = 1e-2  # weakest strength in units of α₀


@dataclass(frozen=True, eq=False)
class Krylov:
    """What m products say of A: ``A V = V C + rest``, ``V`` orthonormal, first rows ``[v₀, ρ] = V R`` (M19).

    Attributes
    ----------
    projected : (m + b, m)
        C: coefficients of every product along the basis; the last b rows are outside the space.
    start : (b₀, 2)
        R: ``v₀`` and ``ρ = g_S + α₀v₀`` along the first rows.
    alpha : float
        ``α₀``.
    noise : float
        Error of a product in units of the largest curvature.
    left_out : float
        ``‖ρ‖`` where ρ is so small that it did not start the space; else 0.
    precision : float
        ε of the basis.
    positive : bool
        A is known to have no negative eigenvalue.
    """

    projected: Array
    start: Array
    alpha: float
    noise: float
    left_out: float
    precision: float
    positive: bool

    @cached_property
    def still(self) -> Krylov:
        """The same of a path that starts from ``w₀`` as if ρ were zero."""
        found = replace(self, start=self.start * [1.0, 0.0], left_out=0.0)
        found.__dict__["_pairs"] = self._pairs
        return found

    @cached_property
    def _pairs(self) -> tuple[Array, Array]:
        m = self.projected.shape[1]
        inside = self.projected[:m]
        values, turn = np.linalg.eigh(0.5 * (inside + inside.T))
        values, turn = values[::-1].copy(), turn[:, ::-1].copy()
        values[np.abs(values) <= self.noise * float(np.abs(values).max(initial=0.0))] = 0.0
        return values.clip(min=0.0) if self.positive else values, turn

    @property
    def values(self) -> Array:
        """Ritz values θ, descending; those within the noise are zero, ``(m,)``."""
        return self._pairs[0]

    @property
    def turn(self) -> Array:
        """S: Ritz vectors are ``V S``, ``(m, m)``."""
        return self._pairs[1]

    @property
    def largest(self) -> float:
        """``max |θ|``."""
        return float(np.abs(self.values).max(initial=0.0))

    @cached_property
    def misses(self) -> Array:
        """``‖A q − θq‖`` of each Ritz pair: an eigenvalue lies within this of θ, ``(m,)``."""
        m = self.projected.shape[1]
        outside: Array = np.linalg.norm(self.projected[m:] @ self.turn, axis=0)
        return outside + self.noise * self.largest

    @property
    def margin(self) -> float:
        """How far the smallest eigenvalue may lie below a negative θ; 0 where none is negative."""
        if self.positive or not len(self.values) or self.values[-1] >= 0:
            return 0.0
        return float(self.misses[-1])

    @cached_property
    def along(self) -> Array:
        """``Sᵀ`` of v₀ and of ρ, ``(m, 2)``."""
        found: Array = self.turn[: len(self.start)].T @ self.start
        return found

    @property
    def numerators(self) -> Array:
        """``Qᵀ(A v₀ − g_S) = (θ + α₀)s₁ − s₂``, ``(m, 1)`` (M5)."""
        return ((self.values + self.alpha) * self.along[:, 0] - self.along[:, 1])[:, None]

    def moved(self, alphas: Array) -> Array:
        """``v₀ − ṽ(α)`` along the Ritz vectors, ``(m, a)``: zero at ``α₀`` where ρ is zero."""
        with np.errstate(invalid="ignore", divide="ignore"):
            pull = (alphas - self.alpha) * self.along[:, :1] + self.along[:, 1:]
            found = pull / (self.values[:, None] + alphas)
        return np.where(np.isinf(alphas), self.along[:, :1], found)

    def sizes(self, alphas: Array) -> Array:
        """``‖ṽ(α)‖``, ``(a,)``."""
        with np.errstate(invalid="ignore", divide="ignore"):
            found = np.linalg.norm(self.numerators / (self.values[:, None] + alphas), axis=0)
        return np.asarray(found)

    def bound(self, alphas: Array) -> Array:
        """Bound on ``‖computed − exact ṽ(α)‖``, ``(a,)``; infinite where A + α may be singular (M19).

        The true residual over what A + α is at least, and what rounding adds.
        """
        return self.missing(alphas) + self.rounding(alphas)

    def missing(self, alphas: Array) -> Array:
        """The part of the bound that more products lower, from the residual r outside the space, ``(a,)``.

        ``‖r‖`` over the smallest eigenvalue of A + α; and where A ⪰ 0 with what the basis says of A along r:
        ``‖e‖² ≤ rᵀ(A+α)⁻¹r/α ≤ rᵀ(I + N)⁻¹r/α²`` with ``N = B(T⁻¹ − (T+α)⁻¹)Bᵀ/α``, the Gauss-Radau bound.
        """
        m = self.projected.shape[1]
        beyond = self.projected[m:] @ self.turn
        outside = (beyond @ self.moved(alphas)).T
        if self.values.min(initial=0.0) < 0:
            return self._over(np.linalg.norm(outside, axis=1), alphas)
        values = np.maximum(self.values, max(self.noise * self.largest, 1e-300))
        with np.errstate(divide="ignore"):
            known = 1.0 / (values * (values + alphas[:, None]))
        N = np.einsum("im,am,jm->aij", beyond, known, beyond)
        inner = np.linalg.solve(np.eye(len(beyond)) + N, outside[..., None])[..., 0]
        return self._over(np.sqrt(np.maximum((outside * inner).sum(axis=1), 0.0)), alphas)

    def rounding(self, alphas: Array) -> Array:
        """The part that they do not lower: noise of products, of the basis and of float64, ``(a,)``."""
        m, moved = self.projected.shape[1], self.moved(alphas)
        inside = self.projected[:m]
        size = np.linalg.norm(moved, axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            skew = 0.5 * self.turn.T @ ((inside - inside.T) @ (self.turn @ moved))
            skew = np.where(skew == 0, 0.0, skew / (self.values[:, None] + alphas))
        noise = self._over(self.noise * self.largest * size + self.left_out, alphas)
        storage = self.precision * np.linalg.norm(self.turn[len(self.start) :] @ moved, axis=0)
        whole = 8 * EPS * (float(np.linalg.norm(self.along[:, 0])) + size)
        total: Array = np.linalg.norm(skew, axis=0) + noise + storage
        return total + np.where(np.isinf(alphas), 0.0, whole)

    @cached_property
    def floor(self) -> float:
        """Strength below which fewer than six digits of w̃ are sure."""
        if not self.largest:
            return 0.0
        alphas = np.geomspace(1e-12 * self.largest, 1e2 * self.largest, 57)
        unsure = np.flatnonzero(~(self.bound(alphas) <= SURE * self.sizes(alphas)))
        return float(alphas[unsure[-1]]) if len(unsure) else 0.0

    def _over(self, sizes: Array, alphas: Array) -> Array:
        """Divide by the smallest eigenvalue of A + α."""
        lowest = min(0.0, float(self.values.min(initial=0.0))) - self.margin
        room = alphas + lowest
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(room > 0, sizes / room, np.inf)
        return np.where(np.isinf(alphas) | (sizes == 0), 0.0, share)


@dataclass(frozen=True)
class Limits:
    """Where the space may stop growing.

    Attributes
    ----------
    accuracy : float
        Relative error of ``ṽ(α)`` at every strength from ``weakest`` on.
    weakest : float or None
        None: a hundredth of α₀, and 1e-5 of the largest curvature without it.
    products : int
        The most products.
    still : bool
        The path that starts from ``w₀`` as if ρ were zero has to be as accurate too.
    """

    accuracy: float
    weakest: float | None
    products: int
    still: bool = False

    def strengths(self, krylov: Krylov) -> Array:
        """Where the error is watched, ``(a,)``."""
        low = self.lowest(krylov.alpha, krylov.largest)
        below = float(krylov.values.min(initial=0.0))
        if below < 0:
            low = max(low, 1.1 * (krylov.margin - below))
        high = max(1e2 * krylov.largest, 1e2 * krylov.alpha, 10 * low, 1e-300)
        return np.geomspace(max(low, 1e-300), high, STRENGTHS)

    def lowest(self, alpha: float, largest: float) -> float:
        """The weakest strength that is asked for."""
        if self.weakest is not None:
            return self.weakest
        return BELOW * alpha if 0 < alpha < np.inf else WEAK * largest
