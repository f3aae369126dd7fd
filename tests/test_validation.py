"""Rows that judge and were not fitted: given ones, and a fraction that is held out (M14)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from numpy.testing import assert_allclose, assert_array_equal

import eigenshrink as es
from criteria_oracles import ALL, assert_no_grid_is_better, assert_slopes, every, held_out, rows_of, values
from oracles import CASES, Problem, make


def fresh(problem: Problem, seed: int = 5, n: int = 9) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of the same kind, their targets, and weights."""
    rng = np.random.default_rng(seed)
    X = problem.dense[rng.integers(0, len(problem.y), n)] + rng.normal(size=(n, problem.X.shape[1]))
    y = rng.normal(size=(n, *problem.y.shape[1:])) + X[:, :1].reshape(n, *[1] * (problem.y.ndim - 1))
    return X, y, rng.uniform(0.1, 5.0, n)


@pytest.fixture(params=CASES)
def problem(request) -> Problem:
    return make(3, **CASES[request.param])


# --- rows that are given ------------------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
def test_it_is_what_direct_predictions_say(problem, weighted):
    X, y, w = fresh(problem)
    w = w if weighted else np.ones(len(y))
    study = problem.study(validation=(X, y, w) if weighted else (X, y), criterion="evidence")
    found = values(study.risk["validation"], ALL)
    for alpha, value in zip(ALL, found, strict=True):
        error = y - X @ study.coef(alpha).T - study.intercept(alpha)
        assert_allclose(value, w @ error.reshape(len(y), -1) ** 2 / (2 * w.sum()), rtol=1e-10)
    assert_allclose(found, every(held_out, problem, ALL, X, y, w), rtol=1e-9)


def test_slopes_and_minimum(problem):
    risk = problem.study(validation=fresh(problem), criterion="evidence").risk["validation"]
    assert_slopes(risk)
    assert_no_grid_is_better(risk)


def test_the_rows_do_not_change_the_fit():
    problem = make(3, 25, 5, weights="precision")
    with_them, without = (
        problem.study(validation=fresh(problem), criterion="loo"),
        problem.study(criterion="loo"),
    )
    assert with_them.facts.rows == 25
    assert_array_equal(with_them.coef(ALL), without.coef(ALL))
    assert with_them.alpha == without.alpha


def test_rows_without_weight_do_not_judge():
    problem = make(3, 25, 5)
    X, y, w = fresh(problem)
    some = w > 1.0
    zeroed = problem.study(validation=(X, y, np.where(some, w, 0.0))).risk["validation"]
    assert_allclose(
        zeroed(ALL), problem.study(validation=(X[some], y[some], w[some])).risk["validation"](ALL)
    )


def test_a_constant_factor_of_the_weights_does_not_matter():
    problem = make(3, 25, 5)
    X, y, w = fresh(problem)
    once, often = (problem.study(validation=(X, y, factor * w)).risk["validation"] for factor in (1.0, 70.0))
    assert_allclose(often(ALL), once(ALL), rtol=1e-12)


@pytest.mark.parametrize("shape", [(25, 5), (12, 20)])
@pytest.mark.parametrize("kind", [scipy.sparse.csr_array, scipy.sparse.coo_matrix])
def test_storage_does_not_matter(shape, kind):
    problem = make(3, *shape, free=1)
    X, y, w = fresh(problem)
    expected = problem.study(validation=(X, y, w), criterion="gcv").risk["validation"](ALL)
    for rows, held in ((problem.X, kind(X)), (kind(problem.X), X), (kind(problem.X), kind(X))):
        study = problem.with_(X=rows).study(validation=(held, y, w), criterion="gcv")
        assert_allclose(study.risk["validation"](ALL), expected, rtol=1e-9)


def test_lists_and_tables_are_taken():
    problem = make(3, 25, 5)
    X, y, w = fresh(problem)
    expected = problem.study(validation=(X, y, w)).risk["validation"](ALL)
    names = [f"c{j}" for j in range(5)]
    tables = problem.with_(X=pd.DataFrame(problem.X, columns=names))
    for study in (
        problem.study(validation=[X.tolist(), y.tolist(), w.tolist()]),
        tables.study(validation=(pd.DataFrame(X, columns=names), pd.Series(y, index=range(9, 0, -1)), w)),
    ):
        assert_allclose(study.risk["validation"](ALL), expected, rtol=1e-12)
    with pytest.raises(es.InputError, match=r"validation.*in that order"):
        tables.study(validation=(pd.DataFrame(X, columns=names[::-1]), y))


def test_many_rows_and_strengths_are_each_alone():
    problem = make(3, 40, 30)
    X, y, w = fresh(problem, n=3000)
    risk = problem.study(validation=(X, y, w)).risk["validation"]
    alphas = np.logspace(-8, 8, 120)
    assert_allclose(risk(alphas), [risk(alpha) for alpha in alphas], rtol=1e-10)


def test_rows_far_from_zero():
    """Predictions from centred rows: nothing of size 1e7 times a coefficient may be subtracted."""
    problem = make(3, 25, 5)
    problem = problem.with_(X=np.rint(problem.X * 2**20) / 2**20)
    X, y, w = fresh(problem)
    X = np.rint(X * 2**20) / 2**20
    far = problem.with_(X=problem.X + 1e7).study(validation=(X + 1e7, y, w)).risk["validation"]
    assert_allclose(values(far, ALL), every(held_out, problem, ALL, X, y, w), rtol=1e-7)


def test_the_choice_is_its_minimum():
    problem = make(3, 25, 5, t=2)
    X, y, w = fresh(problem)
    study = problem.study(validation=(X, y, w), criterion="validation")
    assert study.choice.criterion == "validation"
    assert_array_equal(study.alpha, study.risk["validation"].minimum.alpha)


def test_unit_and_shapes():
    one, three = (
        problem.study(validation=fresh(problem)).risk["validation"]
        for problem in (make(3, 25, 5), make(3, 25, 5, t=3))
    )
    assert one.unit == "half mean squared error"
    assert [np.shape(one(a)) for a in (None, 0.1, [0.1, 1.0])] == [(), (), (2,)]
    assert [np.shape(three(a)) for a in (None, 0.1, [0.1, 1.0])] == [(3,), (3,), (2, 3)]


# --- a fraction that is held out ----------------------------------------------------------------------


def places(problem: Problem, X) -> np.ndarray:
    """Which rows of the problem these are: its first column has no value twice."""
    first = problem.dense[:, 0]
    assert len(np.unique(first)) == len(first)
    return np.array([int(np.flatnonzero(first == value)[0]) for value in np.asarray(X)[:, 0]])


def holdout(study: es.Study):
    return study.path.fit.training.splits.holdout


@pytest.mark.parametrize("fraction", [0.1, 0.3, 0.5])
@pytest.mark.parametrize("case", ["tall", "precision weights", "frequency weights", "targets", "wide"])
def test_the_study_is_of_the_other_rows(fraction, case):
    problem = make(3, **CASES[case] | {"n": 40})
    study = problem.study(validation=fraction, criterion="evidence")
    out = np.isin(np.arange(40), places(problem, holdout(study).X))
    assert out.sum() == len(holdout(study).y)
    assert abs(out.sum() - 40 * fraction) <= 1
    assert study.facts.rows == 40 - out.sum()
    rest, held = rows_of(problem, ~out), rows_of(problem, out)
    expected = every(held_out, rest, ALL, held.dense, held.targets, held.weights)
    assert_allclose(values(study.risk["validation"], ALL), expected, rtol=1e-9)
    assert_allclose(study.coef(0.3), rest.study(criterion="evidence").coef(0.3), rtol=1e-10)
    assert_allclose(study.risk["loo"](ALL), rest.study(criterion="evidence").risk["loo"](ALL), rtol=1e-9)


def test_groups_stay_whole():
    problem = make(3, 60, 4)
    groups = np.random.default_rng(0).integers(0, 12, 60)
    study = problem.study(groups=groups, validation=0.3)
    out = np.isin(np.arange(60), places(problem, holdout(study).X))
    assert not set(groups[out]) & set(groups[~out])
    assert abs(out.sum() - 18) <= np.bincount(groups).max()
    codes, rest = study.path.fit.training.splits.groups, groups[~out]
    assert_array_equal(codes[:, None] == codes, rest[:, None] == rest)


def test_rows_without_weight_are_on_neither_side():
    problem = make(3, 40, 4, weights="precision")
    gone = np.arange(40) % 4 == 0
    study = problem.with_(s=np.where(gone, 0.0, problem.s)).study(validation=0.5)
    assert not np.any(gone[places(problem, holdout(study).X)])
    assert study.facts.rows + len(holdout(study).y) == 30


def test_the_same_seed_holds_out_the_same_rows():
    problem = make(3, 40, 4)
    first, again, other = (
        places(problem, holdout(problem.study(validation=0.3, random_state=seed)).X) for seed in (1, 1, 2)
    )
    assert_array_equal(first, again)
    assert set(first) != set(other)


def test_rows_held_out_are_not_the_last_ones():
    """Data are often sorted."""
    found = places(make(3, 40, 4), holdout(make(3, 40, 4).study(validation=0.25)).X)
    assert found.min() < 20 <= found.max()


# --- refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("validation", [0.0, 1.0, -0.1, 1.5, np.nan, "0.2", "rows", object(), 0.001, 0.999])
def test_fractions_that_cannot_be_held_out_are_refused(validation):
    with pytest.raises(es.InputError, match="validation"):
        make(3, 25, 5).study(validation=validation)


X25, Y25 = make(3, 25, 5).X, make(3, 25, 5).y


@pytest.mark.parametrize(
    "validation",
    [
        (X25,),
        (X25, Y25, Y25, Y25),
        (X25[:, :4], Y25),
        (X25, Y25[:20]),
        (X25, np.column_stack([Y25, Y25])),
        (X25 + np.nan, Y25),
        (X25, np.where(Y25 > 2, np.inf, Y25)),
        (X25, Y25, -np.ones(25)),
        (X25, Y25, np.zeros(25)),
        (X25, Y25, np.ones(3)),
        (X25[:0], Y25[:0]),
    ],
    ids=[
        "one",
        "four",
        "columns",
        "rows",
        "targets",
        "nan",
        "inf",
        "negative",
        "no weight",
        "weights",
        "none",
    ],
)
def test_rows_that_cannot_judge_are_refused(validation):
    with pytest.raises(es.InputError, match="validation"):
        make(3, 25, 5).study(validation=validation)


def test_without_such_rows_there_is_no_such_curve():
    assert "validation" not in make(3, 25, 5).study().risk
    with pytest.raises(es.InputError, match=r"validation.*validation=\(X, y\)"):
        make(3, 25, 5).study(criterion="validation")


def test_one_row_cannot_say_how_sure_it_is():
    problem = make(3, 25, 5)
    X, y, _ = fresh(problem, n=1)
    with pytest.raises(es.InputError, match=r"validation.*fewer than 2 rows.*at least 2") as refused:
        problem.study(validation=(X, y))
    assert "fit" not in str(refused.value)  # they judge
