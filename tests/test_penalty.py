"""The penalty by itself: against finite differences, under its invariances, on anybody's tensors."""

from __future__ import annotations

import math
import operator
from collections import namedtuple
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from eigenshrink.errors import InputError
from eigenshrink.penalty import L2

NETWORK = [np.array([[1.0, -2.0], [0.5, 3.0]]), (np.array([1.0, -1.0]), 2.0)]
FACTORS = [np.array([[1.0], [4.0]]), (None, 0)]

lawful = settings(deadline=None, max_examples=60)
sizes = st.just(0.0) | st.floats(1e-30, 50)  # products of smaller numbers lose digits in any formula
factors = arrays(np.float64, 4, elements=sizes)
vectors = arrays(np.float64, 4, elements=sizes | sizes.map(operator.neg))
alphas = sizes


def flat(w) -> np.ndarray:
    if isinstance(w, list | tuple):
        return np.concatenate([flat(item) for item in w])
    return np.ravel(w).astype(float)


def differences(value, w: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """Central differences, one entry at a time."""
    slope = np.zeros_like(w)
    for at in np.ndindex(w.shape):
        step = np.zeros_like(w)
        step[at] = h
        slope[at] = (value(w + step) - value(w - step)) / (2 * h)
    return slope


# --- value, gradient, update --------------------------------------------------------------------------


def test_value_is_half_alpha_times_the_weighted_square_for_every_kind_of_weights():
    assert L2(0.5).value(2.0) == 1.0
    assert L2(0.5).value(np.array([1.0, 2.0])) == pytest.approx(1.25)
    assert L2(0.5, penalty_factor=[2.0, 0.0]).value(np.array([1.0, 2.0])) == pytest.approx(0.5)
    assert L2(0.5).value([np.ones((2, 2)), 1.0]) == pytest.approx(1.25)
    assert L2(0.5, penalty_factor=FACTORS).value(NETWORK) == pytest.approx(0.25 * (5 + 4 * 9.25 + 2))
    assert L2(3.0).value([]) == 0.0


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 1, 2)])
@pytest.mark.parametrize("factor", [None, 2.5, "array"])
def test_gradient_is_the_slope_of_the_value(shape, factor):
    rng = np.random.default_rng(4)
    w = rng.normal(size=shape)
    penalty = L2(0.7, penalty_factor=rng.uniform(0, 3, size=shape) if factor == "array" else factor)
    assert_allclose(penalty.gradient(w), differences(penalty.value, w), rtol=1e-8, atol=1e-9)


def test_differences_notice_a_wrong_slope():
    w = np.array([1.0, 2.0])
    with pytest.raises(AssertionError):
        assert_allclose(L2(0.71).gradient(w), differences(L2(0.7).value, w), rtol=1e-8, atol=1e-9)


def test_update_is_one_descent_step_on_the_penalised_loss():
    w, slope = np.array([1.0, -2.0]), np.array([0.3, 0.1])
    new = L2(0.5, penalty_factor=[1.0, 0.0]).update(w, slope, learning_rate=0.1)
    assert_allclose(new, [1 - 0.1 * (0.3 + 0.5), -2 - 0.1 * 0.1], rtol=1e-15)


def test_structure_is_kept_and_nothing_is_changed_in_place():
    Layer = namedtuple("Layer", "kernel bias")
    w = [Layer(np.ones((2, 2)), np.ones(2)), (3.0, [np.ones(1)])]
    slopes = [Layer(np.ones((2, 2)), np.zeros(2)), (1.0, [np.ones(1)])]
    new = L2(1.0, penalty_factor=[[None, 0], 2.0]).update(w, slopes, 0.5)
    assert isinstance(new, list)
    assert isinstance(new[0], Layer)
    assert isinstance(new[1], tuple)
    assert type(new[1][0]) is float
    assert_array_equal(new[0].kernel, np.zeros((2, 2)))
    assert_array_equal(new[0].bias, np.ones(2))
    assert new[1][0] == -0.5
    assert_array_equal(w[0].kernel, np.ones((2, 2)))
    assert_array_equal(slopes[0].kernel, np.ones((2, 2)))
    assert not np.shares_memory(new[0].bias, w[0].bias)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("factor", [None, 2.0, np.array([1.0, 2.0]), np.array([1, 2]), [np.float64(1), 2]])
def test_dtype_of_the_weights_decides(dtype, factor):
    w, slope = np.ones(2, dtype), np.ones(2, np.float64)
    penalty = L2(np.float64(0.5), penalty_factor=factor)
    assert penalty.value(w).dtype == dtype
    assert penalty.gradient(w).dtype == dtype
    assert penalty.update(w, slope, np.float64(0.1)).dtype == dtype


def test_dtype_of_single_numbers():
    assert type(L2(0.5).value(2)) is float
    assert type(L2(0.5).update(2.0, np.float32(1), 0.1)) is float
    assert L2(0.5).update(np.float32(2), np.float64(1), 0.1).dtype == np.float32
    assert L2(0.5).update(np.array(2, np.float32), np.array(1.0), 0.1).dtype == np.float32
    assert L2(0.5).gradient(np.array([1, 2])).dtype == np.float64


def test_record_is_frozen_and_keeps_its_own_factors():
    mine = np.array([1.0, 1.0])
    penalty = L2(1.0, penalty_factor=mine)
    mine[0] = -5
    assert penalty.value(np.ones(2)) == 1.0
    with pytest.raises(FrozenInstanceError):
        penalty.alpha = 2.0


def test_infinite_alpha_allows_only_weights_that_cost_nothing():
    free_second = L2(math.inf, penalty_factor=[1.0, 0.0])
    assert free_second.value(np.array([0.0, 7.0])) == 0
    assert free_second.value(np.array([1e-200, 0.0])) == math.inf
    assert L2(math.inf).value([0.0, np.zeros(2)]) == 0
    assert math.isnan(L2(math.inf).value(math.nan))
    with pytest.raises(InputError, match="alpha is inf, which has no gradient"):
        free_second.gradient(np.ones(2))
    with pytest.raises(InputError, match="alpha is inf, which has no update"):
        free_second.update(np.ones(2), np.ones(2), 0.1)


def test_nan_weights_stay_visible():
    assert math.isnan(L2(1.0).value(np.array([1.0, math.nan])))
    assert_array_equal(L2(1.0).gradient(np.array([1.0, math.nan])), [1.0, math.nan])


# --- invariances --------------------------------------------------------------------------------------


@lawful
@given(w=vectors, d=factors, alpha=alphas)
def test_value_is_half_the_weights_times_the_gradient(w, d, alpha):
    penalty = L2(alpha, penalty_factor=d)
    assert_allclose(penalty.value(w), 0.5 * w @ penalty.gradient(w), rtol=1e-12)


@lawful
@given(w=vectors, d=factors, alpha=alphas, scale=st.floats(0.1, 10))
def test_scaling_of_weights_strength_and_factor(w, d, alpha, scale):
    value = L2(alpha, d).value(w)
    assert_allclose(L2(alpha, d).value(scale * w), scale**2 * value, rtol=1e-9)
    assert_allclose(L2(alpha, scale * d).value(w), L2(scale * alpha, d).value(w), rtol=1e-12)


@lawful
@given(v=vectors, w=vectors, d=factors, alpha=alphas)
def test_gradient_is_linear(v, w, d, alpha):
    pull = L2(alpha, d).gradient
    assert_allclose(pull(v + 2 * w), pull(v) + 2 * pull(w), rtol=1e-9, atol=1e-9)


@lawful
@given(w=vectors, d=factors, alpha=alphas, order=st.permutations(range(4)))
def test_order_and_grouping_of_the_weights_do_not_matter(w, d, alpha, order):
    whole = L2(alpha, d)
    parts = L2(alpha, [d[:1], (d[1:3].reshape(2, 1), d[3])])
    split = [w[:1], (w[1:3].reshape(2, 1), w[3])]
    assert_allclose(parts.value(split), whole.value(w), rtol=1e-12)
    assert_allclose(flat(parts.gradient(split)), whole.gradient(w), rtol=1e-14)
    assert_allclose(L2(alpha, d[order]).value(w[order]), whole.value(w), rtol=1e-12)


@lawful
@given(w=vectors, alpha=alphas, angle=st.floats(0, 6.3))
def test_equal_factors_make_the_penalty_blind_to_rotation(w, alpha, angle):
    turned = w.copy()
    turned[0] = math.cos(angle) * w[0] - math.sin(angle) * w[1]
    turned[1] = math.sin(angle) * w[0] + math.cos(angle) * w[1]
    assert_allclose(L2(alpha).value(turned), L2(alpha).value(w), rtol=1e-9)


@lawful
@given(w=vectors, slope=vectors, d=factors, alpha=alphas, rate=st.floats(0, 2))
def test_update_shrinks_first_and_then_steps(w, slope, d, alpha, rate):
    shrunk_then_stepped = (1 - rate * alpha * d) * w - rate * slope
    assert_allclose(L2(alpha, d).update(w, slope, rate), shrunk_then_stepped, rtol=1e-9, atol=1e-9)


# --- anybody's tensors --------------------------------------------------------------------------------


class Duck:
    """A 1-d float tensor with operators and ``.sum()`` only; every NumPy call on it fails."""

    __array_ufunc__ = None

    def __init__(self, numbers):
        self.numbers = list(numbers)
        self.shape = (len(self.numbers),)

    def __array__(self, *_, **__):
        raise AssertionError("NumPy was called on a foreign tensor")

    def _with(self, other, do):
        others = other.numbers if isinstance(other, Duck) else [other] * len(self.numbers)
        return Duck(map(do, self.numbers, others))

    def sum(self):
        return sum(self.numbers)

    def __getitem__(self, mask):
        return [number for number, keep in zip(self.numbers, mask.numbers, strict=True) if keep]

    def __invert__(self):
        return Duck(not number for number in self.numbers)

    def __abs__(self):
        return Duck(map(abs, self.numbers))

    def __mul__(self, other):
        return self._with(other, operator.mul)

    def __add__(self, other):
        return self._with(other, operator.add)

    def __sub__(self, other):
        return self._with(other, operator.sub)

    def __and__(self, other):
        return self._with(other, operator.and_)

    def __ge__(self, other):
        return self._with(other, operator.ge)

    def __lt__(self, other):
        return self._with(other, operator.lt)

    __rmul__ = __mul__


def test_foreign_tensors_need_operators_only():
    penalty = L2(0.5, penalty_factor=[Duck([1.0, 0.0]), None])
    w = [Duck([2.0, 3.0]), Duck([4.0])]
    assert penalty.value(w) == 0.25 * (4 + 16)
    assert [leaf.numbers for leaf in penalty.gradient(w)] == [[1.0, 0.0], [2.0]]
    new = penalty.update(w, [Duck([1.0, 1.0]), Duck([0.0])], 0.5)
    assert [leaf.numbers for leaf in new] == [[1.0, 2.5], [3.0]]
    assert w[0].numbers == [2.0, 3.0]
    assert L2(math.inf, [Duck([0.0, 1.0]), 0]).value([Duck([5.0, 0.0]), Duck([1.0])]) == 0


def test_duck_notices_a_numpy_call():
    with pytest.raises(AssertionError, match="NumPy was called"):
        np.asarray(Duck([1.0]))
    with pytest.raises(TypeError):
        np.ones(1) * Duck([1.0]) @ 2


def test_foreign_factors_are_checked_too():
    with pytest.raises(InputError, match=r"penalty_factor\[1\] holds -2; it needs a finite number >= 0"):
        L2(1.0, penalty_factor=[1.0, Duck([1.0, -2.0])])
    with pytest.raises(InputError, match="give a Duck, the kind of array that holds the weights"):
        L2(1.0, penalty_factor=np.ones(2)).gradient(Duck([1.0, 1.0]))
