"""The scikit-learn facade: its own checks, and life in pipelines, searches, files and frames."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
import sklearn
import skops.io
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
from sklearn.ensemble import BaggingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectFromModel
from sklearn.inspection import permutation_importance
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import eigenshrink as es
from oracles import make

PROBLEM = make(3, 40, 4)
X, Y = PROBLEM.X, PROBLEM.y


# --- scikit-learn's own judge -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"alpha": 1.0},
        {"alpha": 0.0},
        {"criterion": "gcv"},
        {"criterion": "evidence", "standardize": True, "fit_intercept": False},
        {"alpha": 1.0, "weight_kind": "precision"},
        {"per_target": False, "standardize": True},
        {"criterion": "loo", "select": "strongest-equivalent", "random_state": 1},
    ],
)
def test_scikit_learn_accepts_it(asked):
    failed = [
        f"{check['check_name']}: {check['exception']}"
        for check in check_estimator(es.L2Regressor(**asked), on_fail=None, on_skip=None)
        if check["status"] not in ("passed", "skipped")
    ]
    assert failed == []


def test_what_is_skipped_is_skipped_for_a_reason():
    skipped = {
        check["check_name"]
        for check in check_estimator(es.L2Regressor(), on_skip=None)
        if check["status"] == "skipped"
    }
    assert all("array_api" in name for name in skipped)


# --- it is the study ----------------------------------------------------------------------------------


def test_fitted_attributes_are_those_of_the_study():
    model = es.L2Regressor(criterion="gcv").fit(X, Y)
    study = es.study(X, Y, criterion="gcv")
    assert_array_equal(model.coef_, study.coef())
    assert model.intercept_ == study.intercept()
    assert model.alpha_ == study.alpha == model.study_.alpha
    assert model.effective_parameters_ == study.effective_parameters
    assert model.n_features_in_ == 4
    assert not hasattr(model, "feature_names_in_")
    assert_allclose(model.predict(X), study.predict(X))
    assert model.study_.choice.criterion == "gcv"


def test_every_parameter_reaches_the_study():
    s = np.arange(40.0) % 3 + 0.5
    Y2 = np.column_stack([Y, Y**2])
    asked = {
        "fit_intercept": False,
        "standardize": True,
        "penalty_factor": [1, 2, 0, 1],
        "criterion": "evidence",
        "per_target": False,
        "weight_kind": "precision",
    }
    model = es.L2Regressor(**asked).fit(X, Y2, sample_weight=s)
    study = es.study(X, Y2, sample_weight=s, **asked)
    assert_array_equal(model.coef_, study.coef())
    assert_array_equal(model.alpha_, study.alpha)
    assert_array_equal(es.L2Regressor(alpha=[0.1, 2.0]).fit(X, Y2).alpha_, [0.1, 2.0])


def test_a_weight_of_two_is_a_row_twice():
    s = np.arange(40) % 3 + 1
    weighted = es.L2Regressor().fit(X, Y, sample_weight=s)
    repeated = es.L2Regressor().fit(np.repeat(X, s, axis=0), np.repeat(Y, s))
    assert_allclose(weighted.alpha_, repeated.alpha_, rtol=1e-7)
    assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-7)


def test_fractions_of_rows_are_refused_unless_they_are_precisions():
    s = np.full(40, 0.5)
    with pytest.raises(es.InputError, match="whole numbers, or weight_kind='precision'"):
        es.L2Regressor().fit(X, Y, sample_weight=s)
    es.L2Regressor(weight_kind="precision").fit(X, Y, sample_weight=s)


@pytest.mark.parametrize("targets", [1, 3])
def test_several_targets(targets):
    Y2 = np.column_stack([Y, Y**2, np.abs(Y)])[:, :targets]
    model = es.L2Regressor().fit(X, Y2)
    assert model.coef_.shape == (targets, 4)
    assert model.intercept_.shape == model.alpha_.shape == model.effective_parameters_.shape == (targets,)
    assert model.predict(X).shape == (40, targets)


@pytest.mark.parametrize("kind", [scipy.sparse.csr_array, scipy.sparse.csc_matrix, scipy.sparse.coo_array])
def test_sparse_tables(kind):
    some = np.where(np.abs(X) > 1, X, 0.0)
    dense, sparse = es.L2Regressor().fit(some, Y), es.L2Regressor().fit(kind(some), Y)
    assert_allclose(sparse.coef_, dense.coef_, rtol=1e-7)
    assert_allclose(sparse.predict(kind(some)), dense.predict(some), rtol=1e-7)


def test_float32_stays_float32():
    model = es.L2Regressor(alpha=0.1).fit(X.astype(np.float32), Y.astype(np.float32))
    assert model.coef_.dtype == np.float32
    assert model.predict(X.astype(np.float32)).dtype == np.float32


def test_it_is_ridge():
    model, peer = es.L2Regressor(alpha=0.1).fit(X, Y), Ridge(alpha=4.0).fit(X, Y)
    assert_allclose(model.coef_, peer.coef_, rtol=1e-9)
    assert model.score(X, Y) == pytest.approx(peer.score(X, Y))


# --- parts of larger things ---------------------------------------------------------------------------


def test_pipeline():
    pipeline = make_pipeline(PolynomialFeatures(2, include_bias=False), StandardScaler(), es.L2Regressor())
    pipeline.fit(X, Y)
    direct = es.study(pipeline[:-1].transform(X), Y)
    assert pipeline[-1].alpha_ == direct.alpha
    assert_allclose(pipeline.predict(X), direct.predict(pipeline[:-1].transform(X)))
    assert cross_val_score(pipeline, X, Y, cv=3).shape == (3,)


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(X, columns=["a", "b", "c", "d"]).assign(colour=np.resize(["red", "blue"], 40))


def test_column_transformer_with_frames_keeps_names(frame):
    prepare = ColumnTransformer(
        [
            ("number", StandardScaler(), make_column_selector(dtype_include=float)),
            ("colour", OneHotEncoder(sparse_output=False), ["colour"]),
        ]
    ).set_output(transform="pandas")
    pipeline = make_pipeline(prepare, es.L2Regressor()).fit(frame, Y)
    wanted = [f"number__{c}" for c in "abcd"] + ["colour__colour_blue", "colour__colour_red"]
    assert list(pipeline[-1].feature_names_in_) == wanted
    assert pipeline[-1].study_.feature_names == tuple(wanted)
    assert pipeline.predict(frame.head()).shape == (5,)


@pytest.mark.parametrize("make_frame", [pd.DataFrame, lambda v, columns: pl.DataFrame(v, schema=columns)])
def test_names_of_columns_are_kept_and_compared(make_frame):
    model = es.L2Regressor().fit(make_frame(X, columns=["a", "b", "c", "d"]), Y)
    assert list(model.feature_names_in_) == ["a", "b", "c", "d"]
    with pytest.raises(ValueError, match="feature names"):
        model.predict(make_frame(X, columns=["a", "b", "d", "c"]))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(X)


def test_grid_search_over_the_strength_agrees_with_ridge():
    house, theirs = np.array([0.01, 0.1, 1.0]), []
    search = GridSearchCV(es.L2Regressor(), {"alpha": list(house), "standardize": [False]}, cv=4).fit(X, Y)
    theirs = GridSearchCV(Ridge(), {"alpha": list(house * 30)}, cv=4).fit(X, Y)  # 30 rows in each fit
    assert_allclose(search.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"], rtol=1e-9)
    assert search.best_params_["alpha"] * 30 == theirs.best_params_["alpha"]
    assert GridSearchCV(es.L2Regressor(), {"criterion": ["loo", "evidence"]}, cv=3).fit(X, Y).best_score_ > 0


def test_other_meta_estimators():
    selected = SelectFromModel(es.L2Regressor(standardize=True)).fit(X, Y)
    assert 0 < selected.get_support().sum() < 4
    assert BaggingRegressor(es.L2Regressor(), 3, random_state=0).fit(X, Y).predict(X).shape == (40,)
    logged = TransformedTargetRegressor(es.L2Regressor(), func=np.log, inverse_func=np.exp)
    assert np.all(logged.fit(X, np.exp(Y / 10)).predict(X) > 0)
    importance = permutation_importance(es.L2Regressor().fit(X, Y), X, Y, n_repeats=2, random_state=0)
    assert importance.importances_mean.shape == (4,)


def test_sample_weights_are_routed():
    s = np.arange(40) % 3 + 1
    with sklearn.config_context(enable_metadata_routing=True):
        model = es.L2Regressor(alpha=0.1).set_fit_request(sample_weight=True)
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=True), model)
        routed = pipeline.fit(X, Y, sample_weight=s)
        search = GridSearchCV(
            es.L2Regressor().set_fit_request(sample_weight=True).set_score_request(sample_weight=True),
            {"alpha": [0.1, 1.0]},
        ).fit(X, Y, sample_weight=s)
        with pytest.raises(ValueError, match="sample_weight"):
            make_pipeline(StandardScaler(), es.L2Regressor()).fit(X, Y, sample_weight=s)
    direct = es.L2Regressor(alpha=0.1).fit(StandardScaler().fit(X, sample_weight=s).transform(X), Y, s)
    assert_allclose(routed[-1].coef_, direct.coef_, rtol=1e-10)
    assert search.best_estimator_.study_.facts.weight_sum == s.sum()


# --- copies and files ---------------------------------------------------------------------------------


def test_clone_keeps_what_was_asked_and_nothing_else():
    model = es.L2Regressor(alpha=0.1, penalty_factor=[1, 0, 1, 1]).fit(X, Y)
    copied = clone(model)
    assert copied.get_params() == model.get_params()
    assert not hasattr(copied, "coef_")
    assert repr(copied) == "L2Regressor(alpha=0.1, penalty_factor=[1, 0, 1, 1])"
    assert copied.set_params(alpha=2.0).alpha == 2.0
    with pytest.raises(ValueError, match="Invalid parameter"):
        copied.set_params(strength=1.0)


@pytest.mark.parametrize("trip", [lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy])
def test_pickles_hold_the_model_without_the_rows(trip):
    model = es.L2Regressor().fit(X, Y)
    back = trip(model)
    assert_array_equal(back.predict(X), model.predict(X))
    assert (back.alpha_, back.effective_parameters_) == (model.alpha_, model.effective_parameters_)
    assert not hasattr(back, "study_")
    assert hasattr(model, "study_")
    big = es.L2Regressor().fit(np.random.default_rng(0).normal(size=(5000, 4)), np.arange(5000.0))
    assert len(pickle.dumps(big)) < 5000


@pytest.mark.parametrize("asked", [{}, {"alpha": 0.3}, {"penalty_factor": [1.0, 0.0, 1.0, 2.0]}])
def test_skops_files_hold_the_model(asked, frame):
    model = es.L2Regressor(**asked).fit(frame[["a", "b", "c", "d"]], Y)
    file = skops.io.dumps(model)
    assert set(skops.io.get_untrusted_types(data=file)) == {"eigenshrink.estimators.L2Regressor"}
    back = skops.io.loads(file, trusted=["eigenshrink.estimators.L2Regressor"])
    assert_array_equal(back.predict(frame[["a", "b", "c", "d"]]), model.predict(frame[["a", "b", "c", "d"]]))
    assert back.get_params() == model.get_params()
    assert list(back.feature_names_in_) == ["a", "b", "c", "d"]


# --- bad input ----------------------------------------------------------------------------------------


def test_unfitted():
    with pytest.raises(NotFittedError):
        es.L2Regressor().predict(X)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"alpha": -1.0}, "alpha"),
        ({"alpha": "best"}, "alpha must be 'auto'"),
        ({"criterion": "aic"}, "criterion must be"),
        ({"loss": "absolute"}, "loss must be"),
        ({"loss": "logistic"}, "tells classes apart: use L2Classifier"),
        ({"weight_kind": "count"}, "weight_kind must be"),
        ({"penalty_factor": [1, 2]}, "penalty_factor"),
        ({"select": "weakest"}, "select must be 'best' or 'strongest-equivalent'"),
        ({"folds": 1}, "folds must be a whole number from 2 on"),
        ({"random_state": "luck"}, "random_state must be"),
        ({"criterion": "leave_group_out"}, "leave_group_out needs groups"),
        ({"criterion": "validation"}, "validation needs rows that were not fitted"),
    ],
)
def test_bad_parameters_are_said_when_fitting(asked, message):
    model = es.L2Regressor(**asked)
    with pytest.raises(es.InputError, match=message):
        model.fit(X, Y)


def test_a_fit_that_fails_leaves_no_half_of_a_model():
    with pytest.raises(es.InputError, match="weight"):
        (model := es.L2Regressor()).fit(X, Y, sample_weight=-np.ones(40))
    assert not hasattr(model, "coef_")
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_columns_of_another_number():
    with pytest.raises(ValueError, match="3 features"):
        es.L2Regressor().fit(X, Y).predict(X[:, :3])
