"""GLMs of real data from end to end, of nothing but noise, and of responses that cannot be."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits

import eigenshrink as es
import glm_oracles as oracles
from glm_oracles import Glm
from glm_problems import breast_cancer, cpunish, fair, make, randhie, scotland, spector, star98, wine


def digits(n: int = 300) -> Glm:
    """Ten classes, 64 columns of which some are empty."""
    X, y = load_digits(return_X_y=True)
    return Glm("multinomial", X[:n], y[:n])


REAL = {
    "breast cancer": breast_cancer,
    "wine": wine,
    "digits": digits,
    "fair": lambda: fair(1000),
    "spector": spector,
    "randhie": lambda: randhie(2000),
    "cpunish": cpunish,
    "star98": star98,
    "scotland": scotland,
}


# --- real data ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REAL)
def test_real_data_from_end_to_end(name):
    problem = REAL[name]()
    study = problem.study()
    assert 0.0 <= study.alpha < np.inf
    assert study.path.certificate(study.alpha, relative=True) <= 1e-8 * (1 + 1e-6) or study.alpha == 0.0
    assert 0 < study.effective_parameters <= problem.outputs * (problem.X.shape[1] + 1)
    assert np.all(np.isfinite(study.coef()))
    told = json.loads(json.dumps(study.to_dict(), allow_nan=False))
    assert told["loss"] == problem.loss
    assert len(study.summary().splitlines()) > 5
    assert len(study.audit) > 0


def test_digits_are_read_well():
    X, y = load_digits(return_X_y=True)
    study = digits().study(validation=(X[300:1200], y[300:1200]))
    guesses = np.array(study.classes)[study.predict(X[1200:]).argmax(axis=1)]
    assert np.mean(guesses == y[1200:]) > 0.85
    empty = np.ptp(X[:300], axis=0) == 0
    assert empty.sum() >= 3
    assert np.all(study.coef()[:, empty] == 0.0)


def test_raw_columns_of_very_different_sizes():
    """Breast cancer as it comes: sizes from 1e-3 to 1e3."""
    from sklearn.datasets import load_breast_cancer

    X, y = load_breast_cancer(return_X_y=True)
    problem = Glm("logistic", X, y)
    study = problem.study(standardize=True)
    standard = breast_cancer().study()
    scale = X.std(axis=0)
    for alpha in (0.0037, 0.0513, 0.9):
        np.testing.assert_allclose(study.coef(alpha) * scale, standard.coef(alpha), atol=1e-7)
    truth = oracles.coef(problem, oracles.solve(problem, 0.1))
    plain = problem.study()
    assert oracles.distance(problem, plain.coef(0.1), truth) <= 1e-7 * np.linalg.norm(truth)


# --- nothing to learn ---------------------------------------------------------------------------------


@pytest.mark.parametrize("criterion", ["auto", "loo", "evidence"])
@pytest.mark.parametrize("loss", ["logistic", "poisson", "multinomial"])
def test_noise_is_shrunk_away(loss, criterion):
    """Most seeds end near the null model; leave-one-out may keep a direction now and then."""
    left = []
    for seed in range(15):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(80, 5))
        y = {
            "logistic": rng.integers(0, 2, 80),
            "multinomial": rng.integers(0, 3, 80),
            "poisson": rng.poisson(3.0, 80).astype(float),
        }[loss]
        study = es.study(X, y, loss=loss, criterion=criterion)
        share = study.path.effective_parameters(study.alpha, penalised_only=True)
        left.append(share / study.path.effective_parameters(1e-6, penalised_only=True))
    assert np.mean(np.array(left) < 0.3) >= 0.6
    assert np.median(left) < 0.2


# --- responses that cannot be -------------------------------------------------------------------------


BAD = {
    "negative counts": ("poisson", [1.0, -2.0, 0.0], "y"),
    "a count that is missing": ("poisson", [1.0, np.nan, 0.0], "y"),
    "no counts at all": ("poisson", [0.0, 0.0, 0.0], "y"),
    "gamma at zero": ("gamma", [1.0, 0.0, 2.0], "y"),
    "gamma below zero": ("gamma", [1.0, -1.0, 2.0], "y"),
    "inverse Gaussian at zero": ("inverse_gaussian", [1.0, 0.0, 2.0], "y"),
    "negative Tweedie": ("tweedie", [1.0, -0.5, 0.0], "y"),
    "one class": ("logistic", ["a", "a", "a"], "class"),
    "three classes of two": ("logistic", ["a", "b", "c"], "class"),
    "one class of many": ("multinomial", ["a", "a", "a"], "class"),
    "fractions above one": ("binomial", [0.5, 1.2, 0.3], "y"),
    "fractions below zero": ("binomial", [0.5, -0.2, 0.3], "y"),
    "negative trials": ("binomial", [[1.0, 2.0], [-1.0, 3.0], [1.0, 1.0]], "y"),
    "no trials": ("binomial", [[1.0, 2.0], [0.0, 0.0], [1.0, 1.0]], "y"),
    "words to be counted": ("poisson", ["one", "two", "three"], "y"),
    "infinite": ("huber", [1.0, np.inf, 2.0], "y"),
    "two columns of counts": ("poisson", [[1.0, 2.0], [1.0, 3.0], [1.0, 1.0]], "y"),
}


def assert_one_plain_sentence(error: es.InputError, word: str) -> None:
    said = str(error)
    assert word in said.lower()
    assert "\n" not in said
    assert "Traceback" not in said
    assert 20 < len(said) < 300


@pytest.mark.parametrize("what", BAD)
def test_bad_responses_are_refused_in_one_plain_sentence(what):
    loss, y, word = BAD[what]
    X, rows = np.random.default_rng(0).normal(size=(12, 2)), np.array(y * 4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(es.InputError) as error:
            es.study(X, rows, loss=loss)
    assert_one_plain_sentence(error.value, word)


@pytest.mark.parametrize("loss", ["logistic", "multinomial"])
def test_a_class_that_was_not_learned_cannot_be_judged(loss):
    problem = make(3, loss)
    unseen = np.array(["zebra"] * 10) if loss == "multinomial" else np.full(10, 7)
    with pytest.raises(es.InputError) as error:
        problem.study(validation=(problem.X[:10], unseen))
    assert_one_plain_sentence(error.value, "validation")
    assert ("zebra" if loss == "multinomial" else "7") in str(error.value)


@pytest.mark.parametrize(
    ("loss", "word"),
    [("logit", "logistic"), ("tweedie:2.5", "tweedie"), ("tweedie:x", "tweedie"), ("huber:-1", "huber"),
     ("Poisson", "poisson"), (3, "loss")],
)  # fmt: skip
def test_unknown_losses_are_refused_with_a_hint(loss, word):
    problem = make(3, "poisson")
    with pytest.raises(es.InputError) as error:
        es.study(problem.X, problem.y, loss=loss)
    assert_one_plain_sentence(error.value, word)


@pytest.mark.parametrize("offset", [np.ones(3), np.full(50, np.nan), np.ones((50, 2)), "exposure"])
def test_offsets_that_do_not_fit_are_refused(offset):
    problem = make(3, "poisson")
    with pytest.raises(es.InputError) as error:
        problem.with_(offset=offset).study()
    assert_one_plain_sentence(error.value, "offset")
