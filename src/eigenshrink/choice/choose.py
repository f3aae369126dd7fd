"""The lowest point of one criterion on [0, ∞], ends named, and what is doubtful about it (M14, M15)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from eigenshrink.choice.agreement import Agreement, agreements
from eigenshrink.choice.rule import AUTO, BEST, NONE, STRONGEST, resolve
from eigenshrink.data.digits import number
from eigenshrink.errors import InputError
from eigenshrink.path import KrylovPath, Path
from eigenshrink.penalty import strengths
from eigenshrink.risk import RiskCurve, criterion_name
from eigenshrink.risk.curve import at_edge, covers

EVERYTHING = (0.0, float("inf"))
EDGE = (
    "the best of what can be seen from where the training stopped lies at the end of it: train there and "
    "study again (en.tune does)"
)


@dataclass(frozen=True, eq=False)
class Confidence:
    """How sure a choice is; None where it cannot be said.

    Attributes
    ----------
    interval : (low, high) or (t, 2)
    optimism, corrected : float or (t,)
    agreement : Agreement or tuple of them
    """

    interval: Any = None
    optimism: Any = None
    corrected: Any = None
    agreement: Any = None


@dataclass(frozen=True, eq=False)
class Choice:
    """The strength that was chosen, and why.

    Attributes
    ----------
    alpha : float or (t,)
        House units, in [0, inf].
    boundary : str or (t,) of str
        none, zero, infinite, flat or trusted; see :class:`eigenshrink.risk.Minimum`.
    criterion : str
        loo, gcv, evidence, ..., "given", or "none" where nothing can be told and alpha is as it was.
    reason : str
        One sentence.
    curve : RiskCurve or None
        The curve that chose; None where the strength was given.
    path : Path or None
    curves : mapping
        What it is compared with.
    one_target : bool
        Results carry no target axis.
    saved : Confidence or None
        Of a study that was loaded from a file.
    seen : (low, high)
        Strengths at which the path is trusted: beyond them nothing is known (M18).
    """

    alpha: Any
    boundary: Any
    criterion: str
    reason: str
    curve: RiskCurve | None = field(default=None, repr=False)
    path: Path | None = field(default=None, repr=False)
    curves: Mapping[str, RiskCurve] = field(default_factory=dict, repr=False)
    one_target: bool = True
    saved: Confidence | None = None
    seen: tuple[float, float] = EVERYTHING

    @cached_property
    def interval(self) -> Any:
        """Strengths that cannot be told from the best (M15), ``(low, high)`` or ``(t, 2)``, or None."""
        if self.saved is not None or self.curve is None:
            return self.saved.interval if self.saved else None
        return _spread(self.curve.interval, self.curve, np.size(self.alpha), self.one_target)

    @cached_property
    def optimism(self) -> Any:
        """How much too good the estimate looks because its minimum was picked, ``()``, ``(t,)`` or None.

        Of the sum over targets, ``()``, where they share one strength.
        """
        if self.saved is not None or self.curve is None:
            return self.saved.optimism if self.saved else None
        return self.curve.optimism

    @cached_property
    def corrected(self) -> Any:
        """The estimate at α with the optimism of the minimum added, alike."""
        if self.saved is not None or self.curve is None or self.optimism is None:
            return self.saved.corrected if self.saved else None
        alphas = np.atleast_1d(self.alpha)[: self.curve.targets]
        value = (self.curve.estimate or self.curve).per_target(alphas) + self.optimism
        return float(value[0]) if self.curve.one_target else value

    @cached_property
    def agreement(self) -> Agreement | tuple[Agreement, ...] | None:
        """Whether the criteria agree, and the likely cause where they do not; a tuple for several targets.

        None where the strength was given. Measured by the band of the criterion that chose, or that of
        leave-one-out where that has none.
        """
        if self.saved is not None or self.path is None:
            return self.saved.agreement if self.saved else None
        interval, name = self.interval, self.criterion
        if interval is None:
            name = next((name for name in ("leave_group_out", "loo", "evidence") if name in self.curves), "")
            interval = self.curves[name].interval if name else None
        if interval is None:
            return None
        bands = np.asarray(interval, dtype=np.float64).reshape(-1, 2)
        alphas = np.atleast_1d(np.asarray(self.alpha, dtype=np.float64))
        found = agreements(self.path, self.curves, self.criterion, bands, alphas, name)
        return found[0] if self.one_target else found

    @property
    def flatness(self) -> str:
        """The interval in plain words; empty where there is none or where targets have their own."""
        if self.interval is None or np.ndim(self.interval) != 1:
            return ""
        low, high = self.interval
        return _flatness(low, high, self.seen)

    @property
    def confidence(self) -> Confidence:
        """All of it, computed now."""
        return Confidence(self.interval, self.optimism, self.corrected, self.agreement)


def choose(
    path: Path,
    curves: Mapping[str, RiskCurve],
    criterion: str = AUTO,
    per_target: bool = True,
    select: str = BEST,
) -> Choice:
    """Take the minimum of one criterion, per target or of the sum over targets.

    ``select="strongest-equivalent"`` takes the strongest strength that the paired interval cannot tell
    from the minimum instead (M15): simpler models, and usually a somewhat larger error.

    Raises
    ------
    InputError
        If the criterion is unknown, infinite at every strength, or has no interval where one is needed.
    """
    name, reason = resolve(path, criterion)
    if name == NONE:
        return _as_it_was(path, reason)
    curve, moves = curves[name] if per_target else curves[name].pooled, path.span is not None
    if not moves:
        reason = "no column that varies is penalised, so the strength changes nothing"
    elif criterion == AUTO and np.any(np.isposinf(curve.minimum.value)):
        reason = f"{criterion_name(name)} is infinite at every strength"
        if isinstance(path, KrylovPath):
            return _as_it_was(path, f"the model cannot tell from here: {reason}")
        name, reason = "evidence", f"{reason}: some rows are known only from themselves"
        curve = curves[name] if per_target else curves[name].pooled
    minimum = curve.minimum
    if moves and np.any(np.isposinf(minimum.value)):
        raise InputError(
            f"criterion {name!r} is infinite at every strength: some rows alone determine a free weight. "
            "Use criterion='evidence', or penalise that column"
        )
    alpha, boundary = minimum.alpha, minimum.boundary
    if select == STRONGEST:
        alpha, boundary, reason = _strongest(curve, name, reason)
    if np.any(np.asarray(boundary) == "trusted"):
        reason = f"{reason}; {EDGE}"
    one, t = curves[name].one_target, curves[name].targets
    alpha, boundary = _spread(alpha, curve, t, one), _spread(boundary, curve, t, one)
    return Choice(alpha, boundary, name, reason, curve, path, curves, one_target=one, seen=curve.edges)


def _as_it_was(path: Path, reason: str) -> Choice:
    """The strength that the training used, where nothing can be told of any other."""
    return Choice(path.fit.alpha, "none", NONE, reason, one_target=path.one_target)


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
    return Choice(chosen, boundary, criterion="given", reason="alpha was given", one_target=one_target)


def _strongest(curve: RiskCurve, name: str, reason: str) -> tuple[Any, Any, str]:
    """The upper ends of the interval."""
    ends = np.asarray(curve.interval, dtype=np.float64).reshape(-1, 2)
    top = ends[:, 1]
    boundary = np.where(np.isinf(top), "infinite", np.where(top == 0, "zero", "none"))
    boundary = at_edge(top, curve.edges, boundary)
    said = f"{reason}; the strongest that cannot be told from the best"
    return (float(top[0]), str(boundary[0]), said) if curve.one_target else (top, boundary, said)


def _spread(value: Any, curve: RiskCurve, targets: int, one_target: bool) -> Any:
    """One answer for all targets, given back with the target axis that the results carry."""
    if value is None or curve.one_target == one_target:
        return value
    return np.repeat(np.asarray(value)[None], targets, axis=0)


def _flatness(low: float, high: float, seen: tuple[float, float]) -> str:
    if seen != EVERYTHING and covers(low, high, seen):
        return (
            f"anything between {number(low, 2)} and {number(high, 2)} is as good, which is all that can be "
            "seen from where the training stopped: the model cannot tell from here"
        )
    if seen != EVERYTHING and np.all(at_edge(np.array([low, high]), seen, "") == "trusted"):
        return (
            f"nothing that can be seen is as good as {number(low, 3)} itself, and nothing is seen beyond it"
        )
    if low == high:
        return f"only {number(low, 3)} itself: every other strength can be told from it"
    if low == 0 and np.isinf(high):
        return "the data cannot tell any strength from any other"
    if low == 0:
        return f"anything up to {number(high, 2)} is as good, no regularisation included"
    if np.isinf(high):
        return f"anything from {number(low, 2)} on is as good, dropping the penalised columns included"
    return f"anything between {number(low, 2)} and {number(high, 2)} is as good"
