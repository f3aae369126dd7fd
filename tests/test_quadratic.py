"""es.quadratic: the path of anybody's fit, from an array or an operator, stopped anywhere (M5, M12)."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse.linalg import LinearOperator, aslinearoperator

import eigenshrink as es
from oracles import make, rows

ALPHAS = [0.01, 0.3, 2.0, 40.0]
P = 5


def hessian(seed: int = 0, p: int = P, rank: int | None = None) -> np.ndarray:
    A = np.random.default_rng(seed).normal(size=(rank or 3 * p, p))
    return A.T @ A / len(A)


def vector(seed: int, p: int = P) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=p)


def direct(w, H, alpha, g, d) -> np.ndarray:
    """``w₀ − (H + αD)⁻¹(g + αDw₀)``."""
    return w - np.linalg.solve(H + alpha * np.diag(d), g + alpha * d * w)


# --- against a direct solve ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "factors", [np.ones(P), np.array([0.5, 2.0, 1.0, 4.0, 0.1]), np.array([1.0, 0, 2, 0, 1])]
)
@pytest.mark.parametrize("start", ["minimiser", "trained at 0.7", "stopped early", "stopped early at 0.7"])
def test_path_is_a_direct_solve(factors, start):
    H, w = hessian(), vector(1)
    alpha = 0.7 if "0.7" in start else 0.0
    gradient = vector(2) if "early" in start else None
    path = es.quadratic(w, H, alpha, gradient, factors)
    g = -alpha * factors * w if gradient is None else gradient
    for strength in [0.0, *ALPHAS]:
        assert_allclose(path.weights(strength), direct(w, H, strength, g, factors), atol=1e-11)
    assert path.spectrum.at == alpha


def test_where_it_was_trained_nothing_moves():
    H, w, d = hessian(), vector(1), np.array([0.5, 2.0, 1.0, 4.0, 0.0])
    assert_allclose(es.quadratic(w, H, 0.7, penalty_factor=d).weights(0.7), w, rtol=1e-12)


def test_at_infinity_free_weights_are_at_their_own_optimum():
    H, w, d = hessian(), vector(1), np.array([1.0, 0, 2, 0, 1])
    g = vector(2)
    end = es.quadratic(w, H, 0.0, g, d).weights(np.inf)
    assert_array_equal(end[d > 0], 0.0)
    assert_allclose((g + H @ (end - w))[d == 0], 0.0, atol=1e-12)


def test_from_the_penalised_fit_back_to_the_unpenalised_one():
    """From α₀ > 0 down to 0: the factor (λ+α₀)/(λ+α) exceeds one, and is right for a true quadratic."""
    H, best = hessian(), vector(1)
    trained = np.linalg.solve(H + 0.5 * np.eye(P), H @ best)
    path = es.quadratic(trained, H, 0.5)
    assert_allclose(path.weights(0.0), best, rtol=1e-10)
    assert_allclose(path.spectrum.coordinates, path.spectrum.basis.T @ best, rtol=1e-10)
    assert np.linalg.norm(path.weights(0.0)) > np.linalg.norm(trained)


def test_flat_directions():
    """Without curvature and slope nothing is kept; a slope without curvature has no end."""
    H = hessian(rank=3)
    w = vector(1)
    null = np.linalg.svd(H)[2][3:]
    path = es.quadratic(w, H)
    assert_allclose(path.weights(0.0), w - null.T @ (null @ w), atol=1e-10)
    assert_allclose(path.weights(1e-3), direct(w, H, 1e-3, 0 * w, np.ones(P)), atol=1e-10)
    assert_allclose(path.effective_parameters(0.0), 3.0)
    assert_allclose(path.shrinkage(0.0), [1, 1, 1, 0, 0])
    downhill = es.quadratic(w, H, 0.0, null[0])
    assert_allclose(downhill.weights(1e-3), direct(w, H, 1e-3, null[0], np.ones(P)), rtol=1e-8)
    with pytest.raises(es.InputError, match=r"alpha = 0 has no minimum.*every alpha > 0 has one"):
        downhill.weights(0.0)


def test_free_weights_with_a_singular_block():
    """As the biases of a softmax: one direction of H_FF is flat, and counts for nothing."""
    H = hessian(rank=12)
    H[3:, :], H[:, 3:] = 0.0, 0.0
    corner, cross = np.array([[1.0, -1.0], [-1.0, 1.0]]), vector(3, 3)[:, None] * [0.3, -0.3]
    H[3:, 3:], H[:3, 3:], H[3:, :3] = corner, cross, cross.T
    H[:3, :3] += np.eye(3)
    w, d = vector(1), np.array([1.0, 1, 2, 0, 0])
    path = es.quadratic(w, H, 0.0, H @ vector(4), d)
    assert path.spectrum.free.rank == 1
    for alpha in ALPHAS:
        moved = w - np.linalg.pinv(H + alpha * np.diag(d)) @ (H @ vector(4) + alpha * d * w)
        got = path.weights(alpha)
        assert_allclose(got[:3], moved[:3], atol=1e-10)
        assert_allclose(H[3:] @ got, H[3:] @ moved, atol=1e-10)
    assert_allclose(path.effective_parameters(np.inf), 1.0)


def test_all_weights_free():
    H, w, g = hessian(), vector(1), vector(2)
    path = es.quadratic(w, H, 0.0, g, np.zeros(P))
    for alpha in (0.0, 1.0, np.inf):
        assert_allclose(path.weights(alpha), w - np.linalg.solve(H, g), rtol=1e-10)
    assert_allclose(path.weights([0.0, 1.0]), np.tile(w - np.linalg.solve(H, g), (2, 1)), rtol=1e-10)
    assert path.effective_parameters(1.0) == P


# --- what a Hessian may be ----------------------------------------------------------------------------


class ByProduct:
    """The least that an operator can be."""

    shape = (P, P)

    def matvec(self, v):
        return hessian() @ v


@pytest.mark.parametrize(
    "operator",
    [
        aslinearoperator(hessian()),
        LinearOperator((P, P), matvec=lambda v: hessian() @ v, dtype=float),
        LinearOperator((P, P), matvec=lambda v: (hessian() @ v)[:, None], dtype=float),
        ByProduct(),
        hessian().tolist(),
        hessian().astype(np.longdouble),
        np.asfortranarray(hessian()),
    ],
)
def test_operators_are_as_good_as_arrays(operator):
    w, g = vector(1), vector(2)
    one, other = es.quadratic(w, hessian(), 0.2, g), es.quadratic(w, operator, 0.2, g)
    assert_allclose(other.weights(ALPHAS), one.weights(ALPHAS), rtol=1e-10)
    assert_allclose(other.effective_parameters(ALPHAS), one.effective_parameters(ALPHAS))
    assert other.residual_bound(0.3) < 1e-12


def test_a_study_has_a_curvature_that_scipy_and_quadratic_accept():
    problem = make(3, 25, P, weights="precision", factors=True, free=1)
    study = problem.study()
    Z = rows(problem)[0]
    H = Z.T @ Z / problem.weights.sum()
    assert_allclose(aslinearoperator(study.curvature) @ np.eye(P), H, atol=1e-12)
    assert_allclose(study.curvature.dense, H, atol=1e-12)
    w = study.coef(0.0)
    for hessian_ in (study.curvature, H):
        path = es.quadratic(w, hessian_, 0.0, penalty_factor=problem.d)
        assert_allclose(path.weights([0.0, *ALPHAS]), study.coef([0.0, *ALPHAS]), atol=1e-9)
        assert_allclose(path.spectrum.eigenvalues, study.spectrum.eigenvalues, rtol=1e-9)
    trained = es.quadratic(study.coef(0.4), H, 0.4, penalty_factor=problem.d)
    assert_allclose(trained.weights(ALPHAS), study.coef(ALPHAS), atol=1e-9)


def test_a_wide_study_has_one_too():
    problem = make(3, 8, 12)
    Z = problem.X - problem.X.mean(axis=0)
    study = problem.study()
    assert_allclose(study.curvature.matvec(np.eye(12)), Z.T @ Z / 8, atol=1e-12)
    path = es.quadratic(study.coef(0.1), study.curvature, 0.1)
    assert_allclose(path.weights(ALPHAS), study.coef(ALPHAS), atol=1e-9)


# --- indefinite ---------------------------------------------------------------------------------------


def indefinite(lowest: float = -0.4) -> np.ndarray:
    Q = np.linalg.qr(np.random.default_rng(0).normal(size=(P, P)))[0]
    return (Q * [3.0, 1.0, 0.5, 0.1, lowest]) @ Q.T


def test_negative_curvature_has_a_smallest_strength():
    H, w = indefinite(), vector(1)
    path = es.quadratic(w, H, 0.6)
    assert_allclose(path.trusted, (0.4, np.inf))
    for alpha in (0.41, 1.0, 10.0):
        assert_allclose(path.weights(alpha), direct(w, H, alpha, -0.6 * w, np.ones(P)), rtol=1e-8)
    for alpha in (0.0, 0.3, 0.39, [1.0, 0.2]):
        with pytest.raises(es.InputError, match=r"has no minimum.*every alpha > 0\.4 has one"):
            path.weights(alpha)
    with pytest.raises(es.InputError, match="no minimum"):
        path.residual_bound(0.3)


def test_negative_curvature_far_down_is_still_seen():
    path = es.quadratic(vector(1), indefinite(-1e-6), 0.1)
    with pytest.raises(es.InputError, match="no minimum"):
        path.weights(1e-7)
    assert path.trusted[0] == pytest.approx(1e-6)


def test_negative_curvature_among_free_weights_is_refused():
    with pytest.raises(es.InputError, match=r"negative curvature .* among the free weights.*Gauss-Newton"):
        es.quadratic(vector(1), np.diag([1.0, 1, 1, 1, -0.1]), penalty_factor=[1, 1, 1, 1, 0])


# --- training reaches it (M3) -------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [0.0, 0.3, 5.0])
def test_gradient_descent_with_the_penalty_ends_on_the_path(alpha):
    problem = make(3, 25, P, factors=True, free=1, intercept=False)
    study, penalty = problem.study(), es.L2(alpha, problem.d)
    H = study.curvature.dense
    rate = 1.0 / np.linalg.eigvalsh(H + alpha * np.diag(problem.d))[-1]
    w = np.zeros(P)
    for _ in range(20_000):
        w = penalty.update(w, problem.X.T @ (problem.X @ w - problem.y) / 25, rate)
    assert_allclose(w, study.path.weights(alpha), rtol=1e-7)
    assert_allclose(es.quadratic(w, H, alpha, penalty_factor=problem.d).weights(alpha), w, rtol=1e-7)


def test_stochastic_gradient_descent_ends_near_the_path():
    problem = make(3, 60, 3, intercept=False, noise=0.3)
    penalty, rng, w, tail = es.L2(0.2), np.random.default_rng(0), np.zeros(3), []
    for step in range(30_000):
        row = problem.X[i := rng.integers(60)]
        w = penalty.update(w, row * (row @ w - problem.y[i]), 0.3 / (30 + 0.01 * step))
        tail.append(w)
    assert_allclose(np.mean(tail[10_000:], axis=0), problem.study().path.weights(0.2), atol=0.02)


# --- bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1.0]], np.eye(1)), r"weights must have shape \(p,\)"),
        (([], np.eye(0)), "weights must have shape"),
        (([1.0, np.nan], np.eye(2)), r"weights\[1\] is not finite"),
        ((["a", "b"], np.eye(2)), "weights must be numbers"),
        (([1.0, 2.0], np.eye(3)), "hessian is 3 x 3, weights has 2: they must match"),
        (([1.0, 2.0], np.ones((2, 3))), r"hessian must be square; got shape \(2, 3\)"),
        (([1.0, 2.0], np.ones(2)), "hessian must be square"),
        (([1.0, 2.0], [[1.0, 2.0], [0.0, 1.0]]), r"hessian is not symmetric \(entries differ by up to 2\)"),
        (([1.0, 2.0], [[1.0, np.inf], [np.inf, 1.0]]), "hessian holds NaN or infinity"),
        (([1.0, 2.0], "H"), "hessian must be an array of numbers or an operator"),
        (([1.0, 2.0], aslinearoperator(np.ones((2, 3)))), "hessian must be square"),
        (([1.0, 2.0], np.eye(2), -1.0), "alpha"),
        (([1.0, 2.0], np.eye(2), np.inf), "alpha must be one finite strength, the one of the fit"),
        (([1.0, 2.0], np.eye(2), [0.1, 0.2]), "alpha must be one finite strength"),
        (([1.0, 2.0], np.eye(2), 0.0, [1.0]), "gradient has 1 values for 2 weights"),
        (([1.0, 2.0], np.eye(2), 0.0, [1.0, np.inf]), r"gradient\[1\] is not finite"),
        (([1.0, 2.0], np.eye(2), 0.0, None, [1.0]), "penalty_factor has shape"),
        (([1.0, 2.0], np.eye(2), 0.0, None, [1.0, -1.0]), "penalty_factor"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(es.InputError, match=message):
        es.quadratic(*arguments)


@pytest.mark.parametrize(
    "operator",
    [
        aslinearoperator(np.triu(np.ones((3, 3)))),
        LinearOperator((3, 3), matvec=lambda v: np.nan * v, dtype=float),
    ],
)
def test_operators_that_are_not_a_hessian_are_refused(operator):
    with pytest.raises(es.InputError, match="hessian"):
        es.quadratic(np.ones(3), operator)


def test_a_sparse_hessian_is_used():
    H = scipy.sparse.csr_array(np.diag([3.0, 1.0]))
    assert_allclose(es.quadratic([1.0, 1.0], aslinearoperator(H)).weights(1.0), [0.75, 0.5])
    assert_allclose(es.quadratic([1.0, 1.0], H).weights(1.0), [0.75, 0.5])
