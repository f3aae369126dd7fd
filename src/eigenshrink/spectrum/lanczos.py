"""One Krylov space for every strength: block Lanczos from ``w₀`` and from what is not stationary (M19)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from eigenshrink.spectrum.basis import Growing, KrylovBasis, orthonormal
from eigenshrink.spectrum.penalised import Penalised, Report

Array = NDArray[np.float64]

EPS = float(np.finfo(np.float64).eps)
STRENGTHS = 20  # at which the error is watched while the space grows
SHARE = 0.1  # of the accuracy that may be lost to a gradient that is left out
LEVEL = 2.0  # rounding of a product in units of its precision, until it is measured
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
    def _pairs(self) -> tuple[Array, Array]:
        m = self.projected.shape[1]
        inside = self.projected[:m]
        values, turn = np.linalg.eigh(0.5 * (inside + inside.T))
        values, turn = values[::-1].copy(), turn[:, ::-1].copy()
        values[np.abs(values) <= self.noise * max(float(np.abs(values).max(initial=0.0)), 0.0)] = 0.0
        return values, turn

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

        The true residual over the smallest eigenvalue of A + α, and what rounding adds.
        """
        return self.missing(alphas) + self.rounding(alphas)

    def missing(self, alphas: Array) -> Array:
        """The part of the bound that more products lower: the residual outside the space, ``(a,)``."""
        m = self.projected.shape[1]
        outside = self.projected[m:] @ (self.turn @ self.moved(alphas))
        return self._over(np.linalg.norm(outside, axis=0), alphas)

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
        whole = 4 * EPS * (float(np.linalg.norm(self.along[:, 0])) + size)
        total: Array = np.linalg.norm(skew, axis=0) + noise + storage
        return total + np.where(np.isinf(alphas), 0.0, whole)

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
    """

    accuracy: float
    weakest: float | None
    products: int

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


class Lanczos:
    """A Krylov space that grows by blocks; everything that decides how it goes on is in its state.

    Parameters
    ----------
    operator : Penalised
    limits : Limits
    """

    def __init__(self, operator: Penalised, limits: Limits) -> None:
        self.operator, self.limits = operator, limits
        fit = operator.fit
        self.alpha = fit.alpha if np.isfinite(fit.alpha) else 0.0
        start, slope = operator.start, operator.slope
        rho = slope + self.alpha * start
        self.size = float(np.linalg.norm(rho))
        low = limits.lowest(self.alpha, 0.0)
        self.alone = self.size <= SHARE * limits.accuracy * low * float(np.linalg.norm(start))
        both = np.stack([start] if self.alone else [start, rho])
        norms = np.linalg.norm(both, axis=1)
        safe = np.where(norms > 0, norms, 1.0)
        self.lead, R = orthonormal(both / safe[:, None], 1e2 * EPS)
        self.start = np.zeros((len(self.lead), 2))
        self.start[:, : len(both)] = R * norms
        self.basis = Growing(operator.dim, operator.precision, min(operator.dim, limits.products) + 2)
        self.basis.add(self.lead)
        self.projected = np.zeros((len(self.lead), 0))

    @property
    def done(self) -> int:
        """Vectors that were multiplied."""
        return int(self.projected.shape[1])

    @property
    def epsilon(self) -> float:
        """Of the products."""
        return float(np.finfo(self.operator.precision).eps)

    def krylov(self, noise: float | None = None) -> Krylov:
        """What is known so far."""
        level = LEVEL * self.epsilon if noise is None else noise
        return Krylov(
            self.projected,
            self.start,
            self.alpha,
            level,
            self.size if self.alone else 0.0,
            self.epsilon,
            self.operator.fit.curvature.positive,
        )

    def step(self) -> None:
        """Multiply the newest block, all its vectors in one product, and make the next one of what is new."""
        m = self.done
        block = self.lead if m == 0 else self.basis.rows[m:].astype(np.float64)
        image = np.ascontiguousarray(self.operator.matvec(np.ascontiguousarray(block.T)).T)
        scale = max(
            float(np.abs(self.projected).max(initial=0.0)), float(np.linalg.norm(image, axis=1).max())
        )
        taken = self.basis.without(image)
        room = self.operator.dim - self.basis.size
        fresh, R = orthonormal(image, 10 * self.epsilon * scale)
        fresh, R = fresh[: max(room, 0)], R[: max(room, 0)]
        self.basis.without(fresh)
        grown = np.zeros((self.basis.size + len(fresh), m + len(block)))
        grown[: len(self.projected), :m] = self.projected
        grown[: self.basis.size, m:] = taken
        grown[self.basis.size :, m:] = R
        self.projected = grown
        self.basis.add(fresh / np.linalg.norm(fresh, axis=1, keepdims=True))

    @property
    def exhausted(self) -> bool:
        """Nothing new is left: the space holds the answers for every strength."""
        return self.done == self.basis.size

    def enough(self) -> bool:
        """Whether the limits are met, or rounding hides what more products would give."""
        if self.exhausted:
            return True
        krylov = self.krylov()
        alphas = self.limits.strengths(krylov)
        missing, rounding = krylov.missing(alphas), krylov.rounding(alphas)
        wanted = self.limits.accuracy * krylov.sizes(alphas)
        return bool(np.all((missing + rounding <= wanted) | (missing <= SHARE * rounding)))

    def directions(self, krylov: Krylov) -> KrylovBasis:
        """Ritz vectors, as a product."""
        b = len(self.lead)
        return KrylovBasis(self.lead, self.basis.rows[b : self.done], krylov.turn)

    def measured_noise(self) -> float:
        """How far a product of the answers is from what the basis says, in units of the largest curvature.

        Cost: one product of up to three vectors.
        """
        krylov = self.krylov()
        alphas = self.limits.strengths(krylov)[[0, STRENGTHS // 3, 2 * STRENGTHS // 3]]
        inner = krylov.turn @ krylov.moved(alphas)
        sizes = np.linalg.norm(inner, axis=0)
        inner = inner[:, sizes > 0] / sizes[sizes > 0]
        if not inner.size or krylov.largest == 0:
            return LEVEL * self.epsilon
        b, m = len(self.lead), self.projected.shape[0]
        whole = KrylovBasis(self.lead, self.basis.rows[b:], np.eye(m))
        padded = np.zeros((m, inner.shape[1]))
        padded[: self.done] = inner
        apart = self.operator.matvec(whole.back(padded)) - whole.back(self.projected @ inner)
        return max(float(np.linalg.norm(apart, axis=0).max()) / krylov.largest, self.epsilon)


def grow(
    lanczos: Lanczos,
    report: Report | None = None,
    keep: Callable[[Lanczos], None] | None = None,
) -> Krylov:
    """Multiply until the limits are met, rounding hides the rest, or the products are used up.

    Parameters
    ----------
    lanczos : Lanczos
        New, or read from a checkpoint.
    report : callable, optional
        Called after each block with (products done, at most, what for).
    keep : callable, optional
        Called after each block; writes the checkpoint.
    """
    limits = lanczos.limits
    check = lanczos.done + 1
    while len(lanczos.lead) and lanczos.done < limits.products:
        lanczos.step()
        if keep is not None:
            keep(lanczos)
        if report is not None:
            report(lanczos.done, limits.products, "directions of the path")
        if lanczos.exhausted or lanczos.done >= check:
            if lanczos.enough():
                break
            check = lanczos.done + max(1, lanczos.done // 16)
    return lanczos.krylov(lanczos.measured_noise()) if lanczos.done else lanczos.krylov()
