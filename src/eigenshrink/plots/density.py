"""The spectral density of a network: how many directions have which curvature (M7, M19)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.directions import KEPT
from eigenshrink.plots import canvas, reading
from eigenshrink.plots.canvas import LOSS
from eigenshrink.plots.marks import mark_start, mark_strength
from eigenshrink.plots.text import number, plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

BINS = 4  # per decade
DECADES = 8  # below the largest eigenvalue that are drawn
LEAST = 0.1  # of an eigenvalue that an estimate puts into a bin is drawn


def density(study: Any, ax: Axes | None = None, *, target: int = 0, alpha: float | None = None) -> Axes:
    """Draw how many eigenvalues of the curvature lie in each quarter of a decade (M7, M19).

    Parameters
    ----------
    study : Study
        Of a network.
    ax : matplotlib Axes, optional
    target : int
        Always 0.
    alpha : float, >= 0, optional
        The marked strength; as chosen by default.

    Returns
    -------
    Axes
        Counts of ``path.density`` on a logarithmic scale, of which less than a tenth of an eigenvalue
        is not drawn. To the right of α directions are kept, to the left they are gone. What is lower than
        a 10⁻⁸ of the largest, zero or negative is counted in words.
    """
    said = reading.word(study, alpha)
    target, alpha = reading.asked(study, target, alpha)
    ax = canvas.axes(ax)
    values = reading.seen(study, alpha).spectrum.eigenvalues
    largest = float(values.max(initial=0.0))
    if not largest > 0:
        ax.set_axis_off()
        canvas.remark(ax, "Nothing to draw: the loss is flat along every weight that is penalised.")
        return ax
    edges = edges_of(largest)
    counts = study.path.density(edges, alpha)
    canvas.logarithmic(ax, np.append(edges[:-1][counts >= LEAST], [edges[-1]]))
    ax.stairs(np.where(counts >= LEAST, counts, np.nan), edges, fill=True, color=LOSS, label="_density")
    parts = np.any((counts >= LEAST) & (counts < 1))  # of an eigenvalue: it is an estimate
    canvas.powers(ax, 0.5 * LEAST if parts else 0.5, 3.0 * max(float(counts.max()), 1.0))
    mark_start(ax, reading.trained_at(study))
    mark_strength(ax, alpha, said)
    _said(ax, study, alpha, float(counts.sum()))
    title = f"{_kept(study, alpha, largest)} of {plural(reading.removable(study), 'direction')} kept"
    canvas.label(
        ax, f"{title} at α = {number(alpha, 3)}", "eigenvalue λ of the curvature", "number of directions"
    )
    return ax


def edges_of(largest: float) -> Array:
    """Edges of the bins, a quarter of a decade wide, up to above the largest eigenvalue."""
    top = np.ceil(BINS * np.log10(largest * (1 + 1e-6))) / BINS
    return np.asarray(10.0 ** (top - np.arange(DECADES * BINS, -1, -1) / BINS))


def _kept(study: Any, alpha: float, largest: float) -> str:
    """Return how many directions keep 0.9 of their weight or more, as everywhere (M8)."""
    edge = max(alpha * KEPT / (1 - KEPT), 1e-300)
    if edge >= largest:
        return "none"
    count = float(study.path.density(np.array([edge, largest * (1 + 1e-6)]), alpha)[0])
    exact = count == round(count)
    return number(round(count)) if exact else f"about {number(count, 2)}"


def _said(ax: Axes, study: Any, alpha: float, counted: float) -> None:
    """Say in small print what has no place on the axis."""
    rest = reading.removable(study) - counted
    lines = []
    if rest >= 0.5:
        lines.append(f"{number(round(rest))} more at or near 0")
    negative = float(study.path.sums.negative)
    if negative > 0:
        lines.append(f"{number(100 * negative, 2)} % of the curvature is negative")
    if lines:
        left, right = np.log(ax.get_xlim())
        aside = 0 < alpha < np.inf and np.log(alpha) < 0.5 * (left + right)
        style = {"xy": (1.0, 1.0), "xytext": (-4, -4), "ha": "right"} if aside else {}
        canvas.remark(ax, "\n".join(lines), **style)
