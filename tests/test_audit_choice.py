"""An optimum at an end, a flat one, criteria that disagree, an intercept that is missing."""

from __future__ import annotations

import re

import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_allclose
from sklearn.datasets import load_diabetes

import eigenshrink as es
from audit_studies import finding
from eigenshrink.audit import Examined
from eigenshrink.audit.choice import PENALISE_IT, missing_intercept
from eigenshrink.units import PEERS
from oracles import make, objective, solve

END, FLAT, AGREE, INTERCEPT = "optimum at an end", "flat optimum", "agreement of criteria", "intercept"


def data(seed, n, p, noise=1.0, t=None):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    truth = rng.normal(size=(p, t or 1)) / np.sqrt(p)
    y = X @ truth + noise * rng.normal(size=(n, t or 1))
    return X, y if t else y[:, 0]


# --- ends ---------------------------------------------------------------------------------------------


def useless():
    """Columns of noise that seed 3 makes leave-one-out give up altogether."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(80, 6))
    y = rng.normal(size=80)
    return X, y - X @ np.linalg.lstsq(X, y, rcond=None)[0]


def test_columns_without_use_are_warned_of():
    study = es.study(*useless(), criterion="loo")
    assert study.alpha == np.inf
    found = finding(study, END)
    assert (found.verdict, found.value) == ("warn", 1)
    assert "leave-one-out takes α = ∞" in found.meaning
    assert "no use" in found.meaning
    assert found.advice


def test_columns_that_are_not_shown_to_be_of_use():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(25, 4))
    y = 0.35 * X[:, 0] + rng.normal(size=25)
    study = es.study(X, y, criterion="loo", select="strongest-equivalent")
    assert np.isinf(study.alpha)
    found = finding(study, END)
    assert found.verdict == "warn"
    assert "no use of those columns is shown" in found.meaning
    assert finding(es.study(X, y, criterion="loo"), END).verdict == "pass"


def test_the_targets_at_an_end_are_named():
    X, y = useless()
    study = es.study(X, np.c_[y, X[:, 0] + y, -y, 2 * y, 3 * y], criterion="loo")
    found = finding(study, END)
    assert (found.verdict, found.value) == ("warn", 4)
    assert "for 'y0', 'y2', 'y3' and 1 more" in found.meaning


def test_an_optimum_at_zero_with_rows_to_spare_is_no_doubt():
    X, y = data(0, 200, 4, noise=0.0)
    study = es.study(X, y, criterion="loo")
    assert study.alpha == 0.0
    found = finding(study, END)
    assert (found.verdict, found.value) == ("pass", 0)
    assert "195 observations to spare" in found.meaning
    assert "does not help" in found.meaning


@pytest.mark.parametrize("criterion", ["loo", "evidence"])
def test_an_optimum_at_zero_that_fits_every_row_is_a_doubt(criterion):
    """Noise-free and wide: every criterion wants the interpolation, and nothing is left to judge it by."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(20, 25)) @ np.diag(np.logspace(0, -9, 25))
    study = es.study(X, X[:, 0], criterion=criterion)
    assert study.choice.boundary in ("zero", "flat")
    found = finding(study, END)
    assert found.verdict == "warn"
    assert "every row is fitted exactly" in found.meaning
    assert ("flat" in found.meaning) == (study.choice.boundary == "flat")


def test_inner_given_and_missing_strengths_pass():
    X, y = data(0, 60, 5)
    assert "between 0 and ∞" in finding(es.study(X, y), END).meaning
    for alpha in (0.0, 1.0, np.inf):
        found = finding(es.study(X, y, alpha=alpha), END)
        assert found.verdict == "pass"
        assert "was given" in found.meaning
    free = finding(es.study(X, y, penalty_factor=np.zeros(5)), END)
    assert free.verdict == "pass"
    assert "Nothing that varies is penalised" in free.meaning


# --- flat ---------------------------------------------------------------------------------------------


def test_rows_that_do_not_settle_the_strength_are_warned_of():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(25, 4))
    study = es.study(X, 0.35 * X[:, 0] + rng.normal(size=25), criterion="loo")
    assert study.choice.interval == (0.0, np.inf)
    found = finding(study, FLAT)
    assert (found.verdict, found.value, found.threshold) == ("warn", 1.0, 0.99)
    assert "from 0 to ∞" in found.meaning
    assert found.advice


def test_the_interval_is_measured_in_effective_parameters():
    X, y = data(0, 150, 20, t=2)
    study = es.study(X, y, criterion="loo")
    found = finding(study, FLAT)
    assert found.verdict == "pass"
    lost = [
        study.path.effective_parameters(low) - study.path.effective_parameters(high)
        for low, high in study.choice.interval
    ]
    assert_allclose(found.value, max(lost) / 20, rtol=1e-9)
    assert f"of target 'y{int(np.argmax(lost))}'" in found.meaning


def test_many_decades_in_which_nothing_moves_are_not_flat():
    X, y = data(0, 2000, 3, noise=0.1)
    study = es.study(X, y, criterion="loo")
    low, high = study.choice.interval
    assert high > 1e4 * low
    found = finding(study, FLAT)
    assert found.verdict == "pass"
    assert found.value < 0.05


@pytest.mark.parametrize("more", [{"criterion": "gcv"}, {"alpha": 1.0}, {"penalty_factor": [0, 0, 0]}])
def test_without_an_interval_nothing_is_said(more):
    found = finding(es.study(*data(0, 30, 3), **more), FLAT)
    assert (found.verdict, found.value) == ("pass", 0.0)


# --- agreement ----------------------------------------------------------------------------------------


def disagreeing():
    """Ten columns of one patient each, in raw units: evidence shrinks more than leave-one-out can bear."""
    loaded = load_diabetes(scaled=False)
    return loaded.data, loaded.target


def test_criteria_that_disagree_are_warned_of():
    X, y = disagreeing()
    study = es.study(X, y, criterion="loo")
    assert not study.choice.agreement.agrees
    found = finding(study, AGREE)
    assert found.verdict == "warn"
    assert found.value == sum(not inside for inside in study.choice.agreement.inside.values()) > 0
    assert "evidence takes" in found.meaning
    assert found.advice


def test_the_target_with_most_disagreement_is_named():
    X, y = disagreeing()
    Y = np.c_[X[:, 2] + 3 * np.random.default_rng(5).normal(size=len(X)), y]
    study = es.study(X, Y, criterion="loo")
    assert [found.agrees for found in study.choice.agreement] == [True, False]
    found = finding(study, AGREE)
    assert found.verdict == "warn"
    assert "'y1'" in found.meaning


def test_criteria_that_agree_pass():
    for target in (None, 2):
        found = finding(es.study(*data(0, 150, 10, t=target), criterion="loo"), AGREE)
        assert (found.verdict, found.value) == ("pass", 0)
        assert "agree with leave-one-out" in found.meaning
    given = finding(es.study(*data(0, 30, 3), alpha=1.0), AGREE)
    assert given.verdict == "pass"
    assert "No criterion chose" in given.meaning


# --- intercept ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [0.0, 1e-3, 0.5, 30.0, np.inf])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"weights": "precision", "t": 2},
        {"weights": "frequency", "factors": True},
        {"free": 2, "factors": True},
    ],
)
@pytest.mark.parametrize("n", [25, 6])
def test_what_a_free_intercept_would_remove(alpha, more, n):
    """Against refits with and without it."""
    problem = make(4, n, 5 if n > 5 else 8, intercept=False, **more)
    study = problem.study(alpha=alpha)
    value, removed, paid = missing_intercept(
        Examined(study.path, study.risk, study.choice, study.feature_names)
    )
    (coef, fitted), without = solve(problem.with_(intercept=True), alpha), solve(problem, alpha)[0]
    none = np.zeros(len(fitted))
    error, price = (
        1 - objective(problem, strength, coef, fitted) / objective(problem, strength, without, none)
        for strength in (0.0, min(alpha, 1e12))
    )
    assert_allclose(value, fitted, rtol=1e-7)
    assert_allclose(removed, np.maximum(error, 0), rtol=1e-6, atol=1e-9)
    assert_allclose(paid, price, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("wrap", [np.asarray, scipy.sparse.csr_array])
def test_a_missing_intercept_is_warned_of(wrap):
    X, y = data(0, 80, 4, noise=0.5)
    found = finding(es.study(wrap(X), y + 3, fit_intercept=False), INTERCEPT)
    assert found.verdict == "warn"
    assert found.threshold == 0.1 < found.value
    assert "a free one of 3" in found.meaning or "a free one of 2.9" in found.meaning
    assert "fit_intercept=True" in found.advice


@pytest.mark.parametrize("wrap", [np.asarray, scipy.sparse.csr_array])
def test_a_penalised_constant_column_is_named(wrap):
    X, y = data(0, 80, 4, noise=0.5)
    study = es.study(wrap(np.c_[X, np.ones(80)]), y + 3, fit_intercept=False, alpha=0.5)
    found = finding(study, INTERCEPT)
    assert found.verdict == "warn"
    assert "a penalised constant column" in found.meaning
    assert "Give 'x4' penalty_factor 0" in found.advice
    free = es.study(
        wrap(np.c_[X, np.ones(80)]), y + 3, fit_intercept=False, alpha=0.5, penalty_factor=[1, 1, 1, 1, 0]
    )
    found = finding(free, INTERCEPT)
    assert (found.verdict, found.value) == ("pass", 0.0)


def test_centred_data_need_no_intercept():
    X, y = data(0, 80, 4)
    found = finding(es.study(X - X.mean(axis=0), y - y.mean(), fit_intercept=False), INTERCEPT)
    assert found.verdict == "pass"
    assert found.value < 1e-20


def test_a_true_line_through_the_origin_needs_none_either():
    rng = np.random.default_rng(0)
    X = rng.uniform(1, 2, size=(100, 3))
    y = X.sum(axis=1) + 0.3 * rng.normal(size=100)
    found = finding(es.study(X, y, fit_intercept=False, criterion="loo"), INTERCEPT)
    assert found.verdict == "pass"
    assert found.value < 0.1


def test_one_target_of_several_without_its_intercept_is_named():
    X, y = data(0, 80, 4, t=3)
    X, y = X - X.mean(axis=0), y - y.mean(axis=0) + [0.0, 5.0, 0.1]
    found = finding(es.study(X, y, fit_intercept=False), INTERCEPT)
    assert found.verdict == "warn"
    assert "of target 'y1'" in found.meaning


def test_an_intercept_that_is_fitted_passes_and_says_who_would_penalise_it():
    X, y = data(0, 80, 4)
    X, y = X + 1.0, y + 20
    study = es.study(X, y, alpha=0.2)
    found = finding(study, INTERCEPT)
    assert (found.verdict, found.value) == ("pass", 0.0)
    assert PENALISE_IT in found.meaning
    moved = float(re.search(r"up to (\S+) sd", found.meaning)[1])
    penalised = es.study(np.c_[X, np.ones(80)], y, fit_intercept=False, alpha=0.2).predict(
        np.c_[X, np.ones(80)]
    )
    apart = np.abs(np.mean(study.predict(X) - penalised)) / y.std()
    assert 0.1 * moved < apart <= 1.01 * moved
    assert "up to 0 sd" in finding(es.study(X, y, alpha=0.0), INTERCEPT).meaning


def test_the_peers_that_are_named_do_penalise_it():
    for name, note, word in (
        ("statsmodels.OLS", "a scalar penalises it", "statsmodels with a scalar alpha"),
        ("sklearn.LogisticRegression", "'liblinear' penalises the intercept", "liblinear"),
        ("torch.SGD", "Biases are penalised", "torch with biases among the weights"),
    ):
        assert note in str(PEERS[name])
        assert word in PENALISE_IT
