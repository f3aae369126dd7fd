"""Laws that hold for every problem: direct solves, limits, routes, storages and changes of unit."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from unittest.mock import patch

import numpy as np
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import eigenshrink as es
from eigenshrink.path import QuadraticPath
from eigenshrink.spectrum import dual, primal
from eigenshrink.spectrum.dual import decompose_dual
from oracles import Problem, free_rank, gcv, loo, make, reml, rows, solve

lawful = settings(deadline=None, max_examples=60, derandomize=True)
ALPHAS = [0.0, 1e-4, 0.02, 1.0, 300.0, np.inf]
INNER = [1e-4, 0.02, 1.0, 300.0]


@st.composite
def problems(draw, weights=(None, "precision", "frequency"), collinear: bool = True, most_rows: int = 16):
    """Any n, p, t, weights, factors, free columns (also collinear), intercept; some entries zero."""
    n, p = draw(st.integers(4, most_rows)), draw(st.integers(1, 12))
    free = draw(st.integers(0, max(0, min(3, p, n - 3))))
    problem = make(
        draw(st.integers(0, 10**6)),
        n,
        p,
        draw(st.sampled_from([None, 1, 3])),
        weights=draw(st.sampled_from(weights)),
        free=free,
        collinear_free=collinear and free > 1 and draw(st.booleans()),
        factors=draw(st.booleans()),
        intercept=draw(st.booleans()),
        noise=draw(st.sampled_from([0.1, 1.0])),
    )
    if draw(st.booleans()):
        X = problem.X.copy()
        X[:: draw(st.integers(2, 4)), : p - free : 2] = 0.0
        problem = problem.with_(X=X)
    return problem


def study_of(problem: Problem, **more) -> es.Study:
    return problem.study(criterion="evidence", **more)


def size_of(problem: Problem) -> float:
    return float(np.abs(solve(problem, 0.0)[0]).max()) + 1e-3


def same(problem: Problem, one, other, alphas=ALPHAS, rtol=1e-8) -> None:
    """Two studies with the same coefficients at every strength."""
    size = size_of(problem)
    for alpha in alphas:
        assert_allclose(one.coef(alpha), other.coef(alpha), rtol=rtol, atol=rtol * size)


def same_curves(one, other, names=("loo", "gcv", "evidence"), alphas=INNER, rtol=1e-7) -> None:
    for name in names:
        assert_allclose(one.risk[name](alphas), other.risk[name](alphas), rtol=rtol, atol=rtol)


# --- M5, M6, M9 ---------------------------------------------------------------------------------------


@lawful
@given(problems())
def test_path_is_a_direct_solve(problem):
    study, size = study_of(problem), size_of(problem)
    for alpha in ALPHAS:
        coef, intercept = solve(problem, alpha)
        assert_allclose(np.atleast_2d(study.coef(alpha)), coef, rtol=1e-7, atol=1e-7 * size)
        assert_allclose(np.atleast_1d(study.intercept(alpha)), intercept, rtol=1e-7, atol=1e-6 * size)


@lawful
@given(problems())
def test_effective_parameters_fall_from_rank_to_what_is_free(problem):
    gamma = study_of(problem).path.effective_parameters(ALPHAS)
    Z = rows(problem)[0]
    rank = np.linalg.matrix_rank(Z, tol=1e-9 * np.linalg.norm(problem.dense)) + problem.intercept
    assert_allclose(gamma[[0, -1]], [rank, free_rank(problem)], atol=1e-8)
    assert np.all(np.diff(gamma) <= 1e-12)


@lawful
@given(problems())
def test_at_zero_the_norm_is_least_and_at_infinity_penalised_weights_vanish(problem):
    """What every solution without penalty may add is orthogonal, in D, to the one of least D-norm."""
    study = study_of(problem)
    pen = problem.factors > 0
    assert_array_equal(np.atleast_2d(study.coef(np.inf))[:, pen], 0.0)
    Z = rows(problem)[0]
    _, sizes, Vt = np.linalg.svd(Z)
    null = Vt[np.sum(sizes > 1e-9 * np.linalg.norm(problem.dense)) :]
    root = np.sqrt(problem.factors)
    assert_allclose(
        (null * root) @ (root * np.atleast_2d(study.coef(0.0))).T, 0.0, atol=1e-6 * size_of(problem)
    )


@lawful
@given(problems(most_rows=10))
def test_risks_are_what_slow_formulas_say(problem):
    study = study_of(problem)
    for alpha in INNER:
        assert_allclose(np.atleast_1d(study.risk["loo"](alpha)), loo(problem, alpha), rtol=1e-6, atol=1e-12)
        assert_allclose(np.atleast_1d(study.risk["gcv"](alpha)), gcv(problem, alpha), rtol=1e-6, atol=1e-12)
        assert_allclose(np.atleast_1d(study.risk["evidence"](alpha)), reml(problem, alpha), atol=1e-5)


# --- routes and storages ------------------------------------------------------------------------------


@lawful
@given(problems())
def test_gram_and_svd_agree(problem):
    with patch.object(primal, "CLEAR", 1.0), patch.object(dual, "CLEAR", 1.0):
        hard = study_of(problem)
    easy = study_of(problem)
    assert hard.spectrum.route.endswith("svd") or not len(hard.spectrum.eigenvalues)
    same(problem, hard, easy)
    same_curves(hard, easy)
    assert_allclose(hard.path.effective_parameters(ALPHAS), easy.path.effective_parameters(ALPHAS), atol=1e-7)


@lawful
@given(problems())
def test_both_sides_agree(problem):
    """The n×n side may be asked of any rows."""
    study = study_of(problem)
    other = QuadraticPath(study.path.fit, decompose_dual(study.path.fit, study.path.fit.training))
    size = size_of(problem)
    for alpha in ALPHAS:
        assert_allclose(study.path.weights(alpha), other.weights(alpha), rtol=1e-7, atol=1e-7 * size)
    assert_allclose(study.path.effective_parameters(ALPHAS), other.effective_parameters(ALPHAS), atol=1e-7)


HOLDERS = [
    m for name, m in sorted(sys.modules.items()) if name.startswith("eigenshrink.") and hasattr(m, "BLOCK")
]


@lawful
@given(problems(), st.integers(1, 60), st.booleans())
def test_blocks_of_any_size_agree(problem, size, svd):
    """Everything that reads rows reads them in blocks."""
    assert {"rows", "sparse", "dual", "primal", "quadratic"} <= {m.__name__.split(".")[-1] for m in HOLDERS}
    if svd:
        problem = problem.with_(X=np.hstack([problem.X, problem.X[:, :1]]), d=np.r_[problem.factors, 1.0])
    one = study_of(problem)
    with ExitStack() as stack:
        for module in HOLDERS:
            stack.enter_context(patch.object(module, "BLOCK", size))
        other = study_of(problem)
        same(problem, one, other)
        same_curves(one, other)
        for bound in (other.path.certificate(INNER), other.path.residual_bound(INNER)):
            assert np.all(bound < 1e-6 * size_of(problem))


STORAGES = {
    "fortran": np.asfortranarray,
    "strided": lambda X: np.repeat(X, 2, axis=0)[::2],
    "reversed": lambda X: X[::-1][::-1],
    "csr": scipy.sparse.csr_array,
    "csc": scipy.sparse.csc_matrix,
    "coo": scipy.sparse.coo_array,
    "list": np.ndarray.tolist,
}


@lawful
@given(problems(), st.sampled_from(list(STORAGES)))
def test_storages_agree(problem, storage):
    one, other = study_of(problem), study_of(problem.with_(X=STORAGES[storage](problem.X)))
    same(problem, one, other)
    same_curves(one, other)


@lawful
@given(problems(collinear=False), st.booleans())
def test_float32_is_float64_of_the_same_numbers(problem, sparse):
    """Dense to the last bit of float32; sparse to the rounding of another order of sums."""
    X, y = problem.X.astype(np.float32), problem.y.astype(np.float32)
    one = study_of(problem.with_(X=scipy.sparse.csr_array(X) if sparse else X, y=y))
    other = study_of(problem.with_(X=X.astype(float), y=y.astype(float)))
    size = size_of(problem)
    assert one.coef(0.1).dtype == np.float32
    for alpha in INNER:
        assert_allclose(one.coef(alpha), other.coef(alpha), rtol=1.2e-7, atol=1e-9 * size)
    same_curves(one, other)


# --- changes of unit ----------------------------------------------------------------------------------

factors = st.sampled_from([1e-6, 0.1, 3.0, 1e6])


@lawful
@given(problems(), factors, st.sampled_from([0.0, -7.0, 1e4]))
def test_targets_in_another_unit(problem, scale, shift):
    """Scaled targets scale everything; a shift goes into the intercept, if there is one."""
    one = study_of(problem)
    other = study_of(problem.with_(y=scale * (problem.y + shift * problem.intercept)))
    size = size_of(problem)
    for alpha in ALPHAS:
        assert_allclose(other.coef(alpha) / scale, one.coef(alpha), rtol=1e-7, atol=1e-8 * size)
        moved = np.asarray(other.intercept(alpha)) / scale - shift * problem.intercept
        assert_allclose(moved, one.intercept(alpha), rtol=1e-7, atol=1e-7 * (size + abs(shift)))
    for name in ("loo", "gcv"):
        value = one.risk[name](INNER)
        assert_allclose(other.risk[name](INNER) / scale**2, value, rtol=1e-6, atol=1e-9 * value.max())


@lawful
@given(problems(collinear=False), st.sampled_from([-3.0, 1e3, 1e6]))
def test_columns_from_another_zero(problem, shift):
    """With an intercept nothing else changes. The shifted numbers are exact: multiples of 2⁻²⁰."""
    problem = problem.with_(intercept=True, X=np.rint(problem.X * 2**20) / 2**20)
    X = problem.X + shift * np.arange(1, problem.X.shape[1] + 1)
    one, other = study_of(problem), study_of(problem.with_(X=X))
    same(problem, one, other, rtol=1e-6)
    same_curves(one, other, rtol=1e-5)


@lawful
@given(problems(), factors)
def test_columns_in_another_unit(problem, scale):
    """``X → cX`` at ``c²α`` gives ``w/c`` and the same predictions."""
    one, other = study_of(problem), study_of(problem.with_(X=problem.X * scale))
    size = size_of(problem)
    for alpha in ALPHAS:
        assert_allclose(other.coef(alpha * scale**2) * scale, one.coef(alpha), rtol=1e-7, atol=1e-8 * size)
    for name in ("loo", "gcv"):
        assert_allclose(
            other.risk[name](np.array(INNER) * scale**2), one.risk[name](INNER), rtol=1e-6, atol=1e-9
        )


@lawful
@given(problems(), st.sampled_from([0.01, 5.0]))
def test_penalty_factors_in_another_unit(problem, scale):
    """``cD`` at α is ``D`` at ``cα``."""
    one, other = study_of(problem), study_of(problem.with_(d=scale * problem.factors))
    size = size_of(problem)
    for alpha in ALPHAS:
        assert_allclose(other.coef(alpha), one.coef(scale * alpha), rtol=1e-7, atol=1e-8 * size)


@lawful
@given(problems(weights=(None, "precision")), st.sampled_from([0.1, 7.0]))
def test_precision_weights_in_another_unit(problem, scale):
    """Only ``s/S`` counts: curves in the unit of the loss do not move at all."""
    one, other = study_of(problem), study_of(problem.with_(s=scale * problem.weights))
    same(problem, one, other)
    same_curves(one, other, names=("loo", "gcv"))


@lawful
@given(problems())
def test_standardising_is_a_penalty_factor_is_scaling(problem):
    s = problem.weights
    mean = np.average(problem.X, axis=0, weights=s) * problem.intercept
    sd = np.sqrt(np.average((problem.X - mean) ** 2, axis=0, weights=s))
    one = study_of(problem, standardize=True)
    factor = study_of(problem.with_(d=problem.factors * sd**2))
    unit = np.where(problem.factors > 0, sd, 1.0)
    scaled = study_of(problem.with_(X=problem.X / unit))
    same(problem, one, factor)
    for alpha in ALPHAS:
        assert_allclose(scaled.coef(alpha) / unit, one.coef(alpha), rtol=1e-7, atol=1e-7 * size_of(problem))


# --- rows: order, copies, merging ---------------------------------------------------------------------


@lawful
@given(problems(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_columns_does_not_matter(problem, random):
    n, p = problem.X.shape
    i, j = random.sample(range(n), n), random.sample(range(p), p)
    moved = problem.with_(
        X=problem.X[np.ix_(i, j)],
        y=problem.y[i],
        s=None if problem.s is None else problem.s[i],
        d=problem.factors[j],
    )
    one, other = study_of(problem), study_of(moved)
    size = size_of(problem)
    for alpha in ALPHAS:
        assert_allclose(other.coef(alpha), one.coef(alpha)[..., j], rtol=1e-7, atol=1e-8 * size)
    same_curves(one, other)


@lawful
@given(problems(weights=("precision", "frequency")))
def test_a_whole_weight_is_that_many_copies(problem):
    """Always for the fit; for what counts observations only if weights are frequencies."""
    s = np.rint(problem.weights + 0.5).astype(int)
    weighted = problem.with_(s=s.astype(float))
    copies = problem.with_(X=np.repeat(problem.X, s, axis=0), y=np.repeat(problem.y, s, axis=0), s=None)
    one, other = study_of(weighted), study_of(copies)
    same(problem, one, other)
    if problem.kind == "frequency":
        same_curves(one, other)


@lawful
@given(problems(weights=(None, "precision"), most_rows=10), st.data())
def test_rows_that_differ_in_the_target_only_can_be_merged(problem, data):
    """Two rows of one x are one row with the sum of their weights and the mean of their targets."""
    s, y = problem.weights, problem.targets
    k = data.draw(st.integers(0, len(s) - 1))
    apart = problem.with_(
        X=np.r_[problem.X, problem.X[[k]]],
        y=np.r_[y, y[[k]] + 3.0],
        s=np.r_[s, 2.0],
    )
    merged_s, merged_y = s.copy(), y.copy()
    merged_s[k] += 2.0
    merged_y[k] = (s[k] * y[k] + 2.0 * (y[k] + 3.0)) / merged_s[k]
    same(problem, study_of(apart), study_of(problem.with_(y=merged_y, s=merged_s)), rtol=1e-7)


@lawful
@given(problems(), st.integers(1, 3))
def test_equal_columns_can_be_merged(problem, copies):
    """They share the weight, and together are penalised as one with ``1/d = Σ 1/d_j``."""
    problem = problem.with_(d=np.r_[2.0, problem.factors[1:]])
    apart = problem.with_(
        X=np.hstack([problem.X[:, [0]]] * copies + [problem.X]), d=np.r_[[2.0] * copies, problem.factors]
    )
    merged = problem.with_(d=np.r_[2.0 / (copies + 1), problem.factors[1:]])
    one, other = study_of(apart), study_of(merged)
    size = size_of(problem)
    for alpha in ALPHAS:
        parts = np.atleast_2d(one.coef(alpha))
        first = np.tile(parts[:, :1], copies + 1)
        assert_allclose(parts[:, : copies + 1], first, rtol=1e-6, atol=1e-8 * size)
        together = np.c_[parts[:, : copies + 1].sum(axis=1), parts[:, copies + 1 :]]
        assert_allclose(together, np.atleast_2d(other.coef(alpha)), rtol=1e-6, atol=1e-7 * size)
    same_curves(one, other)
