"""The page as a reader has it: written by ``study.report``, opened from disk, α moved, numbers read off."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from eigenshrink.plots.text import number
from eigenshrink.risk import criterion_name
from playgrounds import read, slide
from whole_pages import ask, cells, of, page_file, said, settle, stated, study_of, whole_page

__all__ = ["page_file", "whole_page"]
KINDS = ("diabetes", "cancer", "targets", "wine", "network")
LARGEST = 3_000_000  # bytes
CLOSED = ("train", "gcv", "cp", "evidence")  # of squared loss, recomputed in the browser
EXACT = {"rtol": 1e-6, "atol": 1e-9}
AROUND = {"network": (0.337, 1.31, 2.03)}  # times the chosen strength; of a network where it is trusted
TABLED = {"gamma": "effective_parameters", "norm": "norm"}  # where nothing is recomputed


def untabled(page, kind, target=0):
    """Three strengths around the chosen one that no table of the page holds, and those that one does."""
    grid = page.evaluate("Array.from(live.open(JSON.parse(record.textContent)).grid)")
    alphas = of(study_of(kind).alpha, target) * np.array(AROUND.get(kind, (0.137, 1.931, 14.07)))
    assert np.abs(np.subtract.outer(np.log(alphas), np.log(grid))).min() > 1e-6
    return alphas.tolist(), np.array(grid)


def places(told):
    """Of the coefficients, in the order of the table."""
    return [int(name.split(":")[1]) for name in told if name.startswith("coefficient:")]


def check_closed(page, study, target, alpha):
    """Everything that is recomputed against the study, to six digits."""
    told = said(page)
    wanted = {
        "alpha": alpha,
        "gamma": study.path.effective_parameters(alpha),
        "norm": of(study.path.norm(alpha), target),
        "train": of(study.path.train_loss(alpha), target),
        "intercept": of(study.intercept(alpha), target),
        **{f"criterion:{name}": of(study.risk[name](alpha), target) for name in CLOSED},
        **{f"coefficient:{place}": np.atleast_2d(study.coef(alpha))[target, place] for place in places(told)},
    }
    assert len(places(told)) == len(study.feature_names)
    for name, value in wanted.items():
        assert_allclose(told[name], value, **EXACT, err_msg=f"{name} at {alpha}")
    assert cells(page, "#coefficients-live", 1) == [study.feature_names[place] for place in places(told)]
    shares = np.array(cells(page, "#directions-live", 4), dtype=float)
    assert_allclose(shares, study.path.shrinkage(alpha)[: len(shares)], **EXACT)


@pytest.mark.parametrize(("kind", "target"), [("diabetes", 0), ("targets", 1)])
def test_what_is_recomputed_is_the_study(whole_page, kind, target):
    page, study = whole_page(kind), study_of(kind)
    assert "computed here from closed forms" in page.inner_text("#how")
    if target:
        page.select_option("#target", str(target))
    for alpha in (*untabled(page, kind, target)[0], 0.0, np.inf):
        ask(page, repr(alpha))
        check_closed(page, study, target, alpha)


def test_slider_number_and_reset_lead_to_the_same_numbers(whole_page):
    page, study = whole_page("diabetes"), study_of("diabetes")
    last = int(page.get_attribute("#alpha", "max"))
    for position in (last // 5, last // 2, 4 * last // 5):
        slide(page, "alpha", position)
        settle(page)
        check_closed(page, study, 0, said(page)["alpha"])
    for position, alpha in ((0, 0.0), (last, np.inf)):
        slide(page, "alpha", position)
        settle(page)
        assert said(page)["alpha"] == alpha
    page.click("#alpha-reset")
    settle(page)
    assert said(page)["alpha"] == study.alpha
    check_closed(page, study, 0, study.alpha)


def curves_of(study):
    """Everything that is tabled: the quantity of the page, what it is called in its statement, its curve."""
    closed = CLOSED if study.loss == "squared" else ()
    found = [
        (f"criterion:{name}", criterion_name(name), study.risk[name])
        for name in study.risk
        if name not in closed
    ]
    if not closed:
        along = "effective parameters, norm"
        found += [(name, along, getattr(study.path, method)) for name, method in TABLED.items()]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_it_opens_from_disk_and_what_is_tabled_keeps_its_stated_error(whole_page, page_file, kind):
    page, study = whole_page(kind), study_of(kind)
    assert page.url.startswith("file:")
    assert page_file(kind).stat().st_size < LARGEST
    assert said(page)["alpha"] == of(study.alpha, 0)
    assert number(of(study.alpha, 0)) in page.inner_text("#answer")
    alphas, grid = untabled(page, kind)
    told = []
    for alpha in alphas:
        ask(page, repr(alpha))
        told.append(said(page))
    errors = {what: read(error) for what, error in stated(page).items() if error != "none"}
    for name, label, curve in curves_of(study):
        exact, known = (of_target(curve(at)) for at in (np.array(alphas), grid))
        size, scale = np.ptp(known[np.isfinite(known)]), np.abs(known[np.isfinite(known)]).max()
        apart = np.abs(np.array([each[name] for each in told]) - exact)
        assert np.all(apart <= errors[label] * size + 1e-12 * scale), (name, apart, errors[label] * size)


def of_target(values):
    """The first target's, one per strength."""
    return np.asarray(values).reshape(len(values), -1)[:, 0]


@pytest.mark.parametrize("kind", ["cancer", "wine"])
def test_tabled_coefficients_keep_their_stated_error(whole_page, kind):
    page, study = whole_page(kind), study_of(kind)
    alphas, grid = untabled(page, kind)
    error = read(stated(page)["coefficients"])
    known = study.coef(grid).reshape(len(grid), -1)
    for alpha in alphas:
        ask(page, repr(alpha))
        told, wanted = said(page), np.ravel(study.coef(alpha))
        assert sorted(places(told)) == list(range(len(wanted)))
        for place in places(told):
            allowed = error * np.ptp(known[:, place]) + 1e-7 * np.abs(known[:, place]).max()
            assert abs(told[f"coefficient:{place}"] - wanted[place]) <= allowed
    ask(page, "inf")
    assert {value for name, value in said(page).items() if name.startswith("coefficient")} == {0}
