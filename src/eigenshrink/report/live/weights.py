"""Weights of a study over the strength: as sums along directions, or as a table (M5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.path import KrylovPath
from eigenshrink.plots import reading
from eigenshrink.report.live.curves import Errors
from eigenshrink.report.live.grid import Grid, by_directions
from eigenshrink.report.live.packed import error_between, packed, scalar, slopes

Array = NDArray[np.float64]

NUMBERS = 60_000  # of the rows of the directions, or of a table, that a page holds
LEAST, MOST = 12, 300  # columns that are shown
WEIGHTS = 16  # of a network, each of which means nothing by itself


@dataclass(frozen=True, eq=False)
class Shown:
    """The columns whose weights a page shows.

    Attributes
    ----------
    places : (s,)
        Among all weights, the largest at the chosen strength first.
    count : int
        How many there are.
    """

    places: NDArray[np.intp]
    count: int

    @classmethod
    def of(cls, study: Any, grid: Grid) -> Shown:
        """As many as fit, over all targets that are shown."""
        if isinstance(study.path, KrylovPath):
            fit = study.path.fit
            size, most = np.where(fit.penalty_factor > 0, np.abs(fit.weights[:, 0]), -1.0), WEIGHTS
        else:
            size = np.abs(np.atleast_2d(study.coef())).reshape(-1, len(study.weight_names)).max(axis=0)
            each = len(study.spectrum.eigenvalues) if by_directions(study) else 2 * len(grid.alphas)
            most = int(np.clip(NUMBERS // max(1, each), LEAST, MOST))
        order = np.argsort(-size, kind="stable")[:most]
        return cls(order, len(size))


def weights(study: Any, shown: Shown, grid: Grid, target: int, errors: Errors) -> dict[str, Any]:
    """What the weights of one target are made of."""
    if by_directions(study):
        return _sums(study, shown, target)
    own = [reading.weights(study, target, some)[:, shown.places] for some in (grid.alphas, grid.between)]
    steep = slopes(grid.logs, own[0])
    errors.seen("coefficients", error_between(grid.logs, own[0], steep, np.log(grid.between), own[1]))
    found = {"table": packed(own[0].T, single=True), "slopes": packed(steep.T, single=True)}
    limits = reading.weights(study, target, np.array([grid.weakest, np.inf]))[:, shown.places]
    return found | {"limits": packed(limits.T)} | _intercepts(study, grid, target, errors)


def _intercepts(study: Any, grid: Grid, target: int, errors: Errors) -> dict[str, Any]:
    """The intercept as a table; none of several classes, which have one each."""
    if not study.facts.fit_intercept or reading.class_labels(study):
        return {}
    own = [reading.over(study.path.intercept(some), target) for some in (grid.alphas, grid.between)]
    steep = slopes(grid.logs, own[0])
    errors.seen("coefficients", error_between(grid.logs, own[0], steep, np.log(grid.between), own[1]))
    limits = reading.over(study.path.intercept(np.array([grid.weakest, np.inf])), target)
    return {"intercept": {"values": packed(own[0]), "slopes": packed(steep), "limits": packed(limits)}}


def _sums(study: Any, shown: Shown, target: int) -> dict[str, Any]:
    """``w_j = base_j + Σ_i row_ji · numerators_i/(λ_i + α)``: the intercept is such a sum too."""
    path = study.path.quadratic if isinstance(study.path, KrylovPath) else study.path
    spectrum = path.spectrum
    made = [_row(path, int(place), target) for place in shown.places]
    found = {
        "rows": packed(np.array([row for row, _ in made]).reshape(len(made), len(spectrum.eigenvalues))),
        "base": packed([base for _, base in made]),
        "numerators": packed(spectrum.numerators[:, target]),
    }
    if study.facts.fit_intercept:
        row, base = _level(path, target)
        found["intercept"] = {"row": packed(row), "base": scalar(base)}
    return found


def _row(path: Any, place: int, target: int) -> tuple[Array, float]:
    fit, spectrum = path.fit, path.spectrum
    inside = np.flatnonzero(fit.penalised == place)
    if len(inside):
        unit = np.zeros((len(fit.penalised), 1))
        unit[inside[0]] = fit.scale[inside[0]]
        return spectrum.directions.forth(unit)[:, 0], 0.0
    free = np.flatnonzero(fit.free == place)
    if not len(free):
        return np.zeros(len(spectrum.eigenvalues)), 0.0
    pull = fit.scale * (spectrum.free.onto.T @ np.eye(len(fit.free))[free[0]])
    return -spectrum.directions.forth(pull[:, None])[:, 0], float(spectrum.free.offset[free[0], target])


def _level(path: Any, target: int) -> tuple[Array, float]:
    """The intercept, ``mean of the target − column means · w``."""
    fit, spectrum, mean = path.fit, path.spectrum, path.sample.column_mean
    pull, base = mean[fit.penalised], 0.0
    if len(fit.free):
        pull = pull - spectrum.free.onto.T @ mean[fit.free]
        base = float(mean[fit.free] @ spectrum.free.offset[:, target])
    row = -spectrum.directions.forth((fit.scale * pull)[:, None])[:, 0]
    return row, float(np.ravel(path.level())[target]) - base
