"""The page as a document: valid HTML, nothing from outside, names as text, a file that is whole."""

from __future__ import annotations

import re
import sys
from importlib.resources import files
from itertools import pairwise

import pytest

import eigenshrink as es
from eigenshrink.errors import InputError, MissingExtra
from eigenshrink.report.charts import CHARTS, charts_of
from eigenshrink.report.charts.paper import VARIABLES
from eigenshrink.report.html import script, tag
from eigenshrink.report.page import SCRIPTS, make_page, write_report
from eigenshrink.report.pictures import CAPTIONS
from eigenshrink.report.provenance import Origin, fingerprint
from report_pages import KINDS, Page, page_of, study_of, without_scripts

RAW = {"nan", "NaN", "inf", "-inf", "null"}  # as Python or JSON write them


# --- the page as a document ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_page_is_valid_and_asks_for_nothing(kind):
    source = page_of(kind)
    page = Page(source)
    assert page.complaints == []
    assert source.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert not page.tags & {"iframe", "object", "embed", "link", "img", "form", "base", "image"}
    assert {"title", "main", "h1"} <= page.tags
    assert "http://" not in without_scripts(source)
    assert "https://" not in without_scripts(source)
    assert len(source.encode()) < 3_000_000
    assert not RAW & set(re.findall(r"[-\w]+", page.text))


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ("<p><b></p>", "closes something else"),
        ("<p>", "never closed"),
        ('<p id="a"></p><p id="a"></p>', "used twice"),
        ('<a href="#x">y</a>', "leads nowhere"),
        ('<a href="https://example.org">y</a>', "leads nowhere"),
        ('<svg><path style="clip-path: url(#q)"></path></svg>', "leads nowhere"),
        ('<img src="x.png">', "from outside"),
        ('<p onclick="x()"></p>', "from outside"),
        ('<p class="a" class="b"></p>', "attribute twice"),
    ],
)
def test_bad_pages_are_complained_about(bad, complaint):
    assert any(complaint in said for said in Page(bad).complaints)


def test_page_reads_for_everyone():
    source = page_of("polynomial")
    page = Page(source)
    figures = [given["id"] for name, given in page.attributes if name == "figure"]
    charts = charts_of(study_of("polynomial"))
    assert figures == [f"figure-{name}" for name in ("contour", "steps", *(chart.name for chart in charts))]
    for chart in charts:
        assert chart.title in page.text
        assert chart.alternative in page.text
        assert chart.how_to_read in page.text
    hidden = [given["id"] for _, given in page.attributes if given.get("aria-hidden") == "true"]
    assert hidden == [f"chart-{chart.name}" for chart in charts]
    assert 'name="viewport" content="width=device-width, initial-scale=1"' in source
    for wanted in ("prefers-color-scheme: dark", "@media print", "color-scheme: light dark"):
        assert wanted in source
    for head in page.attributes:
        assert head[0] != "th" or head[1]["scope"] in ("row", "col")


@pytest.mark.parametrize("kind", ["polynomial", "several targets", "evil names"])
def test_headings_are_in_order_and_places_have_names(kind):
    page = Page(page_of(kind))
    depths = [int(name[1]) for name, _ in page.attributes if re.fullmatch("h[1-6]", name)]
    assert depths[0] == 1
    assert depths.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(depths))
    assert [name for name, _ in page.attributes if name in ("header", "main")] == ["header", "main"]
    assert next(given for name, given in page.attributes if name == "a") == {
        "class": "skip",
        "href": "#answer",
    }
    labels = {given["for"] for name, given in page.attributes if name == "label" and "for" in given}
    for name, given in page.attributes:
        if name in ("input", "select"):
            assert {given["id"]} & labels or "aria-label" in given or given["id"] == "coefficient-search"
        if given.get("role") == "region":
            assert given["aria-label"]


def test_every_caption_has_a_paragraph_and_a_chart():
    assert set(CAPTIONS) <= set(CHARTS)
    assert all(len(caption.reading) > 150 for caption in CAPTIONS.values())


def test_every_colour_of_the_page_has_a_dark_one():
    css = (files("eigenshrink.report") / "page.css").read_text(encoding="utf-8")
    light, dark = css.split("@media screen and (prefers-color-scheme: dark)")
    variables = {*re.findall(r"var\((--[\w-]+)\)", css), *(f"--{name}" for name in VARIABLES)} - {"--share"}
    assert len(variables) > 12
    for variable in variables:
        assert f"{variable}:" in light
        assert f"{variable}:" in dark


def test_the_page_may_ask_for_nothing():
    (policy,) = (
        given["content"] for _, given in Page(page_of("ten columns")).attributes if "http-equiv" in given
    )
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules.pop("default-src") == "'none'"
    assert rules == {
        "style-src": "'unsafe-inline'",
        "script-src": "'unsafe-inline'",
        "img-src": "data: blob:",
    }


def test_nothing_ends_a_script_early():
    assert "</script" not in script("a = '</script>'; b = '</SCRIPT';").removesuffix("</script>").lower()
    inside = re.findall(r"<script\b[^>]*>(.*?)</script>", page_of("evil names"), re.DOTALL)
    assert len(inside) == len(SCRIPTS) + 3
    assert not [one for one in inside if "<!--" in one and "<script" in one]


def test_names_are_text_and_never_markup():
    study = study_of("evil names")
    page = Page(page_of("evil names"))
    assert page.complaints == []
    assert page.tags == Page(page_of("ten columns")).tags
    assert "<script>alert(1)</script>" in page.text
    assert "&lt;i&gt;" in page.text
    hostile = make_page(study, ["<u>note</u>"], "<u>source</u>")
    assert "u" not in Page(hostile).tags
    assert "<u>note</u>" in Page(hostile).text
    hostile.encode("utf-8")


def test_attributes_are_escaped():
    assert tag("p", "x", aria_label='"><b>') == '<p aria-label="&quot;&gt;&lt;b&gt;">x</p>'


# --- the file -----------------------------------------------------------------------------------------


def test_file_is_the_page_and_repeats_itself(tmp_path):
    path = write_report(study_of("ten columns"), tmp_path / "report.html", ["a note"], "file.csv")
    made = re.search(r"<dt>made</dt><dd>([^<]*)</dd>", path.read_text(encoding="utf-8"))[1]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d", made)
    known = Origin("file.csv", made=made, fingerprint=fingerprint(study_of("ten columns")))
    assert path.read_text(encoding="utf-8") == make_page(study_of("ten columns"), ["a note"], origin=known)


def test_unwritable_file_is_said(tmp_path):
    with pytest.raises(InputError, match=r"^cannot write [^\n]*$"):
        write_report(study_of("ten columns"), tmp_path / "nowhere" / "report.html")


def test_a_page_that_fails_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old", encoding="utf-8")
    monkeypatch.setitem(sys.modules, "bokeh", None)
    with pytest.raises(MissingExtra, match=r"bokeh .* python -m pip install 'eigenshrink\[app\]'"):
        write_report(study_of("ten columns"), path)
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_one_parameter_is_not_several():
    study = es.study([[1.0], [2.0], [4.0]], [1.0, 3.0, 4.0], fit_intercept=False, alpha=1.0)
    assert " of 1 parameter is in use" in make_page(study)
    assert " of 1 parameter in use at" in study.plot.effective_parameters().get_title(loc="left")
