"""Coefficients, directions, checks and origin, as tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink._version import __version__
from eigenshrink.plots import reading
from eigenshrink.plots.text import mix, number, plural
from eigenshrink.report.html import items, table, tag, text

Array = NDArray[np.float64]

MOST = 300  # coefficients that are listed
TARGETS = 6  # targets that get a column
DIRECTIONS = 20


def coefficients(study: Any) -> str:
    """Return the coefficients at the chosen strength, the largest first, beside those without penalty."""
    names = study.target_names
    chosen = np.atleast_2d(study.coef())[:TARGETS]
    bare = np.atleast_2d(study.coef(0.0))[:TARGETS]
    d = reading.factors(study)
    weight = np.abs(chosen) * np.where(d > 0, np.sqrt(d), 1.0)
    order = np.argsort(-weight.max(axis=0), kind="stable")[:MOST]
    rows = []
    if study.facts.fit_intercept:
        rows.append(_row("intercept, never penalised", np.ravel(study.intercept())[:TARGETS], study))
    for place in order:
        free = ", not penalised" if d[place] == 0 else ""
        beside = bare[:, place] if len(names) == 1 else None
        rows.append(_row(text(study.feature_names[place]) + free, chosen[:, place], study, beside))
    single = ["coefficient", "without regularisation"]
    heads = ["column", *(single if len(names) == 1 else names[:TARGETS])]
    note = _left_out(len(d), MOST, "column") + _left_out(len(names), TARGETS, "target")
    made = table("Coefficients, in the units of the columns", heads, rows, "t" + "n" * (len(heads) - 1))
    return made + (tag("p", text(note), class_="note") if note else "")


def directions(study: Any) -> str:
    """Return the table of the first directions (M7, M8)."""
    found = study.directions(reading.chosen(study, 0), top=3)
    rows = []
    for place in range(min(len(found.eigenvalue), DIRECTIONS)):
        share = float(found.shrinkage[place])
        bar = f'<span class="bar" style="--share:{share:.3f}"></span>'
        coordinate = reading.of_target(found.coordinate, 0, 1)[place]
        cells = [number(found.eigenvalue[place]), number(coordinate), f"{100 * share:.1f} % {bar}"]
        rows.append([str(place + 1), *cells, found.verdict[place], text(mix(found.columns[place], 30))])
    heads = ("direction", "eigenvalue λ", "coordinate of w*", "share kept", "verdict", "made mostly of")
    note = _left_out(len(found.eigenvalue), DIRECTIONS, "direction")
    made = table("Directions, those that the data determine best first", heads, rows, "nnnntt")
    return made + (tag("p", text(note), class_="note") if note else "")


def audit(study: Any) -> str:
    """Return every check with what it means and what to do."""
    found = [_finding(finding) for finding in study.audit]
    return tag("ul", *found, class_="audit") if found else tag("p", "Nothing was checked.")


def origin(study: Any, source: str) -> str:
    """Return where the page comes from."""
    facts, spectrum = study.facts, study.spectrum
    weighted = facts.weight_sum != facts.rows
    weights = f", {facts.weight_kind} weights of sum {number(facts.weight_sum)}" if weighted else ""
    scaled = ", standardised by the penalty" if facts.standardize else ""
    rows = {
        "made by": f"eigenshrink {__version__}",
        "source": source,
        "rows": f"{plural(facts.rows, 'row')}{weights}",
        "columns": plural(facts.columns, "column") + scaled,
        "targets": ", ".join(study.target_names[:TARGETS]) + (", …" if facts.targets > TARGETS else ""),
        "loss": study.loss,
        "spectrum": f"{plural(len(spectrum.eigenvalues), 'direction')}, computed by {spectrum.route}",
        "numerical floor": f"α = {number(spectrum.floor)}, below it digits are lost"
        if spectrum.floor
        else "",
    }
    pairs = (tag("dt", text(key)) + tag("dd", text(value)) for key, value in rows.items() if value)
    return tag("dl", *pairs)


def notes(lines: tuple[str, ...] | list[str]) -> str:
    """Return what was done to the data before the fit, if anything."""
    return tag("section", tag("h2", "What was done to the data"), items(lines), id="notes") if lines else ""


def _row(name: str, values: Array, study: Any, beside: Array | None = None) -> list[str]:
    shown = [number(value) for value in values]
    if len(study.target_names) > 1:
        return [name, *shown]
    return [name, *shown, number(np.ravel(study.intercept(0.0))[0] if beside is None else beside[0])]


def _left_out(count: int, most: int, what: str) -> str:
    return f"The first {most} of {plural(count, what)} are shown. " if count > most else ""


def _finding(finding: Any) -> str:
    head = tag("strong", text(finding.verdict)) + " " + text(finding.check)
    meaning = tag("p", text(finding.meaning))
    advice = tag("p", text(finding.advice), class_="advice") if finding.advice else ""
    return tag("li", tag("h3", head), meaning, advice, class_=finding.verdict)
