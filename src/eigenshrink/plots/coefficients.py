"""Coefficient paths over what they cost: the effective number of parameters (M5, M9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.plots import canvas, reading
from eigenshrink.plots.canvas import CHOSEN, DASHES, MUTED, SERIES
from eigenshrink.plots.text import number, plural, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

NAMED = 8  # the largest ones have a colour and a name
MOST = 120  # lines drawn at all


def coefficients(study: Any, ax: Axes | None = None, *, target: int = 0, alpha: float | None = None) -> Axes:
    """Draw every coefficient over the effective parameters ``γ(α)``, for all strengths (M5, M9).

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
        The lines are ``study.path.weights`` at ``study.alphas``; where columns have different penalty
        factors they are multiplied by ``√d`` (for standardised columns: by their standard deviation),
        the scale on which the penalty compares them; a free column keeps its unit. The eight largest
        at the marked strength are named, at most 120 are drawn, the largest first. Several classes have a
        line for each column of each.
    """
    target, alpha = reading.asked(study, target, alpha)
    ax = canvas.axes(ax, (5.4, 4.6))
    grid = reading.strengths(study)
    used = np.asarray(study.path.effective_parameters(grid), dtype=np.float64)
    scale, unit = scale_of(study)
    paths = reading.weights(study, target, grid) * scale
    here = reading.weights(study, target, np.array([alpha]))[0] * scale
    sizes = np.abs(here) if np.any(here) else np.abs(paths).max(axis=0)
    order = np.argsort(-sizes, kind="stable")
    for place in order[NAMED:MOST]:
        ax.plot(used, paths[:, place], color=MUTED, linewidth=0.7, alpha=0.4, label="_other", zorder=2)
    named = [_line(ax, used, paths[:, place], rank) for rank, place in enumerate(order[:NAMED])]
    gamma = float(study.path.effective_parameters(alpha))
    ax.axvline(gamma, color=CHOSEN, linewidth=1.5, linestyle=(0, (5, 2)), label="_chosen", zorder=1)
    ax.axhline(0, color=MUTED, linewidth=0.8, zorder=1)
    _limits(ax, paths, here, grid, alpha)
    title = f"{number(gamma, 3)} effective parameter{'' if gamma == 1 else 's'} at α = {number(alpha, 3)}"
    canvas.label(ax, reading.about(study, target) + title, "effective parameters γ(α)", unit)
    canvas.legend(ax, named, [short(study.weight_names[place], 16) for place in order[:NAMED]])
    if len(order) > MOST:
        what = "coefficient" if reading.class_labels(study) else "column"
        canvas.remark(ax, f"the {MOST} largest of {plural(len(order), what)}")
    return ax


def scale_of(study: Any) -> tuple[Array, str]:
    """Return what the coefficients are multiplied by, ``(p,)`` or ``(1,)``, and what they are called then."""
    factors = reading.factors(study)
    penalised = factors[factors > 0]
    if not penalised.size or np.ptp(penalised) <= 1e-12 * penalised.max():
        return np.ones(1), "coefficient"
    only_sd = study.facts.standardize and not study.facts.penalty_factor
    by = "standard deviation" if only_sd else "√penalty factor"
    scale = np.where(factors > 0, np.sqrt(factors), 1.0)
    return np.tile(scale, max(1, len(reading.class_labels(study)))), f"coefficient × {by}"


def _line(ax: Axes, x: Array, y: Array, rank: int) -> Any:
    """Draw a line that has a name, the largest one on top."""
    style = {"color": SERIES[rank], "linestyle": DASHES[2 * rank // NAMED]}
    return ax.plot(x, y, linewidth=1.7, label="_named", zorder=4 - rank / NAMED, **style)[0]


def _limits(ax: Axes, paths: Array, here: Array, grid: Array, alpha: float) -> None:
    """Leave room for all strengths down to a hundredth of the marked one; below, lines may leave."""
    shown = paths[grid >= alpha / 100] if 0 < alpha < np.inf else paths
    values = np.concatenate([shown.ravel(), here, [0.0]])
    low, high = float(values.min()), float(values.max())
    room = 0.06 * (high - low) or 1.0
    ax.set_ylim(low - room, high + room)
