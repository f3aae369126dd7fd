"""Rows of a generalised linear model as they are fitted and as one step leaves them out (M14)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ive

from eigenshrink.models.loss import Loss
from eigenshrink.newton.anchors import Anchor
from eigenshrink.newton.response import Response
from eigenshrink.path import AnchoredPath
from eigenshrink.risk.one_step import Leaving

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

NOISE = 3.0  # standard errors of a share
LEAST = 1e-10  # variance of a response below which its residual tells nothing


@dataclass(frozen=True, eq=False)
class Answers:
    """What a model answers for each of its rows at one strength; ``o`` outputs are free of each other.

    Attributes
    ----------
    path : AnchoredPath
    anchor : Anchor
        The solution.
    weight : (n,)
        s.
    copies : bool
        Weights count copies, one of which leaves.
    left_out : (n, o)
        Predictors without the row, to one Newton step, offsets not added.
    apart : (n, o)
        The same with the row's influence on the intercept put back: what is left of the intercept alone
        would follow the mean of the others, which is low where the row is high.
    leverage : (n,)
        ``tr(WA)/o``, in [0, 1].
    """

    path: AnchoredPath
    anchor: Anchor
    weight: Array
    copies: bool
    left_out: Array
    apart: Array
    leverage: Array

    @classmethod
    def of(cls, path: AnchoredPath, alpha: float) -> Answers:
        """Leave each row out."""
        anchor = path.near(alpha)
        table, problem = path.fit.training.table if path.fit.training else None, path.problem
        copies = table is not None and table.weight_kind == "frequency"
        leaving = Leaving.of(path, anchor)
        left_out, leverage = leaving.one()
        apart = left_out
        if problem.design.intercept:
            total = np.einsum("n,nab->ab", problem.design.share, leaving.curvature)
            own = leaving.weight[:, None, None] * np.linalg.pinv(total)
            apart = left_out - np.einsum("nab,nb->na", own, _pull(leaving))
        weight = problem.design.share * path.sample.weight_sum
        return cls(path, anchor, weight, copies, left_out, apart, leverage / problem.shape[0])

    @property
    def response(self) -> Response:
        """Targets, and the loss that reads them."""
        return self.path.problem.response

    @property
    def loss(self) -> Loss:
        """What is minimised."""
        return self.response.loss

    @cached_property
    def mean(self) -> Array:
        """Fitted mean ``(n,)``, or probabilities ``(n, c)`` of several classes."""
        return self.response.mean(self.anchor.point.eta)

    @cached_property
    def residuals(self) -> Array:
        """Pearson residuals over ``√(1−h)``, a column per class: mean 0, dispersion φ, ``(n, c)``."""
        y, c = self.response.y, self.response.classes
        if c > 1:
            seen, mean = np.equal(y[:, None], np.arange(c)).astype(np.float64), self.mean
            variance = mean * (1.0 - mean)
        else:
            seen, mean = y[:, None], self.mean[:, None]
            variance = self.loss.variance(mean)
        scale = np.ones(len(y)) if self.copies else self.weight
        scale = np.sqrt(scale / np.maximum(1.0 - self.leverage, LEAST))
        known = variance > LEAST
        return np.where(known, scale[:, None] * (seen - mean) / np.sqrt(np.where(known, variance, 1.0)), 0.0)

    @cached_property
    def deviances(self) -> Array:
        """``ℓ`` of each row when it is left out, ``(n,)``."""
        return self.value(self.left_out)

    def agreement(self, codes: Codes, rows: Codes) -> float:
        """How often targets at the X of some rows agree by chance, all rows of a code left out.

        ``Σ_k p_k²`` of classes or Poisson counts on average, but no more than the share of all rows whose
        most probable target is right, and three standard errors: ``Σ_k p_k² ≤ max_k p_k``, also where the
        model is too bold.
        """
        mean = self.response.mean(Leaving.of(self.path, self.anchor, whole=True).together(codes))
        if self.loss.classes:
            each = mean if mean.ndim == 2 else np.stack([1.0 - mean, mean], axis=1)
            agree, guess = np.sum(each**2, axis=1), each.argmax(axis=1)
        else:
            agree, guess = ive(0, 2.0 * mean), np.floor(mean)
        right = float(np.mean(guess == self.response.y))
        right += NOISE * float(np.sqrt(right * (1.0 - right) / len(guess)))
        return min(float(agree[rows].mean()), right)

    def together(self, codes: Codes) -> Array:
        """``ℓ`` of each row when all rows of its code are left out, every copy of them, ``(n,)``."""
        return self.value(Leaving.of(self.path, self.anchor, whole=True).together(codes))

    def value(self, eta: Array) -> Array:
        """``ℓ`` of each row at predictors ``(n, o)``, ``(n,)``."""
        with np.errstate(over="ignore", invalid="ignore"):
            return self.response.value(eta[:, :, None])[:, 0]


def _pull(leaving: Leaving) -> Array:
    """``(I − WA)⁻¹ ℓ'``, ``(n, o)``: the slope of a row at the predictor without it, to one step."""
    rest = np.eye(leaving.slope.shape[1]) - leaving.curvature @ leaving.reach()
    if rest.shape[1] == 1:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(leaving.slope / rest[:, :, 0])
    return np.asarray(np.linalg.solve(rest, leaving.slope[:, :, None])[:, :, 0])
