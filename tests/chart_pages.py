"""What the tests of the charts share: a page with nothing else on it, and what can be read off it."""

from __future__ import annotations

import base64
from functools import cache
from importlib.resources import files

import numpy as np
import pytest
from pandas import DataFrame

import eigenshrink as es
import figure_studies
import network_studies
from browser import Watch
from eigenshrink.browser import source
from eigenshrink.report.charts import bokeh_js, charts_js, charts_of, script_and_divs
from eigenshrink.report.live import as_script, live_record

BEFORE = ("maths.js", "frame.js", "study.js")
TALL = {"width": 700, "height": 6000}
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:"
START = """
const study = live.open(JSON.parse(document.getElementById("record").textContent));
const FIRST = { target: 0, alpha: study.chosen(0), axis: "alpha", highlight: [], direction: null };
const state = { ...FIRST };
const panels = Object.fromEntries(
  charts.mount(study, { onAlpha: (alpha) => go({ alpha }) }).map((panel) => [panel.name, panel]));
function go(part) {
  Object.assign(state, part);
  for (const panel of Object.values(panels)) panel.show(study, state);
}
const frame_ = () => new Promise((done) => { requestAnimationFrame(done); });
const drawn = async () => { await frame_(); await frame_(); };
const known = (chart, name) => panels[chart].sheet.known(name);
const columns = (chart, name) => Object.fromEntries(
  Object.entries(known(chart, name).data).map(([key, values]) => [key, Array.from(values)]));
go({});
const ready = Promise.all(Object.values(panels).map((panel) => panel.ready)).then(drawn);
"""
HOSTILE = ("<script>boo()</script>", "$$\\frac{1}{2}$$", "<img src=x onerror=boo()>", "\\(x\\)", "__proto__")


def classes():
    X, _, y, names, _ = figure_studies.diabetes()
    labels = np.digitize(y, [100, 180])
    return es.study(X[:, :4], labels, loss="multinomial", feature_names=names[:4])


def hostile():
    X, _, y, *_ = figure_studies.diabetes()
    targets = DataFrame({"$$\\frac{1}{2}$$": y, "\\(x\\)": -y})
    return es.study(X[:, : len(HOSTILE)], targets, feature_names=HOSTILE)


def many():
    """More directions and columns than are drawn."""
    rows = np.random.default_rng(3).normal(size=(560, 540))
    return es.study(
        rows, rows[:, :5].sum(axis=1) + np.random.default_rng(4).normal(size=560), criterion="gcv"
    )


MADE = {
    "ten": lambda: figure_studies.ten(standardize=True),
    "polynomial": figure_studies.polynomial,
    "targets": figure_studies.several_targets,
    "infinite": lambda: figure_studies.ten(alpha=np.inf),
    "nothing": lambda: es.study(np.ones((20, 2)), figure_studies.noise(20)),
    "classes": classes,
    "network": network_studies.perceptron,
    "hostile": hostile,
    "many": many,
}


@cache
def charted_study(kind):
    return MADE[kind]()


@cache
def charts_for(kind):
    return charts_of(charted_study(kind))


@cache
def charted_page(kind):
    """All charts of a study with the style, the policy and the engine of the report."""
    study = charted_study(kind)
    css = (files("eigenshrink.report") / "page.css").read_text(encoding="utf-8")
    data, boxes = script_and_divs(charts_for(kind))
    codes = (bokeh_js(), *map(source, BEFORE), charts_js(), START)
    inline = "".join(f"<script>\n{code}</script>\n" for code in codes)
    sections = "".join(f"<section>{box}</section>" for box in boxes.values())
    return f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Charts</title>
<link rel="icon" href="data:,"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}"><style>{css}</style></head><body>{sections}
<script type="application/json" id="record">{as_script(live_record(study))}</script>{data}
{inline}</body></html>"""


@pytest.fixture(scope="module")
def charted_files(tmp_path_factory):
    """``charted_files(kind)``: the page of a kind of study, written once."""
    folder = tmp_path_factory.mktemp("charted")

    @cache
    def file_of(kind):
        file = folder / f"{kind}.html"
        file.write_text(charted_page(kind), encoding="utf-8")
        return file

    return file_of


@pytest.fixture(scope="module")
def charted_shared(chromium, charted_files):
    """``charted_shared(kind)``: one page for all tests that leave it as it was, and what went wrong on it."""
    contexts = []

    @cache
    def page_of(kind):
        context, watch = chromium.new_context(viewport=TALL), Watch()
        contexts.append(context)
        watch.over(context)
        page = context.new_page()
        page.goto(charted_files(kind).as_uri())
        page.evaluate("ready")
        return page, watch

    yield page_of
    for context in contexts:
        context.close()


@pytest.fixture
def charted(open_page, charted_files, charted_shared):
    """``charted(kind)``: the shared page as it was opened, and the study; with options a page of its own."""
    watches = []

    def open_(kind, **options):
        if options:
            page = open_page(charted_files(kind), **({"viewport": TALL} | options))
            page.evaluate("ready")
            return page, charted_study(kind)
        page, watch = charted_shared(kind)
        watches.append(watch)
        page.evaluate("async () => { go(FIRST); await drawn(); }")
        return page, charted_study(kind)

    yield open_
    assert [complaint for watch in watches for complaint in watch.complaints] == []


def until(page, condition):
    """Wait for a condition; the policy of the page forbids what Playwright has for this."""
    for _ in range(400):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never true: {condition}")


def go(page, **part):
    """Change the state and wait until it is drawn; infinity goes too."""
    page.evaluate("async (part) => { go(part); await drawn(); }", part)


def columns(page, chart, name):
    """Columns of one source as arrays."""
    found = page.evaluate("([chart, name]) => columns(chart, name)", [chart, name])
    ragged = {key for key, values in found.items() if any(isinstance(value, list) for value in values)}
    return {key: values if key in ragged else np.array(values) for key, values in found.items()}


BLOB = """async ([name, kind]) => {
  const blob = await charts.export(name, kind);
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return [blob.type, btoa(Array.from(bytes, (each) => String.fromCharCode(each)).join(""))];
}"""


def exported(page, name, kind):
    said, text = page.evaluate(BLOB, [name, kind])
    return said, base64.b64decode(text)


def model(page, chart, name, *properties):
    wanted = "([chart, name, parts]) => parts.map((part) => known(chart, name)[part])"
    return page.evaluate(wanted, [chart, name, properties])
