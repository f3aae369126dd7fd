"""Figures of every loss: drawn of its own path, in its own unit, planes of the quadratic at the strength."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import eigenshrink as es
from eigenshrink.plots import save_figure
from eigenshrink.plots.plane import choose_directions, of_columns, of_directions
from eigenshrink.plots.reading import seen, weakest
from figure_studies import OF_COLUMNS
from glm_studies import KINDS, rows, study_of

UNITS = {
    "logistic": "log loss",
    "multinomial": "log loss",
    "counts": "half deviance",
    "huber": "half deviance",
}
DRAWN = [kind for kind in KINDS if kind not in ("groups", "held out", "standardised", "trials", "gamma")]


def axes_of(drawn):
    return drawn if isinstance(drawn, tuple) else (drawn,)


def words(ax):
    texts = [*ax.texts, *(ax.get_legend().get_texts() if ax.get_legend() else [])]
    said = [ax.get_title(loc="left"), ax.get_xlabel(), ax.get_ylabel(), *(text.get_text() for text in texts)]
    return " ".join(said)


def line(ax, name):
    return next(found for found in ax.get_lines() if found.get_label() == f"_{name}").get_xydata()


@pytest.mark.parametrize("kind", DRAWN)
@pytest.mark.parametrize("figure", OF_COLUMNS)
def test_every_figure_of_every_loss(figure, kind):
    for ax in axes_of(getattr(study_of(kind).plot, figure)()):
        said = words(ax)
        assert "mean squared" not in said
        assert not {"nan", "inf"} & set(said.split())
        assert all(np.isfinite(ax.get_xlim() + ax.get_ylim()))


@pytest.mark.parametrize(("kind", "unit"), UNITS.items())
def test_the_axis_says_the_unit_of_the_loss(kind, unit):
    study = study_of(kind)
    assert study.plot.risk().get_ylabel() == unit
    assert study.plot.optimism().get_ylabel() == unit


@pytest.mark.parametrize("kind", UNITS)
def test_curves_are_those_of_the_study(kind):
    study = study_of(kind)
    drawn = line(study.plot.risk(), "loo")
    assert_allclose(drawn[:, 1], study.risk["loo"](drawn[:, 0]))
    drawn = line(study.plot.effective_parameters(), "curve")
    assert_allclose(drawn[:, 1], study.path.effective_parameters(drawn[:, 0]))


def test_a_band_is_drawn_around_the_estimate():
    study = study_of("logistic")
    band = next(found for found in study.plot.risk().collections if found.get_label() == "_band")
    corners = band.get_paths()[0].vertices
    error = study.risk[study.choice.criterion].standard_error(study.alphas)
    high = study.risk["loo"](study.alphas) + 1.96 * error
    assert_allclose(corners[:, 1].max(), high.max(), rtol=1e-6)


@pytest.mark.parametrize("kind", ["separated", "weakest"])
def test_figures_begin_at_the_weakest_strength(kind):
    study = study_of(kind)
    low = study.path.lowest
    assert weakest(study)[0] == low > 0
    said = words(study.plot.effective_parameters())
    assert "at the weakest strength" in said
    assert "without regularisation" not in said
    assert line(study.plot.risk(), "train")[0, 0] >= low
    with pytest.raises(es.InputError, match="the path begins at"):
        study.plot.effective_parameters(alpha=low / 2)


# --- planes and directions ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["logistic", "multinomial", "counts", "free columns", "wide"])
@pytest.mark.parametrize("times", [1.0, 10.0])
def test_a_plane_holds_the_solution_at_its_strength(kind, times):
    """The quadratic at a strength has its minimum, with the penalty, where the path is."""
    study = study_of(kind)
    alpha = float(times * (study.alpha if np.isfinite(study.alpha) and study.alpha else 0.1))
    view = seen(study, alpha)
    W = np.ravel(study.path.weights(alpha))
    pen = view.path.fit.penalised
    v = (W * np.sqrt(view.path.fit.penalty_factor))[pen]
    pair = choose_directions(view, 0, alpha)
    plane = of_directions(view, 0, pair)
    along = view.spectrum.directions.forth(v[:, None])[sorted(pair), 0]
    assert_allclose(np.abs(plane.scaled(alpha)), np.abs(along), rtol=1e-5, atol=1e-9)
    columns = [view.weight_names[place] for place in pen[:2]]
    assert_allclose(of_columns(view, 0, alpha, tuple(columns)).solution(alpha), v[:2], rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("figure", ["contour", "three_steps"])
def test_it_is_said_that_the_loss_is_drawn_as_a_quadratic(figure):
    said = "loss drawn as its quadratic at α = "
    drawn = getattr(study_of("logistic").plot, figure)()
    assert said in words(axes_of(drawn)[0])
    X = rows(30, 3, 2)
    squared = es.study(X, X[:, 0] + rows(30, 1, 3)[:, 0])
    assert said not in words(axes_of(getattr(squared.plot, figure)())[0])
    assert said in words(study_of("one column").plot.contour())


def test_shares_are_those_of_the_curvature_at_the_strength():
    study = study_of("multinomial")
    drawn = line(study.plot.shrinkage(alpha=0.05), "factors")
    local = study.path.local(0.05)
    assert_allclose(drawn[:, 0], local.spectrum.eigenvalues)
    assert_allclose(drawn[:, 1], local.shrinkage(0.05))


def test_columns_of_a_class_are_asked_for_by_both_names():
    study = study_of("multinomial")
    ax = study.plot.contour(columns=["a: x0", "b: x1"])
    assert "a: x0" in ax.get_xlabel()
    with pytest.raises(es.InputError, match=r"column 'x0' is not in the study: use '.*: x0'"):
        study.plot.contour(columns=["x0", "b: x1"])


# --- coefficients -------------------------------------------------------------------------------------


def test_classes_have_lines_of_their_own():
    study = study_of("multinomial")
    ax = study.plot.coefficients()
    paths = study.path.weights(study.alphas).reshape(len(study.alphas), -1)
    named = [found for found in ax.get_lines() if found.get_label() == "_named"]
    order = np.argsort(-np.abs(study.coef().ravel()), kind="stable")
    for found, place in zip(named, order, strict=False):
        assert_allclose(found.get_ydata(), paths[:, place])
    assert ax.get_legend().get_texts()[0].get_text() == study.weight_names[order[0]]
    many = study_of("wide multinomial").plot.coefficients()
    assert "the 120 largest of 180 coefficients" in words(many)


def test_coefficients_of_standardised_classes_are_scaled():
    X = rows(60, 2, 21) * [1.0, 100.0]
    y = np.argmax(np.column_stack([X[:, 0], X[:, 1] / 100, np.zeros(60)]) + rows(60, 3, 22), axis=1)
    study = es.study(X, y, loss="multinomial", standardize=True, alpha=0.05)
    named = [found for found in study.plot.coefficients().get_lines() if found.get_label() == "_named"]
    sizes = np.abs(study.coef() * X.std(axis=0)).ravel()
    place = int(np.argmax(sizes))
    scaled = (study.path.weights(study.alphas) * X.std(axis=0)).reshape(len(study.alphas), -1)
    assert_allclose(named[0].get_ydata(), scaled[:, place])


def test_figures_are_saved(tmp_path):
    assert save_figure(study_of("multinomial"), "contour", tmp_path / "a.png").stat().st_size > 10_000
