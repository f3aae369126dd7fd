"""The tables of the page: they sort, are filtered, are walked through by keys, and point at the charts."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from eigenshrink.plots.text import number
from moving_pages import EXACT, enter, frame, opened, page, shared_page, shown, study_of, values

__all__ = ["page", "shared_page"]
COEFFICIENTS, DIRECTIONS = "#coefficients-live", "#directions-live"


def heads(page, room):
    return page.eval_on_selector_all(f"{room} thead th", "(all) => all.map((one) => one.textContent)")


def sort(page, room, column):
    page.click(f"{room} thead th:nth-child({column + 1}) button")
    return page.get_attribute(f"{room} thead th:nth-child({column + 1})", "aria-sort")


# --- what they say ------------------------------------------------------------------------------------


def test_coefficients_follow_the_strength(page):
    study = study_of("columns", "polynomial")
    assert heads(page, COEFFICIENTS) == [
        "column",
        "estimate now",
        "s.e. at the chosen α",
        "without regularisation",
        "left of it",
    ]
    errors, bare = study.standard_errors(), study.coef(0.0)
    for typed in ("0.0123", "3"):
        enter(page, typed)
        now = study.coef(float(typed))
        rows = shown(page)
        assert len(rows) == len(now)
        for name, *cells in rows:
            place = study.feature_names.index(name)
            left = f"{100 * now[place] / bare[place]:.1f} %".replace("-", "−")
            assert cells == [*(number(each[place]) for each in (now, errors, bare)), left]


def test_directions_follow_the_strength(page):
    study = study_of("columns", "polynomial")
    assert heads(page, DIRECTIONS) == [
        "direction",
        "eigenvalue λ",
        "coordinate of w*",
        "share kept now",
        "made mostly of",
    ]
    enter(page, "0.0123")
    found = study.directions(0.0123)
    rows = shown(page, DIRECTIONS)
    assert [row[0] for row in rows] == [str(place + 1) for place in range(len(rows))]
    assert_allclose(values(page, 1, DIRECTIONS), found.eigenvalue[: len(rows)], rtol=EXACT)
    assert_allclose(values(page, 2, DIRECTIONS), found.coordinate[: len(rows)], rtol=EXACT)
    assert_allclose(values(page, 3, DIRECTIONS), found.shrinkage[: len(rows)], rtol=EXACT)
    assert all(found.columns[place][0][0] in row[4] for place, row in enumerate(rows))


def test_classes_have_coefficients_of_their_own(open_page):
    page, study = opened(open_page, "glm", "multinomial"), study_of("glm", "multinomial")
    enter(page, "0.02")
    estimates = dict(zip([row[0] for row in shown(page)], values(page, 1), strict=True))
    wanted = study.coef(0.02).ravel()
    found = [estimates[name] for name in study.weight_names]
    assert_allclose(found, wanted, rtol=1e-3, atol=1e-5)


def test_ratios_and_free_columns_are_told(open_page):
    page, study = opened(open_page, "glm", "logistic"), study_of("glm", "logistic")
    enter(page, "0.3")
    assert heads(page, COEFFICIENTS)[2] == "odds ratio"
    assert_allclose(values(page, 2), np.exp(values(page, 1)), rtol=1e-12)
    assert heads(page, COEFFICIENTS)[3] == "s.e. at the chosen α"
    page, study = opened(open_page, "columns", "free columns"), study_of("columns", "free columns")
    free = {f"{name}, not penalised" for name in study.feature_names[:2]}
    assert {row[0] for row in shown(page)} == free | set(study.feature_names[2:])


# --- sorting ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("room", "columns"), [(COEFFICIENTS, (1, 2, 3, 4)), (DIRECTIONS, (0, 1, 2, 3))])
def test_every_head_of_numbers_sorts(page, room, columns):
    for column in columns:
        assert sort(page, room, column) == "descending"
        down = values(page, column, room)
        assert np.all(np.diff(down) <= 0)
        assert sort(page, room, column) == "ascending"
        up = values(page, column, room)
        assert np.all(np.diff(up) >= 0)
        assert not np.array_equal(down, up)
        assert sort(page, room, column) == "none"
        assert sort(page, room, column) == "descending"
        others = page.eval_on_selector_all(
            f"{room} thead th:not([aria-sort=descending])", "(all) => all.map((one) => one.ariaSort)"
        )
        assert set(others) == {"none"}


def test_names_sort_as_people_sort_them(page):
    assert sort(page, COEFFICIENTS, 0) == "ascending"
    names = [row[0] for row in shown(page)]
    assert set(names) == set(study_of("columns", "polynomial").feature_names)
    assert names.index("age") < names.index("bmi") < names.index("s2") < names.index("s6")
    assert sort(page, COEFFICIENTS, 0) == "descending"
    assert [row[0] for row in shown(page)] == names[::-1]


def test_what_is_no_number_stays_last(page):
    for descending in ("false", "true"):
        order = page.evaluate(f"() => tables.ordered([2, NaN, -1, Infinity, NaN, 5], {descending})")
        assert order[-2:] == [1, 4]
        assert order[:4] == ([3, 5, 0, 2] if descending == "true" else [2, 0, 5, 3])
    assert page.evaluate("() => tables.ordered([1, 1, 1], true)") == [0, 1, 2]
    assert page.evaluate("() => tables.ordered(['x10', 'x9', 'b'], false)") == [2, 1, 0]


def test_the_order_follows_when_the_strength_rests(page):
    study = study_of("columns", "polynomial")
    sort(page, COEFFICIENTS, 1)
    enter(page, "5")
    wanted = [study.feature_names[place] for place in np.argsort(-study.coef(5.0), kind="stable")]
    page.wait_for_function(
        "(name) => document.querySelector('#coefficients-live tbody th').textContent === name", arg=wanted[0]
    )
    assert [row[0] for row in shown(page)] == wanted


# --- search and highlight -----------------------------------------------------------------------------


def highlighted(page):
    return page.eval_on_selector_all(
        f"{COEFFICIENTS} tr.marked th", "(all) => all.map((one) => one.textContent)"
    )


def test_a_search_keeps_what_matches(page):
    study = study_of("columns", "polynomial")
    page.fill("#coefficient-search", "BMI s")
    frame(page)
    wanted = {name for name in study.feature_names if "bmi" in name and "s" in name}
    assert {row[0] for row in shown(page)} == wanted
    assert page.inner_text("#coefficient-status") == f"{len(wanted)} of 65 columns"
    page.fill("#coefficient-search", "nothing like it")
    frame(page)
    assert shown(page) == []
    assert page.inner_text("#coefficient-status") == "0 of 65 columns"
    page.fill("#coefficient-search", "")
    frame(page)
    assert len(shown(page)) == 65
    assert page.inner_text("#coefficient-status") == ""


def test_a_row_is_looked_at_by_mouse(page):
    before = shown(page)
    page.hover(f"{COEFFICIENTS} tbody tr:nth-child(3)")
    frame(page)
    assert shown(page) == before
    assert highlighted(page) == [shown(page)[2][0]]
    page.mouse.move(1, 1)
    frame(page)
    assert highlighted(page) == []


def test_rows_are_walked_through_by_keys(page):
    assert page.locator(f'{COEFFICIENTS} tbody tr[tabindex="0"]').count() == 1
    page.focus(f"{COEFFICIENTS} tbody tr:nth-child(1)")
    for key, row in (
        ("ArrowDown", 1),
        ("ArrowDown", 2),
        ("ArrowUp", 1),
        ("End", 64),
        ("ArrowDown", 64),
        ("Home", 0),
    ):
        page.keyboard.press(key)
        frame(page)
        assert highlighted(page) == [shown(page)[row][0]]
    assert page.locator(f'{COEFFICIENTS} tbody tr[tabindex="0"]').count() == 1
    page.focus("#coefficient-search")
    frame(page)
    assert highlighted(page) == []


def picture(page, name):
    """The pixels of a chart."""
    return page.locator(f"#chart-{name}").screenshot()


@pytest.mark.parametrize(("room", "chart"), [(COEFFICIENTS, "coefficients"), (DIRECTIONS, "shrinkage")])
def test_the_charts_show_what_is_looked_at(page, room, chart):
    page.locator(f"#chart-{chart}").scroll_into_view_if_needed()
    frame(page)
    before = picture(page, chart)
    page.evaluate(
        f"() => document.querySelector('{room} tbody tr:nth-child(9)').focus({{ preventScroll: true }})"
    )
    frame(page)
    assert picture(page, chart) != before
    page.evaluate("() => document.activeElement.blur()")
    frame(page)
    assert picture(page, chart) == before


# --- many columns -------------------------------------------------------------------------------------


def test_ten_thousand_columns_are_thinned_and_that_is_said(open_page):
    page, study = opened(open_page, "here", "many columns"), study_of("here", "many columns")
    said = page.inner_text("#coefficients")
    listed = page.evaluate(
        "() => live.open(JSON.parse(document.getElementById('record').textContent)).columns.length"
    )
    assert (
        f"Listed are the {listed} coefficients of 10\u00a0000 that are largest at the chosen strength."
        in said
    )
    assert len(shown(page)) == 100 < listed
    page.click(f"{COEFFICIENTS} .more")
    frame(page)
    assert len(shown(page)) == 200
    enter(page, "0.5")
    wanted = study.coef(0.5)
    for row, value in zip(shown(page), values(page, 1), strict=True):
        assert_allclose(value, wanted[study.feature_names.index(row[0])], rtol=EXACT)
    sort(page, COEFFICIENTS, 1)
    assert len(shown(page)) == 100
    assert np.all(np.diff(values(page, 1)) <= 0)
