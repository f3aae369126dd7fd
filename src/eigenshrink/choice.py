"""Which strength to take: the lowest point of one criterion on [0, ∞], ends named (M14)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from eigenshrink.errors import InputError
from eigenshrink.path import QuadraticPath
from eigenshrink.penalty import strengths
from eigenshrink.risk import RiskCurve

AUTO = "auto"


@dataclass(frozen=True, eq=False)
class Choice:
    """The strength that was chosen, and why.

    Attributes
    ----------
    alpha : float or (t,)
        House units, in [0, inf].
    boundary : str or (t,) of str
        none, zero, infinite or flat; see :class:`eigenshrink.risk.Minimum`.
    criterion : str
        loo, gcv, evidence, or "given".
    reason : str
        One sentence.
    interval, agreement : None
        Not estimated for this choice.
    """

    alpha: Any
    boundary: Any
    criterion: str
    reason: str
    interval: Any = None
    agreement: Any = None


def choose(
    path: QuadraticPath, curves: Mapping[str, RiskCurve], criterion: str = AUTO, per_target: bool = True
) -> Choice:
    """Take the minimum of one criterion, per target or of the sum over targets.

    ``auto`` is leave-one-out where there are more rows than columns, since it assumes least, and
    evidence otherwise, where leave-one-out and GCV vary most.

    Raises
    ------
    InputError
        If the criterion is unknown or infinite at every strength.
    """
    name, reason = resolve(path, criterion)
    if not len(path.spectrum.eigenvalues):
        reason = "no column that varies is penalised, so the strength changes nothing"
        return Choice(*_spread(0.0, "flat", curves[name], per_target), criterion=name, reason=reason)
    curve = curves[name]
    minimum = curve.minimum if per_target else curve.total_minimum
    if criterion == AUTO and np.any(np.isposinf(minimum.value)):
        name, reason = "evidence", "leave-one-out is infinite: some row is known only from itself"
        curve = curves[name]
        minimum = curve.minimum if per_target else curve.total_minimum
    if np.any(np.isposinf(minimum.value)):
        raise InputError(
            f"criterion {name!r} is infinite at every strength: some row alone determines a free weight. "
            "Use criterion='evidence', or penalise that column"
        )
    return Choice(*_spread(minimum.alpha, minimum.boundary, curve, per_target), criterion=name, reason=reason)


def given(alpha: ArrayLike, curve_targets: int, one_target: bool) -> Choice:
    """The strength that the user asked for, ``()`` or one per target.

    Raises
    ------
    InputError
        If the number of strengths is neither one nor that of the targets.
    """
    strength = strengths(alpha)
    if strength.ndim and strength.shape != (curve_targets,):
        raise InputError(
            f"alpha has shape {strength.shape}; give one strength, or one per target: ({curve_targets},)"
        )
    values = np.broadcast_to(strength, (curve_targets,)).copy()
    names = np.where(values == 0, "zero", np.where(np.isinf(values), "infinite", "none"))
    chosen, boundary = (float(values[0]), str(names[0])) if one_target else (values, names)
    return Choice(chosen, boundary, criterion="given", reason="alpha was given")


def resolve(path: QuadraticPath, criterion: str) -> tuple[str, str]:
    """The name of the criterion that is meant, and why."""
    known = path.available_risks
    if criterion == AUTO:
        if len(path.fit.penalty_factor) < path.sample.observations and "loo" in known:
            return "loo", "more rows than columns: leave-one-out, which assumes least"
        return "evidence", "no more rows than columns: evidence, which varies least there"
    if criterion not in known:
        raise InputError(f"criterion must be auto, {', '.join(known)}; got {criterion!r}")
    return criterion, "asked for"


def _spread(alpha: Any, boundary: Any, curve: RiskCurve, per_target: bool) -> tuple[Any, Any]:
    """One strength for all targets, given back with the target axis that the results carry."""
    if curve.one_target or (per_target and np.ndim(alpha)):
        return alpha, boundary
    return np.full(curve.targets, alpha), np.full(curve.targets, boundary)
