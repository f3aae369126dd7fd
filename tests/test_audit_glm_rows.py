"""Checks of rows, columns and of the choice that squared loss has too, asked of other losses."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from scipy.special import expit

import eigenshrink as es
from audit_studies import finding
from eigenshrink.audit.columns import combined_weights
from eigenshrink.audit.groups import _Agreement
from eigenshrink.audit.left_out import Answers
from glm_problems import make

COPIES, GROUPS, GIVEN, TIME = "duplicate rows", "likely groups", "groups", "time order"
EXTREME, LEVERAGE, COLLINEAR, END = "extreme rows", "leverage", "collinear columns", "optimum at an end"


def draw(loss: str, eta: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    ways = {
        "logistic": lambda: (rng.random(len(eta)) < expit(eta)).astype(int),
        "poisson": lambda: rng.poisson(np.exp(eta)).astype(float),
        "gamma": lambda: rng.gamma(3.0, np.exp(eta) / 3.0),
        "multinomial": lambda: np.where(rng.random(len(eta)) < expit(eta), 2, rng.integers(2, size=len(eta))),
    }
    return ways[loss]()


def data(loss: str, n=300, seed=1, extra=0.0) -> tuple[np.ndarray, np.ndarray]:
    """Four columns, of which the first matters; ``extra`` is what the columns do not say."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    return X, draw(loss, X[:, 0] + extra, rng)


LOSSES = ("logistic", "multinomial", "poisson", "gamma")


# --- copies -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES)
def test_copies_are_found(loss):
    X, y = data(loss, 120)
    picked = np.r_[np.arange(120), np.arange(60)]
    study = es.study(X[picked], y[picked], loss=loss, criterion="loo")
    found = finding(study, COPIES)
    assert found.verdict in ("warn", "fail")
    assert found.value == 60
    assert "60 of 180 rows are exact copies" in found.meaning
    assert finding(es.study(X, y, loss=loss), COPIES).verdict == "pass"


def test_copies_that_hide_the_error_are_a_fail():
    X, y = data("logistic", 60)
    X = np.hstack([X, np.random.default_rng(0).normal(size=(60, 30))])
    twice = np.tile(np.arange(60), 4)
    study = es.study(X[twice], y[twice], loss="logistic", criterion="loo")
    found = finding(study, COPIES)
    assert found.verdict == "fail"
    assert not study.audit.ok
    grouped = es.study(X[twice], y[twice], loss="logistic", groups=twice, criterion="leave_group_out")
    assert finding(grouped, COPIES).verdict == "warn"


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("values", [2, 5])
def test_rows_that_coincide_by_design_are_no_copies(seed, values):
    """Discrete columns repeat, and so do 0 and 1; with 5 values for each of 4 columns only some repeat."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, values, (400, 4)).astype(float)
    y = draw("logistic", X[:, 0] - X[:, 1], rng)
    assert finding(es.study(X, y, loss="logistic"), COPIES).verdict == "pass"


def test_rows_without_their_label_are_left_out_by_fits():
    X, y = data("logistic", 40)
    codes = np.r_[np.arange(40), 0, 0, 7]
    X, y = X[codes], y[codes]
    answers = Answers.of(es.study(X, y, loss="logistic", alpha=0.5).path, 0.5)
    for code in (0, 7, 11):
        out = codes == code
        fit = es.study(X[~out], y[~out], loss="logistic", alpha=0.5 * 43 / (43 - out.sum()))
        p = fit.predict(X[out])
        assert_allclose(answers.together(codes)[out], -np.log(np.where(y[out] == 1, p, 1 - p)), rtol=2e-2)
        agree = answers.agreement(codes, np.flatnonzero(out))
        assert agree == pytest.approx(np.mean(p**2 + (1 - p) ** 2), rel=2e-2)


def test_counts_agree_as_often_as_the_formula_says():
    X, y = data("poisson", 50)
    study = es.study(X, y, loss="poisson", alpha=np.inf)
    answers = Answers.of(study.path, np.inf)
    pairs = np.random.default_rng(0).poisson(study.predict(X[:1])[0], (2, 40_000))
    wanted = np.mean(pairs[0] == pairs[1])
    assert answers.agreement(np.arange(50), np.arange(50)) == pytest.approx(wanted, abs=0.01)


# --- order and groups ---------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES)
def test_rows_in_order_of_what_columns_do_not_say(loss):
    wave = 2.0 * np.sin(np.arange(400) / 15)
    found = finding(es.study(*data(loss, 400, extra=wave), loss=loss), TIME)
    assert found.verdict == "warn"
    assert found.value > found.threshold
    assert finding(es.study(*data(loss, 400), loss=loss), TIME).verdict == "pass"


@pytest.mark.parametrize("loss", ["logistic", "poisson"])
def test_rows_sorted_by_a_column_are_in_no_order(loss):
    """Ranks of residuals would follow the mean, which follows the column; residuals do not."""
    for seed in range(8):
        X, y = data(loss, 400, seed)
        order = np.argsort(X[:, 0])
        assert finding(es.study(X[order], y[order], loss=loss), TIME).verdict == "pass"


@pytest.mark.parametrize("loss", LOSSES)
def test_an_id_among_the_columns(loss):
    site = np.random.default_rng(5).integers(0, 12, 400)
    X, y = data(loss, 400, extra=1.5 * np.random.default_rng(6).normal(size=12)[site])
    found = finding(es.study(np.column_stack([X, site]), y, loss=loss), GROUPS)
    assert found.verdict == "warn"
    assert "'x4' (12 values" in found.meaning
    X, y = data(loss, 400)
    assert finding(es.study(np.column_stack([X, site]), y, loss=loss), GROUPS).verdict == "pass"


def test_the_class_that_is_alike_is_named():
    rng = np.random.default_rng(5)
    site = rng.integers(0, 12, 400)
    X, y = data("multinomial", 400, extra=2.0 * rng.normal(size=12)[site])
    labels = np.array(["oak", "elm", "yew"])[y]
    found = finding(es.study(np.column_stack([X, site]), labels, loss="multinomial"), GROUPS)
    assert "of class 'yew'" in found.meaning


def test_groups_that_were_given():
    site = np.repeat(np.arange(40), 10)
    X, y = data("logistic", 400, extra=2.0 * np.random.default_rng(6).normal(size=40)[site])
    apart = finding(es.study(X, y, loss="logistic", groups=site, criterion="loo"), GIVEN)
    assert apart.verdict == "fail"
    assert finding(es.study(X, y, loss="logistic", groups=site), GIVEN).verdict == "pass"


# --- single rows --------------------------------------------------------------------------------------


def test_an_impossible_label_is_named():
    X, y = data("logistic", 600)
    rng = np.random.default_rng(3)
    y = draw("logistic", 3 * X[:, 0], rng)
    X[17], y[17] = [6, 0, 0, 0], 0
    found = finding(es.study(X, y, loss="logistic", alpha=1e-4), EXTREME)
    assert found.verdict == "warn"
    assert found.meaning.startswith("Row 17: nearly impossible for the model without it")
    assert found.threshold == pytest.approx(np.log(2 * 600 / 1e-3))


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
def test_an_impossible_number_is_named(loss):
    X, y = data(loss)
    assert finding(es.study(X, y, loss=loss), EXTREME).verdict == "pass"
    y[8] = 150.0
    found = finding(es.study(X, y, loss=loss), EXTREME)
    assert found.verdict == "warn"
    assert "Row 8" in found.meaning


def test_many_counts_that_spread_alike_are_not_extreme():
    rng = np.random.default_rng(2)
    X, _ = data("poisson", 400)
    y = rng.poisson(3.0 * rng.gamma(2.0, 0.5, 400)).astype(float)
    study = es.study(X, y, loss="poisson")
    assert finding(study, "overdispersion").verdict == "warn"
    assert finding(study, EXTREME).verdict == "pass"


def test_leverage_matters_where_the_loss_does():
    X, y = data("poisson", 300)
    X[4], y[4] = [5.0, 0, 0, 0], 150.0
    found = finding(es.study(X, y, loss="poisson", alpha=1e-4), LEVERAGE)
    assert found.verdict == "pass"
    assert "Row 4" in found.meaning
    assert "yet left out only" in found.meaning
    y[4] = 1.0
    found = finding(es.study(X, y, loss="poisson", alpha=1e-4), LEVERAGE)
    assert found.verdict == "warn"
    assert "of the loss" in found.meaning


# --- columns and the choice ---------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["logistic", "poisson"])
def test_combinations_of_weights_are_statsmodels(loss):
    X, y = data(loss)
    study = es.study(X, y, loss=loss, alpha=0.0)
    estimate, error = combined_weights(study.path, np.array([0, 2]), np.array([1.0, -2.0]))
    family = {"logistic": sm.families.Binomial(), "poisson": sm.families.Poisson()}[loss]
    peer = sm.GLM(y, sm.add_constant(X), family=family).fit(tol=1e-12).t_test([0, 1, 0, -2, 0])
    assert_allclose(estimate, peer.effect, rtol=1e-5)
    assert_allclose(error, np.ravel(peer.sd), rtol=1e-5)


def test_combinations_of_weights_of_classes():
    problem = make(2, "multinomial", 150, 3)
    study = problem.study(alpha=0.0)
    estimate, error = combined_weights(study.path, np.array([1]), np.array([1.0]))
    assert_allclose(estimate, study.coef()[:, 1], rtol=1e-6)
    assert_allclose(error, study.standard_errors()[:, 1], rtol=1e-4)


@pytest.mark.parametrize("loss", LOSSES)
def test_columns_that_nearly_follow_from_each_other(loss):
    X, y = data(loss)
    X[:, 3] = X[:, 1] + 0.01 * X[:, 3]
    found = finding(es.study(X, y, loss=loss), COLLINEAR)
    assert found.verdict == "warn"
    assert "nearly follow from each other (condition index 2" in found.meaning
    assert "not determined" in found.meaning
    X[:, 3] = X[:, 1] - 2 * X[:, 2]
    assert "follows from" in finding(es.study(X, y, loss=loss), COLLINEAR).meaning


def test_an_optimum_without_columns():
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(300, 30)), rng.integers(0, 2, 300)
    study = es.study(X, y, loss="logistic", criterion="evidence")
    assert np.isinf(study.alpha)
    assert finding(study, END).verdict == "warn"
    assert finding(es.study(*data("logistic"), loss="logistic"), END).verdict == "pass"


def test_copies_of_rows_in_weights_give_the_same_findings():
    X, y = data("poisson", 100)
    s = np.arange(100) % 3 + 1
    study = es.study(X, y, loss="poisson", sample_weight=s, weight_kind="frequency", alpha=0.05)
    verdicts = {found.check: found.verdict for found in study.audit}
    assert verdicts[COPIES] in ("warn", "fail", "pass")
    assert study.audit.ok or verdicts[COPIES] == "fail"


@pytest.mark.parametrize("shift", [0.0, -4.0])
@pytest.mark.parametrize("groups", [5, 60])
def test_groups_of_independent_rows_are_alike_as_rarely_as_said(shift, groups):
    """Also with classes of few rows, whose residuals are far from normal."""
    rng = np.random.default_rng(7)
    alarms = 0
    for _ in range(400):
        p = expit(rng.normal(size=400) + shift)
        residual = ((rng.random(400) < p) - p) / np.sqrt(p * (1 - p))
        codes = np.unique(np.floor(groups * rng.random(400) ** 2), return_inverse=True)[1]
        alarms += _Agreement.of_pairs(0, codes, residual[:, None]).chance < 0.01
    assert alarms <= 12  # four are expected, twelve once in a thousand


def test_the_correlation_of_pairs_is_their_mean_product():
    rng = np.random.default_rng(7)
    codes, residual = rng.integers(0, 9, 60), rng.normal(size=(60, 2))
    same = (codes[:, None] == codes) & ~np.eye(60, dtype=bool)
    means = [np.outer(r, r)[same].mean() / np.mean(r**2) for r in residual.T]
    found = _Agreement.of_pairs(0, codes, residual)
    assert found.alike == pytest.approx(means[found.target])
    assert found.needed(found.chance) == pytest.approx(found.alike, abs=1e-6)
