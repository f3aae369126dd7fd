"""The path from products: choice of route, shapes, refusals, agreement of routes (M4, M5, M9, M13, M19)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse.linalg import LinearOperator

import eigenshrink as es
from eigenshrink import curvature, hessian
from eigenshrink.errors import InputError
from eigenshrink.path import KrylovPath, Layer
from eigenshrink.path.forecast import forecast
from eigenshrink.path.products import Effort, krylov_path
from eigenshrink.spectrum.eliminated import Columns
from krylov_problems import INDEFINITE, SPECTRA, Counted, Problem, problem

ALPHAS = np.geomspace(1e-4, 1.0, 12)
FREE = (0, 5, 77)
LAYERS = (Layer("first", 0, 90), Layer("second", 90, 240))
PRODUCTS = Effort(whole=0, weakest=1e-4, accuracy=1e-9)


def case(flat: bool = False) -> Problem:
    return problem(SPECTRA["power law"], stray=1e-3, factors=True, free=FREE, flat=flat)


@pytest.mark.parametrize("flat", [False, True], ids=["regular", "softmax shift"])
def test_the_krylov_path_is_the_whole_path(flat) -> None:
    made = case(flat)
    few, whole = (krylov_path(made.fit, LAYERS, effort=effort) for effort in (PRODUCTS, Effort(whole=1000)))
    assert (few.spectrum.route, whole.spectrum.route) == ("lanczos", "dense")
    size = np.linalg.norm(whole.weights(ALPHAS), axis=1, keepdims=True)
    assert np.all(np.abs(few.weights(ALPHAS) - whole.weights(ALPHAS)) <= 1e-8 * size)
    assert np.all(np.abs(few.weights(ALPHAS) - made.weights(ALPHAS)) <= 1e-7 * size)
    np.testing.assert_allclose(few.norm(ALPHAS), whole.norm(ALPHAS), rtol=1e-8)
    np.testing.assert_allclose(few.predicted_change(ALPHAS), whole.predicted_change(ALPHAS), rtol=1e-6)
    np.testing.assert_allclose(few.slope(0.01), whole.slope(0.01), atol=1e-8)
    assert few.free_rank == whole.free_rank == len(FREE) - flat


def test_predicted_change_is_the_quadratic_at_the_weights_of_the_path() -> None:
    made = case()
    path = krylov_path(made.fit, effort=PRODUCTS)
    moved = path.weights(ALPHAS) - made.fit.weights[:, 0]
    quadratic = moved @ made.fit.gradient[:, 0] + 0.5 * np.einsum("ai,ij,aj->a", moved, made.H, moved)
    np.testing.assert_allclose(path.predicted_change(ALPHAS), quadratic, rtol=1e-6)


def test_the_slope_is_the_derivative_of_the_weights() -> None:
    path, nudge = krylov_path(case().fit, effort=PRODUCTS), 1e-5
    ahead, behind = path.weights(0.01 * np.exp([nudge, -nudge]))
    np.testing.assert_allclose(path.slope(0.01), (ahead - behind) / (2 * nudge), atol=1e-7)


def test_bounds_hold_for_the_weights_that_are_handed_out() -> None:
    made = case()
    path = krylov_path(made.fit, effort=Effort(whole=0, weakest=1e-4))
    scaled = (path.weights(ALPHAS) - made.weights(ALPHAS))[:, made.fit.penalised] / made.fit.scale
    error, bound = np.linalg.norm(scaled, axis=1), path.residual_bound(ALPHAS)
    assert np.all(error <= bound + 1e-12)
    assert np.all(bound <= 1e-6 * path.norm(ALPHAS))
    assert np.median(bound / error) <= 10


def test_infinity_leaves_the_free_weights_at_their_own_optimum() -> None:
    made = case()
    path = krylov_path(made.fit, effort=PRODUCTS)
    far = path.weights(np.inf)
    assert np.all(far[made.fit.penalised] == 0)
    F = made.fit.free
    own = made.fit.gradient[:, 0] + made.H @ (far - made.fit.weights[:, 0])
    np.testing.assert_allclose(own[F], 0, atol=1e-10)


def test_shapes_follow_the_strengths() -> None:
    path = krylov_path(case().fit, LAYERS, effort=PRODUCTS)
    k = len(path.spectrum.eigenvalues)
    assert path.weights(0.1).shape == (240,)
    assert path.weights(ALPHAS).shape == (12, 240)
    assert path.shrinkage(ALPHAS).shape == (12, k)
    assert path.spectrum.basis.shape == (237, k)
    assert isinstance(path.residual_bound(0.1), float)
    assert path.residual_bound(ALPHAS).shape == (12,)
    assert path.effective_by_layer(0.1).shape == (2,)
    assert path.three_steps(0.1).back.shape == (237,)
    gram = path.spectrum.basis.T @ path.spectrum.basis
    np.testing.assert_allclose(gram, np.eye(k), atol=1e-10)


def test_negative_curvature_is_shown_and_strengths_that_have_no_minimum_are_refused() -> None:
    made = problem(INDEFINITE)
    path = krylov_path(made.fit, effort=Effort(whole=0, weakest=1e-5))
    low = path.quadratic.trusted[0]
    assert -INDEFINITE.min() * (1 - 1e-9) <= low <= -1.5 * INDEFINITE.min()
    assert path.spectrum.eigenvalues.min() < 0
    for ask in (path.weights, path.residual_bound, path.shrinkage, path.effective_estimate):
        with pytest.raises(InputError, match="no minimum"):
            ask(0.5 * low)
    assert np.isnan(path.shrinkage(0.01)[-1])


def test_float32_products_keep_a_float32_basis_and_float64_answers() -> None:
    made = problem(SPECTRA["power law"], float32=True, free=FREE)
    path = krylov_path(made.fit, LAYERS, effort=Effort(whole=0, weakest=1e-3))
    assert path.spectrum.directions.rest.dtype == np.float32
    assert isinstance(path.spectrum.free.onto, Columns)
    assert path.weights(0.1).dtype == np.float64
    alphas = np.geomspace(1e-3, 1, 6)
    error = np.linalg.norm(path.weights(alphas) - made.weights(alphas), axis=1)
    assert np.all(error <= path.residual_bound(alphas) + 1e-5 * path.norm(alphas))
    found = path.effective_estimate(alphas)
    assert np.all(
        np.abs(found.value - made.shares(alphas)) <= 3 * found.standard_error + path.sums.gap(alphas)
    )


def test_progress_names_what_is_done() -> None:
    seen = []
    path = krylov_path(case().fit, effort=replace(PRODUCTS, progress=lambda *each: seen.append(each)))
    assert path.sums.products > 0
    assert {what for _, _, what in seen} == {
        "free weights",
        "directions of the path",
        "sums over all directions",
    }
    assert all(0 < done <= most for done, most, _ in seen)


def test_memory_is_forecast_and_refused_before_anything_is_multiplied() -> None:
    made = case()
    with pytest.raises(InputError, match=r"240 weights need .* GB for the shortest Krylov basis"):
        krylov_path(made.fit, effort=Effort(whole=0, memory=50_000))
    assert made.fit.curvature.calls == 0


def test_little_memory_allows_fewer_products_and_says_so_by_the_bound() -> None:
    made = problem(SPECTRA["power law"])
    memory = 80 * 8 * 240
    planned = forecast(made.fit, 0, 400, memory)
    assert planned.route == "lanczos"
    assert planned.products < 60
    assert planned.total <= memory
    path = krylov_path(made.fit, effort=Effort(whole=0, weakest=1e-6, memory=memory))
    assert len(path.spectrum.eigenvalues) <= planned.products
    assert path.residual_bound(1e-6) > 1e-6 * path.norm(1e-6)
    assert path.sums.products > 0


def test_small_models_are_decomposed_whole() -> None:
    made = case()
    path = krylov_path(made.fit, LAYERS)
    assert path.spectrum.route == "dense"
    assert path.sums.products == 0
    np.testing.assert_allclose(path.effective_estimate(ALPHAS).value, made.shares(ALPHAS), rtol=1e-8)
    assert np.all(path.effective_estimate(ALPHAS).standard_error == 0)
    np.testing.assert_allclose(
        path.effective_by_layer(0.01).sum(), path.effective_parameters(0.01) - path.free_rank
    )


def test_a_large_operator_gets_a_krylov_path(monkeypatch) -> None:
    monkeypatch.setattr(hessian, "DENSE_LIMIT", 100)
    monkeypatch.setattr(curvature, "DENSE_LIMIT", 100)
    made = problem(SPECTRA["power law"])
    small = Effort(whole=0)
    monkeypatch.setattr(hessian, "krylov_path", lambda fit: krylov_path(fit, effort=small))
    operator = LinearOperator((240, 240), matvec=lambda v: made.H @ v, dtype=np.float64)
    w, alpha = made.fit.weights[:, 0], made.fit.alpha
    path = es.quadratic(w, operator, alpha, made.fit.gradient[:, 0])
    assert isinstance(path, KrylovPath)
    np.testing.assert_allclose(path.weights(0.1), made.weights(np.array([0.1]))[0], atol=1e-6)
    assert isinstance(es.quadratic(w, made.H, alpha), type(path.quadratic))


def test_a_curvature_that_counts_is_asked_no_more_than_the_effort_allows() -> None:
    made = problem(SPECTRA["power law"])
    path = krylov_path(made.fit, effort=Effort(whole=0, weakest=1e-9, products=40))
    assert made.fit.curvature.columns <= 40
    assert path.sums.products <= 40
    assert made.fit.curvature.columns <= 80
    assert isinstance(made.fit.curvature, Counted)
