"""K-fold cross-validation against refits without each fold at the same Sα, and how folds are made (M14)."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_allclose, assert_array_equal

import eigenshrink as es
from criteria_oracles import ALL, assert_no_grid_is_better, assert_slopes, every, left_out, values
from oracles import CASES, Problem, make

FEW = np.array([0.0, 1e-6, 0.05, 30.0, np.inf])


def folds_of(study: es.Study) -> np.ndarray:
    return study.path.fit.training.splits.folds


def assert_is_what_refits_say(problem: Problem, alphas=ALL, rtol=1e-9, **more) -> None:
    study = problem.study(criterion="evidence", **more)
    expected = every(left_out, problem, alphas, folds_of(study))
    assert_allclose(values(study.risk["kfold"], alphas), expected, rtol=rtol)


@pytest.fixture(params=CASES)
def problem(request) -> Problem:
    return make(3, **CASES[request.param])


# --- values -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folds", [2, 5])
def test_it_is_what_refits_say(problem, folds):
    assert_is_what_refits_say(problem, folds=folds)


@pytest.mark.parametrize("shape", [(11, 3), (9, 14)])
@pytest.mark.parametrize("weights", [None, "precision", "frequency"])
def test_any_number_of_folds(shape, weights):
    problem = make(4, *shape, weights=weights)
    for folds in range(2, shape[0] + 1):
        assert_is_what_refits_say(problem, FEW, folds=folds, random_state=folds)


@pytest.mark.parametrize("shape", [(24, 5), (14, 20)])
@pytest.mark.parametrize("weights", [None, "precision", "frequency"])
def test_folds_of_groups(shape, weights):
    problem = make(5, *shape, weights=weights, free=1)
    groups = np.random.default_rng(1).integers(0, 7, shape[0])
    assert_is_what_refits_say(problem, groups=groups, folds=3)


@pytest.mark.parametrize("kind", [scipy.sparse.csr_array, scipy.sparse.csc_matrix, scipy.sparse.coo_array])
@pytest.mark.parametrize("shape", [(25, 6), (12, 20)])
def test_sparse_rows(kind, shape):
    problem = make(5, *shape, weights="precision", free=1)
    mask = np.random.default_rng(0).random(shape) < 0.4
    assert_is_what_refits_say(problem.with_(X=kind(problem.X * mask)))


@pytest.mark.parametrize("shape", [(30, 4), (12, 20)])
def test_many_targets(shape):
    assert_is_what_refits_say(make(6, *shape, t=40, weights="precision"))


def test_float32_rows_are_those_numbers_in_float64():
    problem = make(7, 25, 5, weights="precision")
    assert_is_what_refits_say(problem.with_(X=problem.X.astype(np.float32), y=problem.y.astype(np.float32)))


def test_standardised_columns_keep_the_sd_of_all_rows():
    """``d_j ← d_j·sd²`` is a penalty factor: the same in every fold."""
    problem = make(6, 25, 5, weights="precision")
    sd = np.sqrt(np.average((problem.X - np.average(problem.X, axis=0, weights=problem.s)) ** 2, axis=0,
                            weights=problem.s))  # fmt: skip
    study = problem.study(standardize=True)
    expected = every(left_out, problem.with_(d=sd**2), ALL, folds_of(study))
    assert_allclose(values(study.risk["kfold"], ALL), expected, rtol=1e-9)


@pytest.mark.parametrize("case", ["tall", "precision weights", "wide", "wide, precision, targets"])
def test_a_fold_per_row_is_leave_one_out(case):
    problem = make(3, **CASES[case])
    study = problem.study(folds=len(problem.y), criterion="evidence")
    assert_allclose(study.risk["kfold"](ALL), study.risk["loo"](ALL), rtol=1e-9)


@pytest.mark.parametrize("case", ["tall", "wide", "free columns, frequency"])
def test_a_fold_per_group_is_leave_group_out(case):
    problem = make(3, **CASES[case])
    study = problem.study(groups=np.arange(len(problem.y)) // 2, folds=len(problem.y), criterion="evidence")
    assert_allclose(study.risk["kfold"](ALL), study.risk["leave_group_out"](ALL), rtol=1e-9)


@pytest.mark.parametrize("shape", [(60, 30), (30, 60)])
def test_many_strengths_are_each_alone(shape):
    risk = make(9, *shape, weights="precision").study().risk["kfold"]
    alphas = np.logspace(-8, 8, 120)
    assert_allclose(risk(alphas), [risk(alpha) for alpha in alphas], rtol=1e-10)
    assert_allclose(risk.derivative(alphas), [risk.derivative(a) for a in alphas], atol=1e-9)


# --- what one fold alone knows ------------------------------------------------------------------------


def indicator(shape: tuple[int, int], **how) -> Problem:
    """The last column is 1 in two rows of fold 1 and 0 elsewhere."""
    problem = make(8, *shape, **how)
    X = problem.X.copy()
    X[:, -1] = 0.0
    X[np.flatnonzero(folds_of(problem.study(criterion="evidence")) == 1)[:2], -1] = 1.0
    return problem.with_(X=X)


@pytest.mark.parametrize("shape", [(20, 4), (12, 20)])
@pytest.mark.parametrize("weights", [None, "precision", "frequency"])
def test_a_penalised_indicator_that_occurs_in_one_fold_only(shape, weights):
    """The other folds do not know it: its weight is 0 there, also as α → 0."""
    problem = indicator(shape, weights=weights)
    assert_is_what_refits_say(problem, [0.0, 1e-9, 1e-6, 1e-2, 1.0, np.inf])


@pytest.mark.parametrize("shape", [(20, 4), (12, 20)])
@pytest.mark.parametrize("intercept", [True, False])
def test_a_free_indicator_that_occurs_in_one_fold_only_is_infinite(shape, intercept):
    problem = indicator(shape, free=1, intercept=intercept)
    assert np.all(np.isinf(problem.study(criterion="evidence").risk["kfold"](ALL)))
    assert_is_what_refits_say(problem)
    with pytest.raises(es.InputError, match=r"kfold.*infinite.*evidence"):
        _ = problem.study(criterion="kfold").choice


def test_a_column_that_is_constant_outside_one_fold():
    """Far from zero and constant among the rows that stay: rounding must not become a direction."""
    problem = indicator((20, 4))
    X = problem.X.copy()
    X[:, -1] += 1234.567
    assert_is_what_refits_say(problem.with_(X=X), [0.0, 1e-6, 1e-2, 1.0, np.inf])


@pytest.mark.parametrize("collinear", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_folds_that_leave_as_few_rows_as_there_are_free_weights(collinear, seed):
    """Nothing is left for the penalised columns to say, and rounding must not say it as α → 0."""
    problem = make(seed, 2 * (4 - collinear), 6, free=3, collinear_free=collinear, weights="precision")
    assert_is_what_refits_say(problem, [0.0, 1e-12, 1e-9, 1e-6, 1e-2, np.inf], folds=2)


@pytest.mark.parametrize("collinear", [False, True])
@pytest.mark.parametrize("extra", [0, 1, 2])
def test_a_fold_of_nearly_all_rows(collinear, extra):
    """The same where a group makes one fold so large that it is left out by another route than few rows."""
    problem = make(3, 40, 6, free=3, collinear_free=collinear, weights="precision")
    groups = np.maximum(np.arange(40) - (40 - (4 - collinear) - extra), 0)
    assert_is_what_refits_say(problem, [0.0, 1e-12, 1e-9, 1e-6, 1e-2, np.inf], 1e-8, groups=groups, folds=2)


# --- no cancellation ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(25, 5), (12, 20)])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weight", [1e3, 1e5, 1e6])
def test_one_row_that_outweighs_all_others(shape, intercept, weight):
    """The others' statistics are added up, but along the directions of all rows: digits go with the ratio."""
    problem = make(3, *shape, weights="precision", intercept=intercept)
    problem = problem.with_(s=np.where(np.arange(shape[0]) == 3, weight, problem.s))
    rest = np.delete(problem.s, 3).sum()
    alphas = np.array([0.0, 1e-4, 1.0, 1e3]) * rest / problem.s.sum()
    assert_is_what_refits_say(problem, alphas, rtol=max(1e-9, 1e-14 * weight))


@pytest.mark.parametrize("shape", [(25, 5), (12, 20)])
def test_columns_with_means_ten_million_times_their_spread(shape):
    problem = make(3, *shape, weights="precision")
    problem = problem.with_(X=np.rint(problem.X * 2**20) / 2**20)
    far = problem.with_(X=problem.X + 1e7).study(criterion="evidence")
    expected = every(left_out, problem, ALL, folds_of(far))
    assert_allclose(values(far.risk["kfold"], ALL), expected, rtol=1e-7)


def test_rows_that_are_fitted_all_but_exactly():
    """RSS as a difference of sums of squares would keep no digit."""
    problem = make(3, 25, 5, noise=1e-6)
    assert_is_what_refits_say(problem, [0.0, 1e-12, 1e-9, 1e-6, 1e-2], rtol=1e-7)


def test_rows_in_which_nothing_is_penalised():
    problem = make(3, 120, 2, free=2)
    assert_is_what_refits_say(problem, [0.0, 1.0, np.inf])


def test_folds_of_many_rows_and_more_columns():
    """Their systems are made strength by strength."""
    problem = make(3, 150, 160)
    assert_is_what_refits_say(problem, [0.0, 1e-3, 1.0, np.inf], folds=2)


# --- folds --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [8, 23, 50])
@pytest.mark.parametrize("folds", [2, 3, 5, 8])
def test_folds_are_balanced(n, folds):
    sizes = np.bincount(folds_of(make(3, n, 3).study(folds=folds)))
    assert len(sizes) == folds
    assert np.ptp(sizes) <= 1


def test_five_folds_unless_told():
    assert_array_equal(np.unique(folds_of(make(3, 25, 5).study())), np.arange(5))


def test_never_more_folds_than_rows_or_groups():
    """The default must not refuse small data."""
    small = make(3, 4, 2)
    assert_array_equal(np.sort(folds_of(small.study())), np.arange(4))
    assert_is_what_refits_say(small)
    grouped = make(3, 12, 2).study(groups=np.arange(12) % 3)
    assert len(np.unique(folds_of(grouped))) == 3


@pytest.mark.parametrize("sizes", [[1] * 8, [3] * 9, [1, 1, 1, 2, 5, 5, 8], [20, 1, 1, 1, 1]])
@pytest.mark.parametrize("folds", [2, 4])
def test_groups_stay_whole_and_folds_are_as_even_as_they_allow(sizes, folds):
    groups = np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes)), sizes))
    found = folds_of(make(3, len(groups), 2).study(groups=groups, folds=folds))
    assert all(len(np.unique(found[groups == group])) == 1 for group in np.unique(groups))
    assert len(np.unique(found)) == folds
    assert np.bincount(found).max() <= max(max(sizes), np.ceil(len(groups) / folds) + max(sizes) - 1)


def test_the_same_seed_makes_the_same_folds():
    problem = make(3, 30, 4)
    first, again = (problem.study(random_state=7) for _ in range(2))
    other = problem.study(random_state=8)
    assert_array_equal(folds_of(first), folds_of(again))
    assert np.any(folds_of(first) != folds_of(other))
    assert first.risk["kfold"](0.1) == again.risk["kfold"](0.1)
    assert first.risk["kfold"](0.1) != other.risk["kfold"](0.1)


def test_folds_do_not_follow_the_order_of_rows():
    """Data are often sorted: a fold of neighbours would be another question."""
    found = folds_of(make(3, 60, 4).study())
    assert np.mean(found[1:] == found[:-1]) < 0.4
    assert np.all([np.ptp(np.flatnonzero(found == fold)) > 24 for fold in range(5)])


def test_rows_without_weight_are_in_no_fold():
    problem = make(3, 25, 4, weights="precision")
    gone = np.arange(25) % 6 == 0
    problem = problem.with_(s=np.where(gone, 0.0, problem.s))
    study = problem.study(folds=4)
    found = folds_of(study)
    assert len(found) == (~gone).sum()
    kept = problem.with_(X=problem.X[~gone], y=problem.y[~gone], s=problem.s[~gone])
    assert_allclose(values(study.risk["kfold"], ALL), every(left_out, kept, ALL, found), rtol=1e-9)


@pytest.mark.parametrize("folds", [1, 0, -3, 2.5, True, "5", None, [5]])
def test_folds_that_cannot_be_made_are_refused(folds):
    with pytest.raises(es.InputError, match="folds must be a whole number from 2"):
        make(3, 25, 5).study(folds=folds)


@pytest.mark.parametrize("seed", ["x", -1, 1.5, [1]])
def test_seeds_that_cannot_be_used_are_refused(seed):
    with pytest.raises(es.InputError, match="random_state"):
        make(3, 25, 5).study(random_state=seed)


# --- slopes, minima, shapes ---------------------------------------------------------------------------


def test_slopes_and_minimum(problem):
    risk = problem.study(criterion="evidence").risk["kfold"]
    if np.isfinite(risk(1.0)).all():
        assert_slopes(risk)
    assert_no_grid_is_better(risk)


def test_which_problems_have_slopes_to_look_at():
    finite = [np.isfinite(make(3, **how).study(criterion="evidence").risk["kfold"](1.0)).all()
              for how in CASES.values()]  # fmt: skip
    assert np.mean(finite) > 0.9


def test_the_choice_is_its_minimum():
    problem = make(3, 25, 5)
    study = problem.study(criterion="kfold")
    assert study.choice.criterion == "kfold"
    assert study.alpha == study.risk["kfold"].minimum.alpha
    around = study.alpha * np.array([0.9, 1.0, 1.1])
    assert np.argmin([left_out(problem, alpha, folds_of(study))[0] for alpha in around]) == 1


def test_unit_and_shapes():
    one, three = (make(3, 25, 5, t=t).study().risk["kfold"] for t in (None, 3))
    assert one.unit == "half mean squared error"
    assert [np.shape(one(a)) for a in (None, 0.1, [0.1, 1.0])] == [(), (), (2,)]
    assert [np.shape(three(a)) for a in (None, 0.1, [0.1, 1.0])] == [(3,), (3,), (2, 3)]
    assert np.shape(three.derivative([0.1, 1.0])) == (2, 3)
