"""Criteria of the linearised network: outputs that are linear in the weights, as Gauss-Newton has them (M14).

``f_i(w) ≈ f_i + J_i (w − w₀)`` with the loss of each row expanded around ``f_i``: the mean of these rows is
the quadratic of the path, so that leaving one out needs no fit. Rad & Maleki (2020), JRSS B 82(4).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from eigenshrink.data.rows import slices
from eigenshrink.errors import InputError
from eigenshrink.path import KrylovPath
from eigenshrink.path.measured import Linearised
from eigenshrink.risk.curve import RiskCurve
from eigenshrink.risk.krylov import believed, edges, inside, predicted_slope
from eigenshrink.risk.uncertainty import Piece
from eigenshrink.spectrum.triangular import EPS

Array = NDArray[np.float64]

NUDGE = 1e-4  # of log α, for the slope of γ
ALONE = 1e10  # times a slope is felt by its own row, from which only that row determines its outputs
TOGETHER = 1 << 21  # numbers of rows that are held at a time


def gcv(path: KrylovPath) -> RiskCurve:
    """``L(w̃(α))/(1 − γ/ν)²`` of the quadratic, which for squared loss is the linearised network.

    Raises
    ------
    InputError
        If the loss is another one, or the curvature has a negative part.
    """
    if not path.squares:
        raise InputError(f"gcv is for squared loss, and the loss here is {path.loss.name}: use validation")
    if "gcv" not in path.available_risks:
        raise InputError("gcv needs a curvature without negative part: use curvature='ggn', or validation")
    observations = path.sample.observations

    def evaluate(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        loss, used = path.train_loss(alphas), path.effective_parameters(alphas)
        left = np.maximum(1.0 - used / observations, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.where(left > 0, loss / left**2, np.inf)
            if not slopes:
                return value, np.full_like(value, np.nan)
            ahead, behind = (path.effective_parameters(alphas * np.exp(h)) for h in (NUDGE, -NUDGE))
            falls = (ahead - behind) / (2 * NUDGE * observations)
            return value, (predicted_slope(path, alphas) + 2 * loss * falls / left) / left**2

    curve = believed("gcv", path, evaluate, edges(path), path.span)
    return replace(curve, unit=path.loss.unit)


def loo(path: KrylovPath) -> RiskCurve:
    """Mean loss of each row at the outputs that the linearised network has without it.

    ``δ_i + A_i (I − C_i A_i)⁻¹ ℓ'_i`` with ``A_i = (s_i/S) J_i H_α⁻¹ J_iᵀ``, ``δ_i = J_i(w̃ − w₀)`` and
    ``ℓ'_i`` the slope there, at the same Sα: exact in the quadratic. The loss itself is taken as it is. It is
    infinite where a row alone determines its outputs.

    Raises
    ------
    InputError
        If the model is too large for the outputs of all rows to be kept as functions of the weights.
    """
    if "loo" not in path.available_risks or path.linearised is None:
        raise InputError(
            "loo needs the outputs of every row as a function of the weights, which only a small network "
            "with curvature='ggn' has: use validation or evidence"
        )
    rows = _Rows.of(path, path.linearised)
    limits = edges(path)

    def evaluate(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        each = [rows.left_out(float(alpha)) for alpha in alphas]
        return np.array([part[0].sum() for part in each]), np.array([part[1].sum() for part in each])

    def units(reference: Array, alphas: Array) -> Iterator[Piece]:
        asked = np.concatenate([reference, alphas[:, 0]])
        there = inside(asked, limits)
        nothing = np.full(int(rows.counted.sum()), np.nan)
        each = [
            rows.left_out(float(at))[0][rows.counted] if known else nothing
            for at, known in zip(asked, there, strict=True)
        ]
        parts = np.stack(each, axis=1)
        yield None, parts[:, :1], [parts[:, 1:]]

    curve = believed("loo", path, evaluate, limits, path.span)
    return replace(curve, unit=path.loss.unit, units=units)


@dataclass(frozen=True, eq=False)
class _Rows:
    """The outputs of n rows along the k directions of a path.

    Attributes
    ----------
    path : KrylovPath
    linear : Linearised
    along : (n, t, k)
        ``J`` in the directions, free weights following them.
    free : (n, t, m)
        ``J`` along free weights, in coordinates of unit curvature.
    start : (k,)
        ``w₀`` in the directions.
    slope : (m,)
        The gradient along free weights.
    """

    path: KrylovPath
    linear: Linearised
    along: Array
    free: Array
    start: Array
    slope: Array
    kept: dict[float, tuple[Array, Array]] = field(default_factory=dict)

    @classmethod
    def of(cls, path: KrylovPath, linear: Linearised) -> _Rows:
        fit, block, directions = path.quadratic.fit, path.spectrum.free, path.spectrum.directions
        n, t, p = linear.jacobian.shape
        J = linear.jacobian.reshape(n * t, p)
        bound = J[:, fit.penalised] - J[:, fit.free] @ np.asarray(block.onto)
        along = directions.forth((bound * fit.scale).T).T
        start = directions.forth(fit.weights[fit.penalised] / fit.scale[:, None])[:, 0]
        slope = block.root.T @ fit.gradient[fit.free, 0]
        free = J[:, fit.free] @ block.root
        return cls(path, linear, along.reshape(n, t, -1), free.reshape(n, t, -1), start, slope)

    @property
    def share(self) -> Array:
        """What each row counts for, ``(n,)``."""
        return np.asarray(self.linear.weights / self.linear.weights.sum())

    @property
    def counted(self) -> NDArray[np.bool_]:
        """Rows that have a weight."""
        return self.linear.weights > 0

    def left_out(self, alpha: float) -> tuple[Array, Array]:
        """What each row adds to the curve and to its slope in log α, ``(n,)`` each; kept once it is known."""
        if alpha not in self.kept:
            self.kept[alpha] = self._left_out(alpha)
        return self.kept[alpha]

    def _left_out(self, alpha: float) -> tuple[Array, Array]:
        scaled = _Scaled.of(self.path, alpha)
        n, t, k = self.along.shape
        moved, turns, alone = np.empty((n, t)), np.empty((n, t)), np.empty(n, dtype=bool)
        for rows in slices(n, TOGETHER // max(1, t * max(k, t))):
            moved[rows], turns[rows], alone[rows] = self._without(rows, scaled)
        values, slopes = self.linear.losses(moved)
        with np.errstate(over="ignore", invalid="ignore"):
            steep = np.einsum("nt,nt->n", slopes, turns)
            return self._counted(np.where(alone, np.inf, values)), self._counted(steep)

    def _counted(self, each: Array) -> Array:
        return np.where(self.counted, self.share * each, 0.0)

    def _without(self, rows: slice, scaled: _Scaled) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Changes of the outputs of some rows without them, ``(b, t)``, their slopes, and which are alone."""
        V, F, C = self.along[rows], self.free[rows], self.linear.curvature[rows]
        share = self.share[rows, None, None]
        A = share * ((V * scaled.inverse) @ V.swapaxes(1, 2) + F @ F.swapaxes(1, 2))
        falls = -share * ((V * scaled.bent) @ V.swapaxes(1, 2))
        with_it = V @ (scaled.place - self.start) - F @ self.slope
        turns = V @ scaled.turns
        solve: Array = np.linalg.inv((1.0 + EPS) * np.eye(V.shape[1]) - C @ A).astype(np.float64)
        pull = _times(solve, self.linear.slope[rows] + _times(C, with_it))
        lost = _times(falls, pull)
        alone = np.abs(solve).max(axis=(1, 2), initial=0.0) > ALONE
        return with_it + _times(A, pull), turns + lost + _times(A @ solve @ C, turns + lost), alone


@dataclass(frozen=True, eq=False)
class _Scaled:
    """The directions at one strength: ``1/(λ+α)``, ``α/(λ+α)²``, coordinates of w̃, their slopes, ``(k,)``."""

    inverse: Array
    bent: Array
    place: Array
    turns: Array

    @classmethod
    def of(cls, path: KrylovPath, alpha: float) -> _Scaled:
        values, numerators = path.spectrum.eigenvalues, path.spectrum.numerators[:, 0]
        total = values + alpha
        inverse = np.divide(1.0, total, out=np.zeros_like(total), where=total > 0)
        bent = np.zeros_like(inverse) if np.isinf(alpha) else alpha * inverse**2
        return cls(inverse, bent, numerators * inverse, -numerators * bent)


def _times(matrices: Array, vectors: Array) -> Array:
    """One product for each row, ``(b, t, u)`` by ``(b, u)``."""
    return np.asarray(np.einsum("btu,bu->bt", matrices, vectors))
