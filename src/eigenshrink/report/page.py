"""The page: a study in words, pictures and tables, in one file that opens anywhere and moves with α."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from eigenshrink._version import __version__
from eigenshrink.browser import source as script_of
from eigenshrink.data.write import new_file
from eigenshrink.errors import InputError
from eigenshrink.report import answer, charts, controls, drawings, elsewhere, estimates, tables
from eigenshrink.report.figures import figures
from eigenshrink.report.html import items, script, tag, text
from eigenshrink.report.live import as_script, live_record
from eigenshrink.report.network import page as network
from eigenshrink.report.provenance import Origin, fingerprint, how, now, objective_with_numbers
from eigenshrink.report.words import kind

OBJECTIVE = (
    "L is the mean loss on the training rows, the second term is the price of complexity. The strength α "
    "weighs one against the other; every number on this page is for this objective, in the units of the "
    "columns."
)
DIRECTIONS = {
    "columns": "A direction is a mix of columns that moves as one. The sign of a direction is arbitrary. Its "
    "coordinate is the weight that the unregularised solution w* has along it, on the scale of the penalty.",
    "network": network.DIRECTED,
}
BEFORE = ("maths.js", "frame.js", "study.js")
AFTER = ("tables.js", "controls.js", "frames.js", "report.js")
SCRIPTS = (*BEFORE, *drawings.SCRIPTS, *charts.SCRIPTS, *AFTER)  # in this order, after BokehJS


def write_report(
    study: Any, path: str | Path, notes: Sequence[str] = (), source: str = "", origin: Origin | None = None
) -> Path:
    """Write a study as one HTML file that needs no network.

    Parameters
    ----------
    study : Study
    path : path
        Replaced only when the new page is whole.
    notes : sequence of str
        What was done to the data before the fit, a sentence each.
    source : str
        Where the data come from, such as the name of a file.
    origin : Origin or None
        None: the source, the data as they are, and the present time.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If the file cannot be written.
    MissingExtra
        If bokeh is not installed.
    """
    if not study.path.whole:
        raise InputError(
            "the page draws directions of the weights, of which there are too many here (classes times "
            "columns): use study.summary() and study.to_dict(), or give fewer classes or columns"
        )
    known = origin or Origin(source, made=now(), fingerprint=fingerprint(study))
    page = make_page(study, notes, source, known)
    with new_file(path) as file:
        file.write_text(page, encoding="utf-8")
    return Path(path)


def make_page(study: Any, notes: Sequence[str] = (), source: str = "", origin: Origin | None = None) -> str:
    """Return the page as text; the same study and origin give the same page."""
    room, record = files("eigenshrink.report"), live_record(study)
    framed, drawn = figures(study)
    sections = _sections(study, record, notes, origin or Origin(source)) | {"figures": framed}
    shown = (_section(name, title, sections[name]) for name, title in TITLES.items() if sections.get(name))
    return Template((room / "page.html").read_text(encoding="utf-8")).substitute(
        version=__version__,
        css=(room / "page.css").read_text(encoding="utf-8") + drawings.styles(),
        title=text(HEADINGS[kind(study)](study)),
        sections="\n".join(shown),
        scripts="\n".join(
            [_data(record), drawn, *map(script, (charts.bokeh_js(), *map(script_of, SCRIPTS)))]
        ),
    )


def _sections(study: Any, record: dict[str, Any], notes: Sequence[str], origin: Origin) -> dict[str, str]:
    """Return what stands in each section; nothing of one that does not apply."""
    shared = {
        "strength": controls.bar(study),
        "present": controls.present(study),
        "notes": items(list(notes)),
        "audit": tables.audit(study),
        "how": how(record),
    }
    made = {**shared, **{name: make(study) for name, make in PARTS[kind(study)].items()}}
    made |= {name: live(study, made[name], record) for name, live in LIVE.items() if made.get(name)}
    made["directions"] = tag("p", text(DIRECTIONS[kind(study)])) + made["directions"]
    return made | {"origin": ORIGINS[kind(study)](study, origin)}


def _section(name: str, title: str, inside: str) -> str:
    """Return a section under its heading; what only scripts fill is hidden where none runs."""
    moving = {"class_": "moving"} if name in MOVING else {}
    return (
        tag("section", "\n", tag("h2", text(title)), "\n", inside, "\n", id=name, **moving)
        if title
        else inside
    )


def _data(record: dict[str, Any]) -> str:
    return f'<script type="application/json" id="record">{as_script(record)}</script>'


def _heading(study: Any) -> str:
    about = ", ".join(study.target_names[:3]) + (", …" if len(study.target_names) > 3 else "")
    return f"How strongly to regularise: {about}"


def _objective(study: Any) -> str:
    return _formula(study) + "\n" + tag("p", OBJECTIVE)


def _network_objective(study: Any) -> str:
    return _formula(study) + "\n" + tag("p", network.OBJECTIVE)


def _formula(study: Any) -> str:
    lines = (study.objective, objective_with_numbers(study))
    return "".join(tag("p", text(line), class_="formula") for line in lines if line)


TITLES = {  # sections in the order of the page, "": its own heading; one that says nothing is left out
    "answer": "The answer",
    "equivalents": "What to type",
    "strength": "",
    "present": "At this strength",
    "figures": "What the strength does",
    "layers": "Layers",
    "coefficients": "Coefficients",
    "directions": "Directions",
    "estimates": "Which estimate to believe",
    "audit": "What was checked",
    "notes": "What was done to the data",
    "objective": "What is minimised",
    "how": "How exact the numbers are",
    "origin": "Where this comes from",
}
PARTS: dict[str, dict[str, Callable[[Any], str]]] = {
    "columns": {
        "answer": answer.answer,
        "equivalents": elsewhere.equivalents,
        "estimates": estimates.estimates,
        "objective": _objective,
        "coefficients": tables.coefficients,
        "directions": tables.directions,
    },
    "network": {
        "answer": network.answer,
        "equivalents": network.equivalents,
        "estimates": network.estimates,
        "objective": _network_objective,
        "layers": network.layers,
        "directions": network.directions,
    },
}
"""What each kind of study has of its own in the sections."""
MOVING = ("present", "figures")
LIVE = {"coefficients": tables.live_coefficients, "directions": tables.live_directions}
"""Sections that move with the strength where scripts run."""
HEADINGS: dict[str, Callable[[Any], str]] = {"columns": _heading, "network": network.heading}
ORIGINS: dict[str, Callable[[Any, Origin], str]] = {"columns": tables.origin, "network": network.origin}
