"""Bands, intervals and the optimism of a minimum, on curves whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from eigenshrink.risk.uncertainty import equivalent, optimism_of_minimum, paired
from oracles import make

SPAN = (-10.0, 10.0)
A = np.exp(np.linspace(-6, 6, 7))[:, None]


def parabolas(centres, counts=None, cut=3):
    """Units whose parts are ``(log α − centre)²``, each a finite valley; in blocks of ``cut`` units."""
    centres = np.asarray(centres, dtype=float)

    def part(alphas, some):
        with np.errstate(divide="ignore"):
            place = np.clip(np.log(alphas), -20, 20)
        return (place - some[:, None]) ** 2 / len(centres)

    def units(reference, alphas):
        for start in range(0, len(centres), cut):
            some = slice(start, start + cut)
            copies = None if counts is None else counts[some]
            scale = 1.0 if counts is None else counts[some, None]
            first = scale * part(reference, centres[some])
            yield copies, first, (scale * part(row, centres[some]) for row in alphas)

    return units


def brute(centres, best, counts=None):
    """Every copy written out."""
    centres = np.repeat(centres, 1 if counts is None else counts.astype(int))
    d = (np.log(A) - centres) ** 2 - (np.log(best) - centres) ** 2
    return d, len(centres)


@pytest.mark.parametrize("counts", [None, np.array([1.0, 3.0, 2.0, 1.0, 5.0])])
def test_paired_errors_are_those_of_the_differences(counts):
    centres, best = np.array([-1.0, 0.0, 0.5, 2.0, 3.5]), np.exp(1.0)
    d, n = brute(centres, best, counts)
    rise, error = paired(parabolas(centres, counts), np.array([best]), A)
    assert_allclose(rise[:, 0], d.sum(axis=1) / 5, rtol=1e-12)
    assert_allclose(error[:, 0], np.sqrt(n) * d.std(axis=1, ddof=1) / 5, rtol=1e-12)


def test_what_all_units_share_cancels():
    """The spread of the units is huge, that of their differences nil."""
    rise, error = paired(parabolas([1.0] * 6), np.array([np.e]), A)
    assert np.all(rise[A[:, 0] != np.e] > 0)
    assert_allclose(error, 0.0, atol=1e-6)


@pytest.mark.parametrize(("low", "high"), [(-3.0, 4.0), (-0.01, 0.02), (-3.0, np.inf), (-np.inf, 2.0)])
def test_ends_are_where_the_excess_changes_sign(low, high):
    def excess(alphas):
        with np.errstate(divide="ignore", invalid="ignore"):
            place = np.log(alphas)
        return np.where((place >= low) & (place <= high), -1.0, 1.0)

    found = equivalent(excess, SPAN, np.array([1.0]))
    wanted = np.exp([[low, high]])
    assert_allclose(found, wanted, rtol=0.003)
    assert found[0, 0] >= wanted[0, 0] * (1 - 1e-12)


def test_a_second_valley_belongs_to_the_interval():
    def excess(alphas):
        place = np.log(np.clip(alphas, 1e-30, 1e30))
        return np.minimum(np.abs(place), np.abs(place - 5.0)) - 0.5

    assert_allclose(np.log(equivalent(excess, SPAN, np.array([1.0]))), [[-0.5, 5.5]], atol=0.003)


def test_each_target_has_its_own_ends():
    def excess(alphas):
        place = np.log(np.clip(alphas, 1e-30, 1e30))
        return np.abs(place - np.array([0.0, 3.0])) - np.array([1.0, 0.2])

    found = np.log(equivalent(excess, SPAN, np.exp([0.0, 3.0])))
    assert_allclose(found, [[-1.0, 1.0], [2.8, 3.2]], atol=0.003)


def test_a_curve_that_does_not_move_tells_nothing_apart():
    assert_allclose(equivalent(lambda a: a, None, np.zeros(2)), [[0, np.inf], [0, np.inf]])


def test_the_optimism_of_a_minimum_is_what_redrawn_centres_say():
    """Of a parabola around the mean of the centres: twice the variance of that mean."""
    centres = 8 * np.random.default_rng(3).normal(size=400)
    best = np.exp(centres.mean())
    rng = np.random.default_rng(0)
    found = optimism_of_minimum(parabolas(centres, cut=50), np.array([best]), SPAN, rng)
    assert_allclose(found, 2 * centres.var() / 400, rtol=0.25)
    assert optimism_of_minimum(parabolas([1.0] * 9), np.array([np.e]), SPAN, rng)[0] == 0.0


def test_the_estimate_is_corrected_upwards():
    choice = make(3, 25, 5).study(criterion="loo").choice
    value = choice.curve.minimum.value
    assert choice.optimism > 0
    assert choice.corrected == pytest.approx(value + choice.optimism)


def test_one_strength_for_all_targets_has_one_interval():
    study = make(3, 25, 5, t=3).study(criterion="loo", per_target=False)
    assert np.asarray(study.choice.interval).shape == (3, 2)
    assert np.all(np.asarray(study.choice.interval) == study.choice.interval[0])
    low, high = study.choice.interval[0]
    assert low <= study.alpha[0] <= high


def test_the_band_of_the_sum_over_targets_adds_up_rows_not_targets():
    problem = make(3, 25, 5, t=1)
    twice = problem.with_(y=np.hstack([problem.y, problem.y]))
    one, both = problem.study().risk["loo"].pooled, twice.study().risk["loo"].pooled
    assert_allclose(both.standard_error([0.1, 3.0]), 2 * one.standard_error([0.1, 3.0]), rtol=1e-6)
