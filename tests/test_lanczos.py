"""One Krylov space against solves: error, bound, noise, what stops it (M5, M19)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eigenshrink.errors import InputError
from eigenshrink.spectrum.basis import Growing, KrylovBasis, orthonormal
from eigenshrink.spectrum.eliminated import eliminate
from eigenshrink.spectrum.krylov import Krylov, Limits
from eigenshrink.spectrum.lanczos import Lanczos, grow
from eigenshrink.spectrum.penalised import Penalised
from krylov_problems import INDEFINITE, SPECTRA, Counted, Problem, problem


def space(made: Problem, accuracy: float = 1e-6, weakest: float | None = None, products: int = 400):
    operator = Penalised(made.fit, eliminate(made.fit, 1 << 30).block)
    lanczos = Lanczos(operator, Limits(accuracy, weakest, products))
    return lanczos, grow(lanczos)


def answers(lanczos: Lanczos, krylov: Krylov, alphas):
    """``ṽ(α)``, ``(a, p_pen)``."""
    return lanczos.directions(krylov).back(krylov.numerators / (krylov.values[:, None] + alphas)).T


def exact(made: Problem, alphas):
    return made.weights(alphas)[:, made.fit.penalised] / made.fit.scale


def strengths(spectrum):
    return np.geomspace(1e-5, 1.0, 20) * spectrum.max()


@pytest.mark.parametrize("stray", [0.0, 1e-3], ids=["stationary", "stopped early"])
@pytest.mark.parametrize("name", SPECTRA)
def test_every_strength_is_solved_to_the_accuracy_and_the_bound_holds(name, stray) -> None:
    spectrum = SPECTRA[name]
    made, alphas = problem(spectrum, stray=stray, factors=True), strengths(spectrum)
    lanczos, krylov = space(made, weakest=alphas[0])
    true = exact(made, alphas)
    error = np.linalg.norm(answers(lanczos, krylov, alphas) - true, axis=1)
    bound = krylov.bound(alphas)
    assert np.all(error <= 1e-6 * np.linalg.norm(true, axis=1))
    assert np.all(error <= bound + 1e-13 * np.linalg.norm(true, axis=1))  # the solves are no better than that
    assert np.median(bound / error) <= 10
    assert lanczos.done < len(spectrum)


def test_one_space_costs_less_than_a_quarter_of_conjugate_gradients_for_each_strength() -> None:
    spectrum = SPECTRA["power law"]
    made, alphas = problem(spectrum), strengths(spectrum)
    lanczos, _ = space(made, weakest=alphas[0])
    true, H = made.weights(alphas), made.H
    spent, x = 0, np.zeros(len(H))
    for alpha, target in zip(alphas[::-1], true[::-1], strict=True):
        rest = H @ made.fit.weights[:, 0] - made.fit.gradient[:, 0] - H @ x - alpha * x
        ahead, size, spent = rest.copy(), rest @ rest, spent + 1
        while np.linalg.norm(x - target) > 1e-6 * np.linalg.norm(target):
            turned, spent = H @ ahead + alpha * ahead, spent + 1
            step = size / (ahead @ turned)
            x, rest = x + step * ahead, rest - step * turned
            now = rest @ rest
            ahead, size = rest + now / size * ahead, now
    assert lanczos.operator.products <= spent / 4


def test_the_start_is_given_back_exactly_at_its_own_strength() -> None:
    for float32 in (False, True):
        made = problem(SPECTRA["power law"], float32=float32)
        made = Problem(replace(made.fit, gradient=-made.fit.alpha * made.fit.weights), made.H)
        lanczos, krylov = space(made)
        assert lanczos.alone  # nothing is left beside the start
        start = lanczos.operator.start
        back = answers(lanczos, krylov, np.array([made.fit.alpha]))[0]
        assert np.linalg.norm(back - start) <= 1e-12 * np.linalg.norm(start)


def test_infinity_takes_everything_away_and_nothing_is_missing_there() -> None:
    made = problem(SPECTRA["power law"], stray=1e-3)
    _, krylov = space(made)
    far = np.array([1e12, np.inf])
    assert krylov.sizes(far)[0] <= 1e-11
    assert krylov.bound(far)[1] <= 1e-12
    assert krylov.bound(np.array([0.0]))[0] == np.inf  # nothing is known of the smallest eigenvalue


def test_products_in_float32_stop_at_their_noise_and_the_bound_knows() -> None:
    for name, spectrum in SPECTRA.items():
        made, alphas = problem(spectrum, stray=1e-3, float32=True), strengths(spectrum)
        lanczos, krylov = space(made, weakest=alphas[0])
        fine, _ = space(problem(spectrum, stray=1e-3), weakest=alphas[0])
        error = np.linalg.norm(answers(lanczos, krylov, alphas) - exact(made, alphas), axis=1)
        bound = krylov.bound(alphas)
        assert lanczos.basis.rows.dtype == np.float32
        assert 1e-9 < krylov.noise < 1e-5, name
        assert np.all(error <= bound), name
        assert np.median(bound / error) <= 10, name
        assert lanczos.done <= 1.2 * fine.done, name


def test_negative_curvature_is_kept_and_its_end_is_inside_the_margin() -> None:
    made = problem(INDEFINITE, alpha=1e-3)
    lanczos, krylov = space(made, weakest=1e-5)
    assert krylov.values[-1] < 0
    assert krylov.values[-1] - krylov.margin <= INDEFINITE.min() * (1 - 1e-9)
    low = krylov.margin - krylov.values[-1]
    assert np.isinf(krylov.bound(np.array([0.99 * low]))[0])
    alphas = np.geomspace(1.2 * low, 10.0, 20)
    error = np.linalg.norm(answers(lanczos, krylov, alphas) - exact(made, alphas), axis=1)
    assert np.all(error <= krylov.bound(alphas) + 1e-13)
    assert np.all(error <= 1e-6 * np.linalg.norm(exact(made, alphas), axis=1))


def test_rounding_of_a_positive_matrix_is_not_taken_for_negative_curvature() -> None:
    for float32 in (False, True):
        _, krylov = space(problem(SPECTRA["rank deficient"], float32=float32), weakest=1e-5)
        assert krylov.values.min() >= 0


def test_an_exhausted_space_is_exact_down_to_the_weakest_strength() -> None:
    spectrum = np.r_[np.ones(5), 2 * np.ones(5), 7 * np.ones(30)]
    made = problem(spectrum)
    lanczos, krylov = space(made)
    assert lanczos.done <= 4
    np.testing.assert_allclose(np.unique(np.round(krylov.values, 9)), [1.0, 2.0, 7.0])
    alphas = np.geomspace(1e-8, 10, 9)
    np.testing.assert_allclose(answers(lanczos, krylov, alphas), exact(made, alphas), rtol=1e-9, atol=1e-12)


def test_products_that_are_used_up_leave_an_honest_bound() -> None:
    spectrum = SPECTRA["power law"]
    made, alphas = problem(spectrum), strengths(spectrum)
    lanczos, krylov = space(made, weakest=alphas[0], products=20)
    assert lanczos.operator.products <= 20
    error = np.linalg.norm(answers(lanczos, krylov, alphas) - exact(made, alphas), axis=1)
    bound = krylov.bound(alphas)
    assert bound[0] > 1e-6 * krylov.sizes(alphas)[0]
    assert np.all(error <= bound + 1e-13)
    assert np.median(bound / error) <= 10


def test_a_product_that_is_not_linear_shows_in_the_noise() -> None:
    made = problem(SPECTRA["power law"])

    class Bent(Counted):
        def matvec(self, v):
            return self.matrix @ v + 1e-4 * np.abs(v)

    _, krylov = space(Problem(replace(made.fit, curvature=Bent(made.H)), made.H))
    assert krylov.noise > 1e-6


def test_no_weights_and_no_gradient_are_no_trouble() -> None:
    made = problem(SPECTRA["power law"])
    nothing = replace(
        made.fit, weights=np.zeros_like(made.fit.weights), gradient=np.zeros_like(made.fit.gradient)
    )
    lanczos, krylov = space(Problem(nothing, made.H))
    assert lanczos.done == 0
    assert krylov.bound(np.array([1.0]))[0] == 0


def test_products_that_are_not_finite_are_refused() -> None:
    made = problem(SPECTRA["power law"])

    class Broken(Counted):
        def matvec(self, v):
            return np.full_like(v, np.nan)

    with pytest.raises(InputError, match="NaN or infinity"):
        space(Problem(replace(made.fit, curvature=Broken(made.H)), made.H))


def test_what_counts_for_little_is_multiplied_seldom() -> None:
    spectrum = SPECTRA["power law"]
    counts = [space(problem(spectrum, stray=stray), weakest=1e-5)[0].done for stray in (0.0, 1e-7, 1e-2)]
    assert counts[0] < counts[1] < counts[2] < 2 * counts[0]


def test_the_path_from_the_weights_as_they_are_is_as_accurate_where_it_is_wanted() -> None:
    made, alphas = problem(SPECTRA["power law"], stray=1e-2), strengths(SPECTRA["power law"])
    operator = Penalised(made.fit, eliminate(made.fit, 1 << 30).block)
    lanczos = Lanczos(operator, Limits(1e-6, alphas[0], 400, still=True))
    still = grow(lanczos).still
    rested = Problem(replace(made.fit, gradient=-made.fit.alpha * made.fit.weights), made.H)
    true = exact(rested, alphas)
    error = np.linalg.norm(answers(lanczos, still, alphas) - true, axis=1)
    assert np.all(error <= 1e-6 * np.linalg.norm(true, axis=1))
    assert np.all(error <= still.bound(alphas) + 1e-13 * np.linalg.norm(true, axis=1))


def test_a_curvature_that_is_positive_by_construction_has_no_negative_values() -> None:
    made = problem(INDEFINITE)
    made.fit.curvature.positive = True
    _, krylov = space(made, weakest=1e-2)
    assert krylov.values.min() == 0
    assert krylov.margin == 0


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_growing_basis_stays_orthonormal_to_its_rounding(dtype) -> None:
    rng = np.random.default_rng(0)
    grown = Growing(40_000, np.dtype(dtype), 8)
    for _ in range(8):
        row = rng.normal(size=(1, 40_000)) + 1e3 * (grown.rows.sum(axis=0) if grown.size else 0)
        grown.without(row)
        grown.add(row / np.linalg.norm(row))
    gram = grown.rows.astype(np.float64) @ grown.rows.astype(np.float64).T
    assert np.abs(gram - np.eye(8)).max() <= 10 * np.finfo(dtype).eps


def test_rows_that_add_no_direction_are_left_out_of_a_block() -> None:
    rng = np.random.default_rng(1)
    one, two = rng.normal(size=(2, 9))
    basis, R = orthonormal(np.stack([one, 3 * one, two]), 1e-12)
    assert len(basis) == 2
    np.testing.assert_allclose(R.T @ basis, np.stack([one, 3 * one, two]), atol=1e-13)


def test_directions_kept_as_a_product_multiply_like_their_array() -> None:
    rng = np.random.default_rng(2)
    for dtype, tol in ((np.float64, 1e-13), (np.float32, 1e-6)):
        V = np.linalg.qr(rng.normal(size=(50, 6)))[0].T
        S = np.linalg.qr(rng.normal(size=(6, 6)))[0]
        basis = KrylovBasis(V[:2], V[2:].astype(dtype), S).restrict(np.array([0, 3]))
        Q = V.T @ S[:, [0, 3]]
        c, v = rng.normal(size=(2, 4)), rng.normal(size=(50, 4))
        np.testing.assert_allclose(basis.back(c), Q @ c, atol=tol)
        np.testing.assert_allclose(basis.forth(v), Q.T @ v, atol=10 * tol)
        rows = v.T.copy()
        basis.take_out(rows)
        np.testing.assert_allclose(rows, (v - Q @ (Q.T @ v)).T, atol=10 * tol)
