"""Why the training error cannot choose: what it lacks of the true error (M1, M14)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.plots import canvas, criteria, reading
from eigenshrink.plots.canvas import CHOSEN
from eigenshrink.plots.risk import ROOM, shade_error
from eigenshrink.plots.text import number
from eigenshrink.risk import ERRORS, criterion_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]


def optimism(study: Any, ax: Axes | None = None, *, target: int = 0, alpha: float | None = None) -> Axes:
    """Draw training error, estimated true error and their difference over ``γ(α)`` (M1, M14).

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
        All in the unit of the loss, from 0. The true error is estimated by leave-group-out where there
        are groups, else by leave-one-out, else by GCV, in a band of 1.96 paired standard errors of its
        difference to its lowest point (M15). The difference, the optimism of the training error, is what
        the penalty stands for: it grows with the parameters in use.
    """
    target, alpha = reading.asked(study, target, alpha)
    ax = canvas.axes(ax, (5.4, 4.5))
    grid, true = reading.strengths(study), study.risk[next(name for name in ERRORS if name in study.risk)]
    curves = {"train": study.risk["train"], true.name: true, "optimism": study.risk["optimism"]}
    used = np.asarray(study.path.effective_parameters(grid), dtype=np.float64)
    lines, drawn = {}, {}
    for name, curve in curves.items():
        values = reading.over(curve(grid), target)
        drawn[name] = np.where(np.isfinite(values), values, np.nan)
        style = criteria.style(name) | {"linewidth": 1.7 if name == "train" else 2.2, "label": f"_{name}"}
        lines[_said(name)] = ax.plot(used, drawn[name], zorder=3, **style)[0]
    error = criteria.band(study, true.name, grid, target)
    shade_error(ax, used, drawn[true.name], error, criteria.style(true.name)["color"])
    gamma = float(study.path.effective_parameters(alpha))
    here = {name: float(reading.over(curve(np.array([alpha])), target)[0]) for name, curve in curves.items()}
    _mark(ax, gamma, here, true.name)
    _limits(ax, drawn[true.name], list(here.values()))
    title = f"{reading.about(study, target)}{_title(gamma, here, true.name)}"
    where = f"effective parameters γ(α), dashed: {number(gamma, 3)} at α = {number(alpha, 3)}"
    canvas.label(ax, title, where, true.unit)
    canvas.legend(ax, list(lines.values()), list(lines), columns=1)
    return ax


def _said(name: str) -> str:
    if name in ERRORS:
        return f"true error, estimated by {criterion_name(name)}"
    return {"train": "training error", "optimism": "optimism: the difference"}[name]


def _title(gamma: float, here: dict[str, float], true: str) -> str:
    if not np.isfinite(here[true]):
        return f"γ = {number(gamma, 3)}: the true error cannot be estimated"
    train, gap, total = (number(here[name], 3) for name in ("train", "optimism", true))
    return f"training error {train} + optimism {gap} = {total}"


def _mark(ax: Axes, gamma: float, here: dict[str, float], true: str) -> None:
    """Mark the strength: a line, the three points on it, and the gap between the two errors."""
    ax.axvline(gamma, color=CHOSEN, linewidth=1.5, linestyle=(0, (5, 2)), label="_chosen", zorder=1)
    gap = criteria.style("optimism")["color"]
    if np.isfinite(here[true]):
        ax.vlines(gamma, here["train"], here[true], color=gap, linewidth=3, zorder=4, label="_gap")
    for name, value in here.items():
        if np.isfinite(value):
            color = criteria.style(name)["color"]
            ax.plot(gamma, value, "o", color=color, markersize=6, label="_point", zorder=5, clip_on=False)


def _limits(ax: Axes, true: Array, here: list[float]) -> None:
    """From 0 up to the flatter end of the true error; what shoots up at the other end may leave."""
    finite = true[np.isfinite(true)]
    points = [value for value in here if np.isfinite(value)]
    high = max(points, default=1.0)
    if finite.size:
        low = float(finite.min())
        ends = float(finite[[0, -1]].min())
        high = max(high, min(float(finite.max()), low + ROOM * max(ends - low, 0.05 * abs(low))))
    ax.set_ylim(0.0, 1.06 * high or 1.0)
