"""Data in memory: which storage the rows get, and the means they are centred at."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from eigenshrink.data.rows import BLOCK, Array, Rows, slices
from eigenshrink.data.sparse import SparseRows, split


def make_rows(X: Any, weight: Array | None, centred: bool) -> Rows:
    """Choose the storage: one line per kind of matrix.

    Parameters
    ----------
    X : (n, p), dense or CSR
    weight : (n,) or None
        Row weights ``s``; None: all one.
    centred : bool
        Subtract the weighted column means (a model with an intercept).
    """
    root = None if weight is None else np.sqrt(weight)
    if scipy.sparse.issparse(X):
        thin, full, filled = split(X.astype(np.float64), weight, centred)
        mean = _average(X, weight) if centred else np.zeros(X.shape[1])
        if len(filled):
            mean[filled] = column_means(full, weight)
        return SparseRows(X, root, mean, thin, full, filled)
    return Rows(X, root, column_means(X, weight) if centred else np.zeros(X.shape[1]))


def column_means(X: NDArray[np.floating], weight: Array | None) -> Array:
    """Weighted means of the columns, ``(p,)``, exact for constant columns.

    Where a column hardly moves beside its size, the mean is taken of the differences to its first
    row, which are exact; summing the raw values would drift by ``n ε`` times the size.
    """
    mean = _average(X, weight)
    top, bottom = X[:64].max(axis=0), X[:64].min(axis=0)
    still = np.flatnonzero(top - bottom <= 1e-3 * np.maximum(np.abs(top), np.abs(bottom)))
    for places in slices(len(still), max(1, BLOCK // len(X))):
        picked = still[places]
        first = X[0, picked].astype(np.float64)
        mean[picked] = first + _average(X[:, picked] - first, weight)
    return mean


def _average(X: Any, weight: Array | None) -> Array:
    n, p = X.shape
    total = np.ones(n) if weight is None else weight
    if scipy.sparse.issparse(X):
        return np.asarray(X.T @ total, dtype=np.float64) / float(total.sum())
    sums = np.zeros(p)
    for rows in slices(n, 4 * BLOCK // p):
        sums += total[rows] @ X[rows]
    return sums / float(total.sum())


def predict(X: Any, coef: NDArray[np.floating], column_mean: Array, target_mean: Any) -> NDArray[np.floating]:
    """``(X − μ)w + ȳ`` in the dtype of the coefficients, summed in float64, ``(n,)`` or ``(n, t)``.

    Centring first keeps the digits of float32 coefficients whose columns have large means.
    """
    weights = np.asarray(coef, dtype=np.float64).T
    if scipy.sparse.issparse(X):
        result = X @ weights - column_mean @ weights + target_mean
    else:
        result = np.empty((len(X), *weights.shape[1:]))
        for rows in slices(len(X), 4 * BLOCK // X.shape[1]):
            result[rows] = (X[rows] - column_mean) @ weights + target_mean
    return np.asarray(result, dtype=coef.dtype)
