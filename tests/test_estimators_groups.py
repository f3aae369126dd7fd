"""Groups of rows in scikit-learn: fitted with, and passed on by pipelines and searches."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import eigenshrink as es

SITES = np.repeat(np.arange(12), 5)


def table() -> tuple[np.ndarray, np.ndarray]:
    """Twelve sites of five rows: what the columns do not say is mostly the site's."""
    rng = np.random.default_rng(4)
    X = rng.normal(size=(60, 6)) + 2 * rng.normal(size=(12, 6))[SITES]
    return X, X[:, 0] + rng.normal(size=12)[SITES] + 0.3 * rng.normal(size=60)


X, Y = table()


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


# --- fitting ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"criterion": "leave_group_out"},
        {"criterion": "kfold", "folds": 4, "random_state": 3},
        {"criterion": "leave_group_out", "select": "strongest-equivalent"},
    ],
)
def test_it_is_the_study(asked):
    model = es.L2Regressor(**asked).fit(X, Y, groups=SITES)
    study = es.study(X, Y, groups=SITES, **asked)
    assert model.alpha_ == study.alpha
    assert_array_equal(model.coef_, study.coef())
    assert model.study_.facts.groups == 12
    assert model.study_.choice.interval == study.choice.interval


def test_groups_change_what_is_chosen_and_not_what_is_predicted_from():
    alone, together = es.L2Regressor().fit(X, Y), es.L2Regressor().fit(X, Y, groups=SITES)
    assert together.alpha_ != alone.alpha_
    assert together.predict(X[:3]).shape == (3,)


@pytest.mark.parametrize(
    "labels",
    [
        np.array([f"site {g}" for g in SITES]),
        [f"site {g}" for g in SITES],
        pd.Series(SITES).astype("category"),
        pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(SITES, unit="D")),
        pl.Series(SITES),
        SITES.astype(float),
    ],
    ids=["texts", "list", "categories", "dates", "polars", "floats"],
)
def test_labels_may_be_anything(labels):
    plain = es.L2Regressor().fit(X, Y, groups=SITES).alpha_
    assert es.L2Regressor().fit(X, Y, groups=labels).alpha_ == pytest.approx(plain, rel=1e-12)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (SITES[:7], r"groups has shape \(7,\); one label per row is needed: \(60,\)"),
        (np.zeros(60), "groups has one label for every row"),
        (np.where(SITES == 3, np.nan, SITES), r"groups\[15\] is missing"),
        ([None, *SITES[1:]], r"groups\[0\] is missing"),
    ],
)
def test_labels_that_cannot_be(labels, words):
    with pytest.raises(es.InputError, match=words):
        es.L2Regressor().fit(X, Y, groups=labels)


def test_groups_and_weights_together():
    s = np.arange(60) % 3 + 1
    model = es.L2Regressor().fit(X, Y, s, SITES)
    study = es.study(X, Y, sample_weight=s, weight_kind="frequency", groups=SITES)
    assert model.alpha_ == study.alpha


# --- clones and files ---------------------------------------------------------------------------------


def test_clones_and_pickles_keep_what_was_asked_for(routing):
    model = es.L2Regressor(criterion="kfold", folds=3, select="strongest-equivalent", random_state=2)
    copied = clone(model.set_fit_request(groups=True))
    assert copied.get_params() == model.get_params()
    assert {"folds": 3, "select": "strongest-equivalent"}.items() <= copied.get_params().items()
    fitted = copied.fit(X, Y, groups=SITES)
    back = pickle.loads(pickle.dumps(fitted))
    assert_array_equal(back.predict(X), fitted.predict(X))
    assert back.get_params() == model.get_params()


# --- metadata routing ---------------------------------------------------------------------------------


def test_a_group_splitter_needs_no_routing():
    search = GridSearchCV(es.L2Regressor(), {"standardize": [True, False]}, cv=GroupKFold(4))
    assert search.fit(X, Y, groups=SITES).best_estimator_.study_.facts.groups == 0


def test_groups_reach_the_last_step_of_a_pipeline(routing):
    pipeline = make_pipeline(StandardScaler(), es.L2Regressor().set_fit_request(groups=True))
    pipeline.fit(X, Y, groups=SITES)
    direct = es.L2Regressor().fit(StandardScaler().fit_transform(X), Y, groups=SITES)
    assert pipeline[-1].alpha_ == direct.alpha_
    assert_allclose(pipeline.predict(X), direct.predict(StandardScaler().fit_transform(X)))


def test_groups_reach_splitter_and_estimator_of_a_search(routing):
    model = es.L2Regressor().set_fit_request(groups=True)
    search = GridSearchCV(model, {"standardize": [True, False]}, cv=GroupKFold(4)).fit(X, Y, groups=SITES)
    assert search.best_estimator_.study_.facts.groups == 12


@pytest.mark.parametrize(("wanted", "count"), [(True, 9), (False, 0)])
def test_each_fold_has_its_own_groups(routing, wanted, count):
    pipeline = make_pipeline(StandardScaler(), es.L2Regressor().set_fit_request(groups=wanted))
    fits = cross_validate(
        pipeline, X, Y, cv=GroupKFold(4), params={"groups": SITES}, return_estimator=True, error_score="raise"
    )
    assert [fit[-1].study_.facts.groups for fit in fits["estimator"]] == [count] * 4


def test_nothing_is_routed_unasked(routing):
    with pytest.raises(UnsetMetadataPassedError, match="groups"):
        GridSearchCV(es.L2Regressor(), {"standardize": [True]}, cv=GroupKFold(4)).fit(X, Y, groups=SITES)
