"""How many digits are right, against 90-digit solves: condition numbers up to 10¹², strengths down to 0.

The rows are exactly what float64 holds; mpmath solves for them. Errors and sizes are D-norms.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_allclose

import eigenshrink as es
from oracles import EPS, Problem, distance, exact, inverse, make, rows, solve, with_spectrum

STRENGTHS = [0.0, 1e-20, 1e-12, 1e-6, 1e-3, 1.0, 1e3]
SHAPES = {"primal": (14, 5), "dual": (6, 12)}


@dataclass(frozen=True)
class Measured:
    """One problem at one strength."""

    what: str
    route: str
    alpha: float
    condition: float  # of D^{-½}HD^{-½} + α on the span of the rows
    error: float
    size: float
    bound: float
    certificate: float

    @property
    def unit(self) -> float:
        """``ε κ(H + αD)``, or ``ε κ`` of the augmented rows, which is its root."""
        return EPS * (self.condition if self.route.endswith("gram") else np.sqrt(self.condition))


def eigenvalues(problem: Problem) -> np.ndarray:
    """Of the penalised, projected columns, from their singular values."""
    Z, d = rows(problem)[0], problem.factors
    F, P = Z[:, d == 0], Z[:, d > 0] / np.sqrt(d[d > 0])
    P = P - F @ inverse(F, np.abs(F).sum(axis=0)) @ P
    k = min(P.shape[1], len(Z) - F.shape[1] - problem.intercept)
    return np.linalg.svd(P, compute_uv=False)[:k] ** 2 / problem.weights.sum()


def measure(problem: Problem, what: str, strengths=STRENGTHS) -> Iterator[Measured]:
    study = problem.study(criterion="gcv")
    values, d = eigenvalues(problem), problem.factors
    for alpha in strengths:
        truth = exact(problem, alpha)
        coef = np.atleast_2d(study.coef(alpha))
        yield Measured(
            what=what,
            route=study.spectrum.route,
            alpha=alpha,
            condition=(values[0] + alpha) / (values[-1] + alpha),
            error=distance(coef, truth, d),
            size=distance(np.zeros_like(coef), truth, d),
            bound=study.path.residual_bound(alpha),
            certificate=study.path.certificate(alpha),
        )


def prescribed(seed: int, shape: tuple[int, int], digits: float, explained: str) -> Problem:
    """Singular values from 1 to 10^-digits; targets that every direction, or given weights, explain."""
    n, p = shape
    k = min(n - 1, p)
    X = with_spectrum(seed, n, p, np.logspace(0, -digits, k))
    rng = np.random.default_rng(seed)
    if explained == "by weights":
        return Problem(X, X @ rng.normal(size=p))
    U = np.linalg.svd(X, full_matrices=False)[0][:, :k]
    return Problem(X, U @ rng.choice([-1.0, 1.0], k) + 0.3 * rng.normal(size=n))


@pytest.fixture(scope="module")
def measured() -> list[Measured]:
    found = []
    for side, shape in SHAPES.items():
        for digits in (0, 2, 4, 5, 6, 8, 10, 12):
            for explained in ("by directions", "by weights"):
                for seed in range(3):
                    what = f"{side}, {seed}, condition 1e{digits}, explained {explained}"
                    found += measure(prescribed(seed, shape, digits, explained), what)
    for seed in range(4):
        found += measure(make(seed, 14, 5, weights="precision", factors=True), f"weights and factors, {seed}")
        found += measure(
            make(seed, 14, 6, weights="precision", factors=True, free=2), f"free columns, {seed}"
        )
        found += measure(make(seed, 14, 5, t=2, intercept=False), f"targets, {seed}")
    return found


def wrong(measured: list[Measured], limit) -> list[Measured]:
    """Those beyond their limit."""
    return [m for m in measured if not m.error <= limit(m)]


# --- the statements -----------------------------------------------------------------------------------


def test_both_sides_take_both_routes(measured):
    assert {m.route for m in measured} == {"primal-gram", "primal-svd", "dual-gram", "dual-svd"}
    assert max(m.condition for m in measured) > 1e23


@pytest.mark.parametrize("route", ["primal-gram", "dual-gram"])
def test_gram_routes_are_right_to_a_hundred_roundings_times_the_condition(measured, route):
    assert wrong([m for m in measured if m.route == route], lambda m: 100 * m.unit * m.size) == []


@pytest.mark.parametrize("route", ["primal-svd", "dual-svd"])
def test_svd_routes_are_right_to_a_hundred_roundings_times_the_root_of_the_condition(measured, route):
    assert wrong([m for m in measured if m.route == route], lambda m: 100 * m.unit * m.size) == []


def test_the_residual_bound_holds(measured):
    assert wrong(measured, lambda m: m.bound) == []


def test_the_residual_bound_is_not_much_too_large(measured):
    assert np.median([m.bound / m.error for m in measured if m.error]) <= 10


def test_the_certificate_holds(measured):
    assert wrong([m for m in measured if m.alpha > 0], lambda m: m.certificate) == []


def test_above_the_floor_six_digits_are_right():
    """The floor that a spectrum states: strengths there and above are good to 1e-6."""
    for shape in SHAPES.values():
        for digits in (0, 3, 6, 9, 12):
            problem = prescribed(1, shape, digits, "by directions")
            floor = problem.study().spectrum.floor
            found = measure(problem, f"{shape}, 1e{digits}", [floor, 10 * floor, 1e-3])
            assert wrong(list(found), lambda m: 1e-6 * m.size) == []


def test_the_bounds_hold_for_anybodys_hessian():
    """``w₀ − (H + α)⁻¹(g + αw₀)`` from fits that stopped early, condition numbers up to 10¹²."""
    ratios = []
    for digits in (0, 3, 6, 9, 12):
        rng = np.random.default_rng(digits)
        Q = np.linalg.qr(rng.normal(size=(6, 6)))[0]
        H = (Q * np.logspace(0, -digits, 6)) @ Q.T
        H, w, g = (H + H.T) / 2, rng.normal(size=6), rng.normal(size=6)
        path = es.quadratic(w, H, 0.01, g)
        for alpha in (1e-3, 0.1, 1.0, 100.0):
            with mpmath.workdps(60):
                A = mpmath.matrix(H.tolist()) + mpmath.mpf(alpha) * mpmath.eye(6)
                slope = mpmath.matrix(g.tolist()) + mpmath.mpf(alpha) * mpmath.matrix(w.tolist())
                truth = np.array([list(mpmath.matrix(w.tolist()) - mpmath.lu_solve(A, slope))], dtype=object)
            error = distance(path.weights(alpha), truth)
            assert error <= path.residual_bound(alpha)
            ratios.append(path.residual_bound(alpha) / error)
    assert np.median(ratios) <= 10


# --- means far beyond the spread ----------------------------------------------------------------------


@pytest.mark.parametrize("side", SHAPES)
@pytest.mark.parametrize("wrap", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("weighted", [False, True])
def test_means_ten_million_times_the_spread_cost_no_digits(side, wrap, weighted):
    for digits in (0, 2, 4):
        problem = prescribed(digits, SHAPES[side], digits, "by directions")
        spread = problem.X.std(axis=0)
        s = np.random.default_rng(0).uniform(0.5, 2, len(problem.y)) if weighted else None
        shifted = problem.with_(X=wrap(problem.X + 1e7 * spread), y=problem.y + 1e7 * problem.y.std(), s=s)
        found = list(measure(shifted, f"{side}, 1e{digits}", [0.0, 1e-6, 1e-3, 1.0, 1e3]))
        assert wrong(found, lambda m: 100 * m.unit * m.size) == []
        assert wrong(found, lambda m: m.bound) == []


# --- float32, free weights, targets -------------------------------------------------------------------


@pytest.mark.parametrize("side", SHAPES)
def test_float32_is_rounded_once_at_the_end(side):
    """Arithmetic in float64: half a unit of float32 in each coefficient, and no more."""
    problem = prescribed(1, SHAPES[side], 3, "by directions")
    problem = problem.with_(X=problem.X.astype(np.float32), y=problem.y.astype(np.float32))
    study = problem.study()
    for alpha in STRENGTHS:
        truth = exact(problem, alpha)[0].astype(float)
        assert study.coef(alpha).dtype == np.float32
        assert_allclose(study.coef(alpha), truth, rtol=6e-8)


def test_free_weights_are_as_good_as_the_others():
    for seed in range(4):
        problem = make(seed, 14, 6, weights="precision", free=2)
        study = problem.study()
        for alpha in STRENGTHS:
            assert_allclose(study.coef(alpha), exact(problem, alpha)[0].astype(float), rtol=1e-11)


def test_several_targets_have_the_error_of_the_worst():
    problem = make(1, 14, 5, t=3)
    alone = [next(measure(problem.with_(y=problem.y[:, j]), "", [1e-3])) for j in range(3)]
    together = next(measure(problem, "", [1e-3]))
    assert together.bound >= together.error
    assert together.size == pytest.approx(max(m.size for m in alone))


# --- the oracle itself --------------------------------------------------------------------------------


def test_the_exact_solve_is_exact():
    """One column: ``Σ(x−x̄)(y−ȳ)/(Σ(x−x̄)² + nα)`` in fractions."""
    x, y, alpha = [0.1, 0.7, 1.9, 1e7], [1.0, 2.0, -1.0, 3.3], 0.25
    X, Y = list(map(Fraction, x)), list(map(Fraction, y))
    dx, dy = [v - sum(X) / 4 for v in X], [v - sum(Y) / 4 for v in Y]
    wanted = sum(a * b for a, b in zip(dx, dy, strict=True)) / (sum(a * a for a in dx) + 4 * Fraction(alpha))
    found = exact(Problem(np.array(x)[:, None], np.array(y)), alpha)
    with mpmath.workdps(60):
        assert abs(Fraction(mpmath.nstr(found[0, 0], 60)) / wanted - 1) < Fraction(1, 10**40)


@pytest.mark.parametrize("arguments", [{"n": 14, "p": 5, "t": 2, "weights": "precision"}, {"n": 6, "p": 12}])
@pytest.mark.parametrize("alpha", [0.0, 0.3])
def test_the_exact_solve_agrees_with_the_other_oracle(arguments, alpha):
    problem = make(1, **arguments)
    assert_allclose(exact(problem, alpha).astype(float), solve(problem, alpha)[0], rtol=1e-9)


def test_the_distance_sees_what_float64_cannot():
    truth = exact(make(1, 14, 5), 0.3)
    rounded = truth.astype(float)
    assert 0 < distance(rounded, truth) < EPS * np.linalg.norm(rounded)
    assert distance(np.nextafter(rounded, np.inf), truth) > distance(rounded, truth)
    assert distance(rounded, truth, 4.0) == pytest.approx(2 * distance(rounded, truth))


def test_what_is_wrong_is_found():
    m = Measured("", "dual-gram", 0.1, 1e4, error=1e-9, size=1.0, bound=1e-10, certificate=np.nan)
    assert wrong([m], lambda m: m.bound) == [m]
    assert wrong([m], lambda m: m.certificate) == [m]
    assert wrong([m], lambda m: 1e4 * m.unit) == []
