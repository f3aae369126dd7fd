"""Standard errors as they are asked for: shapes, dtypes, files, limits and refusals (M15)."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import eigenshrink as es
from eigenshrink import inference
from oracles import CASES, make

# --- shapes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("t", "tail"), [(None, ()), (1, (1,)), (3, (3,))])
def test_shapes_are_those_of_the_contract(t, tail):
    problem = make(17, 30, 4, t)
    study = problem.study()
    chosen = np.full(t or 1, 0.3)
    for ask, last in ((study.covariance, (5, 5)), (study.standard_errors, (5,))):
        assert ask().shape == ask(0.1).shape == ask(per_target=chosen).shape == (*tail, *last)
        assert ask([0.1, 0.2]).shape == (2, *tail, *last)
        np.testing.assert_allclose(ask([0.1, 0.3])[1], ask(per_target=chosen), rtol=1e-12)
        np.testing.assert_allclose(ask(), ask(per_target=np.atleast_1d(study.alpha)), rtol=1e-12)
    assert np.shape(study.dispersion) == np.shape(study.residual_df) == tail
    assert study.prediction_std(problem.X).shape == (30, *tail)
    path = study.path
    assert np.shape(inference.residual_df(path, 0.1)) == ()
    assert inference.residual_df(path, [0.1, 0.2]).shape == (2,)
    assert inference.dispersion(path, [0.1, 0.2]).shape == (2, *tail)
    assert inference.kept_per_column(path, 0.1).shape == (4,)
    assert inference.kept_per_column(path, [0.1, 0.2]).shape == (2, 4)
    assert inference.kept_per_column(path, per_target=chosen).shape == (*tail, 4)


def test_each_target_has_its_own_strength():
    problem, each = make(18, 25, 4, 3, free=1), np.array([0.0, 0.3, np.inf])
    study = problem.study(alpha=each)
    for j, alpha in enumerate(each):
        alone = problem.with_(y=problem.y[:, j]).study(alpha=alpha)
        np.testing.assert_allclose(study.standard_errors()[j], alone.standard_errors(), rtol=1e-9)
        np.testing.assert_allclose(study.covariance()[j], alone.covariance(), rtol=1e-9, atol=1e-14)
        errors = study.prediction_std(problem.X, noise=True)[:, j]
        np.testing.assert_allclose(errors, alone.prediction_std(problem.X, noise=True), rtol=1e-9)
        assert study.dispersion[j] == pytest.approx(alone.dispersion, rel=1e-9)
        assert study.residual_df[j] == pytest.approx(alone.residual_df, rel=1e-12)


def test_results_have_the_dtype_of_the_columns():
    problem = make(19, 20, 3)
    study = problem.with_(X=problem.X.astype(np.float32)).study(alpha=0.1)
    for result in (study.standard_errors(), study.covariance(), study.prediction_std(problem.X)):
        assert result.dtype == np.float32
    np.testing.assert_allclose(study.standard_errors(), problem.study(alpha=0.1).standard_errors(), rtol=1e-4)


@pytest.mark.parametrize(
    "case", ["tall", "free columns", "collinear free columns", "wide, free, no intercept"]
)
def test_a_study_from_a_file_says_the_same(case, tmp_path):
    problem = make(20, **CASES[case])
    study = problem.study(alpha=0.1)
    study.save(tmp_path / "study.npz")
    loaded = es.load(tmp_path / "study.npz")
    for kind in inference.KINDS:
        size = study.dispersion
        np.testing.assert_allclose(
            loaded.covariance(kind=kind) / size, study.covariance(kind=kind) / size, rtol=1e-9, atol=1e-12
        )
        np.testing.assert_allclose(
            loaded.standard_errors([0.1, 3.0], kind), study.standard_errors([0.1, 3.0], kind), rtol=1e-10
        )
        errors = loaded.prediction_std(problem.X, kind=kind, noise=True)
        np.testing.assert_allclose(errors, study.prediction_std(problem.X, kind=kind, noise=True), rtol=1e-10)
    kept = inference.kept_per_column(study.path, 0.1)
    np.testing.assert_allclose(inference.kept_per_column(loaded.path, 0.1), kept, rtol=1e-10)
    assert loaded.residual_df == pytest.approx(study.residual_df, rel=1e-12)


@pytest.mark.parametrize("case", ["free columns", "wide, collinear free"])
def test_slices_of_directions_add_up_to_the_whole(case, monkeypatch):
    problem = make(25, **CASES[case])
    study = problem.study(alpha=0.1)

    def answers(kind):
        kept = inference.kept_per_column(study.path, 0.1)
        return (
            study.covariance(kind=kind),
            study.standard_errors(kind=kind),
            study.prediction_std(problem.X, kind=kind),
            kept,
        )

    whole = [answers(kind) for kind in inference.KINDS]
    monkeypatch.setattr(inference.quadratic, "BLOCK", 2)  # a few directions at a time
    for kind, wanted in zip(inference.KINDS, whole, strict=True):
        for found, before in zip(answers(kind), wanted, strict=True):
            np.testing.assert_allclose(found, before, rtol=1e-9, atol=1e-10)


# --- limits -------------------------------------------------------------------------------------------


def test_many_columns_need_no_square_array():
    study = make(21, 20, 5000).study(alpha=1.0)
    _ = study.spectrum
    tracemalloc.start()
    for kind in inference.KINDS:
        assert np.all(study.standard_errors(kind=kind) > 0)
    study.prediction_std(study.path.fit.training.table.X, kind="bayesian")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5000**2 * 8 / 10


def test_a_covariance_that_would_not_fit_says_what_to_ask_for():
    rng = np.random.default_rng(0)
    study = es.study(rng.normal(size=(4, 20_000)), rng.normal(size=4), alpha=1.0)
    with pytest.raises(es.InputError, match=r"20001 coefficients.*standard_errors"):
        study.covariance()
    assert study.standard_errors().shape == (20_001,)


def test_nothing_is_known_where_nothing_is_left():
    for case in ("wide", "square"):
        study = make(22, **CASES[case]).study(alpha=0.0)
        assert study.residual_df == 0
        assert np.isnan(study.dispersion)
        assert np.isnan(study.standard_errors()).all()
        assert np.isfinite(study.standard_errors([0.0, 1e-9])[1]).all()


@pytest.mark.parametrize("ask", ["covariance", "standard_errors", "prediction_std"])
def test_the_prior_is_needed_where_rows_do_not_decide(ask):
    problem = make(24, 25, 5)
    problem.X[:, :2] = problem.X[:, 2:3]
    study = problem.study(alpha=0.0)
    rows = (problem.X,) if ask == "prediction_std" else ()
    with pytest.raises(es.InputError, match=r"2 of 5 penalised weights undetermined.*alpha > 0"):
        getattr(study, ask)(*rows, kind="bayesian")
    assert np.isfinite(getattr(study, ask)(*rows)).all()


def test_what_cannot_be_answered_is_said():
    problem = make(23, 20, 3)
    study = problem.study()
    for ask in (study.covariance, study.standard_errors):
        with pytest.raises(es.InputError, match="'frequentist' or 'bayesian'; got 'robust'"):
            ask(kind="robust")
        with pytest.raises(es.InputError, match="one of the two"):
            ask(0.1, per_target=[0.1])
        with pytest.raises(es.InputError, match=r"per_target has shape \(2,\)"):
            ask(per_target=[0.1, 0.2])
        with pytest.raises(es.InputError, match="alpha"):
            ask(-1.0)
    with pytest.raises(es.InputError, match="one strength"):
        study.prediction_std(problem.X, [0.1, 0.2])
    with pytest.raises(es.InputError, match="2 strengths"):
        inference.prediction_std(study.path, problem.X, [0.1, 0.2])
    with pytest.raises(es.InputError, match="2 columns"):
        study.prediction_std(problem.X[:, :2])
    with pytest.raises(es.InputError, match="no data"):
        inference.standard_errors(es.quadratic([1.0, 2.0], np.eye(2)), 0.1)
