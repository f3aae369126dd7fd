"""How a strength is marked on a logarithmic axis that cannot hold 0 and ∞."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from eigenshrink.plots import canvas
from eigenshrink.plots.canvas import CHOSEN, GRID, MUTED, PAPER
from eigenshrink.plots.text import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PATCH = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.85, "pad": 1.0}


def mark_strength(ax: Axes, alpha: float, said: str = "chosen", height: float | None = None) -> None:
    """Mark ``alpha`` by a line and a word, and its point at ``height``; 0 and ∞ at the edge, by an arrow."""
    at, outward = place(ax, alpha)
    if outward:
        edge = "0" if outward < 0 else "∞"
        style = {"arrowstyle": "-|>", "color": CHOSEN, "linewidth": 1.8, "shrinkA": 0, "shrinkB": 0}
        side = "left" if outward < 0 else "right"
        ax.annotate(
            f"{said}: α = {edge}",
            (at, 0.62),
            xycoords=("data", "axes fraction"),
            xytext=(-46 * outward, 0),
            textcoords="offset points",
            ha=side,
            va="center",
            fontsize=9,
            color=CHOSEN,
            arrowprops=style,
            bbox=PATCH,
            zorder=7,
            label="_chosen",
        )
    else:
        ax.axvline(at, color=CHOSEN, linewidth=1.5, linestyle=(0, (5, 2)), label="_chosen", zorder=1)
        canvas.write(ax, (at, 1.0), f"{said} {number(alpha, 3)}", **_above(ax, at))
    if height is not None and np.isfinite(height):
        ax.plot(at, height, "o", color=CHOSEN, markersize=8, label="_chosen-point", zorder=5, clip_on=False)


def mark_start(ax: Axes, alpha: float | None) -> None:
    """Mark the strength that a network was trained with, by a faint line and a word at its foot."""
    if alpha is None or not 0 < alpha < np.inf:
        return
    at, _ = place(ax, alpha)
    ax.axvline(at, color=MUTED, linewidth=1.2, linestyle=(0, (1, 1.5)), label="_start", zorder=1)
    style = {**_above(ax, at), "color": MUTED, "xytext": (5, 3), "ha": "left", "va": "bottom"}
    canvas.write(ax, (at, 0.0), f"α₀ {number(alpha, 3)}", **style)


def shade_doubtful(ax: Axes, trusted: tuple[float, float]) -> None:
    """Hatch the strengths at which the quadratic of a network is not believed (M18)."""
    left, right = ax.get_xlim()
    style: dict[str, Any] = {
        "facecolor": "none",
        "edgecolor": GRID,
        "hatch": "////",
        "linewidth": 0,
        "zorder": 0,
    }
    for low, high in ((left, min(trusted[0], right)), (max(trusted[1], left), right)):
        if low < high:
            ax.axvspan(low, high, label="_doubtful", **style)


def place(ax: Axes, alpha: float) -> tuple[float, int]:
    """Return where ``alpha`` lies on the axis, and −1 or +1 if only the edge can stand for it."""
    low, high = ax.get_xlim()
    if 0 < alpha < np.inf:
        ax.set_xlim(min(low, alpha / 1.5), max(high, alpha * 1.5))
        return alpha, 0
    return (low, -1) if alpha == 0 else (high, 1)


def _above(ax: Axes, at: float) -> dict[str, object]:
    low, high = np.log(ax.get_xlim())
    left = np.log(at) > 0.5 * (low + high)
    return {
        "xycoords": ("data", "axes fraction"),
        "xytext": (-5 if left else 5, -3),
        "ha": "right" if left else "left",
        "va": "top",
        "color": CHOSEN,
        "bbox": PATCH,
        "zorder": 7,
    }


def shade_strengths(ax: Axes, low: float, high: float, color: str) -> Any:
    """Shade strengths from ``low`` to ``high``; 0 and ∞ reach to the edge."""
    left, right = ax.get_xlim()
    ends = np.clip([low, high], left, right)
    return ax.axvspan(*ends, color=color, alpha=0.1, linewidth=0, zorder=0, label="_equivalent")
