"""The strength that is taken: never worse than any grid, ends named, targets apart and together."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import eigenshrink as es
from eigenshrink.risk import DESCRIBING, RISKS
from oracles import CASES, Problem, make, with_spectrum

GRID = np.concatenate([[0.0], np.logspace(-14, 14, 1500), [np.inf]])


NAMES = [name for name in RISKS if name not in DESCRIBING]
OTHERS = [name for name in NAMES if name != "validation"]  # that need no rows beside those that are fitted


def by(name: str, n: int) -> dict:
    """What a criterion needs: pairs of rows for whole groups, a third of the rows to judge by."""
    needed = {"leave_group_out": {"groups": np.arange(n) // 2}, "validation": {"validation": 1 / 3}}
    return {"criterion": name} | needed.get(name, {})


NAMED = [
    (name, shape)
    for name in NAMES
    for shape in ((25, 5), (12, 20))
    if not (name == "cp" and shape[0] <= shape[1])  # no row is left over
]


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


@pytest.mark.parametrize("case", CASES)
def test_no_grid_is_better(case):
    problem = make(11, **CASES[case])
    study = problem.study(groups=np.arange(len(problem.y)) // 3, validation=0.3)
    assert {"loo", "leave_group_out", "kfold", "gcv", "evidence", "validation"} < set(study.risk)
    for curve in study.risk.values():
        assert np.all(np.atleast_1d(curve.minimum.value) <= lowest_on_grid(curve)), curve.name


@pytest.mark.parametrize("seed", range(8))
def test_no_grid_is_better_whatever_the_problem(seed):
    rng = np.random.default_rng(seed)
    n, p = rng.integers(6, 40), rng.integers(2, 30)
    weights = rng.choice(["precision", "frequency"])
    problem = make(seed, n, p, 2, weights=weights, noise=rng.choice([0.1, 3.0]))
    study = problem.study(
        groups=np.arange(n) % 3, validation=(problem.X[::2], problem.y[1::2][:1] + problem.y[::2])
    )
    for curve in study.risk.values():
        assert np.all(curve.minimum.value <= lowest_on_grid(curve)), curve.name


@pytest.mark.parametrize("name", NAMES)
def test_the_value_is_the_curve_and_the_slope_vanishes_there(name):
    curve = make(3, 45, 5, t=3, noise=2.0).study(**by(name, 45)).risk[name]
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


@pytest.mark.parametrize("name", OTHERS)
def test_no_signal_gives_infinity(name):
    X, y = orthonormal(20, 4)
    study = Problem(X, y + 3.0).study(**by(name, 20))
    assert study.choice.boundary == "infinite"
    assert study.alpha == np.inf
    assert_allclose(study.coef(), 0.0)
    assert_allclose(study.intercept(), 3.0)
    assert study.effective_parameters == 1.0


@pytest.mark.parametrize("name", NAMES)
def test_no_noise_gives_zero(name):
    problem = make(3, 25, 5, noise=0.0)
    study = problem.study(**by(name, 25))
    assert study.choice.boundary == "zero"
    assert study.alpha == 0.0
    assert_allclose(problem.X @ study.coef() + study.intercept(), problem.y)
    assert study.effective_parameters == 6.0


@pytest.mark.parametrize("name", NAMES)
def test_a_target_without_noise_beside_others_gives_zero(name):
    exact, noisy = make(3, 25, 5, noise=0.0), make(3, 25, 5)
    study = exact.with_(y=np.column_stack([noisy.y, exact.y])).study(**by(name, 25))
    assert study.choice.boundary[1] == "zero"
    assert_allclose(study.alpha[0], noisy.study(**by(name, 25)).alpha, rtol=1e-9)


def test_evidence_of_wide_rows_can_be_flat_towards_zero():
    """Targets that grow with the square of the eigenvalue along each direction ask for no penalty."""
    X = with_spectrum(2, 8, 12, np.linspace(1.0, 2.0, 7))
    U, sizes, _ = np.linalg.svd(X, full_matrices=False)
    study = Problem(X, U[:, :7] @ sizes[:7] ** 2).study(criterion="evidence")
    assert study.choice.boundary == "flat"
    assert study.alpha == 0.0
    assert_allclose(study.risk["evidence"](1e-9), study.risk["evidence"](0.0), rtol=1e-7)
    assert study.risk["evidence"](0.0) < study.risk["evidence"](0.1) - 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_nothing_to_choose_without_penalised_columns(name):
    problem = make(3, 25, 3, free=3, t=2)
    study = problem.study(**by(name, 25))
    assert list(study.choice.boundary) == ["flat"] * 2
    assert "strength changes nothing" in study.choice.reason
    assert_allclose(study.coef(), study.coef(np.inf))


@pytest.mark.parametrize(("name", "shape"), NAMED)
def test_a_constant_target_is_left_alone(shape, name):
    problem = make(3, *shape).with_(y=np.full(shape[0], 7.0))
    study = problem.study(**by(name, shape[0]))
    assert_allclose(study.coef(), 0.0, atol=1e-12)
    assert_allclose(study.intercept(), 7.0)


# --- targets ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "shape"), NAMED)
def test_each_target_is_chosen_as_if_alone(name, shape):
    problem = make(3, *shape, t=4, weights="precision", noise=2.0)
    together = problem.study(**by(name, shape[0]))
    for j in range(4):
        alone = problem.with_(y=problem.y[:, j]).study(**by(name, shape[0]))
        assert_allclose(together.alpha[j], alone.alpha, rtol=1e-7)
        assert together.choice.boundary[j] == alone.choice.boundary
        assert_allclose(together.coef()[j], alone.coef(), rtol=1e-6)
        assert_allclose(together.intercept()[j], alone.intercept(), rtol=1e-6)
        assert_allclose(together.risk[name](GRID)[:, j], alone.risk[name](GRID), rtol=1e-10)
        assert_allclose(together.effective_parameters[j], alone.effective_parameters, rtol=1e-7)


@pytest.mark.parametrize(("name", "shape"), NAMED)
def test_one_strength_for_all_targets_is_best_for_their_sum(name, shape):
    study = make(3, *shape, t=3).study(**by(name, shape[0]), per_target=False)
    assert study.alpha.shape == (3,)
    assert np.all(study.alpha == study.alpha[0])
    total = study.risk[name](GRID).sum(axis=1)
    found = study.risk[name](study.alpha[0]).sum()
    assert found <= total.min() + 1e-9 * abs(total.min())
    assert_allclose(study.coef(), study.coef(study.alpha[0]))


# --- which criterion ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(25, 5), (12, 20), (10, 10)])
def test_auto_combines_unless_rows_were_held_out(shape):
    problem = make(3, *shape)
    study = problem.study()
    assert study.choice.criterion == "combined"
    assert study.alpha == study.risk["combined"].minimum.alpha
    held = problem.study(validation=0.4)
    assert held.choice.criterion == "validation"
    assert held.alpha == held.risk["validation"].minimum.alpha


def test_auto_says_why():
    problem = make(3, 25, 5)
    twice = problem.with_(X=np.r_[problem.X, problem.X[:4]], y=np.r_[problem.y, problem.y[:4]])
    reasons = {
        "corrected by Cp": problem.study(),
        "no row is left over": make(3, 12, 20).study(),
        "groups were given: evidence corrected by leave-group-out": problem.study(groups=np.arange(25) // 5),
        "some rows are exact copies of others": twice.study(),
        "rows were held out to judge by": problem.study(validation=0.4),
        "asked for": problem.study(criterion="gcv"),
    }
    for words, study in reasons.items():
        assert words in study.choice.reason


@pytest.mark.parametrize("name", DESCRIBING)
def test_what_describes_does_not_choose(name):
    with pytest.raises(es.InputError, match=rf"criterion must be auto, combined, .*got '{name}'"):
        make(3, 25, 5).study(criterion=name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("leave_group_out", "leave_group_out needs groups"),
        ("validation", "validation needs rows that were not fitted"),
        ("cp", r"cp needs the noise .* [Uu]se criterion='evidence'"),
        ("aic", r"criterion must be auto, .*got 'aic'"),
    ],
)
def test_a_criterion_that_is_not_there_is_refused_at_once(name, words):
    with pytest.raises(es.InputError, match=words):
        make(3, 12, 20).study(criterion=name)


def lonely() -> Problem:
    """One row alone knows a free column."""
    problem = make(8, 14, 4, free=1)
    X = problem.X.copy()
    X[:, 3] = np.arange(14) == 5
    return problem.with_(X=X)


def test_auto_needs_no_finite_leave_one_out():
    study = lonely().study()
    assert np.isposinf(study.risk["loo"](0.1))
    assert study.choice.criterion == "combined"
    assert 0 < study.alpha < np.inf


def test_auto_turns_to_evidence_where_leaving_groups_is_infinite():
    study = lonely().study(groups=np.arange(14) // 2)
    assert study.choice.criterion == "evidence"
    assert "combined evidence is infinite at every strength" in study.choice.reason
    assert study.alpha == study.risk["evidence"].minimum.alpha


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


def test_a_given_strength_has_no_doubts():
    choice = make(3, 25, 5).study(alpha=0.3).choice
    assert choice.interval is choice.optimism is choice.corrected is choice.agreement is None
    assert choice.flatness == ""
