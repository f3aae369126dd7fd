"""The page in use: keyboard only, the three steps, tables, dark, narrow and wide, hostile names, a folder."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cli_runs import fit_once, run
from eigenshrink.chain import load
from eigenshrink.plots.text import number
from whole_pages import HOSTILE, SCREEN, ask, cells, page_file, said, settle, study_of, whole_page

__all__ = ["page_file", "whole_page"]
COEFFICIENTS = "#coefficients-live"
EXACT = {"rtol": 1e-6, "atol": 1e-9}


def step_to(page, selector, most=60):
    """Press Tab until something has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
            return
    pytest.fail(f"Tab never came to {selector}")


def column(page, place, box=COEFFICIENTS):
    return np.array(cells(page, box, place), dtype=float)


# --- keyboard only ------------------------------------------------------------------------------------


def test_keys_alone_move_the_strength_and_sort_a_table(whole_page):
    page, study = whole_page("diabetes"), study_of("diabetes")
    step_to(page, "#alpha")
    for key in ("ArrowRight", "ArrowRight", "PageDown", "Shift+ArrowLeft"):
        before = said(page)
        page.keyboard.press(key)
        settle(page)
        told = said(page)
        assert (told["alpha"] > before["alpha"]) == (key == "ArrowRight")
        assert_allclose(told["gamma"], study.path.effective_parameters(told["alpha"]), **EXACT)
        assert number(told["alpha"]) in page.inner_text("#now")
    step_to(page, "#alpha-number")
    page.keyboard.press("Control+A")
    page.keyboard.type("0,25")
    page.keyboard.press("Enter")
    settle(page)
    assert said(page)["alpha"] == 0.25
    step_to(page, "#alpha-reset")
    page.keyboard.press("Enter")
    settle(page)
    assert said(page)["alpha"] == study.alpha
    step_to(page, f"{COEFFICIENTS} th:nth-child(2) button", most=120)
    for key, sign in (("Enter", -1), ("Space", 1)):
        page.keyboard.press(key)
        assert np.all(sign * np.diff(column(page, 2)) >= 0)


# --- the three steps ----------------------------------------------------------------------------------


def test_the_three_steps_play_step_and_scrub(open_page, page_file):
    page = open_page(viewport=SCREEN)
    page.clock.install(time=0)
    page.goto(page_file("diabetes").as_uri())
    page.clock.pause_at(10_000)
    page.clock.run_for(1000)
    page.click("[data-part=play]")
    times, drawn = [], set()
    for _ in range(14):
        page.clock.run_for(400)
        times.append(float(page.input_value("#steps-time")))
        drawn.add(page.get_attribute("#steps-picture .chosen.arrow", "d"))
    assert times == sorted(times)
    assert times[-1] == 3
    assert {1, 2, 3} <= set(np.ceil(times))
    assert len(drawn) > 6
    page.click("[data-part=back]")
    page.clock.run_for(4000)
    assert float(page.input_value("#steps-time")) == 2
    assert page.inner_text("#steps-told").startswith("2. Scale")
    page.focus("#steps-time")
    page.keyboard.press("Home")
    page.clock.run_for(100)
    assert page.inner_text("#steps-told").startswith("Start")


# --- tables -------------------------------------------------------------------------------------------


def test_tables_sort_and_filter(whole_page):
    page = whole_page("cancer")
    for box, places in ((COEFFICIENTS, (2, 3)), ("#directions-live", (2, 4))):
        for place in places:
            for sign in (-1, 1):
                page.click(f"{box} th:nth-child({place}) button")
                assert np.all(sign * np.diff(column(page, place, box)) >= 0)
    page.click(f"{COEFFICIENTS} th:nth-child(1) button")
    names = study_of("cancer").feature_names
    assert cells(page, COEFFICIENTS, 1) == sorted(names)
    page.fill("#coefficient-search", "WORST radius")
    settle(page)
    assert cells(page, COEFFICIENTS, 1) == ["worst radius"]
    page.fill("#coefficient-search", "")
    settle(page)
    assert len(cells(page, COEFFICIENTS, 1)) == len(names)


# --- looks --------------------------------------------------------------------------------------------

INK = """() => ["body", "#now", "#answer", "#contour-picture", "figure h3"].map((one) => {
  const { color, backgroundColor } = getComputedStyle(document.querySelector(one));
  return [color, backgroundColor];
})"""
CORNER = """(name) => charts.export(name, "png").then(createImageBitmap).then((image) => {
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  return Array.from(context.getImageData(3, 3, 1, 1).data);
})"""
WIDER = """() => [...document.querySelectorAll("body *")]
  .filter((one) => !one.closest(".scroll, .unseen, svg *")
  && one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map((one) => `${one.tagName}#${one.id}.${one.className}`)"""


def test_dark_has_other_colours_on_the_page_and_in_its_charts(whole_page):
    page = whole_page("diabetes")
    light, paper = page.evaluate(INK), page.evaluate(CORNER, "risk")
    page.emulate_media(color_scheme="dark")
    settle(page)
    dark, night = page.evaluate(INK), page.evaluate(CORNER, "risk")
    for before, after in zip(light, dark, strict=True):
        assert before[0] != after[0]
    assert min(paper[:3]) > 200
    assert max(night[:3]) < 60
    page.emulate_media(color_scheme="light")
    settle(page)
    assert page.evaluate(INK) == light


@pytest.mark.parametrize("kind", ["diabetes", "wine", "network", "hostile targets"])
def test_nothing_hangs_out_of_narrow_and_of_wide_windows(whole_page, kind):
    page = whole_page(kind)
    for width in (390, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(WIDER) == []


# --- hostile names ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["hostile", "hostile targets"])
def test_names_are_text_and_do_nothing(whole_page, kind):
    page = whole_page(kind)
    ask(page, "0.1")
    for behind in page.query_selector_all("details:not([open]) > summary"):
        behind.click()
    for place in range(page.locator("#target option").count()):
        page.select_option("#target", str(place))
        settle(page)
        page.hover(f"{COEFFICIENTS} tbody tr")
    for part in page.query_selector_all("#plane-of option"):
        page.select_option("#plane-of", part.get_attribute("value"))
        settle(page)
    page.fill("#coefficient-search", "onerror")
    settle(page)
    assert cells(page, COEFFICIENTS, 1)
    assert all(HOSTILE[1] in name for name in cells(page, COEFFICIENTS, 1))
    page.fill("#coefficient-search", "")
    settle(page)
    assert page.evaluate("typeof bad") == "undefined"
    assert page.locator("img").count() == 0
    shown = page.inner_text("body")
    assert all(name in shown for name in HOSTILE)


def test_targets_are_picked_by_their_own_names(whole_page):
    page = whole_page("hostile targets")
    assert page.locator("#target option").all_inner_texts() == list(HOSTILE[:2])
    assert HOSTILE[0] in page.title()


# --- wide data ----------------------------------------------------------------------------------------

DRAWN = """() => Bokeh.documents.flatMap((one) => one.roots()).flatMap((root) => [...root.references()])
  .filter((model) => model.type === "ColumnDataSource").flatMap((source) => Object.values(source.data))
  .reduce((total, column) => total + Array.from(column).flat().length, 0)"""
HEADINGS = """() => Bokeh.documents.flatMap((one) => one.roots()).flatMap((root) => [...root.references()])
  .map(({ text }) => String(text))"""


def test_ten_thousand_columns_draw_few_and_say_so(whole_page):
    page, study = whole_page("wide"), study_of("wide")
    listed, strengths = page.evaluate(
        "(({ columns, grid }) => [columns.length, grid.length])(live.open(JSON.parse(record.textContent)))"
    )
    thinned = f"{number(listed)} coefficients of {number(10_000)}"
    assert thinned in page.inner_text("#coefficients")
    assert page.locator(f"{COEFFICIENTS} tbody tr").count() <= 100
    assert page.evaluate(DRAWN) < 2 * 10_000 * strengths / 100  # places of all lines, were all of them drawn
    assert any(re.fullmatch(r"\d+ of 10\s000 coefficients", text) for text in page.evaluate(HEADINGS))
    before = page.evaluate("document.querySelectorAll('*').length")
    assert before < 6000
    for alpha in (0.21, 2.3, 31.0):
        ask(page, repr(alpha))
        told, coef = said(page), study.coef(alpha)
        assert_allclose(told["gamma"], study.path.effective_parameters(alpha), **EXACT)
        for name in [name for name in told if name.startswith("coefficient:")]:
            assert_allclose(told[name], coef[int(name.split(":")[1])], **EXACT)
    assert page.evaluate("document.querySelectorAll('*').length") <= before + 50


# --- a folder -----------------------------------------------------------------------------------------


def test_the_page_of_a_folder_says_the_same_again(open_page, tmp_path, capsys):
    folder = fit_once(tmp_path)[0]
    first = shutil.move(folder / "report.html", folder / "first.html")
    assert run(capsys, "report", folder)[0] == 0
    old, new = (open_page(file, viewport=SCREEN) for file in (first, folder / "report.html"))
    study = load(folder / "study.npz")
    for text in (None, "0.0123", "4.56", "inf"):
        for page in (old, new):
            settle(page)
            if text:
                ask(page, text)
        before, again = said(old), said(new)
        assert again.keys() == before.keys()
        for name, value in before.items():
            assert_allclose(again[name], value, **EXACT, err_msg=f"{name} at {text}")
        assert_allclose(again["gamma"], study.path.effective_parameters(again["alpha"]), **EXACT)
    assert said(new)["alpha"] == np.inf
