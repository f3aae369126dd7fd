"""The page: a study in words, pictures and tables, in one file that opens anywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from eigenshrink._version import __version__
from eigenshrink.data.write import new_file
from eigenshrink.errors import InputError
from eigenshrink.plots import figures
from eigenshrink.report import answer, elsewhere, estimates, tables
from eigenshrink.report.html import items, tag, text
from eigenshrink.report.network import page as network
from eigenshrink.report.pictures import picture
from eigenshrink.report.words import kind

OBJECTIVE = (
    "L is the mean loss on the training rows, the second term is the price of complexity. The strength α "
    "weighs one against the other; every number on this page is for this objective, in the units of the "
    "columns."
)
DIRECTIONS = (
    "A direction is a mix of columns that moves as one. The sign of a direction is arbitrary. Its coordinate "
    "is the weight that the unregularised solution w* has along it, on the scale of the penalty."
)


def write_report(study: Any, path: str | Path, notes: Sequence[str] = (), source: str = "") -> Path:
    """Write a study as one HTML file that needs no network and no script.

    Parameters
    ----------
    study : Study
    path : path
        Replaced only when the new page is whole.
    notes : sequence of str
        What was done to the data before the fit, a sentence each.
    source : str
        Where the data come from, such as the name of a file.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If the file cannot be written.
    MissingExtra
        If matplotlib is not installed.
    """
    if not study.path.whole:
        raise InputError(
            "the page draws directions of the weights, of which there are too many here (classes times "
            "columns): use study.summary() and study.to_dict(), or give fewer classes or columns"
        )
    page = make_page(study, notes, source)
    with new_file(path) as file:
        file.write_text(page, encoding="utf-8")
    return Path(path)


def make_page(study: Any, notes: Sequence[str] = (), source: str = "") -> str:
    """Return the page as text; the same study gives the same page."""
    room = files("eigenshrink.report")
    drawn = "\n".join(picture(study, name) for name in figures(study))
    shared = {
        "figures": _which(study) + "\n" + tag("div", "\n", drawn, "\n", class_="figures"),
        "notes": items(list(notes)),
        "audit": tables.audit(study),
    }
    made = {**shared, **{name: make(study) for name, make in PARTS[kind(study)].items()}}
    made["origin"] = ORIGINS[kind(study)](study, source)
    sections = (
        tag("section", "\n", tag("h2", text(title)), "\n", made[name], "\n", id=name)
        for name, title in TITLES.items()
        if made.get(name)
    )
    return Template((room / "page.html").read_text(encoding="utf-8")).substitute(
        version=__version__,
        css=(room / "page.css").read_text(encoding="utf-8"),
        title=text(HEADINGS[kind(study)](study)),
        sections="\n".join(sections),
    )


def _heading(study: Any) -> str:
    about = ", ".join(study.target_names[:3]) + (", …" if len(study.target_names) > 3 else "")
    return f"How strongly to regularise: {about}"


def _which(study: Any) -> str:
    names = study.target_names
    return tag("p", text(f"The pictures show the first target, {names[0]}.")) if len(names) > 1 else ""


def _objective(study: Any) -> str:
    return tag("p", text(study.objective), class_="formula") + "\n" + tag("p", OBJECTIVE)


def _directions(study: Any) -> str:
    return tag("p", DIRECTIONS) + "\n" + tables.directions(study)


TITLES = {  # sections in the order of the page; one that says nothing is left out
    "answer": "The answer",
    "equivalents": "What to type",
    "estimates": "Which estimate to believe",
    "objective": "What is minimised",
    "notes": "What was done to the data",
    "figures": "What the strength does",
    "layers": "Layers",
    "coefficients": "Coefficients",
    "directions": "Directions",
    "audit": "What was checked",
    "origin": "Where this comes from",
}
PARTS: dict[str, dict[str, Callable[[Any], str]]] = {
    "columns": {
        "answer": answer.answer,
        "equivalents": elsewhere.equivalents,
        "estimates": estimates.estimates,
        "objective": _objective,
        "coefficients": tables.coefficients,
        "directions": _directions,
    },
    "network": {
        "answer": network.answer,
        "equivalents": network.equivalents,
        "estimates": network.estimates,
        "objective": network.objective,
        "layers": network.layers,
        "directions": network.directions,
    },
}
"""What each kind of study has of its own in the sections."""
HEADINGS: dict[str, Callable[[Any], str]] = {"columns": _heading, "network": network.heading}
ORIGINS: dict[str, Callable[[Any, str], str]] = {"columns": tables.origin, "network": network.origin}
