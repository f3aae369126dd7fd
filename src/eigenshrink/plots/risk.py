"""The estimates of the true error over the strength, and how sure the choice is (M14, M15)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.plots import canvas, criteria, reading
from eigenshrink.plots.canvas import CHOSEN
from eigenshrink.plots.marks import mark_start, mark_strength, shade_doubtful, shade_strengths
from eigenshrink.plots.text import number
from eigenshrink.risk import DESCRIBING, criterion_name
from eigenshrink.risk.uncertainty import WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

ROOM = 3.0  # a curve may rise this many times as high above its minimum as it is at its flatter end
LEAST = 4.0  # height of a score that is shown at least: a rise of 2 in a log likelihood can be told
LEFT_OUT = ("kfold", "combined")  # what repeats the others is drawn only where it chose
THICK: dict[str, Any] = {"linewidth": 2.6, "linestyle": "-", "zorder": 4}
THIN: dict[str, Any] = {"linewidth": 1.2, "zorder": 3}
BOUNDARIES = {
    "zero": ", best at 0",
    "infinite": ", best at ∞",
    "flat": ", flat",
    "trusted": ", best at the edge",
}


def risk(study: Any, ax: Axes | None = None, *, target: int = 0, alpha: float | None = None) -> Axes:
    """Draw the estimates of the true error over α, and how sure the choice is (M14, M15).

    Parameters
    ----------
    study : Study
    ax : matplotlib Axes, optional
    target : int
        Which target, from 0.
    alpha : float, >= 0, optional
        The marked strength; as chosen by default.

    Returns
    -------
    Axes
        The left axis: curves in the unit of the loss, ``study.estimate`` thick and in a band of 1.96
        paired standard errors of its difference to the best strength, where that is known; the training
        error, dotted, which is optimistic. Criteria in another unit have the right axis, as rises above
        their lowest point; the one that chose is thick. K-fold and the combined evidence are drawn only where
        they chose. Shaded strengths cannot be told from the best. A minimum at α → 0 or α → ∞ has no point
        on a logarithmic axis: an arrow at the edge stands for it, and a word in the legend.
    """
    said, chosen = reading.word(study, alpha), reading.was_chosen(study, alpha)
    target, alpha = reading.asked(study, target, alpha)
    ax = canvas.axes(ax, (5.4, 4.5))
    grid, first = reading.strengths(study), study.choice.criterion
    canvas.logarithmic(ax, grid)
    names = [key for key in study.risk if key not in DESCRIBING and (key not in LEFT_OUT or key == first)]
    unit = study.path.loss.unit
    left = [name for name in names if study.risk[name].unit == unit]
    right = [name for name in names if name not in left]
    lines, top = _draw(ax, study, left, grid, target) | _training(ax, study, grid, target), ax
    if right:
        lead = first if first in right else right[0]
        top = canvas.twin(ax, "score above its lowest point", criteria.style(lead)["color"])
        lines |= _draw(top, study, right, grid, target, rise=True)
    if reading.of_network(study):
        shade_doubtful(ax, study.path.trusted)
        mark_start(ax, reading.trained_at(study))
    mark_strength(top, alpha, said)
    lines |= _equivalent(ax, study, target)
    reason = f"chosen by {criterion_name(first)}" if chosen else said
    canvas.label(ax, f"{reading.about(study, target)}α = {number(alpha, 3)}, {reason}", "strength α", unit)
    canvas.legend(ax, list(lines.values()), list(lines), columns=2)
    return ax


def shade_error(ax: Axes, x: Array, values: Array, error: Array | None, color: str) -> None:
    """Shade 1.96 paired standard errors around a curve, where they are known (M15)."""
    if error is None:
        return
    wide = WIDTH * np.where(np.isfinite(error), error, np.nan)
    ax.fill_between(
        x, values - wide, values + wide, color=color, alpha=0.16, linewidth=0, zorder=2, label="_band"
    )


def _draw(
    ax: Axes, study: Any, names: list[str], grid: Array, target: int, rise: bool = False
) -> dict[str, Any]:
    """Draw the curves of one axis and their lowest points; return the curves by what they are called."""
    lines, drawn, quoted = {}, [], reading.quoted(study)
    for name in names:
        curve, thick = study.risk[name], name in (study.choice.criterion, quoted)
        at, lowest, boundary = _minimum(curve, target)
        values = reading.over(curve(grid), target)
        above = lowest if rise and np.isfinite(lowest) else 0.0
        drawn.append(np.where(np.isfinite(values), values, np.nan) - above)
        style = criteria.style(name) | (THICK if thick else THIN)
        line = ax.plot(grid, drawn[-1], label=f"_{name}", **style)[0]
        said = _mark(ax, at, lowest - above, boundary, style["color"], 10 if thick else 6)
        lines[f"{criterion_name(name)}{' (right)' if rise else ''}{said}"] = line
        if name == quoted and _banded(study, quoted):
            shade_error(ax, grid, drawn[-1], criteria.band(study, name, grid, target), style["color"])
    _limits(ax, drawn, rise)
    return lines


def _banded(study: Any, quoted: str) -> bool:
    """Tell whether the band of the quoted estimate says how sure the choice is: not where evidence chose."""
    judge = study.risk.get(study.choice.criterion)
    return judge is None or judge.name == quoted or judge.estimate is not None


def _minimum(curve: Any, target: int) -> tuple[float, float, str]:
    """Return place, value and boundary of the lowest point of one target."""
    minimum = curve.minimum
    at, value, boundary = (np.ravel(part) for part in (minimum.alpha, minimum.value, minimum.boundary))
    return float(at[target]), float(value[target]), str(boundary[target])


def _mark(ax: Axes, at: float, value: float, boundary: str, color: str, size: int) -> str:
    """Mark a lowest point, at the edge by an arrow outwards; return what is to be said of it."""
    low, high = ax.get_xlim()
    marker = "<" if at < low else ">" if at > high else "v"
    if boundary != "flat" and np.isfinite(value):
        style: dict[str, Any] = {
            "color": color,
            "markersize": size,
            "markeredgecolor": "white",
            "clip_on": False,
        }
        ax.plot(np.clip(at, low, high), value, marker, label="_minimum", zorder=6 if size > 6 else 5, **style)
    if boundary == "zero" and at > 0:
        return ", best at the weakest"
    if boundary == "none" and marker != "v":
        return f", best at {number(at, 3)}"
    return BOUNDARIES.get(boundary, "")


def _equivalent(ax: Axes, study: Any, target: int) -> dict[str, Any]:
    """Shade the strengths that cannot be told from the best."""
    found = criteria.equivalent(study)
    if found is None:
        return {}
    low, high = found[1][target]
    return {f"as good, by {criterion_name(found[0])}": shade_strengths(ax, low, high, CHOSEN)}


def _training(ax: Axes, study: Any, grid: Array, target: int) -> dict[str, Any]:
    values = reading.over(study.risk["train"](grid), target)
    line = ax.plot(grid, values, label="_train", linewidth=1.1, **criteria.style("train"))[0]
    low, high = ax.get_ylim()
    ax.set_ylim(bottom=max(low - (high - low), min(low, float(np.nanmin(values)))))
    return {criterion_name("train"): line}


def _limits(ax: Axes, drawn: list[Array], rise: bool) -> None:
    """Show the valley: a curve that shoots up at one end may leave the picture there."""
    values = np.concatenate([np.zeros(0), *drawn])
    values = values[np.isfinite(values)]
    if not values.size:
        return
    low, high = float(values.min()), float(values.max())
    ends = [curve[np.isfinite(curve)][[0, -1]].min() for curve in drawn if np.isfinite(curve).any()]
    least = LEAST if rise else 0.05 * abs(low)
    high = max(min(high, low + ROOM * max(max(ends) - low, least)), least if rise else low)
    room = 0.06 * (high - low) or 0.05 * abs(low) or 1.0
    bottom = low - room if rise else low - 3 * room
    ax.set_ylim(max(bottom, 0.0) if low >= 0 and not rise else bottom, high + room)
