"""How many parameters are still in use, for every strength (M9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.plots import canvas, reading
from eigenshrink.plots.canvas import LOSS, MUTED
from eigenshrink.plots.marks import mark_start, mark_strength
from eigenshrink.plots.text import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]


def effective_parameters(
    study: Any, ax: Axes | None = None, *, target: int = 0, alpha: float | None = None
) -> Axes:
    """Draw ``γ(α) = m + Σ λ/(λ+α)`` over α, from the rank down to the free parameters (M9).

    Of a network in its 95 % interval, within the strengths of the study (M19).

    Parameters
    ----------
    study : Study
    ax : matplotlib Axes, optional
    target : int
        Whose chosen strength is marked; the curve is the same for all targets.
    alpha : float, >= 0, optional
        The marked strength; as chosen by default.

    Returns
    -------
    Axes
    """
    said = reading.word(study, alpha)
    target, alpha = reading.asked(study, target, alpha)
    ax = canvas.axes(ax)
    grid = reading.strengths(study)
    canvas.logarithmic(ax, grid)
    used = study.path.effective_parameters
    weakest, called = reading.weakest(study)
    if reading.of_network(study):
        weakest, called = float(grid[0]), f"at α = {number(grid[0], 2)}"
        band(ax, study, grid)
        mark_start(ax, reading.trained_at(study))
    most, least, here = (float(used(at)) for at in (weakest, np.inf, reading.solvable(study, alpha)))
    for level, name in ((most, called), (least, "never penalised")):
        ax.axhline(level, color=MUTED, linewidth=0.8, linestyle=(0, (1, 1.5)), label="_limit", zorder=1)
        canvas.remark(
            ax, f"{number(level)} {name}", xycoords=("axes fraction", "data"), **_beside(level, most)
        )
    ax.plot(grid, used(grid), color=LOSS, linewidth=2, label="_curve", zorder=3)
    mark_strength(ax, alpha, said, here)
    room = 0.08 * (most - least) or 1.0
    ax.set_ylim(max(least - room, -0.02 * most), most + room)
    total = reading.most(study)
    noun = "parameter" if total == 1 else "parameters"
    title = f"{number(here, 3)} of {number(total)} {noun} in use at α = {number(alpha, 3)}"
    canvas.label(ax, reading.about(study, target) + title, "strength α", "effective parameters γ(α)")
    return ax


def band(ax: Axes, study: Any, grid: Array) -> None:
    """Shade the 95 % interval of γ, where it is estimated (M19)."""
    found, free = study.path.effective_estimate(grid), study.path.free_rank
    if np.any(found.high > found.low):
        style: dict[str, Any] = {"color": LOSS, "alpha": 0.16, "linewidth": 0, "zorder": 2, "label": "_band"}
        ax.fill_between(grid, free + found.low, free + found.high, **style)


def _beside(level: float, most: float) -> dict[str, Any]:
    at_top = level == most
    return {"xy": (1.0 if at_top else 0.0, level), "ha": "right" if at_top else "left"} | {
        "xytext": (-4 if at_top else 4, -3 if at_top else 3),
        "va": "top" if at_top else "bottom",
    }
