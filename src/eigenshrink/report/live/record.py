"""The record of a page: a study as data from which a browser answers for every strength."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from eigenshrink._version import __version__
from eigenshrink.path import KrylovPath
from eigenshrink.plots import criteria, reading
from eigenshrink.plots.coefficients import scale_of
from eigenshrink.plots.text import plain
from eigenshrink.report.live.curves import Errors, all_criteria, along_path, signal
from eigenshrink.report.live.directions import directions, planes
from eigenshrink.report.live.fitted import fitted
from eigenshrink.report.live.grid import Grid, by_directions, closed
from eigenshrink.report.live.network import network
from eigenshrink.report.live.packed import packed, scalar
from eigenshrink.report.live.weights import Shown, weights
from eigenshrink.report.words import kind

TARGETS = 8  # that a page shows


def live_record(study: Any) -> dict[str, Any]:
    """Everything that a page shows, as plain data.

    Squared loss: what closed forms need, exact. Other losses and what needs rows: tables over the strength
    with slopes, whose largest error between two of their strengths is measured and told.

    Parameters
    ----------
    study : Study
        Whose directions can be looked at (``study.path.whole``).

    Returns
    -------
    dict
        For :func:`as_script`; ``browser/study.js`` reads it.
    """
    grid, errors = Grid.of(study), Errors({})
    shown = Shown.of(study, grid)
    count = min(len(study.target_names), TARGETS)
    record = {
        "version": __version__,
        "kind": kind(study),
        "squared": closed(study),
        "sums": by_directions(study),
        "unit": study.path.loss.unit,
        "alphas": packed(grid.alphas),
        "weakest": scalar(grid.weakest),
        "parameters": _parameters(study),
        "freeRank": int(study.spectrum.free.rank),
        "targetCount": len(study.target_names),
        "columns": {
            "names": [plain(study.weight_names[int(place)]) for place in shown.places],
            "places": [int(place) for place in shown.places],
            "scale": _scale(study, shown),
            "count": shown.count,
        },
        "targets": [_target(study, shown, grid, target, errors) for target in range(count)],
        **network(study, grid, errors),
    }
    return record | {"how": how(study, len(grid.alphas), errors)}


def _target(study: Any, shown: Shown, grid: Grid, target: int, errors: Errors) -> dict[str, Any]:
    chosen = reading.chosen(study, target)
    choice = study.choice
    return {
        "name": plain(study.target_names[target]),
        "alpha": scalar(chosen),
        "criterion": choice.criterion,
        "boundary": str(np.ravel(choice.boundary)[target if np.size(choice.boundary) > 1 else 0]),
        "interval": _interval(study, target),
        "signal": signal(study, target),
        "path": along_path(study, grid, target, errors),
        "criteria": all_criteria(study, grid, target, errors),
        "weights": weights(study, shown, grid, target, errors),
        "standardErrors": _scatter(study, shown, target),
        "directions": directions(study, target),
        "planes": planes(study, shown, target),
        "residuals": fitted(study, target),
    }


def _interval(study: Any, target: int) -> list[float | str | None] | None:
    found = criteria.equivalent(study)
    return None if found is None else [scalar(end) for end in found[1][target]]


def _scale(study: Any, shown: Shown) -> list[float]:
    """What the coefficients are drawn multiplied by, so that they can be compared."""
    if isinstance(study.path, KrylovPath):
        return [1.0] * len(shown.places)
    scale = np.broadcast_to(scale_of(study)[0], shown.count)
    return [float(each) for each in scale[shown.places]]


def _parameters(study: Any) -> float | str | None:
    return scalar(reading.most(study))


def _scatter(study: Any, shown: Shown, target: int) -> dict[str, Any] | None:
    """Standard errors at the chosen strength; of a network there are none."""
    if isinstance(study.path, KrylovPath) or not study.path.available_risks:
        return None
    errors = np.atleast_2d(study.standard_errors())
    errors = errors[:, : study.facts.columns]
    flat = errors.reshape(-1) if reading.class_labels(study) else errors[target]
    return packed(flat[shown.places])


def how(study: Any, strengths: int, errors: Errors) -> list[dict[str, Any]]:
    """Which numbers a page computes again, and which it keeps as tables, with their largest error."""
    table = f"table of {strengths} strengths, interpolated"
    found: list[dict[str, Any]] = []
    if closed(study):
        said = "weights, shares, effective parameters, training error, GCV, Cp, evidence, planes"
        found.append({"what": said, "how": "computed here from closed forms", "error": 0.0})
    elif by_directions(study):
        said = "weights that are listed, shares of directions"
        found.append({"what": said, "how": "computed here along the directions that are known", "error": 0.0})
    else:
        said = "directions, planes and their shares: with the curvature at the chosen strength"
        found.append({"what": said, "how": "computed here", "error": 0.0})
    return found + [{"what": what, "how": table, "error": worst} for what, worst in errors.worst.items()]


def as_script(record: dict[str, Any]) -> str:
    """The record as text that cannot end the script element it stands in."""
    text = json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
