"""The estimates of the true error over the strength (M14)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.plots import canvas, reading
from eigenshrink.plots.canvas import DASHES, MUTED, SERIES
from eigenshrink.plots.marks import mark_strength
from eigenshrink.plots.text import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

NAMES = {"loo": "leave-one-out", "gcv": "GCV"}
ROOM = 3.0  # a curve may rise this many times as high above its minimum as it is at its flatter end


def risk(study: Any, ax: Axes | None = None, *, target: int = 0, alpha: float | None = None) -> Axes:
    """Draw every available estimate of the true error over α, with its minimum (M14).

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
        The left axis: curves in the unit of the loss, and the training loss beside them, which is
        optimistic. Evidence is in another unit and has its own axis on the right. A minimum at α → 0
        or α → ∞ has no point on a logarithmic axis: it is said in words.
    """
    chosen = reading.was_chosen(study, alpha)
    target, alpha = reading.asked(study, target, alpha)
    ax = canvas.axes(ax, (5.4, 4.3))
    grid = reading.strengths(study)
    canvas.logarithmic(ax, grid)
    curves = dict(study.risk.items())
    lossy = loss_curve(study)
    unit = "" if lossy is None else lossy.unit
    left = [name for name, curve in curves.items() if curve.unit == unit]
    right = [name for name in curves if name not in left]
    lines, words = _draw(ax, curves, left, grid, target, 0)
    lines |= _training(ax, study, grid, target)
    if right:
        other = canvas.twin(ax, curves[right[0]].unit, SERIES[len(left)])
        drawn, said = _draw(other, curves, right, grid, target, len(left))
        lines |= {f"{name} (right axis)": line for name, line in drawn.items()}
        words += said
    mark_strength(ax, alpha, "chosen" if chosen else "given")
    title = f"α = {number(alpha, 3)}, {_reason(study, chosen)}"
    canvas.label(ax, reading.about(study, target) + title, "strength α", unit or "estimate")
    canvas.legend(ax, list(lines.values()), list(lines), columns=2)
    if words:
        canvas.remark(ax, "\n".join(words), xytext=(4, -22))
    return ax


def criterion_name(key: str) -> str:
    """Return the name of a criterion for people."""
    return NAMES.get(key, key)


def loss_curve(study: Any) -> Any:
    """Return the curve in the unit of the loss to quote: the one that chose, else the first, else None."""
    name = study.choice.criterion
    if name in study.risk and name != "evidence":
        return study.risk[name]
    return next((curve for key, curve in study.risk.items() if key != "evidence"), None)


def _reason(study: Any, chosen: bool) -> str:
    return f"chosen by {criterion_name(study.choice.criterion)}" if chosen else "given"


def _draw(
    ax: Axes, curves: Any, names: list[str], grid: Array, target: int, first: int
) -> tuple[dict[str, Any], list[str]]:
    """Draw the curves of one unit; return them by name, and what a logarithmic axis cannot show."""
    lines, words, drawn = {}, [], []
    for rank, name in enumerate(names, first):
        values = reading.over(curves[name](grid), target)
        drawn.append(np.where(np.isfinite(values), values, np.nan))
        color, said = SERIES[rank % len(SERIES)], criterion_name(name)
        style = {"color": color, "linestyle": DASHES[rank % len(DASHES)]}
        lines[said] = ax.plot(grid, drawn[-1], linewidth=1.9, label=f"_{name}", zorder=3, **style)[0]
        words += _minimum(ax, curves[name].minimum, target, color, said)
    _limits(ax, drawn)
    return lines, words


def _minimum(ax: Axes, minimum: Any, target: int, color: str, name: str) -> list[str]:
    at, value = (float(np.ravel(x)[min(target, np.size(x) - 1)]) for x in (minimum.alpha, minimum.value))
    boundary = str(np.ravel(minimum.boundary)[min(target, np.size(minimum.boundary) - 1)])
    low, high = ax.get_xlim()
    if boundary == "none" and not low <= at <= high:
        return [f"{name}: best at α = {number(at, 3)}"]
    if boundary == "none":
        ax.plot(
            at, value, "v", color=color, markersize=8, markeredgecolor="white", label="_minimum", zorder=6
        )
        return []
    said = {"zero": "best at α → 0", "infinite": "best at α → ∞", "flat": "flat, it does not choose"}
    return [f"{name}: {said[boundary]}"]


def _training(ax: Axes, study: Any, grid: Array, target: int) -> dict[str, Any]:
    values = reading.over(study.path.train_loss(grid), target)
    if not np.isfinite(values).any():
        return {}
    line = ax.plot(grid, values, label="_train", color=MUTED, linewidth=1.1, linestyle=":")[0]
    low, high = ax.get_ylim()
    ax.set_ylim(bottom=max(low - (high - low), min(low, float(np.nanmin(values)))))
    return {"training loss": line}


def _limits(ax: Axes, drawn: list[Array]) -> None:
    """Show the valley: a curve that shoots up at one end may leave the picture there."""
    values = np.concatenate(drawn)
    values = values[np.isfinite(values)]
    if not values.size:
        return
    low, high = float(values.min()), float(values.max())
    ends = [curve[np.isfinite(curve)][[0, -1]].min() for curve in drawn if np.isfinite(curve).any()]
    high = min(high, low + ROOM * max(max(ends) - low, 0.05 * abs(low)))
    room = 0.06 * (high - low) or 0.05 * abs(low) or 1.0
    ax.set_ylim(low - 3 * room, high + room)
