"""The page saved, printed, in the dark, on a telephone, and with names that want to do harm."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from numpy.testing import assert_allclose

from moving_pages import EXACT, enter, file_of, frame, opened, page, shared_page, shown, study_of
from report_pages import EVIL

__all__ = ["page", "shared_page"]


# --- files --------------------------------------------------------------------------------------------


def saved(page, button):
    with page.expect_download() as waiting:
        page.click(button)
    text = Path(waiting.value.path()).read_bytes().decode("utf-8")
    return waiting.value.suggested_filename, text


def test_the_state_is_saved(page):
    study = study_of("columns", "polynomial")
    enter(page, "0.0123")
    name, text = saved(page, "#download-json")
    found = json.loads(text, parse_constant=pytest.fail)
    assert name == "eigenshrink.json"
    assert found["strength"]["alpha"] == 0.0123
    assert_allclose(found["strength"]["gamma"], study.path.effective_parameters(0.0123), rtol=EXACT)
    estimates = {each["name"]: each["estimate"] for each in found["coefficients"]}
    assert_allclose([estimates[name] for name in study.feature_names], study.coef(0.0123), rtol=EXACT)
    shares = [each["share kept"] for each in found["directions"]]
    assert_allclose(shares, study.path.shrinkage(0.0123)[: len(shares)], rtol=EXACT)
    name, text = saved(page, "#download-csv")
    assert name == "eigenshrink.csv"
    lines = list(csv.DictReader(io.StringIO(text)))
    assert {line["part"] for line in lines} == {"study", "strength", "coefficient", "direction"}
    again = {line["name"]: float(line["value"]) for line in lines if line["quantity"] == "estimate"}
    assert again == estimates
    enter(page, "inf")
    assert json.loads(saved(page, "#download-json")[1])["strength"]["alpha"] is None
    assert "strength,alpha,value,inf" in saved(page, "#download-csv")[1]


def test_a_spreadsheet_is_given_no_formula(open_page):
    page, study = opened(open_page, "here", "formulas"), study_of("here", "formulas")
    _, text = saved(page, "#download-csv")
    rows = list(csv.reader(io.StringIO(text)))
    names = list(dict.fromkeys(row[1] for row in rows if row[0] == "coefficient"))
    assert set(names) == {"'=1+1", "'+x", "'-y", "'@z", "q", 'a,"b"'} or set(names) == {
        "'=1+1",
        "'+x",
        "'-y",
        "'@z",
        " q",
        'a,"b"',
    }
    for row in rows[1:]:
        for cell in row:
            assert not re.match(r"[=+\-@\t\r]", cell) or re.fullmatch(r"-[\d.]+(e[+-]?\d+)?", cell)
    assert sum(coefficient < 0 for coefficient in study.coef()) > 0


def test_figures_are_saved(page):
    figures = page.eval_on_selector_all("figure", "(all) => all.map((one) => one.id)")
    assert len(figures) > 5
    for figure in (figures[0], figures[2]):
        for kind, start in (("svg", "<"), ("png", "\x89PNG")):
            with page.expect_download() as waiting:
                page.click(f'#{figure} [data-export="{kind}"]')
            assert waiting.value.suggested_filename.endswith(f".{kind}")
            with open(waiting.value.path(), "rb") as file:
                assert file.read(4).decode("latin-1").startswith(start)


def test_numbers_stand_behind_every_chart(page):
    for name in page.eval_on_selector_all("[data-behind]", "(all) => all.map((one) => one.dataset.behind)"):
        page.click(f"#figure-{name} [data-behind] summary")
        page.locator(f"#figure-{name} [data-behind] tbody tr").first.wait_for(state="attached")
    before = page.inner_text("#figure-risk [data-behind]")
    enter(page, "5")
    page.wait_for_function(
        "(old) => document.querySelector('#figure-risk [data-behind]').innerText !== old", arg=before
    )


# --- hostile names ------------------------------------------------------------------------------------


def test_names_are_shown_and_not_run(open_page):
    page = open_page()
    page.on("dialog", lambda dialog: pytest.fail(f"a name was run: {dialog.message}"))
    page.goto(file_of("here", "evil targets").as_uri())
    page.wait_for_function("document.documentElement.classList.contains('live')")
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    frame(page)
    names = [row[0] for row in shown(page)]
    assert set(EVIL[:4]) <= set(names)
    assert page.eval_on_selector_all("#target option", "(all) => all.map((one) => one.textContent)") == [
        "<script>alert(2)</script>",
        "=cmd|'/c calc'!A1",
    ]
    page.select_option("#target", "1")
    page.fill("#coefficient-search", "<script>")
    frame(page)
    assert [row[0] for row in shown(page)] == [EVIL[0]]
    assert page.locator("main script, main b, main u, main [onload]").count() == 0
    assert "<u>file</u>.csv" in page.inner_text("#origin")


# --- everywhere ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [390, 1920])
def test_nothing_sticks_out_at_any_width(open_page, width):
    page = opened(open_page, "columns", "several targets", viewport={"width": width, "height": 844})
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    frame(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.evaluate("document.getElementById('audit').scrollIntoView()")
    bar = page.locator("#strength").bounding_box()
    assert bar["y"] == pytest.approx(0, abs=1)
    assert bar["height"] < 240
    for control in page.locator("#strength input, #strength button, #strength select").all():
        box = control.bounding_box()
        assert 0 <= box["x"] <= box["x"] + box["width"] <= width


def colors(page):
    return page.evaluate(
        "() => [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color,"
        " getComputedStyle(document.querySelector('section')).backgroundColor]"
    )


def test_light_dark_and_paper(open_page):
    light = colors(opened(open_page, "columns", "ten columns"))
    page = opened(open_page, "columns", "ten columns", color_scheme="dark")
    dark = colors(page)
    assert dark != light
    enter(page, "0.002")
    page.emulate_media(media="print", color_scheme="dark")
    frame(page)
    assert colors(page)[1] == light[1]
    assert page.is_hidden("#alpha")
    assert "At α = 0.002," in page.inner_text("#now")
    assert page.evaluate("getComputedStyle(document.getElementById('strength')).position") == "static"
    page.emulate_media(media="screen", color_scheme="dark")
    frame(page)
    assert colors(page) == dark


def test_where_one_is_can_be_seen(page):
    first = "document.querySelector('a[href], button, input, select, summary, [tabindex=\"0\"]')"
    page.evaluate(f"{first}.focus()")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    page.focus("#alpha-number")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_a_network_has_its_own_parts(open_page):
    page = opened(open_page, "network", "perceptron")
    assert page.locator("#coefficients").count() == 0
    assert page.locator("#directions-live tbody tr").count() > 5
    assert page.locator("#layers table").count() == 1
    assert page.locator("#figure-layers").count() == 1
    assert "interpolated" in page.inner_text("#how")
