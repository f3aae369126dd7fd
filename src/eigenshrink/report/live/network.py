"""What only a network has: where its path holds, what was measured along it, its layers (M13, M18)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.path import KrylovPath
from eigenshrink.plots.text import plain
from eigenshrink.report.live.curves import Errors
from eigenshrink.report.live.grid import Grid, along
from eigenshrink.report.live.packed import error_between, packed, scalar, slopes
from eigenshrink.report.network.layers import layer_facts

Array = NDArray[np.float64]

LAYERS = 60  # that are listed, those with most parameters in use


def network(study: Any, grid: Grid, errors: Errors) -> dict[str, Any]:
    """Nothing for a study of columns."""
    path = study.path
    if not isinstance(path, KrylovPath):
        return {}
    return {
        "trusted": [scalar(end) for end in path.trusted],
        "trained": scalar(path.fit.alpha),
        "calibration": _calibration(path),
        "measured": _measured(path),
        "layers": _layers(study, grid, errors),
    }


def _calibration(path: KrylovPath) -> dict[str, Any] | None:
    """Log t over log α by its nodes and slopes, a cubic between each two; None: ``t = α`` everywhere."""
    found = path.calibration
    if found.trivial:
        return None
    return {
        "strengths": packed(np.log(found.strengths)),
        "places": packed(np.log(found.places)),
        "rates": packed(found.rate(found.strengths)),
    }


def _measured(path: KrylovPath) -> dict[str, Any] | None:
    found = path.measured
    if found is None or not len(found.alphas):
        return None
    mean = None
    if found.validation is not None and found.judges is not None:
        mean = packed(found.validation @ (found.judges / found.judges.sum()))
    numbers = {name: packed(getattr(found, name)) for name in ("alphas", "predicted", "change", "noise")}
    return {**numbers, "validation": mean}


def _layers(study: Any, grid: Grid, errors: Errors) -> list[dict[str, Any]]:
    """Each layer with γ over the strength; its slope by the rows that judge, and what that advises."""
    path, facts = study.path, layer_facts(study)
    if not facts:
        return []
    used, between = path.effective_by_layer(grid.alphas), path.effective_by_layer(grid.between)
    places = along(study, grid.alphas)
    steep = slopes(places, used)
    errors.seen("layers", error_between(places, used, steep, along(study, grid.between), between))
    order = sorted(range(len(facts)), key=lambda i: -facts[i].used)[:LAYERS]
    return [
        {
            "name": plain(facts[i].name),
            "kind": facts[i].kind,
            "weights": facts[i].weights,
            "penalised": facts[i].penalised,
            "norm": scalar(facts[i].norm),
            "slope": None if facts[i].slope is None else scalar(facts[i].slope),
            "advice": facts[i].advice,
            "used": packed(used[:, i]),
            "slopes": packed(steep[:, i]),
        }
        for i in sorted(order)
    ]
