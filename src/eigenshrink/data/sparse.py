"""Sparse rows: they stay sparse, and centring them is provably safe.

A column with at most half of its weight on non-zeros has ``mean² ≤ ½ · mean square`` (Cauchy-Schwarz),
so subtracting the mean afterwards costs at most one bit. Only fuller columns can lose digits: those are
kept dense (no larger than their sparse form) and are shifted first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.data.rows import BLOCK, Array, Rows, slices


@dataclass(frozen=True, eq=False)
class SparseRows(Rows):
    """:class:`Rows` over a sparse matrix.

    Attributes
    ----------
    thin, full : (n, p)
        The matrix in CSR form, split: columns that are at most half full, and the others; each
        keeps all p columns so that no index has to be translated.
    filled : (f,)
        Indices of the full columns.
    """

    thin: Any
    full: Array
    filled: NDArray[np.intp]

    def take(self, picked: NDArray[np.intp]) -> SparseRows:
        """Rows at the picked indices, centred as before."""
        root = None if self.root is None else self.root[picked]
        return replace(self, X=self.X[picked], root=root, thin=self.thin[picked], full=self.full[picked])

    def _thin_mean(self) -> Array:
        mean = self.mean.copy()
        mean[self.filled] = 0.0
        return mean

    def _dense(self) -> Rows:
        return Rows(self.full, self.root, self.mean[self.filled])

    def blocks(self, width: int = 0) -> Iterator[tuple[slice, Array]]:
        """Row blocks of Z, dense, one at a time."""
        n, p = self.shape
        for rows in slices(n, BLOCK // max(p, width, 1)):
            block = self.thin[rows].toarray().astype(np.float64)
            block[:, self.filled] = self.full[rows]
            yield rows, self.weigh(self.shift(block), rows)

    def columns(self, picked: NDArray[np.intp]) -> Iterator[tuple[slice, Array]]:
        """Column blocks of Z, dense, one at a time."""
        by_column = self.thin.tocsc()
        where = np.full(self.shape[1], -1)
        where[self.filled] = np.arange(len(self.filled))
        for places in slices(len(picked), max(self.shape[0], 64)):
            chosen = picked[places]
            block = by_column[:, chosen].toarray().astype(np.float64)
            is_full = where[chosen] >= 0
            block[:, is_full] = self.full[:, where[chosen[is_full]]]
            self.shift(block, chosen)
            yield places, self.weigh(block, slice(None))

    def times(self, T: Array, beside: int = 0) -> Iterator[tuple[slice, Array]]:
        """Row blocks of ``Z T`` without making Z dense."""
        shift = self._thin_mean() @ T
        dense = self._dense()
        for rows in slices(self.shape[0], BLOCK // max(T.shape[1], len(self.filled), beside, 1)):
            block = self.weigh(self.thin[rows] @ T - shift, rows)
            if len(self.filled):
                part = np.subtract(self.full[rows], dense.mean)
                block += self.weigh(part, rows) @ T[self.filled]
            yield rows, block

    def gradient(self, W: Array, slope: Callable[[slice, Array], Array]) -> Array:
        """``Zᵀ slope(rows, Z W)`` without making Z dense, in one pass over blocks of rows."""
        total = np.zeros(W.shape)
        sums = np.zeros(W.shape[1])
        for rows, block in self.times(W):
            residual = self.weigh(slope(rows, block), rows)
            total += self.thin[rows].T @ residual
            sums += residual.sum(axis=0)
            if len(self.filled):
                total[self.filled] += (self.full[rows] - self.mean[self.filled]).T @ residual
        return total - np.outer(self._thin_mean(), sums)

    def transpose_times(self, U: Array) -> Array:
        """``Zᵀ U`` without making Z dense."""
        weighted = U if self.root is None else U * self.root[:, None]
        total: Array = self.thin.T @ weighted - np.outer(self._thin_mean(), weighted.sum(axis=0))
        if len(self.filled):
            total[self.filled] = self._dense().transpose_times(U)
        return total

    def cross(self, y: NDArray[np.floating], mean: Array) -> Array:
        """``ZᵀY``, blockwise over targets."""
        total = np.empty((self.shape[1], y.shape[1]))
        for picked in slices(y.shape[1], BLOCK // max(1, self.shape[0]) + 1):
            total[:, picked] = self.transpose_times(self.targets(y[:, picked], mean[picked]))
        return total

    def squares(self) -> Array:
        """Column sums of squares of Z, centred afterwards."""
        weight = np.ones(self.shape[0]) if self.root is None else self.root**2
        total = np.asarray(self.thin.multiply(self.thin).T @ weight, dtype=np.float64)
        total -= weight.sum() * self._thin_mean() ** 2
        total[self.filled] = self._dense().squares()
        return np.maximum(total, 0.0)

    def gram(self) -> Array:
        """``ZᵀZ`` from a sparse product, centred afterwards."""
        weight = 1.0 if self.root is None else self.root[:, None] ** 2
        weighted = self.thin.multiply(weight).tocsr()
        mean = self._thin_mean()
        weight_sum = self.shape[0] if self.root is None else float(self.root @ self.root)
        total: Array = (self.thin.T @ weighted).toarray().astype(np.float64)
        total -= weight_sum * np.outer(mean, mean)
        if len(self.filled):
            dense = self._dense()
            Z = dense.weigh(np.subtract(self.full, dense.mean), slice(None))
            beside = self.thin.T @ self.weigh(Z.copy(), slice(None))
            total[:, self.filled] = beside
            total[self.filled] = beside.T
            total[np.ix_(self.filled, self.filled)] = Z.T @ Z
        return total

    def back(self, U: Array) -> Array:
        """``Zᵀ U`` without making Z dense."""
        return self.transpose_times(U)

    def weighted_grams(self, weights: Array) -> Array:
        """``Zᵀ diag(v) Z`` for each column of v, from sparse products, centred afterwards."""
        return np.stack([self._weighted_gram(weight) for weight in weights.T])

    def _weighted_gram(self, weight: Array) -> Array:
        v = weight if self.root is None else weight * self.root**2
        mean = self._thin_mean()
        across = np.outer(mean, self.thin.T @ v)
        total: Array = (self.thin.T @ self.thin.multiply(v[:, None]).tocsr()).toarray().astype(np.float64)
        total += v.sum() * np.outer(mean, mean) - across - across.T
        if len(self.filled):
            Z = np.subtract(self.full, self.mean[self.filled])
            weighted = v[:, None] * Z
            beside = self.thin.T @ weighted - np.outer(mean, weighted.sum(axis=0))
            total[:, self.filled] = beside
            total[self.filled] = beside.T
            total[np.ix_(self.filled, self.filled)] = Z.T @ weighted
        return total

    def kernel(self, picked: NDArray[np.intp], scale: Array) -> Array:
        """``Z_P diag(scale²) Z_Pᵀ`` from a sparse product, centred afterwards."""
        mask = np.isin(picked, self.filled, invert=True)
        factor, mean = scale[mask], self.mean[picked[mask]] * scale[mask]
        X = self.thin[:, picked[mask]].multiply(factor).tocsr()
        cross = X @ mean
        total: Array = (X @ X.T).toarray().astype(np.float64)
        total += float(mean @ mean) - cross[:, None] - cross[None, :]
        if self.root is not None:
            total *= np.outer(self.root, self.root)
        if not mask.all():
            places = np.searchsorted(self.filled, picked[~mask])
            total += self._dense().kernel(places, scale[~mask])
        return total


def split(X: Any, weight: Array | None, centred: bool) -> tuple[Any, Array, NDArray[np.intp]]:
    """Split a CSR matrix into columns that are at most half full and the others.

    Parameters
    ----------
    X : (n, p), CSR
    weight : (n,) or None
        Row weights.
    centred : bool
        False: nothing is subtracted from the columns, and all of them stay sparse.

    Returns
    -------
    thin, full, filled
        As in :class:`SparseRows`.
    """
    n = X.shape[0]
    rows = np.ones(n) if weight is None else weight
    present = X.copy()
    present.data = np.ones_like(present.data, dtype=np.float64)
    share = (present.T @ rows) / rows.sum()
    filled = np.flatnonzero(share > 0.5) if centred else np.empty(0, dtype=np.intp)
    if not len(filled):
        return X, np.zeros((n, 0)), filled
    full = X[:, filled].toarray().astype(np.float64)
    keep = np.ones(X.shape[1])
    keep[filled] = 0.0
    thin = X.multiply(keep).tocsr()
    thin.eliminate_zeros()
    return thin, full, filled
