"""One fit against trainings: what was predicted for other strengths, and what came out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

import eigenshrink.networks as en
from benchmarks.retraining.models import Case, rows
from benchmarks.retraining.training import Problem, settle, train

Array = NDArray[np.float64]

STRENGTHS, STEP = 15, 0.25  # around α₀; in decades
ABOVE = 1e-3  # relative, of the weakest strength that has a minimum


@dataclass(frozen=True)
class Losses:
    """Of one vector of weights, on the rows that train and those that test; its distance from the truth."""

    train: float
    test: float
    apart: float = 0.0


@dataclass(frozen=True)
class Point:
    """One strength.

    ``predicted``: at w̃(α) of the study. ``uncalibrated``: at the weights of its quadratic at α, without the
    slope of the true loss along the path; None where it has none. ``trained``: from the neighbouring
    strength, so that the way from w₀ is followed. ``cold``: from the beginning. ``gain``: what a Newton step
    would still gain, relative to the objective.
    """

    alpha: float
    predicted: Losses
    uncalibrated: Losses | None
    trained: Losses
    cold: Losses | None
    gain: float


@dataclass(frozen=True)
class Comparison:
    """A model at α₀, the range in which predictions are trusted, and all strengths, ascending."""

    name: str
    weights: int
    rows: int
    alpha: float
    kind: str
    trusted: tuple[float, float]
    points: tuple[Point, ...]

    def worst(self, what: str = "predicted", within: tuple[float, float] | None = None) -> float:
        """Largest relative error of the test loss among the strengths inside a range, that is trusted."""
        low, high = within or self.trusted
        inside = [p for p in self.points if low * (1 - 1e-9) <= p.alpha <= high * (1 + 1e-9)]
        errors = [abs(error(getattr(point, what), point.trained)) for point in inside]
        return max(errors, default=np.nan)


def error(found: Losses | None, truth: Losses) -> float:
    """Of the test loss, relative."""
    return np.nan if found is None else found.test / truth.test - 1.0


def compare(
    case: Case, count: int = STRENGTHS, kind: str = "ggn", cold: bool = True, seed: int = 0
) -> Comparison:
    """Train at α₀, ask the study, train at all other strengths."""
    training, testing = rows(case.rows, seed)
    problem = Problem.of(case, training, seed)
    start = train(case, problem, case.alpha, seed).weights
    path = ask(case, problem, start, kind)

    def losses(weights: Array, truth: Array) -> Losses:
        apart = float(np.linalg.norm(weights - truth) / np.linalg.norm(truth))
        return Losses(problem.loss(weights, training), problem.loss(weights, testing), apart)

    def point(alpha: float, truth: Array, gain: float, begun: bool) -> Point:
        own = path.uncalibrated
        predicted = losses(path.weights(max(alpha, path.least * (1 + ABOVE))), truth)
        plain = None if alpha <= own.least else losses(own.weights(alpha), truth)
        other = None
        if begun:
            other = losses(train(case, Problem.of(case, training, seed), alpha, seed).weights, truth)
        return Point(alpha, predicted, plain, losses(truth, truth), other, gain)

    grid = strengths(case.alpha, count, path.trusted)
    points = [point(case.alpha, start, 0.0, False)]
    for side in (grid[grid > case.alpha], grid[grid < case.alpha][::-1]):
        weights = start
        for number, alpha in enumerate(side):
            found = settle(problem, weights, float(alpha))
            weights = found.weights
            points.append(point(float(alpha), weights, found.gain, cold and number % 3 == 2))
    points.sort(key=lambda one: one.alpha)
    return Comparison(case.name, len(start), case.rows, case.alpha, kind, path.trusted, tuple(points))


def ask(case: Case, problem: Problem, weights: Array, kind: str) -> Any:
    """The path of the study of a model that stopped at some weights."""
    model, data = problem.write(weights), (problem.rows.pictures, problem.rows.digits)
    study = en.study(
        model, nn.CrossEntropyLoss(), data, weight_decay=case.alpha, exclude=case.free, curvature=kind
    )
    return study.path


def strengths(alpha: float, count: int, ends: tuple[float, ...]) -> Array:
    """``count`` strengths around α₀, and the ends of ranges between them."""
    steps = np.arange(count) - count // 2
    grid = alpha * 10.0 ** (STEP * steps)
    new = [end for end in ends if grid[0] < end < grid[-1] and np.abs(np.log(grid / end)).min() > 1e-3]
    return np.unique([*grid, *new])
