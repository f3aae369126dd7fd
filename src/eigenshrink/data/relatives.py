"""Finders: rows that are copies of each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike, NDArray

from eigenshrink.data.rows import BLOCK, slices

Array = NDArray[np.float64]
Codes = NDArray[np.intp]
Keys = NDArray[np.uint64]

CHANCE = 10.0  # equal rows must be this many times more frequent than chance would make them
SEED = 20_240_607  # of the multipliers: the same table has the same keys everywhere


def duplicate_rows(X: Any, y: NDArray[np.floating], copies: ArrayLike | None = None) -> tuple[Codes, int]:
    """Find rows that are exact copies of others, X and y.

    Rows of discrete data coincide by chance, which is no sign of a copy. Equal rows therefore count
    as copies only if, in the table with every copy written out,

    - y is practically continuous: there are more than half as many different values of y as there
      are different rows, and
    - chance is no explanation. It would make at least a tenth of the pairs of equal rows if y did not
      depend on X (pairs equal in X, times the share of equal y among pairs of different rows, one
      such pair added so that none seen does not mean never), or if y is rounded (half of the pairs
      equal in X whose y are as close as y ever gets without being equal; several targets: each).

    Parameters
    ----------
    X : (n, p), dense or CSR
    y : (n, t)
        A row of several targets is one value.
    copies : (n,), > 0, optional
        How often each row occurred (frequency weights): a count of 2 is the same as the row twice.

    Returns
    -------
    labels : (n,)
        Codes from 0 in order of first occurrence; copies have the same code.
    redundant : int
        How many rows could go without losing a different one; 0: each row has a code of its own.

    Notes
    -----
    Hashing, O(n p), then compared exactly. Only rows whose y occurs twice are hashed, unless there are
    equal ones. The rule was fixed before any data were looked at.

    Examples
    --------
    >>> X = np.arange(16.0).reshape(8, 2)
    >>> labels, redundant = duplicate_rows(X[[0, 1, 2, 3, 4, 5, 6, 7, 2]], X[[0, 1, 2, 3, 4, 5, 6, 7, 2], :1])
    >>> labels, redundant
    (array([0, 1, 2, 3, 4, 5, 6, 7, 2]), 1)
    """
    n = len(y)
    count = np.ones(n) if copies is None else np.asarray(copies, dtype=np.float64)
    values, times = _codes(row_keys(y))
    labels = np.arange(n)
    repeated = np.flatnonzero(times[values] > 1)
    if len(repeated):
        labels = _merged(X, y, repeated, values)
    redundant = round(float(count.sum())) - (int(labels.max()) + 1)
    if redundant and _more_than_chance(X, y, labels, values, count):
        return labels, redundant
    return np.arange(n), 0


def row_keys(matrix: Any) -> Keys:
    """A 64-bit key per row, ``(n,)``: equal rows have equal keys, whatever the storage."""
    n, p = matrix.shape
    odd = np.random.default_rng(SEED).integers(0, 2**63, p, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    if scipy.sparse.issparse(matrix):
        parts = _mixed(matrix.data) * odd[matrix.indices]
        running = np.concatenate([np.zeros(1, np.uint64), np.cumsum(parts, dtype=np.uint64)])
        sums: Keys = running[matrix.indptr[1:]] - running[matrix.indptr[:-1]]
        return sums
    keys = np.empty(n, np.uint64)
    for rows in slices(n, BLOCK // p):
        keys[rows] = (_mixed(matrix[rows]) * odd).sum(axis=1, dtype=np.uint64)
    return keys


def _mixed(values: NDArray[np.floating]) -> Keys:
    """Every bit of a number spread over 64, zero to zero (the finaliser of MurmurHash3)."""
    bits = np.ascontiguousarray(values.astype(np.float64) + 0.0).view(np.uint64)  # −0.0 is 0.0
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        bits ^= bits >> np.uint64(33)
        bits *= np.uint64(factor)
    return bits ^ (bits >> np.uint64(33))


def _codes(keys: Any) -> tuple[Codes, Codes]:
    """Codes from 0 in order of first occurrence, ``(n,)``, and how often each occurs."""
    _, first, inverse, counts = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(first)
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    return rank[inverse.reshape(-1)], counts[order]


def _merged(X: Any, y: NDArray[np.floating], rows: Codes, values: Codes) -> Codes:
    """Codes of all rows, in which those of ``rows`` that are equal share one."""
    keys = row_keys(X[rows])
    alike, _ = _codes(keys + _mixed(values[rows] + 1.0))
    first = rows[np.unique(alike, return_index=True)[1]][alike]
    later = np.flatnonzero(first != rows)
    twins = np.arange(len(y))
    for part in slices(len(later), BLOCK // X.shape[1]):
        here, there = rows[later[part]], first[later[part]]
        equal = _equal_rows(X, here, there) & (y[here] == y[there]).all(axis=1)
        twins[here[equal]] = there[equal]
    return _codes(twins)[0]


def _equal_rows(X: Any, here: Codes, there: Codes) -> NDArray[np.bool_]:
    if scipy.sparse.issparse(X):
        different = scipy.sparse.csr_array(X[here] != X[there])
        different.eliminate_zeros()
        return np.asarray(np.diff(different.indptr) == 0)
    return np.asarray((X[here] == X[there]).all(axis=1))


def _more_than_chance(X: Any, y: NDArray[np.floating], labels: Codes, values: Codes, count: Array) -> bool:
    """The rule of :func:`duplicate_rows`, on the table with every copy written out."""
    first = np.unique(labels, return_index=True)[1]
    times = np.bincount(values[first])
    times = times[times > 0]
    if 2 * len(times) <= len(first):
        return False
    design, _ = _codes(row_keys(X))
    equal, alike = (_pairs(np.bincount(code, weights=count)) for code in (labels, design))
    chance = (_pairs(times) + 1.0) / _pairs(np.array([len(first)])) if len(first) > 1 else 1.0
    if equal <= CHANCE * alike * chance:
        return False
    return any(equal > CHANCE * _neighbours(design[first], y[first, k]) / 2 for k in range(y.shape[1]))


def _neighbours(design: Codes, values: NDArray[np.floating]) -> int:
    """Rows of one design whose values are as close as any two different values come."""
    gaps = np.diff(np.unique(values))
    if not len(gaps):
        return 0
    order = np.lexsort((values, design))
    apart = np.diff(values[order])
    near = (apart > 0) & (apart < 1.5 * gaps.min()) & (np.diff(design[order]) == 0)
    return int(near.sum())


def _pairs(sizes: Any) -> float:
    """Pairs within groups of these sizes."""
    return float(np.sum(sizes * (sizes - 1.0)) / 2)


def groups_of(codes: Codes) -> Iterator[Codes]:
    """Rows of each code that occurs more than once."""
    order = np.argsort(codes, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
        if len(rows) > 1:
            yield rows
