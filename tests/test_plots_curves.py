"""Three pictures of curves: factors, coefficients, effective parameters (M5, M8, M9)."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from eigenshrink.plots import FIGURES, coefficients, shrinkage
from eigenshrink.plots.text import short
from figure_studies import line, lines, point, words
from figure_studies import study as figure_study

# --- shrinkage, coefficients, effective parameters ----------------------------------------------------


def test_factors_are_those_of_the_path():
    study = figure_study("polynomial")
    ax = FIGURES["shrinkage"](study)
    x, y = line(ax, "factors").get_data()
    np.testing.assert_array_equal(x, study.spectrum.eigenvalues)
    np.testing.assert_array_equal(y, study.path.shrinkage(study.alpha))
    x, y = line(ax, "law").get_data()
    np.testing.assert_allclose(y, x / (x + study.alpha))
    verdict = study.directions().verdict
    title = ax.get_title(loc="left")
    assert f"{verdict.count('kept')} directions kept, {verdict.count('fading')} fading" in title
    assert line(ax, "chosen").get_xdata()[0] == study.alpha
    assert ax.get_xscale() == "log"


@pytest.mark.parametrize(("kind", "share"), [("alpha zero", 1.0), ("alpha infinite", 0.0)])
def test_limits_keep_everything_or_nothing(kind, share):
    ax = FIGURES["shrinkage"](figure_study(kind))
    np.testing.assert_array_equal(line(ax, "factors").get_ydata(), share)
    assert not lines(ax, "chosen")


def test_many_directions_are_thinned_and_said(monkeypatch):
    monkeypatch.setattr(sys.modules[shrinkage.__module__], "MOST", 10)
    ax = FIGURES["shrinkage"](figure_study("polynomial"))
    assert len(line(ax, "factors").get_xdata()) == 10
    assert "10 of 64 points drawn" in words(ax)


@pytest.mark.parametrize("kind", ["polynomial", "several targets", "free columns", "wide"])
def test_coefficient_lines_are_those_of_the_path(kind):
    study = figure_study(kind)
    ax = FIGURES["coefficients"](study)
    d = study.path.fit.penalty_factor
    equal = len(set(d[d > 0])) == 1
    scale = np.ones_like(d) if equal else np.where(d > 0, np.sqrt(d), 1.0)
    paths = study.path.weights(study.alphas)
    paths = (paths[:, 0] if paths.ndim == 3 else paths) * scale
    here = np.atleast_2d(study.coef())[0] * scale
    order = np.argsort(-np.abs(here), kind="stable")
    drawn = lines(ax, "named")
    assert len(drawn) == 8
    for place, found in zip(order, drawn, strict=False):
        np.testing.assert_allclose(found.get_xdata(), study.path.effective_parameters(study.alphas))
        np.testing.assert_allclose(found.get_ydata(), paths[:, place], rtol=1e-6, atol=1e-9)
    assert len(lines(ax, "other")) == min(len(d), 120) - 8
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == [short(study.feature_names[place], 16) for place in order[:8]]
    gamma = study.path.effective_parameters(float(np.ravel(study.alpha)[0]))
    assert line(ax, "chosen").get_xdata()[0] == pytest.approx(gamma)


def test_coefficients_say_their_scale():
    assert (
        FIGURES["coefficients"](figure_study("polynomial")).get_ylabel() == "coefficient × standard deviation"
    )
    assert FIGURES["coefficients"](figure_study("ten columns")).get_ylabel() == "coefficient"


def test_many_columns_are_thinned_and_said(monkeypatch):
    assert "the 120 largest of 300 columns" in words(FIGURES["coefficients"](figure_study("wide")))
    monkeypatch.setattr(sys.modules[coefficients.__module__], "MOST", 20)
    ax = FIGURES["coefficients"](figure_study("polynomial"))
    assert len(lines(ax, "named") + lines(ax, "other")) == 20


def test_effective_parameters_are_those_of_the_path():
    study = figure_study("polynomial")
    ax = FIGURES["effective_parameters"](study)
    x, y = line(ax, "curve").get_data()
    np.testing.assert_array_equal(x, study.alphas)
    np.testing.assert_array_equal(y, study.path.effective_parameters(study.alphas))
    np.testing.assert_allclose(point(ax, "chosen-point"), [study.alpha, study.effective_parameters])
    assert "65 without regularisation" in words(ax)
    assert "1 never penalised" in words(ax)


@pytest.mark.parametrize(("alpha", "said"), [(0.0, "given: α = 0"), (np.inf, "given: α = ∞")])
def test_limits_are_marked_at_the_edge(alpha, said):
    ax = FIGURES["effective_parameters"](figure_study("ten columns"), alpha=alpha)
    assert said in words(ax)
    assert point(ax, "chosen-point")[0] == ax.get_xlim()[0 if alpha == 0 else 1]


def test_a_strength_outside_the_grid_widens_the_axis():
    ax = FIGURES["effective_parameters"](figure_study("ten columns"), alpha=1e-30)
    assert ax.get_xlim()[0] < 1e-30
