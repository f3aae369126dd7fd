"""Approximate leave-one-out and leave-group-out: one Newton step without the rows (M14, M17).

Rad & Maleki (2020), Journal of the Royal Statistical Society B 82(4), with the observed curvature.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from eigenshrink.data.rows import BLOCK, slices
from eigenshrink.newton.anchors import Anchor
from eigenshrink.newton.dense import solver
from eigenshrink.path import AnchoredPath

Array = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Leaving:
    """One strength of a path, ready for rows to leave.

    Attributes
    ----------
    anchor : Anchor
    weight : (n,)
        ``s_i/S``, or ``1/S`` where one copy of a row leaves.
    """

    anchor: Anchor
    weight: Array

    @classmethod
    def of(cls, path: AnchoredPath, anchor: Anchor, whole: bool = False) -> Leaving:
        """At an anchor; ``whole``: all copies of a row leave together."""
        table, share = path.table, path.problem.design.share
        if table.weight_kind == "frequency" and not whole:
            share = np.full(len(share), 1.0 / table.weight_sum)
        return cls(anchor, share)

    @cached_property
    def root(self) -> Array:
        """``L`` with ``L Lᵀ = (H + αE)⁻¹``, ``(o, q, d)``."""
        problem = self.anchor.point.problem
        inverse = solver(self.anchor.curvature.matrix("leave-one-out"), problem.priced, self.anchor.alpha)
        return inverse.root.reshape(*problem.shape, -1)

    @cached_property
    def slope(self) -> Array:
        """``∂ℓ/∂η``, ``(n, o)``."""
        point = self.anchor.point
        return point.problem.response.slope(point.eta[:, :, None])[:, :, 0]

    @cached_property
    def curvature(self) -> Array:
        """``∂²ℓ/∂η∂ηᵀ``, ``(n, o, o)``."""
        return self.anchor.point.problem.response.curvature(self.anchor.point.eta)

    def reach(self) -> Array:
        """``A_i``, how far a row's own slope moves its own predictor, ``(n, o, o)``."""
        design, (o, q, d) = self.anchor.point.problem.design, self.root.shape
        wide = np.moveaxis(self.root, 0, 1).reshape(q, o * d)
        if o == 1:
            return (design.lengths(wide) * self.weight)[:, None, None]
        n = len(self.weight)
        reach = np.zeros((n, o, o))
        if not d:
            return reach
        for rows in slices(n, max(64, 8 * BLOCK // max(1, o * d))):
            each = (design.blocks(rows) @ wide).reshape(-1, o, d)
            reach[rows] = each @ each.transpose(0, 2, 1)
        return reach * self.weight[:, None, None]

    def one(self) -> tuple[Array, Array]:
        """Predictors of each row without it ``(n, o)``, and its leverage ``(n,)``."""
        reach, eta = self.reach(), self.anchor.point.eta
        if reach.shape[1] == 1:
            leverage = self.curvature[:, 0, 0] * reach[:, 0, 0]
            with np.errstate(divide="ignore", invalid="ignore"):
                moved = reach[:, 0, 0] * self.slope[:, 0] / (1.0 - leverage)
            return eta + moved[:, None], leverage
        hat = self.curvature @ reach
        left = np.eye(reach.shape[1]) - hat
        moved = np.einsum("nab,nb->na", reach, np.linalg.solve(left, self.slope[:, :, None])[:, :, 0])
        return eta + moved, np.trace(hat, axis1=1, axis2=2)

    def together(self, groups: Codes) -> Array:
        """Predictors of each row without its group, ``(n, o)``."""
        eta = self.anchor.point.eta.copy()
        for rows in _batches(groups, self.root.shape):
            eta[rows] += self._moved(rows)
        return eta

    def _moved(self, rows: Codes) -> Array:
        """For groups of one size, rows ``(g, b)``: how far their predictors move, ``(g, b, o)``."""
        (g, b), (o, _, d) = rows.shape, self.root.shape
        block = self.anchor.point.problem.design.blocks(rows.ravel())
        Y = np.einsum("nq,oqd->nod", block, self.root).reshape(g, b * o, d)
        weight = np.repeat(self.weight[rows], o, axis=1)[:, :, None]
        W, slope = self.curvature[rows], self.slope[rows].reshape(g, b * o, 1)
        if b * o <= d:
            reach = (Y @ Y.transpose(0, 2, 1)) * weight.transpose(0, 2, 1)
            hat = np.einsum("gbij,gbjk->gbik", W, reach.reshape(g, b, o, -1)).reshape(g, b * o, b * o)
            return np.asarray((reach @ _solved(np.eye(b * o) - hat, slope)).reshape(g, b, o))
        bent = np.einsum("gbij,gbjd->gbid", W, Y.reshape(g, b, o, d)).reshape(g, b * o, d)
        rest = np.eye(d) - Y.transpose(0, 2, 1) @ (weight * bent)
        pull = Y.transpose(0, 2, 1) @ (weight * slope)
        return np.asarray((Y @ _solved(rest, pull)).reshape(g, b, o))


def _solved(left: Array, right: Array) -> Array:
    """``left⁻¹ right`` of a stack; infinite where the rows that leave alone determine something."""
    try:
        return np.asarray(np.linalg.solve(left, right), dtype=np.float64)
    except np.linalg.LinAlgError:
        if len(left) == 1:
            return np.full_like(right, np.inf)
        return np.concatenate([_solved(left[j : j + 1], right[j : j + 1]) for j in range(len(left))])


def _batches(groups: Codes, shape: tuple[int, ...]) -> Iterator[Codes]:
    """Rows of groups of one size at a time, ``(g, b)``."""
    order = np.argsort(groups, kind="stable")
    counts = np.bincount(groups)
    ends = np.cumsum(counts)
    for size in np.unique(counts[counts > 0]):
        which = np.flatnonzero(counts == size)
        rows = order[(ends[which] - size)[:, None] + np.arange(size)]
        for some in slices(len(rows), max(1, 4 * BLOCK // max(1, size * shape[0] * shape[2]))):
            yield rows[some]
