"""The page as a document: valid HTML, nothing from outside, names as text, a file that is whole."""

from __future__ import annotations

import re
import sys
from importlib.resources import files

import pytest

import eigenshrink as es
from eigenshrink.errors import InputError, MissingExtra
from eigenshrink.plots import FIGURES
from eigenshrink.report.html import tag
from eigenshrink.report.page import make_page, write_report
from eigenshrink.report.pictures import CAPTIONS, COLOURS
from eigenshrink.report.provenance import Origin, fingerprint
from figure_studies import OF_COLUMNS
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
    drawings = [given for name, given in page.attributes if name == "svg"]
    assert len(drawings) == len(OF_COLUMNS)
    assert {given["aria-label"] for given in drawings} == {CAPTIONS[name].alternative for name in OF_COLUMNS}
    assert all(given["role"] == "img" for given in drawings)
    assert 'name="viewport" content="width=device-width, initial-scale=1"' in source
    for wanted in ("prefers-color-scheme: dark", "@media print", "color-scheme: light dark"):
        assert wanted in source
    for head in page.attributes:
        assert head[0] != "th" or head[1]["scope"] in ("row", "col")


def test_every_figure_has_a_paragraph():
    assert set(CAPTIONS) == set(FIGURES)
    assert all(len(caption.reading) > 150 for caption in CAPTIONS.values())


def test_figures_wear_the_colours_of_the_page():
    drawings = re.findall(r"<svg.*?</svg>", page_of("polynomial"), re.DOTALL)
    assert len(drawings) == len(OF_COLUMNS)
    for drawing in drawings:
        assert re.findall(r"#[0-9a-f]{6}\b", drawing) == []
        assert "font-family" not in drawing
    css = (files("eigenshrink.report") / "page.css").read_text(encoding="utf-8")
    light, dark = css.split("@media screen and (prefers-color-scheme: dark)")
    for variable in {*COLOURS.values(), *re.findall(r"var\((--[\w-]+)\)", css)} - {"--share"}:
        assert f"{variable}:" in light
        assert f"{variable}:" in dark


def test_figures_hold_text_as_text():
    drawing = re.search(r'<figure id="figure-coefficients".*?</figure>', page_of("ten columns"), re.DOTALL)
    assert ">bmi</text>" in drawing[0]


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
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra):
        write_report(study_of("ten columns"), path)
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_one_parameter_is_not_several():
    study = es.study([[1.0], [2.0], [4.0]], [1.0, 3.0, 4.0], fit_intercept=False, alpha=1.0)
    assert " of 1 parameter is in use" in make_page(study)
    assert " of 1 parameter in use at" in study.plot.effective_parameters().get_title(loc="left")
