"""Evidence corrected by Cp or leave-group-out: the formula, what groups are worth, and when auto takes it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import eigenshrink as es
from criteria_oracles import (
    assert_no_grid_is_better,
    assert_slopes,
    cp,
    every,
    left_out,
    observations,
    rank,
    train,
    values,
)
from oracles import CASES, Problem, free_rank, make, reml, solve, with_spectrum

INNER = np.array([1e-3, 0.05, 1.0, 30.0, 1e3])
SINGLE = [case for case, how in CASES.items() if how.get("weights") != "frequency"]  # no row is a copy
NONE_LEFT = [case for case in SINGLE if case.startswith(("wide", "square", "one row"))]
SPARE = [case for case in SINGLE if case not in (*NONE_LEFT, "all free")]


# --- the formula, written out -------------------------------------------------------------------------


def penalised(problem: Problem, alpha: float) -> np.ndarray:
    """PRSS: ``RSS_s + Sα‖w̃‖²_D``, ``(t,)``."""
    coef, _ = solve(problem, alpha)
    return 2 * problem.weights.sum() * (train(problem, alpha) + alpha / 2 * coef**2 @ problem.factors)


def evidence(problem: Problem, alpha: float, worth: np.ndarray) -> np.ndarray:
    """Marginal likelihood of rows that are worth fewer: as much less of ``½ log PRSS``, ``(t,)``."""
    return reml(problem, alpha) - 0.5 * (observations(problem) - worth) * np.log(penalised(problem, alpha))


def design_effect(problem: Problem, groups: np.ndarray, alphas: np.ndarray) -> np.ndarray:
    """``Σ_g (Σ_{i∈g} r_i)² / Σ r_i²`` of the rows written out, weighted, each target at its α, ``(t,)``."""
    found = []
    copies = problem.s.astype(int) if problem.kind == "frequency" else np.ones(len(groups), dtype=int)
    root = np.ones(len(groups)) if problem.kind == "frequency" else np.sqrt(problem.weights)
    for target, alpha in enumerate(alphas):
        coef, intercept = solve(problem, alpha)
        residual = root * (problem.targets - problem.dense @ coef.T - intercept)[:, target]
        residual, label = np.repeat(residual, copies), np.repeat(groups, copies)
        sums = [residual[label == group].sum() for group in np.unique(label)]
        found.append(np.sum(np.square(sums)) / np.sum(residual**2))
    return np.clip(found, 1.0, observations(problem) / len(np.unique(groups)))


def combined(problem: Problem, alphas: np.ndarray, groups=None, optima=None) -> np.ndarray:
    """``(ν − rank) log R + evidence`` from its parts, each by its own oracle, ``(a, t)``."""
    worth = np.full(problem.targets.shape[1], observations(problem))
    if groups is None:
        spare = np.maximum(worth - rank(problem), 0.0)
        error = every(cp, problem, alphas) if spare.any() else np.ones((len(alphas), 1))
    else:
        worth = worth / design_effect(problem, groups, optima)
        spare = np.maximum(worth - rank(problem), 0.0)
        worth = np.maximum(worth, free_rank(problem) + 1.0)
        error = every(left_out, problem, alphas, groups)
    return spare * np.log(error) + every(evidence, problem, alphas, worth)


def pairs(problem: Problem) -> np.ndarray:
    return np.random.default_rng(1).permutation(np.arange(len(problem.y)) // 2)


def optima(study: es.Study) -> np.ndarray:
    return np.atleast_1d(study.risk["leave_group_out"].minimum.alpha)


def worth(study: es.Study) -> float:
    """How many independent observations the rows are worth, read off the curves (one target, D = I)."""
    S, found = study.facts.weight_sum, []
    used = study.path.spectrum.free.rank + len(study.spectrum.eigenvalues)
    for alpha in (0.01, 1.0):
        size = np.log(2 * S * (study.risk["train"](alpha) + alpha / 2 * np.sum(study.coef(alpha) ** 2)))
        error = np.log(study.risk["leave_group_out"](alpha))
        apart = study.risk["combined"](alpha) - study.risk["evidence"](alpha)
        rows = study.path.sample.observations
        found.append((apart + used * error + rows / 2 * size) / (error + size / 2))
    assert_allclose(found[0], found[1], rtol=1e-8)
    return found[0]


def centred_groups(seed: int, within: float, count: int = 12, each: int = 5, p: int = 4) -> tuple:
    """Rows that share an effect of their group; ``within`` of their noise is their own."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(count), each)
    X = rng.normal(size=(count * each, p))
    effect = rng.normal(size=count)
    return X, X[:, 0] + (1 - within) * effect[groups] + within * rng.normal(size=len(groups)), groups


# --- values -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", SINGLE)
def test_it_is_its_parts(case):
    problem = make(3, **CASES[case])
    study = problem.study()
    assert "leave_group_out" not in study.risk
    assert_allclose(values(study.risk["combined"], INNER), combined(problem, INNER), rtol=0, atol=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_it_is_its_parts_with_groups(case):
    problem = make(3, **CASES[case])
    groups = pairs(problem)
    study = problem.study(groups=groups)
    wanted = combined(problem, INNER, groups, optima(study))
    assert_allclose(values(study.risk["combined"], INNER), wanted, rtol=1e-7, atol=1e-6)


@pytest.mark.parametrize("case", [case for case in CASES if case not in SINGLE])
def test_copies_that_weights_tell_are_groups_that_are_found(case):
    problem = make(3, **CASES[case])
    study = problem.study()
    assert study.path.fit.training.splits.source == "found"
    wanted = combined(problem, INNER, np.arange(len(problem.y)), optima(study))
    assert_allclose(values(study.risk["combined"], INNER), wanted, rtol=1e-7, atol=1e-6)


def test_the_parts_can_be_told_apart():
    """The oracle of the formula would notice another weight, another error or no groups."""
    problem = make(3, **CASES["tall"])
    groups = pairs(problem)
    study = problem.study(groups=groups)
    right = combined(problem, INNER, groups, optima(study))
    others = (
        combined(problem, INNER),
        every(evidence, problem, INNER, observations(problem)),
        combined(problem, INNER, groups, np.full(1, 1e3)),
    )
    for other in others:
        assert np.ptp(right - other) > 1e-3


# --- slopes, minima, limits ---------------------------------------------------------------------------


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_slopes_and_minimum(case, grouped):
    problem = make(3, **CASES[case])
    risk = problem.study(groups=pairs(problem) if grouped else None).risk["combined"]
    assert_slopes(risk)
    assert_no_grid_is_better(risk)


@pytest.mark.parametrize("case", NONE_LEFT)
def test_without_rows_to_spare_it_is_evidence(case):
    study = make(3, **CASES[case]).study()
    alphas = np.array([0.0, *INNER, np.inf])
    assert_array_equal(study.risk["combined"](alphas), study.risk["evidence"](alphas))
    assert_array_equal(study.alpha, study.risk["evidence"].minimum.alpha)
    assert "no row is left over" in study.choice.reason


@pytest.mark.parametrize("case", SPARE)
def test_with_rows_to_spare_it_is_not(case):
    study = make(3, **CASES[case]).study()
    apart = study.risk["combined"](INNER) - study.risk["evidence"](INNER)
    assert np.all(np.ptp(apart, axis=0) > 1e-3)


def test_ends_of_a_flat_limit():
    """Fewer rows than columns, fitted exactly: no choice is made between small strengths."""
    X = with_spectrum(0, 12, 20, np.geomspace(10, 1, 11))
    study = es.study(X, X @ np.linalg.svd(X)[2][:11].sum(axis=0))
    found = study.risk["combined"].minimum
    assert (found.alpha, found.boundary) == (0.0, "flat")
    assert found.value == study.risk["evidence"].minimum.value
    assert np.isfinite(found.value)


def test_no_signal_wants_an_infinite_strength():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(60, 5))
    Q = np.linalg.qr(np.column_stack([np.ones(60), X, rng.normal(size=60)]))[0]
    study = es.study(X, Q[:, -1])
    assert (study.alpha, study.choice.boundary) == (np.inf, "infinite")
    assert study.choice.interval[1] == np.inf


def test_no_noise_wants_none():
    X = np.random.default_rng(4).normal(size=(60, 5))
    study = es.study(X, X @ np.arange(1.0, 6.0))
    assert (study.alpha, study.choice.boundary) == (0.0, "zero")


def test_it_makes_no_choice_where_nothing_is_penalised():
    study = make(3, **CASES["all free"]).study()
    assert list(study.choice.boundary) == ["flat", "flat"]


# --- what groups are worth ----------------------------------------------------------------------------


@pytest.mark.parametrize("copies", [2, 3])
@pytest.mark.parametrize("shape", [(25, 5), (30, 12)])
def test_copies_of_rows_count_once(shape, copies):
    """A table twice is worth as much as once, and its strength is that of single rows as groups."""
    once = make(3, *shape, noise=2.0)
    n = len(once.y)
    again = once.with_(X=np.tile(once.X, (copies, 1)), y=np.tile(once.y, copies)).study()
    alone = once.study(groups=np.arange(n))
    assert "exact copies" in again.choice.reason
    assert_allclose([worth(again), worth(alone)], n, rtol=1e-9)
    assert_allclose(again.alpha, alone.alpha, rtol=1e-6)
    apart = again.risk["combined"](INNER) - alone.risk["combined"](INNER)
    assert_allclose(apart, apart[0], rtol=1e-9)
    for name in ("loo", "gcv", "cp", "evidence"):
        assert not np.isclose(again.risk[name].minimum.alpha, alone.risk[name].minimum.alpha, rtol=0.05)


def test_the_evidence_of_copies_is_that_of_the_single_table():
    """Wide: nothing is left over to correct evidence by, so that the strengths are the same."""
    once = make(3, 12, 20, noise=3.0)
    again = once.with_(X=np.tile(once.X, (2, 1)), y=np.tile(once.y, 2)).study()
    assert_allclose(again.alpha, once.study().alpha, rtol=1e-6)
    apart = again.risk["combined"](INNER) - once.study().risk["evidence"](INNER)
    assert_allclose(apart, apart[0], rtol=1e-9)


def test_copies_given_as_groups_are_copies_found():
    once = make(3, 25, 5)
    twice = once.with_(X=np.tile(once.X, (2, 1)), y=np.tile(once.y, 2))
    assert_allclose(twice.study(groups=np.tile(np.arange(25), 2)).alpha, twice.study().alpha, rtol=1e-9)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("within", [0.0, 0.1, 0.5, 1.0])
def test_rows_are_worth_no_less_than_groups_and_no_more_than_rows(within, seed):
    X, y, groups = centred_groups(seed, within)
    found = worth(es.study(X, y, groups=groups))
    assert 12 - 1e-6 <= found <= 60 + 1e-6
    if within == 0.0:
        assert found < 16  # all but copies, as far as noise goes
    if within == 1.0:
        assert found > 35


def test_more_of_a_common_effect_is_worth_less():
    found = [worth(es.study(X, y, groups=g)) for X, y, g in (centred_groups(2, w) for w in (0.1, 0.5, 1.0))]
    assert found[0] < found[1] < found[2]


@pytest.mark.parametrize("given", [False, True])
def test_rows_with_frequency_weights_are_rows_written_out(given):
    problem = make(3, 20, 5, weights="frequency")
    copies = problem.s.astype(int)
    groups = np.arange(20) // 3 if given else None
    written_out = es.study(
        np.repeat(problem.X, copies, axis=0),
        np.repeat(problem.y, copies),
        groups=np.repeat(groups, copies) if given else None,
    )
    study = problem.study(groups=groups)
    assert_allclose(study.risk["combined"](INNER), written_out.risk["combined"](INNER), rtol=1e-9)
    assert_allclose(study.alpha, written_out.alpha, rtol=1e-6)
    assert_allclose(study.choice.interval, written_out.choice.interval, rtol=1e-6)
