"""Errors that spread unevenly, have heavy tails or sit in single rows; and the audit of clean data."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_allclose
from scipy import stats
from statsmodels.stats.diagnostic import het_breuschpagan

import eigenshrink as es
from eigenshrink.audit import Examined, Finding
from eigenshrink.audit.groups import given_groups, likely_groups, time_order
from eigenshrink.audit.residuals import (
    LEVEL,
    LeaveOut,
    extreme_rows,
    heavy_tails,
    heteroscedasticity,
    kurtosis_limit,
    normal_scores,
)
from eigenshrink.audit.rows import copied_rows, leverage, near_copies

CHECKS = (
    copied_rows,
    near_copies,
    time_order,
    likely_groups,
    given_groups,
    leverage,
    heteroscedasticity,
    heavy_tails,
    extreme_rows,
)
TESTS = (heteroscedasticity, heavy_tails, extreme_rows)


def examined(X, y, **asked) -> Examined:
    study = es.study(X, y, **asked)
    return Examined(study.path, study.risk, study.choice, study.feature_names, study.target_names)


def rows(seed: int, n: int = 300, p: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """X, what is to be explained, and normal noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    return X, X @ np.linspace(1, 2, p), rng.normal(size=n)


def consistent(finding: Finding) -> None:
    """The verdict follows from value and threshold, and what is said is said in sentences."""
    assert (finding.value > finding.threshold) == (finding.verdict == "warn")
    assert finding.meaning.endswith(".")
    assert bool(finding.advice) == (finding.verdict != "pass")


# --- clean data ---------------------------------------------------------------------------------------


def clean(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Normal columns (some correlated, indicators or counts), normal noise, n 50 to 500, p 3 to 100."""
    rng = np.random.default_rng([seed, 4102])
    n, p = int(rng.integers(50, 501)), int(rng.integers(3, 101))
    p = int(rng.integers(n, 2 * n)) if n < 120 and rng.random() < 0.5 else p
    X = rng.normal(size=(n, p)) * np.arange(1, p + 1) ** -rng.choice([0.0, 0.5, 1.0])
    if seed % 4 == 1:
        X = X + rng.normal(size=(n, 1))
    if seed % 4 == 2:
        X = np.hstack([X, np.eye(6)[rng.integers(0, 6, n)]])
    if seed % 4 == 3:
        X[:, :3] = rng.poisson(rng.uniform(0.5, 8.0), (n, 3))
    signal = X @ (rng.normal(size=X.shape[1]) * (rng.random(X.shape[1]) < rng.choice([0.2, 1.0])))
    return X, signal * np.exp(rng.uniform(-1, 1.5)) / max(signal.std(), 1e-9) + rng.normal(size=n)


def test_clean_data_raise_no_fail_and_few_warnings():
    verdicts = []
    for seed in range(60):
        X, y = clean(seed)
        asked = examined(X, y, standardize=bool(seed % 3))
        verdicts.append({check(asked).verdict for check in CHECKS})
    assert not any("fail" in seen for seen in verdicts)
    assert sum("warn" in seen for seen in verdicts) <= 2


# --- spread -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("storage", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("spread", [lambda f: np.exp(f / 3), lambda f: np.abs(f) + 0.1])
def test_errors_that_spread_more_at_some_predictions(storage, spread):
    X, signal, noise = rows(0)
    finding = heteroscedasticity(examined(storage(X), signal + noise * spread(signal)))
    assert finding.verdict == "warn"
    consistent(finding)


def test_the_spread_is_told_for_low_middle_and_high_predictions():
    X, signal, noise = rows(0, n=3000)
    order = np.argsort(np.argsort(signal))
    finding = heteroscedasticity(examined(X, signal + noise * np.where(order < 2000, 0.5, 2.0)))
    low, middle, high = (
        float(word) for word in finding.meaning.replace(",", "").split() if word[0].isdigit()
    )
    assert_allclose([low, middle, high], [0.5, 0.5, 2.0], rtol=0.15)


def test_errors_of_one_spread_pass():
    X, signal, noise = rows(0)
    finding = heteroscedasticity(examined(X, signal + noise))
    assert finding.verdict == "pass"
    consistent(finding)


@pytest.mark.parametrize("alpha", [0.0, np.inf, 0.1, 1e6])
def test_pure_noise_has_one_spread_at_any_strength(alpha):
    """The errors depend on the predictions of fits that include the row, and at α = ∞ on those without."""
    warned = 0
    for seed in range(10):
        for shape in ((300, 5), (100, 70)):
            X, _, noise = rows(seed, *shape)
            warned += heteroscedasticity(examined(X, noise, alpha=alpha)).verdict == "warn"
    assert warned <= 1


def test_heavy_tails_have_one_spread_where_columns_are_many():
    """Fits that include the row follow a large error and would call it uneven spread."""
    warned = 0
    for seed in range(20):
        X, _, _ = rows(seed, 100, 70)
        noise = np.random.default_rng([seed, 5]).standard_t(3, 100)
        warned += heteroscedasticity(examined(X, noise, alpha=0.1)).verdict == "warn"
    assert warned <= 1


def test_weights_that_say_the_variance_make_one_spread():
    X, signal, noise = rows(0)
    spread = np.exp(X[:, 0])
    y = signal + noise * spread
    assert heavy_tails(examined(X, y)).verdict == "warn"
    assert heavy_tails(examined(X, y, sample_weight=spread**-2)).verdict == "pass"


def test_the_score_test_is_that_of_koenker():
    X, signal, noise = rows(0)
    asked = examined(X, signal + noise * np.exp(signal / 8))
    left = LeaveOut.of(asked)
    line = np.column_stack([np.ones(300), left.predicted[:, 0]])
    error = left.error[:, 0] - line @ np.linalg.lstsq(line, left.error[:, 0])[0]
    level = normal_scores(left.predicted)
    theirs = het_breuschpagan(error, np.hstack([np.ones((300, 1)), level, level**2]))
    finding = heteroscedasticity(asked)
    assert finding.value * 300 == pytest.approx(theirs[0], rel=1e-8)
    assert finding.threshold * 300 == pytest.approx(stats.chi2.isf(LEVEL, 2))


# --- tails --------------------------------------------------------------------------------------------


def test_heavy_tails():
    X, signal, _ = rows(0)
    noise = np.random.default_rng(1).standard_t(2, 300)
    finding = heavy_tails(examined(X, signal + noise))
    assert finding.verdict == "warn"
    assert "3 rows make" in finding.meaning
    consistent(finding)


@pytest.mark.parametrize("noise", ["normal", "uniform"])
def test_normal_and_light_tails_pass(noise):
    X, signal, normal = rows(0)
    error = normal if noise == "normal" else np.random.default_rng(1).uniform(-1, 1, 300)
    finding = heavy_tails(examined(X, signal + error))
    assert finding.verdict == "pass"
    consistent(finding)


@pytest.mark.parametrize(("n", "t"), [(40, 1), (40, 3), (20000, 1)])
def test_few_rows_must_have_heavier_tails(n, t):
    X, signal, noise = rows(0, n=n)
    finding = heavy_tails(examined(X, np.column_stack([signal + noise] * t), alpha=0.1))
    assert finding.threshold == pytest.approx(max(1.0, kurtosis_limit(n, LEVEL / t)))
    assert (finding.threshold > 1.0) == (n == 40)


@pytest.mark.parametrize("n", [20, 50, 500, 20000])
def test_the_limit_of_the_kurtosis_is_that_of_the_test(n):
    values = np.random.default_rng(n).standard_t(5, n)
    chance = stats.kurtosistest(values, alternative="greater").pvalue
    assert kurtosis_limit(n, chance) == pytest.approx(stats.kurtosis(values), rel=1e-6)


# --- single rows --------------------------------------------------------------------------------------


def test_a_row_that_is_far_off_is_named():
    X, signal, noise = rows(0)
    noise[17] = 9.0
    finding = extreme_rows(examined(X, signal + noise))
    assert finding.verdict == "warn"
    assert finding.meaning.startswith("Row 17:")
    share = float(finding.meaning.split("%")[0].split()[-1]) / 100
    assert share == pytest.approx(81 / np.sum(noise**2), rel=0.1)
    consistent(finding)


def test_a_row_is_studentised_by_the_others():
    X, signal, noise = rows(0, n=40)
    finding = extreme_rows(examined(X, signal + noise, alpha=0.0))
    Z = np.column_stack([X, np.ones(40)])
    H = Z @ np.linalg.pinv(Z)
    error = (noise - H @ noise) / np.sqrt(1 - np.diag(H))
    off = [abs(e) / np.sqrt((np.sum(error**2) - e**2) / 38) for e in error]
    assert finding.value == pytest.approx(max(off))
    assert finding.threshold == pytest.approx(stats.t.isf(LEVEL / 80, 38))
    assert finding.verdict == "pass"
    consistent(finding)


def test_the_worst_target_is_named():
    X, signal, noise = rows(0)
    far = noise.copy()
    far[17] = 9.0
    asked = examined(X, np.column_stack([signal + noise, signal + far, noise]))
    for check in (heavy_tails, extreme_rows):
        assert "of target 'y1'" in check(asked).meaning


# --- what does not matter -----------------------------------------------------------------------------


def test_units_do_not_matter():
    X, signal, noise = rows(0)
    y = signal + noise * np.exp(signal / 4)
    ours, scaled = examined(X, y, alpha=0.1), examined(X, 1e6 + 1e-3 * y, alpha=0.1)
    for check in TESTS:
        assert check(scaled).value == pytest.approx(check(ours).value, rel=1e-6)


@pytest.mark.parametrize("wide", [False, True])
def test_a_count_of_two_is_the_row_twice(wide):
    X, signal, noise = rows(0, n=40, p=60 if wide else 5)
    counts = np.random.default_rng(1).integers(1, 3, 40)
    again = np.repeat(np.arange(40), counts)
    y = signal + noise
    ours = examined(X, y, sample_weight=counts, weight_kind="frequency", alpha=0.1)
    theirs = examined(X[again], y[again], alpha=0.1)
    for check in TESTS:
        assert check(ours).value == pytest.approx(check(theirs).value, rel=1e-8)


def test_the_limit_of_strengths_keeps_its_digits():
    """As α → 0 with more columns than rows every leverage is 1, and the errors still say the same."""
    X, signal, noise = rows(0, n=40, p=60)
    for check in TESTS:
        limit = check(examined(X, signal + noise, alpha=0.0))
        close = check(examined(X, signal + noise, alpha=1e-8))
        assert limit.value == pytest.approx(close.value, rel=1e-3)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (lambda: rows(0, n=19), "Fewer than 20 rows"),
        (lambda: (*rows(0)[:2], np.zeros(300)), "fitted exactly"),
        (lambda: (rows(0)[0], np.ones(300), np.zeros(300)), "fitted exactly"),
    ],
)
def test_where_there_is_nothing_to_see(data, said):
    X, signal, noise = data()
    asked = examined(X, signal + noise)
    for check in TESTS:
        finding = check(asked)
        assert (finding.verdict, finding.advice) == ("pass", "")
        assert said in finding.meaning


def test_without_rows_there_is_nothing_to_see():
    path = es.quadratic(hessian=np.eye(2), weights=np.ones(2))
    choice = es.study(*rows(0)[:2]).choice
    for check in CHECKS:
        finding = check(Examined(path, {}, choice, ("a", "b")))
        assert finding.verdict == "pass"


@pytest.mark.parametrize("unit", [1e-90, 1e-20, 1e20, 1e70])
def test_no_verdict_depends_on_the_unit_of_the_target(unit):
    rng = np.random.default_rng(11)
    X = rng.normal(size=(120, 3))
    y = X[:, 0] + rng.standard_t(3, size=120) * np.exp(0.5 * X[:, 0])
    plain, scaled = (examined(X, y * factor, alpha=0.1) for factor in (1.0, unit))
    for check in TESTS:
        assert check(scaled).verdict == check(plain).verdict
        assert_allclose(check(scaled).value, check(plain).value, rtol=1e-9)
