"""What the tests of the drawings share: a page with nothing else on it, and what can be read off it."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import numpy as np
import pytest

from eigenshrink.browser import source
from eigenshrink.report import drawings
from eigenshrink.report.live import as_script, live_record

SIZE = 400
CLOSE = {"rtol": 1e-6, "atol": 1e-6}
BEFORE = ("maths.js", "frame.js", "study.js")
START = """
const study = live.open(JSON.parse(document.getElementById("record").textContent));
const state = { target: 0, alpha: study.chosen(0), plane: null };
const by = (name) => document.getElementById(`figure-${name}`);
const made = plane.mount({ contour: by("contour"), steps: by("steps") }, study, {
  onPlane: (id) => go({ plane: id }), onAlpha: (alpha) => go({ alpha }),
});
function go(part) { Object.assign(state, part); for (const one of made) one.show(study, state); }
go({});
"""


@pytest.fixture(scope="session")
def drawn_file(tmp_path_factory):
    """``drawn_file(study)`` writes the page of a study, once."""
    folder = tmp_path_factory.mktemp("drawn")

    @cache
    def file_of(study):
        file = folder / f"{id(study)}.html"
        file.write_text(page_of(study), encoding="utf-8")
        return file

    return file_of


@pytest.fixture
def drawn_page(open_page, drawn_file):
    """``drawn_page(study, **context)``: the page of a study, open."""
    size = {"viewport": {"width": 1000, "height": 900}}
    return lambda study, **options: open_page(drawn_file(study), **(size | options))


@pytest.fixture
def timed_drawing(open_page, drawn_file):
    """The same with a clock that only moves when it is told to."""

    def open_(study, **options):
        opened = open_page(viewport={"width": 1000, "height": 900}, **options)
        opened.clock.install(time=0)
        opened.goto(drawn_file(study).as_uri())
        opened.clock.pause_at(10_000)
        return opened

    return open_


def page_of(study):
    """Both drawings of a study with the style, the policy and the engine of the report."""
    css = (files("eigenshrink.report") / "page.css").read_text(encoding="utf-8") + drawings.styles()
    scripts = [source(name) for name in (*BEFORE, *drawings.SCRIPTS)]
    inline = "".join(f"<script>\n{code}</script>\n" for code in (*scripts, START))
    record = as_script(live_record(study))
    policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:"
    return f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Drawings</title>
<link rel="icon" href="data:,"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}"><style>{css}</style></head><body>
<section class="figures">{drawings.drawings()}</section>
<script type="application/json" id="record">{record}</script>
{inline}</body></html>"""


def go(page, **part):
    """Show another strength or plane."""
    alpha = part.get("alpha")
    if alpha is not None and np.isinf(alpha):
        part["alpha"] = "Infinity"
    page.evaluate(
        "(part) => go({ ...part, ...('alpha' in part ? { alpha: Number(part.alpha) } : {}) })", part
    )


def scrub(page, time):
    page.evaluate(
        "(time) => { const it = document.getElementById('steps-time'); it.value = time;"
        " it.dispatchEvent(new Event('input', { bubbles: true })); }",
        time,
    )


def corners(page, name):
    """Lower left and upper right corner of what a drawing shows."""
    picture = f"#{name}-picture"
    return tuple(
        np.array(page.get_attribute(picture, f"data-{end}").split(), dtype=float) for end in ("low", "high")
    )


def in_plane(page, name, points):
    """Points of the plane from points of a drawing."""
    low, high = corners(page, name)
    part = np.atleast_2d(points) / SIZE
    return np.column_stack([part[:, 0], 1 - part[:, 1]]) * (high - low) + low


def numbers(text):
    return np.array(re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", text), dtype=float)


def line(page, name, kind):
    """Corners of a path, as points of the plane."""
    drawn = page.get_attribute(f"#{name}-picture path.{kind}", "d")
    return in_plane(page, name, numbers(drawn).reshape(-1, 2))


def spot(page, name, element):
    """Where a circle, or what is moved by a transform, stands, as a point of the plane."""
    found = page.locator(f"#{name}-picture {element}").first
    place = [found.get_attribute(part) for part in ("cx", "cy")]
    if place[0] is None:
        place = numbers(found.get_attribute("transform"))[:2]
    return in_plane(page, name, np.array(place, dtype=float))[0]


def oval(page, name, kind):
    """Centre, half axes and directions (columns) of the heavy ellipse of a kind, in the plane."""
    low, high = corners(page, name)
    found = page.locator(f"#{name}-picture ellipse.{kind}.heavy")
    x, y, degrees = numbers(found.get_attribute("transform"))
    half = np.array([float(found.get_attribute(part)) for part in ("rx", "ry")])
    angle = -np.radians(degrees)
    axes = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return in_plane(page, name, [x, y])[0], half * (high - low)[0] / SIZE, axes


def table(page, name):
    """The numbers behind a drawing, by what and along what."""
    rows = page.evaluate(
        "(name) => plane.table(name).rows.map(([what, along, value]) => [what, along, String(value)])", name
    )
    return {(what, along): float(value.replace("Infinity", "inf")) for what, along, value in rows}


def planes(page, kind):
    return page.evaluate("(kind) => study.planes(0).filter((one) => one.kind === kind)", kind)


def arrow(page):
    """Where the arrow of the three steps ends."""
    drawn = numbers(page.get_attribute("#steps-picture .chosen.arrow", "d"))
    return in_plane(page, "steps", drawn[2:4])[0] if len(drawn) else np.zeros(2)


def spot_of_star(page):
    """Where the star of the contour picture stands."""
    return spot(page, "contour", "g:has(> .star) >> visible=true")
