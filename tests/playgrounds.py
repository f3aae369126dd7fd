"""What the tests of the playground share: pages, and what can be read off and entered on them."""

from __future__ import annotations

import re

import numpy as np
import pytest

import eigenshrink as es
from eigenshrink.browser import write_playground

RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
CLOSE = {"rtol": 1e-6, "atol": 1e-9}
STAR = "#touch-picture .handle"
START = "#train-picture .handle"


@pytest.fixture(scope="session")
def playground_file(tmp_path_factory):
    return write_playground(tmp_path_factory.mktemp("play") / "deep" / "playground.html")


@pytest.fixture
def playground_page(open_page, playground_file):
    return open_page(playground_file, viewport={"width": 1300, "height": 900})


@pytest.fixture
def timed_playground(open_page, playground_file):
    """``timed_playground(**context)``: the same with a clock that only moves when it is told to."""

    def open_(**options):
        page = open_page(viewport={"width": 1300, "height": 900}, **options)
        page.clock.install(time=0)
        page.goto(playground_file.as_uri())
        page.clock.pause_at(10_000)
        return page

    return open_


def read(text):
    """A number as the page writes it."""
    plain = text.replace("−", "-").replace("\u00a0", "").replace("∞", "inf")
    mantissa, _, power = plain.rpartition("10") if re.search("10[⁻⁰-⁹¹²³]", plain) else (plain, "", "")
    if not power:
        return float(plain)
    return float(mantissa.rstrip("×") or 1) * 10.0 ** int(power.translate(RAISED))


def numbers(page):
    cells = page.evaluate("""() => Object.fromEntries([...document.querySelectorAll("[data-number]")]
        .map((cell) => [cell.dataset.number, cell.innerText]))""")
    single = {name: read(text) for name, text in cells.items()}
    pairs = {name[:-2] for name in single if name.endswith("-1")}
    return single | {name: np.array([single[f"{name}-{i}"] for i in (1, 2)]) for name in pairs}


def enter(page, field, text):
    page.fill(f"#{field}", text)
    page.press(f"#{field}", "Enter")


def slide(page, slider, value):
    """Move a slider as its own keys would."""
    page.evaluate(
        "([id, value]) => { const it = document.getElementById(id); it.value = value;"
        " it.dispatchEvent(new Event('input', { bubbles: true })); }",
        [slider, value],
    )


def settings(page):
    """What the controls say: eigenvalues, Q, w*, α."""
    values = page.evaluate(
        "ids => ids.map((id) => document.getElementById(id).value)",
        ["first-typed", "second-typed", "degrees-typed", "star-1", "star-2", "alpha-typed"],
    )
    first, second, degrees, x, y, alpha = (read(value) for value in values)
    angle = np.radians(degrees)
    Q = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.array([first, second]), Q, np.array([x, y]), alpha


def solve(eigenvalues, Q, minimiser, alpha):
    """``w̃`` without a word of eigenvectors where that has an answer, else its limit (M5, M6)."""
    H = Q * eigenvalues @ Q.T
    if np.isinf(alpha):
        return np.zeros(2)
    if alpha == 0:
        return np.linalg.pinv(H, rcond=1e-12) @ H @ minimiser
    return np.linalg.solve(H + alpha * np.eye(2), H @ minimiser)


def check(page):
    """Every number of the tables against a direct solve of what the controls say."""
    eigenvalues, Q, minimiser, alpha = settings(page)
    told, H = numbers(page), Q * eigenvalues @ Q.T
    solution = solve(eigenvalues, Q, minimiser, alpha)
    np.testing.assert_allclose(told["minimiser"], minimiser, **CLOSE)
    np.testing.assert_allclose(told["solution"], solution, **CLOSE)
    np.testing.assert_allclose(told["lambda"], eigenvalues, **CLOSE)
    np.testing.assert_allclose(told["rotated"], Q.T @ minimiser, **CLOSE)
    np.testing.assert_allclose(told["scaled"], Q.T @ solution, **CLOSE)
    np.testing.assert_allclose(told["share"] * told["rotated"], Q.T @ solution, **CLOSE)
    np.testing.assert_allclose(told["gamma"], told["share"].sum(), **CLOSE)
    if 0 < alpha < np.inf:
        np.testing.assert_allclose(
            told["gamma"], np.trace(np.linalg.solve(H + alpha * np.eye(2), H)), **CLOSE
        )
        np.testing.assert_allclose(told["penalty"], es.L2(alpha).value(solution), **CLOSE)
    away = solution - minimiser
    np.testing.assert_allclose(told["rise"], 0.5 * away @ H @ away, **CLOSE)
    np.testing.assert_allclose(told["radius"], np.hypot(*solution), **CLOSE)
    return told


def drawn(page, element, *names):
    return [float(page.get_attribute(element, name)) for name in names]


def to_page(point):
    return np.array([50 * (point[0] + 4), 50 * (4 - point[1])])
