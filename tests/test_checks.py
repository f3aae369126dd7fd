"""Bad arrays at the public door: one sentence that names the item and the way out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
from numpy.testing import assert_allclose, assert_array_equal

import eigenshrink as es
from eigenshrink.data.checks import check_table

N, P = 12, 3
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(N, P)), RNG.normal(size=N)


def changed(array: np.ndarray, place, value) -> np.ndarray:
    array = array.copy()
    array[place] = value
    return array


def refuse(message: str, X=X, y=Y, **asked) -> str:
    with pytest.raises(es.InputError, match=message) as caught:
        es.study(X, y, **asked)
    return str(caught.value)


# --- X ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "word"), [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")])
def test_values_that_are_not_finite_are_named_by_row_and_column(value, word):
    bad = changed(X, (7, 2), value)
    refuse(rf"X\[7, 2\] is {word}; every value must be finite: fill the gaps", bad)
    refuse(rf"X\[7, 2\] \(column 'c'\) is {word}", bad, feature_names=["a", "b", "c"])
    refuse(rf"X\[7, 2\] \(column 'c'\) is {word}", pd.DataFrame(bad, columns=["a", "b", "c"]))
    refuse(rf"X\[7, 2\] \(column 'c'\) is {word}", pl.DataFrame(bad, schema=["a", "b", "c"]))


@pytest.mark.parametrize("kind", [scipy.sparse.csr_array, scipy.sparse.csc_matrix, scipy.sparse.coo_array])
def test_values_that_are_not_finite_in_a_sparse_matrix_are_named_too(kind):
    bad = kind(changed(np.where(np.abs(X) > 0.5, X, 0), (7, 2), np.nan))
    assert "X[7, 2]" in refuse("is NaN; every value must be finite", bad)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros((0, 3)), r"X has shape \(0, 3\): at least one row and one column are needed"),
        (np.zeros((12, 0)), r"X has shape \(12, 0\)"),
        (np.zeros(12), r"X must be 2-d, \(rows, columns\); got 1-d with shape \(12,\).*reshape\(-1, 1\)"),
        (np.zeros((2, 3, 4)), r"X must be 2-d.*got 3-d with shape \(2, 3, 4\)"),
        (3.0, "X must be 2-d.*got 0-d"),
        ([], "X must be 2-d"),
        (None, "X is None, not a number|X must be 2-d"),
        ([[1.0, 2.0], [3.0]], "X is not a rectangular array: every row needs the same length"),
        (X * 1j, "X holds complex numbers"),
        (np.full((12, 2), np.datetime64("2020-01-01")), "X holds dates or times.*days since a day"),
        (np.full((12, 2), np.timedelta64(1, "D")), "X holds dates or times"),
        (scipy.sparse.csr_array((0, 3)), r"X has shape \(0, 3\)"),
        (scipy.sparse.csr_array(X * 1j), "X holds complex numbers"),
    ],
)
def test_shapes_and_kinds_of_x(bad, message):
    refuse(message, bad)


def test_text_is_named_by_place_and_value():
    bad = changed(X.astype(object), (4, 1), "red")
    refuse(r"X\[4, 1\] is 'red', not a number: drop that column or encode it", bad)
    frame = pd.DataFrame(bad, columns=["a", "colour", "c"])
    refuse(r"X\[4, 1\], column 'colour' is 'red', not a number.*eigenshrink fit", frame)
    refuse(r"X\[0, 0\] is 'a'", np.array([["a", "b"], ["c", "d"]]))
    refuse(r"X\[4, 1\] is NaN", changed(X.astype(object), (4, 1), None))
    refuse(r"date|not a number", pd.DataFrame({"a": Y, "day": pd.date_range("2020-01-01", periods=N)}))


@pytest.mark.parametrize("dtype", [int, np.int8, np.uint16, bool, np.float16, np.longdouble, object, str])
def test_other_numbers_become_float64(dtype):
    whole = np.rint(X * 5).astype(int).astype(dtype)
    study = es.study(whole, Y)
    assert study.coef().dtype == np.float64
    assert_array_equal(study.coef(0.1), es.study(np.asarray(whole, dtype=float), Y).coef(0.1))


def test_lists_and_frames_are_tables():
    for table in (X.tolist(), pd.DataFrame(X), pl.DataFrame(X), [list(map(str, row)) for row in X.tolist()]):
        assert_allclose(es.study(table, Y.tolist()).coef(0.1), es.study(X, Y).coef(0.1), rtol=1e-12)


# --- y ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (Y[:11], "X has 12 rows and y has 11: they must describe the same rows"),
        (np.zeros((12, 0)), r"y must have shape \(n,\) or \(n, t\), t ≥ 1; got \(12, 0\)"),
        (np.zeros((12, 2, 2)), "y must have shape"),
        (3.0, "y must have shape"),
        (changed(Y, 5, np.nan), r"y\[5\] is NaN; every value must be finite"),
        (changed(np.outer(Y, [1, 2]), (5, 1), np.inf), r"y\[5, 1\] is infinity"),
        (Y * 1j, "y holds complex numbers"),
        (["a"] * 12, r"y\[0\] is 'a', not a number"),
        (np.arange(12).astype("M8[D]"), "y holds dates or times"),
        (scipy.sparse.csr_array(Y[:, None]), r"y is sparse; give it as a dense array, y\.toarray\(\)"),
        ([[1.0]] * 11 + [[1.0, 2.0]], "y is not a rectangular array"),
        (None, "y"),
    ],
)
def test_bad_targets(bad, message):
    refuse(message, y=bad)


# --- rows ---------------------------------------------------------------------------------------------


def test_one_row_is_not_enough():
    refuse(r"X has 1 row.*at least 2 are needed", X[:1], Y[:1])
    refuse(
        r"X has 1 row\(s\) with weight.*at least 2 are needed",
        sample_weight=(np.arange(12) == 3).astype(float),
    )


def test_rows_must_determine_the_free_weights():
    refuse(
        r"3 rows cannot determine 3 weights without penalty \(the intercept counts\): "
        r"give more rows, or give those columns a penalty_factor above 0",
        X[:3],
        Y[:3],
        penalty_factor=[0, 0, 1],
    )
    assert es.study(X[:3], Y[:3], penalty_factor=[0, 0, 1], fit_intercept=False).spectrum.free.rank == 2


# --- weights ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.ones(11), r"sample_weight has shape \(11,\); one weight per row is needed: \(12,\)"),
        (np.ones((12, 1)), r"sample_weight has shape \(12, 1\)"),
        (changed(np.ones(12), 3, -2.0), r"sample_weight\[3\] is -2; weights must not be negative"),
        (changed(np.ones(12), 3, np.nan), r"sample_weight\[3\] is NaN"),
        (changed(np.ones(12), 3, np.inf), r"sample_weight\[3\] is infinity"),
        (np.zeros(12), "sample_weight is zero for every row: at least 2 rows need a positive weight"),
        (["a"] * 12, r"sample_weight\[0\] is 'a', not a number"),
        (-1.0, "weights must not be negative"),
    ],
)
def test_bad_weights(weight, message):
    refuse(message, sample_weight=weight)


def test_frequencies_are_whole_numbers():
    refuse(
        r"sample_weight\[3\] is 1\.5, but weight_kind='frequency' means how often.*'precision'",
        sample_weight=changed(np.ones(12), 3, 1.5),
        weight_kind="frequency",
    )
    refuse("weight_kind must be one of precision, frequency; got 'count'", weight_kind="count")


def test_rows_without_weight_are_left_out():
    weight = np.where(np.arange(12) % 4 == 0, 0.0, 2.0)
    some, all_ = (
        es.study(X[weight > 0], Y[weight > 0], sample_weight=2.0),
        es.study(X, Y, sample_weight=weight),
    )
    assert all_.facts.rows == 9
    assert_allclose(all_.coef([0.0, 0.1]), some.coef([0.0, 0.1]), rtol=1e-12)
    sparse = es.study(scipy.sparse.csr_array(X), Y, sample_weight=weight)
    assert sparse.facts.rows == 9


# --- names and options --------------------------------------------------------------------------------


def test_names():
    refuse("feature_names has 2 names for 3 columns of X: give one per column", feature_names=["a", "b"])
    refuse("feature_names has 'a' twice: names must be different", feature_names=["a", "b", "a"])
    refuse("twice", pd.DataFrame(X, columns=["a", "b", "a"]))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"loss": "lasso"}, "loss must be one of 'squared', 'logistic'.*; got 'lasso'"),
        ({"criterion": "aic"}, "criterion must be auto, combined, loo, kfold, gcv, cp, evidence; got 'aic'"),
        ({"criterion": None}, "criterion must be auto"),
        ({"criterion": ["loo"]}, "criterion must be auto"),
        ({"alpha": -0.1}, r"alpha is -0\.1; it needs a number >= 0"),
        ({"alpha": np.nan}, "alpha is nan; it needs a number >= 0"),
        ({"alpha": [0.1, -1.0]}, r"alpha\[1\] is -1|alpha holds -1"),
        ({"alpha": "best"}, r"alpha must be 'auto' or a strength in \[0, inf\]; got 'best'"),
        ({"alpha": None}, "alpha"),
        ({"alpha": [0.1, 0.2]}, r"alpha has shape \(2,\); give one strength"),
        ({"alpha": [[0.1]]}, r"alpha has shape \(1, 1\)"),
        ({"alpha": True}, "alpha"),
        ({"penalty_factor": [1, 2]}, r"penalty_factor has shape \(2,\).*\(3,\)"),
        ({"penalty_factor": [1, -2, 1]}, "penalty_factor"),
        ({"penalty_factor": [1, np.nan, 1]}, "penalty_factor"),
        ({"penalty_factor": [1, np.inf, 1]}, "penalty_factor"),
        ({"penalty_factor": "abc"}, "penalty_factor"),
        ({"offset": np.ones(3)}, r"offset has shape \(3,\); one number per row is needed: \(12,\)"),
        ({"groups": np.ones(12)}, "groups has one label for every row: at least 2 groups are needed"),
        ({"groups": np.arange(11)}, r"groups has shape \(11,\); one label per row is needed: \(12,\)"),
        ({"groups": np.where(np.arange(12) == 4, np.nan, 1.0)}, r"groups\[4\] is missing"),
        ({"groups": ["a", None] * 6}, r"groups\[1\] is missing: every row needs a label"),
        ({"groups": [[1]] * 12}, r"groups has shape \(12, 1\)"),
        ({"select": "1se"}, "select must be 'best' or 'strongest-equivalent'; got '1se'"),
        ({"select": "strongest-equivalent", "criterion": "gcv"}, "select='strongest-equivalent' needs"),
        ({"folds": 1}, "folds must be a whole number from 2 on; got 1"),
        ({"folds": 2.5}, "folds must be a whole number"),
        ({"folds": True}, "folds must be a whole number"),
        ({"validation": 0.0}, "validation must be .* between 0 and 1; got 0.0"),
        ({"validation": 1.5}, "validation must be"),
        ({"validation": "0.2"}, "validation must be"),
        ({"validation": 0.01}, "leaves too few of 12 rows on one side: 2 rows are needed on each"),
        ({"validation": (X, Y, Y, Y, Y)}, "validation has 5 parts: give"),
        ({"validation": (X[:, :2], Y)}, "validation has 2 columns; the study has 3"),
        ({"validation": (X, np.column_stack([Y, Y]))}, "validation has 2 targets; the study has 1"),
        ({"validation": (X * np.nan, Y)}, r"validation: X\[0, 0\] is NaN"),
        ({"random_state": "a"}, "random_state must be None, a whole number"),
        ({"random_state": -1}, "random_state must be None, a whole number"),
        ({"criterion": "leave_group_out"}, "leave_group_out needs groups: give es.study"),
        ({"criterion": "validation"}, "validation needs rows that were not fitted"),
        (
            {"criterion": "train"},
            "criterion must be auto, combined, loo, kfold, gcv, cp, evidence; got 'train'",
        ),
    ],
)
def test_bad_options(asked, message):
    refuse(message, **asked)


# --- sizes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("shape", [(12, 3), (4, 9)])
def test_columns_whose_squares_leave_float64_are_named(wrap, shape):
    base, y = RNG.normal(size=shape), RNG.normal(size=shape[0])
    unit = np.ones(shape[1])
    unit[1] = 1e200
    refuse(r"column 'x1' is too large: its squares leave the range.*larger unit", wrap(base * unit), y)
    unit[1] = 1e-200
    refuse(r"column 'x1' is too small: its squares leave the range.*smaller unit", wrap(base * unit), y)


def test_targets_whose_squares_leave_float64_are_named():
    refuse("'y0' is too large", y=Y * 1e200)


@pytest.mark.parametrize("scale", [1e-100, 1e100])
def test_large_and_small_units_are_fine(scale):
    study = es.study(X * scale, Y * scale)
    assert_allclose(study.coef(0.0), es.study(X, Y).coef(0.0), rtol=1e-10)


# --- what becomes of good arrays ----------------------------------------------------------------------


def test_what_is_remembered():
    table = check_table(pd.DataFrame(X, columns=["a", "b", "c"]), pd.Series(Y, name="yield"))
    assert table.feature_names == ("a", "b", "c")
    assert table.target_names == ("yield",)
    assert table.one_target
    assert table.weight is None
    assert table.weight_sum == table.observations == 12
    default = check_table(X, np.outer(Y, [1, 2]), np.full(12, 3.0), "frequency")
    assert default.feature_names == ("x0", "x1", "x2")
    assert default.target_names == ("y0", "y1")
    assert (default.weight_sum, default.observations) == (36, 36)
    assert check_table(X, Y, np.full(12, 3.0)).observations == 12
    assert check_table(X, Y, np.ones(12)).weight is None


def test_what_the_user_gave_is_not_changed():
    coo = scipy.sparse.coo_array((np.ones(3), ([0, 0, 1], [1, 1, 2])), shape=(12, 3))
    before = coo.toarray()
    given = X.copy(), Y.copy(), np.ones(12)
    _ = es.study(*given[:2], sample_weight=given[2]).alpha, es.study(coo, Y).alpha
    for now, then in zip(given, (X, Y, np.ones(12)), strict=True):
        assert_array_equal(now, then)
    assert_array_equal(coo.toarray(), before)
    assert coo.nnz == 3


def test_entries_of_a_sparse_matrix_that_are_given_twice_add_up():
    twice = scipy.sparse.coo_array(
        (np.r_[X.ravel(), 1.0], np.c_[np.indices((N, P)).reshape(2, -1), [0, 0]]), shape=(N, P)
    )
    once = es.study(changed(X, (0, 0), X[0, 0] + 1), Y)
    assert_allclose(es.study(twice, Y).coef(0.1), once.coef(0.1), rtol=1e-12)
