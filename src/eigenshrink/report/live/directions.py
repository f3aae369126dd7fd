"""Directions of a study, and planes through the origin that two of them, or two weights, span (M7, M10)."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.path import KrylovPath
from eigenshrink.plots import reading
from eigenshrink.plots.plane import Plane, choose_directions, plane_of
from eigenshrink.plots.text import mix, short
from eigenshrink.report.live.packed import packed, scalar
from eigenshrink.report.live.weights import Shown

Array = NDArray[np.float64]

LISTED = 100  # directions of the table
TOP = 3  # columns that are named of each
SPANNING, COLUMNS = 6, 6  # directions, and weights, of which two span a plane
EDGES = 160  # of the table of a spectrum that is known by its sums
FAR = 1e10  # times less than the largest curvature


def directions(study: Any, target: int) -> dict[str, Any]:
    """The first directions, and all eigenvalues."""
    view = reading.seen(study, _chosen(study, target))
    values, coordinates = view.spectrum.eigenvalues, reading.coordinates(view, target)
    places = list(range(min(len(values), LISTED)))
    basis = reading.directions(view, places)
    penalised = reading.penalised(view)
    own = study.path.quadratic.spectrum.eigenvalues if isinstance(study.path, KrylovPath) else values
    listed = [
        {
            "eigenvalue": scalar(own[place]),
            "coordinate": scalar(coordinates[place]),
            "made": mix(_loads(view, penalised, basis[:, place]), 30),
        }
        for place in places
    ]
    return {
        "listed": listed,
        "count": len(values),
        "removable": reading.removable(study),
        "eigenvalues": packed(own),
        **_counted(study, own),
    }


def _loads(view: Any, penalised: NDArray[np.intp], loads: Array) -> tuple[tuple[str, float], ...]:
    order = np.argsort(-np.abs(loads), kind="stable")[:TOP]
    return tuple((view.weight_names[int(penalised[j])], float(loads[j])) for j in order)


def _counted(study: Any, values: Array) -> dict[str, Any]:
    """How many directions lie above each edge, where most are known by their sums only (M19)."""
    if not isinstance(study.path, KrylovPath) or not float(values.max(initial=0.0)) > 0:
        return {}
    top = float(values.max()) * (1 + 1e-6)
    edges = np.geomspace(top / FAR, top, EDGES)
    counts = np.asarray(study.path.sums.density(edges), dtype=np.float64)
    above = np.append(np.cumsum(counts[::-1])[::-1], 0.0)
    return {"edges": packed(edges), "above": packed(above)}


def planes(study: Any, shown: Shown, target: int) -> list[dict[str, Any]]:
    """Planes to pick from, the one that shows most first; none of a single direction."""
    alpha = _chosen(study, target)
    view = reading.seen(study, alpha)
    if int((view.spectrum.eigenvalues > 0).sum()) < 2:
        return []
    middle = alpha if 0 < alpha < np.inf else float(np.median(view.spectrum.eigenvalues))
    first = choose_directions(view, target, middle)
    others = [pair for pair in combinations(_steep(view, target), 2) if pair != tuple(sorted(first))]
    if isinstance(study.path, KrylovPath):
        view = reading.seen(study, 0.0)  # the curvature at w₀, which the page bends for every strength
    made = [_plane(view, plane_of(view, target, middle, None, pair), pair) for pair in (first, *others)]
    return [*made, *_of_columns(view, shown)]


def _steep(view: Any, target: int) -> list[int]:
    """Directions with large coordinates along which the loss is curved."""
    values, z = view.spectrum.eigenvalues, np.abs(reading.coordinates(view, target))
    there = np.flatnonzero(values > max(view.least, 0.0))
    return sorted(int(i) for i in there[np.argsort(-z[there], kind="stable")[:SPANNING]])


def _plane(view: Any, plane: Plane, pair: tuple[int, int]) -> dict[str, Any]:
    return {
        "id": f"d{pair[0]}-{pair[1]}",
        "kind": "directions",
        "label": f"directions {min(pair) + 1} and {max(pair) + 1}",
        "eigenvalues": plane.eigenvalues.tolist(),
        "rotation": plane.rotation.tolist(),
        "coordinates": plane.coordinates.tolist(),
        "axes": list(plane.axes),
        "directions": list(plane.directions),
        "says": plane.minimiser,
        "note": f"loss drawn as {view.drawn}" if view.drawn else "",
    }


def _of_columns(view: Any, shown: Shown) -> list[dict[str, Any]]:
    """Planes of two weights: ``√d w`` by their places among the shown ones, and the curvature in them."""
    penalised = reading.penalised(view)
    inside = [number for number, place in enumerate(shown.places) if place in penalised][:COLUMNS]
    if len(inside) < 2:
        return []
    picked = [int(np.flatnonzero(penalised == shown.places[number])[0]) for number in inside]
    rows = reading.loadings(view, picked)
    block = (rows * view.spectrum.eigenvalues) @ rows.T
    d = np.sqrt(reading.factors(view)[shown.places[inside]])
    names = [short(view.weight_names[int(shown.places[number])]) for number in inside]
    found = []
    for i, j in combinations(range(len(inside)), 2):
        axes = [f"weight of {names[k]}" + ("" if d[k] == 1 else " × √penalty factor") for k in (i, j)]
        found.append(
            {
                "id": f"c{inside[i]}-{inside[j]}",
                "kind": "columns",
                "label": f"{names[i]} and {names[j]}",
                "shown": [inside[i], inside[j]],
                "scale": [float(d[i]), float(d[j])],
                "block": block[np.ix_([i, j], [i, j])].tolist(),
                "axes": axes,
                "directions": ["steep axis", "flat axis"],
                "says": "best pair, others held",
                "note": f"curvature of {view.drawn}" if view.drawn else "",
            }
        )
    return found


def _chosen(study: Any, target: int) -> float:
    return reading.solvable(study, reading.chosen(study, target))
