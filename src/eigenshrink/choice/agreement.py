"""Do the estimates agree, and if not, why (M14)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from eigenshrink.path import QuadraticPath
from eigenshrink.risk import DESCRIBING, RiskCurve, row_errors
from eigenshrink.risk.signal import Array, Signal
from eigenshrink.risk.weak import tilt

COMPARED = ("leave_group_out", "loo", "gcv", "cp", "evidence", "validation")
FEW_ROWS = 0.02  # share of the rows that is looked at for heavy tails
MOST = 0.5  # share of the error in those rows, or of the signal in weak directions, that explains
TILTED = 2.0  # standard deviations of even signal, from which it is called uneven
CROWDED = 0.5  # columns per row from which leave-one-out and GCV vary much


@dataclass(frozen=True)
class Agreement:
    """What the criteria say of one target, compared with the band of the one that chose.

    Attributes
    ----------
    agrees : bool
        Every optimum lies in the interval of strengths that cannot be told from the best.
    optima : dict
        Strength that each criterion would take.
    inside : dict
        Whether it lies in that interval.
    cause : str
        The likely cause where they do not agree: groups, heavy tails, many columns, weak or strong
        directions, or chance; "" where they agree.
    words : str
        All this in a sentence or two.
    """

    agrees: bool
    optima: dict[str, float]
    inside: dict[str, bool]
    cause: str
    words: str


CAUSES = {
    "groups": "rows that belong together make leave-one-out and GCV too optimistic: believe leave-group-out",
    "heavy tails": "a few rows make most of the error and decide for leave-one-out: look at them",
    "many columns": "with so many columns per row leave-one-out and GCV vary most: evidence is the steadier",
    "weak directions": "the signal sits in directions of low variance, which evidence assumes away: believe "
    "leave-one-out",
    "strong directions": "the signal sits in directions of high variance, more than evidence expects: "
    "believe leave-one-out",
    "chance": "there is no sign of more than chance: the data do not settle the strength better than this",
}


def agreements(
    path: QuadraticPath, curves: Mapping[str, RiskCurve], criterion: str, interval: Array, alphas: Array
) -> tuple[Agreement, ...]:
    """Compare the criteria, target by target.

    Parameters
    ----------
    path : QuadraticPath
    curves : mapping
        Estimates of the true error by name.
    criterion : str
        The one that chose.
    interval : (t, 2)
        Its strengths that cannot be told from the best.
    alphas : (t,)
        The strengths that were taken.
    """
    names = [name for name in curves if name in COMPARED or (name == criterion and name not in DESCRIBING)]
    lowest = {name: curves[name].minimum for name in names}
    optima = {
        name: np.atleast_1d(at.alpha) for name, at in lowest.items() if not np.any(np.isposinf(at.value))
    }
    found = []
    for target, (low, high) in enumerate(interval):
        own = {name: float(at[target]) for name, at in optima.items()}
        inside = {name: bool(low <= at <= high) for name, at in own.items()}
        outside = [name for name, there in inside.items() if not there]
        cause = _cause(path, outside, own, target, alphas) if outside else ""
        found.append(Agreement(not outside, own, inside, cause, _words(criterion, own, outside, cause)))
    return tuple(found)


def _cause(
    path: QuadraticPath, outside: list[str], optima: dict[str, float], target: int, alphas: Array
) -> str:
    along = Signal.of(path)
    if "leave_group_out" in path.available_risks and {"loo", "gcv", "cp"} & set(outside):
        return "groups"
    if path.fit.training is not None:
        errors = np.sort(row_errors(path, alphas).left_out[:, target] ** 2)
        few = max(1, int(FEW_ROWS * len(errors)))
        if errors[-few:].sum() > MOST * errors.sum():
            return "heavy tails"
    slant = tilt(along, target, optima.get("evidence", np.nan))
    if abs(slant) > TILTED:
        return "weak directions" if slant < 0 else "strong directions"
    if len(path.fit.penalty_factor) > CROWDED * along.observations:
        return "many columns"
    return "chance"


def _words(criterion: str, optima: dict[str, float], outside: list[str], cause: str) -> str:
    if not outside:
        others = [name for name in optima if name != criterion]
        if not others:
            return "There is no other criterion to compare with."
        return f"{', '.join(others)} agree with {criterion}: their optima cannot be told from its best."
    said = ", ".join(f"{name} takes {optima[name]:.3g}" for name in outside)
    return f"The criteria disagree: {said}, outside what {criterion} cannot tell apart; {CAUSES[cause]}."
