"""Which layers of a network are in use, and which want more decay (M9, M13, M19)."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.errors import InputError
from eigenshrink.plots import canvas, reading
from eigenshrink.plots.canvas import CHOSEN, GRID, INK, LOSS, MUTED, PENALTY
from eigenshrink.plots.text import number, plural, short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

Array = NDArray[np.float64]

MOST = 24  # layers that get a bar, those with most parameters in use
WIDE = 0.62  # height of a bar


def layers(
    study: Any, ax: Axes | Sequence[Axes] | None = None, *, target: int = 0, alpha: float | None = None
) -> tuple[Axes, Axes]:
    """Draw γ of each layer beside its number of weights, and its slope of the validation loss (M9, M13).

    Parameters
    ----------
    study : Study
        Of a network.
    ax : two matplotlib Axes, or one, optional
        Where to draw; one is divided into two panels; by default a new figure.
    target : int
        Always 0.
    alpha : float, >= 0, optional
        Where γ is taken; as chosen by default. The slope is always that at the trained weights.

    Returns
    -------
    tuple of two Axes
        In the order of the model. Right of 0 the validation loss grows with the decay of a layer: lower
        it. Bars within the standard error of their sum are grey: they say neither. Without rows that judge
        the second panel says so.

    Raises
    ------
    InputError
        If ``ax`` is a sequence of another length than two.
    """
    target, alpha = reading.asked(study, target, alpha)
    path = study.path
    used = np.asarray(path.effective_by_layer(reading.solvable(study, alpha)))
    picked = np.sort(np.argsort(-used, kind="stable")[:MOST])
    left, right = _panels(ax, len(picked))
    _sizes(left, path, used, picked)
    _slopes(right, study, picked)
    more = f", {len(picked)} of {plural(len(used), 'layer')}" if len(picked) < len(used) else ""
    title = f"parameters in use at α = {number(alpha, 3)}{more}"
    canvas.label(left, title, "weights and, dark, how many of them are in use", "")
    for panel in (left, right):
        panel.set_ylim(len(picked) - 0.4, -0.6)
        panel.grid(False, axis="y")
    return left, right


def _sizes(ax: Axes, path: Any, used: Array, picked: NDArray[np.intp]) -> None:
    """Draw the weights of each layer with those in use inside them, on a logarithmic scale."""
    places = np.arange(len(picked))
    sizes = np.array([path.layers[i].stop - path.layers[i].start for i in picked], dtype=np.float64)
    within = used[picked]
    bottom = 10.0 ** np.floor(np.log10(max(min(float(within[within > 0].min(initial=1.0)), 1.0), 1e-3)))
    canvas.logarithmic(ax, np.array([bottom, sizes.max()]))
    ax.barh(places, sizes - bottom, WIDE, bottom, color=GRID, label="_weights", zorder=2)
    shown = np.maximum(within - bottom, 0.0)
    ax.barh(places, shown, WIDE, bottom, color=LOSS, label="_used", zorder=3)
    ax.set_xlim(bottom, 6.0 * float(sizes.max()))
    for place, value, size in zip(places.tolist(), within, sizes, strict=True):
        said = f"{number(value, 2 if value < 100 else 3)} of {number(size)}"
        style = {"xytext": (4, 0), "ha": "left", "va": "center", "fontsize": 8.5, "bbox": None}
        canvas.write(ax, (max(size, value), place), said, **style)
    ax.set_yticks(places, labels=[short(path.layers[i].name, 22) for i in picked], parse_math=False)


def _slopes(ax: Axes, study: Any, picked: NDArray[np.intp]) -> None:
    """Draw the slope of the validation loss in log α of each layer (M13)."""
    found, why = reading.slopes(study)
    if found is None:
        ax.set_axis_off()
        lines = wrap(f"Which layer wants more decay is not known: {why}.", 48)
        canvas.remark(ax, "\n".join(lines))
        return
    names = [study.path.layers[i].name for i in picked]
    values = np.array([found.by_group[name] for name in names])
    colors = {"raise": CHOSEN, "lower": PENALTY, "": MUTED}
    said = [found.advice(name) for name in names]
    ax.barh(np.arange(len(names)), values, WIDE, color=[colors[word] for word in said], label="_slope")
    ax.axvline(0, color=INK, linewidth=0.8, zorder=3)
    ax.set_yticks(np.arange(len(names)), labels=[""] * len(names))
    reach = 1.45 * float(np.abs(values).max(initial=0.0)) or 1.0
    ax.set_xlim(-reach, reach)
    for place, (value, word) in enumerate(zip(values, said, strict=True)):
        side = 1 if value >= 0 else -1
        style = {"xytext": (4 * side, 0), "ha": "left" if side > 0 else "right", "va": "center", "bbox": None}
        canvas.write(ax, (value, place), word or "unclear", **style, fontsize=8.5, color=colors[word])
    ax.locator_params(axis="x", nbins=5)
    total = f"{number(found.total, 2)} ± {number(found.standard_error, 1)}"
    canvas.label(ax, f"more decay or less? in all {total}", "slope of the validation loss in log α", "")


def _panels(ax: Axes | Sequence[Axes] | None, bars: int) -> tuple[Axes, Axes]:
    if ax is None:
        size = (9.0, 1.5 + 0.3 * max(bars, 4))
        made = canvas.new_figure(size).subplots(1, 2, gridspec_kw={"width_ratios": (3, 2)})
        return canvas.dress(made[0]), canvas.dress(made[1])
    from matplotlib.axes import Axes

    if isinstance(ax, Axes):
        ax.set_axis_off()
        boxes = ((0.0, 0.0, 0.52, 0.9), (0.64, 0.0, 0.36, 0.9))
        first, second = (canvas.dress(ax.inset_axes(box)) for box in boxes)
        return first, second
    given = tuple(np.ravel(np.asarray(ax, dtype=object)))
    if len(given) != 2:
        raise InputError(f"ax holds {len(given)} axes: layers needs two of them, one, or None")
    return given
