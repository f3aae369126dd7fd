"""Weighted, centred rows against rows that are made whole: every product, every storage, small blocks."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_allclose, assert_array_equal

from eigenshrink.data import memory, rows, sparse
from eigenshrink.data.memory import column_means, make_rows
from eigenshrink.data.rows import Rows, slices
from eigenshrink.data.sparse import SparseRows, split

N, P = 23, 6
SHAPES = {"tall": (N, P), "wide": (7, 30)}


def table(shape, seed: int = 0) -> np.ndarray:
    """Columns that are empty, thin, half full and full, some far from zero."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=shape) + rng.choice([0.0, 3.0], shape[1])
    fill = np.resize([0.0, 0.2, 0.5, 0.8, 1.0], shape[1])
    return np.where(rng.random(shape) < fill, X, 0.0)


@pytest.fixture(params=[None, 1, 40])
def block(request, monkeypatch):
    """Blocks of a few numbers, so that there are many of them."""
    if request.param:
        for module in (rows, sparse, memory):
            monkeypatch.setattr(module, "BLOCK", request.param)


@pytest.fixture(params=["dense", "float32", "fortran", "sparse", "sparse float32"])
def storage(request):
    return {
        "dense": lambda X: X,
        "float32": lambda X: X.astype(np.float32),
        "fortran": np.asfortranarray,
        "sparse": scipy.sparse.csr_array,
        "sparse float32": lambda X: scipy.sparse.csr_array(X.astype(np.float32)),
    }[request.param]


@pytest.fixture(params=SHAPES)
def X(request):
    return table(SHAPES[request.param]).astype(np.float32).astype(float)


@pytest.fixture(params=[False, True])
def weight(request, X):
    return np.random.default_rng(1).uniform(0.3, 3.0, len(X)) if request.param else None


@pytest.fixture(params=[True, False])
def centred(request):
    return request.param


@pytest.fixture
def made(block, storage, X, weight, centred) -> Rows:
    return make_rows(storage(X), weight, centred)


@pytest.fixture
def whole(X, weight, centred) -> np.ndarray:
    """Z itself."""
    s = np.ones(len(X)) if weight is None else weight
    return np.sqrt(s)[:, None] * (X - centred * np.average(X, axis=0, weights=s))


def close(value, wanted, size=1.0):
    assert_allclose(value, wanted, rtol=1e-12, atol=1e-12 * size)


def test_blocks_are_the_rows(made, whole):
    seen, parts = zip(*[(range(len(whole))[where], block) for where, block in made.blocks()], strict=True)
    assert [i for part in seen for i in part] == list(range(len(whole)))
    close(np.concatenate(parts), whole)
    assert made.shape == whole.shape


def test_columns_are_the_picked_columns(made, whole):
    picked = np.array([4, 0, 1, 5, 3])
    total = np.zeros((len(whole), 5))
    for places, block in made.columns(picked):
        total[:, places] = block
    close(total, whole[:, picked])


def test_products(made, whole):
    rng = np.random.default_rng(2)
    T, U = rng.normal(size=(whole.shape[1], 3)), rng.normal(size=(len(whole), 2))
    parts = list(made.times(T))
    assert [i for where, _ in parts for i in range(len(whole))[where]] == list(range(len(whole)))
    close(np.concatenate([block for _, block in parts]), whole @ T, 10)
    close(made.transpose_times(U), whole.T @ U, 10)


def test_gradient_is_of_what_the_slope_says(made, whole):
    rng = np.random.default_rng(2)
    W, target = rng.normal(size=(whole.shape[1], 2)), rng.normal(size=(len(whole), 2))
    close(made.gradient(W, lambda where, fitted: fitted - target[where]), whole.T @ (whole @ W - target), 100)


@pytest.mark.parametrize("t", [1, 3])
def test_targets_and_their_products(made, whole, weight, t):
    y = np.random.default_rng(3).normal(size=(len(whole), t)) + 5
    s = np.ones(len(whole)) if weight is None else weight
    mean = np.average(y, axis=0, weights=s)
    wanted = np.sqrt(s)[:, None] * (y - mean)
    close(made.targets(y, mean), wanted)
    close(made.targets(y, mean, slice(2, 5)), wanted[2:5])
    close(made.cross(y, mean), whole.T @ wanted, 10)


def test_squares(made, whole):
    close(made.squares(), np.sum(whole**2, axis=0), 100)


def test_gram(made, whole):
    close(made.gram(), whole.T @ whole, 100)


def test_kernel_of_picked_columns(made, whole):
    picked = np.array([0, 1, 3, 4])
    scale = np.array([2.0, 0.5, 1.0, 3.0])
    part = whole[:, picked] * scale
    close(made.kernel(picked, scale), part @ part.T, 100)


def test_what_the_user_gave_is_not_changed(made, storage, X):
    given = storage(X)
    before = given.toarray() if scipy.sparse.issparse(given) else given.copy()
    made.gram(), made.squares(), list(made.blocks()), list(made.columns(np.arange(3)))
    after = given.toarray() if scipy.sparse.issparse(given) else given
    assert_array_equal(before, after)


def test_sparse_rows_stay_sparse():
    X = scipy.sparse.random_array((300, 200), density=0.05, rng=0, format="csr")
    made = make_rows(X, None, True)
    assert isinstance(made, SparseRows)
    assert scipy.sparse.issparse(made.thin)
    assert made.full.shape == (300, 0)


def test_only_columns_that_are_more_than_half_full_are_kept_dense():
    X = table((200, 5))
    thin, full, filled = split(scipy.sparse.csr_array(X), None, True)
    wanted = np.flatnonzero(np.mean(X != 0, axis=0) > 0.5)
    assert_array_equal(filled, wanted)
    assert_array_equal(full, X[:, wanted])
    assert_array_equal(thin.toarray() + np.where(np.isin(np.arange(5), wanted), X, 0), X)
    assert len(split(scipy.sparse.csr_array(X), None, False)[2]) == 0


def test_half_of_the_weight_counts_not_half_of_the_rows():
    X = np.zeros((10, 1))
    X[0] = 1e6
    weight = np.r_[100.0, np.ones(9)]
    assert_array_equal(split(scipy.sparse.csr_array(X), weight, True)[2], [0])
    assert_array_equal(split(scipy.sparse.csr_array(X), None, True)[2], [])


# --- means far from zero ------------------------------------------------------------------------------


@pytest.mark.parametrize("ratio", [1e4, 1e7, 1e9])
@pytest.mark.parametrize("wrap", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("weighted", [False, True])
def test_products_survive_means_far_beyond_the_spread(ratio, wrap, weighted):
    """Relative to the spread: the numbers are exactly those of integers that can be centred exactly."""
    rng = np.random.default_rng(0)
    steps = rng.integers(-4, 5, (64, 3)).astype(float)
    steps[0] -= steps.sum(axis=0)
    weight = np.full(64, 4.0) if weighted else None
    made = make_rows(wrap(steps + ratio), weight, True)
    Z = (2.0 if weighted else 1.0) * steps
    assert_allclose(made.mean, ratio, rtol=1e-15)
    assert_allclose(made.gram(), Z.T @ Z, rtol=1e-9)
    assert_allclose(made.squares(), np.sum(Z**2, axis=0), rtol=1e-9)
    assert_allclose(made.kernel(np.arange(3), np.ones(3)), Z @ Z.T, atol=1e-7 * np.abs(Z @ Z.T).max())
    assert_allclose(np.concatenate([b for _, b in made.times(np.eye(3))]), Z, atol=1e-6)
    assert_allclose(made.transpose_times(Z), Z.T @ Z, rtol=1e-7)


@pytest.mark.parametrize("value", [0.1, 3.7, -1e9 / 3, 1e-20])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_means_of_constant_columns_are_exact(value, weighted, dtype):
    X = np.full((1001, 2), value, dtype=dtype)
    weight = np.random.default_rng(0).uniform(0.1, 3, 1001) if weighted else None
    assert_array_equal(column_means(X, weight), X[0].astype(float))
    assert_array_equal(make_rows(X, weight, True).squares(), 0.0)


def test_means_are_weighted():
    X, s = table((30, 4)), np.random.default_rng(0).uniform(0.1, 3, 30)
    assert_allclose(column_means(X, s), np.average(X, axis=0, weights=s), atol=1e-14)
    assert_allclose(column_means(X, None), X.mean(axis=0), atol=1e-14)


def test_a_head_that_stands_still_does_not_deceive():
    """The first rows are equal, later ones are not."""
    X = np.r_[np.full((100, 1), 1e6), np.random.default_rng(0).normal(size=(100, 1)) * 1e3]
    assert_allclose(column_means(X, None), X.mean(axis=0), rtol=1e-14)
    wanted = np.sum((X - X.mean(axis=0)) ** 2)
    assert_allclose(make_rows(X, None, True).gram(), wanted, rtol=1e-12)


def test_a_small_head_before_large_means_does_not_deceive(monkeypatch):
    """The short way to products goes by the first rows' means, and is given up when it costs digits."""
    monkeypatch.setattr(rows, "BLOCK", 64)
    rng = np.random.default_rng(0)
    X = np.r_[rng.normal(size=(64, 1)), 1e8 + rng.normal(size=(4000, 1))]
    made = make_rows(X, None, True)
    wanted = np.sum((X - X.mean(axis=0)) ** 2)
    assert_allclose(made.gram(), wanted, rtol=1e-10)
    U = np.r_[np.zeros((64, 1)), np.tile([[1.0], [-1.0]], (2000, 1))]
    assert_allclose(made.cross(U, np.zeros(1)), U.T @ (X - X.mean(axis=0)), rtol=1e-6)


def test_slices_cut_a_range():
    assert [range(10)[s] for s in slices(10, 4)] == [range(4), range(4, 8), range(8, 10)]
    assert list(slices(0, 4)) == []
    assert len(list(slices(3, 0))) == 3
