"""Rows that are copies of others: found whatever the storage, and never where chance made them."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_array_equal

from eigenshrink.data import relatives
from eigenshrink.data.relatives import (
    close_pairs,
    duplicate_rows,
    equal_rows,
    id_columns,
    is_continuous,
    near_rows,
    row_keys,
)


def table(seed: int, n: int, p: int, t: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, p)), rng.normal(size=(n, t))


def slow_labels(X, y) -> list[int]:
    seen: dict[tuple, int] = {}
    return [seen.setdefault((*x, *v), len(seen)) for x, v in zip(X.tolist(), y.tolist(), strict=True)]


@pytest.mark.parametrize("storage", [np.asarray, np.asfortranarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("p", [1, 7])
@pytest.mark.parametrize("t", [1, 3])
def test_copies_share_a_label(storage, dtype, p, t):
    X, y = table(0, 40, p, t)
    X[np.abs(X) < 0.5] = 0.0
    rows = np.random.default_rng(1).integers(0, 40, 60)
    X, y = X[rows].astype(dtype), y[rows].astype(dtype)
    labels, redundant = duplicate_rows(storage(X), y)
    assert labels.tolist() == slow_labels(X, y)
    assert redundant == 60 - len(set(rows.tolist())) > 0


def test_rows_without_copies_have_labels_of_their_own():
    X, y = table(0, 50, 3)
    labels, redundant = duplicate_rows(X, y)
    assert labels.tolist() == list(range(50))
    assert redundant == 0


@pytest.mark.parametrize("change", ["X", "y"])
def test_a_last_digit_makes_another_row(change):
    X, y = table(0, 20, 3)
    X, y = np.vstack([X, X]), np.vstack([y, y])
    assert duplicate_rows(X, y)[1] == 20
    if change == "X":
        X[25, 1] = np.nextafter(X[25, 1], 9.0)
    else:
        y[25] = np.nextafter(y[25], 9.0)
    labels, redundant = duplicate_rows(X, y)
    assert redundant == 19
    assert labels[25] == 20


def test_a_zero_with_a_sign_is_a_zero():
    X, y = table(0, 20, 3)
    X[:, 1] = 0.0
    X, y = np.vstack([X, X]), np.vstack([y, y])
    X[30, 1] = -0.0
    assert duplicate_rows(X, y)[1] == 20


@pytest.mark.parametrize("storage", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("digits", [None, 1])
def test_a_count_of_two_is_the_row_twice(storage, digits):
    """Also where the rule is close, as with rounded targets."""
    for seed in range(30):
        rng = np.random.default_rng(seed)
        X, y = rng.integers(0, 4, (30, 2)).astype(float), rng.normal(size=(30, 1))
        y = y if digits is None else np.round(y, digits)
        counts = rng.integers(1, 4, 30)
        rows = np.repeat(np.arange(30), counts)
        labels, redundant = duplicate_rows(storage(X), y, counts)
        written_out, again = duplicate_rows(storage(X[rows]), y[rows])
        assert redundant == again
        if redundant:
            assert written_out.tolist() == labels[rows].tolist()


DISCRETE = {
    "two factors, counts": lambda rng, n: (rng.integers(0, 3, (n, 2)), rng.poisson(4.0, (n, 1))),
    "classes": lambda rng, n: (rng.integers(0, 2, (n, 8)), rng.integers(0, 2, (n, 1))),
    "replicates, rounded": lambda rng, n: (
        np.repeat(rng.normal(size=(n // 20, 4)), 20, axis=0),
        np.round(rng.normal(size=(n, 1)), 2),
    ),
    "one factor, three digits": lambda rng, n: (
        rng.integers(0, 2, (n, 1)),
        np.round(rng.normal(size=(n, 1)), 3),
    ),
    "one column that explains nearly all": lambda rng, n: factor_and_noise(rng, n),
}


def factor_and_noise(rng, n):
    level = rng.integers(0, 10, (n, 1))
    return level, np.round(level + 0.3 * rng.normal(size=(n, 1)), 3)


@pytest.mark.parametrize("name", DISCRETE)
def test_chance_makes_no_copies(name):
    coincided = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        X, y = (np.asarray(part, dtype=float) for part in DISCRETE[name](rng, 300))
        coincided += len(set(slow_labels(X, y))) < 300
        assert duplicate_rows(X, y)[1] == 0
    assert coincided > 20


@pytest.mark.parametrize(("values", "continuous"), [(1, False), (10, False), (11, True), (100, True)])
def test_a_target_is_continuous_if_it_takes_many_values(values, continuous):
    assert is_continuous(np.arange(100.0)[:, None] % values) == continuous


def test_copies_of_rows_with_rounded_targets_are_found():
    X, y = table(0, 300, 5)
    y = np.round(y, 2)
    rows = np.r_[:300, :30]
    assert duplicate_rows(X[rows], y[rows])[1] == 30


def test_one_copy_in_a_small_table_is_found():
    X, y = table(0, 10, 2)
    labels, redundant = duplicate_rows(np.vstack([X, X[3:4]]), np.vstack([y, y[3:4]]))
    assert redundant == 1
    assert labels[10] == 3


def test_keys_do_not_collide_on_whole_numbers():
    X = np.stack(np.meshgrid(np.arange(50.0), np.arange(50.0), np.arange(20.0)), axis=-1).reshape(-1, 3)
    assert len(set(row_keys(X).tolist())) == len(X)
    assert row_keys(scipy.sparse.csr_array(X)).tolist() == row_keys(X).tolist()


def test_rows_with_one_key_are_compared_before_they_are_called_equal(monkeypatch):
    X, y = table(0, 20, 3)
    monkeypatch.setattr(relatives, "row_keys", lambda matrix: np.zeros(len(matrix), np.uint64))
    assert equal_rows(X, y).tolist() == list(range(20))
    y[:] = 1.0
    assert equal_rows(X, y).tolist() == list(range(20))
    X[:] = 1.0
    assert equal_rows(X, y).tolist() == [0] * 20


# --- nearly equal rows --------------------------------------------------------------------------------


@pytest.mark.parametrize("storage", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("p", [3, 40, 300])
def test_near_rows_share_a_code(storage, p):
    X, _ = table(2, 200, p)
    X = X * np.logspace(-3, 3, p)
    sd = X.std(axis=0)
    noise = np.random.default_rng(3).normal(size=(60, p))
    codes = near_rows(storage(np.vstack([X, X[:60] + 1e-3 * sd * noise])), 1 / sd)
    found = codes[200:] == codes[:60]
    assert found.mean() >= 0.95
    assert codes.max() + 1 == 260 - found.sum()


def test_rows_that_differ_in_one_column_are_not_near():
    X, _ = table(2, 100, 10)
    sd = X.std(axis=0)
    for far, near in ((0.02, False), (0.001, True)):
        moved = X.copy()
        moved[:, 4] += far * sd[4]
        codes = near_rows(np.vstack([X, moved]), 1 / sd)
        assert np.mean(codes[:100] == codes[100:]) == pytest.approx(float(near), abs=0.05)


def test_a_column_that_does_not_count_may_differ():
    X, _ = table(2, 50, 4)
    twice = np.vstack([X, X])
    twice[50:, 2] += 10.0
    codes = near_rows(twice, np.array([1.0, 1.0, 0.0, 1.0]))
    assert codes.tolist() == [*range(50), *range(50)]


@pytest.mark.parametrize("limit", [0.0, 0.05, 0.5, 10.0])
def test_close_pairs_are_counted_one_by_one(limit):
    rng = np.random.default_rng(4)
    codes, values = rng.integers(0, 6, 60), np.round(rng.normal(size=60), 1)
    pairs, close, chains = close_pairs(codes, values, limit)
    same = [(i, j) for i in range(60) for j in range(i) if codes[i] == codes[j]]
    near = [(i, j) for i, j in same if abs(values[i] - values[j]) <= limit]
    assert (pairs, close) == (len(same), len(near))
    assert all(chains[i] == chains[j] for i, j in near)
    assert all(codes[i] == codes[j] for i in range(60) for j in range(i) if chains[i] == chains[j])
    if limit == 10.0:
        assert len(set(chains.tolist())) == len(set(codes.tolist()))


# --- columns that may be ids --------------------------------------------------------------------------


@pytest.mark.parametrize("storage", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("n", [100, 3000])
def test_columns_with_repeated_values_are_found(storage, n):
    rng = np.random.default_rng(5)
    ids = np.arange(n) // 4
    X = np.column_stack(
        [rng.normal(size=n), ids, rng.integers(0, 3, n), rng.normal(size=n)[ids], np.arange(n)]
    )
    rows = np.arange(0, n, 2)
    found = {j: (codes, values) for j, codes, values in id_columns(storage(X), rows, 5)}
    assert sorted(found) == [1, 3]
    for j, (codes, values) in found.items():
        assert_array_equal(values, X[rows, j])
        assert (
            len(set(zip(codes.tolist(), values.tolist(), strict=True))) == codes.max() + 1 == len(set(values))
        )
