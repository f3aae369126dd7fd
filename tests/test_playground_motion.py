"""What moves on the playground: the three steps, the training, and all of it by keyboard (M2, M3, M7)."""

from __future__ import annotations

import re

import numpy as np
import pytest

import eigenshrink as es
from playgrounds import CLOSE, START, check, drawn, enter, numbers, settings, slide, to_page


@pytest.fixture(name="page")
def _page(playground_page):
    return playground_page


@pytest.fixture(name="timed")
def _timed(timed_playground):
    return timed_playground


# --- the three steps ----------------------------------------------------------------------------------


def moved(page, time):
    """Where the arrow is at a time, from matrices (M7)."""
    eigenvalues, Q, minimiser, alpha = settings(page)
    whole = np.arctan2(Q[1, 0], Q[0, 0])

    def turn(angle):
        return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])

    keep = eigenvalues / (eigenvalues + alpha)
    rotated = turn(-whole * min(time, 1)) @ minimiser
    scaled = (1 + min(max(time - 1, 0), 1) * (keep - 1)) * rotated if time > 1 else rotated
    return turn(whole * max(time - 2, 0)) @ scaled


@pytest.mark.parametrize("time", [0, 0.4, 1, 1.7, 2, 2.3, 3])
def test_the_arrow_can_be_scrubbed(page, time):
    slide(page, "time", time)
    np.testing.assert_allclose(numbers(page)["moving"], moved(page, time), **CLOSE)
    last = re.findall(r"[\d.-]+ [\d.-]+", page.get_attribute("#steps-picture .path", "d"))[-1]
    np.testing.assert_allclose(
        [float(value) for value in last.split()], to_page(moved(page, time)), atol=2e-3
    )
    words = {0: "Start", 0.4: "1. Rotate by Qᵀ, 30° anti", 1.7: "2. Scale", 2.3: "3. Rotate back", 3: "End"}
    assert page.inner_text("#steps-text").startswith(words.get(time, ""))


def test_playing_passes_all_three_steps_and_can_be_paused(timed):
    page = timed()
    page.click("#play")
    assert page.inner_text("#play") == "Pause"
    seen = []
    for _ in range(12):
        page.clock.run_for(400)
        seen.append(float(page.input_value("#time")))
        np.testing.assert_allclose(numbers(page)["moving"], moved(page, seen[-1]), rtol=0, atol=0.01)
    assert seen == sorted(seen)
    assert seen[-1] == 3
    assert {np.ceil(time) for time in seen} == {1, 2, 3}
    assert page.inner_text("#play") == "Play"
    np.testing.assert_allclose(numbers(page)["moving"], numbers(page)["solution"], **CLOSE)
    page.click("#play")  # from the beginning
    page.clock.run_for(500)
    page.click("#play")
    held = page.input_value("#time")
    assert 0 < float(held) < 1
    page.clock.run_for(1000)
    assert page.input_value("#time") == held


def test_one_step_at_a_time_on_and_back(timed):
    page = timed()
    for wanted in ("1", "2", "3"):
        page.click("#step-on")
        page.clock.run_for(1500)
        assert page.input_value("#time") == wanted
    for wanted in ("2", "1", "0", "0"):
        page.click("#step-back")
        assert page.input_value("#time") == wanted


def test_who_wants_no_motion_sees_whole_steps_only(timed):
    page = timed(reduced_motion="reduce")
    page.click("#play")
    seen = set()
    for _ in range(24):
        page.clock.run_for(200)
        seen.add(page.input_value("#time"))
    assert seen == {"1", "2", "3"}


# --- training -----------------------------------------------------------------------------------------


def test_one_step_is_the_update_of_the_library(page):
    eigenvalues, Q, minimiser, alpha = settings(page)
    H, price = Q * eigenvalues @ Q.T, es.L2(alpha)
    weights = numbers(page)["dot"]
    for _ in range(3):
        page.click("#once")
        weights = price.update(weights, H @ (weights - minimiser), 0.1)
        np.testing.assert_allclose(numbers(page)["dot"], weights, **CLOSE)
    assert "After 3 steps the dot is at" in page.inner_text("#train-text")
    page.click("#again")
    np.testing.assert_allclose(numbers(page)["dot"], [-0.5, 3.2])


@pytest.mark.parametrize("term", [True, False])
def test_the_dot_comes_to_rest_where_the_term_says(timed, term):
    page = timed()
    page.set_checked("#decay", term)
    enter(page, "rate-typed", "0.5")
    page.click("#run")
    page.clock.run_for(1000)
    begun = page.get_attribute("#train-picture .path", "d").count("L")
    assert 15 <= begun <= 25  # steps in a second, each to be seen
    page.clock.run_for(12_000)
    told = numbers(page)
    np.testing.assert_allclose(told["dot"], told["solution" if term else "minimiser"], atol=2e-9)
    place = "w̃" if term else "w*"
    assert f"the dot has come to rest in {place}" in page.inner_text("#train-text")
    assert page.inner_text("#run") == "Run"


def test_too_large_a_step_is_stopped_at_the_edge_and_said(timed):
    page = timed(reduced_motion="reduce")
    page.click("[data-example=wild]")
    page.click("#run")
    page.clock.run_for(100)
    told = page.inner_text("#train-text")
    assert "has left the picture" in told
    assert "must stay below 2/(λ+α) = 0.4, and it is 0.42" in told
    assert np.abs(numbers(page)["dot"]).max() > 4
    place = drawn(page, "#train-picture .runner", "cx", "cy")
    assert set(place) & {0.0, 400.0}
    assert page.inner_text("#run") == "Run"
    enter(page, "rate-typed", "0.39")
    page.click("#again")
    page.click("#run")
    page.clock.run_for(500)
    assert "come to rest in w̃" in page.inner_text("#train-text")


def test_along_a_flat_direction_only_the_term_pulls(timed):
    page = timed(reduced_motion="reduce")
    page.click("[data-example=flat]")
    page.set_checked("#decay", False)
    page.click("#run")
    page.clock.run_for(100)
    eigenvalues, Q, minimiser, _ = settings(page)
    assert eigenvalues[1] == 0
    rest = Q @ [(Q.T @ minimiser)[0], (Q.T @ [-0.5, 3.2])[1]]
    np.testing.assert_allclose(numbers(page)["dot"], rest, atol=2e-9)
    assert "nothing pulls any more" in page.inner_text("#train-text")


def test_an_infinite_strength_has_no_step(timed):
    page = timed()
    page.click("#run")
    page.clock.run_for(200)
    page.click("#alpha-infinite")
    assert page.is_disabled("#run")
    assert page.is_disabled("#once")
    assert "no step to take" in page.inner_text("#train-text")
    page.clock.run_for(200)
    assert np.all(np.isfinite(numbers(page)["dot"]))
    page.click("#decay")
    assert page.is_enabled("#run")


def test_the_start_can_be_moved_and_begins_again(page):
    page.click("#once")
    page.focus(START)
    page.keyboard.press("ArrowDown")
    np.testing.assert_allclose(numbers(page)["dot"], [-0.5, 3.1])
    enter(page, "start-1", "2")
    np.testing.assert_allclose(numbers(page)["dot"], [2, 3.1])


def test_a_field_is_left_alone_while_somebody_types(timed):
    page = timed()
    page.click("#run")
    page.focus("#alpha-typed")
    page.fill("#alpha-typed", "0.7")
    page.clock.run_for(300)
    assert page.input_value("#alpha-typed") == "0.7"
    assert numbers(page)["share"][0] == pytest.approx(0.8)
    page.press("#alpha-typed", "Enter")
    check(page)


# --- by keyboard and by ear ---------------------------------------------------------------------------


def test_every_control_can_be_reached_by_keyboard_and_has_a_name(page):
    wanted = page.locator("input, button, summary, .handle, .scroll").count()
    reached = set()
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("""() => { const it = document.activeElement;
            const all = [...document.querySelectorAll("input, button, summary, .handle, .scroll")];
            return all.indexOf(it); }""")
        )
    assert reached >= set(range(wanted))
    nameless = page.evaluate("""() => [...document.querySelectorAll("input, button, .handle, .scroll")]
        .filter((it) => !(it.getAttribute("aria-label") || it.labels?.length || it.textContent.trim()))
        .map((it) => it.id)""")
    assert nameless == []
    for picture in page.locator("svg").all():
        described = picture.get_attribute("aria-labelledby")
        assert page.inner_text(f"#{described}")


def test_a_whole_visit_with_keys_alone(timed):
    page = timed()
    page.keyboard.press("Tab")
    for key in ("ArrowRight", "ArrowRight", "Tab", "Control+A", "3", "Enter"):
        page.keyboard.press(key)
    assert settings(page)[3] == 3
    page.focus("#play")
    page.keyboard.press("Space")
    page.clock.run_for(6000)
    assert page.input_value("#time") == "3"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Home")
    assert page.input_value("#time") == "0"
    page.focus("#decay")
    page.keyboard.press("Space")
    assert not page.is_checked("#decay")
    check(page)
