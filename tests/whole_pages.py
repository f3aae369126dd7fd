"""Pages that ``study.report(path)`` wrote of studies of every kind, and what a reader reads off them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

import eigenshrink as es
import network_studies

SCREEN = {"width": 1300, "height": 900}
HOSTILE = (
    "<script>window.bad=1</script>",
    "<img src=x onerror=window.bad=2>",
    "</script><script>window.bad=3</script>",
    "${window.bad=4}`'\"&lt;b&gt;",
)


def diabetes():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    return es.study(X, y, standardize=True)


def cancer():
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    return es.study(X, y, loss="logistic", standardize=True)


def targets():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    return es.study(X.drop(columns="bmi"), np.column_stack([y, 1000 * X["bmi"]]))


def wine():
    X, y = load_wine(return_X_y=True, as_frame=True)
    return es.study(X.iloc[:, :4], y, loss="multinomial", standardize=True)


def wide():
    """Ten thousand columns, a few of which matter."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 10_000))
    return es.study(X, X[:, :40].sum(axis=1) + rng.normal(size=60), alpha=3.0)


def hostile():
    """Columns and classes of hostile names."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(120, len(HOSTILE)))
    place = np.argmax(X[:, :3] + rng.normal(size=(120, 3)), axis=1)
    return es.study(X, np.array(HOSTILE)[place], loss="multinomial", feature_names=HOSTILE)


def hostile_targets():
    """Columns and targets of hostile names, as a table gives them."""
    import polars as pl

    rng = np.random.default_rng(2)
    X = rng.normal(size=(60, len(HOSTILE)))
    Y = X[:, :2] + rng.normal(size=(60, 2))
    return es.study(pl.DataFrame(X, schema=list(HOSTILE)), pl.DataFrame(Y, schema=list(HOSTILE[:2])))


KINDS = {
    "diabetes": diabetes,
    "cancer": cancer,
    "targets": targets,
    "wine": wine,
    "wide": wide,
    "hostile": hostile,
    "hostile targets": hostile_targets,
    "network": lambda: network_studies.study("perceptron"),
}


@cache
def study_of(kind):
    return KINDS[kind]()


@pytest.fixture(scope="session")
def page_file(tmp_path_factory):
    """``page_file(kind)`` is the page of a study on disk, written once."""
    folder = tmp_path_factory.mktemp("pages")

    @cache
    def written(kind):
        path = folder / f"{kind}.html"
        study_of(kind).report(path)
        return path

    return written


@pytest.fixture
def whole_page(open_page, page_file):
    """``whole_page(kind, **context)``: that page, open and drawn."""

    def opened(kind, **options):
        page = open_page(page_file(kind), **({"viewport": SCREEN} | options))
        settle(page)
        return page

    return opened


def settle(page):
    """Wait until what was asked for is drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def ask(page, text):
    """Type a strength."""
    page.fill("#alpha-number", text)
    page.press("#alpha-number", "Enter")
    settle(page)


def said(page):
    """Every number of the page that moves with the strength, with all its digits."""
    return {name: float(value) for name, value in page.evaluate(SAID)}


SAID = """() => [...document.querySelectorAll("[data-now]")]
    .map(({ dataset }) => [dataset.now, dataset.value])"""


def cells(page, box, column):
    """Exact numbers, or words, of a column of a table."""
    return page.eval_on_selector_all(
        f"{box} tbody tr > :nth-child({column})",
        "(cells) => cells.map((cell) => cell.dataset.value ?? cell.textContent)",
    )


def stated(page):
    """Largest error of each quantity between two strengths of its table, as the page states it."""
    rows = page.eval_on_selector_all(
        "#how tbody tr", "(rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent))"
    )
    return {what: error for what, _, error in rows}


def of(values, target):
    """A quantity at one strength, of one target."""
    return float(np.ravel(values)[target if np.size(values) > 1 else 0])
