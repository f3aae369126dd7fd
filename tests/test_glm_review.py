"""Odd but legal data, each of which once broke a promise of the path of anchors."""

from __future__ import annotations

import numpy as np
import pytest

import eigenshrink as es


def normal(n, p, seed):
    return np.random.default_rng(seed).normal(size=(n, p))


def wide_in_units(seed=3, n=10, p=15):
    """More columns than rows, in units sixteen decades apart, so that some directions are rounding."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * 10.0 ** rng.uniform(-8, 8, p)
    return X, np.arange(n) % 2


# --- risk ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["logistic", "multinomial", "poisson"])
def test_a_fold_may_hold_all_rows_of_a_class(loss):
    X, y = normal(20, 3, 1), np.zeros(20, dtype=int)
    y[7] = 1
    if loss == "multinomial":
        y[:6] = 2
    curve = es.study(X, y, loss=loss, criterion="kfold").risk["kfold"]
    values = curve(np.logspace(-2, 3, 9))
    assert np.all(np.isfinite(values))
    assert values.min() > 0.5  # the row of the class that was not there costs a lot


def test_a_column_of_one_row_without_penalty_leaves_nothing_to_judge_it_by():
    X, y = normal(12, 3, 2), normal(12, 1, 3)[:, 0]
    X[:, 2] = np.arange(12) == 4
    s = es.study(X, y, loss="huber:3.0", penalty_factor=[1.0, 1.0, 0.0])
    values = s.risk["loo"](np.r_[0.0, np.logspace(-3, 3, 7), np.inf])
    assert np.all(values == np.inf)
    assert s.risk["loo"].optimism is None


@pytest.mark.parametrize("name", ["cp", "evidence"])
def test_the_minimum_may_lie_at_the_weakest_strength_there_is(name):
    X, rng = normal(40, 2, 4), np.random.default_rng(4)
    y = (X[:, 0] + 0.8 * rng.normal(size=40) > 0).astype(int)
    X[:, 1] = 1e-4 * (y - 0.5 + 0.02 * X[:, 1])  # a small column that separates: a second valley
    s = es.study(X, y, loss="logistic")
    assert s.path.lowest > 0
    curve, places = s.risk[name], np.r_[np.logspace(np.log10(s.path.lowest * 1.0001), 3, 300), np.inf]
    assert curve.minimum.value <= np.min(curve(places)) + 1e-9
    assert curve(curve.minimum.alpha) == pytest.approx(curve.minimum.value)


@pytest.mark.parametrize("seed", range(3))
def test_curves_whose_curvature_jumps_are_searched_finely(seed):
    X, rng = normal(20, 2, seed), np.random.default_rng(seed + 50)
    s = es.study(X, X[:, 0] + rng.standard_t(1.5, 20), loss="huber:0.5", penalty_factor=[1e-3, 10.0])
    places = np.exp(np.linspace(*s.path.span, 3000))
    for name in ("loo", "evidence", "kfold"):
        assert s.risk[name].minimum.value <= np.min(s.risk[name](places)) + 1e-4


# --- proof --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_the_tolerance_is_kept_wherever_the_path_is_trusted(seed):
    X, y = wide_in_units(seed)
    path = es.study(X, y, loss="logistic").path
    low = path.trusted[0]
    if np.isfinite(low):
        places = low * np.logspace(0, 20, 41)
        assert np.all(path.certificate(places, relative=True) <= path.tolerance)


@pytest.mark.parametrize("seed", range(2))
def test_what_is_free_may_have_no_curvature(seed):
    X, rng = normal(6, 3, seed), np.random.default_rng(seed + 50)
    path = es.study(X, X @ [3.0, -2.0, 1.0] + 0.1 * rng.normal(size=6), loss="huber:0.2").path
    strongest = path.anchors[-1].point.curvature.free
    assert np.all(strongest == 0)  # every row is further than delta away
    places = np.logspace(-1, 3, 30)
    assert np.all(np.isfinite(path.weights(places)))
    assert np.all(path.certificate(places) > 0)


def test_the_local_quadratic_may_have_free_columns_that_repeat_each_other():
    X, y = np.round(normal(10, 15, 6)), np.arange(10) % 2
    s = es.study(np.vstack([X, X, X]), np.r_[y, 1 - y, y], loss="logistic", penalty_factor=np.zeros(15))
    assert np.all(np.isfinite(s.local.spectrum.free.root))


# --- scatter ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [0.0, 1e-3, 1e4])
def test_covariance_is_one_in_any_units(alpha):
    X, rng = normal(60, 4, 7) * 10.0 ** np.array([-8.0, -3.0, 3.0, 8.0]), np.random.default_rng(8)
    s = es.study(X, rng.random(60) < 0.5, loss="logistic")
    for kind in ("frequentist", "bayesian"):
        C, errors = s.covariance(alpha, kind), s.standard_errors(alpha, kind)
        assert np.array_equal(C, C.T)
        assert errors == pytest.approx(np.sqrt(np.diag(C)))
        size = np.where(errors > 0, errors, 1.0)
        assert np.linalg.eigvalsh(C / np.outer(size, size))[0] > -1e-12


# --- files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(25, 3), (12, 20)])
def test_a_saved_study_holds_numbers_and_text_alone(shape, tmp_path):
    X, rng = normal(*shape, 9), np.random.default_rng(9)
    s = es.study(X, rng.permutation(np.arange(shape[0]) % 3), loss="multinomial", alpha=0.1)
    s.save(tmp_path / "study")
    with np.load(tmp_path / "study", allow_pickle=False) as file:
        assert all(file[name].dtype != object for name in file.files)
    again = es.load(tmp_path / "study")
    assert again.coef() == pytest.approx(s.coef())
    assert again.standard_errors() == pytest.approx(s.standard_errors())
