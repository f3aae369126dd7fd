"""The pictures of the true error: curves, bands, shades, and what the training error lacks (M1, M14, M15)."""

from __future__ import annotations

import numpy as np
import pytest

import eigenshrink as es
from eigenshrink.plots import FIGURES
from eigenshrink.plots.saving import figure_of
from eigenshrink.plots.text import number
from eigenshrink.risk import RISKS, criterion_name
from eigenshrink.risk.curve import LOSS_UNIT
from figure_studies import KINDS, line, lines
from figure_studies import study as figure_study

WIDTH = 1.96


def sides(ax):
    """Lines by label, with their axes: left first, so that a right one of the same name wins."""
    return {
        found.get_label()[1:]: (found, axes) for axes in ax.get_figure().axes for found in axes.get_lines()
    }


def words(ax):
    return [text.get_text() for axes in ax.get_figure().axes for text in axes.texts]


def named(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def shaded(ax, kind):
    return [found for found in [*ax.collections, *ax.patches] if found.get_label() == f"_{kind}"]


def of(values, target=0):
    values = np.asarray(values)
    return values[:, target] if values.ndim > 1 else values


def edges(ax, x):
    """Lower and upper edge of the band at each of x."""
    (found,) = shaded(ax, "band")
    outline = found.get_paths()[0].vertices
    return np.array([[np.min(y), np.max(y)] for y in (outline[outline[:, 0] == at, 1] for at in x)]).T


# --- curves -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "target", "left_out"),
    [
        ("polynomial", 0, {"kfold"}),
        ("several targets", 1, {"kfold"}),
        ("groups", 0, {"kfold"}),
        ("held out", 0, {"kfold", "combined"}),
        ("by K-fold", 0, {"combined"}),
        ("two columns", 0, {"kfold", "combined"}),
        ("loaded", 0, {"kfold"}),
    ],
)
def test_curves_are_those_of_the_study(kind, target, left_out):
    study = figure_study(kind)
    ax = FIGURES["risk"](study, target=target)
    drawn = sides(ax)
    assert set(drawn) - {"minimum", "chosen"} == set(study.risk) - {"optimism", *left_out}
    for name in set(study.risk) - {"optimism", *left_out}:
        curve, (found, axes) = study.risk[name], drawn[name]
        values = of(curve(study.alphas), target)
        rise = curve.unit != LOSS_UNIT
        lowest = np.ravel(curve.minimum.value)[target] if rise else 0.0
        np.testing.assert_array_equal(found.get_xdata(), study.alphas)
        np.testing.assert_allclose(found.get_ydata(), values - lowest, rtol=1e-12, atol=1e-9)
        assert (axes is ax) == (not rise)
    assert ax.get_ylabel() == LOSS_UNIT


def test_lowest_points_are_marked_where_they_are():
    study = figure_study("polynomial")
    ax = FIGURES["risk"](study)
    marked = [found.get_xydata()[0] for axes in ax.get_figure().axes for found in lines(axes, "minimum")]
    curves = [study.risk[name] for name in ("loo", "gcv", "cp", "combined", "evidence")]
    wanted = [(c.minimum.alpha, c.minimum.value if c.unit == LOSS_UNIT else 0.0) for c in curves]
    np.testing.assert_allclose(marked, wanted, atol=1e-9)
    assert ax.get_title(loc="left").endswith("chosen by combined evidence")


@pytest.mark.parametrize(("target", "said", "edge", "marker"), [(1, "∞", 1, ">"), (2, "0", 0, "<")])
def test_limits_are_marked_at_the_edge_and_said(target, said, edge, marker):
    ax = FIGURES["risk"](figure_study("several targets"), target=target)
    assert f"leave-one-out, best at {said}" in named(ax)
    assert f"evidence (right), best at {said}" in named(ax)
    found = lines(ax, "minimum")
    assert {mark.get_marker() for mark in found} == {marker}
    assert all(mark.get_xdata()[0] == ax.get_xlim()[edge] for mark in found)


def test_a_given_strength_is_not_called_chosen():
    assert FIGURES["risk"](figure_study("two columns")).get_title(loc="left") == "α = 0.001, given"
    assert "given 0.5" in words(FIGURES["risk"](figure_study("polynomial"), alpha=0.5))


def test_what_chose_is_thick():
    def thick(kind):
        drawn = sides(FIGURES["risk"](figure_study(kind)))
        return {name for name, (found, _) in drawn.items() if name in RISKS and found.get_linewidth() > 2}

    assert thick("polynomial") == {"combined", "loo"}
    assert thick("groups") == {"combined", "leave_group_out"}
    assert thick("held out") == {"validation"}
    assert thick("by GCV") == {"gcv"}
    assert thick("by evidence") == {"evidence", "loo"}
    assert thick("two columns") == {"loo"}


def test_every_criterion_has_a_name():
    own = ("evidence", "validation", "optimism", "misclassified")
    assert all(criterion_name(key) != key for key in RISKS if key not in own)
    assert criterion_name("new_one") == "new-one"


# --- how sure -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name", "target"),
    [
        ("by leave-one-out", "loo", 0),
        ("polynomial", "loo", 0),
        ("groups", "leave_group_out", 0),
        ("held out", "validation", 0),
        ("by K-fold", "kfold", 0),
        ("several targets", "loo", 1),
        ("two columns", "loo", 0),
    ],
)
def test_band_is_the_paired_error_around_the_estimate(kind, name, target):
    study = figure_study(kind)
    ax = FIGURES["risk"](study, target=target)
    x, y = line(ax, name).get_data()
    judge = study.risk.get(study.choice.criterion, study.risk[name])
    wide = WIDTH * of(judge.standard_error(study.alphas), target)
    np.testing.assert_allclose(edges(ax, x), [y - wide, y + wide], rtol=1e-9)


def test_band_touches_the_best_error_where_the_shade_ends():
    """What the caption says: outside the shade the band lies above the error at the best strength."""
    study = figure_study("polynomial")
    ax = FIGURES["risk"](study)
    low, high = study.choice.interval
    best = study.estimate(study.choice.alpha)
    assert 0 < low < study.alpha < high < np.inf
    lower = edges(ax, study.alphas)[0]
    inside = (low <= study.alphas) & (study.alphas <= high)
    assert 0.1 < inside.mean() < 0.5
    np.testing.assert_array_equal(lower <= best, inside)
    (shade,) = shaded(ax, "equivalent")
    np.testing.assert_allclose(
        shade.get_extents().transformed(ax.transData.inverted()).intervalx, (low, high)
    )
    assert "as good, by combined evidence" in named(ax)


@pytest.mark.parametrize("kind", ["by GCV", "by evidence", "loaded", "one strength"])
def test_no_band_is_made_up(kind):
    assert shaded(FIGURES["risk"](figure_study(kind)), "band") == []


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("by GCV", "as good, by leave-one-out"),
        ("two columns", "as good, by leave-one-out"),
        ("by evidence", "as good, by evidence"),
        ("loaded", "as good, by combined evidence"),
        ("held out", "as good, by validation"),
    ],
)
def test_the_shade_says_whose_it_is(kind, said):
    ax = FIGURES["risk"](figure_study(kind))
    assert named(ax)[-1] == said
    assert len(shaded(ax, "equivalent")) == 1


def test_an_endless_interval_is_shaded_to_the_edge():
    study = figure_study("several targets")
    ax = FIGURES["risk"](study, target=1)
    assert study.choice.interval[1, 1] == np.inf
    (shade,) = shaded(ax, "equivalent")
    ends = shade.get_extents().transformed(ax.transData.inverted()).intervalx
    np.testing.assert_allclose(ends, [study.choice.interval[1, 0], ax.get_xlim()[1]])


# --- optimism -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "true", "target"),
    [
        ("polynomial", "loo", 0),
        ("groups", "leave_group_out", 0),
        ("several targets", "loo", 1),
        ("wide", "loo", 0),
        ("loaded", "loo", 0),
    ],
)
def test_true_error_is_training_error_plus_optimism(kind, true, target):
    study = figure_study(kind)
    ax = FIGURES["optimism"](study, target=target)
    drawn = {name: line(ax, name) for name in ("train", true, "optimism")}
    used = study.path.effective_parameters(study.alphas)
    for name, found in drawn.items():
        np.testing.assert_allclose(found.get_xdata(), used)
        values = of(study.risk[name](study.alphas), target)
        np.testing.assert_allclose(found.get_ydata(), np.where(np.isfinite(values), values, np.nan))
    train, total, gap = (found.get_ydata() for found in drawn.values())
    finite = np.isfinite(total)
    assert finite.any()
    np.testing.assert_allclose(total[finite], (train + gap)[finite], rtol=1e-6)
    np.testing.assert_allclose(train, of(study.path.train_loss(study.alphas), target), rtol=1e-9)


def test_the_strength_is_marked_by_what_it_costs():
    study = figure_study("polynomial")
    ax = FIGURES["optimism"](study)
    here = [study.risk[name](study.alpha) for name in ("train", "loo", "optimism")]
    points = [found.get_xydata()[0] for found in lines(ax, "point")]
    np.testing.assert_allclose(points, [(study.effective_parameters, value) for value in here])
    (gap,) = shaded(ax, "gap")
    np.testing.assert_allclose(gap.get_segments()[0][:, 1], sorted(here[:2]))
    assert line(ax, "chosen").get_xdata()[0] == pytest.approx(study.effective_parameters)
    assert ax.get_ylim()[0] == 0
    said = [number(here[place], 3) for place in (0, 2, 1)]
    assert ax.get_title(loc="left") == "training error {} + optimism {} = {}".format(*said)


def test_optimism_has_the_band_of_the_risk_picture():
    study = figure_study("polynomial")
    risk, optimism = FIGURES["risk"](study), FIGURES["optimism"](study)
    used = study.path.effective_parameters(study.alphas)
    np.testing.assert_allclose(edges(optimism, used), edges(risk, study.alphas))
    assert shaded(FIGURES["optimism"](figure_study("loaded")), "band") == []


def test_an_error_that_cannot_be_estimated_is_said():
    """A free column that only one row has: without that row its weight is not known, at any strength."""
    X = np.column_stack([np.eye(12)[:, 0], np.sin(np.arange(24)).reshape(12, 2)])
    study = es.study(X, np.cos(np.arange(12)), penalty_factor=[0.0, 1.0, 1.0])
    assert np.isinf(study.risk["loo"](study.alpha))
    ax = FIGURES["optimism"](study)
    assert ax.get_title(loc="left").endswith("the true error cannot be estimated")
    assert [found.get_label() for found in ax.get_lines() if np.isfinite(found.get_ydata()).all()] == [
        "_train",
        "_chosen",
        "_point",
    ]
    assert outside(ax) == []
    assert outside(FIGURES["risk"](study)) == []


# --- room ---------------------------------------------------------------------------------------------


def outside(ax):
    """What the picture has no room for, or what lies on the axes and should not."""
    figure = figure_of(ax)
    figure.draw_without_rendering()
    room = figure.bbox
    legend, plot = ax.get_legend().get_window_extent(), ax.get_window_extent()
    wrong = ["legend over curves"] if legend.overlaps(plot) else []
    for text in [*ax.get_legend().get_texts(), ax.xaxis.label, ax.yaxis.label, ax._left_title]:
        box = text.get_window_extent()
        if box.x0 < room.x0 or box.x1 > room.x1 or box.y0 < room.y0 or box.y1 > room.y1:
            wrong.append(text.get_text())
    return wrong


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["risk", "optimism"])
def test_everything_has_room(kind, name):
    assert outside(FIGURES[name](figure_study(kind))) == []


def test_a_legend_without_room_is_seen():
    ax = FIGURES["risk"](figure_study("groups"))
    assert outside(ax) == []
    figure_of(ax).set_layout_engine("none")
    ax.get_legend().get_texts()[0].set_text("x" * 90)
    assert "x" * 90 in outside(ax)
    ax.get_legend().set_bbox_to_anchor((0.5, 0.9))
    assert "legend over curves" in outside(ax)
