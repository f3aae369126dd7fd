"""The strength that is taken: never worse than any grid, ends named, targets apart and together."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import eigenshrink as es
from eigenshrink.risk import RISKS
from oracles import CASES, Problem, make, with_spectrum

GRID = np.concatenate([[0.0], np.logspace(-14, 14, 1500), [np.inf]])


def lowest_on_grid(curve, alphas=GRID) -> np.ndarray:
    """The lowest value of each target and a billionth of it, for rounding; −∞ is −∞."""
    lowest = np.min(curve(alphas).reshape(len(alphas), -1), axis=0)
    return lowest + 1e-9 * np.where(np.isinf(lowest), 0.0, np.abs(lowest))


def orthonormal(n: int, p: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Centred orthonormal columns, and one more that is orthogonal to them."""
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(n, p + 1))
    Q = np.linalg.qr(A - A.mean(axis=0))[0]
    return Q[:, :p], Q[:, p]


# --- the minimum --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RISKS)
@pytest.mark.parametrize("case", CASES)
def test_no_grid_is_better(name, case):
    curve = make(11, **CASES[case]).study(criterion="evidence").risk[name]
    assert np.all(np.atleast_1d(curve.minimum.value) <= lowest_on_grid(curve))


@pytest.mark.parametrize("name", RISKS)
@pytest.mark.parametrize("seed", range(8))
def test_no_grid_is_better_whatever_the_problem(name, seed):
    rng = np.random.default_rng(seed)
    n, p = rng.integers(6, 40), rng.integers(2, 30)
    weights = rng.choice(["precision", "frequency"])
    study = make(seed, n, p, 2, weights=weights, noise=rng.choice([0.1, 3.0])).study()
    assert np.all(study.risk[name].minimum.value <= lowest_on_grid(study.risk[name]))


@pytest.mark.parametrize("name", RISKS)
def test_the_value_is_the_curve_and_the_slope_vanishes_there(name):
    curve = make(3, 25, 5, t=3).study().risk[name]
    found = curve.minimum
    assert list(found.boundary) == ["none"] * 3
    assert_allclose(curve.per_target(found.alpha), found.value, rtol=1e-13)
    assert_allclose(np.diag(curve.derivative(found.alpha)), 0.0, atol=1e-9 * np.abs(found.value).max())


@pytest.mark.parametrize("name", ["loo", "gcv"])
@pytest.mark.parametrize(("strong", "deeper"), [(1.1, 0), (0.85, 1)])
def test_the_deeper_of_two_valleys_is_taken(name, strong, deeper):
    """Steep directions deserve a little shrinking, flat ones less: one valley for each group."""
    X = with_spectrum(1, 60, 12, np.repeat([1e4, 1.0], 6))
    U = np.linalg.svd(X, full_matrices=False)[0]
    rest = np.random.default_rng(3).normal(size=60)
    rest -= rest.mean() + U @ (U.T @ (rest - rest.mean()))
    y = U @ np.repeat([1.2, strong], 6) + rest / np.linalg.norm(rest) * 5
    curve = Problem(X, y).study().risk[name]
    values = curve(GRID[1:-1])
    valleys = 1 + np.flatnonzero((values[1:-1] < values[:-2]) & (values[1:-1] < values[2:]))
    assert len(valleys) == 2
    assert np.argmin(values[valleys]) == deeper
    assert curve.minimum.boundary == "none"
    assert_allclose(np.log(curve.minimum.alpha), np.log(GRID[1 + valleys[deeper]]), atol=0.05)
    assert curve.minimum.value <= values.min()


@pytest.mark.parametrize("seed", [696, 1317, 1496, 1701])
def test_no_grid_is_better_for_curves_of_many_valleys(seed):
    """Columns and weights over nine decades each: a valley per group, some narrower than the samples."""
    rng = np.random.default_rng(seed)
    n, p = rng.integers(5, 12), rng.integers(4, 12)
    problem = make(seed, n, p, weights="precision")
    problem = problem.with_(
        X=problem.X * 10.0 ** rng.integers(-4, 5, p), s=problem.s * 10.0 ** rng.integers(-4, 5, n)
    )
    study = problem.study(criterion="evidence")
    values = study.spectrum.eigenvalues
    grid = np.logspace(np.log10(values[-1]), np.log10(values[0]) + 1, 1500)
    for name in ("loo", "gcv"):
        assert study.risk[name].minimum.value <= lowest_on_grid(study.risk[name], grid) * (1 + 1e-6)


def test_the_grid_can_find_a_better_value():
    assert lowest_on_grid(lambda alphas: np.abs(np.log(alphas + 1e-300))) < 0.03


# --- the ends -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RISKS)
def test_no_signal_gives_infinity(name):
    X, y = orthonormal(20, 4)
    study = Problem(X, y + 3.0).study(criterion=name)
    assert study.choice.boundary == "infinite"
    assert study.alpha == np.inf
    assert_allclose(study.coef(), 0.0)
    assert_allclose(study.intercept(), 3.0)
    assert study.effective_parameters == 1.0


@pytest.mark.parametrize("name", RISKS)
def test_no_noise_gives_zero(name):
    problem = make(3, 25, 5, noise=0.0)
    study = problem.study(criterion=name)
    assert study.choice.boundary == "zero"
    assert study.alpha == 0.0
    assert_allclose(problem.X @ study.coef() + study.intercept(), problem.y)
    assert study.effective_parameters == 6.0


@pytest.mark.parametrize("name", RISKS)
def test_a_target_without_noise_beside_others_gives_zero(name):
    exact, noisy = make(3, 25, 5, noise=0.0), make(3, 25, 5)
    study = exact.with_(y=np.column_stack([noisy.y, exact.y])).study(criterion=name)
    assert list(study.choice.boundary) == ["none", "zero"]
    assert_allclose(study.alpha[0], noisy.study(criterion=name).alpha, rtol=1e-9)


def test_evidence_of_wide_rows_can_be_flat_towards_zero():
    """Targets that grow with the square of the eigenvalue along each direction ask for no penalty."""
    X = with_spectrum(2, 8, 12, np.linspace(1.0, 2.0, 7))
    U, sizes, _ = np.linalg.svd(X, full_matrices=False)
    study = Problem(X, U[:, :7] @ sizes[:7] ** 2).study(criterion="evidence")
    assert study.choice.boundary == "flat"
    assert study.alpha == 0.0
    assert_allclose(study.risk["evidence"](1e-9), study.risk["evidence"](0.0), rtol=1e-7)
    assert study.risk["evidence"](0.0) < study.risk["evidence"](0.1) - 1e-3


@pytest.mark.parametrize("name", RISKS)
def test_nothing_to_choose_without_penalised_columns(name):
    problem = make(3, 25, 3, free=3, t=2)
    study = problem.study(criterion=name)
    assert list(study.choice.boundary) == ["flat"] * 2
    assert "strength changes nothing" in study.choice.reason
    assert_allclose(study.coef(), study.coef(np.inf))


@pytest.mark.parametrize("shape", [(25, 5), (12, 20)])
@pytest.mark.parametrize("name", RISKS)
def test_a_constant_target_is_left_alone(shape, name):
    problem = make(3, *shape).with_(y=np.full(shape[0], 7.0))
    study = problem.study(criterion=name)
    assert_allclose(study.coef(), 0.0, atol=1e-12)
    assert_allclose(study.intercept(), 7.0)


# --- targets ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RISKS)
@pytest.mark.parametrize("shape", [(25, 5), (12, 20)])
def test_each_target_is_chosen_as_if_alone(name, shape):
    problem = make(3, *shape, t=4, weights="precision", noise=2.0)
    together = problem.study(criterion=name)
    for j in range(4):
        alone = problem.with_(y=problem.y[:, j]).study(criterion=name)
        assert_allclose(together.alpha[j], alone.alpha, rtol=1e-7)
        assert together.choice.boundary[j] == alone.choice.boundary
        assert_allclose(together.coef()[j], alone.coef(), rtol=1e-6)
        assert_allclose(together.intercept()[j], alone.intercept(), rtol=1e-6)
        assert_allclose(together.risk[name](GRID)[:, j], alone.risk[name](GRID), rtol=1e-10)
        assert_allclose(together.effective_parameters[j], alone.effective_parameters, rtol=1e-7)


@pytest.mark.parametrize("name", RISKS)
@pytest.mark.parametrize("shape", [(25, 5), (12, 20)])
def test_one_strength_for_all_targets_is_best_for_their_sum(name, shape):
    study = make(3, *shape, t=3).study(criterion=name, per_target=False)
    assert study.alpha.shape == (3,)
    assert np.all(study.alpha == study.alpha[0])
    total = study.risk[name](GRID).sum(axis=1)
    found = study.risk[name](study.alpha[0]).sum()
    assert found <= total.min() + 1e-9 * abs(total.min())
    assert_allclose(study.coef(), study.coef(study.alpha[0]))


# --- which criterion ----------------------------------------------------------------------------------


def test_auto_is_loo_for_tall_rows_and_evidence_for_wide_ones():
    assert make(3, 25, 5).study().choice.criterion == "loo"
    assert make(3, 12, 20).study().choice.criterion == "evidence"
    assert make(3, 10, 10).study().choice.criterion == "evidence"


def test_auto_says_why():
    assert "more rows than columns" in make(3, 25, 5).study().choice.reason
    assert "no more rows than columns" in make(3, 12, 20).study().choice.reason
    assert make(3, 25, 5).study(criterion="gcv").choice.reason == "asked for"


def lonely() -> Problem:
    """One row alone knows a free column."""
    problem = make(8, 14, 4, free=1)
    X = problem.X.copy()
    X[:, 3] = np.arange(14) == 5
    return problem.with_(X=X)


def test_auto_turns_to_evidence_where_loo_is_infinite():
    choice = lonely().study().choice
    assert choice.criterion == "evidence"
    assert "leave-one-out is infinite" in choice.reason


def test_loo_that_is_infinite_everywhere_is_refused():
    with pytest.raises(es.InputError, match=r"'loo' is infinite at every strength.*criterion='evidence'"):
        _ = lonely().study(criterion="loo").choice


@pytest.mark.parametrize(
    ("asked", "alpha", "boundary"), [(0.3, 0.3, "none"), (0.0, 0.0, "zero"), (np.inf, np.inf, "infinite")]
)
def test_a_given_strength_is_taken(asked, alpha, boundary):
    choice = make(3, 25, 5).study(alpha=asked).choice
    assert (choice.alpha, choice.boundary, choice.criterion) == (alpha, boundary, "given")


def test_given_strengths_of_targets():
    study = make(3, 25, 5, t=2).study(alpha=[0.1, np.inf])
    assert_allclose(study.alpha, [0.1, np.inf])
    assert list(study.choice.boundary) == ["none", "infinite"]
    assert_allclose(study.coef()[0], study.coef(0.1)[0])
    assert_allclose(study.coef()[1], 0.0)
    assert_allclose(make(3, 25, 5, t=2).study(alpha=0.5).alpha, [0.5, 0.5])
    with pytest.raises(es.InputError, match=r"alpha has shape \(3,\); give one strength, or one per target"):
        make(3, 25, 5, t=2).study(alpha=[0.1, 0.2, 0.3])


def test_no_interval_and_no_agreement_yet():
    choice = make(3, 25, 5).study().choice
    assert choice.interval is None
    assert choice.agreement is None
