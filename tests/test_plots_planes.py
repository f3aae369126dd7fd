"""The two pictures of a plane: where ellipses touch circles, and the three steps (M7, M10)."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from eigenshrink.errors import InputError
from eigenshrink.plots import FIGURES
from eigenshrink.plots.plane import plane_of
from eigenshrink.plots.reading import seen
from figure_studies import arrow, diabetes, line, lines, point
from figure_studies import study as figure_study

# --- contour ------------------------------------------------------------------------------------------


def touching(ax):
    """Distance of w̃ to the touching ellipse in steps of its line, and cosine between tangent and w̃."""
    ring, solution = line(ax, "loss-touching").get_xydata(), point(ax, "solution")
    nearest = int(np.argmin(np.hypot(*(ring - solution).T)))
    here, after, before = (ring[(nearest + step) % (len(ring) - 1)] for step in (0, 1, -1))
    tangent = after - before
    cosine = abs(tangent @ solution) / np.linalg.norm(tangent) / np.linalg.norm(solution)
    return np.hypot(*(here - solution)) / np.hypot(*tangent), cosine


CONTOURS = [
    ("polynomial", {}),
    ("polynomial", {"columns": ("bmi", "s5")}),
    ("polynomial", {"directions": (3, 30)}),
    ("ten columns", {"alpha": 1e-3, "columns": (2, 8)}),
    ("several targets", {}),
    ("free columns", {}),
    ("two columns", {}),
    ("alpha infinite", {"alpha": 0.1}),
]


@pytest.mark.parametrize(("kind", "options"), CONTOURS)
def test_ellipse_and_circle_touch_in_the_solution(kind, options):
    ax = FIGURES["contour"](figure_study(kind), **options)
    distance, cosine = touching(ax)
    assert distance < 1.0  # within one step of the drawn ellipse
    assert cosine < 0.02
    radius = np.hypot(*line(ax, "penalty-touching").get_xydata().T)
    np.testing.assert_allclose(radius, np.hypot(*point(ax, "solution")), rtol=1e-12)


def test_touching_sees_a_solution_that_is_elsewhere():
    ax = FIGURES["contour"](figure_study("polynomial"))
    solution = line(ax, "solution")
    solution.set_data([1.2 * solution.get_xdata()[0]], solution.get_ydata())
    distance, cosine = touching(ax)
    assert distance > 1.0 or cosine > 0.02


def test_rings_are_lines_of_equal_loss():
    """Oracle: residuals on the rows, everything outside the plane at w*."""
    _, P, y, *_ = diabetes()
    study, pair = figure_study("polynomial"), [4, 20]
    plane = plane_of(seen(study, study.alpha), 0, study.alpha, None, pair)
    signs = np.sign(plane.coordinates * study.spectrum.coordinates[pair])
    frame = (study.spectrum.basis[:, pair] * signs) @ plane.rotation.T
    sd = P.std(axis=0)
    best = np.asarray(study.coef(0.0)) * sd
    ax = FIGURES["contour"](study, directions=pair)
    losses = []
    for ring in lines(ax, "loss") + lines(ax, "loss-touching"):
        v = best + (ring.get_xydata()[::90] - plane.centre) @ frame.T
        fitted = (P - P.mean(axis=0)) @ (v / sd).T
        residuals = (y - y.mean())[:, None] - fitted
        losses.append(0.5 * (residuals**2).mean(axis=0))
        np.testing.assert_allclose(losses[-1], losses[-1][0], rtol=1e-9)
    levels = np.sort([loss[0] for loss in losses])
    assert np.all(np.diff(levels) > 0)


def test_two_columns_with_the_others_held_is_the_slice_of_the_loss():
    X, _, y, *_ = diabetes()
    study, alpha, places = figure_study("ten columns"), 1e-3, [2, 8]
    ax = FIGURES["contour"](study, alpha=alpha, columns=places)
    held = study.coef(alpha)
    np.testing.assert_allclose(point(ax, "solution"), held[places], rtol=1e-9)
    for ring in (*lines(ax, "loss")[:2], line(ax, "loss-touching")):
        w = np.tile(held, (9, 1))
        w[:, places] = ring.get_xydata()[::90]
        residuals = (y - y.mean()) - w @ (X - X.mean(axis=0)).T
        loss = 0.5 * (residuals**2).mean(axis=1)
        np.testing.assert_allclose(loss, loss[0], rtol=1e-9)
    assert "weight of bmi" in ax.get_xlabel()
    shadow = line(ax, "shadow").get_xydata()
    np.testing.assert_allclose(shadow[0], study.coef(0.0)[places])
    np.testing.assert_allclose(shadow[-1], 0.0, atol=1e-12)


def test_two_columns_are_their_own_plane():
    study = figure_study("two columns")
    ax = FIGURES["contour"](study)
    found, held = point(ax, "solution"), np.asarray(study.coef())
    assert {ax.get_xlabel(), ax.get_ylabel()} == {"weight of bmi", "weight of s5"}
    held = held if "bmi" in ax.get_xlabel() else held[::-1]
    np.testing.assert_allclose(found, held, rtol=1e-9)
    np.testing.assert_allclose(line(ax, "path").get_xydata()[[0, -1]], [point(ax, "minimiser"), [0, 0]])


def test_path_is_that_of_the_study():
    study, pair = figure_study("polynomial"), [2, 40]
    plane = plane_of(seen(study, study.alpha), 0, study.alpha, None, pair)
    drawn = line(FIGURES["contour"](study, directions=pair), "path").get_xydata()
    kept = study.path.shrinkage(plane.strengths())[:, pair]
    np.testing.assert_allclose(drawn, (kept * plane.coordinates) @ plane.rotation.T, atol=1e-12)


@pytest.mark.parametrize("pair", [[0, 1], [1, 4], [2, 5], [4, 20], [10, 60]])
def test_axes_lie_as_near_to_their_columns_as_they_can(pair):
    """The part of the frame on its two columns is symmetric and positive: no turn brings it nearer."""
    study = figure_study("polynomial")
    plane = plane_of(seen(study, study.alpha), 0, study.alpha, None, pair)
    signs = np.sign(plane.coordinates * study.spectrum.coordinates[pair])
    frame = (study.spectrum.basis[:, pair] * signs) @ plane.rotation.T
    names = [axis.removeprefix("axis of the plane ").removeprefix("nearest to ") for axis in plane.axes]
    near = frame[[study.feature_names.index(name) for name in names]]
    np.testing.assert_allclose(near, near.T, atol=1e-12)
    assert np.linalg.eigvalsh(near).min() > 0
    assert plane.rotation[0, 0] >= np.sqrt(0.5) - 1e-12  # the directions are a turn of at most 45° away


def test_second_target_has_its_own_picture():
    study = figure_study("several targets")
    first, third = (FIGURES["contour"](study, directions=(0, 5), target=t, alpha=0.1) for t in (0, 2))
    assert not np.allclose(point(first, "minimiser"), point(third, "minimiser"))
    assert third.get_title(loc="left").startswith("y2: ")


def test_one_direction_is_drawn_as_parabolas():
    study = figure_study("one column")
    ax = FIGURES["contour"](study)
    v, total = line(ax, "objective").get_data()
    here = point(ax, "solution")
    np.testing.assert_allclose(here[0], study.coef()[0], rtol=1e-9)
    assert here[1] <= total.min()
    np.testing.assert_allclose(v[total.argmin()], here[0], atol=np.diff(v)[0])


def test_aspect_is_equal():
    assert FIGURES["contour"](figure_study("polynomial")).get_aspect() == 1.0


# --- three steps --------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{"directions": (3, 30)}, {"columns": ("bmi", "s5")}])
def test_steps_rotate_scale_and_rotate_back(options):
    study = figure_study("polynomial")
    first, second, third = FIGURES["three_steps"](study, **options)
    plane = plane_of(
        seen(study, study.alpha), 0, study.alpha, options.get("columns"), options.get("directions")
    )
    Q, kept = plane.rotation, plane.shrinkage(study.alpha)
    np.testing.assert_allclose(Q.T @ Q, np.eye(2), atol=1e-12)
    assert np.linalg.det(Q) == pytest.approx(1.0)
    np.testing.assert_allclose(arrow(first, "rotated"), Q.T @ arrow(first, "start"))
    np.testing.assert_allclose(arrow(second, "scaled"), kept * arrow(second, "rotated"))
    np.testing.assert_allclose(arrow(third, "back"), Q @ arrow(third, "scaled"))


def test_arcs_lead_from_one_arrow_to_the_next():
    first, _, third = FIGURES["three_steps"](figure_study("polynomial"))
    ends = line(first, "arc").get_xydata()[[0, -1]]
    np.testing.assert_allclose(ends, [arrow(first, "start"), arrow(first, "rotated")])
    ends = line(third, "arc").get_xydata()[[0, -1]]
    np.testing.assert_allclose(ends, [arrow(third, "scaled"), arrow(third, "back")])


def test_steps_are_those_of_the_path():
    study, pair = figure_study("polynomial"), [3, 30]
    _, second, _ = FIGURES["three_steps"](study, directions=pair)
    steps = study.path.three_steps(study.alpha)
    np.testing.assert_allclose(np.abs(arrow(second, "rotated")), np.abs(steps.rotated[pair]))
    np.testing.assert_allclose(np.abs(arrow(second, "scaled")), np.abs(steps.scaled[pair]))


def test_steps_end_where_the_contour_picture_does():
    study = figure_study("polynomial")
    _, _, third = FIGURES["three_steps"](study)
    np.testing.assert_allclose(arrow(third, "back"), point(FIGURES["contour"](study), "solution"))


def test_steps_fit_into_given_axes():
    made = Figure().subplots(1, 3)
    assert FIGURES["three_steps"](figure_study("ten columns"), made) == tuple(made)
    single = Figure().subplots()
    panels = FIGURES["three_steps"](figure_study("ten columns"), single)
    assert list(panels) == single.child_axes
    with pytest.raises(InputError, match="needs three of them"):
        FIGURES["three_steps"](figure_study("ten columns"), Figure().subplots(1, 2))
