"""Which directions survive: shrink factors over the eigenvalues (M8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.directions import GONE, KEPT
from eigenshrink.plots import canvas, reading
from eigenshrink.plots.canvas import CHOSEN, INK, LOSS, MUTED, PENALTY
from eigenshrink.plots.plane import factor
from eigenshrink.plots.text import number, plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

MOST = 1500  # points that are drawn; more lie on top of each other
FLAT = 1e-4  # share of α below which the eigenvalues of a network are mostly rounding
BANDS = (
    ("kept", KEPT, 1.06, CHOSEN),
    ("fading", GONE, KEPT, MUTED),
    ("gone", -0.06, GONE, PENALTY),
)


def shrinkage(study: Any, ax: Axes | None = None, *, target: int = 0, alpha: float | None = None) -> Axes:
    """Draw ``λ/(λ+α)`` over the eigenvalues, in bands kept (≥ 0.9), fading, gone (≤ 0.1) (M7, M8).

    Parameters
    ----------
    study : Study
    ax : matplotlib Axes, optional
    target : int
        Whose chosen strength is taken; the factors are the same for all targets.
    alpha : float, >= 0, optional
        As chosen by default; the curvature of the loss is that at this strength.

    Returns
    -------
    Axes
        A point for each direction, at most 1500 of them evenly picked; the counts are of all.
    """
    target, alpha = reading.asked(study, target, alpha)
    ax, quadratic = canvas.axes(ax), reading.seen(study, alpha).path
    eigenvalues = quadratic.spectrum.eigenvalues
    kept = np.nan_to_num(quadratic.shrinkage(reading.solvable(study, alpha)))  # 0 where curved downwards
    picked = np.unique(np.linspace(0, len(kept) - 1, min(len(kept), MOST)).round().astype(int))
    inside = (0 < alpha < np.inf,)
    shown = eigenvalues[eigenvalues > FLAT * alpha] if reading.of_network(study) else eigenvalues
    canvas.logarithmic(ax, np.concatenate([shown, [alpha] if inside[0] else []]))
    line = np.geomspace(*ax.get_xlim(), 301)
    ax.plot(line, factor(line, alpha), color=LOSS, linewidth=1.2, label="_law", zorder=2)
    ax.plot(
        eigenvalues[picked],
        kept[picked],
        "o",
        color=LOSS,
        alpha=0.75,
        markersize=5,
        label="_factors",
        zorder=3,
    )
    if inside[0]:
        ax.axvline(alpha, color=CHOSEN, linewidth=1.5, linestyle=(0, (5, 2)), label="_chosen", zorder=1)
        canvas.write(ax, (alpha, 0.5), "λ = α", xytext=(5, 0), va="center")
    _bands(ax, _free_side(ax, alpha))
    ax.set_ylim(-0.06, 1.06)
    title = f"α = {number(alpha, 3)}: {_counts(kept)}"
    canvas.label(
        ax, reading.about(study, target) + title, "eigenvalue λ of the curvature", "share kept, λ/(λ+α)"
    )
    _left_out(ax, study, len(picked), len(kept))
    return ax


def _left_out(ax: Axes, study: Any, drawn: int, known: int) -> None:
    """Say which points are not there."""
    said = f"{drawn} of {known} points drawn" if drawn < known else ""
    if reading.of_network(study) and known < reading.removable(study):
        said = f"the {known} directions that are known\nof {number(reading.removable(study))}"
    if said:
        canvas.remark(ax, said, xy=(1, 0.35), ha="right")


def _free_side(ax: Axes, alpha: float) -> float:
    """Return the end of the axes, 0 or 1, that is farther from the line at ``alpha``."""
    low, high = ax.get_xlim()
    return 1.0 if 0 < alpha < np.sqrt(low * high) else 0.0


def _bands(ax: Axes, side: float) -> None:
    for name, low, high, color in BANDS:
        ax.axhspan(low, high, color=color, alpha=0.09, linewidth=0, zorder=0, label=f"_{name}")
        ax.annotate(
            name,
            (side, 0.5 * (max(low, 0) + min(high, 1))),
            xycoords=("axes fraction", "data"),
            xytext=(5 - 10 * side, 0),
            ha="right" if side else "left",
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            color=INK if name == "fading" else color,
        )


def _counts(kept: Array) -> str:
    gone, full = int((kept <= GONE).sum()), int((kept >= KEPT).sum())
    return f"{plural(full, 'direction')} kept, {len(kept) - full - gone} fading, {gone} gone"
