"""What the penalty refuses: each message names the argument, its value and what is needed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from eigenshrink.errors import InputError
from eigenshrink.penalty import L2, penalty_factors, strengths


@pytest.mark.parametrize(
    ("alpha", "message"),
    [
        (-1.0, "alpha is -1; it needs a number >= 0"),
        (math.nan, "alpha is nan"),
        ("0.1", "alpha is '0.1'; it needs a number"),
        (None, "alpha is None"),
        (True, "alpha is True"),
        (1j, "alpha is 1j"),
        ([0.1, -3.0], r"alpha\[1\] is -3;"),
        ([[0.1, 1.0], [math.nan, 1.0]], r"alpha\[1, 0\] is nan"),
        ([[1.0], [1.0, 2.0]], "alpha is"),
        ([10**400], "alpha is"),
    ],
)
def test_bad_strengths_are_named(alpha, message):
    with pytest.raises(InputError, match=message):
        strengths(alpha)
    with pytest.raises(InputError, match=message):
        L2(alpha)


@pytest.mark.parametrize("alpha", [0, 0.5, math.inf, [0.0, math.inf], [[1, 2], [3, 4]], np.float32(2), []])
def test_good_strengths_keep_their_shape(alpha):
    values = strengths(alpha)
    assert values.dtype == np.float64
    assert_array_equal(values, np.asarray(alpha, dtype=float))


def test_strengths_are_a_copy_and_one_l2_takes_one():
    mine = np.array([1.0, 2.0])
    assert not np.shares_memory(strengths(mine), mine)
    with pytest.raises(InputError, match=r"alpha has shape \(2,\); one number is needed here"):
        L2(mine)


@pytest.mark.parametrize(
    ("given_factor", "expected"),
    [(None, [1, 1, 1]), (2, [2, 2, 2]), ([0, 0, 0], [0, 0, 0]), (np.array([1, 2, 3], np.float32), [1, 2, 3])],
)
def test_penalty_factors_become_one_float64_per_weight(given_factor, expected):
    values = penalty_factors(given_factor, 3)
    assert values.dtype == np.float64
    assert_array_equal(values, expected)


@pytest.mark.parametrize(
    ("factor", "message"),
    [
        ([1.0, 2.0], r"penalty_factor has shape \(2,\); it needs one number, or one per column: \(3,\)"),
        ([[1.0, 1.0, 1.0]], r"penalty_factor has shape \(1, 3\)"),
        ([1.0, -2.0, 1.0], r"penalty_factor\[1\] is -2; it needs a finite number >= 0"),
        ([1.0, 1.0, math.nan], r"penalty_factor\[2\] is nan"),
        (math.inf, "penalty_factor is inf"),
        (["1", "2", "3"], "penalty_factor is"),
        ([1.0, None, 1.0], "penalty_factor is"),
    ],
)
def test_bad_penalty_factors_are_named(factor, message):
    with pytest.raises(InputError, match=message):
        penalty_factors(factor, 3)


@pytest.mark.parametrize(
    ("factor", "message"),
    [
        (-1, "penalty_factor is -1"),
        ([None, [1.0, math.nan]], r"penalty_factor\[1\]\[1\] is nan"),
        ([1.0, np.array([[1.0, -2.0]])], r"penalty_factor\[1\]\[0, 1\] is -2"),
        ([1.0, "2"], r"penalty_factor\[1\] is '2'"),
        (np.array(["a"]), "penalty_factor is an array of dtype <U1"),
        ({"w": 1.0}, "penalty_factor is {'w': 1.0}"),
        (np.array(math.inf), "penalty_factor is inf"),
    ],
)
def test_bad_factors_of_l2_are_named_when_it_is_made(factor, message):
    with pytest.raises(InputError, match=message):
        L2(1.0, penalty_factor=factor)


@pytest.mark.parametrize(
    ("factor", "w", "message"),
    [
        (np.ones(3), np.ones(2), r"penalty_factor is a ndarray of shape \(3,\), which does not fit w"),
        (np.ones((2, 1)), np.ones(2), r"penalty_factor is a ndarray of shape \(2, 1\)"),
        (np.ones(1), 1.0, r"does not fit w, a number: give one number"),
        ([1.0, 1.0, 1.0], np.ones(2), r"penalty_factor is a ndarray of shape \(3,\)"),
        ([[1.0], [1.0, 2.0]], np.ones(2), "penalty_factor is"),
        ([1.0], 1.0, "penalty_factor is a list of 1, which does not fit w, a number"),
        ([1.0], [1.0, 1.0], "penalty_factor is a list of 1, w is a list of 2: give a list with one factor"),
        (np.ones(2), [1.0, 1.0], r"penalty_factor is a ndarray of shape \(2,\), w is a list of 2"),
        ([1.0, [1.0, 2.0]], [1.0, [1.0]], r"penalty_factor\[1\] is a list of 2, w\[1\] is a list of 1"),
        (None, "weights", "w is 'weights'; it needs a number"),
        (None, [1.0, None], r"w\[1\] is None"),
        (None, {"w": 1.0}, "w is {'w': 1.0}"),
        (None, np.array(["a"]), "w is an array of dtype <U1"),
        ([1.0, 1.0], [1.0, True], r"w\[1\] is True"),
    ],
)
def test_weights_and_factors_that_do_not_fit_are_named(factor, w, message):
    penalty = L2(1.0, penalty_factor=factor)
    for use in (penalty.value, penalty.gradient):
        with pytest.raises(InputError, match=message):
            use(w)


@pytest.mark.parametrize(
    ("w", "gradient", "rate", "message"),
    [
        (
            np.ones(2),
            np.ones(3),
            0.1,
            r"gradient is a ndarray of shape \(3,\), w is a ndarray of shape \(2,\)",
        ),
        (np.ones(2), 1.0, 0.1, "gradient is a number, w is a ndarray"),
        ([1.0, 2.0], [1.0], 0.1, "gradient is a list of 1, w is a list of 2: they must be built alike"),
        ([1.0, [2.0]], [1.0, 2.0], 0.1, "they must be built alike"),
        ([1.0, np.ones(2)], [1.0, np.ones(1)], 0.1, r"gradient\[1\] is a ndarray of shape \(1,\)"),
        (1.0, "up", 0.1, "gradient is 'up'; it needs a number"),
        (1.0, 1.0, -0.1, "learning_rate is -0.1; it needs a number >= 0"),
        (1.0, 1.0, math.nan, "learning_rate is nan"),
        (1.0, 1.0, math.inf, "learning_rate is inf"),
        (1.0, 1.0, [0.1, 0.2], r"learning_rate has shape \(2,\); one number"),
    ],
)
def test_steps_that_cannot_be_made_are_named(w, gradient, rate, message):
    with pytest.raises(InputError, match=message):
        L2(1.0).update(w, gradient, rate)
