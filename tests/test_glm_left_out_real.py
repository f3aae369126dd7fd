"""Leaving rows of real data out of GLMs by the formula and by refits (M14)."""

from __future__ import annotations

import numpy as np
import pytest

import glm_criteria as criteria
from glm_problems import breast_cancer, cpunish, fair, randhie, scotland, spector, star98, wine

# strength; largest change of a linear predictor that the formula may miss where leverage < 0.1, 0.3, 0.5;
# relative error of the curve
REAL = {
    "breast cancer": (breast_cancer, 0.01, (0.04, 0.04, 0.05), 2e-3),
    "fair": (fair, 0.01, (0.012, 0.012, 0.012), 1e-3),
    "spector": (spector, 0.1, (0.01, 0.05, 0.05), 5e-3),
    "randhie": (randhie, 0.1, (0.08, 0.18, 0.18), 1e-2),
    "cpunish": (cpunish, 0.1, (0.001, 0.12, 0.12), 5e-2),
    "star98": (star98, 0.01, (0.0006, 0.0006, 0.0006), 1e-3),
    "scotland": (scotland, 0.01, (0.0004, 0.0004, 0.0004), 1e-3),
    "wine": (wine, 0.01, (0.001, 0.006, 0.016), 1e-2),
}


@pytest.mark.parametrize("name", REAL)
def test_real_rows_left_out_are_near_refits_by_leverage(name):
    load, alpha, limits, share = REAL[name]
    problem = load()
    near = criteria.approximate(problem, alpha)
    exact = criteria.refitted(problem, alpha, np.arange(len(problem.y)))
    found = problem.study().risk["loo"](alpha)
    assert found == pytest.approx(near.mean(problem), rel=1e-3)
    assert found == pytest.approx(exact.mean(problem), rel=share)
    missed = near.eta - exact.eta
    missed = np.abs(missed - missed.mean(axis=1, keepdims=True) * (problem.outputs > 1)).max(axis=1)
    for leverage, limit in zip((0.1, 0.3, 0.5), limits, strict=True):
        assert missed[near.leverage < leverage].max(initial=0.0) <= limit


def test_patients_left_out_together_are_near_refits():
    problem = breast_cancer()
    groups = np.arange(569) // 4
    near = problem.study(groups=groups).risk["leave_group_out"](0.05)
    exact = criteria.refitted(problem, 0.05, groups).mean(problem)
    assert near == pytest.approx(exact, rel=5e-3)


@pytest.mark.parametrize("name", ["spector", "cpunish", "star98", "wine"])
def test_the_strength_that_is_chosen_is_that_of_exact_refits(name):
    """Within 1 % of the lowest error that refits find on a grid."""
    problem = REAL[name][0]()
    chosen = problem.study(criterion="loo").alpha
    alone = np.arange(len(problem.y))
    grid = chosen * np.array([0.2, 1.0, 5.0])
    exact = [criteria.refitted(problem, alpha, alone).mean(problem) for alpha in grid]
    assert exact[1] <= 1.01 * min(exact)
