"""How far the quadratic of a network holds: true changes of its loss beside predicted ones (M18)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.plots import canvas, criteria, reading
from eigenshrink.plots.canvas import CHOSEN, LOSS, PENALTY
from eigenshrink.plots.marks import mark_start, mark_strength, shade_strengths
from eigenshrink.plots.text import number
from eigenshrink.risk.uncertainty import WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

ROOM = 1.6  # times the larger of both changes where they are believed, up to which they are drawn


def trusted(study: Any, ax: Axes | None = None, *, target: int = 0, alpha: float | None = None) -> Axes:
    """Draw how the training loss changes along the path: truly, and as the quadratic predicts (M4, M18).

    Parameters
    ----------
    study : Study
        Of a network whose true losses were measured.
    ax : matplotlib Axes, optional
    target : int
        Always 0.
    alpha : float, >= 0, optional
        The marked strength; as chosen by default.

    Returns
    -------
    Axes
        Points: the change from the trained weights to ``w̃(α)`` as measured, with 1.96 of its standard
        errors; the line is ``path.predicted_change``, the shade ``path.trusted``. Where rows judge, their
        loss less that of the trained weights is drawn too.
    """
    said = reading.word(study, alpha)
    target, alpha = reading.asked(study, target, alpha)
    path, found = study.path, study.path.measured
    ax = canvas.axes(ax, (5.4, 4.5))
    grid = reading.strengths(study)
    canvas.logarithmic(ax, grid)
    predicted = np.asarray(path.predicted_change(grid))
    lines: dict[str, Any] = {
        "predicted by the quadratic": ax.plot(grid, predicted, color=LOSS, label="_predicted")[0]
    }
    lines["true change"] = ax.errorbar(
        found.alphas,
        found.change,
        yerr=WIDTH * found.noise,
        fmt="o",
        color=PENALTY,
        markersize=4.5,
        elinewidth=1.2,
        label="_change",
        zorder=4,
    )
    lines |= _judged(ax, study)
    low, high = path.trusted
    lines["trusted: loss and slope as predicted"] = shade_strengths(ax, low, high, CHOSEN)
    mark_start(ax, reading.trained_at(study))
    mark_strength(ax, alpha, said)
    _limits(ax, study, lines)
    canvas.label(ax, _title(low, high), "strength α", f"change of the {path.loss.unit}")
    canvas.legend(ax, list(lines.values()), list(lines), columns=2)
    return ax


def _judged(ax: Axes, study: Any) -> dict[str, Any]:
    """Draw the loss of the rows that judge, less that of the weights as trained or nearest to it."""
    if "validation" not in study.risk:
        return {}
    curve, path = study.risk["validation"], study.path
    grid = reading.strengths(study)
    start = path.fit.alpha if path.fit.alpha > 0 else grid[0]
    values = np.asarray(curve(grid))
    base = float(curve(start))
    base = base if np.isfinite(base) else float(values[np.isfinite(values)][0])
    style = criteria.style("validation") | {"linewidth": 1.7, "label": "_validation", "zorder": 3}
    return {"change of the validation loss": ax.plot(grid, values - base, **style)[0]}


def _limits(ax: Axes, study: Any, lines: dict[str, Any]) -> None:
    """Show what is believed with some room; curves that shoot up beyond it may leave."""
    path, found = study.path, study.path.measured
    low, high = path.trusted
    inside = (found.alphas >= low * (1 - 1e-9)) & (found.alphas <= high * (1 + 1e-9))
    inside = inside if inside.any() else np.ones(len(inside), dtype=bool)
    noise = WIDTH * found.noise[inside]
    shown = [found.change[inside] - noise, found.change[inside] + noise, found.predicted[inside]]
    shown += [line.get_ydata() for name, line in lines.items() if "validation" in name]
    values = np.concatenate([np.zeros(1), *shown])
    values = values[np.isfinite(values)]
    bottom, top = float(values.min()), float(values.max())
    room = (ROOM - 1) * 0.5 * (top - bottom) or 1.0
    ax.set_ylim(bottom - room, top + room)


def _title(low: float, high: float) -> str:
    if low == 0 and np.isinf(high):
        return "the quadratic holds at every strength"
    if low == high:
        return "the quadratic holds at no strength that was looked at"
    if low == 0:
        return f"the quadratic holds up to α = {number(high, 3)}"
    if np.isinf(high):
        return f"the quadratic holds from α = {number(low, 3)} on"
    return f"the quadratic holds from α = {number(low, 3)} to {number(high, 3)}"
