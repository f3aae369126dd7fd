"""How sure a curve is of its minimum: paired differences, intervals, and the strongest equivalent (M15)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import eigenshrink as es
from criteria_oracles import GRID, Asked, ask, contributions, observations, paired_error
from oracles import CASES, Problem, make, reml

WIDTH, DROP = 1.96, 1.92
AROUND = np.array([1e-3, 0.2, 0.8, 3.0, 50.0])
UNSURE = ("gcv", "cp", "train", "optimism")
BOUNDED = [case for case in CASES if case != "wide, frequency, factors"]  # likelihoods with a limit


TALL, WIDE = {"n": 24, "p": 5, "noise": 2.0}, {"n": 14, "p": 20, "noise": 2.0}
ASKED = [
    ("loo", TALL),
    ("loo", TALL | {"weights": "precision", "t": 2}),
    ("loo", WIDE | {"weights": "precision"}),
    ("loo of copies", TALL | {"weights": "frequency"}),
    ("loo of copies", WIDE | {"weights": "frequency", "t": 2}),
    ("leave_group_out", TALL | {"weights": "precision", "t": 2}),
    ("leave_group_out", WIDE),
    ("leave_group_out", TALL | {"weights": "frequency"}),
    ("kfold", TALL),
    ("kfold", WIDE | {"weights": "precision", "t": 2}),
    ("kfold of groups", TALL | {"weights": "precision"}),
    ("kfold of groups", WIDE | {"t": 2}),
    ("validation", TALL | {"t": 2}),
    ("validation", WIDE | {"weights": "precision"}),
]
NAMES = [f"{name}, {' '.join(str(part) for part in made.values())}" for name, made in ASKED]


@pytest.fixture(params=ASKED, ids=NAMES)
def asked(request) -> Asked:
    name, made = request.param
    return ask(name, **made)


# --- the standard error -------------------------------------------------------------------------------


def test_it_is_that_of_paired_differences_of_units(asked):
    study = asked.study()
    curve = study.risk[asked.name]
    best = np.atleast_1d(curve.minimum.alpha)
    inner = best[(best > 0) & np.isfinite(best)]
    alphas = np.array([0.0, *np.outer(inner[:1], AROUND).ravel(), *AROUND, np.inf])
    expected = np.array([asked.band(study, alpha)[0] for alpha in alphas])
    found = np.asarray(curve.standard_error(alphas)).reshape(expected.shape)
    assert_allclose(found, expected, rtol=1e-7, atol=1e-12 * np.max(curve.minimum.value))


def test_most_optima_that_are_looked_at_lie_inside():
    optima = [np.atleast_1d(a.study().risk[a.name].minimum.alpha) for a in (ask(n, **m) for n, m in ASKED)]
    inside = np.concatenate([(found > 0) & np.isfinite(found) for found in optima])
    assert inside.mean() > 0.7


def test_it_is_zero_at_the_optimum(asked):
    curve = asked.study().risk[asked.name]
    best, value = np.atleast_1d(curve.minimum.alpha), np.max(curve.minimum.value)
    for j, alpha in enumerate(best):
        assert np.atleast_1d(curve.standard_error(alpha))[j] <= 1e-9 * value


def test_it_is_shaped_as_the_value(asked):
    study = asked.study()
    curve = study.risk[asked.name]
    for alpha in (None, 0.1, 0.0, np.inf, [0.1], [0.1, 1.0, np.inf]):
        assert np.shape(curve.standard_error(alpha)) == np.shape(curve(alpha))
    chosen = np.atleast_1d(study.alpha)
    expected = [np.atleast_1d(curve.standard_error(alpha))[j] for j, alpha in enumerate(chosen)]
    scale = np.max(curve.minimum.value)
    assert_allclose(np.atleast_1d(curve.standard_error()), expected, rtol=1e-9, atol=1e-12 * scale)


def test_it_is_the_difference_and_not_the_level_that_is_uncertain():
    """What all strengths share cancels: close to the optimum the band is far below the spread of errors."""
    asked = ask("loo", **TALL)
    study = asked.study()
    best = study.risk["loo"].minimum.alpha
    spread = paired_error(asked.parts(study, best))[0]
    assert 0 < study.risk["loo"].standard_error(1.5 * best) < 0.1 * spread


def test_an_optimum_at_a_limit():
    """No signal: the paired differences are to α = ∞."""
    rng = np.random.default_rng(0)
    Q = np.linalg.qr(rng.normal(size=(20, 5)) - rng.normal(size=(20, 5)).mean(axis=0))[0]
    Q = np.linalg.qr(np.column_stack([np.ones(20), Q]))[0][:, 1:]
    problem = Problem(Q[:, :4], Q[:, 4] + 3.0)
    study = problem.study(criterion="loo")
    assert study.choice.boundary == "infinite"
    one = np.arange(20)
    for alpha in (0.0, 0.01, 3.0):
        apart = contributions(problem, alpha, one, one) - contributions(problem, np.inf, one, one)
        assert_allclose(study.risk["loo"].standard_error(alpha), paired_error(apart)[0], rtol=1e-7)
    assert study.risk["loo"].standard_error(np.inf) == 0.0
    assert study.risk["loo"].interval[1] == np.inf


@pytest.mark.parametrize("name", [*UNSURE, "evidence"])
def test_no_units_no_standard_error(name):
    study = make(3, 25, 5, t=2).study()
    assert study.risk[name].standard_error([0.1, 1.0]) is None
    assert study.risk[name].standard_error() is None


@pytest.mark.parametrize("bad", [-1.0, np.nan, [0.1, -2.0]])
def test_bad_strengths_are_refused(bad):
    with pytest.raises(es.InputError, match="alpha"):
        make(3, 25, 5).study().risk["loo"].standard_error(bad)


# --- the interval -------------------------------------------------------------------------------------


def assert_ends(low: float, high: float, excess: Callable[[float], float]) -> None:
    """Inside at both ends and outside just beyond them; 0 and ∞ are inside themselves."""
    beyond = 1.01
    assert excess(low * beyond) <= 0 if 0 < low < np.inf else excess(low) <= 0
    assert excess(high / beyond) <= 0 if 0 < high < np.inf else excess(high) <= 0
    assert low == 0.0 or excess(low / beyond) > 0
    assert high == np.inf or excess(high * beyond) > 0


def test_its_ends_are_where_the_difference_leaves_the_band(asked):
    study = asked.study()
    curve = study.risk[asked.name]
    ends, best = np.reshape(curve.interval, (-1, 2)), np.atleast_1d(curve.minimum.alpha)
    for j, (low, high) in enumerate(ends):
        assert low <= best[j] <= high

        def excess(alpha: float, j: int = j) -> float:
            error, difference = asked.band(study, alpha)
            return difference[j] - WIDTH * error[j]

        assert_ends(low, high, excess)


@pytest.mark.parametrize(
    ("name", "case"),
    [(name, case) for name in ("loo", "kfold") for case in CASES] + [("evidence", case) for case in BOUNDED],
)
def test_every_strength_that_cannot_be_told_from_the_best_is_inside(name, case):
    study = make(3, **CASES[case]).study(criterion="evidence")
    curve, grid = study.risk[name], GRID
    value = curve(grid).reshape(len(grid), -1) - np.atleast_1d(curve.minimum.value)
    if name == "evidence":
        within = value <= DROP - 1e-6
    else:
        error = curve.standard_error(grid).reshape(value.shape)
        within = value <= WIDTH * error * (1 - 1e-6)
    ends = np.reshape(curve.interval, (-1, 2))
    for j, (low, high) in enumerate(ends):
        inside = grid[within[:, j]]
        assert len(inside) > 0
        assert low <= inside.min() * 1.01
        assert high >= inside.max() / 1.01


@pytest.mark.parametrize("case", [case for case in BOUNDED if case != "all free"])
def test_the_evidence_drops_by_two_at_its_ends(case):
    """A likelihood ratio: 1.92 is half the 95 % quantile of χ² with one degree of freedom."""
    problem = make(3, **CASES[case])
    curve = problem.study(criterion="evidence").risk["evidence"]
    assert np.shape(curve.interval) == ((2,) if problem.y.ndim == 1 else (problem.y.shape[1], 2))
    best = np.atleast_1d(curve.minimum.alpha)
    for j, (low, high) in enumerate(np.reshape(curve.interval, (-1, 2))):
        assert low <= best[j] <= high
        lowest = np.atleast_1d(curve.minimum.value)[j]

        def excess(alpha: float, j: int = j, lowest: float = lowest) -> float:
            place = np.clip(alpha, 1e-8, 1e8)  # the oracle's covariance has no limits
            return reml(problem, place)[j] - lowest - DROP

        assert_ends(low, high, excess)


def test_a_likelihood_without_bound_is_sure():
    """Copies fitted exactly: −∞ at α = 0, and any other strength is infinitely worse."""
    curve = make(3, **CASES["wide, frequency, factors"]).study(criterion="evidence").risk["evidence"]
    assert curve.minimum.value == -np.inf
    assert curve.interval == (0.0, 0.0)


def test_the_evidence_is_surer_with_more_directions():
    ends = [make(3, 100, p, noise=2.0).study().risk["evidence"].interval for p in (3, 30)]
    few, many = (np.log(high / low) for low, high in ends)
    assert np.isfinite(few)
    assert few > 1.5 * many


@pytest.mark.parametrize("name", UNSURE)
def test_no_interval_where_nothing_is_known_of_the_spread(name):
    assert make(3, 25, 5).study().risk[name].interval is None


@pytest.mark.parametrize("t", [None, 3])
def test_shapes_of_intervals(t):
    problem = make(3, 24, 5, t=t)
    groups = np.arange(24) // 2
    study = problem.study(groups=groups, validation=(problem.X, problem.y), criterion="evidence")
    for name in ("loo", "leave_group_out", "kfold", "validation", "evidence"):
        interval = study.risk[name].interval
        assert np.shape(interval) == ((2,) if t is None else (3, 2))
        if t is None:
            assert isinstance(interval, tuple)
            assert all(type(end) is float for end in interval)


def test_the_choice_carries_the_interval_of_its_criterion():
    for t in (None, 3):
        for name in ("loo", "kfold", "evidence"):
            study = make(3, 25, 5, t=t).study(criterion=name)
            assert_array_equal(study.choice.interval, study.risk[name].interval)
    assert make(3, 25, 5).study(criterion="gcv").choice.interval is None


@pytest.mark.parametrize("name", ["loo", "kfold", "evidence"])
def test_nothing_to_tell_apart_without_penalised_columns(name):
    curve = make(3, 15, 3, free=3).study(criterion="evidence").risk[name]
    assert curve.interval == (0.0, np.inf)
    if name != "evidence":
        assert_array_equal(curve.standard_error([0.1, 10.0]), 0.0)


# --- select -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("t", [None, 3])
@pytest.mark.parametrize("name", ["loo", "leave_group_out", "kfold", "validation", "evidence"])
def test_the_strongest_equivalent_is_the_upper_end(name, t):
    problem = make(3, 25, 5, t=t)
    more = {
        "criterion": name,
        "groups": np.arange(25) // 2 if name == "leave_group_out" else None,
        "validation": (problem.X[:9] + 0.1, problem.y[:9]) if name == "validation" else None,
    }
    best, strongest = (problem.study(select=select, **more) for select in ("best", "strongest-equivalent"))
    upper = np.reshape(best.risk[name].interval, (-1, 2))[:, 1]
    assert_allclose(np.atleast_1d(strongest.alpha), upper, rtol=1e-9)
    assert np.all(np.atleast_1d(strongest.alpha) > np.atleast_1d(best.alpha))
    assert_allclose(
        strongest.coef(), best.coef(strongest.alpha) if t is None else best.coef(per_target=upper)
    )
    assert strongest.choice.criterion == name
    assert np.all(np.atleast_1d(strongest.effective_parameters) < np.atleast_1d(best.effective_parameters))


def test_the_strongest_equivalent_may_be_infinite():
    problem = make(3, 25, 5).with_(y=np.random.default_rng(3).normal(size=25))
    study = problem.study(criterion="loo", select="strongest-equivalent")
    assert study.risk["loo"].interval[1] == np.inf
    assert study.alpha == np.inf
    assert study.choice.boundary == "infinite"
    assert_allclose(study.coef(), 0.0)


@pytest.mark.parametrize("name", ["gcv", "cp"])
def test_where_there_is_no_interval_it_is_refused(name):
    with pytest.raises(es.InputError, match=rf"(?i)select.*{name}.*loo"):
        make(3, 25, 5).study(criterion=name, select="strongest-equivalent")


@pytest.mark.parametrize("select", ["strongest", "1se", None, True, "Best"])
def test_other_ways_to_select_are_refused(select):
    with pytest.raises(es.InputError, match=r"select must be .*best.*strongest-equivalent"):
        make(3, 25, 5).study(select=select)


@pytest.mark.parametrize("shape", [(25, 5), (12, 20)])
def test_it_is_never_the_default(shape):
    study = make(5, *shape, noise=2.0).study()
    assert study.alpha == study.risk[study.choice.criterion].minimum.alpha
    assert study.choice.interval[0] < study.alpha < study.choice.interval[1]


# --- the oracles --------------------------------------------------------------------------------------


def test_units_add_up_to_the_curve(asked):
    study = asked.study()
    total = asked.parts(study, 0.3).sum(axis=0)
    assert_allclose(np.atleast_1d(study.risk[asked.name](0.3)), total, rtol=1e-9)


def test_the_oracle_counts_units():
    """Copies are S units, groups as many as there are; and written out, the formula is a t-statistic's."""
    copies = ask("loo of copies", **TALL | {"weights": "frequency"})
    assert len(copies.parts(None, 0.1)) == observations(copies.problem) > 24
    assert len(ask("leave_group_out", **TALL).parts(None, 0.1)) == 9
    d = np.array([[1.0], [2.0], [6.0]])
    assert_allclose(paired_error(d), 3 * np.std(d, ddof=1) / np.sqrt(3))


def test_the_ends_are_looked_at_from_both_sides():
    def excess(alpha):
        return np.abs(np.log(alpha)) - 1.0

    assert_ends(np.exp(-1), np.exp(1), excess)
    for low, high in ((0.3, np.e), (1 / np.e, 2.0), (0.5, np.e), (1 / np.e, 3.0)):
        with pytest.raises(AssertionError):
            assert_ends(low, high, excess)
