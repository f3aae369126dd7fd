"""How many parameters are still in use, for every strength (M9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from eigenshrink.plots import canvas, reading
from eigenshrink.plots.canvas import LOSS, MUTED
from eigenshrink.plots.marks import mark_strength
from eigenshrink.plots.text import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def effective_parameters(
    study: Any, ax: Axes | None = None, *, target: int = 0, alpha: float | None = None
) -> Axes:
    """Draw ``γ(α) = m + Σ λ/(λ+α)`` over α, from the rank down to the free parameters (M9).

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
    said = "chosen" if reading.was_chosen(study, alpha) else "given"
    target, alpha = reading.asked(study, target, alpha)
    ax = canvas.axes(ax)
    grid = reading.strengths(study)
    canvas.logarithmic(ax, grid)
    used = study.path.effective_parameters
    weakest, called = reading.weakest(study)
    most, least, here = (float(used(at)) for at in (weakest, np.inf, alpha))
    for level, name in ((most, called), (least, "never penalised")):
        ax.axhline(level, color=MUTED, linewidth=0.8, linestyle=(0, (1, 1.5)), label="_limit", zorder=1)
        canvas.remark(
            ax, f"{number(level)} {name}", xycoords=("axes fraction", "data"), **_beside(level, most)
        )
    ax.plot(grid, used(grid), color=LOSS, linewidth=2, label="_curve", zorder=3)
    mark_strength(ax, alpha, said, here)
    room = 0.08 * (most - least) or 1.0
    ax.set_ylim(max(least - room, -0.02 * most), most + room)
    noun = "parameter" if most == 1 else "parameters"
    title = f"{number(here, 3)} of {number(most)} {noun} in use at α = {number(alpha, 3)}"
    canvas.label(ax, reading.about(study, target) + title, "strength α", "effective parameters γ(α)")
    return ax


def _beside(level: float, most: float) -> dict[str, Any]:
    at_top = level == most
    return {"xy": (1.0 if at_top else 0.0, level), "ha": "right" if at_top else "left"} | {
        "xytext": (-4 if at_top else 4, -3 if at_top else 3),
        "va": "top" if at_top else "bottom",
    }
