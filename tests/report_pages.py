"""Pages of studies of every kind, each made once, and what a browser would see of them."""

from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser

import numpy as np

import eigenshrink as es
from eigenshrink.report.page import make_page
from figure_studies import diabetes, grouped
from figure_studies import study as figure_study

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
        if not {"style", "script"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def without_scripts(source: str) -> str:
    """A page as it stands before any script has run."""
    return re.sub(r"<script\b.*?</script>", "", source, flags=re.DOTALL)


def rows(source: str, caption: str) -> list[list[str]]:
    """Cells of the table with that caption, tags removed."""
    body = re.search(rf'<table aria-label="{re.escape(caption)}">.*?<tbody>(.*?)</tbody>', source, re.DOTALL)
    assert body is not None
    cells = (re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in body[1].split("</tr>"))
    return [[re.sub(r"<[^>]*>", "", cell).strip() for cell in row] for row in cells if row]


def several_targets():
    X, _, y, names, _ = diabetes()
    targets = np.column_stack([y, noise(len(y)), X[:, 0]])
    return es.study(X, targets, feature_names=names)


def wide():
    rows = noise(30, 350)
    return es.study(rows, rows[:, 0] + noise(30, seed=4))


def ten(columns=slice(None), **options):
    X, _, y, names, _ = diabetes()
    return es.study(X[:, columns], y, **({"feature_names": names} | options))


def noise(*shape, seed=3):
    return np.random.default_rng(seed).normal(size=shape)


KINDS = {
    "polynomial": lambda: figure_study("polynomial"),
    "ten columns": lambda: ten(criterion="evidence"),
    "wide": wide,
    "several targets": several_targets,
    "many targets": lambda: es.study(diabetes()[0], noise(442, 22), alpha=1e-3),
    "column of targets": lambda: es.study(diabetes()[0], diabetes()[2][:, None], alpha=1e-3),
    "alpha zero": lambda: ten(alpha=0.0),
    "noise": lambda: es.study(diabetes()[0], noise(442), fit_intercept=False),
    "free columns": lambda: ten(penalty_factor=np.r_[0.0, 0.0, np.ones(8)]),
    "evil names": lambda: ten(slice(6), feature_names=EVIL),
    "nothing varies": lambda: es.study(np.ones((20, 2)), noise(20)),
    "groups": grouped,
    "held out": lambda: grouped(validation=0.25),
    "copies": lambda: figure_study("copies"),
    "loaded": lambda: figure_study("loaded"),
    "by GCV": lambda: figure_study("by GCV"),
    "one strength": lambda: figure_study("one strength"),
    "no error": lambda: es.study(np.eye(3), [1.0, 2.0, 4.0], alpha=0.0),
}


@cache
def study_of(kind):
    return KINDS[kind]()


@cache
def page_of(kind):
    return make_page(study_of(kind), ["a note"], "file.csv")
