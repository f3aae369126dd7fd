"""The three steps of the report in a real browser, and what both drawings have: tables, files, looks (M7)."""

from __future__ import annotations

import base64
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from drawn_pages import CLOSE, arrow, go, line, planes, scrub, spot, spot_of_star, table
from drawn_studies import LONG, drawn_study, weights
from eigenshrink.plots import reading
from eigenshrink.plots.plane import plane_of


@pytest.fixture(name="shown")
def _shown(drawn_page):
    return lambda kind="ten", **options: drawn_page(drawn_study(kind), **options)


@pytest.fixture(name="timed")
def _timed(timed_drawing):
    return lambda **options: timed_drawing(drawn_study("ten"), **options)


# --- the three steps ----------------------------------------------------------------------------------


def moved(plane, alpha, time):
    """Where the arrow is at a time, from matrices (M7)."""
    whole = np.arctan2(plane.rotation[1, 0], plane.rotation[0, 0])

    def turn(angle):
        return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])

    rotated = turn(-whole * min(time, 1)) @ plane.centre
    done = min(max(time - 1, 0), 1)
    return turn(whole * max(time - 2, 0)) @ ((1 + done * (plane.shrinkage(alpha) - 1)) * rotated)


def plane_shown(page, alpha):
    """The plane that stands first, as the figures make it."""
    name = page.evaluate("study.planes(0)[0].id")
    pair = [int(place) for place in name[1:].split("-")]
    return plane_of(reading.seen(drawn_study("ten"), alpha), 0, alpha, None, pair)


@pytest.mark.parametrize("alpha", [0.0, 0.034, np.inf])
def test_the_arrow_moves_as_the_matrices_say(shown, alpha):
    page = shown()
    plane = plane_shown(page, 0.034)
    go(page, alpha=alpha)
    for time in (0, 0.4, 1, 1.7, 2, 2.3, 3):
        scrub(page, time)
        np.testing.assert_allclose(arrow(page), moved(plane, alpha, time), **CLOSE)
    np.testing.assert_allclose(spot(page, "steps", ".goal"), plane.solution(alpha), **CLOSE)


@pytest.mark.parametrize("alpha", [0.0, 0.034, np.inf])
def test_each_step_is_told_with_its_angle_and_its_factors(shown, alpha):
    page = shown()
    go(page, alpha=alpha)
    plane = plane_shown(page, 0.034)
    degrees = np.degrees(np.arctan2(plane.rotation[1, 0], plane.rotation[0, 0]))
    ways = ("anticlockwise", "clockwise") if degrees < 0 else ("clockwise", "anticlockwise")
    first, second = (float(f"{share:.3g}") for share in plane.shrinkage(alpha))
    wanted = {
        0: "Start: the arrow is w*",
        0.4: f"1. Rotate by Qᵀ, {abs(degrees):.3g}° {ways[0]}",
        1.7: f"2. Scale the two coordinates by {first:g} and {second:g}",
        2.5: f"3. Rotate back by Q, {abs(degrees):.3g}° {ways[1]}",
        3: "End: the arrow is w̃",
    }
    for time, said in wanted.items():
        scrub(page, time)
        assert page.inner_text("#steps-told").startswith(said)
        assert page.get_attribute("#steps-time", "aria-valuetext") == page.text_content("#steps-told")


def test_the_axes_are_the_directions_while_it_is_scaled(shown):
    page, names = (
        shown(),
        "[...document.querySelectorAll('#steps-picture text.name')].map((one) => one.textContent)",
    )
    scrub(page, 0.5)
    assert any("nearest to" in name for name in page.evaluate(names))
    scrub(page, 1.5)
    assert all("direction" in name for name in page.evaluate(names))


def test_playing_passes_all_three_steps_and_says_where_it_rests(timed):
    page = timed()
    page.focus("[data-part=play]")
    page.keyboard.press("Space")
    assert page.inner_text("[data-part=play]") == "Pause"
    seen = []
    for _ in range(12):
        page.clock.run_for(400)
        seen.append(float(page.input_value("#steps-time")))
    assert seen == sorted(seen)
    assert seen[-1] == 3
    assert {np.ceil(time) for time in seen} == {1, 2, 3}
    assert page.inner_text("[data-part=play]") == "Play"
    page.clock.run_for(600)
    assert page.text_content("[data-part=announced]") == page.text_content("#steps-told")
    np.testing.assert_allclose(arrow(page), spot(page, "contour", ".solution"), **CLOSE)


def test_one_step_at_a_time_and_the_strength_moves_meanwhile(timed):
    page = timed()
    page.click("[data-part=on]")
    page.clock.run_for(1500)
    assert page.input_value("#steps-time") == "1"
    go(page, alpha=0.4)
    assert page.input_value("#steps-time") == "1"
    page.click("[data-part=on]")
    page.clock.run_for(1500)
    assert page.input_value("#steps-time") == "2"
    page.click("[data-part=back]")
    assert page.input_value("#steps-time") == "1"


def test_who_wants_no_motion_sees_whole_steps_only(timed):
    page = timed(reduced_motion="reduce")
    page.click("[data-part=play]")
    seen = set()
    for _ in range(24):
        page.clock.run_for(200)
        seen.add(page.input_value("#steps-time"))
    assert seen == {"1", "2", "3"}


# --- where there is no plane --------------------------------------------------------------------------


def test_one_direction_is_drawn_as_parabolas(shown):
    study, page = drawn_study("one"), shown("one")
    go(page, alpha=0.002)
    root = np.sqrt(reading.factors(reading.seen(study, 0.002))[0])
    curvature, best = study.path.spectrum.eigenvalues[0], abs(root * weights(study, 0.0)[0])
    now = root * weights(study, 0.002)[0]
    v, height = line(page, "contour", "loss").T
    np.testing.assert_allclose(
        height, 0.5 * curvature * (np.abs(v - spot_of_star(page)[0])) ** 2, rtol=1e-3, atol=1e-2
    )
    assert abs(spot_of_star(page)[0]) == pytest.approx(best, rel=1e-6)
    at = spot(page, "contour", ".solution >> visible=true")
    assert abs(at[0]) == pytest.approx(abs(now), rel=1e-6)
    lowest = line(page, "contour", "path.curve")
    assert at[1] == pytest.approx(lowest[:, 1].min(), rel=1e-3)
    assert "only direction" in page.inner_text("#contour-told")
    assert not page.is_visible("#plane-of")
    scrub(page, 1.5)
    assert "Scale the only coordinate by" in page.inner_text("#steps-told")
    assert np.hypot(*arrow(page)) == pytest.approx((best + abs(now)) / 2, rel=1e-6)


def test_nothing_to_draw_is_said(shown):
    page = shown("free")
    for name in ("contour", "steps"):
        assert page.inner_text(f"#{name}-told").startswith("Nothing to draw: no penalised column varies")
        assert not page.is_visible(f"#{name}-picture")
        assert table(page, name) == {}
    assert page.is_disabled("[data-part=play]")


def test_another_loss_says_which_quadratic_is_drawn(shown):
    page = shown("classes")
    assert "quadratic at α =" in page.inner_text("[data-part=note]")
    assert shown().inner_text("[data-part=note]") == ""


# --- names, tables, files, looks ----------------------------------------------------------------------


def test_names_of_columns_are_text(shown):
    page, seen = shown("hostile"), ""
    for one in planes(page, "columns"):
        go(page, plane=one["id"])
        assert page.locator(".figures img, .figures script").count() == 0
        assert len(page.text_content("#plane-of option:checked")) < 60
        seen += "".join(page.locator("#contour-picture text.name").all_text_contents())
    assert "<script>" in seen
    assert "<img src" in seen
    page.evaluate(
        "(name) => frame.write(document.querySelector('#contour-picture text.name'), name, 44)", LONG
    )
    name = page.locator("#contour-picture text.name").first
    assert name.locator("title").text_content() == LONG
    assert name.text_content().startswith(LONG[:20])


def test_the_numbers_behind_a_picture_are_written_when_they_are_asked_for(shown):
    page = shown()
    for name in ("contour", "steps"):
        figure = page.locator(f"#figure-{name}")
        assert figure.locator("tbody tr").count() == 0
        figure.get_by_text("The numbers behind this picture").click()
        figure.locator("tbody tr").first.wait_for()
        cells = figure.locator("td.number").evaluate_all(
            "(all) => all.map((one) => Number(one.dataset.value))"
        )
        assert cells == list(table(page, name).values())
    go(page, alpha=0.5)
    found = page.locator("#figure-contour td.number").first
    assert (found.get_attribute("data-value"), found.inner_text()) == ("0.5", "0.5")
    told = table(page, "steps")
    scaled = {along: value for (what, along), value in told.items() if what == "scaled"}
    assert len(scaled) == 2
    for along, value in scaled.items():
        assert value == pytest.approx(told["rotated", along] * told["factor, λ/(λ+α)", along])


def saved(page, name, kind):
    """Type and bytes of a drawing as a file."""
    found = page.evaluate(
        """async ([name, kind]) => { const blob = await plane.export(name, kind);
        const bytes = new Uint8Array(await blob.arrayBuffer());
        return [blob.type, btoa(Array.from(bytes, (one) => String.fromCharCode(one)).join(""))]; }""",
        [name, kind],
    )
    return found[0], base64.b64decode(found[1])


@pytest.mark.parametrize(
    ("scheme", "paper", "loss"),
    [("light", "#ffffff", "rgb(0, 114, 178)"), ("dark", "#1a2027", "rgb(74, 163, 224)")],
)
@pytest.mark.parametrize("name", ["contour", "steps"])
def test_a_drawing_is_saved_with_its_colours_in_it(shown, scheme, paper, loss, name):
    page = shown(color_scheme=scheme)
    kind, made = saved(page, name, "svg")
    assert kind == "image/svg+xml"
    assert b"var(" not in made
    root = ET.fromstring(made)
    parts = list(root.iter())
    assert not [part for part in parts if "class" in part.attrib]
    assert root[0].get("fill") == paper
    assert loss in {part.get("stroke") for part in parts}
    lines = [part.text for part in parts if part.get("font-size") == "12.5px"]
    assert " ".join(lines).split() == page.text_content(f"#{name}-told").split()
    kind, made = saved(page, name, "png")
    assert (kind, made[:8]) == ("image/png", b"\x89PNG\r\n\x1a\n")
    assert int.from_bytes(made[16:20], "big") == 2 * float(root.get("width"))


@pytest.mark.parametrize("width", [390, 1920])
@pytest.mark.parametrize("kind", ["ten", "hostile"])
def test_nothing_sticks_out_at_any_width(shown, width, kind):
    page = shown(kind, viewport={"width": width, "height": 900})
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    for group in ("directions", "columns"):
        go(page, plane=planes(page, group)[0]["id"])
        assert page.evaluate("document.documentElement.scrollWidth") == width
    boxes = page.evaluate(
        "[...document.querySelectorAll('.picture text')].map((one) => one.getBoundingClientRect())"
        ".map((box) => [box.left, box.right])"
    )
    assert boxes
    assert all(0 <= left <= right <= width for left, right in boxes)


def test_print_keeps_the_pictures_and_drops_controls(shown):
    page = shown(color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.is_visible("#contour-picture")
    assert page.is_visible("#steps-picture")
    assert not page.is_visible("#plane-of")
    assert not page.is_visible("[data-part=play]")
    ink = page.evaluate("getComputedStyle(document.querySelector('#contour-picture .path')).stroke")
    assert ink == "rgb(28, 36, 48)"


def test_pictures_and_controls_have_names(shown):
    page = shown()
    for picture in page.locator("svg").all():
        described = picture.get_attribute("aria-labelledby")
        assert page.inner_text(f"#{described}")
    nameless = page.evaluate("""() => [...document.querySelectorAll("input, button, select, table, .scroll")]
        .filter((it) => !(it.getAttribute("aria-label") || it.labels?.length || it.textContent.trim()))
        .map((it) => it.outerHTML)""")
    assert nameless == []
