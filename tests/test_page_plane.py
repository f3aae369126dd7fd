"""The contour picture of the report in a real browser: what is drawn is what the formulas say (M10)."""

from __future__ import annotations

import numpy as np
import pytest

import figure_studies
from drawn_pages import (
    CLOSE,
    corners,
    go,
    in_plane,
    line,
    oval,
    planes,
    scrub,
    spot,
    table,
)
from drawn_studies import drawn_study, pair_of_weights, weights
from eigenshrink.plots import reading
from eigenshrink.plots.plane import plane_of

ALPHAS = (0.0, 1.3e-7, 0.0123, 0.71, 34.0, np.inf)


@pytest.fixture(name="shown")
def _shown(drawn_page):
    return lambda kind="ten", **options: drawn_page(drawn_study(kind), **options)


# --- the contour picture ------------------------------------------------------------------------------


def test_two_weights_are_those_of_the_path(shown):
    study, page = drawn_study("ten"), shown()
    name = planes(page, "columns")[0]["id"]
    places, root = pair_of_weights(study, page, name)
    for alpha in ALPHAS:
        go(page, plane=name, alpha=alpha)
        wanted = root * weights(study, alpha)[places]
        np.testing.assert_allclose(spot(page, "contour", ".solution"), wanted, **CLOSE)
        np.testing.assert_allclose(table_of(page, "w̃ (the dot)"), wanted, rtol=1e-9, atol=1e-9)


def table_of(page, what, name="contour"):
    return [value for (found, _), value in table(page, name).items() if found == what]


@pytest.mark.parametrize("alpha", [0.0123, 0.71])
def test_the_star_of_two_weights_is_the_best_pair_given_the_others(shown, alpha):
    study, page = drawn_study("ten"), shown()
    X, _, y, *_ = figure_studies.diabetes()
    name = planes(page, "columns")[3]["id"]
    go(page, plane=name, alpha=alpha)
    places, root = pair_of_weights(study, page, name)
    centred, rest = X - X.mean(axis=0), weights(study, alpha).copy()
    rest[places] = 0
    best = np.linalg.lstsq(centred[:, places], y - y.mean() - centred @ rest, rcond=None)[0]
    np.testing.assert_allclose(table_of(page, "best pair, others held (the star)"), root * best, rtol=1e-7)
    low, high = corners(page, "contour")
    if np.all((root * best > low) & (root * best < high)):
        np.testing.assert_allclose(spot(page, "contour", "g:has(> .star)"), root * best, **CLOSE)


@pytest.mark.parametrize("kind", ["ten", "classes", "network"])
@pytest.mark.parametrize("group", ["directions", "columns"])
def test_the_heavy_ellipse_touches_the_heavy_circle_in_the_solution(shown, kind, group):
    study, page = drawn_study(kind), shown(kind)
    go(page, plane=planes(page, group)[1]["id"], alpha=1.7 * reading.chosen(study, 0))
    point = spot(page, "contour", ".solution")
    centre, half, axes = oval(page, "contour", "loss")
    middle, radius, _ = oval(page, "contour", "penalty")
    along = axes.T @ (point - centre)
    np.testing.assert_allclose(middle, 0, atol=1e-6)
    np.testing.assert_allclose(np.hypot(*point), radius, rtol=1e-6)
    np.testing.assert_allclose(np.sum((along / half) ** 2), 1, rtol=1e-5)
    normal = axes @ (along / half**2)  # across the ellipse, and along the radius of the circle
    turned = normal[0] * point[1] - normal[1] * point[0]
    assert abs(turned) < 1e-5 * np.hypot(*normal) * np.hypot(*point)


@pytest.mark.parametrize("kind", ["ten", "network"])
def test_two_directions_are_the_plane_of_the_figures(shown, kind):
    study, page = drawn_study(kind), shown(kind)
    chosen = reading.chosen(study, 0)
    view = reading.seen(study, chosen)
    for one in planes(page, "directions")[:3]:
        pair = [int(place) for place in one["id"][1:].split("-")]
        plane = plane_of(view, 0, chosen, None, pair)
        for alpha in (0.3 * chosen, chosen, 5.3 * chosen):
            go(page, plane=one["id"], alpha=alpha)
            own = float(view.own(np.array(alpha)))
            np.testing.assert_allclose(
                spot(page, "contour", ".solution"), plane.solution(own), rtol=1e-5, atol=1e-6
            )
        np.testing.assert_allclose(
            spot(page, "contour", "g:has(> .star)"), plane.centre, rtol=1e-5, atol=1e-6
        )


def test_a_direction_holds_what_the_weights_have_along_it(shown):
    study, page = drawn_study("ten"), shown()
    root = np.sqrt(reading.factors(reading.seen(study, 1.0)))
    basis = study.path.spectrum.basis
    for one in planes(page, "directions"):
        go(page, plane=one["id"], alpha=0.05)
        pair = [int(place) for place in one["id"][1:].split("-")]
        along = basis[:, pair].T @ (root * weights(study, 0.05))
        np.testing.assert_allclose(np.hypot(*spot(page, "contour", ".solution")), np.hypot(*along), rtol=1e-6)
        shares = [study.path.spectrum.eigenvalues[place] for place in sorted(pair)]
        np.testing.assert_allclose(
            table_of(page, "share kept, λ/(λ+α)"), np.divide(shares, np.add(shares, 0.05))
        )


def test_the_path_runs_through_every_strength_to_0(shown):
    study, page = drawn_study("ten"), shown()
    name = planes(page, "columns")[0]["id"]
    go(page, plane=name)
    places, root = pair_of_weights(study, page, name)
    grid = [0.0, *page.evaluate("Array.from(study.grid)"), np.inf]
    wanted = np.array([root * weights(study, alpha)[places] for alpha in grid])
    found = line(page, "contour", "path")
    assert len(found) == len(grid)
    low, high = corners(page, "contour")
    near = np.all((wanted > low) & (wanted < high), axis=1)
    assert near.sum() > 100
    np.testing.assert_allclose(found[near], wanted[near], **CLOSE)
    marks = page.locator("#contour-picture .mark")
    for i, alpha in enumerate((study.alpha / 10, 10 * study.alpha)):
        place = [float(marks.nth(i).get_attribute(part)) for part in ("cx", "cy")]
        wanted = np.clip(root * weights(study, alpha)[places], low, high)
        np.testing.assert_allclose(in_plane(page, "contour", place)[0], wanted, **CLOSE)


def test_heavy_is_what_the_network_is_trusted_in(shown):
    study, page = drawn_study("network"), shown("network")
    go(page, plane=planes(page, "directions")[0]["id"])
    ends = line(page, "contour", "believed")[[0, -1]]
    for end, alpha in zip(ends, study.path.trusted, strict=True):
        go(page, alpha=alpha)
        np.testing.assert_allclose(spot(page, "contour", ".solution"), end, rtol=1e-5, atol=1e-6)
    assert page.is_visible("[data-part=key-believed]")
    assert not shown().is_visible("[data-part=key-believed]")


def test_rings_stand_at_equal_steps(shown):
    page = shown()
    for kind in ("loss", "penalty"):
        sizes = page.evaluate(
            "(kind) => [...document.querySelectorAll(`#contour-picture ellipse.${kind}`)]"
            ".filter((one) => one.getAttribute('visibility') === 'visible')"
            ".map((one) => one.getAttribute('rx'))",
            kind,
        )
        steps = np.diff(np.array(sizes, dtype=float))
        assert len(steps) > 8
        np.testing.assert_allclose(steps, steps[0], rtol=1e-9)


@pytest.mark.parametrize("group", ["directions", "columns"])
def test_the_window_stands_still_while_the_strength_moves(shown, group):
    page = shown()
    windows = set()
    for one in planes(page, group)[:4]:
        go(page, plane=one["id"])
        seen = []
        for alpha in ALPHAS:
            go(page, alpha=alpha)
            seen.append((*np.ravel(corners(page, "contour")), *np.ravel(corners(page, "steps"))))
        assert len(set(seen)) == 1
        windows.add(seen[0])
    assert len(windows) > 1


COVERED = """(name) => {
  const root = document.getElementById(`${name}-picture`);
  const texts = [...root.querySelectorAll("text.point")].map((one) => [one.textContent, one.getBBox()]);
  const drawn = (one) => one.getAttribute("d");
  const lines = [...root.querySelectorAll("path.path, path.held, path.ahead")].filter(drawn);
  const found = [];
  for (const line of lines) {
    const long = line.getTotalLength();
    for (let i = 0; i <= 1200; i++) {
      const { x, y } = line.getPointAtLength((long * i) / 1200);
      for (const [text, box] of texts) {
        const [dx, dy] = [x - box.x - box.width / 2, y - box.y - box.height / 2];
        if (Math.abs(dx) < box.width / 2 && Math.abs(dy) < 0.32 * box.height) found.push(text);
      }
    }
  }
  const beyond = (low, size) => low < 0 || low + size > 400;
  const out = texts.filter(([, box]) => beyond(box.x, box.width) || beyond(box.y, box.height));
  return [...new Set([...found, ...out.map(([text]) => `${text} outside`)])];
}"""


@pytest.mark.parametrize("kind", ["ten", "network"])
def test_no_name_covers_the_path(shown, kind):
    page = shown(kind)
    chosen = reading.chosen(drawn_study(kind), 0)
    for group in ("directions", "columns"):
        for one in planes(page, group)[:2]:
            for times in (0.1, 1, 6, 40):
                go(page, plane=one["id"], alpha=times * chosen)
                assert page.evaluate(COVERED, "contour") == []
    for time in (0.3, 1.5, 2.4):
        scrub(page, time)
        assert page.evaluate(COVERED, "steps") == []


def test_a_name_that_covers_the_path_is_found(shown):
    page = shown()
    page.evaluate(
        "() => { const [text] = document.querySelectorAll('#contour-picture text.point');"
        " const dot = document.querySelector('#contour-picture .solution');"
        " for (const to of ['x', 'y']) text.setAttribute(to, dot.getAttribute(`c${to}`)); }"
    )
    assert page.evaluate(COVERED, "contour") == ["w*"]


def test_a_star_beyond_the_picture_stands_at_its_edge_and_is_told(shown):
    page, found = shown(), 0
    for one in planes(page, "columns"):
        go(page, plane=one["id"], alpha=np.inf)
        for name in ("contour", "steps"):
            low, high = corners(page, name)
            star = np.array(table_of(page, "best pair, others held (the star)"))
            outside = bool(np.any((star < low) | (star > high)))
            told = page.text_content(f"#{name}-told").replace("\u00a0", " ")
            assert ("The star lies outside of the picture, at (" in told) == outside
            np.testing.assert_allclose(
                spot(page, name, "g:has(> .star)"), np.clip(star, low, high), rtol=1e-6, atol=1e-5
            )
            found += outside
    assert found


# --- picking and dragging -----------------------------------------------------------------------------


def test_planes_are_picked_from_two_groups_by_keyboard(shown):
    page = shown()
    groups = page.locator("#plane-of optgroup")
    assert [groups.nth(i).get_attribute("label") for i in range(2)] == ["Two directions", "Two weights"]
    assert page.locator("#plane-of option").count() == len(planes(page, "directions")) + len(
        planes(page, "columns")
    )
    before = page.inner_text("#contour-told")
    page.focus("#plane-of")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("state.plane") == planes(page, "directions")[1]["id"]
    assert page.inner_text("#contour-told") != before
    go(page, plane="no such plane")
    assert page.inner_text("#contour-told") == before


def test_another_target_has_planes_and_numbers_of_its_own(shown):
    page = shown("targets")
    before = page.inner_text("#contour-told")
    go(page, target=2, plane=None)
    assert page.input_value("#plane-of") == page.evaluate("study.planes(2)[0].id")
    assert page.inner_text("#contour-told") != before


@pytest.mark.parametrize("kind", ["ten", "network"])
def test_the_solution_is_dragged_along_its_path(shown, kind):
    page = shown(kind)
    chosen = reading.chosen(drawn_study(kind), 0)
    go(page, alpha=4 * chosen)
    aim = page.locator("#contour-picture .solution").bounding_box()
    go(page, alpha=chosen)
    box = page.locator("#contour-picture .solution").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(aim["x"] + aim["width"] / 2, aim["y"] + aim["height"] / 2, steps=5)
    page.mouse.up()
    assert page.evaluate("state.alpha") == pytest.approx(4 * chosen, rel=0.1)
    page.mouse.move(box["x"], box["y"])  # let go
    assert page.evaluate("state.alpha") == pytest.approx(4 * chosen, rel=0.1)
