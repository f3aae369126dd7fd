"""Do the estimates agree, and if not, why (M14)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from eigenshrink.data.digits import number
from eigenshrink.path import AnchoredPath, KrylovPath, Path, QuadraticPath
from eigenshrink.risk import DESCRIBING, RiskCurve, criterion_name, row_errors
from eigenshrink.risk.curve import at_edge
from eigenshrink.risk.one_step import Leaving
from eigenshrink.risk.signal import Array, Signal
from eigenshrink.risk.weak import tilt

COMPARED = ("leave_group_out", "loo", "gcv", "cp", "evidence", "validation")
FEW_ROWS = 0.02  # share of the rows that is looked at for heavy tails
MOST = 0.5  # share of the error in those rows, or of the signal in weak directions, that explains
TILTED = 2.0  # standard deviations of even signal, from which it is called uneven
FITTED = ("cp", "evidence")  # estimates that no row is left out for
NEAR = 1.1  # times the weakest strength: as good as there
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
        directions, separation, few rows, an edge, measured (of a network), or chance; "" where they agree.
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
    "separation": "the columns tell the rows apart, so that the training error vanishes towards the weakest "
    "strength, and what parameters add to it is understated: believe leave-one-out",
    "few rows": "a few rows, which the others do not foresee, make most of the loss and decide for "
    "leave-one-out: look at them",
    "edge": "that is an end of the strengths at which the path is trusted, beyond which nothing is known: "
    "train there and study again",
    "measured": "validation was measured; the others take the loss for a quadratic around where the training "
    "stopped: believe validation",
    "chance": "there is no sign of more than chance: the data do not settle the strength better than this",
}

GENERALISED = {  # the same causes, where there is no GCV
    "groups": "rows that belong together make leave-one-out and Cp too optimistic: believe leave-group-out",
    "many columns": "with so many columns per row leave-one-out varies most: evidence is the steadier",
}

ENDLESS = (
    "No strength can be told from any other by these rows, so that there is nothing that criteria could "
    "disagree about."
)


def agreements(
    path: Path,
    curves: Mapping[str, RiskCurve],
    criterion: str,
    interval: Array,
    alphas: Array,
    judge: str = "",
) -> tuple[Agreement, ...]:
    """Compare the criteria, target by target.

    Parameters
    ----------
    path : Path
    curves : mapping
        Estimates of the true error by name.
    criterion : str
        The one that chose.
    interval : (t, 2)
        Strengths that cannot be told from the best.
    alphas : (t,)
        The strengths that were taken.
    judge : str
        The criterion whose interval that is, where it is another one.
    """
    names = [name for name in curves if name in COMPARED or (name == criterion and name not in DESCRIBING)]
    lowest = {name: curves[name].minimum for name in names}
    optima = {
        name: np.atleast_1d(at.alpha) for name, at in lowest.items() if not np.any(np.isposinf(at.value))
    }
    losses = cache(lambda: _losses(path, alphas))  # one pass, if any target asks
    found = []
    for target, (low, high) in enumerate(interval):
        own = {name: float(at[target]) for name, at in optima.items()}
        inside = {name: bool(low <= at <= high) for name, at in own.items()}
        outside = [name for name, there in inside.items() if not there]
        cause = _cause(path, criterion, own, inside, target, losses) if outside else ""
        endless = low == 0 and np.isinf(high)
        words = ENDLESS if endless else _words(path, criterion, own, outside, cause, judge or criterion)
        found.append(Agreement(not outside, own, inside, cause, words))
    return tuple(found)


def _cause(
    path: Path,
    criterion: str,
    optima: dict[str, float],
    inside: dict[str, bool],
    target: int,
    losses: Callable[[], Array],
) -> str:
    outside = [name for name, there in inside.items() if not there]
    grouped = "leave_group_out" in path.available_risks and criterion != "validation"
    if grouped and {"loo", "gcv", "cp", "leave_group_out"} & set(outside):
        return "groups"
    if all(_at_start(path, name, optima[name]) for name in outside):
        return "separation"
    if isinstance(path, KrylovPath):
        return _network(path, [optima[name] for name in outside], "validation" in optima)
    if path.fit.training is not None:
        each = np.sort(losses()[:, target])
        few = max(1, int(FEW_ROWS * len(each)))
        if each[-few:].sum() > MOST * each.sum():
            return "heavy tails" if isinstance(path, QuadraticPath) else "few rows"
    if isinstance(path, QuadraticPath):
        slant = tilt(Signal.of(path), target, optima.get("evidence", np.nan))
        if abs(slant) > TILTED:
            return "weak directions" if slant < 0 else "strong directions"
    if len(path.fit.penalty_factor) > CROWDED * path.sample.observations:
        return "many columns"
    return "chance"


def _network(path: KrylovPath, outside: list[float], judged: bool) -> str:
    """The cause where the path is the quadratic of a network."""
    if np.all(at_edge(np.array(outside), path.trusted, "") == "trusted"):
        return "edge"
    return "measured" if judged else "chance"


def _losses(path: Path, alphas: Array) -> Array:
    """What each row costs when it is left out, up to a factor, ``(n, t)``."""
    if not isinstance(path, AnchoredPath):
        return row_errors(path, alphas).left_out ** 2
    leaving = Leaving.of(path, path.near(float(alphas[0])))
    response = path.problem.response
    with np.errstate(over="ignore", invalid="ignore"):
        return path.problem.design.share[:, None] * response.value(leaving.one()[0][:, :, None])


def _at_start(path: Path, name: str, alpha: float) -> bool:
    """Whether an estimate that leaves no row out falls down to the strength where the path has to begin."""
    if isinstance(path, QuadraticPath) or not path.separation:
        return False
    return name in FITTED and alpha <= NEAR * path.lowest


def _words(
    path: Path, criterion: str, optima: dict[str, float], outside: list[str], cause: str, judge: str
) -> str:
    if not outside:
        others = [name for name in optima if name != criterion]
        if not others:
            return "There is no other criterion to compare with."
        *first, last = map(criterion_name, others)
        said = f"{', '.join(first)} and {last} agree" if first else f"{last} agrees"
        optima_are = "their optima" if first else "its optimum"
        best = "its best" if judge == criterion else f"the best of {criterion_name(judge)}"
        said = f"{said} with {criterion_name(criterion)}: {optima_are} cannot be told from {best}."
        return said[:1].upper() + said[1:]
    weakest = {name: "the weakest there is, " * _at_start(path, name, optima[name]) for name in outside}
    said = ", ".join(
        f"{criterion_name(name)} takes {weakest[name]}{number(optima[name], 3)}" for name in outside
    )
    why = CAUSES[cause] if isinstance(path, QuadraticPath) else GENERALISED.get(cause, CAUSES[cause])
    which = f"outside the strengths that {criterion_name(judge)} cannot tell from its best"
    return f"The criteria disagree: {said}, {which}; {why}."
