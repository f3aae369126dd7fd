"""How many parameters are in use along a path of anchors, and how sure that number is (M9).

Where the curvature is a matrix: from its eigenvalues. Where there are only products with it: by Hutchinson's
estimate of a trace, ``γ − m = E[zᵀz − α zᵀ(H + αE)⁻¹z]`` over signs z of what the penalty sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from eigenshrink.newton.anchors import Anchor, Anchors
from eigenshrink.newton.between import NEAREST, lagrange
from eigenshrink.newton.nodes import Nodes
from eigenshrink.newton.products import PRECISE
from eigenshrink.path.steps import kept_share
from eigenshrink.spectrum.triangular import EPS

Array = NDArray[np.float64]

PROBES = 16
SEED = 0  # the same probes at every anchor, so that γ moves smoothly
SURE = 0.975  # upper end of a two-sided interval of 95 %


@dataclass(frozen=True, eq=False)
class Shares:
    """``λ/(λ+α)`` of every direction.

    Attributes
    ----------
    anchors : Anchors
    nodes : Nodes
    """

    anchors: Anchors
    nodes: Nodes

    def each(self, alpha: float) -> tuple[Array, float]:
        """``λ/(λ+α)`` interpolated in the curvature, and how far that is from a cubic of four anchors."""
        if np.isinf(alpha) or not self.anchors.between:
            return np.zeros(len(self.anchors.infinite.spectrum[0])), 0.0
        if alpha == 0 and self.anchors.zero is not None:
            values = self.anchors.zero.spectrum[0]
            return (values > EPS * len(values) * values.max(initial=0.0)).astype(float), 0.0
        at = np.array([alpha])
        each = np.stack([kept_share(anchor.spectrum[0], at) for anchor in self.anchors.all])
        found = self.nodes.weights(at)[0][0] @ each
        apart = found.copy()
        for anchor, weight in lagrange(self.anchors, alpha, NEAREST):
            apart -= weight * kept_share(anchor.spectrum[0], at)
        return np.clip(found, 0.0, 1.0), float(apart.sum())

    def total(self, alpha: float) -> tuple[float, float]:
        """What they add up to, and how far that may be off."""
        share, apart = self.each(alpha)
        return float(share.sum()), abs(apart)


@dataclass(frozen=True, eq=False)
class Probed:
    """The same where eigenvalues cannot be had: only their sum, as an estimate.

    Attributes
    ----------
    anchors : Anchors
    nodes : Nodes
    """

    anchors: Anchors
    nodes: Nodes

    def each(self, alpha: float) -> tuple[Array, float]:
        """Refused, with what would be needed.

        Raises
        ------
        InputError
            Always.
        """
        self.anchors.infinite.curvature.matrix("the share that each direction keeps")
        return np.zeros(0), 0.0

    def total(self, alpha: float) -> tuple[float, float]:
        """Mean over the probes, and half the width of its t-interval of 95 %."""
        found = self.nodes.weights(np.array([alpha]))[0][0] @ self._kept
        error = stdtrit(PROBES - 1, SURE) * found.std(ddof=1) / np.sqrt(PROBES)
        most = float(self.anchors.infinite.point.problem.priced.sum())
        return float(np.clip(found.mean(), 0.0, most)), float(error)

    @cached_property
    def _kept(self) -> Array:
        """What each probe finds at each anchor, ``(K, b)``: the same signs at all of them."""
        problem = self.anchors.infinite.point.problem
        signs = np.random.default_rng(SEED).choice([-1.0, 1.0], (problem.dim, PROBES))
        signs *= problem.priced[:, None]
        return np.stack([_kept(anchor, signs) for anchor in self.anchors.all])


def _kept(anchor: Anchor, signs: Array) -> Array:
    """``zᵀz − α zᵀ(H + αE)⁻¹z`` of each probe, ``(b,)``: an error of the solution enters it squared."""
    problem = anchor.point.problem
    if np.isinf(anchor.alpha):
        return np.zeros(signs.shape[1])
    if anchor.alpha == 0:
        values = problem.design.principal
        there = values > EPS * len(values) * values.max(initial=0.0)
        return np.full(signs.shape[1], float(there.sum() * problem.shape[0]))
    solved = anchor.curvature.solver(anchor.alpha, PRECISE)(signs)
    return np.asarray(np.sum(signs * (signs - anchor.alpha * solved), axis=0))
