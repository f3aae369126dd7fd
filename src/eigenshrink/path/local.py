"""The quadratic at one point of a path: all that M4 to M10 say of it, with the curvature there."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from eigenshrink.curvature import Curvature
from eigenshrink.fit import Fit
from eigenshrink.newton.anchors import Anchor
from eigenshrink.newton.dense import schur_complement
from eigenshrink.newton.problem import Point
from eigenshrink.newton.threads import one_thread
from eigenshrink.path.quadratic import QuadraticPath
from eigenshrink.spectrum.record import FreeBlock, Spectrum, numerical_floor
from eigenshrink.spectrum.triangular import EPS

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Directions:
    """Q of the weights of all classes, one class after the other, kept as a product.

    Attributes
    ----------
    point : Point
    vectors : (o r, k)
        Directions in coordinates.
    """

    point: Point
    vectors: Array

    def back(self, coordinates: Array) -> Array:
        """``Q c``, (k, m) to (c p_pen, m)."""
        problem = self.point.problem
        o, r, m = problem.shape[0], len(problem.design.picked), coordinates.shape[1]
        size = len(problem.response.contrasts) * len(problem.design.columns[0])
        inner = (self.vectors @ coordinates).reshape(o, r, m)
        basis = problem.design.basis
        each = inner if basis is None else np.stack([basis.back(part) for part in inner])
        whole = np.einsum("co,opm->cpm", problem.response.contrasts, each)
        return np.asarray(whole.reshape(size, m))

    def forth(self, vectors: Array) -> Array:
        """``Qᵀ v``, (c p_pen, m) to (k, m)."""
        problem = self.point.problem
        contrasts, basis = problem.response.contrasts, problem.design.basis
        whole = vectors.reshape(len(contrasts), -1, vectors.shape[1])
        each = np.einsum("co,cpm->opm", contrasts, whole)
        inner = each if basis is None else np.stack([basis.forth(part) for part in each])
        return np.asarray(self.vectors.T @ inner.reshape(-1, vectors.shape[1]))


class RowCurvature(Curvature):
    """H of a loss at a point, by products with the rows; the intercept is eliminated (M12)."""

    def __init__(self, point: Point) -> None:
        self.point = point

    @property
    def dim(self) -> int:
        """Columns times classes."""
        problem = self.point.problem
        return len(problem.response.contrasts) * len(problem.design.centre)

    def matvec(self, v: Array) -> Array:
        """``H v``: two passes over the rows for each column."""
        V = np.asarray(v, dtype=np.float64).reshape(self.dim, -1)
        return np.stack([self._product(column) for column in V.T], axis=1).reshape(np.shape(v))

    def _product(self, v: Array) -> Array:
        problem = self.point.problem
        design, contrasts = problem.design, problem.response.contrasts
        rows, share = design.original, design.share
        each = problem.response.curvature(self.point.eta) * share[:, None, None]
        eta = np.concatenate([block for _, block in rows.times(v.reshape(len(contrasts), -1).T)]) @ contrasts
        slope = np.einsum("nab,nb->na", each, eta)
        if design.intercept:
            moved = np.linalg.lstsq(each.sum(axis=0), slope.sum(axis=0), rcond=None)[0]
            slope -= np.einsum("nab,b->na", each, moved)
        return (rows.back(slope @ contrasts.T)).T.ravel()


def local_path(fit: Fit, anchor: Anchor, alpha: float) -> QuadraticPath:
    """The quadratic at one strength of a path."""
    point = anchor.point
    problem = point.problem
    contrasts = problem.response.contrasts
    W = contrasts @ problem.design.weights(point.theta)[0]
    c = len(contrasts)
    flat = replace(
        fit,
        weights=W.reshape(-1, 1),
        gradient=weights_gradient(point).reshape(-1, 1),
        alpha=alpha,
        curvature=RowCurvature(point),
        penalty_factor=np.tile(fit.penalty_factor, c),
        active=np.tile(fit.active, c),
        loss=None,
        sample=None,
        training=None,
    )
    return QuadraticPath(flat, _spectrum(flat, anchor, alpha))


def weights_gradient(point: Point) -> Array:
    """``∇L`` of the weights, ``(c, p)``, the intercept solved."""
    design, contrasts = point.problem.design, point.problem.response.contrasts
    slope = point.problem.response.slope(point.eta[:, :, None])[:, :, 0] * design.share[:, None]
    return np.asarray(contrasts @ design.original.back(slope).T)


def _spectrum(flat: Fit, anchor: Anchor, alpha: float) -> Spectrum:
    problem, theta, H = (
        anchor.point.problem,
        anchor.theta.ravel(),
        anchor.curvature.matrix("the local quadratic"),
    )
    pen, free = np.flatnonzero(problem.priced > 0), np.flatnonzero(problem.priced == 0)
    schur, _ = schur_complement(H, problem.priced)
    with one_thread(len(schur)):
        values, Q = np.linalg.eigh(schur)
    values, Q = values[::-1], Q[:, ::-1]
    noise = EPS * len(values) * float(np.abs(values).max(initial=0.0))
    values, Q = values[values > noise], Q[:, values > noise]
    own = np.linalg.pinv(H[np.ix_(free, free)], hermitian=True).astype(np.float64)
    across = own @ H[np.ix_(free, pen)]
    gradient = anchor.point.gradient
    slope = gradient[pen] - across.T @ gradient[free]
    numerators = values * (Q.T @ theta[pen]) - Q.T @ slope
    return Spectrum(
        eigenvalues=values,
        directions=Directions(anchor.point, Q),
        numerators=numerators[:, None],
        at=alpha,
        route="newton",
        floor=numerical_floor(values[0], values[-1], EPS * len(H), squared=True) if len(values) else 0.0,
        free=_free_block(flat, anchor, across, own),
    )


def _free_block(flat: Fit, anchor: Anchor, across: Array, inverse: Array) -> FreeBlock:
    """What the free weights of all classes follow from the penalised ones."""
    problem = anchor.point.problem
    design, contrasts = problem.design, problem.response.contrasts
    o, m, r, c = problem.shape[0], design.rank, len(design.picked), len(contrasts)
    f, pen = len(design.columns[1]), design.columns[0]
    if not f:
        rank = len(inverse)
        return FreeBlock(rank, np.zeros((0, len(pen) * c)), np.zeros((0, 1)), np.zeros((0, 0)))
    each = np.einsum("fm,omar->ofar", design.inverse, across.reshape(o, m, o, r))
    if design.basis is not None:
        each = np.moveaxis(design.basis.back(each.reshape(-1, r).T).reshape(-1, o, f, o), 0, 3)
    onto = np.einsum("co,ofap,da->cfdp", contrasts, each / design.scale, contrasts).reshape(c * f, -1)
    offset = flat.weights[flat.free] + onto @ flat.weights[flat.penalised]
    root = np.einsum("co,fm,omk->cfk", contrasts, design.inverse, _root(inverse).reshape(o, m, -1))
    return FreeBlock(len(inverse), onto, offset, root.reshape(c * f, -1))


def _root(matrix: Array) -> Array:
    """``B`` with ``B Bᵀ`` the matrix, which may leave directions out."""
    values, Q = np.linalg.eigh(matrix)
    return np.asarray(Q * np.sqrt(np.maximum(values, 0.0)))
