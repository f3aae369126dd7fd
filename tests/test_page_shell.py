"""The page in a real browser: the strength is moved in every way, and everything says what the study says."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from eigenshrink.plots.text import number
from eigenshrink.risk import criterion_name
from moving_pages import (
    EXACT,
    enter,
    file_of,
    frame,
    opened,
    page,
    shared_page,
    shown,
    study_of,
    told,
    values,
)

__all__ = ["page", "shared_page"]
CELLS = '#coefficients-live [data-now^="coefficient:"]'
UNTABLED = ("0.0123", "3.3e-4", "7.77")  # strengths that stand in no table


def alpha_of(page):
    return told(page, "alpha")


# --- opening ------------------------------------------------------------------------------------------


def test_it_opens_at_the_chosen_strength(page):
    study = study_of("columns", "polynomial")
    assert alpha_of(page) == study.alpha
    assert page.input_value("#alpha-number") == f"{study.alpha:.6g}"
    assert page.is_disabled("#alpha-reset")
    assert page.is_hidden(".still >> nth=0")
    assert page.is_visible("#coefficients-live table")
    used = number(study.effective_parameters, 3)
    assert page.inner_text("#now").startswith(
        f"At α = {number(study.alpha)}, {used} of 65 parameters are in use"
    )
    assert page.inner_text("#now").endswith("as chosen.")


def test_it_is_small_enough():
    assert file_of("columns", "polynomial").stat().st_size < 3_000_000


def test_without_scripts_the_words_and_the_tables_stay(open_page):
    page = open_page(
        file_of("columns", "polynomial"), java_script_enabled=False, viewport={"width": 800, "height": 900}
    )
    assert page.is_visible("noscript p")
    assert page.is_visible("text=Use α = 0.1681")
    assert page.is_visible('table[aria-label="Coefficients, in the units of the columns"]')
    assert page.is_visible('table[aria-label^="Directions, those"]')
    assert page.is_hidden("#strength")
    assert page.is_hidden("#coefficients-live")
    assert page.is_hidden("#present")
    assert page.is_hidden("#figures")


# --- the strength in every way ------------------------------------------------------------------------


@pytest.mark.parametrize(("room", "kind"), [("columns", "polynomial"), ("columns", "free columns")])
def test_numbers_are_those_of_the_study(open_page, room, kind):
    page, study = opened(open_page, room, kind), study_of(room, kind)
    for typed in (*UNTABLED, "0", "inf"):
        enter(page, typed)
        alpha = float(typed)
        assert alpha_of(page) == alpha
        assert_allclose(told(page, "gamma"), study.path.effective_parameters(alpha), rtol=EXACT)
        assert_allclose(told(page, "train"), study.path.train_loss(alpha), rtol=EXACT)
        assert_allclose(told(page, "norm"), study.path.norm(alpha), rtol=EXACT, atol=1e-9)
        assert_allclose(told(page, "intercept"), study.intercept(alpha), rtol=EXACT)
        for name in ("gcv", "cp", "train"):
            assert_allclose(told(page, f"criterion:{name}"), study.risk[name](alpha), rtol=EXACT)
        places = page.eval_on_selector_all(CELLS, "(all) => all.map((one) => one.dataset.now.split(':')[1])")
        wanted = study.coef(alpha)[np.array(places, dtype=int)]
        assert len(set(places)) == study.facts.columns
        assert_allclose(values(page, 1), wanted, rtol=EXACT, atol=1e-9)


@pytest.mark.parametrize(
    ("room", "kind"),
    [("glm", "logistic"), ("glm", "counts"), ("network", "perceptron"), ("columns", "loaded")],
)
def test_tabled_numbers_keep_the_error_that_is_told(open_page, room, kind):
    page, study = opened(open_page, room, kind), study_of(room, kind)
    how = {each["what"]: each["error"] for each in json.loads(page.text_content("#record"))["how"]}
    grid = study.alphas[np.isfinite(study.alphas) & (study.alphas > 0)]
    curve, used = study.estimate, study.path.effective_parameters
    spread = np.ptp(curve(grid)[np.isfinite(curve(grid))])
    assert f"{criterion_name(curve.name)}table of" in page.text_content("#how")
    for factor in (0.3, 1.7, 4.1):
        alpha = float(study.alpha) * factor
        enter(page, repr(alpha))
        off = abs(told(page, "estimate") - curve(alpha)) / spread
        assert off <= how[criterion_name(curve.name)] + 1e-7
        off = abs(told(page, "gamma") - used(alpha)) / np.ptp(used(grid))
        assert off <= how.get("effective parameters, norm", 0.0) + 1e-6


def test_the_slider_moves_everything(page):
    study = study_of("columns", "polynomial")
    before = shown(page)
    page.evaluate(
        "() => { const it = document.getElementById('alpha'); it.value = Number(it.value) + 40;"
        " it.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    frame(page)
    alpha = alpha_of(page)
    assert alpha / study.alpha == pytest.approx(10**0.4, rel=0.02)
    assert_allclose(told(page, "gamma"), study.path.effective_parameters(alpha), rtol=EXACT)
    assert page.input_value("#alpha-number") == f"{alpha:.6g}"
    assert number(alpha) in page.inner_text("#now")
    assert "% above the chosen one" in page.inner_text("#now")
    assert shown(page) != before
    page.click("#alpha-reset")
    frame(page)
    assert alpha_of(page) == study.alpha
    assert shown(page) == before


def test_one_needs_no_mouse(page):
    study = study_of("columns", "polynomial")
    page.focus("#alpha")
    steps = [
        ("ArrowRight", 10**0.01),
        ("ArrowLeft", 10**-0.01),
        ("Shift+ArrowUp", 10**0.001),
        ("Shift+ArrowDown", 10**-0.001),
        ("PageUp", 10**0.5),
        ("Shift+PageDown", 10**-0.1),
    ]
    for key, factor in steps:
        before = alpha_of(page)
        page.press("#alpha", key)
        frame(page)
        assert alpha_of(page) / before == pytest.approx(factor, rel=1e-5)
    said = page.get_attribute("#alpha", "aria-valuetext")
    used = study.path.effective_parameters(alpha_of(page))
    assert said == f"α = {number(alpha_of(page), 3)}, {number(used, 3)} parameters in use"
    for key, alpha in (("Home", 0.0), ("ArrowLeft", 0.0), ("End", np.inf), ("ArrowRight", np.inf)):
        page.press("#alpha", key)
        frame(page)
        assert alpha_of(page) == alpha
    page.press("#alpha", "ArrowLeft")
    frame(page)
    assert 0 < alpha_of(page) < np.inf
    page.press("#alpha", "Tab")
    assert page.evaluate("document.activeElement.id") == "alpha-number"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "alpha-reset"
    page.keyboard.press("Enter")
    frame(page)
    assert alpha_of(page) == study.alpha


@pytest.mark.parametrize("wrong", ["", "abc", "-1", "1e", "nan", "<b>1</b>"])
def test_what_is_no_strength_is_refused_in_words(page, wrong):
    study = study_of("columns", "polynomial")
    enter(page, wrong)
    assert alpha_of(page) == study.alpha
    said = page.inner_text("#alpha-refused")
    assert said == f"α is a number from 0 to ∞ (inf), not “{wrong}”; {number(study.alpha)} is kept."
    assert page.get_attribute("#alpha-number", "aria-invalid") == "true"
    enter(page, "0,5")
    assert alpha_of(page) == 0.5
    assert page.inner_text("#alpha-refused") == ""
    assert page.get_attribute("#alpha-number", "aria-invalid") == "false"


def test_what_has_no_solution_is_refused_too(open_page):
    page, study = opened(open_page, "glm", "separated"), study_of("glm", "separated")
    assert study.path.lowest > 0
    enter(page, "0")
    assert f"from {number(study.path.lowest)}, the weakest that has a solution, to ∞" in page.inner_text(
        "#alpha-refused"
    )
    page.press("#alpha", "Home")
    frame(page)
    assert alpha_of(page) == pytest.approx(study.path.lowest)


def test_numbers_in_the_field_are_short(page):
    for typed, said in (
        ("0.000062233412", "6.22334e-5"),
        ("0,0010", "0.001"),
        ("inf", "∞"),
        ("1e12", "1000000000000"),
    ):
        enter(page, typed)
        page.press("#alpha-number", "Escape")
        assert page.input_value("#alpha-number") == said


def test_escape_gives_the_number_up(page):
    page.fill("#alpha-number", "17")
    page.press("#alpha-number", "Escape")
    assert page.input_value("#alpha-number") == f"{study_of('columns', 'polynomial').alpha:.6g}"


def test_a_target_is_picked(open_page):
    page, study = opened(open_page, "columns", "several targets"), study_of("columns", "several targets")
    assert page.eval_on_selector_all("#target option", "(all) => all.map((one) => one.textContent)") == list(
        study.target_names
    )
    for target in (1, 2, 0):
        page.select_option("#target", str(target))
        frame(page)
        alpha = study.alpha[target]
        assert alpha_of(page) == alpha
        assert_allclose(told(page, "train"), study.path.train_loss(alpha)[target], rtol=EXACT, atol=1e-9)
        errors = study.standard_errors()[target]
        for row in shown(page):
            place = study.feature_names.index(row[0])
            assert (
                row[1] == number(study.coef(alpha)[target, place])
                or abs(study.coef(alpha)[target, place]) < 1e-9
            )
            assert row[2] == number(errors[place])
    enter(page, "0.01")
    page.select_option("#target", "1")
    frame(page)
    assert alpha_of(page) == 0.01


def test_the_axis_is_turned(page):
    assert page.get_attribute("[data-axis=alpha]", "aria-pressed") == "true"
    page.click("[data-axis=gamma]")
    frame(page)
    assert page.get_attribute("[data-axis=gamma]", "aria-pressed") == "true"
    assert page.get_attribute("[data-axis=alpha]", "aria-pressed") == "false"
