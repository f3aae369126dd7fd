"""Few rows, many weights: the small side against the large one (M7, M12, M19)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eigenshrink.curvature import MatrixCurvature
from eigenshrink.errors import InputError
from eigenshrink.fit import Fit
from eigenshrink.path.measured import Layer
from eigenshrink.path.products import Effort, krylov_path
from eigenshrink.spectrum.sums import WholeSums
from krylov_problems import Problem

ALPHAS = np.geomspace(1e-4, 10, 9)
LAYERS = (Layer("first", 0, 40), Layer("second", 40, 90))


class Factored(MatrixCurvature):
    """``BᵀB`` of few rows."""

    def __init__(self, B, dtype=np.float64) -> None:
        super().__init__(B.T @ B)
        self.B, self.factor_rows, self.precision = B, len(B), np.dtype(dtype)

    def factor(self):
        return self.B.astype(self.precision, copy=True)


def case(free=(), stray=0.0, dtype=np.float64, rank=30, explained=True) -> Problem:
    rng = np.random.default_rng(0)
    B = rng.normal(size=(30, 90)) * np.geomspace(1, 0.1, 90) / np.sqrt(30)
    B[rank:] = B[: 30 - rank]
    if len(free) > 2:
        B[:, free[0]] = -B[:, list(free[1:])].sum(axis=1)  # a shift that changes nothing
    H = B.T @ B
    d = rng.uniform(0.5, 2, 90)
    d[list(free)] = 0.0
    w = np.linalg.lstsq(H + 1e-2 * np.diag(d), H @ rng.normal(size=90), rcond=1e-12)[0]
    if not explained:
        w = rng.normal(size=90)
    g = -1e-2 * d * w + stray * (H @ rng.normal(size=90))
    g[list(free)] = (H @ rng.normal(size=90))[list(free)] * stray
    curvature = Factored(B, dtype)
    return Problem(Fit(w[:, None], g[:, None], 1e-2, curvature, d, np.ones(90, dtype=bool)), H)


def both(made: Problem):
    small = krylov_path(made.fit, LAYERS, effort=Effort(whole=0))
    whole = replace(made.fit, curvature=MatrixCurvature(made.H))
    return small, krylov_path(whole, LAYERS, effort=Effort(whole=1000))


@pytest.mark.parametrize("stray", [0.0, 1e-2])
@pytest.mark.parametrize("free", [(), (2, 3, 4, 50)], ids=["all penalised", "softmax shift"])
@pytest.mark.parametrize("explained", [True, False], ids=["in the span", "outside"])
def test_small_and_large_side_agree_in_everything(stray, free, explained) -> None:
    made = case(free, stray, explained=explained)
    small, whole = both(made)
    assert small.spectrum.route == "dual-products"
    np.testing.assert_allclose(small.weights(ALPHAS), whole.weights(ALPHAS), atol=1e-9)
    np.testing.assert_allclose(small.weights(ALPHAS), made.weights(ALPHAS), atol=1e-8)
    np.testing.assert_allclose(small.predicted_change(ALPHAS), whole.predicted_change(ALPHAS), atol=1e-10)
    np.testing.assert_allclose(small.slope(0.03), whole.slope(0.03), atol=1e-10)
    np.testing.assert_allclose(
        small.effective_parameters(ALPHAS), whole.effective_parameters(ALPHAS), rtol=1e-9
    )
    np.testing.assert_allclose(small.effective_by_layer(ALPHAS), whole.effective_by_layer(ALPHAS), atol=1e-9)
    np.testing.assert_allclose(small.norm(ALPHAS), whole.norm(ALPHAS), rtol=1e-9)
    assert small.free_rank == whole.free_rank == (3 if free else 0)
    assert np.all(np.linalg.norm(small.weights(ALPHAS) - made.weights(ALPHAS), axis=1) <= 1e-8)
    edges = np.array([-1.0, 1e-9, 100.0])
    np.testing.assert_array_equal(small.sums.density(edges), whole.sums.density(edges))


def test_its_bound_holds_and_is_near() -> None:
    small, _ = both(case((2, 3, 4), 1e-2))
    made = case((2, 3, 4), 1e-2)
    error = (small.weights(ALPHAS) - made.weights(ALPHAS))[:, made.fit.penalised] / made.fit.scale
    assert np.all(np.linalg.norm(error, axis=1) <= small.residual_bound(ALPHAS) + 1e-11)
    assert small.residual_bound(ALPHAS).max() < 1e-8


def test_rows_that_repeat_add_no_direction() -> None:
    small, whole = both(case(rank=20))
    assert np.count_nonzero(small.spectrum.eigenvalues) == np.count_nonzero(whole.spectrum.eigenvalues) == 20


def test_a_factor_in_float32_is_as_good_as_that() -> None:
    made = case((2, 3, 4), 1e-2, dtype=np.float32)
    small, whole = both(made)
    alphas = ALPHAS[4:]
    apart = np.linalg.norm(small.weights(alphas) - whole.weights(alphas), axis=1)
    assert np.all(apart <= 1e-4 * np.linalg.norm(whole.weights(alphas), axis=1))


def test_flat_directions_are_counted_in_the_density_only_once() -> None:
    sums = WholeSums(np.array([2.0, 1.0]), np.zeros((0, 2)), flat=5)
    np.testing.assert_array_equal(sums.density(np.array([-1.0, 0.5, 3.0])), [5, 2])
    np.testing.assert_allclose(sums.shares(np.array([1.0])).value, [2 / 3 + 1 / 2])


def test_too_many_rows_or_too_little_memory_take_the_products() -> None:
    made = case()
    assert krylov_path(made.fit, effort=Effort(whole=0, memory=100_000)).spectrum.route == "lanczos"
    many = Factored(made.fit.curvature.B)
    many.factor_rows = 3001
    path = krylov_path(replace(made.fit, curvature=many), effort=Effort(whole=0))
    assert path.spectrum.route == "lanczos"


def test_a_curvature_without_factor_says_so() -> None:
    with pytest.raises(InputError, match="has no factor"):
        MatrixCurvature(np.eye(2)).factor()
