"""maths.js on the same numbers as Python: the browser shows what the library computes (M1-M10, M14)."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest
from scipy.interpolate import CubicHermiteSpline, PchipInterpolator

import eigenshrink as es
from oracles import CASES, STRENGTHS, make

MATHS = files("eigenshrink.browser") / "maths.js"
CALL = """(calls) => {
  const plain = (value) => ArrayBuffer.isView(value) ? Array.from(value)
    : value !== null && typeof value === "object" && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)])) : value;
  return calls.map(([name, ...args]) => plain(shrink[name](...args)));
}"""
CRITERIA = {"train": "trainLoss", "gcv": "gcv", "cp": "cp", "evidence": "evidence"}


@pytest.fixture(scope="module")
def shrink(chromium):
    """``shrink([name, *arguments], ...)`` calls functions of maths.js, all in one go."""
    page = chromium.new_page()
    page.add_script_tag(path=str(MATHS))
    return lambda *calls: page.evaluate(CALL, [[_plain(part) for part in call] for call in calls])


def _plain(value):
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def signal(path, target):
    spectrum, sample = path.spectrum, path.sample
    return {
        "eigenvalues": spectrum.eigenvalues,
        "squares": spectrum.squares[:, target],
        "outside": spectrum.outside[target],
        "weightSum": sample.weight_sum,
        "observations": sample.observations,
        "freeRank": spectrum.free.rank,
    }


# --- one study ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_weights_of_a_study_at_every_strength(shrink, case):
    study = make(3, **CASES[case]).study()
    path, fit, values = study.path, study.path.fit, study.path.spectrum.eigenvalues
    numerators, free = path.spectrum.numerators.T, path.spectrum.free
    basis = path.spectrum.basis * fit.scale[:, None]
    onto = free.onto @ np.eye(len(fit.penalised))
    for target, numerator in enumerate(numerators):
        coords = np.array(shrink(*(["coordinates", values, numerator, a] for a in STRENGTHS)))
        penalised = np.array(shrink(*(["back", basis, each] for each in coords)))
        weights = np.zeros((len(STRENGTHS), len(fit.penalty_factor)))
        weights[:, fit.penalised] = penalised
        if len(fit.free):
            offset = free.offset[:, target]
            weights[:, fit.free] = shrink(*(["freeWeights", offset, onto, each] for each in penalised))
        expected = path.weights(STRENGTHS).reshape(len(STRENGTHS), len(numerators), -1)[:, target]
        np.testing.assert_allclose(weights, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())
        level = np.atleast_1d(path.sample.target_mean)[target]
        found = shrink(*(["intercept", level, path.sample.column_mean, each] for each in weights))
        held = np.reshape(study.intercept(STRENGTHS), (len(STRENGTHS), -1))[:, target]
        np.testing.assert_allclose(found, held, rtol=1e-10, atol=1e-10)
        sizes = np.reshape(path.norm(STRENGTHS), (len(STRENGTHS), -1))[:, target]
        np.testing.assert_allclose(shrink(*(["norm", each] for each in coords)), sizes, rtol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_shares_and_effective_parameters(shrink, case):
    path = make(3, **CASES[case]).study().path
    values, rank = path.spectrum.eigenvalues, path.spectrum.free.rank
    found = shrink(*(["factors", values, a] for a in STRENGTHS))
    np.testing.assert_allclose(found, path.shrinkage(STRENGTHS), rtol=1e-15)
    used = shrink(*(["effectiveParameters", values, a, rank] for a in STRENGTHS))
    np.testing.assert_allclose(used, path.effective_parameters(STRENGTHS), rtol=1e-14)
    alone = shrink(*(["effectiveParameters", values, a] for a in STRENGTHS))
    np.testing.assert_allclose(alone, path.effective_parameters(STRENGTHS, penalised_only=True), rtol=1e-14)


@pytest.mark.parametrize("case", CASES)
def test_criteria_at_every_strength(shrink, case):
    study = make(3, **CASES[case]).study()
    for name in CRITERIA.keys() & study.risk.keys():
        expected = np.reshape(study.risk[name](STRENGTHS), (len(STRENGTHS), -1))
        for target, column in enumerate(expected.T):
            facts = signal(study.path, target)
            found = shrink(*([CRITERIA[name], facts, a] for a in STRENGTHS))
            np.testing.assert_allclose(found, column, rtol=1e-10, err_msg=name)


def test_cp_without_rows_to_spare_is_not_a_number(shrink):
    (found,) = shrink(["cp", signal(make(3, n=12, p=20).study().path, 0), 1.0])
    assert np.isnan(found)


def test_evidence_without_a_limit_and_with_one(shrink):
    one, other = make(3, n=25, p=5).study(), make(3, n=11, p=10).study()
    for study in (one, other):
        (found,) = shrink(["evidence", signal(study.path, 0), 0.0])
        assert found == study.risk["evidence"](0.0)
    facts = signal(one.path, 0)
    assert shrink(["evidence", facts | {"outside": 0.0}, 0.0], ["evidence", facts, 0.0, 1.0]) == [
        -np.inf,
        np.inf,
    ]


def test_evidence_of_known_dispersion_is_the_density_of_the_targets(shrink):
    problem, phi = make(5, n=14, p=4, intercept=False), 0.7
    facts = signal(problem.study().path, 0)

    def log_density(alpha):
        V = phi * (np.eye(14) + problem.X @ problem.X.T / (14 * alpha))
        return 0.5 * (problem.y @ np.linalg.solve(V, problem.y) + np.linalg.slogdet(V)[1])

    found = shrink(*(["evidence", facts, a, phi] for a in (0.02, 0.3, 8.0)))
    expected = [log_density(a) for a in (0.02, 0.3, 8.0)]
    np.testing.assert_allclose(np.diff(found), np.diff(expected), rtol=1e-10)


def test_directions_that_are_flat_or_curved_downwards(shrink):
    Q = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    path = es.quadratic([1.0, -2.0, 0.5], Q * [4.0, 0.5, 0.0] @ Q.T)
    values, numerators = np.maximum(path.spectrum.eigenvalues, 0), path.spectrum.numerators[:, 0]
    values[values < 1e-12], numerators[values < 1e-12] = 0.0, 0.0
    for alpha in (0.0, 0.3, np.inf):
        (coords,) = shrink(["coordinates", values, numerators, alpha])
        (found,) = shrink(["back", path.spectrum.basis, coords])
        np.testing.assert_allclose(found, path.weights(alpha), rtol=1e-12, atol=1e-12)
    assert shrink(["factors", [2.0, 0.0, -1.0], 0.0])[0][:2] == [1.0, 0.0]
    assert np.isnan(shrink(["factors", [2.0, 0.0, -1.0], 0.5])[0][2])


def test_norm_does_not_overflow(shrink):
    np.testing.assert_allclose(shrink(["norm", [3e200, 4e200]])[0], 5e200, rtol=1e-15)
    assert shrink(["norm", []], ["norm", [0, 0]]) == [0, 0]


# --- the plane ----------------------------------------------------------------------------------------

VALUES, ANGLE, BEST = np.array([4.0, 0.25]), 0.6, np.array([2.0, 1.0])
Q = np.array([[np.cos(ANGLE), -np.sin(ANGLE)], [np.sin(ANGLE), np.cos(ANGLE)]])
H = Q * VALUES @ Q.T


def loss(point):
    return 0.5 * (point - BEST) @ H @ (point - BEST)


def test_the_plane_is_solved(shrink):
    np.testing.assert_allclose(shrink(["rotation", ANGLE])[0], Q, rtol=1e-15)
    for alpha in (0.0, 0.5, 20.0):
        expected = np.linalg.solve(H + alpha * np.eye(2), H @ BEST)
        np.testing.assert_allclose(shrink(["solution", VALUES, Q, BEST, alpha])[0], expected, rtol=1e-12)
    assert shrink(["solution", VALUES, Q, BEST, np.inf]) == [[0, 0]]
    assert shrink(["transpose", [[1, 2], [3, 4]]], ["times", [[1, 2], [3, 4]], [5, 6]]) == [
        [[1, 3], [2, 4]],
        [17, 39],
    ]


@pytest.mark.parametrize("alpha", [0.03, 0.5, 20.0])
def test_the_touching_pair_touches_in_one_point(shrink, alpha):
    ((found),) = shrink(["touching", VALUES, Q, BEST, alpha])
    point = np.array(found["point"])
    np.testing.assert_allclose(H @ (point - BEST) + alpha * point, 0, atol=1e-13)
    ring, disc = shrink(
        ["ellipse", BEST, VALUES, Q, found["ellipse"], 3600], ["circle", found["circle"], 3600]
    )
    np.testing.assert_allclose([loss(each) for each in np.array(ring)], loss(point), rtol=1e-12)
    np.testing.assert_allclose(np.hypot(*np.array(disc).T), np.hypot(*point), rtol=1e-14)
    assert np.hypot(*np.array(ring).T).min() >= np.hypot(*point) * (1 - 1e-12)  # outside of the circle
    assert ring[0] == ring[-1]
    assert len(ring) == 3601


def test_an_ellipse_along_a_flat_axis_is_cut(shrink):
    ring, point = shrink(
        ["ellipse", [0, 0], [1.0, 0.0], [[1, 0], [0, 1]], 2.0, 8, 50.0],
        ["ellipse", [1, 2], [1.0, 0.0], [[1, 0], [0, 1]], 0.0, 8, 50.0],
    )
    np.testing.assert_allclose(np.abs(ring).max(axis=0), [2.0, 50.0])
    np.testing.assert_allclose(point, [[1, 2]] * 9)


@pytest.mark.parametrize("alpha", [0.0, 0.5, np.inf])
def test_whole_steps_are_those_of_the_path(shrink, alpha):
    study = make(8, n=20, p=2).study()
    steps, path = study.path.three_steps(alpha), study.path
    sign = np.array([1.0, np.sign(np.linalg.det(path.spectrum.basis))])
    frame = path.spectrum.basis * sign
    told = [path.spectrum.eigenvalues, frame, steps.start, alpha]
    at = [np.array(found["point"]) for found in shrink(*(["threeSteps", *told, t] for t in (0, 1, 2, 3)))]
    expected = [steps.start, sign * steps.rotated, sign * steps.scaled, steps.back]
    np.testing.assert_allclose(at, expected, rtol=1e-12, atol=1e-12 * np.abs(steps.start).max())
    beyond = shrink(["threeSteps", *told, -1], ["threeSteps", *told, 9])
    np.testing.assert_allclose([beyond[0]["point"], beyond[1]["point"]], [at[0], at[3]])


def turn(angle):
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def test_between_steps_angle_and_factors_move_evenly(shrink):
    alpha, keep = 0.5, VALUES / (VALUES + 0.5)
    times = (0.25, 1.5, 2.75)
    first, second, third = shrink(*(["threeSteps", VALUES, Q, BEST, alpha, t] for t in times))
    along = Q.T @ BEST
    halfway = 0.5 * (1 + keep)
    np.testing.assert_allclose(first["point"], turn(-0.25 * ANGLE) @ BEST, rtol=1e-13)
    np.testing.assert_allclose(second["point"], halfway * along, rtol=1e-13)
    np.testing.assert_allclose(third["point"], turn(0.75 * ANGLE) @ (keep * along), rtol=1e-13)
    np.testing.assert_allclose(first["axes"], turn(0.75 * ANGLE), rtol=1e-13)
    np.testing.assert_allclose(second["axes"], np.eye(2), atol=1e-15)
    np.testing.assert_allclose(third["centre"], turn(0.75 * ANGLE) @ along, rtol=1e-13)
    np.testing.assert_allclose(second["factors"], halfway, rtol=1e-13)
    assert [found["step"] for found in (first, second, third)] == [1, 2, 3]
    assert np.isclose(first["angle"], -0.25 * ANGLE)


def test_easing_keeps_whole_times_and_never_turns_round(shrink):
    times = np.linspace(0, 3, 61)
    eased = shrink(*(["ease", t] for t in times))
    np.testing.assert_allclose(np.array(eased)[::20], [0, 1, 2, 3], atol=1e-15)
    assert np.all(np.diff(eased) > 0)


@pytest.mark.parametrize("penalty_factor", [None, np.array([0.0, 2.0])])
def test_the_update_is_that_of_the_library(shrink, penalty_factor):
    weights, price = np.array([3.0, -1.0]), es.L2(0.5, penalty_factor)
    for _ in range(3):
        (slope,) = shrink(["gradient", VALUES, Q, BEST, weights])
        np.testing.assert_allclose(slope, H @ (weights - BEST), rtol=1e-12)
        (found,) = shrink(["updateStep", weights, slope, 0.5, 0.1, penalty_factor])
        weights = price.update(weights, np.array(slope), 0.1)
        np.testing.assert_allclose(found, weights, rtol=1e-13)


def test_an_infinite_strength_leaves_weights_alone_that_are_zero_or_free(shrink):
    (found,) = shrink(["updateStep", [0, 2, 2], [1, 1, 1], np.inf, 0.5, [1, 0, 1]])
    assert found == [-0.5, 1.5, -np.inf]


# --- tables -------------------------------------------------------------------------------------------

GRID = np.array([-3.0, -2.5, -1.0, 0.0, 0.5, 2.0, 4.0])
TABLE = np.array([5.0, 4.0, 4.0, 1.0, 3.0, 3.5, -2.0])


def test_interpolation_is_the_monotone_cubic(shrink):
    places = np.linspace(-3, 4, 201)
    found = shrink(*(["interpolate", GRID, TABLE, at] for at in places))
    np.testing.assert_allclose(found, PchipInterpolator(GRID, TABLE)(places), rtol=1e-12, atol=1e-13)
    curved = np.array([0.0, 3.0, 2.9, 2.8, 0.5, 0.6, 9.0])  # ends that would overshoot
    found = shrink(*(["interpolate", GRID, curved, at] for at in places))
    np.testing.assert_allclose(found, PchipInterpolator(GRID, curved)(places), rtol=1e-12, atol=1e-13)


def test_interpolation_with_slopes_is_exact_for_cubics(shrink):
    slopes, places = np.cos(TABLE), np.linspace(-3, 4, 50)
    found = shrink(*(["interpolate", GRID, TABLE, at, slopes] for at in places))
    np.testing.assert_allclose(found, CubicHermiteSpline(GRID, TABLE, slopes)(places), rtol=1e-12)


def test_gaps_are_kept_and_not_bridged(shrink):
    table = [5.0, 4.0, None, 1.0, 3.0, np.nan, 7.0]
    places = [-3.0, -2.75, -2.5, -2.4, -1.0, -0.1, 0.0, 0.25, 0.5, 0.6, 2.0, 3.9, 4.0]
    found = np.array(shrink(*(["interpolate", GRID, table, at] for at in places)))
    nan = np.nan
    expected = [5.0, 4.5, 4.0, nan, nan, nan, 1.0, 2.0, 3.0, nan, nan, nan, 7.0]
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_beyond_the_table_nothing_is_known_but_rounding_is_forgiven(shrink):
    ask = (-3.1, -3.0 - 1e-12, 4.0 + 1e-12, 4.1)
    found = shrink(*(["interpolate", GRID, TABLE, at] for at in ask))
    np.testing.assert_array_equal(found, [np.nan, 5.0, -2.0, np.nan])
    assert shrink(["interpolate", [1.0], [2.0], 1.0], ["interpolate", [0.0, 1.0], [2.0, 4.0], 0.25]) == [
        2.0,
        2.5,
    ]
