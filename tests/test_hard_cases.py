"""Cases that once went wrong, or that look as if they would: large means, odd containers, changed arrays."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from numpy.testing import assert_allclose

import eigenshrink as es
from oracles import Problem, loo


def data(n: int = 50, p: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    return X, X[:, 0] + rng.normal(size=n)


# --- large means --------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(12, 30), (40, 100), (40, 40), (40, 39)])
@pytest.mark.parametrize("mean", [300.0, 2000.0])
def test_two_equal_rows_far_from_zero_are_not_one_more_direction(shape, mean):
    n, _ = shape
    rng = np.random.default_rng(0)
    X = rng.normal(size=shape) + mean
    X[1] = X[0]
    y = X[:, :3].sum(axis=1) - 3 * mean + rng.normal(size=n)
    study = es.study(X, y)
    assert len(study.spectrum.eigenvalues) == n - 2
    assert_allclose(study.risk["loo"](1.0), loo(Problem(X - mean, y), 1.0), rtol=1e-8)


def test_columns_that_add_up_have_the_least_norm_solution_wherever_zero_is():
    rng = np.random.default_rng(1)
    a, b = np.rint(rng.normal(size=(2, 50)) * 5)
    y = rng.normal(size=50) + 0.3 * a
    near = es.study(np.c_[a, b, a + b], y)
    far = es.study(np.c_[a + 1e5, b + 5e4, a + b + 1.5e5], y)
    assert_allclose(far.coef(0.0), near.coef(0.0), rtol=1e-9)
    assert far.path.effective_parameters(0.0) == pytest.approx(3)


@pytest.mark.parametrize(("mean", "digits"), [(1e2, 1e-10), (1e4, 1e-10), (1e6, 1e-8)])
def test_a_free_column_of_ones_is_an_intercept_in_wide_data_too(mean, digits):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 40)) + mean, rng.normal(size=20)
    ones = es.study(np.c_[np.ones(20), X], y, fit_intercept=False, penalty_factor=[0.0] + [1.0] * 40)
    expected = es.study(X, y).coef(1.0)
    assert_allclose(ones.coef(1.0)[1:], expected, rtol=0, atol=digits * np.abs(expected).max())


def test_float32_predictions_keep_their_digits_far_from_zero():
    X, y = data()
    far = (X + 1e6).astype(np.float32)
    single, double = es.study(far, y.astype(np.float32)), es.study(far.astype(np.float64), y)
    assert_allclose(single.predict(far), double.predict(far.astype(np.float64)), atol=1e-5)
    assert_allclose(es.L2Regressor().fit(far, y).predict(far), single.predict(far), atol=1e-5)
    assert single.predict(far).dtype == np.float32


# --- arrays of other people ---------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["X", "y"])
def test_a_change_in_place_is_noticed(change):
    X, y = data()
    study = es.study(X, y, criterion="loo")
    if change == "X":
        X *= 3
    else:
        y += 5
    with pytest.raises(es.InputError, match="changed in place"):
        _ = study.alpha
    assert study.coef(0.1).shape == (3,)  # the factorisation is the study's own


@pytest.mark.parametrize("place", [0, 1])
def test_a_change_of_held_out_rows_is_noticed(place):
    X, y = data()
    held = (X[:9] + 0.5, y[:9] * 1.5)
    study = es.study(X, y, validation=held)
    held[place][:] *= 2
    with pytest.raises(es.InputError, match="changed in place"):
        _ = study.alpha


def test_nothing_of_the_user_is_changed():
    X, y = data()
    kept = X.copy(), y.copy()
    es.study(X, y, sample_weight=np.arange(50.0), standardize=True).summary()
    assert np.array_equal(X, kept[0])
    assert np.array_equal(y, kept[1])
    rows, columns = [0, 0, 1, 2, 3], [0, 0, 1, 0, 1]
    twice = scipy.sparse.coo_array(([1.0, 2.0, 3.0, 4.0, 5.0], (rows, columns)), shape=(4, 2)).tocsr()
    raw = scipy.sparse.csr_array(
        (np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([0, 0, 1, 0, 1]), np.array([0, 2, 3, 4, 5]))
    )
    before = raw.data.copy()
    assert_allclose(es.study(raw, y[:4]).coef(0.1), es.study(twice, y[:4]).coef(0.1))
    assert np.array_equal(raw.data, before)


def test_masked_values_are_refused():
    X, y = data()
    with pytest.raises(es.InputError, match="masked"):
        es.study(np.ma.masked_greater(X, 1.0), y)


def test_predictions_need_the_columns_in_their_order():
    X, y = data()
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    study = es.study(frame, y)
    assert_allclose(study.predict(frame), study.predict(X))
    with pytest.raises(es.InputError, match="in that order"):
        study.predict(frame[["c", "b", "a"]])


@pytest.mark.parametrize("touched", [False, True])
def test_a_study_can_be_pickled_whatever_was_asked_of_it(touched):
    X, y = data()
    study = es.study(X, y)
    if touched:
        study.summary()
    assert pickle.loads(pickle.dumps(study)).alpha == study.alpha


def test_the_estimator_keeps_the_name_of_the_target():
    X, y = data()
    assert es.L2Regressor().fit(X, pd.Series(y, name="price")).study_.target_names == ("price",)


def test_a_given_strength_takes_any_weights():
    X, y = data()
    weight = np.linspace(0.1, 2.0, 50)
    model = es.L2Regressor(alpha=0.1).fit(X, y, sample_weight=weight)
    assert_allclose(model.coef_, es.study(X, y, sample_weight=weight).coef(0.1))
    with pytest.raises(es.InputError, match="whole numbers"):
        es.L2Regressor().fit(X, y, sample_weight=weight)


# --- misuse -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [{"standardize": "no"}, {"fit_intercept": None}, {"per_target": 1}])
def test_flags_are_true_or_false(asked):
    with pytest.raises(es.InputError, match="must be True or False"):
        es.study(*data(), **asked)


@pytest.mark.parametrize("alpha", [[], [[1.0]]])
def test_strengths_are_one_or_a_list(alpha):
    study = es.study(*data())
    for ask in (study.coef, study.risk["loo"], study.risk["gcv"].derivative, study.path.certificate):
        with pytest.raises(es.InputError, match="alpha has shape"):
            ask(alpha)


def test_an_indefinite_hessian_has_no_share_along_its_negative_part():
    path = es.quadratic([1.0, 1.0], [[1.0, 0.0], [0.0, -0.5]], alpha=1.0)
    assert path.trusted == (0.5, np.inf)
    assert_allclose(path.shrinkage(0.6), [0.625, np.nan])
    for ask in (path.weights, path.shrinkage, path.effective_parameters, path.residual_bound):
        with pytest.raises(es.InputError, match=r"every alpha > 0\.5 has one"):
            ask(0.4)
