"""What the tests of the page share: pages of studies on disk, what can be read off them and entered."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest

import eigenshrink as es
import glm_studies
import network_studies
import report_pages
from browser import Watch
from eigenshrink.report.page import make_page
from report_pages import EVIL

ROOMS = {
    "columns": report_pages.study_of,
    "glm": glm_studies.study_of,
    "network": network_studies.study,
    "here": lambda kind: HERE[kind](),
}
SCREEN = {"width": 1300, "height": 900}
EXACT = 1e-6


def evil_targets():
    """Two targets of hostile names, and columns of such names."""
    rng = np.random.default_rng(4)
    X = rng.normal(size=(60, len(EVIL)))
    Y = X[:, :2] * [2.0, -1.0] + rng.normal(size=(60, 2))
    study = es.study(X, Y, feature_names=EVIL)
    names = ("<script>alert(2)</script>", "=cmd|'/c calc'!A1")
    return type(study)(**{**study.__getstate__(), "target_names": names})


def formulas():
    """Columns whose names a spreadsheet would take for formulas."""
    rng = np.random.default_rng(6)
    X = rng.normal(size=(50, 6))
    names = ("=1+1", "+x", "-y", "@z", "\tq", 'a,"b"')
    return es.study(X, X[:, 0] - X[:, 2] + rng.normal(size=50), feature_names=names)


def many_columns():
    """Ten thousand of them."""
    rng = np.random.default_rng(8)
    X = rng.normal(size=(40, 10_000))
    return es.study(X, X[:, 0] + rng.normal(size=40), criterion="gcv")


HERE = {"evil targets": evil_targets, "formulas": formulas, "many columns": many_columns}


@cache
def study_of(room, kind):
    return ROOMS[room](kind)


@cache
def file_of(room, kind):
    path = Path(mkdtemp(prefix="page")) / "report.html"
    path.write_text(make_page(study_of(room, kind), ["a note"], "<u>file</u>.csv"), encoding="utf-8")
    return path


def opened(open_page, room, kind, **options):
    """A page that is ready, in a window of its own."""
    page = open_page(file_of(room, kind), **({"viewport": SCREEN} | options))
    page.wait_for_function("document.documentElement.classList.contains('live')")
    frame(page)
    return page


AGAIN = """() => {
  const by = (id) => document.getElementById(id);
  for (const field of document.querySelectorAll("#coefficient-search")) field.value = "";
  by("coefficient-search").dispatchEvent(new Event("input"));
  document.querySelectorAll("th:is([aria-sort=ascending], [aria-sort=descending]) button").forEach((head) => {
    while (head.parentElement.ariaSort !== "none") head.click();
  });
  by("alpha-number").dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
  by("alpha-reset").click();
  document.querySelector("[data-axis=alpha]").click();
  document.querySelectorAll("details").forEach((each) => { each.open = false; });
  if (document.activeElement) document.activeElement.blur();
  scrollTo(0, 0);
}"""


@pytest.fixture(scope="module")
def shared_page(chromium):
    """One page of the diabetes study for a file of tests: it must stay clean."""
    watch, context = Watch(), chromium.new_context(viewport=SCREEN)
    watch.over(context)
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto(file_of("columns", "polynomial").as_uri())
    page.wait_for_function("document.documentElement.classList.contains('live')")
    yield page
    context.close()
    assert watch.complaints == []


@pytest.fixture
def page(shared_page):
    """That page as it was when it was opened."""
    shared_page.evaluate(AGAIN)
    shared_page.mouse.move(0, 0)
    frame(shared_page)
    return shared_page


def frame(page):
    """Wait until what was asked for is drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def enter(page, text):
    """Type a strength."""
    page.fill("#alpha-number", text)
    page.press("#alpha-number", "Enter")
    frame(page)


def told(page, name):
    """A number of the page with all its digits."""
    return float(page.get_attribute(f'[data-now="{name}"]', "data-value"))


def shown(page, room="#coefficients-live"):
    """What the cells of a table say, row by row."""
    return page.eval_on_selector_all(
        f"{room} tbody tr", "(rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent))"
    )


def values(page, column, room="#coefficients-live"):
    """The numbers of a column of a table, in the order of the rows."""
    found = page.eval_on_selector_all(
        f"{room} tbody tr > :nth-child({column + 1})", "(cells) => cells.map((cell) => cell.dataset.value)"
    )
    return np.array(found, dtype=float)
