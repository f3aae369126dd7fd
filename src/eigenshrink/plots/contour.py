"""The contour picture: where the ellipses of the loss touch the circles of the penalty (M10)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.plots import canvas, reading
from eigenshrink.plots.canvas import CHOSEN, INK, LOSS, MUTED, PENALTY
from eigenshrink.plots.plane import Plane, factor, pair_along, plane_of
from eigenshrink.plots.text import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

ANGLES = np.linspace(0.0, 2 * np.pi, 721)
MEANINGS = {
    "loss": "loss L",
    "penalty": "penalty Ω",
    "path": "w̃ from α = 0 to ∞",
    "believed": "where that holds",
    "mark": "at α/10 and 10α",
    "shadow": "all weights moving",
}
RINGS = 6  # about as many between the middle of a family and the far end of the path


def contour(
    study: Any,
    ax: Axes | None = None,
    *,
    target: int = 0,
    alpha: float | None = None,
    columns: Sequence[str | int] | None = None,
    directions: Sequence[int] | None = None,
) -> Axes:
    """Draw ellipses of ``L`` around w*, circles of ``Ω`` around 0, and ``w̃(α)`` where they touch (M10).

    Parameters
    ----------
    study : Study
        Another loss than the squared one is drawn as its quadratic at ``alpha``, as the picture says.
    ax : matplotlib Axes, optional
        Where to draw; by default a new figure, which pyplot does not hold.
    target : int
        Which target, from 0.
    alpha : float, >= 0, optional
        Strength in house units; as chosen by default.
    columns : two names or places, optional
        Draw the plane of their weights. All other weights are held as they are at ``alpha``, so the
        ellipses are those of the loss *given the others* and their centre is the best pair given the
        others, not the pair of w*. They touch the circle in the pair of ``w̃(α)`` exactly; the dotted
        line is the pair's path when all weights move.
    directions : two places in the spectrum, from 0, optional
        Draw the plane of two eigen-directions. The fit falls apart along them (M7), so this picture
        is exact at every strength, whatever the other directions do. The drawn axes are turned within
        the plane to lie as near as possible to two columns.

    Returns
    -------
    Axes
        Units are those of ``v = √D w``, in which Ω is a circle whatever the penalty factors; weights
        without a penalty have their own optimum at every point.

    Raises
    ------
    InputError
        If a column or direction is unknown, not penalised, or given twice.

    Notes
    -----
    By default the two directions that show most: one kept and one fading at ``alpha``, both with
    large coordinates. With a single direction a plane does not exist and the parabolas of L, Ω and
    their sum are drawn. Curves are exact, not contoured on a grid. O(a k) for the path.
    """
    target, alpha = reading.asked(study, target, alpha)
    ax, view = canvas.axes(ax, (5.4, 5.0)), reading.seen(study, alpha)
    if len(view.spectrum.eigenvalues) < 2 and columns is None:
        return _parabolas(view, ax, target, alpha)
    plane = plane_of(view, target, alpha, columns, directions)
    half, middle = window(plane, alpha)
    draw_rings(ax, plane, alpha, half + float(np.abs(middle).max()))
    _draw_path(ax, plane, alpha, view)
    if columns is not None:
        _draw_shadow(ax, study, view, target, columns)
    ax.set_xlim(middle[0] - half, middle[0] + half)
    ax.set_ylim(middle[1] - half, middle[1] + half)
    ax.set_aspect("equal")
    _name_points(ax, plane, alpha)
    canvas.label(ax, reading.about(study, target) + _title(plane, alpha), *plane.axes)
    canvas.legend(ax, *_kinds(ax), columns=2)
    say_quadratic(ax, view)
    return ax


def say_quadratic(ax: Axes, view: reading.View) -> None:
    """Say in small print that the loss is drawn as a quadratic, where it is none."""
    if view.drawn:
        canvas.remark(ax, f"loss drawn as {view.drawn}", xy=(0.0, 0.0), xytext=(4, 4), va="bottom")


def window(plane: Plane, alpha: float) -> tuple[float, Array]:
    """Return half the side and the middle of a square that holds 0, w̃ and w*."""
    points = np.array([np.zeros(2), plane.centre, plane.solution(alpha)])
    low, high = points.min(axis=0), points.max(axis=0)
    half = 0.5 * float((high - low).max())
    return (1.5 * half or 1.0), 0.5 * (low + high)


def ellipse(plane: Plane, size: float, far: float, turned: bool = True) -> Array:
    """Return the level line ``L = L* + size²/2``, exact, ``(angles, 2)``.

    Along a flat axis an ellipse never closes; it is drawn to ``far`` beyond every window.
    """
    with np.errstate(divide="ignore"):
        half_axes = np.minimum(size / np.sqrt(plane.eigenvalues), 1e3 * far)
    line: Array = plane.coordinates + half_axes * np.column_stack([np.cos(ANGLES), np.sin(ANGLES)])
    return line @ plane.rotation.T if turned else line


def circle(radius: float) -> Array:
    """Return the level line ``Ω = α radius²/2``, ``(angles, 2)``."""
    return radius * np.column_stack([np.cos(ANGLES), np.sin(ANGLES)])


def draw_rings(ax: Axes, plane: Plane, alpha: float, far: float) -> None:
    """Draw rings at equal steps of √(rise of L) and of √Ω; the pair that touches is heavy."""
    touch = plane.rise(plane.scaled(alpha)), float(np.hypot(*plane.solution(alpha)))
    full = plane.rise(np.zeros(2)), float(np.hypot(*plane.centre))
    for size, heavy in _steps(touch[0], full[0]):
        line = ellipse(plane, size, far)
        ax.plot(*line.T, color=LOSS, label="_loss-touching" if heavy else "_loss", **_stroke(heavy))
    for radius, heavy in _steps(touch[1], full[1]):
        line = circle(radius)
        ax.plot(*line.T, color=PENALTY, label="_penalty-touching" if heavy else "_penalty", **_stroke(heavy))


def _steps(touch: float, full: float) -> list[tuple[float, bool]]:
    """Return sizes at equal steps; the touching one is among them, if there is one."""
    if touch <= 1e-9 * full or full == 0:
        return [(full * (ring + 1) / RINGS, False) for ring in range(2 * RINGS)] if full else []
    between = round(RINGS * touch / full)
    if between == 0:
        return [(touch, True), *((full * ring / RINGS, False) for ring in range(1, 2 * RINGS))]
    return [(touch * ring / between, ring == between) for ring in range(1, 2 * RINGS)]


def _stroke(heavy: bool) -> dict[str, Any]:
    return {"linewidth": 1.9, "zorder": 3} if heavy else {"linewidth": 0.8, "alpha": 0.45, "zorder": 2}


def _draw_path(ax: Axes, plane: Plane, alpha: float, view: reading.View) -> None:
    """Draw w̃ over all strengths; heavy where the quadratic is believed, if that is not everywhere (M18)."""
    strengths, trusted = plane.strengths(), view.own(np.array(view.trusted))
    everywhere = view.trusted == (0.0, np.inf)
    width = 1.8 if everywhere else 0.9
    ax.plot(*plane.solution(strengths).T, color=INK, linewidth=width, label="_path", zorder=4)
    if not everywhere:
        inside = np.concatenate([trusted, strengths[(strengths > trusted[0]) & (strengths < trusted[1])]])
        believed = plane.solution(np.sort(inside))
        ax.plot(*believed.T, color=INK, linewidth=3.0, label="_believed", zorder=4)
    for times in (0.1, 10.0):
        if 0 < alpha < np.inf:
            mark = plane.solution(view.own(np.array(times * alpha)))
            ax.plot(*mark, "o", color=INK, markersize=3.5, label="_mark", zorder=5)
    ax.plot(0, 0, "+", color=PENALTY, markersize=11, markeredgewidth=2, label="_origin", zorder=5)
    ax.plot(*plane.centre, "*", color=LOSS, markersize=13, label="_minimiser", zorder=5)
    ax.plot(*plane.solution(alpha), "o", color=CHOSEN, markersize=9, label="_solution", zorder=6)


def _draw_shadow(ax: Axes, study: Any, view: reading.View, target: int, columns: Sequence[str | int]) -> None:
    grid = np.concatenate(([reading.weakest(study)[0]], reading.strengths(study), [np.inf]))
    if reading.of_network(study):  # too many weights to make all of them at every strength
        moving = pair_along(view, target, columns, view.own(grid[1:]))
    else:
        places = [reading.place(view, column) for column in columns]
        moving = reading.weights(study, target, grid)[:, places] * np.sqrt(reading.factors(view)[places])
    ax.plot(*moving.T, color=MUTED, linewidth=1.4, linestyle=(0, (1, 1.5)), label="_shadow", zorder=3)


def _name_points(ax: Axes, plane: Plane, alpha: float) -> None:
    """Write the names away from the path, so that nothing lies under them."""
    inward = -plane.centre / max(float(np.hypot(*plane.centre)), 1e-300)
    side = np.array([-inward[1], inward[0]])
    bend = plane.solution(alpha) - 0.5 * plane.centre
    side = -side if side @ bend < 0 else side
    for point, text, push in (
        (np.zeros(2), "0", inward),
        (plane.centre, plane.minimiser, -inward),
        (plane.solution(alpha), "w̃(α)", side),
    ):
        x, y = 12 * push
        side_of = "left" if x > 4 else "right" if x < -4 else "center"
        canvas.write(ax, point, text, xytext=(x, y), ha=side_of, va="center", zorder=7, fontsize=10)


def _title(plane: Plane, alpha: float) -> str:
    kept = plane.shrinkage(alpha)
    first, second = (
        f"{100 * share:.0f} % of {name}" for share, name in zip(kept, plane.directions, strict=True)
    )
    return f"α = {number(alpha, 3)} keeps {first}\nand {second}"


def _kinds(ax: Axes) -> tuple[list[Any], list[str]]:
    """Return one line of each kind, the touching one if there is one, and what the kinds mean."""
    found: dict[str, Any] = {}
    for line in ax.get_lines():
        name = str(line.get_label()).removeprefix("_")
        kind = name.removesuffix("-touching")
        if kind in MEANINGS:
            found[kind] = line if name != kind else found.get(kind, line)
    return [found[kind] for kind in MEANINGS if kind in found], [
        MEANINGS[kind] for kind in MEANINGS if kind in found
    ]


def _parabolas(view: reading.View, ax: Axes, target: int, alpha: float) -> Axes:
    """Draw M10 where only one direction exists: L, Ω and their sum over that one weight."""
    eigenvalues = view.spectrum.eigenvalues
    if not len(eigenvalues):
        ax.set_axis_off()
        canvas.remark(ax, "Nothing to draw: no penalised column varies, so the loss has no direction.")
        return ax
    curvature, best = float(eigenvalues[0]), float(reading.coordinates(view, target)[0])
    kept = float(factor(eigenvalues, alpha)[0])
    reach = abs(best) or 1.0
    v = np.linspace(min(best, 0.0) - 0.5 * reach, max(best, 0.0) + 0.5 * reach, 401)
    loss = 0.5 * curvature * (v - best) ** 2
    curves = {"rise of the loss L": ("loss", loss, LOSS)}
    if alpha < np.inf:
        curves["penalty Ω"] = ("penalty", 0.5 * alpha * v**2, PENALTY)
        curves["their sum"] = ("objective", loss + 0.5 * alpha * v**2, INK)
    lines = [ax.plot(v, height, color=color, label=f"_{kind}")[0] for kind, height, color in curves.values()]
    low = 0.5 * curvature * (kept - 1) ** 2 * best**2
    low += 0.5 * alpha * (kept * best) ** 2 if alpha < np.inf else 0.0
    ax.plot(best, 0, "*", color=LOSS, markersize=13, label="_minimiser")
    lines += ax.plot(kept * best, low, "o", color=CHOSEN, markersize=9, label="_solution")
    top = float(loss.max()) or 1.0
    ax.set_ylim(-0.05 * top, 1.15 * top)
    title = f"α = {number(alpha, 3)} keeps {100 * kept:.0f} % of the only direction"
    canvas.label(ax, reading.about(view, target) + title, "weight along the direction", "unit of the loss")
    canvas.legend(ax, lines, [*curves, "w̃(α)"], columns=2)
    say_quadratic(ax, view)
    return ax
