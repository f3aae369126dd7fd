"""Coefficients, directions, checks and origin, as tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink._version import __version__
from eigenshrink.inference import kept_per_column
from eigenshrink.plots import reading
from eigenshrink.plots.text import mix, number, plural
from eigenshrink.report import losses
from eigenshrink.report.html import table, tag, text
from eigenshrink.report.provenance import Origin
from eigenshrink.report.summary import (
    BIASED,
    GROUPED,
    NO_SCATTER,
    SCATTER,
    UNBIASED,
    UNPENALISED,
    UNSHRUNK,
)
from eigenshrink.report.words import rows_share_groups

Array = NDArray[np.float64]

MOST = 300  # coefficients that are listed
TARGETS = 6  # targets that get a column
CLASSES = 10  # classes that do
FAR = 300.0  # a coefficient whose ratio is no number to read
DIRECTIONS = 20
INTERCEPT = "intercept, never penalised"
COEFFICIENTS = "Coefficients at the present strength"
DIRECTED = "Directions at the present strength"
LARGEST = "Listed are the {} coefficients of {} that are largest at the chosen strength."
SORTED = "A head sorts; the arrow keys go from row to row, and the row is shown in the pictures."
COMPARED = (
    "Left of it is the coefficient now beside the one without regularisation, or at the weakest strength: "
    "below 0 % its sign has changed, above 100 % it has grown. The s.e. does not move: it is that at the "
    "chosen strength."
)
BESIDE = "Beside ±: the standard error. "
ORDER = ("fail", "warn", "pass")


def coefficients(study: Any) -> str:
    """Return the coefficients at the chosen strength with their standard errors, the largest first."""
    labels = reading.class_labels(study)
    most, names = (CLASSES, [str(label) for label in labels]) if labels else (TARGETS, study.target_names)
    chosen = np.atleast_2d(study.coef())[:most]
    weight = np.abs(chosen) * np.where(reading.factors(study) > 0, np.sqrt(reading.factors(study)), 1.0)
    spread = np.ptp(weight, axis=0) if labels else weight.max(axis=0)
    order = np.argsort(-spread, kind="stable")[:MOST]
    errors = np.atleast_2d(study.standard_errors())[:most]
    single = len(names) == 1
    rows = (_single if single else _beside)(study, order, chosen, errors)
    heads = ["column", *(_heads(study) if single else names[:most])]
    left = _left_out(chosen.shape[1], MOST, "column")
    left += _left_out(len(names), most, *(("class", "classes") if labels else ("target",)))
    made = table("Coefficients, in the units of the columns", heads, rows, "t" + "n" * (len(heads) - 1))
    note = tag("p", text(f"{left}{_scatter(study, errors)}"), class_="note")
    return made + note


def _heads(study: Any) -> list[str]:
    """Return what is said of each column where there is one target."""
    ratio = losses.ratio(study)
    weakest = "at the weakest strength" if reading.weakest(study)[0] else "without regularisation"
    return ["coefficient", "s.e.", *([ratio] if ratio else []), "share kept", weakest]


def _single(study: Any, order: Any, chosen: Array, errors: Array) -> list[list[str]]:
    """Coefficient, standard error, share kept and the weakest strength's, a line per column."""
    kept = np.ravel(kept_per_column(study.path, reading.chosen(study, 0)))
    weakest = reading.weakest(study)[0]
    bare, ratio = np.ravel(study.coef(weakest)), bool(losses.ratio(study))
    rows = []
    if study.facts.fit_intercept:
        own, first = np.ravel(study.intercept())[0], np.ravel(study.intercept(weakest))[0]
        said = [number(own), number(errors[0, -1], 3), *(["–"] * ratio), "100 %", number(first)]
        rows.append([INTERCEPT, *said])
    for place in order:
        own = float(chosen[0, place])
        times = [number(np.exp(own)) if abs(own) < FAR else "–"] * ratio
        numbers = [number(own), number(errors[0, place], 3), *times, f"{100 * kept[place]:.1f} %"]
        rows.append([_column(study, place), *numbers, number(bare[place])])
    return rows


def _beside(study: Any, order: Any, chosen: Array, errors: Array) -> list[list[str]]:
    """Coefficients of each target or class with their standard errors, a line per column."""

    def cells(values: Array, scatter: Array) -> list[str]:
        return [f"{number(value)} ± {number(s, 2)}" for value, s in zip(values, scatter, strict=True)]

    rows = []
    if study.facts.fit_intercept:
        rows.append([INTERCEPT, *cells(np.ravel(study.intercept())[: len(errors)], errors[:, -1])])
    return rows + [[_column(study, place), *cells(chosen[:, place], errors[:, place])] for place in order]


def _column(study: Any, place: int) -> str:
    free = ", not penalised" if reading.factors(study)[place] == 0 else ""
    return text(study.feature_names[place]) + free


def _scatter(study: Any, errors: Array, beside: str = BESIDE, biased: str = BIASED) -> str:
    """Say what the standard errors mean here, and what they do not."""
    if np.isnan(errors).any():
        return NO_SCATTER
    one = len(study.target_names) == 1
    kept = np.atleast_2d(kept_per_column(study.path, reading.chosen(study, 0)))
    shrunk = np.any(kept[:, study.path.fit.active] < UNSHRUNK) or not one
    grouped = f" {GROUPED}" if rows_share_groups(study) else ""
    unshrunk = UNBIASED if losses.base(study) == losses.SQUARED else UNPENALISED
    return (_about_errors(study) if len(errors) == 1 else beside) + (biased if shrunk else unshrunk) + grouped


def _about_errors(study: Any) -> str:
    """Say what the scatter is made of."""
    phi, df = float(np.ravel(study.dispersion)[0]), float(np.ravel(study.residual_df)[0])
    if losses.base(study) == losses.SQUARED:
        return f"Residual standard deviation {number(np.sqrt(phi))} on {number(df)} degrees of freedom. "
    times = f"The {losses.ratio(study)} is what one unit more of a column multiplies. "
    first = times if losses.ratio(study) else ""
    if study.path.loss.known_dispersion:
        return first
    return f"{first}Dispersion {number(phi)} on {number(df)} degrees of freedom. "


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


def live_coefficients(study: Any, fixed: str, record: dict[str, Any]) -> str:
    """Return the table of coefficients that moves with the strength, and ``fixed`` where no script runs."""
    field = tag("input", id="coefficient-search", type="search", autocomplete="off", spellcheck="false")
    search = tag("label", "Search columns ", field)
    status = tag("span", id="coefficient-status", role="status", class_="note")
    columns = record["columns"]
    shown, count = len(columns["names"]), columns["count"]
    left = [LARGEST.format(number(shown), number(count))] if shown < count else []
    errors = [_scatter(study, np.atleast_2d(study.standard_errors()), "", SCATTER)]
    more = {"data_ratio": losses.ratio(study), "data_free": _free(study, columns["places"])}
    box = tag("div", search, status, class_="search") + _place("coefficients-live", COEFFICIENTS, **more)
    said = " ".join((*left, COMPARED, *errors, SORTED))
    return _moving(box + tag("p", text(said), class_="note"), fixed)


def live_directions(study: Any, fixed: str, record: dict[str, Any]) -> str:
    """Return the table of directions that moves with the strength, and ``fixed`` where no script runs."""
    del study
    listed, count = (record["targets"][0]["directions"][key] for key in ("listed", "count"))
    left = _left_out(count, len(listed), "direction")
    note = tag("p", text(left + SORTED), class_="note")
    return _moving(_place("directions-live", DIRECTED) + note, fixed)


def _free(study: Any, places: list[int]) -> str:
    """Places of the columns that are not penalised among those that are listed."""
    factors = reading.factors(study)
    return " ".join(str(i) for i, place in enumerate(places) if factors[place % len(factors)] == 0)


def _place(name: str, caption: str, **more: str) -> str:
    """A box for a table that a script makes, with what it is told."""
    return tag("div", id=name, class_="scroll", role="region", aria_label=caption, **more)


def _moving(moving: str, fixed: str) -> str:
    return tag("div", moving, class_="moving") + tag("div", fixed, class_="still")


def audit(study: Any) -> str:
    """Return every check with what it means and what to do, the doubtful ones first."""
    found = [_finding(finding) for finding in sorted(study.audit, key=lambda f: ORDER.index(f.verdict))]
    return tag("ul", *found, class_="audit") if found else tag("p", "Nothing was checked.")


def origin(study: Any, given: Origin) -> str:
    """Return where the page comes from."""
    facts, spectrum = study.facts, study.spectrum
    weighted = facts.weight_sum != facts.rows
    weights = f", {facts.weight_kind} weights of sum {number(facts.weight_sum)}" if weighted else ""
    scaled = ", standardised by the penalty" if facts.standardize else ""
    rows = {
        "made by": f"eigenshrink {__version__}",
        **given.rows,
        "rows": f"{plural(facts.rows, 'row')}{weights}",
        "columns": plural(facts.columns, "column") + scaled,
        "groups": f"{plural(facts.groups, 'group')}, {facts.groups_source}" if facts.groups else "",
        "held out": f"{plural(facts.held_out, 'row')} ({facts.held_out_source})" if facts.held_out else "",
        "targets": ", ".join(study.target_names[:TARGETS]) + (", …" if facts.targets > TARGETS else ""),
        "classes": losses.classes_in_words(study),
        "loss": losses.loss_in_words(study),
        "proof": losses.proof(study),
        "spectrum": f"{plural(len(spectrum.eigenvalues), 'direction')}, computed by {spectrum.route}",
        "numerical floor": f"α = {number(spectrum.floor)}, below it digits are lost"
        if spectrum.floor
        else "",
    }
    pairs = (tag("dt", text(key)) + tag("dd", text(value)) for key, value in rows.items() if value)
    return tag("dl", *pairs)


def _left_out(count: int, most: int, what: str, many: str = "") -> str:
    return f"The first {most} of {plural(count, what, many)} are shown. " if count > most else ""


def _finding(finding: Any) -> str:
    head = tag("strong", text(finding.verdict)) + " " + text(finding.check)
    measured = f"measured {number(finding.value)}, limit {number(finding.threshold)}"
    meaning = tag("p", text(finding.meaning))
    advice = tag("p", text(finding.advice), class_="advice") if finding.advice else ""
    said = tag("h3", tag("span", head), " ", tag("span", text(measured), class_="measured"))
    return tag("li", said, meaning, advice, class_=finding.verdict)
