"""Curves of a study over the strength: what is computed again in the browser, and what is kept as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.plots import criteria, reading
from eigenshrink.report.live.grid import Grid, along, closed
from eigenshrink.report.live.packed import error_between, packed, scalar, slopes
from eigenshrink.risk import DESCRIBING, criterion_name
from eigenshrink.risk.signal import Signal

Array = NDArray[np.float64]

EXACT = ("train", "gcv", "cp", "evidence")  # of squared loss: a few numbers per direction (M20)
ALONG = ("effective_parameters", "train_loss", "norm")  # of a path, without rows


@dataclass
class Errors:
    """The largest error of each kind of table, relative to the range of a curve."""

    worst: dict[str, float]

    def seen(self, what: str, error: float) -> None:
        """Remember the larger one."""
        self.worst[what] = max(self.worst.get(what, 0.0), error)


def signal(study: Any, target: int) -> dict[str, Any] | None:
    """What criteria of squared loss are computed from (M14); None where there are none."""
    if not closed(study) or not study.path.available_risks:
        return None
    found = Signal.of(study.path)
    return {
        "eigenvalues": packed(found.eigenvalues),
        "squares": packed(found.squares[:, target]),
        "outside": scalar(found.outside[target]),
        "weightSum": scalar(found.weight_sum),
        "observations": scalar(found.observations),
        "freeRank": int(found.free_rank),
    }


def along_path(study: Any, grid: Grid, target: int, errors: Errors) -> dict[str, Any]:
    """γ, the training loss and ``‖w̃‖`` as tables; nothing for squared loss, which has closed forms."""
    if closed(study):
        return {}
    return {name: _table(study, name, grid, target, errors) for name in ALONG}


def _table(study: Any, name: str, grid: Grid, target: int, errors: Errors) -> dict[str, Any]:
    function, places = getattr(study.path, name), along(study, grid.alphas)
    values = reading.over(function(grid.alphas), target)
    steep = slopes(places, values)
    truth = reading.over(function(grid.between), target)
    error = error_between(places, values, steep, along(study, grid.between), truth)
    errors.seen("effective parameters, norm", error)
    endless = reading.over(function(np.array([np.inf])), target)[0]
    return {"values": packed(values), "slopes": packed(steep), "endless": scalar(endless)}


def all_criteria(study: Any, grid: Grid, target: int, errors: Errors) -> list[dict[str, Any]]:
    """Every estimate of the true error, those that choose first."""
    exact = EXACT if closed(study) else ()
    return [_criterion(study, name, grid, target, errors, name in exact) for name in study.risk]


def _criterion(study: Any, name: str, grid: Grid, target: int, errors: Errors, exact: bool) -> dict[str, Any]:
    curve = study.risk[name]
    values = reading.over(curve(grid.alphas), target)
    found: dict[str, Any] = {
        "name": name,
        "label": criterion_name(name),
        "unit": curve.unit,
        "describing": name in DESCRIBING,
        "chose": name == study.choice.criterion,
        "quoted": name == reading.quoted(study),
        "exact": exact,
        "values": packed(values),
        "limits": _limits(curve, target, grid.weakest),
    }
    if not exact:
        steep = reading.over(curve.derivative(grid.alphas), target)
        steep = np.where(np.isfinite(steep), steep, slopes(grid.logs, values))
        truth = reading.over(curve(grid.between), target)
        error = error_between(grid.logs, values, steep, np.log(grid.between), truth)
        errors.seen(criterion_name(name), error)
        found |= {"slopes": packed(steep), "error": error}
    if name not in DESCRIBING:
        found["minimum"] = _minimum(curve, target)
    if name == reading.quoted(study) and (band := _band(study, name, grid, target)) is not None:
        found["band"] = packed(band)
    return found


def _limits(curve: Any, target: int, weakest: float) -> list[float | str | None]:
    """Values at the weakest strength and at ∞."""
    both = reading.over(curve(np.array([weakest, np.inf])), target)
    return [scalar(value) for value in both]


def _minimum(curve: Any, target: int) -> dict[str, Any]:
    found = curve.minimum
    alpha, value, boundary = (
        np.ravel(part)[target if np.size(part) > 1 else 0]
        for part in (found.alpha, found.value, found.boundary)
    )
    return {"alpha": scalar(alpha), "value": scalar(value), "boundary": str(boundary)}


def _band(study: Any, name: str, grid: Grid, target: int) -> Array | None:
    """Paired standard errors of the difference to the best strength (M15), where they are known."""
    found = criteria.band(study, name, grid.alphas, target)
    return None if found is None else np.asarray(found, dtype=np.float64)
