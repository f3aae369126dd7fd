"""The strength that a place of the path belongs to, against slow definitions and new fits (M13, M18)."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.interpolate import CubicSpline
from scipy.optimize import minimize_scalar

from eigenshrink.errors import InputError
from eigenshrink.path.calibration import Calibration
from logistic_networks import Linear, Logistic

PLACES = np.exp(np.array([-6.0, -5.4, -4.8, -4.0, -3.9, -2.0]))
BENDS = np.array([1.4, 1.2, 1.05, 1.0, 1.0, 1.3])
SMOOTH = Calibration(PLACES, PLACES * BENDS)
STEEP = Calibration(PLACES, PLACES * np.array([1.0, 1.0, 1.0, 0.93, 1.4, 1.0]))
ONE = Calibration(np.array([0.02]), np.array([0.03]))
ALL = {"smooth": SMOOTH, "steep": STEEP, "one place": ONE, "itself": Calibration()}


# --- the scale ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_places_and_strengths_undo_each_other(name):
    made = ALL[name]
    asked = np.concatenate([np.geomspace(1e-5, 10.0, 61), PLACES, made.strengths])
    asked = np.concatenate([asked, np.nextafter(asked, 0), np.nextafter(asked, np.inf)])
    assert_allclose(made.strength(made.place(asked)), asked, rtol=1e-12)
    assert_allclose(made.place(made.strength(asked)), asked, rtol=1e-12)
    ends = np.array([0.0, np.inf])
    assert_array_equal(made.place(ends), ends)
    assert_array_equal(made.strength(ends), ends)
    assert made.place(0.02).shape == ()
    assert made.strength(asked[:6].reshape(2, 3)).shape == made.place(asked[:6].reshape(2, 3)).shape == (2, 3)


def test_places_that_were_measured_are_met():
    for made in (SMOOTH, STEEP, ONE):
        assert_allclose(made.place(made.strengths), made.places, rtol=1e-13)
        assert_allclose(made.strength(made.places), made.strengths, rtol=1e-13)
        assert_array_equal(made.strength(made.places[[0, -1]]), made.strengths[[0, -1]])


def test_beyond_the_ends_the_ratio_stays():
    for far in (0.9, 0.1, 1e-6):
        assert float(SMOOTH.place(far * SMOOTH.strengths[0])) == pytest.approx(far * PLACES[0], rel=1e-13)
        assert float(SMOOTH.place(SMOOTH.strengths[-1] / far)) == pytest.approx(PLACES[-1] / far, rel=1e-13)
    assert_allclose(ONE.bend([1e-3, 0.03, 5.0]), 1.5, rtol=1e-13)
    assert_allclose(SMOOTH.rate([1e-9, 1.0]), 1.0)


def test_strengths_rise_also_where_a_smooth_curve_would_not():
    cubic = CubicSpline(np.log(STEEP.strengths), np.log(STEEP.places))
    between = np.linspace(*np.log(STEEP.strengths[[0, -1]]), 1000)
    assert cubic(between, 1).min() < 0  # else nothing is tested
    assert np.diff(STEEP.place(np.exp(between))).min() > 0
    assert STEEP.rate(np.exp(between)).min() >= 0


def test_many_scales_at_random():
    rng = np.random.default_rng(0)
    for _ in range(200):
        places = np.exp(rng.uniform(-12, 0) + np.cumsum(rng.uniform(0.05, 0.6, rng.integers(2, 20))))
        strengths = np.exp(
            np.cumsum(rng.uniform(0.25, 2.0, len(places)) * np.diff(np.log(places), prepend=0))
        )
        made = Calibration(places, strengths)
        asked = np.concatenate([places, np.nextafter(places, 0), np.exp(rng.uniform(-14, 4, 20))])
        assert_allclose(made.place(made.strength(asked)), asked, rtol=1e-11)


def test_rate_is_that_of_differences_and_bend_the_ratio():
    for made in (SMOOTH, STEEP):
        asked = np.geomspace(*made.strengths[[0, -1]] * [1.01, 0.99], 41)
        step = 1e-6
        ahead, behind = made.place(asked * np.exp(step)), made.place(asked * np.exp(-step))
        assert_allclose(made.rate(asked), np.log(ahead / behind) / (2 * step), rtol=1e-4, atol=1e-7)
        assert_allclose(made.bend(asked), asked / made.place(asked))
        assert_array_equal(made.bend([0.0, np.inf]), 1.0)


# --- a quadratic is its own scale -----------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"free": (1, 7)}, {"factors": True}, {"single": True}], ids=str)
@pytest.mark.parametrize("alpha", [0.0, 1e-4, 0.02])
@pytest.mark.parametrize("whole", [3000, 0], ids=["whole", "products"])
def test_a_quadratic_is_its_own_scale(whole, alpha, options):
    path = Linear(**options).path(alpha, whole=whole)
    assert_allclose(path.measured.bend, 1.0, rtol=1e-12)
    assert path.measured.left.max() < 1e-9
    assert path.trusted == (0.0, np.inf)
    asked = np.array([0.0, 1e-5, 0.02, 3.0, 1e6, np.inf])
    assert_allclose(path.place(asked), asked, rtol=1e-12)
    assert_allclose(path.weights(asked), path.uncalibrated.weights(asked), rtol=1e-10)
    assert_allclose(path.local(0.3).weights(asked), path.quadratic.weights(asked), rtol=1e-10)


def test_a_quadratic_that_was_not_trained_to_its_end_is_its_own_scale_too():
    path = Linear().path(0.02, moved=0.3)
    assert not path.rested
    assert_allclose(path.measured.bend, 1.0, rtol=1e-12)
    assert path.trusted == (0.0, np.inf)


def test_a_path_through_the_weights_belongs_to_the_strength_of_the_training():
    problem = Logistic(spread=6.0, rows=60)
    path = problem.path(1e-3, moved=1.0)
    assert path.rested
    start = int(np.argmin(np.abs(np.log(path.measured.places / 1e-3))))
    assert path.measured.bend[start] == 1.0
    assert path.measured.left[start] < 1e-20
    assert np.abs(path.measured.bend - 1.0).max() > 0.1
    assert_allclose(path.weights(1e-3), path.fit.weights[:, 0], rtol=1e-10)


# --- another loss ---------------------------------------------------------------------------------------

CASES = {
    "all alike": Logistic(),
    "factors": Logistic(seed=1, factors=True),
    "free": Logistic(seed=2, free=(0, 5), factors=True),
}


def off(found, truth):
    return float(np.linalg.norm(found - truth) / np.linalg.norm(truth))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("route", ["whole", "products"])
def test_weights_are_near_those_that_are_fitted_again(name, route):
    problem = CASES[name]
    path = problem.path(3e-3, route=route)
    low, high = path.trusted
    assert low < 3e-3 / 2
    assert 3e-3 * 4 < high < 1.0
    for alpha in np.geomspace(low, high, 5):
        truth = problem.fitted(alpha)
        found, plain = off(path.weights(alpha), truth), off(path.uncalibrated.weights(alpha), truth)
        assert found < 0.1
        assert found <= 0.45 * plain + 1e-6
        gain = problem.objective(path.weights(alpha), alpha) - problem.objective(truth, alpha)
        assert 0 <= gain <= 0.05 * problem.train(truth).mean


@pytest.mark.parametrize("name", CASES)
def test_a_place_is_where_the_true_loss_is_least_along_the_path(name):
    """By looking at it everywhere, at strengths that were measured and between them."""
    problem = CASES[name]
    path = problem.path(3e-3)
    bare, low, high = path.uncalibrated, *path.trusted

    def along(alpha, place):
        return problem.objective(bare.weights(np.exp(place)), alpha)

    moved = []
    for alpha in np.geomspace(low, high, 9):
        looks = np.log(alpha) + np.linspace(-1, 1, 81)
        near = looks[np.argmin([along(alpha, place) for place in looks])]
        bounds, options = (near - 0.05, near + 0.05), {"xatol": 1e-8}
        best = minimize_scalar(
            lambda at, a=alpha: along(a, at), bounds=bounds, method="bounded", options=options
        )
        here = float(np.log(path.place(alpha)))
        assert along(alpha, here) - best.fun <= 1e-6 * problem.train(path.weights(alpha)).mean
        if abs(best.x - np.log(alpha)) > 0.05:
            assert here == pytest.approx(best.x, abs=5e-3)
            moved.append(best.x - np.log(alpha))
    assert len(moved) >= 4


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("route", ["whole", "dual", "products", "few products"])
def test_what_is_left_is_the_gain_of_a_newton_step(name, route):
    problem = CASES[name]
    few = {"products": 12, "accuracy": 1e-2} if route == "few products" else {}
    path = problem.path(3e-3, route=route, **few)
    assert path.spectrum.route == {"whole": "dense", "dual": "dual-products"}.get(route, "lanczos")
    H, seen = path.fit.curvature.dense, 0
    for place, bend, left in zip(
        *(getattr(path.measured, key) for key in ("places", "bend", "left")), strict=True
    ):
        w, alpha = path.quadratic.weights(place), bend * place
        rest = problem.slope(w, alpha)
        gain = 0.5 * rest @ np.linalg.solve(H + alpha * np.diag(problem.d), rest) / problem.train(w).mean
        seen += gain > 1e-5
        if "products" in route:
            assert gain * (1 - 1e-6) - 1e-12 <= left <= 1.1 * gain + 1e-12
        else:
            assert left == pytest.approx(gain, rel=1e-6, abs=1e-13)
    assert seen > 6


def test_the_bound_is_close_where_the_curvature_is_far_above_the_decay():
    """There a residual that is small beside the gradient is not small beside what is left."""
    problem = Logistic(rows=300, weights=120, fade=1.0)
    path = problem.path(1e-4, route="products", accuracy=1e-2)
    exact = problem.path(1e-4)
    assert_allclose(path.trusted, exact.trusted, rtol=1e-2)
    same = np.isin(exact.measured.places, path.measured.places)
    assert same.sum() > 15
    assert np.all(path.measured.left <= 1.1 * exact.measured.left[same] + 1e-12)


def test_a_way_that_weights_do_not_go_is_not_trusted():
    """A curvature that has its directions mixed up: the scale can be mended, the way cannot."""
    problem = Logistic(fade=1.0)
    H = problem.hessian(problem.fitted(3e-3))
    values, Q = np.linalg.eigh(H)

    def reach(hessian):
        low, high = problem.path(3e-3, hessian=hessian).trusted
        return high / low

    assert reach(H) > 100
    for order in (values[::-1], np.roll(values, 5), np.random.default_rng(0).permutation(values)):
        assert reach((Q * order) @ Q.T) < 3


def test_where_only_one_place_is_left_there_is_no_range():
    """Also at strengths that are not met by their own logarithm."""
    problem = Logistic(fade=1.0)
    H = problem.hessian(problem.fitted(3e-4))
    values, Q = np.linalg.eigh(H)
    for alpha in (3e-4, 2.9e-4, 1.1e-4):
        path = problem.path(alpha, hessian=(Q * values[::-1]) @ Q.T)
        assert path.trusted == (alpha, alpha)
        assert path.span is None
        assert_allclose(path.weights(alpha), path.fit.weights[:, 0], rtol=1e-5)


@pytest.mark.parametrize("route", ["whole", "products"])
def test_negative_curvature_has_a_least_strength_of_its_own(route):
    problem = Logistic()
    H = problem.hessian(problem.fitted(3e-3))
    values, Q = np.linalg.eigh(H)
    bent = H - (values[0] + 1e-3) * np.outer(Q[:, 0], Q[:, 0])
    path = problem.path(3e-3, hessian=bent, route=route)
    low, high = path.trusted
    assert path.quadratic.trusted[0] == pytest.approx(1e-3, rel=1e-6)
    assert not path.calibration.trivial
    assert path.least == pytest.approx(float(path.calibration.strength(path.quadratic.trusted[0])))
    assert path.least < low < 3e-3 < high
    for alpha in np.geomspace(low, high, 4):
        assert np.isfinite(path.weights(alpha)).all()
        assert float(path.place(alpha)) > path.quadratic.trusted[0]
    for method in (path.weights, path.place, path.shrinkage, path.norm, path.checked):
        with pytest.raises(
            InputError, match=f"alpha = {0.9 * path.least:g} has no minimum.*alpha > {path.least:g} "
        ):
            method(0.9 * path.least)


# --- what is made of it ---------------------------------------------------------------------------------


def test_everything_is_by_the_strength_and_its_place():
    path = CASES["factors"].path(3e-3)
    bare = path.uncalibrated
    low, high = path.trusted
    for alpha in np.geomspace(1.01 * low, 0.99 * high, 4):
        place = float(path.place(alpha))
        for method in (
            "weights",
            "shrinkage",
            "effective_parameters",
            "norm",
            "train_loss",
            "residual_bound",
        ):
            assert_allclose(getattr(path, method)(alpha), getattr(bare, method)(place), rtol=1e-12)
        ahead, behind = (path.weights(alpha * np.exp(step)) for step in (1e-6, -1e-6))
        assert_allclose(path.slope(alpha), (ahead - behind) / 2e-6, rtol=1e-4, atol=1e-7)
        local = path.local(alpha)
        assert_allclose(local.weights(alpha), path.weights(alpha), rtol=1e-10)
        assert_allclose(local.shrinkage(alpha), path.shrinkage(alpha), rtol=1e-12)
        assert_allclose(local.spectrum.eigenvalues, alpha / place * path.spectrum.eigenvalues, rtol=1e-12)
    assert_array_equal(bare.measured.alphas, path.measured.places)
    assert bare.uncalibrated is bare
