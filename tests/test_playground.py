"""The playground in a real browser: what it draws and says is what the formulas say (M5-M10)."""

from __future__ import annotations

import re
import webbrowser
from importlib.resources import files

import numpy as np
import pytest

from cli_runs import run
from eigenshrink.browser import playground, source
from eigenshrink.cli.screen import has_screen
from eigenshrink.plots.text import number
from playgrounds import STAR, check, drawn, enter, numbers, settings, slide, solve, to_page


@pytest.fixture(name="page")
def _page(playground_page):
    return playground_page


@pytest.fixture(name="timed")
def _timed(timed_playground):
    return timed_playground


# --- opening ------------------------------------------------------------------------------------------


def test_it_opens_from_disk_whole_and_as_the_folder_of_the_package(open_page, playground_file):
    whole, folder = (
        open_page(playground_file),
        open_page(files("eigenshrink.browser") / "playground.html"),
    )
    assert whole.title() == folder.title()
    assert numbers(whole).keys() == numbers(folder).keys()
    np.testing.assert_array_equal(check(whole)["solution"], check(folder)["solution"])


def test_the_file_needs_no_other():
    page = playground()
    assert re.findall(r'(?:src|href)="([^"]*)"', page) == ["data:,"]
    assert set(re.findall(r"https?://[^\"\s]*", page)) == {"http://www.w3.org/2000/svg"}
    scripts = re.findall(r'<script src="(.*?)">', source("playground.html"))
    assert scripts[0] == "maths.js"
    assert not [name for name in scripts if "</script" in source(name).lower()]
    assert all(source(name) in page for name in (*scripts, "playground.css"))


@pytest.mark.parametrize("width", [390, 1920])
def test_nothing_sticks_out_at_any_width(open_page, playground_file, width):
    page = open_page(playground_file, viewport={"width": width, "height": 900})
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    for control in page.locator("input, button, svg").all():
        box = control.bounding_box()
        assert 0 <= box["x"] <= box["x"] + box["width"] <= width


def test_dark_paper_where_the_reader_likes_it(open_page, playground_file):
    ink = {}
    for scheme in ("light", "dark"):
        page = open_page(playground_file, color_scheme=scheme)
        ink[scheme] = page.evaluate(
            "names => names.map((name) => getComputedStyle(document.body).getPropertyValue(name))",
            ["--paper", "--ink", "--loss"],
        )
        seen = page.evaluate("getComputedStyle(document.querySelector('section')).backgroundColor")
        assert seen == {"light": "rgb(255, 255, 255)", "dark": "rgb(26, 32, 39)"}[scheme]
    assert not set(ink["light"]) & set(ink["dark"])


def test_print_keeps_pictures_and_numbers_and_drops_controls(page):
    page.emulate_media(media="print")
    assert not page.is_visible("#alpha")
    assert not page.is_visible("#play")
    assert page.is_visible("#touch-picture")
    assert page.is_visible("#said")
    assert page.is_visible("#numbers table")


# --- numbers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["0.037", "0", "∞", "inf", "1e-7", "0,5", "123456", " 2 "])
def test_numbers_at_a_typed_strength(page, typed):
    enter(page, "alpha-typed", typed)
    wanted = np.inf if typed in ("∞", "inf") else float(typed.replace(",", "."))
    assert settings(page)[3] == wanted
    check(page)
    assert f"At α = {number(wanted)} " in page.inner_text("#said")


def test_numbers_after_sliders_moved(page):
    for slider, value in (("alpha", 133), ("first", 20), ("second", 170), ("degrees", 77), ("first", 0)):
        before = settings(page)
        slide(page, slider, value)
        assert not all(np.array_equal(one, two) for one, two in zip(before, settings(page), strict=True))
        check(page)


def test_typed_curvatures_angle_and_star(page):
    for field, text in (("first-typed", "0.3"), ("second-typed", "7"), ("degrees-typed", "123.5")):
        enter(page, field, text)
    enter(page, "star-1", "-1.5")
    enter(page, "star-2", "3.25")
    told = check(page)
    np.testing.assert_array_equal(told["lambda"], [0.3, 7])
    np.testing.assert_array_equal(told["minimiser"], [-1.5, 3.25])


def test_both_ends_of_alpha_can_be_reached(page):
    for way, wanted in (("#alpha-zero", 0.0), ("#alpha-infinite", np.inf)):
        page.click(way)
        assert settings(page)[3] == wanted
        check(page)
    for key, wanted in (("Home", 0.0), ("End", np.inf)):
        page.press("#alpha", key)
        assert settings(page)[3] == wanted
    assert page.get_attribute("#alpha", "aria-valuetext") == "∞"
    page.press("#alpha", "ArrowLeft")
    assert settings(page)[3] == 1e4


@pytest.mark.parametrize(("field", "text"), [("alpha-typed", "-1"), ("alpha-typed", "much"), ("star-1", "9")])
def test_what_cannot_be_is_refused_in_words_and_the_last_number_stays(page, field, text):
    before = numbers(page)
    enter(page, field, text)
    told = page.inner_text("#refused")
    assert text in told
    assert "from" in told
    assert page.get_attribute(f"#{field}", "aria-invalid") == "true"
    np.testing.assert_array_equal(numbers(page)["solution"], before["solution"])
    enter(page, field, "1")
    assert page.inner_text("#refused") == ""
    check(page)


def test_numbers_are_written_as_in_the_library(page):
    rng = np.random.default_rng(4)
    values = [*(rng.normal(size=200) * 10.0 ** rng.integers(-9, 12, 200)), 0.0, np.inf, -np.inf, np.nan, 1e-5]
    found = page.evaluate("(values) => values.map((value) => frame.number(value, 4))", [*map(float, values)])
    assert found == [number(value) for value in values]
    assert page.evaluate("frame.number(null)") == number(None)


def test_sentences_follow_and_are_read_out_when_it_is_quiet(timed):
    timed = timed()
    enter(timed, "alpha-typed", "2")
    assert "Direction 1 keeps 50 %, direction 2 keeps 11.1 %: 0.611 of 2" in timed.inner_text("#said")
    assert timed.inner_text("#announced") == ""
    timed.clock.run_for(600)
    assert timed.inner_text("#announced") == timed.inner_text("#said")
    enter(timed, "first-typed", "0")
    assert "no single lowest point" in timed.inner_text("#said")


# --- the pictures -------------------------------------------------------------------------------------


def test_the_heavy_pair_is_the_one_that_touches(page):
    enter(page, "alpha-typed", "0.2")
    eigenvalues, Q, minimiser, alpha = settings(page)
    solution = solve(eigenvalues, Q, minimiser, alpha)
    away = Q.T @ (solution - minimiser)
    size = np.sqrt(eigenvalues @ away**2)
    ellipse = page.locator("#touch-picture .loss.heavy")
    rings = [float(ellipse.get_attribute(name)) for name in ("rx", "ry")]
    np.testing.assert_allclose(rings, 50 * size / np.sqrt(eigenvalues), rtol=1e-9)
    turned = re.findall(r"-?[\d.]+", ellipse.get_attribute("transform"))
    np.testing.assert_allclose([float(value) for value in turned], [*to_page(minimiser), 30], atol=1e-3)
    np.testing.assert_allclose(
        drawn(page, "#touch-picture .penalty.heavy", "rx"), 50 * np.hypot(*solution), rtol=1e-9
    )
    np.testing.assert_allclose(
        drawn(page, "#touch-picture .solution", "cx", "cy"), to_page(solution), rtol=1e-9
    )


def test_the_path_runs_from_the_star_to_zero_through_every_solution(page):
    eigenvalues, Q, minimiser, _ = settings(page)
    corners = re.findall(r"[\d.-]+ [\d.-]+", page.get_attribute("#touch-picture .path", "d"))
    points = np.array([corner.split() for corner in corners], dtype=float)
    np.testing.assert_allclose(points[0], to_page(minimiser), atol=2e-3)
    np.testing.assert_allclose(points[-1], to_page([0, 0]), atol=2e-3)
    for alpha in (0.01, 0.3, 5.0):
        solution = to_page(solve(eigenvalues, Q, minimiser, alpha))
        assert np.hypot(*(points - solution).T).min() < 2.0  # of 400, between two of its corners


def test_bars_are_as_long_as_the_shares(page):
    enter(page, "alpha-typed", "0.5")
    share = numbers(page)["share"]
    wide = [drawn(page, f"#keep-picture rect.{name}", "width")[0] for name in ("first", "second", "both")]
    np.testing.assert_allclose(np.array(wide) / 160, [*share, share.sum() / 2], rtol=1e-6)


def test_dragging_the_star_moves_the_solution(page):
    page.locator(STAR).scroll_into_view_if_needed()
    picture, before = page.locator("#touch-picture").bounding_box(), numbers(page)["solution"]
    unit = picture["width"] / 8
    box = page.locator(f"{STAR} .star").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(picture["x"] + 3 * unit, picture["y"] + 2 * unit, steps=4)
    np.testing.assert_allclose(check(page)["minimiser"], [-1, 2], atol=2 / unit)
    page.mouse.move(picture["x"] + 9 * unit, picture["y"] + 4 * unit)
    page.mouse.up()
    told = check(page)["minimiser"]
    assert told[0] == 3.84  # held at the edge
    assert np.hypot(*(numbers(page)["solution"] - before)) > 0.1
    page.mouse.move(picture["x"] + 7.75 * unit, picture["y"] + 4.1 * unit, steps=3)  # still over it
    np.testing.assert_array_equal(numbers(page)["minimiser"], told)  # let go


def test_a_finger_drags_the_star_and_not_the_page(open_page, playground_file):
    page = open_page(playground_file, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.evaluate("scrollTo(0, 450)")
    before, box = numbers(page)["minimiser"], page.locator(f"{STAR} .star").bounding_box()
    unit = page.locator("#touch-picture").bounding_box()["width"] / 8
    touch = page.context.new_cdp_session(page)

    def send(kind, *points):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    send("touchStart", {"x": x, "y": y})
    for part in np.linspace(0.1, 1, 10):
        send("touchMove", {"x": x - 2 * part * unit, "y": y + 3 * part * unit})
    send("touchEnd")
    page.wait_for_function("document.getElementById('star-2').value < -1.4")
    np.testing.assert_allclose(check(page)["minimiser"], before - [2, 3], atol=3 / unit)
    assert page.evaluate("scrollY") == 450


def test_the_star_moves_by_keys_finely_with_shift(page):
    page.focus(STAR)
    for key in ("ArrowLeft", "ArrowDown", "ArrowDown", "Shift+ArrowRight", "Shift+ArrowUp"):
        page.keyboard.press(key)
    np.testing.assert_allclose(check(page)["minimiser"], [2.51, 1.21], atol=1e-12)
    assert page.get_attribute(STAR, "aria-valuetext") == "2.51, 1.21"


# --- the command --------------------------------------------------------------------------------------


def test_the_command_writes_the_page_and_says_where(capsys, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or True)
    monkeypatch.setenv("DISPLAY", ":0")
    target = tmp_path / "new" / "page.html"
    code, out, err = run(capsys, "explore", "--output", target, "--no-open")
    assert (code, out.strip(), opened) == (0, str(target), [])
    assert str(target) in err
    assert target.read_text(encoding="utf-8") == playground()
    code, _, err = run(capsys, "explore", "--output", target)
    assert (code, err, opened) == (0, "", [target.as_uri()])


def test_without_a_screen_nothing_is_opened(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(webbrowser, "open", pytest.fail)
    code, _, err = run(capsys, "explore", "--output", tmp_path / "page.html")
    assert (code, "open " in err) == (0, True)
    monkeypatch.setattr("sys.platform", "darwin")
    assert has_screen()


def test_a_folder_is_no_page(capsys, tmp_path):
    code, _, err = run(capsys, "explore", "--output", tmp_path, "--no-open")
    assert code == 2
    assert "name a file in it" in err
