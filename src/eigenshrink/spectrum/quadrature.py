"""Stochastic Lanczos quadrature beside directions that are known: sums over all of them (M9, M19)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from eigenshrink.spectrum.basis import KrylovBasis
from eigenshrink.spectrum.sums import Estimate

Array = NDArray[np.float64]

COVERAGE = 0.95
FEWER = 4  # products, of the rule that stands in for a bracket


@dataclass(frozen=True, eq=False)
class Rule:
    """Nodes and weights of a quadrature of ``zᵀf(A)z``.

    Attributes
    ----------
    nodes : (m,)
    weights : (m,)
    parts : (l, m)
        The same weights split over layers; they add up to them.
    """

    nodes: Array
    weights: Array
    parts: Array


@dataclass(frozen=True, eq=False)
class Probe:
    """What one random vector says: Lanczos coefficients, in the complement of what is known (M19).

    Attributes
    ----------
    diagonal : (m,)
    beside : (m,)
        Norms of what each product left; the last one leads out of the space.
    size : float
        Norm of the vector in the complement.
    forms : (l, m + 1)
        ``z_Lᵀ V_L``: the vector against the basis, layer by layer.
    """

    diagonal: Array
    beside: Array
    size: float
    forms: Array

    def gauss(self) -> Rule:
        """The quadrature of the m products: too large for every sum here where A ⪰ 0."""
        return self._rule(self.diagonal, self.beside[:-1], None)

    def radau(self) -> Rule:
        """With a node at 0: too small for every sum here where A ⪰ 0.

        ``f = λ/(λ+α)`` and ``log(1+λ/α)`` have negative even and positive odd derivatives on ``λ ≥ 0``:
        the error of Gauss, ``f^{(2m)}/(2m)! ∫ω²``, is below zero and that of Gauss-Radau at 0,
        ``f^{(2m+1)}/(2m+1)! ∫λω²``, above.
        """
        m = len(self.diagonal)
        if self.beside[-1] == 0:
            return self.gauss()
        last = self.beside[-1] ** 2 * _corner(self.diagonal, self.beside[:-1])
        return self._rule(np.append(self.diagonal, last), self.beside[:m], 0.0)

    def shorter(self) -> Rule:
        """The quadrature of four products fewer: where nothing brackets, it shows what is still missing."""
        m = max(1, len(self.diagonal) - FEWER) if self.beside[-1] else len(self.diagonal)
        return self._rule(self.diagonal[:m], self.beside[: m - 1], None)

    def _rule(self, diagonal: Array, beside: Array, node: float | None) -> Rule:
        T = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
        nodes, S = np.linalg.eigh(T)
        if node is not None:
            nodes[np.argmin(np.abs(nodes - node))] = node
        first = S[0]
        return Rule(nodes, self.size**2 * first**2, self.size * (self.forms[:, : len(S)] @ S) * first)


def _corner(diagonal: Array, beside: Array) -> float:
    """``[T⁻¹]_mm`` by elimination from the top; what rounding makes of a singular T is a tiny pivot."""
    tiny = np.finfo(np.float64).eps * float(np.abs(diagonal).max())
    pivot = float(diagonal[0])
    for j in range(1, len(diagonal)):
        pivot = float(diagonal[j]) - float(beside[j - 1]) ** 2 / max(pivot, tiny)
    return 1.0 / max(pivot, tiny)


@dataclass(frozen=True, eq=False)
class Known:
    """Directions that are known and taken out of every probe.

    Attributes
    ----------
    values : (k,)
        Their eigenvalues.
    misses : (k,)
        ``‖A q − λq‖``.
    basis : KrylovBasis
        The directions.
    parts : (l, k)
        Squares of their weights, by layer.
    """

    values: Array
    misses: Array
    basis: KrylovBasis
    parts: Array


@dataclass(frozen=True, eq=False)
class ProbedSums:
    """Sums over all directions: exact over those that are known, estimated over the others (M19).

    The same probes serve every strength, so that curves are smooth and differences are sure.

    Attributes
    ----------
    known : Known
    probes : tuple of Probe
    noise : float
        Absolute error of a product: what is below it may be zero.
    products : int
        That the probes cost.
    positive : bool
        A is positive semidefinite, so that brackets hold.
    deciding : int or None
        Probes whose spread said how many there had to be: their number decides the width of the interval,
        since a small spread by chance ends the search early. None: all.
    """

    known: Known
    probes: tuple[Probe, ...]
    noise: float
    products: int
    positive: bool
    deciding: int | None = None

    @cached_property
    def _gauss(self) -> list[Rule]:
        return [probe.gauss() for probe in self.probes]

    @cached_property
    def bracketed(self) -> bool:
        """Whether Gauss and Gauss-Radau enclose each probe: only where no eigenvalue is negative."""
        lowest = min((float(rule.nodes.min()) for rule in self._gauss), default=0.0)
        known = float(self.known.values.min(initial=0.0))
        return self.positive or (lowest >= -self.noise and known >= 0)

    @cached_property
    def upper(self) -> list[Rule]:
        """Gauss rule of each probe; a node next to zero stays where it is, since it stands for all below."""
        if self.bracketed:
            return [replace(rule, nodes=rule.nodes.clip(min=0.0)) for rule in self._gauss]
        return [self._clean(rule) for rule in self._gauss]

    @cached_property
    def lower(self) -> list[Rule]:
        """The other side: Gauss-Radau of each probe; Gauss of fewer products where nothing is bracketed."""
        other = Probe.radau if self.bracketed else Probe.shorter
        return [self._clean(other(probe)) for probe in self.probes]

    def gap(self, alphas: Array) -> Array:
        """Mean distance of the two sides of ``Σ λ/(λ+α)``, ``(a,)``."""
        lower, upper = self._sides(alphas[:, None], _share)
        gap: Array = np.abs(upper - lower).mean(axis=1)
        return gap

    def shares(self, alphas: Array) -> Estimate:
        """``Σ λ/(λ+α)``."""
        return self._estimate(alphas, _share, lambda values, a: a / (values + a) ** 2)

    def logs(self, alphas: Array) -> Estimate:
        """``Σ log(1 + λ/α)``."""
        return self._estimate(alphas, _log, lambda values, a: 1.0 / (values + a))

    def layers(self, alphas: Array) -> Array:
        """``Σ λ/(λ+α)`` split over the layers, ``(a, l)``; without standard errors."""
        a = alphas[:, None]
        total = _share(self.known.values, a) @ self.known.parts.T
        for share, rules in zip(self._mixed, (self.lower, self.upper), strict=True):
            for rule in rules:
                total += share / len(rules) * (_share(self._nodes(rule, a), a) @ rule.parts.T)
        return total

    def density(self, edges: Array) -> Array:
        """Number of eigenvalues between neighbouring edges, estimated: weights of the nodes there."""
        found = np.histogram(self.known.values, edges)[0].astype(np.float64)
        for rule in map(self._clean, self.upper):
            found += np.histogram(rule.nodes, edges, weights=rule.weights)[0] / len(self.probes)
        return found

    @property
    def negative(self) -> float:
        """Share of ``Σ|λ|`` below zero."""
        values, weights = [self.known.values], [np.ones(len(self.known.values))]
        for rule in self.upper:
            values.append(rule.nodes)
            weights.append(rule.weights / len(self.probes))
        each = np.concatenate(values) * np.concatenate(weights)
        total = float(np.abs(each).sum())
        return float(-each.clip(max=0.0).sum()) / total if total > 0 else 0.0

    def _estimate(
        self,
        alphas: Array,
        term: Callable[[Array, Array], Array],
        steep: Callable[[Array, Array], Array],
    ) -> Estimate:
        """Known part and mean of the probes; t-interval over them, widened by bracket and deflation."""
        a = alphas[:, None]
        exact = term(self.known.values, a).sum(axis=1)
        lower, upper = self._sides(a, term)
        middle, count = self._mixed[0] * lower + self._mixed[1] * upper, upper.shape[1]
        value = exact + middle.mean(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            off = np.nan_to_num(steep(self.known.values, a), nan=0.0, posinf=0.0) @ self.known.misses
            error = middle.std(axis=1, ddof=1) / np.sqrt(count) if count > 1 else np.zeros(len(alphas))
        if count == 1 and self.probes:
            error = np.full(len(alphas), np.inf)
        error = np.where(np.isfinite(value), error, 0.0)
        down, up = self._reach(middle.mean(axis=1), error, count)
        low, high = np.sort([lower.mean(axis=1), upper.mean(axis=1)], axis=0)
        return Estimate(value, error, exact + low - down - off, exact + high + up + off)

    def _reach(self, mean: Array, error: Array, count: int) -> tuple[Array, Array]:
        """How far the t-interval goes below and above the mean of the probes, ``(a,)`` each.

        Of a sum that is positive it is taken on the scale of logarithms: such sums are skewed to the right,
        and low ones come with small errors.
        """
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            plain = np.where(error > 0, quantile(self.deciding or count) * error, 0.0)
            share = plain / mean
            skewed = self.bracketed & (mean > 0) & (share < 1)
            down, up = -np.expm1(-share) * mean, np.expm1(share) * mean
        return np.where(skewed, down, plain), np.where(skewed, up, plain)

    @property
    def _mixed(self) -> tuple[float, float]:
        """Weights of the two sides in the value: the middle of a bracket, or the longer rule."""
        return (0.5, 0.5) if self.bracketed else (0.0, 1.0)

    def _sides(self, a: Array, term: Callable[[Array, Array], Array]) -> tuple[Array, Array]:
        """Lower and upper value of each probe, ``(a, probes)``; one of zeros where there is none."""
        if not self.probes:
            return np.zeros((len(a), 1)), np.zeros((len(a), 1))
        lower, upper = (
            np.stack([term(self._nodes(rule, a), a) @ rule.weights for rule in rules], axis=1)
            for rules in (self.lower, self.upper)
        )
        return lower, upper

    def _nodes(self, rule: Rule, a: Array) -> Array:
        """Nodes for each strength, ``(a, m)``: without any strength those within the noise count as zero."""
        return np.where((a == 0) & (np.abs(rule.nodes) <= self.noise), 0.0, rule.nodes)

    def _clean(self, rule: Rule) -> Rule:
        """Nodes within the noise are zero, and below it where nothing is negative."""
        nodes = np.where(np.abs(rule.nodes) <= self.noise, 0.0, rule.nodes)
        return replace(rule, nodes=nodes.clip(min=0.0) if self.bracketed else nodes)


def quantile(count: int) -> float:
    """Of the t-distribution: half the width of a 95 % interval over so many probes in standard errors."""
    return float(stdtrit(count - 1, 0.5 + 0.5 * COVERAGE)) if count > 1 else 1.0


def _share(values: Array, a: Array) -> Array:
    """``λ/(λ+α)``; zero for λ = 0 and at infinity."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        share = values / (values + a)
    return np.where(np.isinf(a) | (values == 0), 0.0, share)


def _log(values: Array, a: Array) -> Array:
    """``log(1 + λ/α)``; zero for λ = 0."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        each = np.log1p(values / a)
    return np.where(values == 0, 0.0, each)
