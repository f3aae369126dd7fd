"""Finders: columns that are equal, and columns that others already say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse
from numpy.typing import NDArray

Array = NDArray[np.float64]

DEPENDENT = 1e-12  # share of a column's variance that the others leave unsaid


def duplicate_columns(X: Any) -> list[tuple[int, ...]]:
    """Groups of columns that are equal in every row, by hashing, O(n p)."""
    groups: dict[bytes, list[int]] = {}
    if scipy.sparse.issparse(X):
        by_column = scipy.sparse.csc_array(X)
        by_column.sort_indices()
        by_column.eliminate_zeros()
        ends = by_column.indptr
        for j in range(X.shape[1]):
            part = slice(ends[j], ends[j + 1])
            key = by_column.indices[part].tobytes() + by_column.data[part].tobytes()
            groups.setdefault(key, []).append(j)
    else:
        for j in range(X.shape[1]):
            groups.setdefault((X[:, j] + 0.0).tobytes(), []).append(j)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def dependent_columns(gram: Array, places: NDArray[np.intp]) -> list[tuple[int, tuple[int, ...], Array]]:
    """Columns that are linear combinations of others: each with those that make it up, and their shares.

    Parameters
    ----------
    gram : (p, p)
        Of centred columns.
    places : (q,)
        Indices of columns that vary.

    Notes
    -----
    Cholesky with pivoting of the correlations, O(q³/3). A column counts as dependent when the others
    leave less than 1e-12 of its variance.
    """
    length = np.sqrt(np.diag(gram)[places])
    correlation = gram[np.ix_(places, places)] / np.outer(length, length)
    factor, pivots, rank, _ = scipy.linalg.lapack.dpstrf(correlation, tol=DEPENDENT, lower=0)
    order = pivots - 1
    parts = scipy.linalg.solve_triangular(factor[:rank, :rank], factor[:rank, rank:])
    found = []
    for place, share in zip(order[rank:], parts.T, strict=True):
        used = np.flatnonzero(np.abs(share) > 1e-5)
        makers = places[order[used]]
        at = np.argsort(makers)
        shares = share[used] * length[place] / length[order[used]]
        found.append((int(places[place]), tuple(int(j) for j in makers[at]), shares[at]))
    return sorted(found, key=lambda item: item[:2])


def are_indicators(X: Any, columns: Sequence[int]) -> bool:
    """Whether every value in these columns is 0 or 1."""
    values = X[:, list(columns)]
    values = values.data if scipy.sparse.issparse(values) else values
    return bool(np.all((values == 0) | (values == 1)))


def are_equal(X: Any, j: int, i: int) -> bool:
    """Whether two columns are equal in every row."""
    differences = X[:, [j]] != X[:, [i]]
    return not (differences.nnz if scipy.sparse.issparse(differences) else np.any(differences))
