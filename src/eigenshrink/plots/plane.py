"""Two dimensions of one fit in which the closed form holds exactly, so that M7 and M10 can be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.directions import by_layer, largest
from eigenshrink.errors import InputError
from eigenshrink.path import kept_share
from eigenshrink.plots import reading
from eigenshrink.plots.reading import View
from eigenshrink.plots.text import mix, short

Array = NDArray[np.float64]

CANDIDATES = 60  # directions with the largest coordinates that may span the default plane
HELD = 1 << 24  # numbers of directions that are held for that
FEW = 60  # pairs of them that are looked at for their rotation
NEAREST = 8  # columns that may name the axes of a plane of directions


@dataclass(frozen=True, eq=False)
class Plane:
    """A plane through the origin of ``v = √D w`` and the loss in it (M10, M12).

    Attributes
    ----------
    eigenvalues : (2,)
        Curvature of the loss along its two axes, larger one first.
    rotation : (2, 2)
        ``Q``: those axes as columns, in the drawn frame; determinant +1.
    coordinates : (2,)
        ``Qᵀ`` of the minimiser of the loss in the plane.
    axes, directions : pairs of str
        Names of the drawn axes and of the eigen-directions.
    minimiser : str
        What the minimiser is called.
    """

    eigenvalues: Array
    rotation: Array
    coordinates: Array
    axes: tuple[str, str]
    directions: tuple[str, str]
    minimiser: str

    def shrinkage(self, alpha: float | Array) -> Array:
        """``λ/(λ+α)`` with its limits at 0 and ∞, shape of ``alpha`` + (2,)."""
        return factor(self.eigenvalues, alpha)

    def scaled(self, alpha: float | Array) -> Array:
        """``Λ(Λ+αI)⁻¹Qᵀv*``: the solution in eigen-coordinates (M7)."""
        return self.shrinkage(alpha) * self.coordinates

    def solution(self, alpha: float | Array) -> Array:
        """``QΛ(Λ+αI)⁻¹Qᵀv*``: the solution in the drawn frame (M7)."""
        return self.scaled(alpha) @ self.rotation.T

    @property
    def centre(self) -> Array:
        """The minimiser of the loss in the plane, ``(2,)``, drawn frame."""
        return self.rotation @ self.coordinates

    def rise(self, scaled: Array) -> float:
        """``√(2(L − L*))`` at a point in eigen-coordinates: the size of the ellipse through it."""
        return float(np.sqrt(self.eigenvalues @ (scaled - self.coordinates) ** 2))

    def strengths(self) -> Array:
        """Strengths from 0 to ∞ that show all of the path, ``(a,)``, ascending."""
        seen = self.eigenvalues[self.eigenvalues > 0]
        low, high = (float(seen.min()), float(seen.max())) if seen.size else (1.0, 1.0)
        return np.concatenate(([0.0], np.geomspace(1e-4 * low, 1e4 * high, 301), [np.inf]))


def factor(eigenvalues: Array, alpha: float | Array) -> Array:
    """``λ/(λ+α)`` with its limits, shape of ``alpha`` + (k,)."""
    return kept_share(eigenvalues, np.asarray(alpha, dtype=np.float64)[..., None])


def of_directions(view: View, target: int, pair: tuple[int, int]) -> Plane:
    """Return the plane of two eigen-directions: in it the fit falls apart, whatever the others do.

    The frame is orthonormal and lies as near as it can to two columns (the polar factor of their
    rows of the basis), so that the ellipses are tilted as they are for the weights themselves.
    """
    picked = sorted(pair)
    basis = reading.directions(view, picked)  # (p_pen, 2)
    columns, frame = _nearest_columns(basis)
    signs = _signs(frame)
    places = reading.penalised(view)
    first, second = (_direction(view, picked[i], basis[:, i] * signs[i]) for i in (0, 1))
    return Plane(
        eigenvalues=view.spectrum.eigenvalues[picked],
        rotation=frame * signs,
        coordinates=reading.coordinates(view, target)[picked] * signs,
        axes=_frame_names(view, [int(places[column]) for column in columns]),
        directions=(first, second),
        minimiser="w*",
    )


def of_columns(view: View, target: int, alpha: float, columns: tuple[Any, Any]) -> Plane:
    """Return the plane of two columns, every other weight held as it is at ``alpha``.

    ``L`` there has the 2×2 block of the curvature; its minimiser is the best pair *given the others*.
    The solution in the plane is the pair of the whole model exactly at ``alpha``.
    """
    places = [reading.place(view, column) for column in columns]
    rows = reading.loadings(view, [_penalised(view, place) for place in places])  # (2, k)
    eigenvalues, start = view.spectrum.eigenvalues, reading.coordinates(view, target)
    now = factor(eigenvalues, alpha) * start
    slope = rows @ (eigenvalues * (now - start))
    values, rotation = np.linalg.eigh((rows * eigenvalues) @ rows.T)
    values, rotation = np.maximum(values[::-1], 0.0), rotation[:, ::-1]
    rotation = rotation * _signs(rotation)
    flat = values <= 1e-12 * max(values[0], 1e-300)
    values = np.where(flat, 0.0, values)
    with np.errstate(divide="ignore", invalid="ignore"):
        step = np.where(flat, 0.0, (rotation.T @ slope) / values)
    return Plane(
        eigenvalues=values,
        rotation=rotation,
        coordinates=np.where(flat, 0.0, rotation.T @ (rows @ now) - step),
        axes=_column_names(view, places),
        directions=("steep axis", "flat axis"),
        minimiser="best pair, others held",
    )


def pair_along(view: View, target: int, columns: Sequence[Any], alphas: Array) -> Array:
    """Return ``√D w̃`` of two columns of a quadratic at every strength, ``(a, 2)``, without the others."""
    rows = reading.loadings(view, [_penalised(view, reading.place(view, column)) for column in columns])
    moved = factor(view.spectrum.eigenvalues, alphas) * reading.coordinates(view, target)
    return np.nan_to_num(moved) @ rows.T


def line_as_plane(view: View, target: int) -> Plane:
    """Return the only direction of a fit (or none at all) as a plane that has nothing to rotate."""
    eigenvalues, z = np.zeros(2), np.zeros(2)
    count = len(view.spectrum.eigenvalues)
    eigenvalues[:count] = view.spectrum.eigenvalues
    z[:count] = reading.coordinates(view, target)
    names = ("the only direction" if count else "no direction", "")
    return Plane(eigenvalues, np.eye(2), z, names, names, "w*")


def choose_directions(view: View, target: int, alpha: float) -> tuple[int, int]:
    """Pick the two directions that show most: one kept and one fading, both far from zero.

    Score of a pair: difference of the factors × balance ``2|z₁z₂|/(z₁²+z₂²)`` × ``√(λ₂/λ₁)``, so that
    the ellipses are not needles; of the best few the one with most to rotate. At α = 0 or ∞ the
    factors are taken at the middle of the spectrum.
    """
    eigenvalues = view.spectrum.eigenvalues
    z = np.abs(reading.coordinates(view, target))
    steep = _steep(eigenvalues, view.least)
    middle = float(np.sqrt(eigenvalues[steep[0]] * eigenvalues[steep[-1]]))
    kept = factor(eigenvalues, alpha if 0 < alpha < np.inf else middle)
    most = max(4, min(CANDIDATES, HELD // max(1, len(reading.penalised(view)))))
    places = [int(steep[i]) for i in np.sort(np.argsort(-z[steep], kind="stable")[:most])]

    def score(pair: tuple[int, int]) -> float:
        i, j = pair
        balance = 2 * z[i] * z[j] / max(z[i] ** 2 + z[j] ** 2, 1e-300)
        return float((kept[i] - kept[j]) * balance * (eigenvalues[j] / eigenvalues[i]) ** 0.5)

    best = sorted(combinations(places, 2), key=score, reverse=True)[:FEW]
    basis = dict(zip(places, reading.directions(view, places).T, strict=True))

    def turning(pair: tuple[int, int]) -> float:
        frame = _nearest_columns(np.column_stack([basis[i] for i in pair]))[1]
        return score(pair) * (0.1 + 2 * abs(float(frame[0, 0] * frame[0, 1])))

    return max(best, key=turning)


def plane_of(
    view: View,
    target: int,
    alpha: float,
    columns: Sequence[Any] | None,
    directions: Sequence[int] | None,
) -> Plane:
    """Return the plane that was asked for, or the one that shows most; two directions must exist."""
    if columns is not None and directions is not None:
        raise InputError("columns and directions are both given: a figure shows one plane, give one of them")
    if columns is not None:
        return of_columns(view, target, alpha, reading.pair(columns, "columns"))
    if directions is None:
        return of_directions(view, target, choose_directions(view, target, alpha))
    first, second = reading.pair(directions, "directions")
    count = len(view.spectrum.eigenvalues)
    for place in (first, second):
        if not (isinstance(place, (int, np.integer)) and 0 <= place < count):
            raise InputError(f"direction {place!r} is not there: give whole numbers from 0 to {count - 1}")
        if view.spectrum.eigenvalues[place] < 0:
            raise InputError(f"the loss is curved downwards along direction {place}: give one with λ ≥ 0")
    return of_directions(view, target, (int(first), int(second)))


def _steep(eigenvalues: Array, least: float) -> NDArray[np.intp]:
    """Return the directions that may span the default plane: not flat, two at least."""
    found = np.flatnonzero(eigenvalues > least)
    return found if len(found) > 1 else np.flatnonzero(eigenvalues > 0)


def _nearest_columns(basis: Array) -> tuple[tuple[int, int], Array]:
    """Return two columns and the proper frame nearest to their axes, the plane's best."""
    size = np.einsum("ij,ij->i", basis, basis)
    near = np.sort(largest(size, NEAREST))
    best = max(combinations((int(i) for i in near), 2), key=lambda pair: _nearness(basis[list(pair)]))
    left, _, right = np.linalg.svd(basis[list(best)])
    frame = left @ right
    return (best, frame) if abs(frame[0, 0]) >= abs(frame[0, 1]) else (best[::-1], frame[::-1])


def _nearness(rows: Array) -> float:
    """Sum of the singular values of a 2×2 matrix, squared."""
    determinant = rows[0, 0] * rows[1, 1] - rows[0, 1] * rows[1, 0]
    return float((rows**2).sum() + 2 * abs(determinant))


def _signs(rotation: Array) -> Array:
    """Return signs of the directions, which are arbitrary, that make ``rotation`` turn by ≤ 90°."""
    signs = np.where(np.diag(rotation) < 0, -1.0, 1.0)
    proper = np.linalg.det(rotation * signs) > 0
    return signs if proper else signs * np.array([1.0, -1.0])


def _penalised(view: View, place: int) -> int:
    """Return the place among the penalised columns of a column that must be one of them."""
    found = np.flatnonzero(reading.penalised(view) == place)
    if found.size:
        return int(found[0])
    name = view.weight_names[place]
    raise InputError(f"column {name!r} is not penalised or does not vary: choose one with a penalty")


def _frame_names(view: View, places: Sequence[int]) -> tuple[str, str]:
    if len(reading.penalised(view)) == 2:
        return _column_names(view, places)
    first, second = (short(view.weight_names[int(place)]) for place in places)
    if view.layers:
        return f"near {first}", f"near {second}"
    return f"axis of the plane nearest to {first}", f"nearest to {second}"


def _column_names(view: View, places: Sequence[int]) -> tuple[str, str]:
    d = reading.factors(view)
    first, second = (
        f"weight of {short(view.weight_names[place])}{'' if d[place] == 1 else ' × √penalty factor'}"
        for place in places
    )
    return first, second


def _direction(view: View, place: int, loads: Array) -> str:
    places = reading.penalised(view)
    if view.layers:
        (name, share), *_ = by_layer(loads, places, view.layers)
        return f"direction {place + 1} ({100 * share:.0f} % in {short(name, 12)})"
    made = tuple((view.weight_names[int(places[j])], float(loads[j])) for j in largest(np.abs(loads), 2))
    return f"direction {place + 1} ({mix(made)})"
