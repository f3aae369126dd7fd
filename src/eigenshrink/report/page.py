"""The page: a study in words, pictures and tables, in one file that opens anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from eigenshrink._version import __version__
from eigenshrink.data.write import new_file
from eigenshrink.errors import InputError
from eigenshrink.plots import figures
from eigenshrink.report import answer, elsewhere, estimates, tables
from eigenshrink.report.html import tag, text
from eigenshrink.report.pictures import picture


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
    about = ", ".join(study.target_names[:3]) + (", …" if len(study.target_names) > 3 else "")
    room = files("eigenshrink.report")
    return Template((room / "page.html").read_text(encoding="utf-8")).substitute(
        version=__version__,
        css=(room / "page.css").read_text(encoding="utf-8"),
        title=text(f"How strongly to regularise: {about}"),
        answer=answer.answer(study),
        equivalents=elsewhere.equivalents(study),
        estimates=estimates.estimates(study),
        objective=text(study.objective),
        notes=tables.notes(list(notes)),
        which=_which(study),
        figures="\n".join(picture(study, name) for name in figures(study)),
        coefficients=tables.coefficients(study),
        directions=tables.directions(study),
        audit=tables.audit(study),
        origin=tables.origin(study, source),
    )


def _which(study: Any) -> str:
    names = study.target_names
    return tag("p", text(f"The pictures show the first target, {names[0]}.")) if len(names) > 1 else ""
