"""The regressor of scikit-learn with losses that are not squared: numbers of every kind, offsets, scores."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import GammaRegressor, PoissonRegressor, TweedieRegressor
from sklearn.metrics import d2_tweedie_score, r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import eigenshrink as es
from glm_problems import make

ALPHA = 0.03
NUMBERS = ("poisson", "gamma", "inverse_gaussian", "tweedie:1.3", "binomial", "huber:1.2")


def fitted(loss: str, **asked) -> tuple[es.L2Regressor, np.ndarray, np.ndarray]:
    problem = make(4, loss, 60, 4, offset=False)
    y = problem.response if loss == "binomial" else problem.y
    return es.L2Regressor(loss, **asked).fit(problem.X, y), problem.X, y


@pytest.mark.parametrize("loss", ["poisson", "tweedie:1.3", "huber"])
def test_scikit_learn_accepts_it(loss):
    failed = [
        f"{check['check_name']}: {check['exception']}"
        for check in check_estimator(es.L2Regressor(loss), on_fail=None, on_skip=None)
        if check["status"] not in ("passed", "skipped")
    ]
    assert failed == []


@pytest.mark.parametrize("loss", NUMBERS)
def test_it_is_the_study(loss):
    model, X, y = fitted(loss)
    study = es.study(X, y, loss=loss)
    assert_array_equal(model.coef_, study.coef())
    assert model.coef_.shape == (4,)
    assert model.intercept_ == study.intercept()
    assert model.alpha_ == study.alpha
    assert model.loss_ == study.loss
    assert model.effective_parameters_ == study.effective_parameters
    assert_allclose(model.predict(X), study.predict(X), rtol=1e-12)
    back = pickle.loads(pickle.dumps(model))
    assert_array_equal(back.predict(X), model.predict(X))
    assert back.score(X, y) == model.score(X, y)
    assert not hasattr(back, "study_")


@pytest.mark.parametrize(
    ("loss", "peer"),
    [
        ("poisson", PoissonRegressor),
        ("gamma", GammaRegressor),
        ("tweedie:1.3", lambda **asked: TweedieRegressor(power=1.3, link="log", **asked)),
    ],
)
def test_it_is_scikit_learns(loss, peer):
    model, X, y = fitted(loss, alpha=ALPHA)
    theirs = peer(alpha=ALPHA, solver="newton-cholesky", tol=1e-10).fit(X, y)
    assert_allclose(model.coef_, theirs.coef_, rtol=1e-6)
    assert_allclose(model.predict(X), theirs.predict(X), rtol=1e-6)
    s = np.arange(60) % 3 + 1.0
    assert model.score(X, y, s) == pytest.approx(theirs.score(X, y, s), rel=1e-6)


def test_scores_are_shares_of_deviance():
    model, X, y = fitted("poisson", alpha=ALPHA)
    assert model.score(X, y) == pytest.approx(d2_tweedie_score(y, model.predict(X), power=1))
    model, X, y = fitted("inverse_gaussian", alpha=ALPHA)
    assert model.score(X, y) == pytest.approx(d2_tweedie_score(y, model.predict(X), power=3))
    model, X, y = fitted("huber:1000", alpha=ALPHA)
    assert model.score(X, y) == pytest.approx(r2_score(y, model.predict(X)))


def test_huber_finds_its_corner_and_remembers_it():
    model, X, y = fitted("huber")
    name, _, corner = model.loss_.partition(":")
    assert name == "huber"
    assert 0.1 < float(corner) < 10
    assert np.isfinite(pickle.loads(pickle.dumps(model)).score(X, y))


def test_successes_and_failures_are_fractions_of_trials():
    problem = make(4, "binomial", 60, 4)
    pairs = es.L2Regressor("binomial", alpha=ALPHA).fit(problem.X, problem.y)
    trials = problem.y.sum(axis=1)
    shares = es.L2Regressor("binomial", alpha=ALPHA).fit(problem.X, problem.y[:, 0] / trials, trials)
    assert_allclose(pairs.coef_, shares.coef_, rtol=1e-8)
    assert pairs.predict(problem.X).shape == (60,)
    assert pairs.score(problem.X, problem.y) == pytest.approx(
        shares.score(problem.X, problem.y[:, 0] / trials, trials)
    )


def test_exposure_is_an_offset():
    problem = make(5, "poisson", 60, 4, offset=True)
    model = es.L2Regressor("poisson", alpha=ALPHA).fit(problem.X, problem.y, offset=problem.offset)
    assert_array_equal(model.coef_, problem.study(alpha=ALPHA).coef())
    exposed = model.predict(problem.X) * np.exp(problem.offset)
    assert_allclose(model.predict(problem.X, problem.offset), exposed)
    assert model.score(problem.X, problem.y, offset=problem.offset) > model.score(problem.X, problem.y)
    with pytest.raises(es.InputError, match="one number per row is needed"):
        model.predict(problem.X, problem.offset[:3])
    with sklearn.config_context(enable_metadata_routing=True):
        routed = es.L2Regressor("poisson", alpha=ALPHA).set_fit_request(offset=True)
        pipeline = make_pipeline(StandardScaler(with_std=False), routed)
        pipeline.fit(problem.X, problem.y, offset=problem.offset)
    assert_allclose(pipeline[-1].coef_, model.coef_, rtol=1e-6)


def test_squared_loss_takes_an_offset_too():
    problem, offset = make(4, "squared", 60, 4), np.linspace(-3, 3, 60)
    with_it = es.L2Regressor(alpha=ALPHA).fit(problem.X, problem.y + offset, offset=offset)
    without = es.L2Regressor(alpha=ALPHA).fit(problem.X, problem.y)
    assert_allclose(with_it.coef_, without.coef_, rtol=1e-8)
    assert_allclose(with_it.predict(problem.X, offset), without.predict(problem.X) + offset)


def test_searches_and_clones():
    problem = make(4, "poisson", 60, 4, offset=False)
    asked = {"loss": ["poisson", "tweedie:1.2"]}
    search = GridSearchCV(es.L2Regressor(), asked, cv=3, scoring="neg_mean_absolute_error")
    assert search.fit(problem.X, problem.y).best_params_["loss"] in asked["loss"]
    assert cross_val_score(es.L2Regressor("poisson"), problem.X, problem.y, cv=3).shape == (3,)
    assert repr(clone(es.L2Regressor("poisson", alpha=0.5))) == "L2Regressor(alpha=0.5, loss='poisson')"


def test_float32_stays_float32():
    problem = make(4, "poisson", 60, 4, offset=False)
    X = problem.X.astype(np.float32)
    model = es.L2Regressor("poisson", alpha=ALPHA).fit(X, problem.y)
    assert model.coef_.dtype == model.predict(X).dtype == np.float32


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ("logistic", "tells classes apart: use L2Classifier"),
        ("multinomial", "tells classes apart: use L2Classifier"),
        ("poison", "loss must be one of"),
        ("tweedie:3", "tweedie"),
        ("gamma", "Gamma needs y > 0|gamma needs y > 0"),
    ],
)
def test_losses_and_targets_that_cannot_be(loss, message):
    problem = make(4, "squared", 60, 4)
    with pytest.raises(es.InputError, match=message):
        es.L2Regressor(loss).fit(problem.X, problem.y)
