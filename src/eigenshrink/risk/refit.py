"""Exact refits of a few rows, to see what one Newton step is worth where it is worth least (M14)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eigenshrink.errors import InputError, NotConverged
from eigenshrink.newton.solve import solve
from eigenshrink.path import AnchoredPath, KrylovPath, Path, QuadraticPath
from eigenshrink.risk.loo import RowErrors
from eigenshrink.risk.loo import row_errors as squared_errors
from eigenshrink.risk.one_step import Leaving

Array = NDArray[np.float64]

ROWS = 5  # that are refitted
ENOUGH = 1e-8  # accuracy of a refit


@dataclass(frozen=True, eq=False)
class SpotCheck:
    """Rows of the highest leverage, left out by one step and by a refit.

    Attributes
    ----------
    rows : (b,)
        Their places in the table.
    leverage : (b,)
    approximate, exact : (b, o)
        Predictors of each row without it; infinite where no fit without it exists.
    losses : (b, 2)
        Loss of each row at both.
    """

    rows: NDArray[np.intp]
    leverage: Array
    approximate: Array
    exact: Array
    losses: Array


def spot_check(path: AnchoredPath, alpha: float, most: int = ROWS) -> SpotCheck:
    """Refit without each of the rows of highest leverage, at the same Sα.

    Parameters
    ----------
    path : AnchoredPath
    alpha : float
        In [lowest, inf].
    most : int
        How many rows.
    """
    key = f"spot check of {most} at {alpha!r}"
    if key not in path.made:
        anchor = path.near(alpha)
        leaving = Leaving.of(path, anchor)
        eta, leverage = leaving.one()
        rows = np.argsort(-leverage, kind="stable")[:most]
        exact = np.stack([_without(path, alpha, int(row), leaving.weight[row]) for row in rows])
        some = path.problem.response.take(rows)
        losses = np.stack([some.value(eta[rows]), some.value(exact)], axis=1)
        path.made[key] = SpotCheck(rows, leverage[rows], eta[rows], exact, losses)
    found: SpotCheck = path.made[key]
    return found


def _without(path: AnchoredPath, alpha: float, row: int, leaves: float) -> Array:
    """The predictor of a row under a fit without it (without one copy of it)."""
    problem, start = path.problem, path.near(alpha)
    share = problem.design.share.copy()
    share[row] -= leaves
    rest = problem.weighted(share / share.sum())
    try:
        found = solve(rest.at(start.theta), alpha / (1.0 - leaves), ENOUGH, start.curvature)
    except NotConverged:
        return np.full(problem.shape[0], np.inf)
    return np.asarray(found.eta[row])


def row_errors(path: Path, alphas: Array) -> RowErrors:
    """Each row as it is fitted and as it is left out, each target at its own strength.

    Squared loss: in units of the target. Other losses: what is fitted is the mean (several classes: the
    probability of the own class), and errors are those of Pearson, ``(y − μ)/√V(μ)`` (several classes:
    ``√(2ℓ)``), left out by one Newton step.

    Raises
    ------
    InputError
        If the path has no rows.
    """
    if isinstance(path, QuadraticPath):
        return squared_errors(path, alphas)
    if isinstance(path, KrylovPath) or path.fit.training is None:
        raise InputError("rows can only be left out where they are at hand: use es.study(X, y)")
    anchor = path.near(float(alphas[0]))
    eta, leverage = Leaving.of(path, anchor).one()
    mean, residual = _errors(path, anchor.point.eta)
    _, left_out = _errors(path, eta)
    return RowErrors(mean[:, None], residual[:, None], left_out[:, None], leverage[:, None])


def _errors(path: AnchoredPath, eta: Array) -> tuple[Array, Array]:
    """Fitted means and errors of each row, ``(n,)``."""
    response = path.problem.response
    mean = response.mean(eta[:, :, None])[..., 0]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if response.classes > 1:
            return mean[np.arange(len(mean)), response.y.astype(np.intp)], np.sqrt(2 * response.value(eta))
        mean = mean.reshape(len(eta))
        off = response.y - mean
        return mean, np.where(off == 0, 0.0, off / np.sqrt(path.loss.variance(mean)))
