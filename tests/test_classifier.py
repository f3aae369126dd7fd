"""The classifier of scikit-learn: its own checks, probabilities, weights of classes, larger things, files."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn
import skops.io
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, softmax
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import eigenshrink as es
from glm_problems import make

TWO = make(1, "logistic", 60, 4)
MANY = make(2, "multinomial", 80, 3)
X, Y = TWO.X, np.array(["no", "yes"])[TWO.y]
ALPHA = 0.03


def ladder(y, **more) -> LogisticRegression:
    """scikit-learn's at the same strength."""
    return LogisticRegression(C=1 / (len(y) * ALPHA), tol=1e-12, max_iter=10_000, **more)


# --- scikit-learn's own judge -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"alpha": 0.1, "class_weight": "balanced"},
        {"loss": "multinomial", "criterion": "evidence", "standardize": True, "random_state": 1},
    ],
)
def test_scikit_learn_accepts_it(asked):
    failed = [
        f"{check['check_name']}: {check['exception']}"
        for check in check_estimator(es.L2Classifier(**asked), on_fail=None, on_skip=None)
        if check["status"] not in ("passed", "skipped")
    ]
    assert failed == []


# --- it is the study, and it is logistic regression ---------------------------------------------------


def test_fitted_attributes_are_those_of_the_study():
    model = es.L2Classifier(criterion="loo").fit(X, Y)
    study = es.study(X, Y, loss="logistic", criterion="loo")
    assert_array_equal(model.coef_, study.coef()[None, :])
    assert_array_equal(model.intercept_, [study.intercept()])
    assert model.alpha_ == study.alpha == model.study_.alpha
    assert model.effective_parameters_ == study.effective_parameters
    assert model.loss_ == "logistic"
    assert_array_equal(model.classes_, ["no", "yes"])
    assert_allclose(model.predict_proba(X)[:, 1], study.predict(X), rtol=1e-12)


def test_several_classes_are_those_of_the_study():
    model = es.L2Classifier().fit(MANY.X, MANY.y)
    study = es.study(MANY.X, MANY.y, loss="multinomial")
    assert model.coef_.shape == (3, 3)
    assert model.intercept_.shape == (3,)
    assert_array_equal(model.classes_, study.classes)
    assert_allclose(model.predict_proba(MANY.X), study.predict(MANY.X), rtol=1e-10)
    assert_allclose(model.predict_proba(MANY.X), softmax(model.decision_function(MANY.X), axis=1))


def test_two_classes_are_scikit_learns():
    model, peer = es.L2Classifier(alpha=ALPHA).fit(X, Y), ladder(Y).fit(X, Y)
    assert_allclose(model.coef_, peer.coef_, rtol=1e-5)
    assert_allclose(model.intercept_, peer.intercept_, rtol=1e-5)
    assert_allclose(model.decision_function(X), peer.decision_function(X), rtol=1e-4, atol=1e-5)
    assert_allclose(model.predict_proba(X), peer.predict_proba(X), rtol=1e-4)
    assert_allclose(model.predict_log_proba(X), peer.predict_log_proba(X), rtol=1e-4)
    assert_array_equal(model.predict(X), peer.predict(X))
    assert model.score(X, Y) == peer.score(X, Y)


def test_several_classes_are_scikit_learns():
    model, peer = es.L2Classifier(alpha=ALPHA).fit(MANY.X, MANY.y), ladder(MANY.y).fit(MANY.X, MANY.y)
    assert_allclose(model.coef_, peer.coef_, rtol=1e-4, atol=1e-6)
    assert_allclose(model.predict_proba(MANY.X), peer.predict_proba(MANY.X), rtol=1e-4)
    assert_array_equal(model.predict(MANY.X), peer.predict(MANY.X))


def test_softmax_of_two_classes_is_logistic_regression_of_half_the_strength():
    two = es.L2Classifier("multinomial", alpha=2 * ALPHA).fit(X, Y)
    one = es.L2Classifier("logistic", alpha=ALPHA).fit(X, Y)
    assert two.coef_.shape == (1, 4)
    assert_allclose(two.coef_, one.coef_, rtol=1e-6)
    assert_allclose(two.predict_proba(X), one.predict_proba(X), rtol=1e-6)
    assert two.decision_function(X).shape == (60,)


@pytest.mark.parametrize("labels", [[0, 1], [False, True], [-1, 1], [7, 30], ["b", "a"], [1.0, 2.0]])
def test_labels_may_be_anything(labels):
    y = np.array(labels)[TWO.y]
    model = es.L2Classifier(alpha=ALPHA).fit(X, y)
    assert model.classes_.dtype == y.dtype
    assert set(model.predict(X)) <= set(labels)
    turned = 1 if sorted(labels) == labels else -1
    assert_allclose(model.coef_, turned * es.L2Classifier(alpha=ALPHA).fit(X, Y).coef_, rtol=1e-6)
    assert model.score(X, y) > 0.5


def test_probabilities_keep_their_digits_far_away():
    model = es.L2Classifier(alpha=ALPHA).fit(X, Y)
    far = 1e4 * np.outer([-1, 1], model.coef_[0])
    assert_allclose(np.diag(model.predict_log_proba(far)), 0.0, atol=1e-12)
    assert np.all(np.isfinite(model.predict_log_proba(far)))
    assert_allclose(model.predict_proba(far).sum(axis=1), 1.0)
    one = model.decision_function(X)
    assert_allclose(model.predict_proba(X), np.stack([expit(-one), expit(one)], axis=1))


@pytest.mark.parametrize("kind", [scipy.sparse.csr_array, scipy.sparse.csc_matrix])
def test_sparse_tables(kind):
    some = np.where(np.abs(X) > 1, X, 0.0)
    dense, sparse = (es.L2Classifier(alpha=ALPHA).fit(table, Y) for table in (some, kind(some)))
    assert_allclose(sparse.coef_, dense.coef_, rtol=1e-6)
    assert_allclose(sparse.predict_proba(kind(some)), dense.predict_proba(some), rtol=1e-6)


def test_float32_stays_float32():
    model = es.L2Classifier(alpha=ALPHA).fit(X.astype(np.float32), Y)
    assert model.coef_.dtype == model.predict_proba(X.astype(np.float32)).dtype == np.float32
    assert_allclose(model.coef_, es.L2Classifier(alpha=ALPHA).fit(X, Y).coef_, rtol=1e-4)


# --- weights ------------------------------------------------------------------------------------------


def test_a_weight_of_two_is_a_row_twice_and_one_of_zero_is_no_row():
    s = np.arange(60) % 3
    weighted = es.L2Classifier().fit(X, Y, sample_weight=s)
    repeated = es.L2Classifier().fit(np.repeat(X, s, axis=0), np.repeat(Y, s))
    assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-4)
    assert_allclose(weighted.alpha_, repeated.alpha_, rtol=1e-4)
    gone = es.L2Classifier(alpha=ALPHA).fit(MANY.X, MANY.y, sample_weight=MANY.y != "ant")
    assert_array_equal(gone.classes_, ["bee", "cat"])
    assert gone.coef_.shape == (1, 3)


@pytest.mark.parametrize("asked", ["balanced", {"no": 3.0, "yes": 0.5}, {"no": 3.0}])
def test_weights_of_classes_are_scikit_learns(asked):
    rows = Y == "no"
    each = {"no": 3.0, "yes": 0.5} if isinstance(asked, dict) and len(asked) == 2 else {"no": 3.0, "yes": 1.0}
    if asked == "balanced":
        each = {"no": 30 / rows.sum(), "yes": 30 / (~rows).sum()}
    S = np.where(rows, each["no"], each["yes"]).sum()
    peer = LogisticRegression(C=1 / (S * ALPHA), class_weight=asked, tol=1e-12, max_iter=10_000).fit(X, Y)
    model = es.L2Classifier(alpha=ALPHA, class_weight=asked).fit(X, Y)
    assert_allclose(model.coef_, peer.coef_, rtol=1e-5)
    assert model.study_.facts.weight_sum == pytest.approx(S)
    assert es.L2Classifier(class_weight=asked).fit(X, Y).alpha_ > 0


def test_weights_of_classes_multiply_those_of_rows():
    s = np.arange(60) % 3 + 1
    both = es.L2Classifier(alpha=ALPHA, class_weight={"no": 3}).fit(X, Y, s)
    product = es.L2Classifier(alpha=ALPHA).fit(X, Y, np.where(Y == "no", 3, 1) * s)
    assert_allclose(both.coef_, product.coef_, rtol=1e-6)
    balanced = es.L2Classifier(alpha=ALPHA, class_weight="balanced").fit(X, Y, s).study_.facts.weight_sum
    assert balanced == pytest.approx(s.sum())


# --- parts of larger things ---------------------------------------------------------------------------


def test_pipelines_searches_and_calibration():
    pipeline = make_pipeline(StandardScaler(), es.L2Classifier())
    assert cross_val_score(pipeline, X, Y, cv=3, scoring="neg_log_loss").shape == (3,)
    search = GridSearchCV(pipeline, {"l2classifier__criterion": ["loo", "evidence"]}, cv=3).fit(X, Y)
    assert search.best_score_ > 0.5
    calibrated = CalibratedClassifierCV(es.L2Classifier(), cv=3).fit(MANY.X, MANY.y)
    assert_allclose(calibrated.predict_proba(MANY.X).sum(axis=1), 1.0)


def test_grid_search_over_the_strength_agrees_with_scikit_learn():
    house = [0.01, 0.1, 1.0]
    ours = GridSearchCV(es.L2Classifier(), {"alpha": house}, cv=4, scoring="neg_log_loss").fit(X, Y)
    peer = GridSearchCV(
        LogisticRegression(tol=1e-12, max_iter=10_000),
        {"C": [1 / (45 * alpha) for alpha in house]},
        cv=4,
        scoring="neg_log_loss",
    ).fit(X, Y)
    assert_allclose(ours.cv_results_["mean_test_score"], peer.cv_results_["mean_test_score"], rtol=1e-5)


def test_groups_offsets_and_weights_are_routed():
    sites = np.repeat(np.arange(12), 5)
    offset = np.linspace(-1, 1, 60)
    with sklearn.config_context(enable_metadata_routing=True):
        model = es.L2Classifier().set_fit_request(groups=True, offset=True)
        model = model.set_predict_request(offset=True).set_score_request(offset=True)
        pipeline = make_pipeline(StandardScaler(), model).fit(X, Y, groups=sites, offset=offset)
        search = GridSearchCV(model, {"standardize": [True]}, cv=GroupKFold(3))
        search.fit(X, Y, groups=sites, offset=offset)
    assert pipeline[-1].study_.facts.groups == 12
    assert search.best_estimator_.study_.facts.groups == 12
    direct = es.L2Classifier().fit(StandardScaler().fit_transform(X), Y, groups=sites, offset=offset)
    assert_allclose(pipeline[-1].coef_, direct.coef_)


def test_an_offset_moves_the_predictor_and_is_fitted_with():
    offset = np.linspace(-1, 1, 60)
    model = es.L2Classifier(alpha=ALPHA).fit(X, Y, offset=offset)
    study = es.study(X, Y, loss="logistic", alpha=ALPHA, offset=offset)
    assert_array_equal(model.coef_[0], study.coef())
    assert_allclose(model.decision_function(X, offset), model.decision_function(X) + offset)
    assert_allclose(model.predict_proba(X, offset=offset)[:, 1], expit(model.decision_function(X, offset)))
    assert model.score(X, Y, offset=offset) == np.mean(model.predict(X, offset) == Y)
    with pytest.raises(es.InputError, match="one number per row is needed"):
        model.predict(X, offset=[1, 2, 3])
    for classifier in (es.L2Classifier(), es.L2Classifier("multinomial")):
        y = MANY.y if classifier.loss == "auto" else np.where(MANY.y == "ant", "ant", "bee")
        with pytest.raises(es.InputError, match="an offset means nothing to loss='multinomial'"):
            classifier.fit(MANY.X, y, offset=np.ones(80))
        with pytest.raises(es.InputError, match="an offset means nothing"):
            classifier.fit(MANY.X, y).predict_proba(MANY.X, np.ones(80))


# --- copies and files ---------------------------------------------------------------------------------


@pytest.mark.parametrize("trip", [lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy])
@pytest.mark.parametrize("problem", [TWO, MANY])
def test_pickles_hold_the_model_without_the_rows(trip, problem):
    model = es.L2Classifier().fit(problem.X, problem.y)
    back = trip(model)
    assert_array_equal(back.predict_proba(problem.X), model.predict_proba(problem.X))
    assert_array_equal(back.predict(problem.X), model.predict(problem.X))
    assert not hasattr(back, "study_")
    assert hasattr(model, "study_")
    assert len(pickle.dumps(model)) < 3000


def test_skops_files_hold_the_model():
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    model = es.L2Classifier(alpha=ALPHA, class_weight="balanced").fit(frame, Y)
    file = skops.io.dumps(model)
    assert set(skops.io.get_untrusted_types(data=file)) == {"eigenshrink.estimators.L2Classifier"}
    back = skops.io.loads(file, trusted=["eigenshrink.estimators.L2Classifier"])
    assert_array_equal(back.predict(frame), model.predict(frame))
    assert back.get_params() == model.get_params()


def test_clone_keeps_what_was_asked_and_nothing_else():
    model = es.L2Classifier(alpha=0.1, class_weight={"no": 2.0}).fit(X, Y)
    copied = clone(model)
    assert copied.get_params() == model.get_params()
    assert not hasattr(copied, "coef_")
    assert repr(copied) == "L2Classifier(alpha=0.1, class_weight={'no': 2.0})"


# --- bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"loss": "poisson"}, "loss must be 'auto', 'logistic' or 'multinomial'; got 'poisson'"),
        ({"alpha": -1.0}, "alpha"),
        ({"criterion": "aic"}, "criterion must be"),
        ({"weight_kind": "count"}, "weight_kind must be"),
        ({"class_weight": "even"}, "class_weight must be None, 'balanced' or a mapping"),
        ({"class_weight": {"maybe": 2.0}}, "class_weight names 'maybe', which is not a class of y"),
        ({"class_weight": {"no": 0.0}}, r"class_weight\['no'\] is 0; a number above 0 is needed"),
    ],
)
def test_bad_parameters_are_said_when_fitting(asked, message):
    with pytest.raises(es.InputError, match=message):
        es.L2Classifier(**asked).fit(X, Y)


def test_bad_labels_are_said_when_fitting():
    with pytest.raises(es.InputError, match="one class only, 'yes'"):
        es.L2Classifier().fit(X, np.full(60, "yes"))
    with pytest.raises(es.InputError, match="class"):
        es.L2Classifier().fit(X, Y, sample_weight=Y == "no")
    with pytest.raises(es.InputError, match="loss='logistic' tells two classes apart; y has 3"):
        es.L2Classifier("logistic").fit(MANY.X, MANY.y)
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        es.L2Classifier().fit(X, np.linspace(0, 1, 60))


def test_unfitted():
    with pytest.raises(NotFittedError):
        es.L2Classifier().predict_proba(X)
