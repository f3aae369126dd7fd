"""Slow and obvious answers for every estimate of the true error (M14, M15): refits and sums, nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.testing import assert_allclose

import eigenshrink as es
from oracles import Problem, free_rank, hat, make, slope, solve

ALL = np.array([0.0, 1e-6, 1e-3, 0.05, 1.0, 30.0, 1e5, np.inf])
GRID = np.concatenate([[0.0], np.logspace(-14, 14, 400), [np.inf]])


def every(oracle: Callable[..., np.ndarray], problem: Problem, alphas, *more) -> np.ndarray:
    """An oracle at several strengths, ``(a, t)``."""
    return np.array([oracle(problem, alpha, *more) for alpha in alphas])


def values(risk, alphas) -> np.ndarray:
    """A curve at several strengths with a target axis, ``(a, t)``."""
    return np.asarray(risk(alphas)).reshape(len(alphas), -1)


# --- leaving rows out ---------------------------------------------------------------------------------


def rows_of(problem: Problem, keep: np.ndarray) -> Problem:
    """The problem of some of its rows."""
    s = None if problem.s is None else problem.s[keep]
    return problem.with_(X=problem.dense[keep], y=problem.y[keep], s=s)


def errors(problem: Problem, alpha: float, parts: np.ndarray) -> np.ndarray:
    """Error of each row in a refit without the rows of its part, with all their copies, ``(n, t)``.

    Sα stays. Infinite where the rows that stay cannot determine the free weights.
    """
    result = np.empty_like(problem.targets)
    for part in np.unique(parts):
        out = parts == part
        rest = rows_of(problem, ~out)
        if free_rank(rest) < free_rank(problem):
            result[out] = np.inf
            continue
        coef, intercept = solve(rest, alpha * problem.weights.sum() / rest.weights.sum())
        result[out] = problem.targets[out] - problem.dense[out] @ coef.T - intercept
    return result


def left_out(problem: Problem, alpha: float, parts: np.ndarray) -> np.ndarray:
    """``Σ s_i e_i²/(2S)`` of rows that leave with their part, ``(t,)``."""
    s = problem.weights
    return s @ errors(problem, alpha, parts) ** 2 / (2 * s.sum())


def copy_errors(problem: Problem, alpha: float) -> np.ndarray:
    """Error of each row in a refit with one copy of it less (frequency weights), ``(n, t)``."""
    result = np.empty_like(problem.targets)
    for i in range(len(result)):
        rest = problem.without(i, 1.0)
        coef, intercept = solve(rest, alpha * problem.weights.sum() / rest.weights.sum())
        result[i] = problem.targets[i] - coef @ problem.dense[i] - intercept
    return result


# --- what needs no leaving out ------------------------------------------------------------------------


def observations(problem: Problem) -> float:
    """ν: rows, or copies."""
    return problem.weights.sum() if problem.kind == "frequency" else float(len(problem.weights))


def train(problem: Problem, alpha: float) -> np.ndarray:
    """``RSS_s/2S`` of the fit itself, ``(t,)``."""
    return held_out(problem, alpha, problem.dense, problem.targets, problem.weights)


def held_out(problem: Problem, alpha: float, X, Y, weight) -> np.ndarray:
    """``Σ w_i e_i²/(2W)`` of the fit on other rows, ``(t,)``."""
    coef, intercept = solve(problem, alpha)
    return weight @ (Y.reshape(len(X), -1) - X @ coef.T - intercept) ** 2 / (2 * np.sum(weight))


def rank(problem: Problem) -> int:
    """Parameters of the fit without penalty: the trace of its hat matrix."""
    return int(np.rint(np.trace(hat(problem, 0.0))))


def dispersion(problem: Problem) -> np.ndarray:
    """``φ = RSS_s/(ν − rank)`` of the fit without penalty, ``(t,)``."""
    return 2 * problem.weights.sum() * train(problem, 0.0) / (observations(problem) - rank(problem))


def cp(problem: Problem, alpha: float) -> np.ndarray:
    """Training loss + ``φγ/S``, γ the trace of the hat matrix, ``(t,)``."""
    gamma = np.trace(hat(problem, alpha))
    return train(problem, alpha) + dispersion(problem) * gamma / problem.weights.sum()


def mackay(problem: Problem, alpha: float) -> float:
    """One step of ``α ← σ²γ_pen/(S‖w̃‖²_D)``, ``σ² = RSS_s/(ν − m − γ_pen)``, for one target."""
    m, S = free_rank(problem), problem.weights.sum()
    gamma = np.trace(hat(problem, alpha)) - m
    variance = 2 * S * train(problem, alpha)[0] / (observations(problem) - m - gamma)
    coef = solve(problem, alpha)[0][0]
    return variance * gamma / (S * coef**2 @ problem.factors)


# --- how sure -----------------------------------------------------------------------------------------


def paired_error(difference: np.ndarray) -> np.ndarray:
    """Standard error of a sum of N contributions: ``√(N/(N−1) Σ(d_i − d̄)²)``, ``(t,)`` from ``(N, t)``."""
    N = len(difference)
    return np.sqrt(N / (N - 1) * np.sum((difference - difference.mean(axis=0)) ** 2, axis=0))


def contributions(problem: Problem, alpha: float, parts: np.ndarray, units: np.ndarray) -> np.ndarray:
    """What each unit adds to the curve when rows leave with their part, ``(units, t)``."""
    s = problem.weights
    each = s[:, None] * errors(problem, alpha, parts) ** 2 / (2 * s.sum())
    return np.array([each[units == unit].sum(axis=0) for unit in np.unique(units)])


def copy_contributions(problem: Problem, alpha: float) -> np.ndarray:
    """The same where one copy leaves at a time: every copy is a unit, ``(S, t)``."""
    s = problem.weights
    return np.repeat(copy_errors(problem, alpha) ** 2, s.astype(int), axis=0) / (2 * s.sum())


@dataclass(frozen=True)
class Asked:
    """A problem, the curve that is asked for, and what each unit adds to it by refits."""

    problem: Problem
    name: str
    how: dict[str, Any]
    parts: Callable[[es.Study, float], np.ndarray]

    def study(self, **more) -> es.Study:
        return self.problem.study(**{"criterion": "evidence"} | self.how | more)

    def band(self, study: es.Study, alpha: float) -> tuple[np.ndarray, np.ndarray]:
        """Standard error of the difference to each target's optimum, and the difference, ``(t,)``."""
        best = np.atleast_1d(study.risk[self.name].minimum.alpha)
        here = self.parts(study, alpha)
        there = np.stack([self.parts(study, a)[:, j] for j, a in enumerate(best)], axis=1)
        return paired_error(here - there), np.sum(here - there, axis=0)


def ask(name: str, seed: int = 3, **made) -> Asked:
    """Leave-one-out and its relatives for a problem that make() makes."""
    problem = make(seed, **made)
    n = len(problem.y)
    alone = np.arange(n)
    groups = np.random.default_rng(1).permutation(np.minimum(np.arange(n) // 2, 8))

    def folds(study):
        return study.path.fit.training.splits.folds

    def judged(study, alpha):
        X, Y, w = (part[:12] for part in (apart.dense, apart.targets, weight))
        return np.array(
            [held_out(problem, alpha, X[[i]], Y[[i]], w[[i]]) * w[i] / w.sum() for i in range(12)]
        )

    apart, weight = make(seed + 1, **made), np.linspace(0.5, 3.0, n)
    y = apart.y[:12]
    ways = {
        "loo": ({}, lambda _, a: contributions(problem, a, alone, alone)),
        "loo of copies": ({}, lambda _, a: copy_contributions(problem, a)),
        "leave_group_out": ({"groups": groups}, lambda _, a: contributions(problem, a, groups, groups)),
        "kfold": ({}, lambda study, a: contributions(problem, a, folds(study), alone)),
        "kfold of groups": (
            {"groups": groups},
            lambda study, a: contributions(problem, a, folds(study), groups),
        ),
        "validation": ({"validation": (apart.dense[:12], y, weight[:12])}, judged),
    }
    return Asked(problem, name.split(" of ")[0], *ways[name])


# --- what holds for every curve -----------------------------------------------------------------------


def assert_slopes(risk) -> None:
    """``derivative`` is what central differences of the curve say."""
    alphas = np.array([1e-3, 0.03, 0.7, 20.0, 500.0])
    size = np.abs(risk(alphas)).max()
    assert np.isfinite(size)
    assert_allclose(risk.derivative(alphas), slope(risk, alphas), rtol=1e-6, atol=1e-9 * size)


def assert_no_grid_is_better(risk, scale: float = 0.0) -> None:
    """The minimum is never above the lowest point of a dense grid with both limits, but for rounding.

    ``scale``: of the curves that this one is a difference of.
    """
    found, on_grid = np.atleast_1d(risk.minimum.value), values(risk, GRID)
    lowest, size = on_grid.min(axis=0), np.maximum(np.abs(on_grid).max(axis=0), scale)
    rounding = 1e-9 * np.abs(lowest) + 1e-14 * size
    assert np.all(found <= lowest + np.where(np.isfinite(rounding), rounding, 0.0))
    there = risk.per_target(np.atleast_1d(risk.minimum.alpha))
    assert_allclose(there, found, rtol=1e-10, atol=1e-14 * np.max(size[np.isfinite(size)], initial=0.0))
