"""The pictures of a network: what is drawn is what its study says; names are text (M9, M13, M18, M19)."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_allclose

import eigenshrink as es
from eigenshrink.curvature import MatrixCurvature
from eigenshrink.directions import by_layer, largest
from eigenshrink.errors import InputError
from eigenshrink.path.products import krylov_path
from eigenshrink.path.weight_names import WeightNames
from eigenshrink.plots import FIGURES, figures, save_figure
from eigenshrink.plots.density import BINS, edges_of
from eigenshrink.plots.layers import MOST
from eigenshrink.plots.saving import figure_of, render
from eigenshrink.plots.text import number
from eigenshrink.risk.uncertainty import WIDTH
from figure_studies import OF_COLUMNS, line, lines, words
from figure_studies import study as table_study
from network_studies import KINDS, LAYERS, SHAPES, study, study_of

EVERY = ("effective_parameters", "layers", "shrinkage", "density", "contour", "three_steps")


def shade(ax, kind):
    """Strengths between which a background is."""
    spans = [span for span in ax.patches if span.get_label() == f"_{kind}"]
    return [(span.get_x(), span.get_x() + span.get_width()) for span in spans]


def texts(ax):
    legend = ax.get_legend()
    titles = [ax.get_title(loc="left"), ax.get_xlabel(), ax.get_ylabel()]
    return titles + words(ax) + ([text.get_text() for text in legend.get_texts()] if legend else [])


# --- which there are ----------------------------------------------------------------------------------


DRAWN = [kind for kind in KINDS if kind not in ("given", "stopped early", "untrained decay")]


@pytest.mark.parametrize("kind", DRAWN)
def test_every_figure_of_a_network_can_be_drawn(kind):
    names = figures(study(kind))
    assert set(EVERY) <= set(names)
    assert not {"coefficients", "optimism"} & set(names)
    for name in names:
        figure = figure_of(FIGURES[name](study(kind)))
        figure.draw_without_rendering()
        said = " ".join(part for ax in figure.axes for part in texts(ax))
        assert not {"nan", "inf", "None"} & set(said.replace(",", " ").split())


def test_a_study_has_the_figures_that_mean_something():
    assert figures(table_study("ten columns")) == OF_COLUMNS
    assert "trusted" in figures(study("perceptron"))
    assert "trusted" not in figures(study("wide"))  # its losses are not at hand
    assert "risk" not in figures(study("trusted nowhere"))  # nothing can be compared
    assert dir(study("perceptron").plot) == sorted(figures(study("perceptron")))


def test_a_figure_that_is_not_there_is_said(tmp_path):
    with pytest.raises(AttributeError, match="no figure 'coefficients': it has risk, trusted"):
        study("perceptron").plot.coefficients()
    with pytest.raises(InputError, match="no figure 'layers': use risk, optimism"):
        save_figure(table_study("ten columns"), "layers", tmp_path / "a.png")


@pytest.mark.parametrize("name", ["trusted", *EVERY])
@pytest.mark.parametrize("alpha", [0.0, 1e-12, 1e12, np.inf])
def test_any_strength_can_be_shown(name, alpha):
    figure_of(FIGURES[name](study("perceptron"), alpha=alpha)).draw_without_rendering()


# --- trusted ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["perceptron", "free biases", "ridge", "nobody judges"])
def test_true_and_predicted_changes_are_those_of_the_path(kind):
    path = study(kind).path
    ax = study(kind).plot.trusted()
    drawn = line(ax, "predicted").get_xydata()
    assert_allclose(drawn[:, 1], path.predicted_change(drawn[:, 0]))
    (bars,) = ax.containers
    points, _, (whiskers,) = bars.lines
    assert_allclose(points.get_xydata(), np.column_stack([path.measured.alphas, path.measured.change]))
    heights = np.array([np.ptp(segment[:, 1]) for segment in whiskers.get_segments()])
    assert_allclose(heights, 2 * WIDTH * path.measured.noise, atol=1e-12)
    low, high = path.trusted
    left, right = ax.get_xlim()
    assert_allclose(shade(ax, "equivalent"), [(max(low, left), min(high, right))], rtol=1e-6)


def test_validation_is_drawn_as_a_change_from_where_the_training_stopped():
    net = study("perceptron")
    drawn = line(net.plot.trusted(), "validation").get_xydata()
    there = np.isfinite(drawn[:, 1])
    base = net.path.measure.validation(net.path.fit.weights[:, 0]).mean
    assert_allclose(drawn[there, 1], net.risk["validation"](drawn[there, 0]) - base, atol=1e-7)
    assert lines(study("nobody judges").plot.trusted(), "validation") == []


def test_the_title_says_how_far_it_holds():
    low, high = study("perceptron").path.trusted
    titles = {
        kind: study(kind).plot.trusted().get_title(loc="left")
        for kind in ("perceptron", "ridge", "trusted nowhere")
    }
    assert titles["perceptron"] == f"the quadratic holds from α = {number(low, 3)} to {number(high, 3)}"
    assert titles["ridge"] == "the quadratic holds at every strength"
    assert titles["trusted nowhere"] == "the quadratic holds at no strength that was looked at"


def test_the_strength_of_the_training_is_marked():
    for name in ("trusted", "density", "effective_parameters"):
        ax = FIGURES[name](study("perceptron"))
        assert_allclose(line(ax, "start").get_xdata(), 0.02)
        assert "α₀ 0.02" in words(ax)
        assert lines(FIGURES[name](study("AdamW")), "start") == []


# --- risk ---------------------------------------------------------------------------------------------


def test_curves_of_a_network_end_where_it_is_not_trusted():
    net = study("perceptron")
    ax = net.plot.risk()
    drawn = line(ax, "validation").get_xydata()
    low, high = net.path.trusted
    inside = (drawn[:, 0] > low) & (drawn[:, 0] < high)
    assert np.isfinite(drawn[inside, 1]).all()
    assert np.isnan(drawn[~inside, 1]).all()
    left, right = ax.get_xlim()
    assert_allclose(shade(ax, "doubtful"), [(left, low), (high, right)], rtol=1e-6)


def test_without_judges_only_the_training_error_has_the_unit_of_the_loss():
    ax = study("nobody judges").plot.risk()
    assert ax.get_ylabel() == "log loss"
    assert {found.get_label() for found in ax.get_lines()} >= {"_train"}
    (other,) = [each for each in ax.figure.axes if each is not ax]
    assert lines(other, "evidence")
    with pytest.raises(InputError, match="no rows judge the network, give val_loader="):
        _ = study("nobody judges").estimate


def test_an_optimum_at_the_edge_is_said():
    assert any("validation, best at the edge" in said for said in texts(study("free biases").plot.risk()))


# --- effective parameters -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["perceptron", "free biases", "wide"])
def test_gamma_is_drawn_in_its_interval(kind):
    net = study(kind)
    ax = net.plot.effective_parameters()
    drawn = line(ax, "curve").get_xydata()
    assert_allclose(drawn[:, 1], net.path.effective_parameters(drawn[:, 0]))
    bands = [found for found in ax.collections if found.get_label() == "_band"]
    assert len(bands) == (kind == "wide")  # elsewhere it is exact
    for band in bands:
        corners = band.get_paths()[0].vertices
        found = net.path.effective_estimate(drawn[:, 0])
        assert_allclose(corners[:, 1].max(), (net.path.free_rank + found.high).max())
        assert_allclose(corners[:, 1].min(), (net.path.free_rank + found.low).min())
    assert f"of {number(len(net.path.fit.penalty_factor))} parameters" in ax.get_title(loc="left")


# --- layers -------------------------------------------------------------------------------------------


def bars(ax, kind):
    (found,) = [each for each in ax.containers if each.get_label() == f"_{kind}"]
    return np.array([(bar.get_x(), bar.get_x() + bar.get_width()) for bar in found])


@pytest.mark.parametrize("kind", ["perceptron", "free biases", "given"])
def test_bars_are_weights_parameters_in_use_and_slopes(kind):
    net = study(kind)
    first, second = net.plot.layers()
    sizes = [layer.stop - layer.start for layer in net.layers]
    assert_allclose(bars(first, "weights")[:, 1], sizes)
    assert_allclose(bars(first, "used")[:, 1], net.path.effective_by_layer(net.alpha))
    slopes = bars(second, "slope").sum(axis=1)  # each begins or ends at 0
    assert_allclose(slopes, [net.hypergradient.by_group[layer.name] for layer in net.layers])
    asked = [net.hypergradient.advice(layer.name) or "unclear" for layer in net.layers]
    assert words(second) == asked
    assert "raise" in asked


def test_without_judges_the_second_panel_says_why():
    _, second = study("nobody judges").plot.layers()
    assert words(second) == ["Which layer wants more decay is not known: no\nrows judge it."]
    _, second = study("AdamW").plot.layers()
    assert "without a decay that is known" in words(second)[0].replace("\n", " ")


def test_many_layers_are_the_ones_most_in_use_in_the_order_of_the_model():
    net = study("wide")
    first, _ = net.plot.layers()
    used = net.path.effective_by_layer(net.alpha)
    wanted = np.sort(np.argsort(-used)[:MOST])
    assert [text.get_text() for text in first.get_yticklabels()] == [f"block{i}" for i in wanted]
    assert f"{MOST} of 50 layers" in first.get_title(loc="left")


def test_a_figure_of_hostile_names_is_valid_svg():
    drawn = figure_of(study("hostile layers").plot.layers())
    assert ET.fromstring(render(drawn, "svg")) is not None


def test_names_of_layers_are_text():
    first, _ = study("hostile layers").plot.layers()
    labels = first.get_yticklabels()
    assert labels[0].get_text() == "<script>aler…</script>"
    assert labels[1].get_text() == "$\\frac$ \N{REPLACEMENT CHARACTER} 'a'"
    assert not any(label.get_parse_math() for label in labels)


def test_two_axes_are_used_one_is_divided_three_are_refused():
    net = study("perceptron")
    made = Figure().subplots(1, 2)
    assert net.plot.layers(made) == tuple(made)
    first, second = net.plot.layers(Figure().subplots())
    assert first.figure is second.figure
    with pytest.raises(InputError, match="ax holds 3 axes: layers needs two"):
        net.plot.layers(Figure().subplots(1, 3))


# --- density ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["perceptron", "wide", "free biases"])
def test_the_density_counts_eigenvalues(kind):
    net = study(kind)
    ax = net.plot.density()
    (stairs,) = [found for found in ax.patches if found.get_label() == "_density"]
    counts, edges, _ = stairs.get_data()
    known = net.spectrum.eigenvalues
    wanted = np.histogram(known, edges)[0]
    if kind == "wide":  # an estimate, of which less than a tenth of an eigenvalue is not drawn
        wanted = net.path.sums.density(edges)
        wanted = np.where(wanted < 0.1, 0.0, wanted)
        assert_allclose(wanted.sum(), 60, rtol=0.25)
    assert_allclose(np.nan_to_num(counts), wanted)
    assert_allclose(np.diff(np.log10(edges)), 1 / BINS)
    assert edges[-1] > known.max()
    rest = len(net.path.fit.penalised) - round(float(np.nansum(counts)))
    assert f"{number(rest)} more at or near 0" in words(ax)
    total = number(len(net.path.fit.penalised))
    if kind != "wide":
        kept = int((known > 9 * net.alpha).sum())
        assert ax.get_title(loc="left").startswith(f"{kept} of {total} directions kept")
    else:
        assert re.match(rf"(about )?\d+ of {total} directions kept", ax.get_title(loc="left"))


def test_bins_hold_the_largest_eigenvalue():
    for largest_one in (1.0, 9.999, 10.0, 3.3e-7):
        edges = edges_of(largest_one)
        assert edges[-2] <= largest_one * (1 + 1e-5) < edges[-1] * (1 + 1e-5)


# --- planes -------------------------------------------------------------------------------------------


def test_the_plane_spans_directions_that_are_curved_and_names_their_layers():
    net = study("perceptron")  # 13 of its directions are flat up to rounding
    ax = net.plot.contour()
    assert "% in hidden)" in ax.get_title(loc="left")
    assert "loss drawn as its quadratic at w₀" in words(ax)
    reach = np.abs(line(ax, "path").get_xydata()).max()
    assert reach < 2 * np.abs(net.path.weights(0.0055)).max() * np.sqrt(len(net.path.fit.penalty_factor))


def test_the_part_of_the_path_that_holds_is_heavy():
    ax = study("perceptron").plot.contour()
    believed, whole = line(ax, "believed"), line(ax, "path")
    assert believed.get_linewidth() > whole.get_linewidth()
    length = [np.hypot(*np.diff(each.get_xydata(), axis=0).T).sum() for each in (believed, whole)]
    assert 0.3 * length[1] < length[0] < length[1]
    assert lines(study("ridge").plot.contour(), "believed") == []  # it holds everywhere


def test_marks_and_ends_in_a_plane_of_directions_are_those_of_the_path():
    """However much the curvature has grown at the strength that is drawn."""
    net, pair = study("perceptron"), (0, 3)
    calibration = net.path.calibration
    for alpha in (0.01, 0.12, 0.35):
        assert abs(np.log(calibration.bend(alpha))) > 0.05
        ax = net.plot.contour(alpha=alpha, directions=pair)
        points = [line(ax, "solution").get_xydata()[0]]
        points += [mark.get_xydata()[0] for mark in lines(ax, "mark")]
        points += list(line(ax, "believed").get_xydata()[[0, -1]])
        strengths = np.array([alpha, 0.1 * alpha, 10 * alpha, *net.path.trusted])
        spectrum, places = net.path.spectrum, calibration.place(strengths)[:, None]
        kept = spectrum.numerators[list(pair), 0] / (spectrum.eigenvalues[list(pair)] + places)
        assert_allclose(np.hypot(*np.array(points).T), np.hypot(*kept.T), rtol=1e-9)


def test_a_direction_curved_downwards_is_refused_and_never_picked():
    hessian = study("perceptron").path.fit.curvature.dense.copy()
    net = study("perceptron")
    worst = np.linalg.eigh(hessian)[1][:, 0]
    bent = replace(net.path.fit, curvature=MatrixCurvature(hessian - 0.004 * np.outer(worst, worst)))
    path = krylov_path(bent, LAYERS, net.path.measure, net.path.start_loss)
    downwards = study_of(path, SHAPES, alpha=0.02)
    last = len(downwards.spectrum.eigenvalues) - 1
    assert downwards.spectrum.eigenvalues[last] < -0.003
    downwards.plot.contour()
    with pytest.raises(InputError, match=f"curved downwards along direction {last}"):
        downwards.plot.contour(directions=(0, last))
    assert "% of the curvature is negative" in " ".join(words(downwards.plot.density()))
    for name in figures(downwards):
        figure_of(FIGURES[name](downwards)).draw_without_rendering()


def test_layers_share_a_direction():
    net = study("perceptron")
    Q = net.spectrum.basis
    for column in (0, 7):
        shares = dict(by_layer(Q[:, column], net.path.fit.penalised, net.layers))
        for layer in net.layers:
            assert_allclose(shares[layer.name], np.sum(Q[layer.places, column] ** 2))
        assert_allclose(sum(shares.values()), 1.0)


# --- names --------------------------------------------------------------------------------------------


def test_names_are_made_one_by_one_and_found_again():
    names = WeightNames([("a.weight", (2, 3)), ("b", ()), ("c.bias", (4,))])
    slow = (
        [f"a.weight[{i},{j}]" for i in range(2) for j in range(3)]
        + ["b"]
        + [f"c.bias[{i}]" for i in range(4)]
    )
    assert list(names) == slow
    assert [names[i] for i in range(-11, 0)] == slow
    assert names[2:9:3] == tuple(slow[2:9:3])
    assert [names.index(name) for name in slow] == list(range(11))
    assert [names.tensor(i) for i in (0, 5, 6, 10)] == ["a.weight", "a.weight", "b", "c.bias"]
    for wrong in ("a.weight[2,0]", "a.weight[0]", "b[0]", "c.bias[-1]", "c.bias[01]", "c.bias[٣]", "", 3):
        assert wrong not in names
        with pytest.raises(ValueError, match="is no weight"):
            names.index(wrong)
    with pytest.raises(IndexError):
        names[11]
    assert len(WeightNames([("huge", (10**6, 10**6))])) == 10**12


def test_a_column_of_a_network_is_found_by_name():
    net = study("perceptron")
    place = net.weight_names.index("head.weight[2,4]")
    one = net.plot.contour(columns=("hidden.weight[0,1]", "head.weight[2,4]"))
    other = net.plot.contour(columns=(1, place))
    assert_allclose(line(one, "solution").get_xydata(), line(other, "solution").get_xydata())
    grid = np.append(net.alphas[np.isfinite(net.alphas) & (net.alphas > 0)], np.inf)
    assert not net.path.calibration.trivial
    assert_allclose(line(one, "shadow").get_xydata(), net.path.weights(grid)[:, [1, place]], atol=1e-9)
    with pytest.raises(InputError, match=r"column 'head.weight\[9,9\]' is not in the study"):
        net.plot.contour(columns=("head.weight[9,9]", 0))


def test_the_largest_are_found_as_by_sorting():
    rng = np.random.default_rng(0)
    for values in (rng.normal(size=50), np.round(rng.normal(size=50)), np.ones(5), np.zeros(2)):
        for count in (1, 3, 8):
            assert list(largest(values, count)) == list(np.argsort(-values, kind="stable")[:count])


def test_a_network_predicts_by_itself():
    net = study("perceptron")
    for ask in (net.predict, net.linear_predictor, net.prediction_std):
        with pytest.raises(es.InputError, match="a network predicts by itself"):
            ask(np.zeros((2, 4)))
    assert net.coef().shape == (43,)
    assert net.intercept() == 0.0
