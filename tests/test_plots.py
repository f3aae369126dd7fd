"""Figures of every kind of study can be drawn and saved; arguments, names and the session's state."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from eigenshrink.errors import InputError, MissingExtra
from eigenshrink.plots import FIGURES, Plots, save_figure
from eigenshrink.plots.saving import figure_of, render
from eigenshrink.plots.text import number, plain, short
from figure_studies import HOSTILE, KINDS, OF_COLUMNS, point
from figure_studies import study as figure_study


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", OF_COLUMNS)
def test_every_figure_can_be_drawn(kind, name):
    drawn = FIGURES[name](figure_study(kind))
    assert ET.fromstring(render(figure_of(drawn), "svg")) is not None


@pytest.mark.parametrize("name", OF_COLUMNS)
@pytest.mark.parametrize("alpha", [1e-30, 1e30])
def test_any_strength_can_be_shown(name, alpha):
    figure_of(FIGURES[name](figure_study("ten columns"), alpha=alpha)).draw_without_rendering()


# --- arguments ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("risk", {"target": 3}, "target is 3"),
        ("risk", {"target": "y0"}, "target is 'y0'"),
        ("shrinkage", {"alpha": -1.0}, "alpha is -1.0"),
        ("shrinkage", {"alpha": float("nan")}, "alpha is nan"),
        ("contour", {"columns": ("bmi", "nothing")}, "column 'nothing' is not in the study"),
        ("contour", {"columns": ("bmi", "bmi")}, "two different ones"),
        ("contour", {"columns": "bmi"}, "two different ones"),
        ("contour", {"columns": (0, 99)}, "column 99 is not in the study"),
        ("contour", {"directions": (0, 99)}, "direction 99 is not there"),
        ("contour", {"directions": (0, 1), "columns": (0, 1)}, "give one of them"),
    ],
)
def test_wrong_arguments_are_said(name, options, said):
    with pytest.raises(InputError, match=said):
        FIGURES[name](figure_study("ten columns"), **options)


@pytest.mark.parametrize("kind", ["free columns", "constant and equal columns"])
def test_a_column_without_a_circle_is_refused(kind):
    place = 0 if kind == "free columns" else 10
    with pytest.raises(InputError, match="not penalised or does not vary"):
        FIGURES["contour"](figure_study(kind), columns=(place, 3))


def test_equal_columns_make_a_plane_with_a_flat_axis():
    study = figure_study("constant and equal columns")
    ax = FIGURES["contour"](study, columns=(2, 11))
    found = point(ax, "solution")
    np.testing.assert_allclose(found, study.coef()[[2, 11]], rtol=1e-6)


# --- names, colours, state ----------------------------------------------------------------------------


def test_names_are_text():
    ax = FIGURES["coefficients"](figure_study("hostile names"))
    legend = ax.get_legend()
    assert {short(name, 16) for name in HOSTILE} == {text.get_text() for text in legend.get_texts()}
    assert not any(text.get_parse_math() for text in legend.get_texts())


def test_text_is_one_printable_line():
    assert plain("a\nb\x00\ud800") == "a b\N{REPLACEMENT CHARACTER}?"
    assert len(short("x" * 60)) == 18
    assert number(float("nan")) == "–"
    assert number(0.0) == "0"


def test_given_axes_are_used_and_returned():
    for name in ("risk", "effective_parameters", "shrinkage", "coefficients", "contour"):
        ax = Figure().subplots()
        assert getattr(Plots(figure_study("ten columns")), name)(ax=ax) is ax


def test_figures_are_found_by_name():
    plots = figure_study("ten columns").plot
    assert dir(plots) == sorted(OF_COLUMNS)
    assert plots.risk.__doc__ == FIGURES["risk"].draw.__doc__
    with pytest.raises(AttributeError, match="it has risk, optimism, effective_parameters"):
        plots.pie()


def test_settings_of_the_session_do_not_change(tmp_path):
    before = dict(matplotlib.rcParams)
    save_figure(figure_study("ten columns"), "contour", tmp_path / "a.svg")
    assert dict(matplotlib.rcParams) == before


def test_pyplot_is_never_imported():
    script = (
        "import sys, numpy as np, eigenshrink as es; X = np.random.default_rng(0).normal(size=(30, 3));"
        "s = es.study(X, X[:, 0]); loaded = 'matplotlib' in sys.modules;"
        "s.plot.contour(); s.plot.three_steps();"
        "print(loaded, 'matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_missing_matplotlib_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match=r"eigenshrink\[app\]"):
        FIGURES["risk"](figure_study("ten columns"))


# --- files --------------------------------------------------------------------------------------------


def test_files_are_what_their_ending_says(tmp_path):
    study = figure_study("ten columns")
    for ending, head in (("png", b"\x89PNG\r\n\x1a\n"), ("pdf", b"%PDF-")):
        path = save_figure(study, "risk", tmp_path / f"risk.{ending}")
        assert path.read_bytes().startswith(head)
    path = save_figure(study, "three_steps", tmp_path / "steps.SVG", alpha=1e-3)
    assert ET.parse(path).getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_letters_without_a_glyph_do_not_warn(tmp_path):
    save_figure(figure_study("hostile names"), "coefficients", tmp_path / "names.png")


@pytest.mark.parametrize("ending", ["svg", "pdf", "png"])
def test_the_same_study_gives_the_same_file(tmp_path, ending):
    study = figure_study("ten columns")
    first, second = (save_figure(study, "shrinkage", tmp_path / f"{n}.{ending}") for n in "ab")
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("name", "path", "said"),
    [
        ("pie", "a.png", "no figure 'pie': use risk"),
        ("risk", "a.jpeg", "must end in .png, .svg or .pdf"),
        ("risk", "a", "must end in .png, .svg or .pdf"),
        ("risk", "nowhere/a.png", "cannot write"),
    ],
)
def test_files_that_cannot_be_made_are_said(tmp_path, name, path, said):
    with pytest.raises(InputError, match=said):
        save_figure(figure_study("ten columns"), name, tmp_path / path)
    assert list(tmp_path.iterdir()) == []
