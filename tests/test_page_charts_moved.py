"""The charts of the page as they are moved, read, saved and printed, in a real browser (M5, M8, M18)."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from chart_pages import (
    HOSTILE,
    TALL,
    charted,
    charted_files,
    charted_page,
    charted_shared,
    columns,
    exported,
    go,
    model,
    until,
)
from eigenshrink.plots.coefficients import scale_of
from eigenshrink.report.charts import bokeh_js
from eigenshrink.report.charts.words import LINES

__all__ = ["charted", "charted_files", "charted_shared"]


def drawn_words(svg):
    return ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")


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
    words = {"".join(part.itertext()) for part in drawn_words(svg)}
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


def test_a_picture_has_the_colours_that_were_set_just_before(charted):
    page, _ = charted("ten", color_scheme="dark")
    page.emulate_media(color_scheme="light")
    seen = page.evaluate("""async () => {
      charts.theme();
      const image = await createImageBitmap(await charts.export("coefficients", "png"));
      const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
      context.drawImage(image, 0, 0);
      const bytes = context.getImageData(0, 0, image.width, image.height).data;
      const found = new Set();
      for (let i = 0; i < bytes.length; i += 4) {
        found.add((bytes[i] << 16) + (bytes[i + 1] << 8) + bytes[i + 2]);
      }
      return [0x007d5b, 0x3fcf9f, 0x0072b2, 0x4aa3e0, 0xffffff, 0x1a2027].map((color) => found.has(color));
    }""")
    assert seen == [True, False] * 3  # mark, largest coefficient, paper; of the light page, not the dark one


def test_names_of_targets_are_no_formulas(charted):
    page, study = charted("hostile")
    for target, name in enumerate(study.target_names):
        go(page, target=target)
        heading = model(page, "risk", "heading", "text")[0]
        assert heading.replace("\N{WORD JOINER}", "").startswith(f"{name}, α = ")
        words = {"".join(part.itertext()) for part in drawn_words(exported(page, "risk", "svg")[1])}
        assert heading in words  # as a formula it would be left out


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
