"""What figures read from a study, for one target, with the axes of the shape table undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.errors import InputError
from eigenshrink.plots.text import number, short

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class View:
    """A study seen through its quadratic at one strength: what directions and planes are drawn of (M7).

    Attributes
    ----------
    path : QuadraticPath
    weight_names : tuple of str
        One for each of its weights.
    target_names : tuple of str
    exact : bool
        The loss is that quadratic; False: it only has the same slope and curvature there.
    """

    path: Any
    weight_names: tuple[str, ...]
    target_names: tuple[str, ...]
    exact: bool

    @property
    def spectrum(self) -> Any:
        """Eigenvalues and directions."""
        return self.path.spectrum


def seen(study: Any, alpha: float) -> View:
    """Return the study as its quadratic at one strength; squared loss has the same at every strength."""
    path = study.path.local(alpha)
    return View(path, study.weight_names, study.target_names, path is study.path)


def removable(study: Any) -> int:
    """Return how many parameters the penalty can remove."""
    if study.path.whole:
        return len(study.spectrum.eigenvalues)
    return int(study.path.problem.dim) - int(study.path.free_rank)


def class_labels(study: Any) -> tuple[Any, ...]:
    """Return the labels of the classes where each has coefficients of its own, else nothing."""
    return tuple(study.classes) if study.loss == "multinomial" else ()


def weakest(study: Any) -> tuple[float, str]:
    """Return the weakest strength that has a solution, and what it is called."""
    low = float(study.path.lowest)
    return low, f"at the weakest strength, α = {number(low, 3)}" if low else "without regularisation"


def check_target(study: Any, target: int) -> int:
    """Return ``target`` as a place among the targets, or say which there are."""
    count = len(study.target_names)
    if isinstance(target, (int, np.integer)) and -count <= target < count:
        return int(target) % count
    raise InputError(
        f"target is {target!r}: the study has {count}, give a whole number from 0 to {count - 1}"
    )


def chosen(study: Any, target: int) -> float:
    """Return the strength chosen for ``target``: may be 0.0 or inf."""
    return float(np.broadcast_to(study.alpha, len(study.target_names))[target])


def strength(study: Any, target: int, alpha: float | None) -> float:
    """Return ``alpha``, or the chosen one if it is None."""
    value = chosen(study, target) if alpha is None else float(alpha)
    if value >= 0:
        return value
    raise InputError(f"alpha is {value}: a strength is 0 or larger (inf is legal)")


def was_chosen(study: Any, alpha: float | None) -> bool:
    """Tell whether the strength that is shown was chosen by a criterion, or given."""
    return alpha is None and study.choice.criterion != "given"


def asked(study: Any, target: int, alpha: float | None) -> tuple[int, float]:
    """Return the target and the strength that a figure is about, checked."""
    target = check_target(study, target)
    return target, strength(study, target, alpha)


def of_target(values: Any, target: int, axes: int) -> Array:
    """Return ``values`` without their target axis: first if one more than ``axes``, else absent."""
    array = np.asarray(values, dtype=np.float64)
    return array[target] if array.ndim > axes else array


def coordinates(study: Any, target: int) -> Array:
    """Return ``Qᵀ v*`` of one target, ``(k,)``."""
    return of_target(study.spectrum.coordinates, target, 1)


def over(values: Any, target: int) -> Array:
    """Return a curve over strengths, ``(a,)`` of ``(a,)`` or ``(a, t)``."""
    array = np.asarray(values, dtype=np.float64)
    return array[:, target] if array.ndim > 1 else array


def weights(study: Any, target: int, alphas: Array) -> Array:
    """Return the weights of one target, or of all classes, at every strength, ``(a, p)`` or ``(a, c p)``."""
    array = np.asarray(study.path.weights(alphas), dtype=np.float64)
    if class_labels(study):
        return array.reshape(len(array), -1)
    return array[:, target] if array.ndim > 2 else array


def strengths(study: Any) -> Array:
    """Return the display grid without its limits, ascending, ``(a,)``."""
    grid = np.asarray(study.alphas, dtype=np.float64)
    return grid[np.isfinite(grid) & (grid > 0)]


def factors(study: Any) -> Array:
    """Return the penalty factors ``d`` of the weights of a path; 0 is free."""
    return np.asarray(study.path.fit.penalty_factor, dtype=np.float64)


def penalised(study: Any) -> NDArray[np.intp]:
    """Return the places of the weights whose columns vary and are penalised, ``(p_pen,)``."""
    return np.asarray(study.path.fit.penalised)


def directions(study: Any, places: Sequence[int]) -> Array:
    """Return some eigen-directions, ``(p_pen, m)``, without making the whole basis."""
    return np.asarray(study.spectrum.directions.back(_units(len(study.spectrum.eigenvalues), places)))


def loadings(study: Any, places: Sequence[int]) -> Array:
    """Return what some penalised columns load on every direction, ``(m, k)``."""
    return np.asarray(study.spectrum.directions.forth(_units(len(penalised(study)), places))).T


def _units(size: int, places: Sequence[int]) -> Array:
    units = np.zeros((size, len(places)))
    units[list(places), range(len(places))] = 1.0
    return units


def place(study: Any, column: str | int) -> int:
    """Return the place of a column given by name or by number."""
    names = tuple(study.weight_names)
    if isinstance(column, (int, np.integer)) and -len(names) <= column < len(names):
        return int(column) % len(names)
    if column in names:
        return names.index(column)
    near = get_close_matches(str(column), names, n=3) or names[:3]
    raise InputError(f"column {column!r} is not in the study: use {', '.join(map(repr, near))} or a number")


def pair(given: Sequence[Any], what: str) -> tuple[Any, Any]:
    """Return two different items, or say that two are needed."""
    items = [given] if isinstance(given, str) else list(given)
    if len(items) == 2 and items[0] != items[1]:
        return items[0], items[1]
    raise InputError(f"{what} is {given!r}: give two different ones, they span the plane that is drawn")


def about(study: Any, target: int) -> str:
    """Return the target as an opening for titles; empty if there is only one."""
    names = study.target_names
    return f"{short(names[target])}: " if len(names) > 1 else ""
