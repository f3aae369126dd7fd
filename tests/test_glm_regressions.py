"""Faults that were there once, each with the smallest problem that showed it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from benchmarks.choosing.generalised import SETTINGS, draw_rows

import eigenshrink as es
from eigenshrink.risk import row_errors


def test_steps_that_do_not_fall_are_taken_back():
    """Between two anchors of nearly separable classes the interpolated curvature led far away."""
    rows = draw_rows(SETTINGS["logistic n100 p20 nearly separable"], 10130)
    path = es.study(rows.X, rows.y, loss="logistic").path
    alphas = np.geomspace(1e-8, 1e-3, 41)
    norms = path.norm(alphas)
    assert np.all(np.diff(norms) < 0)  # the norm falls as the penalty grows
    assert path.certificate(alphas, relative=True).max() < 1e-6


def test_a_bound_without_solved_free_weights_is_none():
    """Weights far away need a new intercept first: without it the gradient proves nothing (M16)."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 5)) + 3.0
    study = es.study(X, X[:, 0] + rng.normal(size=200) > 3, loss="logistic")
    w = study.coef(0.01)
    for away in (1e-9, 0.1, 5.0, 50.0):
        assert study.path.certify(w + away, 0.01) >= away * np.sqrt(5) * (1 - 1e-6)


def test_groups_of_one_row_that_only_they_determine():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 40)), rng.gamma(2, 1, size=30)
    risk = es.study(X, y, loss="gamma", groups=np.arange(30)).risk["leave_group_out"]
    assert np.all(np.isfinite(risk([0.1, 1.0])))
    assert not np.isnan(risk(0.0))


def test_rows_that_are_certain_have_no_residual():
    X = np.r_[np.random.default_rng(1).normal(size=(20, 1)), [[60.0]]]
    study = es.study(X, X[:, 0] > 0, loss="logistic")
    for alpha in (study.path.lowest, 0.1):
        rows = row_errors(study.path, np.array([alpha]))
        assert np.all(np.isfinite(rows.residual))
        assert np.all(np.isfinite(rows.left_out))


def test_a_robust_scale_where_most_targets_are_the_same():
    X = np.random.default_rng(0).normal(size=(40, 3))
    y = np.where(X[:, 0] > 1, 1.0, 0.0)
    assert np.isfinite(es.study(X, y, loss="huber").alpha)
    with pytest.raises(es.InputError, match="needs targets that differ"):
        es.study(X, np.ones(40), loss="huber")


def test_two_columns_of_counts_have_one_name():
    X = np.random.default_rng(0).normal(size=(40, 2))
    counts = pd.DataFrame({"wins": np.arange(40) % 5 + 1, "fails": np.arange(40) % 3 + 1})
    assert es.study(X, counts, loss="binomial").target_names == ("wins / (wins + fails)",)


@pytest.mark.parametrize("loss", ["logistic", "poisson"])
def test_copies_are_found_where_targets_take_few_values(loss):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    mean = np.exp(X[:, 0])
    y = rng.poisson(mean) if loss == "poisson" else rng.random(60) < mean / (1 + mean)
    twice, again = np.r_[X, X[:30]], np.r_[y, y[:30]]
    assert es.study(twice, again, loss=loss).path.splits.source == "found"
    assert es.study(X, y, loss=loss).path.splits.source == ""
    few = rng.integers(0, 3, size=(300, 3))  # rows that coincide by chance are no copies
    assert es.study(few, np.resize(y, 300), loss=loss).path.splits.source == ""


def test_copies_have_the_same_offset():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    y, log_years = rng.poisson(np.exp(X[:, 0])), rng.normal(size=60)
    twice, again, shift = np.r_[X, X[:30]], np.r_[y, y[:30]], np.r_[log_years, log_years[:30]]
    assert es.study(twice, again, loss="poisson", offset=shift).path.splits.source == "found"
    shift[60:] += 1.0
    assert es.study(twice, again, loss="poisson", offset=shift).path.splits.source == ""


def test_columns_of_wild_scales_do_not_bend_curves_below_the_anchors():
    """Rounding hides the way from the weakest anchor to α = 0: nothing is interpolated between them."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(30, 5)) * 10.0 ** np.array([-8, 8, 3, 0, -4])
    study = es.study(X, rng.poisson(1.5, size=30), loss="poisson")
    weakest = study.path.anchors[0].alpha
    risk = study.risk["cp"]
    between = study.risk["train"](weakest * np.array([1e-12, 1e-6, 1e-1]))
    assert between == pytest.approx(np.full(3, study.risk["train"](weakest)), rel=1e-9)
    assert np.all(np.isfinite(study.coef(0.0)))
    assert risk.minimum.value <= min(risk(np.geomspace(weakest / 1e3, 1e16, 99)).min(), risk(0.0)) + 1e-9


def test_nothing_is_in_doubt_where_nothing_is_penalised():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    study = es.study(X, rng.random(40) < 0.5, loss="logistic", penalty_factor=[0, 0])
    assert study.path.certificate(0.1, relative=True) == 0.0


def test_targets_that_never_differ_choose_no_columns():
    X = np.random.default_rng(0).normal(size=(40, 2))
    for loss in ("gamma", "inverse_gaussian", "tweedie"):
        assert es.study(X, np.ones(40), loss=loss).alpha >= 0


def test_a_study_prints_as_one_line():
    X = np.random.default_rng(0).normal(size=(40, 2))
    assert repr(es.study(X, X[:, 0] > 0, loss="logistic")).startswith("Study(loss='logistic', rows=40")


def test_one_gradient_proves_an_interval():
    """Inside it the weights at its middle keep the tolerance; well outside they do not (M16)."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 4))
    path = es.study(X, X[:, 0] + rng.normal(size=80) > 0, loss="logistic", tol=0.2).path
    alpha = 0.05
    w, (low, high) = path.weights(alpha), path.proved_interval(alpha)
    assert low < alpha < high
    for at in (low, high):
        bound = path.certify(w, at)
        assert bound <= 0.2 * np.linalg.norm(w) * (1 + 1e-9)
        assert np.linalg.norm(w - path.weights(at)) <= bound + path.certificate(at)
    for at in (0.9 * low, 1.1 * high):
        assert path.certify(w, at) > 0.2 * np.linalg.norm(w)
