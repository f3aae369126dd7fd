"""Finders: rows that are copies of each other, exactly or nearly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph
from numpy.typing import ArrayLike, NDArray

from eigenshrink.data.rows import BLOCK, slices

Array = NDArray[np.float64]
Codes = NDArray[np.intp]
Keys = NDArray[np.uint64]

CHANCE = 10.0  # equal rows must be this many times more frequent than chance would make them
NEAR = 5e-3  # of a standard deviation: rows that are nowhere further apart are nearly equal
SEEN = 1000  # rows by which a column is judged to have repeated values
CELL = 2e-2  # width of a cell of projections, in which rows that differ by less are mostly found
SEED = 20_240_607  # of the multipliers: the same table has the same keys everywhere


def duplicate_rows(X: Any, y: NDArray[np.floating], copies: ArrayLike | None = None) -> tuple[Codes, int]:
    """Find rows that are exact copies of others, X and y.

    Rows of discrete data coincide by chance, which is no sign of a copy. Equal rows therefore count
    as copies only if, in the table with every copy written out,

    - y is practically continuous: there are more than a tenth as many different values of y as there
      are different rows (a measurement that is rounded to three digits still is), and
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
    labels = equal_rows(X, y)
    count = np.ones(len(y)) if copies is None else np.asarray(copies, dtype=np.float64)
    redundant = round(float(count.sum())) - (int(labels.max()) + 1)
    if redundant and _more_than_chance(X, y, labels, count):
        return labels, redundant
    return np.arange(len(y)), 0


def most_varied(X: Any) -> NDArray[np.floating]:
    """The column ``(n,)`` with the most different values in the first rows."""
    head = X[:SEEN].toarray() if scipy.sparse.issparse(X) else X[:SEEN]
    ordered = np.sort(head, axis=0)
    best = int(np.argmax(np.sum(ordered[1:] != ordered[:-1], axis=0)))
    column = X[:, [best]]
    return np.asarray(column.toarray() if scipy.sparse.issparse(column) else column)[:, 0]


def equal_rows(X: Any, y: NDArray[np.floating]) -> Codes:
    """Codes ``(n,)`` from 0 in order of first occurrence: rows equal in X and y share one, chance or not."""
    ordered = np.sort(y[:, 0])
    if not np.any(ordered[1:] == ordered[:-1]):  # the usual case, and the cheapest to see
        return np.arange(len(y))
    values, times = _codes(row_keys(y))
    repeated = np.flatnonzero(times[values] > 1)
    return _merged(X, y, repeated, values) if len(repeated) else np.arange(len(y))


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


def is_continuous(y: NDArray[np.floating]) -> bool:
    """Whether y, at different rows of a table, takes more than a tenth as many values as there are rows."""
    return bool(10 * len(np.unique(row_keys(y))) > len(y))


def _more_than_chance(X: Any, y: NDArray[np.floating], labels: Codes, count: Array) -> bool:
    """The rule of :func:`duplicate_rows`, on the table with every copy written out."""
    first = first_rows(labels)
    if not is_continuous(y[first]):
        return False
    times = np.unique(row_keys(y[first]), return_counts=True)[1]
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


def first_rows(labels: Codes) -> Codes:
    """The first row of each code, in the order of the table."""
    return np.sort(np.unique(labels, return_index=True)[1])


def near_rows(X: Any, scale: Array) -> Codes:
    """Codes ``(n,)`` of rows that are equal in X up to 0.005 standard deviations of each column.

    Parameters
    ----------
    X : (n, p), dense or CSR
    scale : (p,)
        One over the standard deviation; 0: the column does not count.

    Notes
    -----
    Three times, three random projections of the standardised rows are cut into cells; rows of a cell
    are compared with its first one, column by column, and rows that were near share a code. O(n p).
    A pair whose columns differ by 0.001 standard deviations is missed about once in a hundred.
    """
    n, p = X.shape
    tries = 3
    rng = np.random.default_rng(SEED)
    onto = rng.normal(size=(p, 3 * tries)) * (scale / np.sqrt(max(1.0, float((scale > 0).sum()))))[:, None]
    cells = np.empty((n, 3 * tries))
    for rows in slices(n, BLOCK // p):
        cells[rows] = X[rows] @ onto
    cells = np.floor((cells - cells[:1]) / CELL + rng.uniform(size=3 * tries))
    here, there = np.arange(n), np.arange(n)
    for attempt in slices(3 * tries, 3):
        codes, _ = _codes(row_keys(cells[:, attempt]))
        first = first_rows(codes)[codes]
        later = np.flatnonzero(first != np.arange(n))
        near = _are_near(X, later, first[later], scale)
        here, there = np.append(here, later[near]), np.append(there, first[later[near]])
    graph = scipy.sparse.coo_array((np.ones(len(here)), (here, there)), shape=(n, n))
    return _codes(scipy.sparse.csgraph.connected_components(graph, directed=False)[1])[0]


def _are_near(X: Any, here: Codes, there: Codes, scale: Array) -> NDArray[np.bool_]:
    near = np.zeros(len(here), dtype=bool)
    for part in slices(len(here), BLOCK // X.shape[1]):
        apart: Any = abs(X[here[part]] - X[there[part]])
        if scipy.sparse.issparse(apart):
            far = scipy.sparse.csr_array(apart.multiply(scale)).max(axis=1).toarray().reshape(-1)
        else:
            far = np.max(apart * scale, axis=1)
        near[part] = far <= NEAR
    return near


def close_pairs(codes: Codes, values: NDArray[np.floating], limit: float) -> tuple[float, float, Codes]:
    """Among rows of one code: how many pairs, how many of them at most ``limit`` apart, and those chained.

    The third, ``(n,)``, codes rows that such pairs link. O(n log n), however many pairs there are.
    """
    order = np.lexsort((values, codes))
    code, value = codes[order], values[order].astype(np.float64)
    new = np.append(True, (np.diff(code) > 0) | (np.diff(value) > limit))
    chains = np.empty(len(codes), dtype=np.intp)
    chains[order] = np.cumsum(new) - 1
    value -= value.min()
    along = value + (value.max() + 2 * limit) * code  # one axis, codes far apart
    close = np.searchsorted(along, along + limit, side="right") - np.arange(1, len(code) + 1)
    return _pairs(np.bincount(codes)), float(close.sum()), _codes(chains)[0]


def id_columns(X: Any, rows: Codes, fewest: int) -> Iterator[tuple[int, Codes, Array]]:
    """Columns whose values may be groups of rows: place, codes ``(m,)`` and values ``(m,)`` at some rows.

    Parameters
    ----------
    X : (n, p), dense or CSR
    rows : (m,)
        Indices of the rows.
    fewest : int
        Different values that are needed; there may be at most ``m/2``.

    Notes
    -----
    Columns without repeated values among 1000 rows are not looked at further. O(m log m) for the others.
    """
    seen = (
        rows if len(rows) <= SEEN else np.sort(np.random.default_rng(SEED).choice(rows, SEEN, replace=False))
    )
    sparse = scipy.sparse.issparse(X)
    columns, sample = (X.tocsc(), X[seen].tocsc()) if sparse else (X, X[seen])
    for part in slices(X.shape[1], BLOCK // len(seen)):
        block = np.sort(sample[:, part].toarray() if sparse else sample[:, part], axis=0)
        different = 1 + np.count_nonzero(np.diff(block, axis=0), axis=0)
        for j in part.start + np.flatnonzero((different >= fewest) & (different < len(seen))):
            column = columns[:, [j]].toarray()[rows, 0] if sparse else X[rows, j]
            values, codes = np.unique(column, return_inverse=True)
            if len(values) <= len(rows) / 2:
                yield int(j), codes.reshape(-1), column.astype(np.float64)
