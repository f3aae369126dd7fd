"""Where the loss falls without end: classes that can be told apart, columns that act only on zeros."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import eigenshrink as es
import glm_criteria as criteria
import glm_oracles as oracles
from glm_oracles import Glm
from glm_problems import make, wine


def drawn(n: int = 40, p: int = 3) -> np.ndarray:
    return np.random.default_rng(5).normal(size=(n, p))


def complete() -> Glm:
    """A plane with room on both sides."""
    X = drawn()
    X[:, 0] += np.sign(X[:, 0])
    return Glm("logistic", X, (X[:, 0] > 0).astype(int))


def shifted() -> Glm:
    """Only the intercept and the column together tell the classes apart."""
    problem = complete()
    return problem.with_(X=problem.X + 50.0)


def quasi() -> Glm:
    """A column that is 1 in some rows, all of one class, and 0 in rows of both."""
    X = drawn()
    y = (np.random.default_rng(6).random(40) < 0.5).astype(int)
    X[:, 0] = 0.0
    X[np.flatnonzero(y)[:5], 0] = 1.0
    return Glm("logistic", X, y)


def counts() -> Glm:
    """A column that acts only where nothing was counted."""
    X = drawn()
    y = np.random.default_rng(6).poisson(np.exp(0.5 * X[:, 1])).astype(float)
    X[:, 0] = 0.0
    X[np.flatnonzero(y == 0)[:4], 0] = 1.0
    return Glm("poisson", X, y)


def three_classes() -> Glm:
    """Three heaps far from each other."""
    centres = np.array([[6.0, 0.0, 0.0], [0.0, 6.0, 0.0], [-6.0, -6.0, 0.0]])
    classes = np.arange(42) % 3
    return Glm("multinomial", drawn(42) + centres[classes], np.array(["a", "b", "c"])[classes])


def no_successes_there() -> Glm:
    """A column that acts only where all trials failed."""
    X = drawn()
    hits = np.random.default_rng(6).binomial(5, 0.5, 40)
    X[:, 0] = 0.0
    X[:4, 0], hits[:4] = 1.0, 0
    return Glm("binomial", X, np.stack([hits, 5 - hits], axis=1))


COMPLETE = {
    "plane": complete,
    "plane beside the origin": shifted,
    "three classes": three_classes,
    "more columns than rows": lambda: make(3, "logistic", n=20, p=40),
    "more columns than rows, three classes": lambda: make(3, "multinomial", n=20, p=40),
    "wine": wine,
}
QUASI = {"some rows of one class": quasi, "counts": counts, "trials": no_successes_there}
EITHER = COMPLETE | QUASI
NOT = {
    "classes that overlap": lambda: make(3, "logistic", n=100, p=3),
    "three classes that overlap": lambda: make(3, "multinomial", n=200, p=3, signal=0.5),
    "counts": lambda: make(3, "poisson", n=60, p=3),
    "trials": lambda: make(3, "binomial", n=60, p=3),
    "gamma": lambda: make(3, "gamma", n=60, p=3),
    "equal columns": lambda: twice(make(3, "logistic", n=100, p=3)),
}


def twice(problem: Glm) -> Glm:
    return problem.with_(X=np.hstack([problem.X, problem.X]))


# --- it is said ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMPLETE)
def test_complete_separation_is_said(name):
    path = COMPLETE[name]().study().path
    assert path.separation == "complete"
    assert path.lowest > 0


@pytest.mark.parametrize("name", QUASI)
def test_quasi_separation_is_said(name):
    path = QUASI[name]().study().path
    assert path.separation == "quasi"
    assert path.lowest > 0


@pytest.mark.parametrize("name", NOT)
def test_nothing_is_said_where_there_is_a_solution(name):
    problem = NOT[name]()
    study = problem.study()
    assert study.path.separation == ""
    assert study.path.lowest == 0.0
    truth = oracles.coef(problem, oracles.solve(problem, 0.0))
    assert_allclose(study.coef(0.0), truth, atol=1e-6)


def test_columns_that_are_constant_separate_nothing():
    problem = make(3, "logistic", n=100, p=3)
    study = problem.with_(X=np.hstack([problem.X, np.full((100, 1), 3.0)])).study()
    assert study.path.separation == ""
    truth = oracles.coef(problem, oracles.solve(problem, 0.0))
    assert_allclose(study.coef(0.0), np.r_[truth, 0.0], atol=1e-6)


# --- the path stops where it should ------------------------------------------------------------------


@pytest.mark.parametrize("name", EITHER)
def test_strengths_without_a_solution_are_refused_in_one_sentence(name):
    study = EITHER[name]().study()
    lowest = study.path.lowest
    assert lowest <= 1e-2
    for alpha in (0.0, 0.5 * lowest, [0.0, 1.0]):
        for what in (study.coef, study.path.weights, study.risk["loo"]):
            with pytest.raises(es.InputError, match="separat") as said:
                what(alpha)
            assert "\n" not in str(said.value)
            assert len(str(said.value)) < 300


@pytest.mark.parametrize("name", EITHER)
def test_a_strength_that_is_given_is_refused_at_the_door(name):
    with pytest.raises(es.InputError, match="alpha"):
        EITHER[name]().study(alpha=0.0)


@pytest.mark.parametrize("name", EITHER)
def test_above_it_everything_is_as_ever(name):
    problem = EITHER[name]()
    study = problem.study()
    for alpha in (max(1.001 * study.path.lowest, 1e-3), 0.0513, 2.9):
        truth = oracles.coef(problem, oracles.solve(problem, alpha))
        error = oracles.distance(problem, study.coef(alpha), truth)
        assert error <= study.path.certificate(alpha) + oracles.certificate(problem, alpha, truth)
        assert error <= 1e-7 * np.linalg.norm(truth)
        assert np.isfinite(study.risk["loo"](alpha))
        assert study.path.effective_parameters(alpha) == pytest.approx(
            criteria.gamma(problem, alpha), rel=1e-3
        )


@pytest.mark.parametrize("name", EITHER)
def test_a_strength_is_chosen_above_it(name):
    study = EITHER[name]().study()
    assert study.path.lowest <= study.alpha <= np.inf
    assert np.all(np.isfinite(study.coef()))


@pytest.mark.parametrize("name", ["plane", "counts", "trials"])
def test_the_audit_says_so(name):
    audit = EITHER[name]().study().audit
    found = [finding for finding in audit if finding.check == "separation"]
    assert len(found) == 1
    assert found[0].verdict == "warn"


def test_free_columns_that_separate_have_no_solution_at_any_strength():
    problem = complete().with_(d=np.array([0.0, 1.0, 1.0]))
    with pytest.raises(es.InputError, match="separat"):
        _ = problem.study().alpha
