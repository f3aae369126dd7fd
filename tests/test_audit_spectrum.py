"""Digits that are left, signal where ridge removes first, rows for the noise: what is said, and when."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import eigenshrink as es
from audit_studies import finding, study_of
from eigenshrink.audit.spectrum import combination
from eigenshrink.risk.weak import CHANCE, WEAK, signal_shares, weak_directions
from oracles import Problem, distance, exact, with_spectrum

FLOOR, WEAKEST, ROWS = "numerical floor", "signal in weak directions", "rows for Cp"


# --- digits -------------------------------------------------------------------------------------------


def ill_conditioned(decades: float, seed=0, **more) -> tuple[Problem, es.Study]:
    rng = np.random.default_rng(seed)
    problem = Problem(with_spectrum(seed, 40, 5, np.logspace(1, 1 - decades, 5)), rng.normal(size=40))
    return problem, es.study(problem.X, problem.y, **({"alpha": 0.0} | more))


@pytest.mark.parametrize(
    ("decades", "verdict"), [(3, "pass"), (7, "pass"), (10.5, "warn"), (11.5, "warn"), (13.2, "fail")]
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_digits_that_are_said_to_be_sure_are(decades, verdict, seed):
    problem, study = ill_conditioned(decades, seed)
    found = finding(study, FLOOR)
    assert found.verdict == verdict
    truth = exact(problem, 0.0)
    error = distance(study.coef(), truth) / np.linalg.norm(truth.astype(float))
    said = {"pass": 6, "fail": 0}.get(verdict) if verdict != "warn" else digits(found.meaning)
    assert error <= 10.0**-said
    assert (found.value, found.threshold) == (0.0, study.spectrum.floor)
    assert bool(found.advice) == (verdict != "pass")
    assert study.audit.ok == (verdict != "fail")


def digits(meaning: str) -> int:
    return int(meaning.split(": about ")[1].split()[0])


def test_a_strength_above_the_floor_brings_the_digits_back():
    study = ill_conditioned(13.2, alpha=1e-6)[1]
    assert 0 < study.spectrum.floor < 1e-6
    found = finding(study, FLOOR)
    assert (found.verdict, found.value) == ("pass", 1e-6)
    assert "above the floor" in found.meaning
    assert finding(ill_conditioned(13.2, alpha=np.inf)[1], FLOOR).verdict == "pass"


def test_the_smallest_of_several_strengths_is_looked_at():
    problem = ill_conditioned(13.2)[0]
    Y = np.c_[problem.y, problem.y[::-1], problem.y**2]
    several = es.study(problem.X, Y, alpha=[1.0, 0.0, 1e-3])
    found = finding(several, FLOOR)
    assert found.verdict == "fail"
    assert "of target 'y1'" in found.meaning
    assert finding(es.study(problem.X, Y, alpha=[1.0, 1e-4, 1e-3]), FLOOR).verdict == "pass"


def test_rank_is_said():
    study = study_of(change=lambda X: X.__setitem__((slice(None), 3), X[:, 0] + X[:, 1]))
    assert "4 of 5 penalised weights" in finding(study, FLOOR).meaning
    assert "3 of 5" in finding(study_of((4, 5)), FLOOR).meaning
    assert finding(es.study(np.ones((5, 2)), np.arange(5.0)), FLOOR).verdict == "pass"


# --- weak directions ----------------------------------------------------------------------------------


def sloping(where, seed=0, n=300, noise=1.0, **more) -> es.Study:
    """Twenty columns of falling sd; the signal sits in some of them, with the same share of y in each."""
    rng = np.random.default_rng(seed)
    sd = np.logspace(0, -1.5, 20)
    X = rng.normal(size=(n, 20)) * sd
    y = np.zeros(n) + X[:, where] @ (1 / sd[where]) + noise * rng.normal(size=n)
    return es.study(X, y, **more)


LAST, FIRST = [16, 17, 18, 19], [0, 1, 2, 3]


def test_signal_that_evidence_removes_is_warned_of():
    study = sloping(LAST, criterion="evidence", noise=4.0)
    found = finding(study, WEAKEST)
    assert found.verdict == "warn"
    assert found.threshold == 0.5 < found.value <= 1.0
    named = {f"'x{j}'" for j in range(12, 20)}
    assert sum(name in found.meaning for name in named) >= 2
    assert "leave-one-out or GCV" in found.advice


def test_signal_that_is_kept_is_no_harm():
    found = finding(sloping(LAST, alpha=1e-9), WEAKEST)
    assert found.verdict == "pass"
    assert found.value > 0.5
    assert "keeps 100%" in found.meaning
    assert finding(sloping(LAST, alpha=1.0), WEAKEST).verdict == "warn"


@pytest.mark.parametrize("seed", range(3))
def test_signal_where_the_variance_is_passes(seed):
    found = finding(sloping(FIRST, seed, alpha=1.0), WEAKEST)
    assert found.verdict == "pass"
    assert found.value < 0.1
    assert "less than half" in found.meaning


@pytest.mark.parametrize("n", [300, 15])
def test_noise_is_no_signal(n):
    verdicts = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(n, 20)) * np.logspace(0, -1.5, 20)
        verdicts.append(finding(es.study(X, rng.normal(size=n), alpha=0.1), WEAKEST).verdict)
    assert set(verdicts) == {"pass"}


def test_the_worst_target_is_named():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 10)) * np.logspace(0, -1.5, 10)
    y = np.c_[X[:, 0], 30 * X[:, 9], X[:, 0]] + 0.3 * rng.normal(size=(200, 3))
    found = finding(es.study(X, y, alpha=0.1), WEAKEST)
    assert found.verdict == "warn"
    assert "of target 'y1'" in found.meaning
    assert "'x9'" in found.meaning


def test_the_share_is_what_it_says():
    """By regressions on the eigenvectors of the covariance, one after the other."""
    study = sloping([3, 10, 18], alpha=0.05)
    Z, y = study.path.fit.training.table.X, study.path.fit.training.table.y[:, 0]
    Z, y = Z - Z.mean(axis=0), y - y.mean()
    values, vectors = np.linalg.eigh(Z.T @ Z / len(y))
    scores = Z @ vectors
    explained = (scores.T @ y) ** 2 / np.sum(scores**2, axis=0)
    noise = (y @ y - explained.sum()) / (len(y) - 21)
    weak = [i for i in range(20) if values[: i + 1].sum() <= WEAK * values.sum()]
    signal = explained - noise
    share, clear, kept = signal_shares(
        study.path, np.array([0.05]), weak_directions(study.spectrum.eigenvalues)
    )
    assert_allclose(share, signal[weak].sum() / signal.sum(), rtol=1e-9)
    seen = np.maximum(signal[weak], 0)
    assert_allclose(kept, seen @ (values[weak] / (values[weak] + 0.05)) / seen.sum(), rtol=1e-9)
    assert clear.tolist() == [True]
    assert CHANCE < 0.01


def test_weak_directions_by_hand():
    assert weak_directions(np.array([5.0, 4.0, 0.6, 0.3, 0.1])).tolist() == [4, 3, 2]
    assert weak_directions(np.array([5.0, 4.0, 1.5, 0.3, 0.1])).tolist() == [4, 3]
    assert weak_directions(np.ones(9)).tolist() == []
    assert weak_directions(np.zeros(0)).tolist() == []


def test_columns_of_one_size_have_no_weak_directions():
    found = finding(es.study(with_spectrum(0, 60, 5, np.ones(5)), np.arange(60.0)), WEAKEST)
    assert found.verdict == "pass"
    assert "No directions are weak" in found.meaning


# --- rows for the noise -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "criterion", "verdict", "word"),
    [
        (60, "cp", "pass", "to estimate the noise from"),
        (25, "cp", "warn", "standard error of 32%"),
        (25, "gcv", "pass", "do not read Cp"),
        (4, "gcv", "pass", "does not exist"),
    ],
)
def test_cp_needs_observations_to_spare(n, criterion, verdict, word):
    rng = np.random.default_rng(0)
    study = es.study(rng.normal(size=(n, 4)), rng.normal(size=n), criterion=criterion)
    found = finding(study, ROWS)
    assert (found.verdict, found.threshold) == (verdict, 32)
    assert_allclose(found.value, max(n - 5, 0), atol=1e-12)
    assert word in found.meaning
    assert bool(found.advice) == (verdict == "warn")


# --- words --------------------------------------------------------------------------------------------


def test_combinations_in_words():
    assert combination(["a", "b"], [0.707, -0.707]) == "0.71 'a' − 0.71 'b'"
    assert combination(["a"], [-1.0]) == "−'a'"
    assert combination(["a", "b", "c"], [1.0, 168.3, 1e-9]) == "'a' + 168 'b' + 10⁻⁹ 'c'"
    assert combination(list("abcdefg"), [1] * 7).endswith("'e' and 2 more")
