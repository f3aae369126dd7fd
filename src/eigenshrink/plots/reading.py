"""What figures read from a study, for one target, with the axes of the shape table undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.errors import InputError, NotConverged
from eigenshrink.path import KrylovPath, Layer
from eigenshrink.path.hypergradient import Hypergradient
from eigenshrink.plots.text import number, short
from eigenshrink.risk import DESCRIBING, ERRORS

Array = NDArray[np.float64]

NAMES = 10_000  # weights among which a name that is not there is compared with all others
ABOVE = 1e-3  # relative, by which a strength stays above the end of an indefinite curvature
SEEN = 0.02  # share that a direction of a network keeps at least where it spans a plane


@dataclass(frozen=True, eq=False)
class View:
    """A study seen through its quadratic at one strength: what directions and planes are drawn of (M7).

    Attributes
    ----------
    path : QuadraticPath
    weight_names : sequence of str
        One for each of its weights.
    target_names : tuple of str
    drawn : str
        What the quadratic is one of, where the loss is none; "" where it is that quadratic.
    trusted : (low, high)
        Strengths at which it is believed (M18).
    least : float
        Eigenvalue from which on a direction may span the plane that shows most.
    layers : tuple of Layer
        Of a network: what its directions are made of.
    own : callable
        From strengths of the study to those at which the quadratic has the same weights.
    """

    path: Any
    weight_names: Sequence[str]
    target_names: tuple[str, ...]
    drawn: str = ""
    trusted: tuple[float, float] = (0.0, float("inf"))
    least: float = 0.0
    layers: tuple[Layer, ...] = ()
    own: Callable[[Array], Array] = np.asarray

    @property
    def spectrum(self) -> Any:
        """Eigenvalues and directions."""
        return self.path.spectrum


def seen(study: Any, alpha: float) -> View:
    """Return the study as its quadratic at one strength; squared loss has the same at every strength."""
    path = study.path.local(alpha)
    names = study.weight_names, study.target_names
    if isinstance(study.path, KrylovPath):
        least = SEEN * alpha if 0 < alpha < np.inf else 0.0
        calibration = study.path.calibration
        bend = float(calibration.bend(alpha))

        def own(strengths: Array) -> Array:
            return bend * calibration.place(strengths)

        trusted, layers = study.path.trusted, study.path.layers
        return View(path, *names, "its quadratic at w₀", trusted, least, layers, own)
    if path is study.path:
        return View(path, *names)
    return View(path, *names, f"its quadratic at α = {number(alpha, 3)}")


def every(study: Any) -> bool:
    """Of any study."""
    return True


def of_network(study: Any) -> bool:
    """Of a network."""
    return isinstance(study.path, KrylovPath)


def of_columns(study: Any) -> bool:
    """Of a study whose weights belong to columns."""
    return not isinstance(study.path, KrylovPath)


def of_layers(study: Any) -> bool:
    """Of a network whose layers are known."""
    return isinstance(study.path, KrylovPath) and bool(study.path.layers)


def measured(study: Any) -> bool:
    """Of a network whose true losses were measured along its path (M18)."""
    return isinstance(study.path, KrylovPath) and bool(
        study.path.measured is not None and len(study.path.measured.alphas)
    )


def compared(study: Any) -> bool:
    """Of a study in which strengths can be compared."""
    return any(name not in DESCRIBING for name in study.risk)


def curved(study: Any) -> bool:
    """Of a study whose directions can be drawn: of a network two at least in which the loss is curved."""
    return of_columns(study) or int((study.path.spectrum.eigenvalues > 0).sum()) > 1


def trained_at(study: Any) -> float | None:
    """Return the strength that a network was trained with; None where it is not known or there is none."""
    if not isinstance(study.path, KrylovPath) or study.path.notes.decay_kind == "adamw":
        return None
    return float(study.path.fit.alpha)


def slopes(study: Any) -> tuple[Hypergradient | None, str]:
    """Return the slopes of the validation loss by layer (M13), or None and why they are not known."""
    made = study.path.made
    if "slopes" not in made:
        made["slopes"] = _slopes(study)
    found: tuple[Hypergradient | None, str] = made["slopes"]
    return found


def _slopes(study: Any) -> tuple[Hypergradient | None, str]:
    path = study.path
    try:
        if path.hypergradient is not None:
            return path.hypergradient, ""
    except NotConverged as error:
        return None, str(error)
    if not study.facts.held_out:
        return None, "no rows judge it"
    if not 0 < path.fit.alpha < np.inf:
        return None, "it was trained without a decay that is known"
    return None, "its losses are not at hand"


def solvable(study: Any, alpha: float) -> float:
    """Return ``alpha``, or the weakest strength at which the quadratic of a network has a solution (M11)."""
    if isinstance(study.path, KrylovPath):
        return max(alpha, study.path.least * (1 + ABOVE))
    return alpha


def removable(study: Any) -> int:
    """Return how many parameters the penalty can remove."""
    if isinstance(study.path, KrylovPath):
        return len(study.path.fit.penalised)
    if study.path.whole:
        return len(study.spectrum.eigenvalues)
    return int(study.path.problem.dim) - int(study.path.free_rank)


def most(study: Any) -> float:
    """Return the parameters in use at the weakest strength that has a solution; of a network, its weights."""
    if isinstance(study.path, KrylovPath):
        return float(len(study.path.fit.penalty_factor))
    return float(study.path.effective_parameters(weakest(study)[0]))


def class_labels(study: Any) -> tuple[Any, ...]:
    """Return the labels of the classes where each has coefficients of its own, else nothing."""
    return tuple(study.classes) if study.loss == "multinomial" and of_columns(study) else ()


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
    return alpha is None and study.choice.criterion not in ("given", "none")


def word(study: Any, alpha: float | None) -> str:
    """Return what the strength that is shown is called: chosen, given, or as the training had it."""
    if alpha is None and study.choice.criterion == "none":
        return "as trained"
    return "chosen" if was_chosen(study, alpha) else "given"


def quoted(study: Any) -> str:
    """Return the name of the estimate of the true error that is quoted; "" where nothing judges."""
    unit, names = study.path.loss.unit, (study.choice.criterion, *ERRORS)
    return next((name for name in names if name in study.risk and study.risk[name].unit == unit), "")


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
    names = study.weight_names
    if isinstance(column, (int, np.integer)) and -len(names) <= column < len(names):
        return int(column) % len(names)
    if column in names:
        return int(names.index(column))
    near = (get_close_matches(str(column), names, n=3) if len(names) <= NAMES else []) or names[:3]
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
