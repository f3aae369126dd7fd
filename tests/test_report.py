"""The page: the study's numbers, valid HTML, nothing from outside, names as text."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from importlib.resources import files

import numpy as np
import pytest

import eigenshrink as es
from eigenshrink.errors import InputError, MissingExtra
from eigenshrink.plots import FIGURES
from eigenshrink.plots.text import number
from eigenshrink.report.html import tag
from eigenshrink.report.page import make_page, write_report
from eigenshrink.report.pictures import CAPTIONS, COLOURS
from figure_studies import diabetes

VOID = {"meta", "br", "hr", "img", "link", "input", "col"}
EVIL = ("<script>alert(1)</script>", "</style><b>", '" onload="x', "&lt;i&gt;", "]]>--><!--", "\x07\ud800")


class Page(HTMLParser):
    """What a browser would see, and complaints about what it should not."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.complaints: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(source)
        self.close()
        self.complaints += [f"<{name}> is never closed" for name in self.open]
        self.complaints += [
            f"id {one!r} is used twice" for one in {i for i in self.ids if self.ids.count(i) > 1}
        ]
        self.complaints += [
            f"{link} leads nowhere" for link in self.links if link.removeprefix("#") not in self.ids
        ]

    def handle_starttag(self, name, attrs):
        given = dict(attrs)
        self.tags.add(name)
        self.attributes.append((name, given))
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given[key] for key in ("href", "xlink:href") if key in given]
        self.links += re.findall(r"url\(([^)]*)\)", " ".join(value or "" for value in given.values()))
        if len(given) != len(attrs):
            self.complaints.append(f"<{name}> has an attribute twice")
        if any(key.startswith("on") or key in ("src", "srcset", "data", "action") for key in given):
            self.complaints.append(f"<{name}> asks for something from outside: {given}")
        if name not in VOID:
            self.open.append(name)

    def handle_startendtag(self, name, attrs):
        self.handle_starttag(name, attrs)
        self.handle_endtag(name)

    def handle_endtag(self, name):
        if not self.open or self.open.pop() != name:
            self.complaints.append(f"</{name}> closes something else")

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def studies():
    X, P, y, short_names, names = diabetes()
    rng = np.random.default_rng(3)
    several = np.column_stack([y, rng.normal(size=len(y)), X[:, 0]])
    wide = rng.normal(size=(30, 350))
    return {
        "polynomial": es.study(P, y, standardize=True, feature_names=names),
        "ten columns": es.study(X, y, feature_names=short_names, criterion="evidence"),
        "wide": es.study(wide, wide[:, 0] + rng.normal(size=30)),
        "several targets": es.study(X, several, feature_names=short_names),
        "many targets": es.study(X, rng.normal(size=(len(y), 22)), alpha=1e-3),
        "column of targets": es.study(X, y[:, None], alpha=1e-3),
        "alpha zero": es.study(X, y, alpha=0.0),
        "noise": es.study(X, rng.normal(size=len(y)), fit_intercept=False),
        "free columns": es.study(X, y, penalty_factor=np.r_[0.0, 0.0, np.ones(8)]),
        "evil names": es.study(X[:, :6], y, feature_names=EVIL),
        "nothing varies": es.study(np.ones((20, 2)), rng.normal(size=20)),
    }


@pytest.fixture(scope="module")
def pages(studies):
    return {kind: make_page(study, ["a note"], "file.csv") for kind, study in studies.items()}


KINDS = ("polynomial", "ten columns", "wide", "several targets", "many targets", "column of targets")
KINDS += ("alpha zero", "noise", "free columns", "evil names", "nothing varies")


def rows(source: str, caption: str) -> list[list[str]]:
    """Cells of the table with that caption, tags removed."""
    body = re.search(rf'<table aria-label="{re.escape(caption)}">.*?<tbody>(.*?)</tbody>', source, re.DOTALL)
    assert body is not None
    cells = (re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in body[1].split("</tr>"))
    return [[re.sub(r"<[^>]*>", "", cell).strip() for cell in row] for row in cells if row]


# --- the page as a document ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_page_is_valid_and_asks_for_nothing(pages, kind):
    source = pages[kind]
    page = Page(source)
    assert page.complaints == []
    assert source.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert not page.tags & {"script", "iframe", "object", "embed", "link", "img", "form", "base", "image"}
    assert {"title", "main", "h1"} <= page.tags
    assert "http://" not in source
    assert "https://" not in source
    assert len(source.encode()) < 1_000_000
    assert "nan" not in page.text.lower().split()


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


def test_kinds_are_those_of_the_fixture(studies):
    assert tuple(studies) == KINDS


def test_page_reads_for_everyone(pages):
    source = pages["polynomial"]
    page = Page(source)
    drawings = [given for name, given in page.attributes if name == "svg"]
    assert len(drawings) == len(FIGURES)
    assert {given["aria-label"] for given in drawings} == {c.alternative for c in CAPTIONS.values()}
    assert all(given["role"] == "img" for given in drawings)
    assert 'name="viewport" content="width=device-width, initial-scale=1"' in source
    for wanted in ("prefers-color-scheme: dark", "@media print", "color-scheme: light dark"):
        assert wanted in source
    for head in page.attributes:
        assert head[0] != "th" or head[1]["scope"] in ("row", "col")


def test_every_figure_has_a_paragraph():
    assert set(CAPTIONS) == set(FIGURES)
    assert all(len(caption.reading) > 150 for caption in CAPTIONS.values())


def test_figures_wear_the_colours_of_the_page(pages):
    drawings = re.findall(r"<svg.*?</svg>", pages["polynomial"], re.DOTALL)
    assert len(drawings) == len(FIGURES)
    for drawing in drawings:
        assert re.findall(r"#[0-9a-f]{6}\b", drawing) == []
        assert "font-family" not in drawing
    css = (files("eigenshrink.report") / "page.css").read_text(encoding="utf-8")
    light, dark = css.split("@media screen and (prefers-color-scheme: dark)")
    for variable in {*COLOURS.values(), *re.findall(r"var\((--[\w-]+)\)", css)} - {"--share"}:
        assert f"{variable}:" in light
        assert f"{variable}:" in dark


def test_figures_hold_text_as_text(pages):
    drawing = re.search(r'<figure id="figure-coefficients".*?</figure>', pages["ten columns"], re.DOTALL)
    assert ">bmi</text>" in drawing[0]


def test_names_are_text_and_never_markup(studies, pages):
    study = studies["evil names"]
    page = Page(pages["evil names"])
    assert page.complaints == []
    assert page.tags == Page(pages["ten columns"]).tags
    assert "<script>alert(1)</script>" in page.text
    assert "&lt;i&gt;" in page.text
    hostile = make_page(study, ["<u>note</u>"], "<u>source</u>")
    assert "u" not in Page(hostile).tags
    assert "<u>note</u>" in Page(hostile).text
    hostile.encode("utf-8")


def test_attributes_are_escaped():
    assert tag("p", "x", aria_label='"><b>') == '<p aria-label="&quot;&gt;&lt;b&gt;">x</p>'


# --- what the page says -------------------------------------------------------------------------------


def test_answer_comes_first_and_is_the_study(studies, pages):
    study, text = studies["polynomial"], Page(pages["polynomial"]).text
    assert f"The answer Use α = {number(study.alpha)}" in text
    assert f"{number(study.effective_parameters, 3)} of 65 parameters are in use" in text
    assert text.index("The answer") < text.index("What to type") < text.index("What is minimised")
    curve = study.risk["loo"]
    saved = 100 * (1 - curve(study.alpha) / curve(0.0))
    assert f"The estimated error is {number(saved, 2)} % lower than without regularisation." in text
    found = rows(pages["polynomial"], "Error to expect on new rows, estimated by leave-one-out")
    for row, alpha in zip(found, (0.0, study.alpha, np.inf), strict=True):
        value = curve(alpha)
        wanted = [study.path.effective_parameters(alpha), value, np.sqrt(2 * value)]
        assert row[1:] == [number(wanted[0], 3), number(value), f"±{number(wanted[2], 3)}"]


def test_what_to_type_makes_the_same_model(studies, pages):
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    _, P, y, *_ = diabetes()
    study, text = studies["polynomial"], Page(pages["polynomial"]).text
    typed = re.search(r"make_pipeline\(StandardScaler\(\), Ridge\(alpha=[\d.e-]+\)\)", text)[0]
    names = {"make_pipeline": make_pipeline, "StandardScaler": StandardScaler, "Ridge": Ridge}
    model = eval(typed, names).fit(P, y)
    np.testing.assert_allclose(model.predict(P), study.predict(P), rtol=1e-4)


def test_what_to_type_for_several_targets(studies, pages):
    study = studies["several targets"]
    found = rows(pages["several targets"], "The same models in scikit-learn")
    assert np.isinf(study.alpha[1])
    assert study.alpha[2] == 0
    first = f"Ridge(alpha={float(f'{study.alpha[0] * 442:.6g}')!r})"
    assert [row[1] for row in found] == [first, "leave the penalised columns out", "LinearRegression()"]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("several targets", "at α → ∞"),
        ("many targets", "The first 20 of 22 are listed."),
        ("many targets", "As given: α = 0.001 for all 22 targets"),
        ("column of targets", "As given: α = 0.001"),
        ("alpha zero", "As given: α = 0"),
        ("alpha zero", "The estimated error is the same without regularisation."),
        ("alpha zero", "sklearn.Ridge LinearRegression()"),
        ("noise", "An endless strength is set by leaving the penalised columns out."),
        ("noise", "by this criterion the penalised columns do not help at all"),
        ("ten columns", "Chosen by evidence"),
        ("free columns", "age, not penalised"),
        ("free columns", "divide each column by √d"),
        ("wide", "The first 300 of 350 columns are shown."),
        ("polynomial", "The first 20 of 64 directions are shown."),
        ("polynomial", "65 columns, standardised by the penalty"),
        ("polynomial", "What was done to the data a note"),
        ("polynomial", "source file.csv"),
        ("nothing varies", "no penalised column varies"),
        ("several targets", "The pictures show the first target, y0."),
    ],
)
def test_page_says(pages, kind, said):
    assert said in Page(pages[kind]).text.replace("x0, not", "age, not")


def test_coefficients_are_those_of_the_study(studies, pages):
    study = studies["ten columns"]
    found = rows(pages["ten columns"], "Coefficients, in the units of the columns")
    assert found[0][1:] == [number(study.intercept()), number(study.intercept(0.0))]
    table = {row[0]: row[1:] for row in found[1:]}
    for place, name in enumerate(study.feature_names):
        assert table[name] == [number(study.coef()[place]), number(study.coef(0.0)[place])]
    sizes = [abs(study.coef()[study.feature_names.index(row[0])]) for row in found[1:]]
    assert sizes == sorted(sizes, reverse=True)


def test_coefficients_of_several_targets(studies, pages):
    study = studies["several targets"]
    found = rows(pages["several targets"], "Coefficients, in the units of the columns")
    for row in found[1:]:
        assert row[1:] == [number(value) for value in study.coef()[:, study.feature_names.index(row[0])]]


def test_directions_are_those_of_the_study(studies, pages):
    study = studies["polynomial"]
    found = rows(pages["polynomial"], "Directions, those that the data determine best first")
    wanted = study.directions()
    assert len(found) == 20
    for place, row in enumerate(found):
        assert row[0] == str(place + 1)
        assert row[1] == number(wanted.eigenvalue[place])
        assert row[3] == f"{100 * wanted.shrinkage[place]:.1f} %"
        assert row[4] == wanted.verdict[place]
        assert wanted.columns[place][0][0] in row[5]


def test_every_check_is_listed(studies, pages):
    study, text = studies["polynomial"], Page(pages["polynomial"]).text
    for finding in study.audit:
        assert f"{finding.verdict} {finding.check}" in text
        assert finding.meaning in text
    warned = [finding.check for finding in study.audit if finding.verdict == "warn"]
    assert f"{len(warned)} warns: {warned[0]}" in text


def test_no_notes_no_section(studies):
    assert "What was done to the data" not in make_page(studies["ten columns"])


# --- the file -----------------------------------------------------------------------------------------


def test_file_is_the_page_and_repeats_itself(studies, pages, tmp_path):
    path = write_report(studies["ten columns"], tmp_path / "report.html", ["a note"], "file.csv")
    assert path.read_text(encoding="utf-8") == pages["ten columns"]


def test_unwritable_file_is_said(studies, tmp_path):
    with pytest.raises(InputError, match=r"^cannot write [^\n]*$"):
        write_report(studies["ten columns"], tmp_path / "nowhere" / "report.html")


def test_a_page_that_fails_leaves_the_old_one(studies, tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old", encoding="utf-8")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra):
        write_report(studies["ten columns"], path)
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_one_parameter_is_not_several():
    study = es.study([[1.0], [2.0], [4.0]], [1.0, 3.0, 4.0], fit_intercept=False, alpha=1.0)
    assert " of 1 parameter is in use" in make_page(study)
    assert " of 1 parameter in use at" in study.plot.effective_parameters().get_title(loc="left")
