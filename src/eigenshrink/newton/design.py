"""The rows in coordinates in which the penalty is ``½α‖v‖²`` and what is free has unit length (M12).

``η = G u + R v``: G holds the intercept and an orthonormal basis of the free columns, ``R = Z_P D^{-½}``
or, with more columns than rows, the principal scores of that, so that no p×p array is ever needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from eigenshrink.curvature import fits_densely
from eigenshrink.data.rows import BLOCK, Rows, slices
from eigenshrink.fit import Training
from eigenshrink.spectrum.record import Basis, DualBasis
from eigenshrink.spectrum.triangular import EPS, rank_tolerance, unit_free_rank

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

LITTLE = 5e7  # products that a curvature costs, n q², up to which it is taken in float64
MOST = 1 << 28  # numbers that are kept in float32: 1 GiB


@dataclass(frozen=True, eq=False)
class Design:
    """Rows, and the way from coordinates ``θ = (u, v)`` to weights and back.

    Attributes
    ----------
    original : Rows
        The columns as they are, centred, not weighted.
    rows : Rows
        Whose columns make R: the same, or their principal scores.
    picked : (r,)
        Which of its columns.
    stretch : (r,)
        What they are multiplied by.
    free : (n, m)
        G: ``Σ s_i g_i g_iᵀ / S = I`` for the free columns; the intercept, if any, is the first.
    share : (n,)
        ``s_i / S``.
    inverse : (f, m)
        Free weights from u; zero for the intercept.
    columns : tuple of (p_pen,), (f,) of int
        Places of penalised and of free weights among all p.
    scale : (p_pen,)
        ``d^{-½}``.
    centre : (p,)
        What the columns are centred at: zero without an intercept.
    intercept : bool
    basis : Basis or None
        ``D^{½}w_P`` from v; None: it is v.
    lost : float
        Largest singular value of ``Z_P D^{-½}`` along what was left out as rounding.
    """

    original: Rows
    rows: Rows
    picked: Codes
    stretch: Array
    free: Array
    share: Array
    inverse: Array
    columns: tuple[Codes, Codes]
    scale: Array
    centre: Array
    intercept: bool
    basis: Basis | None
    lost: float

    @property
    def size(self) -> int:
        """``q = m + r``, coordinates of one output."""
        return self.rank + len(self.picked)

    @property
    def rank(self) -> int:
        """M."""
        return int(self.free.shape[1])

    def times(self, T: Array) -> Iterator[tuple[slice, Array]]:
        """Row blocks of ``(G, R) T``, ``(b, m)`` each, for T of shape (q, m)."""
        inner = np.zeros((self.rows.shape[1], T.shape[1]))
        inner[self.picked] = self.stretch[:, None] * T[self.rank :]
        for rows, block in self.rows.times(inner):
            block += self.free[rows] @ T[: self.rank]
            yield rows, block

    def predictor(self, theta: Array) -> Array:
        """``η``, ``(n, m)``, for coordinates ``(m, q)``."""
        eta = np.empty((len(self.share), len(theta)))
        for rows, block in self.times(theta.T):
            eta[rows] = block
        return eta

    def back(self, U: Array) -> Array:
        """``(G, R)ᵀ U``, ``(m, q)`` for U of shape ``(n, m)``."""
        return np.hstack([U.T @ self.free, (self.rows.back(U)[self.picked] * self.stretch[:, None]).T])

    @cached_property
    def single(self) -> NDArray[np.float32] | None:
        """``(G, R)`` in float32, where that is worth its memory: for curvatures and leverages alone.

        Gradients and certificates never see it: a curvature that is right to 1e-6 brings Newton's method
        to the same place.
        """
        n, q = len(self.share), self.size
        if n * q * q <= LITTLE or n * q > MOST or type(self.rows) is not Rows:
            return None
        whole = np.empty((n, q), dtype=np.float32)
        for rows, block in self.rows.blocks():
            whole[rows, : self.rank] = self.free[rows]
            whole[rows, self.rank :] = block[:, self.picked] * self.stretch
        return whole

    def lengths(self, root: Array) -> Array:
        """Squared lengths of the rows of ``(G, R) L``, ``(n,)``, for L of shape (q, d)."""
        if self.single is not None:
            half, parts = root.astype(np.float32), slices(len(self.share), BLOCK // self.size)
            blocks = (self.single[rows] @ half for rows in parts)
            return np.concatenate([np.einsum("nd,nd->n", block, block) for block in blocks]).astype(float)
        return np.concatenate([np.einsum("nd,nd->n", block, block) for _, block in self.times(root)])

    def grams(self, weights: Array) -> Array:
        """``(G, R)ᵀ diag(v) (G, R)``, ``(l, q, q)``, for v ``(n, l)`` of any sign, in one pass."""
        if self.single is not None and weights.shape[1] == 1 and np.all(weights >= 0):
            total, root = np.zeros((self.size, self.size)), np.sqrt(weights).astype(np.float32)
            for rows in slices(len(weights), BLOCK // self.size):
                block = self.single[rows] * root[rows]
                total += block.T @ block
            return total[None]
        m, count = self.rank, weights.shape[1]
        total = np.empty((count, self.size, self.size))
        weighted = weights[:, :, None] * self.free[:, None, :]
        across = self.back(weighted.reshape(len(weights), -1)).reshape(count, m, self.size)
        total[:, :m], total[:, :, :m] = across, across.transpose(0, 2, 1)
        inner = self.rows.weighted_grams(weights)
        if len(self.picked) < inner.shape[1]:
            inner = inner[:, self.picked[:, None], self.picked]
        total[:, m:, m:] = inner * np.outer(self.stretch, self.stretch)
        return total

    @cached_property
    def principal(self) -> Array:
        """Eigenvalues of ``(G, R)ᵀ diag(s/S) (G, R)``, what is free eliminated, ``(r,)``."""
        gram, m = self.grams(self.share[:, None])[0], self.rank
        across = gram[:m, m:]
        values = np.linalg.eigvalsh(gram[m:, m:] - across.T @ across)
        return np.maximum(values, 0.0)

    def blocks(self, rows: slice | Codes) -> Array:
        """``(G, R)`` of some rows as an array ``(b, q)``."""
        picked = np.arange(len(self.share))[rows]
        part = self.rows.take(picked)
        block = np.concatenate([found for _, found in part.blocks()])
        return np.hstack([self.free[picked], block[:, self.picked] * self.stretch])

    def weights(self, theta: Array) -> tuple[Array, Array]:
        """Weights ``(m, p)`` in the unit of the columns, and intercepts ``(m,)``, of ``(m, q)``."""
        u, v = theta[:, : self.rank], theta[:, self.rank :]
        pen, free = self.columns
        W = np.zeros((len(theta), len(self.centre)))
        W[:, pen] = (v if self.basis is None else self.basis.back(v.T).T) * self.scale
        W[:, free] = u @ self.inverse.T
        intercept = u[:, 0] if self.intercept else np.zeros(len(u))
        return W, intercept - W @ self.centre

    def coordinates(self, W: Array) -> tuple[Array, Array]:
        """Penalised coordinates ``(m, r)`` of weights ``(m, p)``, and the D-length of what has none."""
        v = W[:, self.columns[0]] / self.scale
        if self.basis is None:
            return v, np.zeros(len(W))
        inside = self.basis.forth(v.T)
        return inside.T, np.linalg.norm(v - self.basis.back(inside).T, axis=1)

    def take(self, picked: Codes) -> Design:
        """Some of the rows, their shares adding up to one again; coordinates keep their meaning."""
        share = self.share[picked]
        return replace(
            self,
            original=self.original.take(picked),
            rows=self.rows.take(picked),
            free=self.free[picked],
            share=share / share.sum(),
        )


def make_design(training: Training, penalised: Codes, free: Codes, scale: Array) -> Design:
    """Coordinates for the rows of a training.

    Parameters
    ----------
    training : Training
    penalised, free : (p_pen,), (f,) of int
        Places of the weights that the penalty sees, and of those that it does not, constant ones in neither.
    scale : (p_pen,)
        ``d^{-½}``.
    """
    table, rows = training.table, replace(training.rows, root=None)
    original, n = rows, rows.shape[0]
    weight = np.ones(n) if table.weight is None else table.weight
    share = weight / weight.sum()
    G, inverse = _free_basis(rows, free, share, training.fit_intercept)
    picked, stretch, basis, lost = penalised, scale, None, 0.0
    if len(penalised) > n:
        rows, basis, lost = _principal(rows, penalised, scale)
        picked, stretch = np.arange(rows.shape[1]), np.ones(rows.shape[1])
    return Design(
        original=original,
        rows=rows,
        picked=picked,
        stretch=stretch,
        free=G,
        share=share,
        inverse=inverse,
        columns=(penalised, free),
        scale=scale,
        centre=training.rows.mean,
        intercept=training.fit_intercept,
        basis=basis,
        lost=lost,
    )


def _free_basis(rows: Rows, free: Codes, share: Array, intercept: bool) -> tuple[Array, Array]:
    """G ``(n, m)`` and free weights from its coordinates ``(f, m)``."""
    n = rows.shape[0]
    ones = np.ones((n, int(intercept)))
    if not len(free):
        return ones, np.zeros((0, int(intercept)))
    F = np.concatenate([block for _, block in rows.columns(free)], axis=1)
    Z = np.sqrt(share)[:, None] * F
    _, sizes, Vt = np.linalg.svd(Z, full_matrices=False)
    m = min(unit_free_rank(Z, rank_tolerance(n, len(free))), n - int(intercept))
    inverse = Vt[:m].T / sizes[:m]
    return np.hstack([ones, F @ inverse]), np.hstack([np.zeros((len(free), int(intercept))), inverse])


def _principal(rows: Rows, penalised: Codes, scale: Array) -> tuple[Rows, Basis, float]:
    """Scores of the rows along the directions that they span: ``R = U σ``, ``D^{½}w_P = Q v``."""
    n = rows.shape[0]
    fits_densely(n)
    values, U = np.linalg.eigh(rows.kernel(penalised, scale))
    values, U = values[::-1], U[:, ::-1]
    keep = values > EPS * n * max(values[0], 0.0)
    singular = np.sqrt(values[keep])
    left_out = rows.back(np.ascontiguousarray(U[:, ~keep]))[penalised] * scale[:, None]
    lost = float(np.linalg.norm(left_out, 2)) if left_out.size else 0.0
    U = np.ascontiguousarray(U[:, keep])
    basis = DualBasis(rows, penalised, scale, U, singular)
    return Rows(U * singular, None, np.zeros(len(singular))), basis, lost
