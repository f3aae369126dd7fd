"""The path of anchors of a study that was read from a file: its rows are gone, its solutions are not."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigenshrink.data.rows import Rows
from eigenshrink.errors import InputError
from eigenshrink.fit import Fit
from eigenshrink.models.loss import Loss
from eigenshrink.newton.anchors import Anchor, Anchors
from eigenshrink.newton.between import Solved
from eigenshrink.newton.dense import Dense
from eigenshrink.newton.design import Design
from eigenshrink.newton.nodes import Nodes
from eigenshrink.newton.problem import Point, Problem
from eigenshrink.newton.response import Response
from eigenshrink.path.anchored import AnchoredPath
from eigenshrink.path.quadratic import QuadraticPath
from eigenshrink.spectrum.record import DenseBasis

Array = NDArray[np.float64]

STEP = 0.23  # of the table in log α, a quarter of the spacing of anchors
BEYOND = 7.0  # how far it goes on in log α beyond them: from there on the limits are near
LOST = "this study was loaded from a file, which holds no rows: make it again with es.study(X, y)"
NO_CURVATURE = Dense(np.zeros((0, 0)), np.zeros(0))
ANCHORED = ("alpha", "theta", "loss", "eigenvalues", "log_free")  # what is kept of each anchor
KEPT = (
    *("table.alpha", "table.theta", "table.loss", *(f"anchors.{name}" for name in ANCHORED)),
    *("theta", "loss", "curvature", "stretch", "inverse", "coordinates", "scatter", "trusted", "tolerance"),
    *("classes", "one_target", "separation", "risks"),
)


@dataclass(frozen=True, eq=False)
class KeptPoint(Point):
    """A solution whose rows are gone: its coordinates and its loss.

    Attributes
    ----------
    kept : float
        L.
    """

    kept: float = float("nan")

    @cached_property
    def loss(self) -> float:
        """L."""
        return self.kept


@dataclass(frozen=True, eq=False)
class KeptAnchor(Anchor):
    """An anchor of which the spectrum was kept.

    Attributes
    ----------
    eigenvalues : (o r,)
    log_free : float
        ``log|H_FF|``.
    """

    eigenvalues: Array = field(repr=False)
    log_free: float

    @cached_property
    def spectrum(self) -> tuple[Array, float]:
        """Eigenvalues of ``H_S`` and ``log|H_FF|``."""
        return self.eigenvalues, self.log_free


@dataclass(frozen=True, eq=False)
class TabledPath(AnchoredPath):
    """An :class:`AnchoredPath` without rows: solutions from a table, nothing proved any more.

    Attributes
    ----------
    kept : mapping
        The arrays that it was read from, see :func:`table_path`.
    quadratic : QuadraticPath
        The local quadratic at the strength that was chosen, ``quadratic.fit.alpha``.
    """

    kept: Mapping[str, Any]
    quadratic: QuadraticPath

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"kept": self.kept, "quadratic": self.quadratic}

    @cached_property
    def made(self) -> dict[str, Any]:
        """What was made of this path by name: the scatter about the fit (M15) is all that rows left."""
        alphas, scatter = self.kept["scatter"]
        return {"scatter": dict(zip(alphas.tolist(), scatter.tolist(), strict=True))}

    @property
    def one_target(self) -> bool:
        """Results carry no target axis."""
        return bool(self.kept["one_target"])

    @property
    def available_risks(self) -> tuple[str, ...]:
        """Estimates of the true error that need no rows; the others are tables of the study."""
        return tuple(self.kept["risks"].tolist())

    @cached_property
    def separation(self) -> str:
        """As before: "complete", "quasi" or ""."""
        return str(self.kept["separation"])

    @cached_property
    def trusted(self) -> tuple[float, float]:
        """Interval of α in which the tolerance was kept."""
        low, high = self.kept["trusted"]
        return float(low), float(high)

    def certificate(self, alpha: ArrayLike, relative: bool = False) -> Any:
        """NaN: a proof is a gradient on the rows."""
        strength = self.checked(alpha)
        return np.full(strength.shape, np.nan) if strength.ndim else float("nan")

    def certify(self, weights: ArrayLike, alpha: float) -> float:
        """Refuse: a proof is a gradient on the rows."""
        raise InputError(LOST)

    def proved_interval(self, alpha: float) -> tuple[float, float]:
        """Nothing is proved."""
        return alpha, alpha

    def residual_bound(self, alpha: ArrayLike) -> Any:
        """Refuse: the residual is taken on the rows."""
        raise InputError(LOST)

    def local(self, alpha: float) -> QuadraticPath:
        """The quadratic at the strength that was chosen; at others it needs the rows."""
        self._kept_at(alpha)
        return self.quadratic

    def near(self, alpha: float) -> Anchor:
        """The path at the strength that was chosen, with its curvature; at others it would need the rows."""
        self._kept_at(alpha)
        theta, curvature = self.kept["theta"], Dense(self.kept["curvature"], self.problem.priced)
        return Anchor(float(alpha), _point(self.problem, theta, float(self.kept["loss"])), curvature)

    def _kept_at(self, alpha: float) -> None:
        if alpha != self.quadratic.fit.alpha:
            raise InputError(
                f"{LOST}; it holds the curvature at the chosen strength only, {self.quadratic.fit.alpha:g}, "
                f"and alpha = {alpha:g} was asked for"
            )

    @cached_property
    def _nodes(self) -> Nodes:
        """What each solution of the table weighs between them."""
        limits = self.anchors_
        points = zip(self.kept["table.alpha"], self.kept["table.theta"], strict=True)
        between = [Anchor(float(at), _point(self.problem, theta), NO_CURVATURE) for at, theta in points]
        return Nodes(Anchors(tuple(between), limits.infinite, limits.zero))

    def _solve(self, flat: Array) -> Solved:
        """Solutions by a spline in log α through the table; the residual is not known."""
        weights = self._nodes.weights(flat)[0]
        each = self._nodes.anchors.all
        thetas = np.tensordot(weights, np.stack([anchor.theta for anchor in each]), axes=1)
        losses = np.array([self.anchors_.infinite.point.loss])
        losses = np.concatenate([self.kept["table.loss"], losses])
        if self.anchors_.zero is not None:
            losses = np.concatenate([[self.anchors_.zero.point.loss], losses])
        loss = weights @ losses
        here = flat == self.quadratic.fit.alpha
        thetas[here], loss[here] = self.kept["theta"], self.kept["loss"]
        priced = thetas[:, :, self.problem.design.rank :]
        length = np.sqrt(np.einsum("aoq,aoq->a", priced, priced))
        return Solved(thetas, np.full(len(flat), np.nan), length, loss)


def table_path(path: AnchoredPath, alpha: float) -> dict[str, Any]:
    """What a file keeps of a path whose strength ``alpha`` was chosen: arrays by name.

    Solutions every 0.23 in log α, so that a spline of degree five gives any other one to about 1e-8
    (1e-4 where the path bends, near separation or at the corners of Huber's loss), the chosen one exactly;
    of the anchors the spectrum; of the chosen strength the curvature too, ``(d, d)``.
    """
    if isinstance(path, TabledPath):
        return dict(path.kept)
    design, anchors, places = path.problem.design, path.anchors_.all, _places(path)
    solved = path._solve(places)
    near = path.near(alpha)
    scatter: dict[float, float] = path.made.get("scatter", {})
    wanted = [at for at in dict.fromkeys((alpha, anchors[0].alpha, anchors[-1].alpha)) if at in scatter]
    basis = design.basis
    return {
        "table.alpha": places,
        "table.theta": solved.theta,
        "table.loss": solved.loss,
        "anchors.alpha": np.array([anchor.alpha for anchor in anchors]),
        "anchors.theta": np.stack([anchor.theta for anchor in anchors]),
        "anchors.loss": np.array([anchor.point.loss for anchor in anchors]),
        "anchors.eigenvalues": np.stack([anchor.spectrum[0] for anchor in anchors]),
        "anchors.log_free": np.array([anchor.spectrum[1] for anchor in anchors]),
        "theta": near.theta,
        "loss": np.float64(near.point.loss),
        "curvature": near.curvature.matrix("saving a study"),
        "stretch": design.stretch,
        "inverse": design.inverse,
        "coordinates": np.zeros((0, 0)) if basis is None else basis.back(np.eye(len(design.picked))),
        "scatter": np.array([wanted, [scatter[at] for at in wanted]]),
        "trusted": np.array(path.trusted),
        "tolerance": np.float64(path.tolerance),
        "classes": np.int64(path.problem.response.classes),
        "one_target": np.bool_(path.one_target),
        "separation": np.array(path.separation),
        "risks": np.array([name for name in path.available_risks if name in ("cp", "evidence", "train")]),
    }


def _places(path: AnchoredPath) -> Array:
    """Strengths of the table: all anchors, more between them, and some beyond."""
    if path.span is None:
        return np.zeros(0)
    ends = np.asarray(path.anchors_.places)
    parts = [np.linspace(a, b, round((b - a) / STEP) + 1)[:-1] for a, b in itertools.pairwise(ends)]
    beyond = np.arange(STEP, BEYOND, STEP)
    below = ends[0] - beyond[::-1] if path.anchors_.zero is not None else beyond[:0]
    return np.asarray(np.exp(np.concatenate([below, *parts, ends[-1:], ends[-1] + beyond])))


def read_table(arrays: Mapping[str, Any], fit: Fit, loss: Loss, quadratic: QuadraticPath) -> TabledPath:
    """The path again, from the arrays of :func:`table_path`.

    Parameters
    ----------
    arrays : mapping
    fit : Fit
        Without rows, of all columns.
    loss : Loss
    quadratic : QuadraticPath
        The local quadratic at the chosen strength.

    Raises
    ------
    KeyError
        If an array is missing.
    """
    arrays = {name: arrays[name] for name in KEPT}
    sample, basis = fit.sample, arrays["coordinates"]
    assert sample is not None
    wide = basis.size > 0
    picked = np.arange(basis.shape[1]) if wide else fit.penalised
    lost = Rows(np.zeros((0, len(picked) if wide else len(fit.active))), None, sample.column_mean)
    design = Design(
        original=lost,
        rows=lost,
        picked=picked,
        stretch=arrays["stretch"],
        free=np.zeros((0, arrays["inverse"].shape[1])),
        share=np.zeros(0),
        inverse=arrays["inverse"],
        columns=(fit.penalised, fit.free),
        scale=fit.scale,
        centre=sample.column_mean,
        intercept=sample.fit_intercept,
        basis=DenseBasis(basis) if wide else None,
        lost=0.0,
    )
    problem = Problem(design, Response(loss, np.zeros(0), None, int(arrays["classes"])))
    anchors = _anchors(problem, arrays)
    return TabledPath(fit, problem, anchors, float(arrays["tolerance"]), arrays, quadratic)


def _anchors(problem: Problem, arrays: Mapping[str, Any]) -> Anchors:
    rows = zip(*(arrays[f"anchors.{name}"] for name in ANCHORED), strict=True)
    found = [
        KeptAnchor(float(at), _point(problem, theta, float(loss)), NO_CURVATURE, values, float(log_free))
        for at, theta, loss, values, log_free in rows
    ]
    zero = found[0] if found[0].alpha == 0 else None
    return Anchors(tuple(found[1 if zero else 0 : -1]), found[-1], zero)


def _point(problem: Problem, theta: Array, loss: float = float("nan")) -> KeptPoint:
    return KeptPoint(problem, theta, np.zeros((0, problem.shape[0])), loss)
