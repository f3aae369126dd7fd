"""The charts of the page in a real browser: what they show is what the study says (M5, M7-M9, M14, M18)."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import eigenshrink as es
import figure_studies
from chart_pages import (
    HOSTILE,
    MADE,
    TALL,
    charted,
    charted_files,
    charted_page,
    charted_shared,
    charted_study,
    charts_for,
    columns,
    go,
    until,
)
from eigenshrink.errors import MissingExtra
from eigenshrink.plots import reading
from eigenshrink.plots.coefficients import scale_of
from eigenshrink.report.charts import CHARTS, bokeh_js, charts_of, script_and_divs
from eigenshrink.report.charts.words import LINES

__all__ = ["charted", "charted_files", "charted_shared"]
SQUARED = ("risk", "shrinkage", "coefficients", "optimism", "effective_parameters", "residuals")
NETWORK = ("risk", "trusted", "shrinkage", "effective_parameters", "layers", "slopes")
BETWEEN = (3.7e-4, 0.0213, 5.551)  # strengths that are in no table
BLOB = """async ([name, kind]) => {
  const blob = await charts.export(name, kind);
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return [blob.type, btoa(Array.from(bytes, (each) => String.fromCharCode(each)).join(""))];
}"""
SHADES = """async (name) => {
  const image = await createImageBitmap(await charts.export(name, "png"));
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const pixels = new Uint32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  return new Set(pixels).size;
}"""


def exported(page, name, kind):
    said, text = page.evaluate(BLOB, [name, kind])
    return said, base64.b64decode(text)


def model(page, chart, name, *properties):
    wanted = "([chart, name, parts]) => parts.map((part) => known(chart, name)[part])"
    return page.evaluate(wanted, [chart, name, properties])


# --- in Python ----------------------------------------------------------------------------------------


def test_each_kind_of_study_has_the_charts_that_it_can_have():
    assert tuple(chart.name for chart in charts_for("ten")) == SQUARED
    assert tuple(chart.name for chart in charts_for("network")) == NETWORK
    assert {*SQUARED, *NETWORK} == set(CHARTS)


def test_a_loaded_study_has_no_rows(tmp_path):
    charted_study("ten").save(tmp_path / "study.npz")
    assert "residuals" not in [chart.name for chart in charts_of(es.load(tmp_path / "study.npz"))]


def test_the_same_study_gives_the_same_text_and_boxes():
    first, second = (script_and_divs(charts_of(charted_study("ten"))) for _ in range(2))
    assert first == second
    items = json.loads(
        re.fullmatch(r"<script type=.application/json. id=.charts.>(.*)</script>", first[0])[1]
    )
    assert [item["target_id"] for item in items] == [f"chart-{name}" for name in SQUARED]
    assert all('aria-hidden="true"' in box for box in first[1].values())


def test_every_chart_has_its_words():
    for kind in ("ten", "network"):
        for chart in charts_for(kind):
            assert chart.title
            assert len(chart.alternative) > 40
            assert len(chart.how_to_read) > 100


def test_what_is_not_drawn_is_said():
    said = {chart.name: chart.how_to_read for chart in charts_for("many")}
    assert "Of 540 columns at most 60 are drawn" in said["coefficients"]
    assert "Of 540 directions 500 are drawn" in said["shrinkage"]
    rows = np.random.default_rng(0).normal(size=(2100, 2))
    tall = {chart.name: chart.how_to_read for chart in charts_of(es.study(rows, rows[:, 0]))}
    assert "Of 2\N{NO-BREAK SPACE}100 rows at most 2000 are drawn" in tall["residuals"]
    assert " are drawn" not in tall["coefficients"] + tall["shrinkage"]


def test_bokeh_is_loaded_when_a_figure_is_made_and_missed_in_words(monkeypatch):
    asked = (
        "import sys, eigenshrink.report.charts; print(any(name.startswith('bokeh') for name in sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
    for name in ("bokeh", "bokeh.plotting", "bokeh.resources"):
        monkeypatch.setitem(sys.modules, name, None)
    for make in (bokeh_js, lambda: charts_of(charted_study("ten"))):
        with pytest.raises(MissingExtra, match=r"eigenshrink\[app\]"):
            make()


# --- drawn --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind for kind in MADE if kind not in ("many", "polynomial")])
def test_every_chart_of_every_kind_is_drawn_at_every_strength(charted, kind):
    page, _ = charted(kind)
    names = [chart.name for chart in charts_for(kind)]
    assert page.evaluate("charts.names()") == names
    for alpha in (0.0, 0.013, np.inf):
        go(page, alpha=alpha)
    for name in names:
        assert page.evaluate(SHADES, name) > 30, name  # an empty picture has one, words alone about twenty
        table = page.evaluate("(name) => charts.table(name)", name)
        assert table["heads"]
        assert all(len(row) == len(table["heads"]) for row in table["rows"])


def test_an_empty_picture_has_one_shade(charted):
    page, _ = charted("ten", viewport=TALL)
    page.evaluate("panels.risk.view.export = () => ({ canvas: new OffscreenCanvas(50, 50) })")
    assert page.evaluate(SHADES, "risk") == 1


# --- numbers ------------------------------------------------------------------------------------------


def test_criteria_are_those_of_the_study(charted):
    page, study = charted("polynomial")
    for alpha in BETWEEN:
        go(page, alpha=alpha)
        names = page.evaluate(
            "panels.risk.sheet.once('curves', 0).map((curve) => [curve.name, curve.side, curve.lift])"
        )
        for side in ("left", "right"):
            points = columns(page, "risk", f"points-{side}")
            found = [(name, lift) for name, where, lift in names if where == side]
            np.testing.assert_allclose(points["x"], np.log10(alpha))
            for y, (name, lift) in zip(points["y"], found, strict=True):
                curve = study.risk[name]
                assert lift == (float(curve.minimum.value) if side == "right" else 0)
                rtol = 1e-6 if name in ("train", "gcv", "cp") else 1e-4  # the others are tables
                np.testing.assert_allclose(y + lift, float(curve(alpha)), rtol=rtol)
        assert {name for name, *_ in names} == set(study.risk) - {"optimism", "kfold"}


def test_curves_bands_minima_and_interval_are_those_of_the_study(charted):
    page, study = charted("ten")
    lines = columns(page, "risk", "line-loo")
    np.testing.assert_allclose(lines["y"], study.risk["loo"](10 ** lines["x"]), rtol=1e-9)
    band, loo = columns(page, "risk", "band"), study.risk["loo"]
    half = 0.5 * (band["high"] - band["low"])
    judge = study.risk[study.choice.criterion]
    np.testing.assert_allclose(half, 1.96 * judge.standard_error(10 ** band["x"]), rtol=1e-3, atol=1e-6)
    least = columns(page, "risk", "least-left")
    assert float(loo.minimum.value) in least["y"]
    np.testing.assert_allclose(
        np.log10(float(loo.minimum.alpha)), least["x"][list(least["y"]).index(loo.minimum.value)]
    )
    ends = model(page, "risk", "interval", "left", "right")
    reach = page.evaluate("[study.low, study.high]")
    np.testing.assert_allclose(10 ** np.array(ends), np.clip(study.choice.interval, *reach))


def test_coefficients_directions_and_parameters_are_those_of_the_study(charted):
    page, study = charted("polynomial")
    for alpha in BETWEEN:
        go(page, alpha=alpha)
        scale, _ = scale_of(study)
        here = dict(zip(study.weight_names, study.coef(alpha) * scale, strict=True))
        points = columns(page, "coefficients", "points")
        np.testing.assert_allclose(points["y"], [here[name] for name in points["name"]], rtol=1e-6)
        largest = np.argsort(-np.abs(study.coef() * scale))[:8]
        assert list(points["name"]) == [study.weight_names[place] for place in largest]
        gamma = columns(page, "effective_parameters", "points")
        np.testing.assert_allclose(gamma["y"], study.path.effective_parameters(alpha), rtol=1e-6)
        values, seen = study.spectrum.eigenvalues, {}
        for name, low, high in (("kept", 0.9, 1.1), ("fading", 0.1, 0.9), ("gone", -1, 0.1)):
            dots = columns(page, "shrinkage", name)
            share = 10 ** dots["x"] / (10 ** dots["x"] + alpha)
            np.testing.assert_allclose(dots["y"], share, rtol=1e-6)
            assert np.all((share >= low) & (share <= high))
            seen |= dict(zip(dots["number"].astype(int) - 1, 10 ** dots["x"], strict=True))
        np.testing.assert_allclose([seen[place] for place in range(len(values))], values, rtol=1e-9)


def test_training_error_optimism_and_true_error_add_up(charted):
    page, study = charted("ten")
    for alpha in BETWEEN:
        go(page, alpha=alpha)
        points = columns(page, "optimism", "points")
        np.testing.assert_allclose(points["x"], study.path.effective_parameters(alpha), rtol=1e-6)
        found = dict(zip(points["what"], points["y"], strict=True))
        np.testing.assert_allclose(found["training error"], study.risk["train"](alpha), rtol=1e-6)
        np.testing.assert_allclose(found["true error"], study.risk["loo"](alpha), rtol=1e-4)
        np.testing.assert_allclose(
            found["training error"] + found["optimism"], found["true error"], rtol=1e-3
        )
        assert page.evaluate("known('optimism', 'now-line').location") == points["x"][0]


def test_rows_are_those_of_the_fit(charted):
    page, study = charted("ten")
    parts = [columns(page, "residuals", kind) for kind in ("usual", "pulling")]
    row = np.concatenate([part["row"] for part in parts]).astype(int)
    fitted, residual = (np.concatenate([part[axis] for part in parts]) for axis in "xy")
    X, _, y, *_ = figure_studies.diabetes()
    np.testing.assert_allclose(fitted, (X @ study.coef() + study.intercept())[row], rtol=1e-6)
    np.testing.assert_allclose(residual, y[row] - fitted, atol=1e-4)
    centred = (X - X.mean(axis=0)) / X.std(axis=0)
    gram = centred.T @ centred + len(X) * float(study.alpha) * np.eye(X.shape[1])
    leverage = 1 / len(X) + np.einsum("ij,ij->i", centred, np.linalg.solve(gram, centred.T).T)
    size = 5 + 13 * np.sqrt(leverage / leverage.max())
    np.testing.assert_allclose(np.concatenate([part["size"] for part in parts]), size[row], rtol=1e-5)
    assert set(parts[1]["row"].astype(int)) == set(np.flatnonzero(leverage > 3 * leverage.mean()))


def test_several_classes_have_errors_over_leverage(charted):
    page, study = charted("classes")
    parts = [columns(page, "residuals", kind) for kind in ("usual", "pulling")]
    row = np.concatenate([part["row"] for part in parts]).astype(int)
    error = np.concatenate([part["y"] for part in parts])
    X, _, y, *_ = figure_studies.diabetes()
    eta = X[:, :4] @ study.coef().T + study.intercept()
    own = eta[np.arange(len(y)), np.digitize(y, [100, 180])] - np.log(np.exp(eta).sum(axis=1))
    np.testing.assert_allclose(error, np.sqrt(-2 * own)[row], rtol=1e-5)
    leverage = np.concatenate([part["leverage"] for part in parts])
    across = np.concatenate([part["x"] for part in parts])
    np.testing.assert_allclose(
        across, [float(str(each).replace("\N{MINUS SIGN}", "-")) for each in leverage], rtol=1e-2
    )
    said = next(chart.how_to_read for chart in charts_for("classes") if chart.name == "residuals")
    assert "probability of one half" in said


def test_a_network_shows_what_was_measured_and_its_layers(charted):
    page, study = charted("network")
    found, dots = study.path.measured, columns(page, "trusted", "measured")
    np.testing.assert_allclose(dots["x"], np.log10(found.alphas))
    np.testing.assert_allclose(dots["y"], found.change)
    np.testing.assert_allclose(columns(page, "trusted", "noise")["high"] - found.change, 1.96 * found.noise)
    np.testing.assert_allclose(
        10.0 ** np.array(model(page, "trusted", "trusted", "left", "right")), study.path.trusted, rtol=1e-9
    )
    go(page, alpha=0.05)
    bars = columns(page, "layers", "used")
    np.testing.assert_allclose(10 ** bars["right"], study.path.effective_by_layer(0.05), rtol=1e-3)
    slopes = columns(page, "slopes", "bars")
    by_group = reading.slopes(study)[0].by_group
    np.testing.assert_allclose(slopes["right"], [by_group[name] for name in slopes["name"]], rtol=1e-9)


def test_tables_hold_the_present_numbers(charted):
    page, study = charted("ten")
    go(page, alpha=0.0213)
    table = page.evaluate("charts.table('risk')")
    place = next(i for i, head in enumerate(table["heads"]) if head.startswith("GCV"))
    now = next(row for row in table["rows"] if row[0] == 0.0213)
    np.testing.assert_allclose(now[place], study.risk["gcv"](0.0213), rtol=1e-6)
    first = page.evaluate("charts.table('coefficients').rows[0]")
    largest = np.abs(study.coef(0.0213)).argmax()
    assert first[0] == study.weight_names[largest]
    np.testing.assert_allclose(first[1:], [study.coef(0.0213)[largest], study.coef()[largest]], rtol=1e-6)


# --- moved --------------------------------------------------------------------------------------------


def test_another_target_has_its_own_numbers(charted):
    page, study = charted("targets")
    go(page, target=2, alpha=0.02)
    points = columns(page, "coefficients", "points")
    scale, _ = scale_of(study)
    here = dict(zip(study.weight_names, study.coef(0.02)[2] * scale, strict=True))
    np.testing.assert_allclose(points["y"], [here[name] for name in points["name"]], rtol=1e-6, atol=1e-9)


def test_strengths_are_marked_at_the_edges_where_the_axis_cannot_hold_them(charted):
    page, study = charted("ten")
    assert model(page, "risk", "now-line", "visible") == [False]
    chosen = model(page, "risk", "chosen-line", "location", "visible")
    assert chosen == [pytest.approx(np.log10(float(study.alpha))), True]
    ends = page.evaluate("[panels.risk.sheet.figure.x_range.start, panels.risk.sheet.figure.x_range.end]")
    for alpha, end, word in ((0, ends[0], "α = 0"), (np.inf, ends[1], "α = ∞")):
        go(page, alpha=alpha)
        assert model(page, "risk", "now-line", "location", "visible") == [end, True]
        assert model(page, "risk", "now-word", "text") == [word]


def test_a_strength_beyond_the_axis_widens_it(charted):
    page, _ = charted("ten")
    go(page, alpha=1e9)
    assert page.evaluate("panels.risk.sheet.figure.x_range.end") > 9


def test_axes_are_labelled_in_round_strengths(charted):
    page, _ = charted("ten")
    axis = "panels.risk.sheet.figure.below[0]"
    ticks, said = page.evaluate(f"[{axis}.ticker.ticks, Array.from({axis}.major_label_overrides.values())]")
    assert len(ticks) > 3
    assert all(tick == round(tick) for tick in ticks)
    assert said == page.evaluate("(ticks) => ticks.map((each) => frame.tick(10 ** each))", ticks)


def test_coefficients_over_the_effective_parameters(charted):
    page, study = charted("ten")
    go(page, axis="gamma", alpha=0.0213)
    line = page.evaluate("columns('coefficients', 'strong').xs[0]")
    np.testing.assert_allclose(
        line, study.path.effective_parameters(page.evaluate("Array.from(study.grid)")), rtol=1e-6
    )
    marked = model(page, "coefficients", "now-line", "location")[0]
    np.testing.assert_allclose(marked, study.path.effective_parameters(0.0213), rtol=1e-6)
    assert (
        page.evaluate("panels.coefficients.sheet.figure.below[0].axis_label") == "effective parameters γ(α)"
    )
    go(page, axis="alpha")
    np.testing.assert_allclose(model(page, "coefficients", "now-line", "location"), np.log10(0.0213))


def test_columns_that_are_searched_for_are_strong_and_the_rest_pale(charted):
    page, _ = charted("many")
    names = page.evaluate("study.columns.map((column) => column.name)")
    before = columns(page, "coefficients", "strong")["name"]
    assert len(before) == 8
    assert len(columns(page, "coefficients", "pale")["name"]) == LINES - 8
    go(page, highlight=[70, 3])
    assert set(columns(page, "coefficients", "strong")["name"]) == {names[70], names[3]}
    pale = columns(page, "coefficients", "pale")["name"]
    assert len(pale) == LINES - 2
    assert names[70] not in pale
    go(page, highlight=[])
    assert list(columns(page, "coefficients", "strong")["name"]) == list(before)
    dots = [columns(page, "shrinkage", band)["x"] for band in ("kept", "fading", "gone")]
    assert sum(map(len, dots)) == 500


def test_a_direction_that_is_pointed_at_has_a_ring(charted):
    page, study = charted("ten")
    assert len(columns(page, "shrinkage", "pointed")["x"]) == 0
    go(page, direction=3)
    ring = columns(page, "shrinkage", "pointed")
    np.testing.assert_allclose(ring["x"], np.log10(study.spectrum.eigenvalues[3]))


CLICKED = ("risk", "effective_parameters", "optimism", "coefficients")


@pytest.mark.parametrize("chart", CLICKED)
def test_a_click_sets_the_strength_under_it(charted, chart):
    page, study = charted("ten")
    place = """(chart) => {
      const { sheet, view, box } = panels[chart];
      const { x, y } = box.getBoundingClientRect();
      const { bbox, x_scale } = view.frame;
      const at = 0.3 * bbox.left + 0.7 * bbox.right;
      return [x + at, y + 0.5 * (bbox.top + bbox.bottom), x_scale.invert(at)];
    }"""
    x, y, wanted = page.evaluate(place, chart)
    page.mouse.click(x, y)
    until(page, "state.alpha !== study.chosen(0)")
    alpha = page.evaluate("state.alpha")
    if chart == "optimism":
        grid = page.evaluate("Array.from(study.grid)")
        apart = np.abs(study.path.effective_parameters(np.array(grid)) - wanted)
        np.testing.assert_allclose(alpha, grid[apart.argmin()], rtol=1e-3)
    else:
        assert abs(np.log10(alpha) - wanted) < 0.05


def test_what_was_zoomed_into_stays_while_the_strength_moves(charted):
    page, _ = charted("ten", viewport=TALL)
    page.evaluate("panels.risk.sheet.figure.x_range.setv({ start: -3, end: -2.8 })")
    go(page, alpha=0.0213)
    assert page.evaluate("panels.risk.sheet.figure.x_range.start") == -3
    ticks = page.evaluate("panels.risk.sheet.figure.below[0].ticker.ticks")
    assert ticks
    assert all(-3 <= tick <= -2.8 for tick in ticks)


def test_what_is_out_of_sight_is_drawn_when_it_is_seen_or_saved(charted):
    page, study = charted("ten", viewport={"width": 700, "height": 300})
    until(page, "panels.residuals.seen === false && panels.effective_parameters.seen === false")
    before = columns(page, "effective_parameters", "points")["y"]
    go(page, alpha=0.0213)
    np.testing.assert_array_equal(columns(page, "effective_parameters", "points")["y"], before)
    page.locator("#chart-effective_parameters").scroll_into_view_if_needed()
    until(page, "panels.effective_parameters.stale === false")
    np.testing.assert_allclose(
        columns(page, "effective_parameters", "points")["y"],
        study.path.effective_parameters(0.0213),
        rtol=1e-6,
    )


# --- read, saved, printed -----------------------------------------------------------------------------


def test_names_are_words_at_the_pointer_and_in_the_picture(charted):
    page, study = charted("hostile")
    place = """(name) => {
      const { view, box } = panels.coefficients;
      const { xs, ys, name: names } = columns("coefficients", "strong");
      const line = names.indexOf(name);
      const { x, y } = box.getBoundingClientRect();
      return [x + view.frame.x_scale.compute(xs[line][3]), y + view.frame.y_scale.compute(ys[line][3])];
    }"""
    largest = str(columns(page, "coefficients", "strong")["name"][0])
    assert largest in study.weight_names
    x, y = page.evaluate(place, largest)
    page.mouse.move(x - 1, y)
    page.mouse.move(x, y)
    page.get_by_text(largest, exact=True).wait_for()
    text = exported(page, "coefficients", "svg")[1].decode()
    assert set(columns(page, "coefficients", "strong")["name"]) == set(HOSTILE)
    assert "<img" not in text
    assert "boo" not in page.evaluate("Object.keys(window).join()")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_are_saved_as_they_look(charted, scheme):
    page, _ = charted("ten", color_scheme=scheme)
    said, png = exported(page, "risk", "png")
    assert said == "image/png"
    assert png.startswith(b"\x89PNG")
    assert int.from_bytes(png[16:20], "big") == int(page.locator("#chart-risk").bounding_box()["width"])
    said, svg = exported(page, "risk", "svg")
    assert said == "image/svg+xml"
    root = ET.fromstring(svg)
    paper = {"light": "#ffffff", "dark": "#1a2027"}[scheme]
    assert root[0].attrib == {"width": "100%", "height": "100%", "fill": paper}
    words = {"".join(part.itertext()) for part in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"strength α", "half mean squared error", "leave-one-out", "GCV"} <= words


def test_colours_are_those_of_the_page_and_turn_with_it(charted):
    page, _ = charted("ten", color_scheme="light")
    asked = """() => [panels.risk.sheet.known("drawn-loo").glyph.line_color.value,
      known("risk", "x").axis_label_text_color, columns("risk", "points-left").color[0]]"""
    light = page.evaluate(asked)
    assert light[:2] == ["#0072b2", "#1c2430"]
    page.emulate_media(color_scheme="dark")
    page.evaluate("charts.theme(); drawn()")
    dark = page.evaluate(asked)
    assert dark[:2] == ["#4aa3e0", "#e8ecf1"]
    assert light[2] != dark[2]


def test_paper_gets_a_picture_that_fits_and_the_screen_its_chart_back(charted):
    page, _ = charted("ten", color_scheme="dark")
    page.evaluate("document.documentElement.classList.add('printing'); charts.theme()")
    picture = page.locator("#chart-risk > canvas")
    picture.wait_for()
    page.set_viewport_size({"width": 400, "height": 900})
    assert picture.bounding_box()["width"] < 400
    assert page.evaluate("panels.risk.view.el.style.display") == "none"
    page.evaluate("document.documentElement.classList.remove('printing'); charts.theme()")
    picture.wait_for(state="detached")
    assert page.evaluate("panels.risk.view.el.style.display") == ""


def test_nothing_in_a_chart_can_be_tabbed_to(charted):
    page, _ = charted("ten")
    for _ in range(3):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.tagName") == "BODY"


@pytest.mark.parametrize("width", [390, 1920])
def test_charts_fit_any_width(charted, width):
    page, _ = charted("polynomial", viewport={"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") == width
    for box in page.locator(".chart").all():
        figure = box.locator("> div").bounding_box()
        assert 0.5 * min(width, 1000) < figure["width"] <= width
    few = model(page, "risk", "legend", "ncols") == [1]
    assert few == (width == 390)
    plot = page.evaluate("panels.risk.view.frame.bbox.height")
    assert plot > 200  # a long legend does not squeeze it


def test_the_page_needs_no_other():
    page = charted_page("ten")
    assert len(page) < 2.2e6
    assert "</script" not in bokeh_js()
    assert "cdn.bokeh.org" not in re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
