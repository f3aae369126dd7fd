"""Checks that only losses other than the squared one have: what each measures, and when it speaks."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from scipy.special import expit, log_softmax

import eigenshrink as es
from audit_studies import finding
from eigenshrink.audit.left_out import Answers
from eigenshrink.audit.predictions import recalibrate
from glm_problems import LOSSES, make, wine

SEPARATION, IMBALANCE, SPREAD = "separation", "class imbalance", "overdispersion"
SLOPE, PROOF, ONE_STEP = "calibration", "quadratic validity", "approximate leave-one-out"


def logistic(n=200, p=4, shift=0.0, size=1.0, seed=1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    return X, (rng.random(n) < expit(size * X[:, 0] + shift)).astype(int)


def counts(n=300, spread=0.0, mean=2.0, seed=1) -> tuple[np.ndarray, np.ndarray]:
    """Poisson counts, or with a gamma factor of this variance on the mean."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    mean = mean * np.exp(0.5 * X[:, 0])
    factor = rng.gamma(1 / spread, spread, n) if spread else 1.0
    return X, rng.poisson(mean * factor).astype(float)


def judged(loss, X, y, check, **asked):
    return finding(es.study(X, y, loss=loss, **asked), check)


# --- which checks there are ---------------------------------------------------------------------------

SQUARED = {
    "intercept",
    "numerical floor",
    "signal in weak directions",
    "rows for Cp",
    "near-duplicate rows",
    "heteroscedasticity",
    "heavy tails",
}
EVERY = {SEPARATION, SLOPE, PROOF, ONE_STEP, "leverage", "time order", "extreme rows", "flat optimum"}


@pytest.mark.parametrize("loss", LOSSES)
def test_checks_that_do_not_apply_are_absent(loss):
    audit = make(2, loss).study().audit
    names = [found.check for found in audit]
    assert len(names) == len(set(names))
    assert not SQUARED & set(names)
    assert (EVERY - {SLOPE} if loss.startswith("huber") else EVERY) <= set(names)
    assert (IMBALANCE in names) == (loss in ("logistic", "multinomial"))
    assert (SPREAD in names) == (loss in ("poisson", "binomial"))
    assert (SLOPE in names) != loss.startswith("huber")
    assert all(found.meaning and bool(found.advice) == (found.verdict != "pass") for found in audit)


def test_squared_loss_has_none_of_the_new_ones():
    names = {found.check for found in make(2, "squared").study().audit}
    assert not names & {SEPARATION, IMBALANCE, SPREAD, SLOPE, PROOF, ONE_STEP}
    assert names >= SQUARED


def test_fractions_without_trials_have_no_dispersion():
    problem = make(2, "binomial")
    names = {found.check for found in es.study(problem.X, problem.response, loss="binomial").audit}
    assert SPREAD not in names


# --- separation ---------------------------------------------------------------------------------------


def test_separated_classes_are_told():
    X, y = logistic()
    y = (X[:, 0] + 0.5 * X[:, 1] > 0).astype(int)
    study = es.study(X, y, loss="logistic")
    found = finding(study, SEPARATION)
    assert found.verdict == "warn"
    assert found.value == study.path.lowest > 0
    assert "tells the classes apart without a mistake" in found.meaning
    assert "no fault of the penalty" in found.meaning
    assert study.audit.ok


def test_classes_that_overlap_pass():
    found = judged("logistic", *logistic(), SEPARATION)
    assert (found.verdict, found.value) == ("pass", 0.0)


def test_more_columns_than_rows_separate_anything():
    found = judged("logistic", *logistic(30, 40), SEPARATION)
    assert found.verdict == "pass"
    assert "With 41 weights for 30 rows any targets can be separated" in found.meaning


# --- rare classes -------------------------------------------------------------------------------------


def test_a_rare_class_with_few_rows():
    X, y = logistic(400, 20, shift=-4.5)
    study = es.study(X, y, loss="logistic", alpha=1e-3)
    found = finding(study, IMBALANCE)
    assert found.verdict == "warn"
    assert found.value == pytest.approx(y.sum() / study.effective_parameters)
    assert f"has {y.sum()} of 400 rows" in found.meaning
    assert found.threshold == 5.0


def test_a_rare_class_with_enough_rows_passes():
    assert judged("logistic", *logistic(5000, 2, shift=-3.5), IMBALANCE).verdict == "pass"
    assert judged("logistic", *logistic(60, 20), IMBALANCE).verdict == "pass"  # few rows, none rare


def test_copies_of_rows_count_as_rows():
    X, y = logistic(60, 3, shift=-1.0)
    s = np.where(y == 1, 1, 20)
    weighted = judged("logistic", X, y, IMBALANCE, sample_weight=s, weight_kind="frequency", alpha=0.01)
    repeated = judged("logistic", np.repeat(X, s, axis=0), np.repeat(y, s), IMBALANCE, alpha=0.01)
    assert weighted.value == pytest.approx(repeated.value, rel=1e-6)
    assert weighted.verdict == repeated.verdict


def test_the_rarest_of_several_classes_is_named():
    rng = np.random.default_rng(0)
    X, y = (
        rng.normal(size=(300, 10)),
        np.array(["oak", "elm", "yew"])[np.r_[[2] * 6, rng.integers(2, size=294)]],
    )
    found = judged("multinomial", X, y, IMBALANCE, alpha=1e-3)
    assert found.verdict == "warn"
    assert "'yew', has 6 of 300 rows (2.0%)" in found.meaning


# --- overdispersion -----------------------------------------------------------------------------------


def test_the_dispersion_is_that_of_statsmodels():
    X, y = counts(spread=0.4)
    peer = sm.GLM(y, sm.add_constant(X), family=sm.families.Poisson()).fit(tol=1e-12)
    found = judged("poisson", X, y, SPREAD, alpha=0.0)
    assert found.value == pytest.approx(peer.pearson_chi2 / peer.df_resid, rel=1e-6)
    assert found.verdict == "warn"
    assert f"{np.sqrt(found.value):.2g} times too small" in found.meaning


def test_the_dispersion_of_trials_is_that_of_statsmodels():
    rng = np.random.default_rng(3)
    X, trials = rng.normal(size=(200, 2)), rng.integers(2, 12, 200)
    hits = rng.binomial(trials, rng.beta(2, 2, 200))
    y = np.stack([hits, trials - hits], axis=1)
    peer = sm.GLM(y, sm.add_constant(X), family=sm.families.Binomial()).fit(tol=1e-12)
    found = judged("binomial", X, y, SPREAD, alpha=0.0)
    assert found.value == pytest.approx(peer.pearson_chi2 / peer.df_resid, rel=1e-6)
    assert found.verdict == "warn"


@pytest.mark.parametrize("mean", [0.05, 2.0, 50.0])
def test_the_threshold_is_rarely_reached_by_chance(mean):
    """At 0.05 counts on average the square of a residual varies 11 times as much as χ² does."""
    found = [judged("poisson", *counts(mean=mean, seed=seed), SPREAD) for seed in range(12)]
    assert {one.verdict for one in found} == {"pass"}
    assert np.mean([one.value for one in found]) == pytest.approx(1.0, abs=0.1)


def test_copies_of_rows_spread_as_the_rows():
    X, y = counts(120, spread=0.3)
    s = np.arange(120) % 3 + 1
    weighted = judged("poisson", X, y, SPREAD, sample_weight=s, weight_kind="frequency", alpha=0.01)
    repeated = judged("poisson", np.repeat(X, s, axis=0), np.repeat(y, s), SPREAD, alpha=0.01)
    assert weighted.value == pytest.approx(repeated.value, rel=1e-6)
    assert weighted.threshold == pytest.approx(repeated.threshold, rel=1e-6)


# --- calibration --------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["logistic", "multinomial", "poisson", "gamma"])
@pytest.mark.parametrize("offset", [False, True])
def test_the_slope_is_that_of_a_regression_on_left_out_predictors(loss, offset):
    problem = make(3, loss, 80, 5, offset=offset and loss != "multinomial")
    study = problem.study(alpha=0.05)
    answers = Answers.of(study.path, 0.05)
    shift = 0.0 if problem.offset is None else problem.offset[:, None]
    back = answers.apart @ answers.response.contrasts.T
    y = problem.response

    def cost(line):
        eta = line[:-1] @ answers.response.contrasts.T + line[-1] * back + shift
        if loss == "multinomial":
            return -np.sum(log_softmax(eta, axis=1)[np.arange(80), y.astype(int)])
        return np.sum(problem.deviance.value(y, eta))

    start = np.append(np.zeros(answers.apart.shape[1]), 1.0)
    best = minimize(cost, start, tol=1e-12, method="Nelder-Mead", options={"maxiter": 4000}).x
    slope, error = recalibrate(answers, np.ones(80, dtype=bool))
    assert slope == pytest.approx(best[-1], abs=1e-4)
    assert 0 < error < 1
    assert finding(study, SLOPE).value == slope


def test_the_noise_of_the_slope_is_that_of_a_sandwich():
    X, y = logistic(300)
    answers = Answers.of(es.study(X, y, loss="logistic", alpha=0.01).path, 0.01)
    slope, error = recalibrate(answers, np.ones(300, dtype=bool))
    peer = sm.Logit(y, sm.add_constant(answers.apart)).fit(cov_type="HC0", disp=False)
    assert slope == pytest.approx(peer.params[1], rel=1e-6)
    assert error == pytest.approx(peer.bse[1], rel=1e-4)


def test_bold_and_timid_predictions_are_told():
    X, y = logistic(300, 60, size=0.6)
    bold = judged("logistic", X, y, SLOPE, alpha=1e-5)
    assert bold.verdict == "warn"
    assert bold.value < bold.threshold < 1
    assert "too bold" in bold.meaning
    timid = judged("logistic", *logistic(600, 3, size=2.0), SLOPE, alpha=1.0)
    assert timid.verdict == "warn"
    assert timid.value > timid.threshold > 1
    assert "too timid" in timid.meaning
    assert judged("logistic", X, y, SLOPE).verdict == "pass"


def test_without_columns_the_intercept_leaves_no_trace():
    X, y = logistic(100, shift=1.0)
    study = es.study(X, y, loss="logistic", alpha=np.inf)
    answers = Answers.of(study.path, np.inf)
    assert np.ptp(answers.apart) < 1e-10
    assert np.ptp(answers.left_out) > 1e-3
    assert finding(study, SLOPE).verdict == "pass"
    assert "all alike" in finding(study, SLOPE).meaning


# --- proof --------------------------------------------------------------------------------------------


def test_the_proof_is_the_certificate_beside_the_tolerance():
    X, y = logistic()
    study = es.study(X, y, loss="logistic")
    found = finding(study, PROOF)
    assert found.verdict == "pass"
    assert found.value == study.path.certificate(study.alpha, relative=True) <= found.threshold == 1e-8
    assert finding(es.study(X, y, loss="logistic", alpha=np.inf), PROOF).value == 0.0


def test_without_a_penalty_the_error_is_known_to_first_order():
    found = judged("logistic", *logistic(), PROOF, alpha=0.0)
    assert found.verdict == "pass"
    assert "at α = 0 known to first order" in found.meaning


def test_a_tolerance_that_rounding_forbids_is_missed():
    X, y = logistic()
    found = judged("logistic", X * [1, 1e-6, 1, 1], y, PROOF, alpha=1e-13, tol=1e-14)
    assert found.verdict in ("warn", "fail")
    assert found.value > found.threshold


def test_what_is_not_convex_is_not_proved():
    study = make(2, "inverse_gaussian").study()
    found = finding(study, PROOF)
    assert found.verdict == "warn"
    assert np.isnan(found.value)
    assert "not convex" in found.meaning
    assert [f["value"] for f in study.to_dict()["audit"] if f["check"] == PROOF] == [None]


# --- one-step leave-one-out ---------------------------------------------------------------------------


def test_one_step_is_held_against_fits():
    X, y = logistic()
    found = judged("logistic", X, y, ONE_STEP)
    assert found.verdict == "pass"
    assert found.value < 0.01
    assert "above" not in found.meaning


def test_one_step_where_it_is_worthless():
    problem = wine()
    lowest = es.study(problem.X, problem.y, loss="multinomial").path.lowest
    study = es.study(problem.X, problem.y, loss="multinomial", alpha=lowest)
    found = finding(study, ONE_STEP)
    assert found.verdict == "warn"
    assert found.value > found.threshold == 0.05
    assert "above 0.5" in found.meaning


def test_the_value_is_what_fits_without_the_rows_say():
    """Five rows of highest leverage, each left out by a study of the others at the same Sα."""
    X, y = logistic(40, 3)
    X[:5] *= 6
    alpha = 0.02
    found = judged("logistic", X, y, ONE_STEP, alpha=alpha)
    answers = Answers.of(es.study(X, y, loss="logistic", alpha=alpha).path, alpha)
    losses = answers.deviances.copy()
    rows = np.argsort(-answers.leverage)[:5]
    for row in rows:
        rest = es.study(np.delete(X, row, 0), np.delete(y, row), loss="logistic", alpha=alpha * 40 / 39)
        losses[row] = -np.log(rest.predict(X[[row]])[0] if y[row] else 1 - rest.predict(X[[row]])[0])
    wanted = abs(losses.sum() - answers.deviances.sum()) / losses.sum()
    assert found.value == pytest.approx(wanted, rel=1e-3)


# --- left-out rows ------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["logistic", "poisson", "multinomial"])
def test_residuals_have_mean_zero_and_their_dispersion(loss):
    problem = make(3, loss, 400, 3)
    answers = Answers.of(problem.study(alpha=1e-3).path, 1e-3)
    columns = 3 if loss == "multinomial" else 1
    assert answers.residuals.shape == (400, columns)
    assert_allclose(answers.residuals.mean(axis=0), 0.0, atol=0.1)
    assert_allclose((answers.residuals**2).mean(axis=0), 1.0, atol=0.2)
    assert np.all((answers.leverage >= 0) & (answers.leverage <= 1))
