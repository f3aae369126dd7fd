"""The three steps of regularisation: rotate, scale, rotate back (M7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.errors import InputError
from eigenshrink.plots import canvas, reading
from eigenshrink.plots.canvas import CHOSEN, INK, LOSS, MUTED, PENALTY
from eigenshrink.plots.contour import circle, ellipse, say_quadratic
from eigenshrink.plots.plane import Plane, line_as_plane, plane_of
from eigenshrink.plots.text import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]


def three_steps(
    study: Any,
    ax: Axes | Sequence[Axes] | None = None,
    *,
    target: int = 0,
    alpha: float | None = None,
    columns: Sequence[str | int] | None = None,
    directions: Sequence[int] | None = None,
) -> tuple[Axes, Axes, Axes]:
    """Draw ``w̃ = Q Λ(Λ+αI)⁻¹ Qᵀ w*`` as three panels: rotate, scale, rotate back (M7, M10).

    Parameters
    ----------
    study : Study
    ax : three matplotlib Axes, or one, optional
        Where to draw; one is divided into three panels; by default a new figure.
    target, alpha, columns, directions
        As for :func:`~eigenshrink.plots.contour.contour`, which shows the same plane in one picture.

    Returns
    -------
    tuple of three Axes

    Raises
    ------
    InputError
        If ``ax`` is a sequence of another length than three, or the plane does not exist.

    Notes
    -----
    The rotation is the true one of the plane. For two columns it is that of their 2×2 block of the
    curvature; for two eigen-directions it turns from the frame nearest to two columns into the
    directions, so the middle panel holds the entries of ``study.path.three_steps(alpha)`` and the
    others their images in the plane. The ellipse is the one that touches the circle in w̃; it stands
    upright between the rotations. With one direction there is nothing to rotate.
    """
    target, alpha = reading.asked(study, target, alpha)
    panels, view = _panels(ax), reading.seen(study, alpha)
    if columns is None and len(view.spectrum.eigenvalues) < 2:
        plane = line_as_plane(view, target)
    else:
        plane = plane_of(view, target, alpha, columns, directions)
    _rotate(panels[0], plane, alpha)
    _scale(panels[1], plane, alpha)
    _rotate_back(panels[2], plane, alpha)
    _frame(panels, plane, alpha)
    _title(panels, plane, reading.about(study, target), alpha)
    say_quadratic(panels[0], view)
    return panels


def _panels(ax: Axes | Sequence[Axes] | None) -> tuple[Axes, Axes, Axes]:
    if ax is None:
        made = canvas.new_figure((9.0, 3.4)).subplots(1, 3)
        return canvas.dress(made[0]), canvas.dress(made[1]), canvas.dress(made[2])
    from matplotlib.axes import Axes

    if isinstance(ax, Axes):
        ax.set_axis_off()
        boxes = ((place, 0.0, 0.28, 0.9) for place in (0.0, 0.36, 0.72))
        first, second, third = (canvas.dress(ax.inset_axes(box)) for box in boxes)
        return first, second, third
    given = tuple(np.ravel(np.asarray(ax, dtype=object)))
    if len(given) != 3:
        raise InputError(f"ax holds {len(given)} axes: three_steps needs three of them, one, or None")
    return given


def _rotate(ax: Axes, plane: Plane, alpha: float) -> None:
    _ring(ax, plane, alpha, turned=True, faint=True)
    _ring(ax, plane, alpha, turned=False)
    _arrow(ax, plane.centre, MUTED, "start")
    _turn(ax, plane.centre, -_angle(plane))
    _arrow(ax, plane.coordinates, LOSS, "rotated")
    _names(ax, (plane.centre, plane.minimiser), (plane.coordinates, "Qᵀ" + plane.minimiser))


def _scale(ax: Axes, plane: Plane, alpha: float) -> None:
    rotated, scaled = plane.coordinates, plane.scaled(alpha)
    _ring(ax, plane, alpha, turned=False)
    _circle(ax, plane, scaled)
    _arrow(ax, rotated, MUTED, "rotated")
    ax.plot([rotated[0], scaled[0]], [rotated[1]] * 2, color=INK, linewidth=1.2, label="_step")
    ax.plot([scaled[0]] * 2, [rotated[1], scaled[1]], color=INK, linewidth=1.2, label="_step")
    _arrow(ax, scaled, CHOSEN, "scaled")
    _names(ax, (rotated, "Qᵀ" + plane.minimiser), (scaled, "scaled"))


def _rotate_back(ax: Axes, plane: Plane, alpha: float) -> None:
    scaled = plane.scaled(alpha)
    _ring(ax, plane, alpha, turned=True)
    _circle(ax, plane, scaled)
    _arrow(ax, scaled, MUTED, "scaled")
    _turn(ax, scaled, _angle(plane))
    _arrow(ax, plane.solution(alpha), CHOSEN, "back")
    ax.plot(*plane.centre, "*", color=LOSS, markersize=10, label="_minimiser")
    _names(ax, (plane.solution(alpha), "w̃"), (plane.centre, plane.minimiser))


def _angle(plane: Plane) -> float:
    return float(np.arctan2(plane.rotation[1, 0], plane.rotation[0, 0]))


def _ring(ax: Axes, plane: Plane, alpha: float, turned: bool, faint: bool = False) -> None:
    size = plane.rise(plane.scaled(alpha))
    if size > 0 and plane.directions[1]:
        line = ellipse(plane, size, _reach(plane), turned)
        color, width = (MUTED, 0.8) if faint else (LOSS, 1.3)
        ax.plot(*line.T, color=color, linewidth=width, label="_loss-faint" if faint else "_loss")


def _circle(ax: Axes, plane: Plane, point: Array) -> None:
    if np.any(point) and plane.directions[1]:
        ax.plot(*circle(float(np.hypot(*point))).T, color=PENALTY, linewidth=1.3, label="_penalty")


def _arrow(ax: Axes, point: Array, color: str, kind: str) -> None:
    style = {"arrowstyle": "-|>", "color": color, "linewidth": 1.8, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", (point[0], point[1]), (0.0, 0.0), arrowprops=style, label=f"_{kind}", zorder=5)


def _turn(ax: Axes, point: Array, angle: float) -> None:
    """Draw the arc on which a rotation moves ``point``, with its head."""
    if abs(angle) < 1e-3 or not np.any(point):
        return
    begin = np.arctan2(point[1], point[0])
    swept = begin + angle * np.linspace(0.0, 1.0, 61)
    arc = float(np.hypot(*point)) * np.column_stack([np.cos(swept), np.sin(swept)])
    ax.plot(*arc.T, color=INK, linewidth=1.0, linestyle=(0, (3, 2)), label="_arc", zorder=4)
    style = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.0, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", tuple(arc[-1]), tuple(arc[-3]), arrowprops=style, zorder=4)


def _names(ax: Axes, *named: tuple[Array, str]) -> None:
    """Write names beyond the tips of the arrows, the second one below if the tips fall together."""
    for rank, (point, text) in enumerate(named):
        length = float(np.hypot(*point)) or 1.0
        x, y = 13 * point / length
        if rank and np.hypot(*(point - named[0][0])) < 0.08 * length:
            x, y = 13 * np.array([point[1], -point[0]]) / length
        canvas.write(ax, point, text, xytext=(x, y), ha="center", va="center", zorder=7)


def _reach(plane: Plane) -> float:
    return 1.6 * float(np.hypot(*plane.coordinates)) or 1.0


def _frame(panels: tuple[Axes, Axes, Axes], plane: Plane, alpha: float) -> None:
    """Give the three panels one square window, so that lengths can be compared."""
    moved = (plane.centre, plane.coordinates, plane.scaled(alpha), plane.solution(alpha), np.zeros(2))
    low, high = np.min(moved, axis=0), np.max(moved, axis=0)
    middle, half = 0.5 * (low + high), 0.68 * float((high - low).max()) or 1.0
    for ax in panels:
        ax.set_xlim(middle[0] - half, middle[0] + half)
        ax.set_ylim(middle[1] - half, middle[1] + half)
        ax.set_aspect("equal" if plane.directions[1] else "auto")
        ax.axhline(0, color=MUTED, linewidth=0.6, zorder=1)
        ax.axvline(0, color=MUTED, linewidth=0.6, zorder=1)
        ax.locator_params(nbins=4)
        if not plane.directions[1]:
            ax.set_yticks([])


def _title(panels: tuple[Axes, Axes, Axes], plane: Plane, about: str, alpha: float) -> None:
    first, second = (number(share, 2) for share in plane.shrinkage(alpha))
    factors = f"{first} and {second}" if plane.directions[1] else first
    degrees = f"{abs(np.degrees(_angle(plane))):.0f}°"
    canvas.label(panels[0], f"{about}1  rotate by Qᵀ ({degrees})", "", "")
    canvas.label(panels[1], f"2  scale by {factors}", *plane.directions)
    canvas.label(panels[2], f"3  rotate back by Q ({degrees})", *plane.axes)
