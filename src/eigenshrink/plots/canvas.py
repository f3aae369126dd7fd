"""What every figure shares: axes without global state, one palette, logarithmic strengths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.errors import InputError, MissingExtra
from eigenshrink.plots.text import power_of_ten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

Array = NDArray[np.float64]

# Okabe & Ito (2008), safe for the common kinds of colour blindness; the page turns them for dark mode.
INK, MUTED, GRID, PAPER = "#1c2430", "#66717e", "#dfe4ea", "#ffffff"
LOSS, PENALTY, CHOSEN = "#0072b2", "#d55e00", "#007d5b"
SERIES = (LOSS, PENALTY, "#693988", "#855100", "#299de0", "#20262e", "#d275a8", "#728b61")
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))
SIZE = (5.4, 4.0)


def new_figure(size: tuple[float, float] = SIZE) -> Figure:
    """Return a figure that pyplot does not know of."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra("matplotlib", "app") from error
    return Figure(figsize=size, layout="constrained", facecolor=PAPER)


def axes(ax: Axes | None, size: tuple[float, float] = SIZE) -> Axes:
    """Return ``ax``, or the axes of a new figure in the house's dress."""
    if ax is None:
        return dress(new_figure(size).subplots())
    if not hasattr(ax, "get_lines"):
        raise InputError(f"ax is {ax!r}: give the axes of a matplotlib figure, or none for a new one")
    return ax


def dress(ax: Axes) -> Axes:
    """Take away what does not inform: box, heavy ticks; keep a faint grid."""
    ax.set_facecolor("none")
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(MUTED)
    ax.tick_params(which="both", colors=MUTED, labelcolor=INK, labelsize=9)
    ax.grid(True, color=GRID, linewidth=0.7)
    ax.set_axisbelow(True)
    return ax


def label(ax: Axes, title: str, x: str, y: str) -> None:
    """Write title and axis labels, none of them read as mathematics."""
    for text in (
        ax.set_title(title, loc="left", fontsize=10, color=INK, wrap=False),
        ax.set_xlabel(x, fontsize=9.5, color=INK),
        ax.set_ylabel(y, fontsize=9.5, color=INK),
    ):
        text.set_parse_math(False)


def write(ax: Axes, at: Sequence[float] | Array, text: str, **style: Any) -> Text:
    """Write ``text`` at a point of the data on a patch of paper, never as mathematics."""
    patch = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 1.0}
    usual: dict[str, Any] = {"xytext": (0, 0), "fontsize": 9, "color": INK, "bbox": patch}
    return ax.annotate(text, (at[0], at[1]), textcoords="offset points", parse_math=False, **(usual | style))


def remark(ax: Axes, text: str, **style: Any) -> Text:
    """Write a line of small print, by default in the upper left corner of the axes."""
    usual: dict[str, Any] = {"xy": (0.0, 1.0), "xycoords": "axes fraction", "xytext": (4, -4)}
    usual |= {"ha": "left", "va": "top", "fontsize": 8.5, "color": MUTED}
    return ax.annotate(text, textcoords="offset points", parse_math=False, **(usual | style))


def legend(ax: Axes, handles: Sequence[Any], names: Sequence[str], columns: int = 3) -> None:
    """Put the legend under the axes; names are plain text, also those that begin with ``_``."""
    shown = ax.legend(
        handles=handles,
        labels=["name"] * len(handles),
        ncols=columns,
        frameon=False,
        fontsize=8.5,
        labelcolor=INK,
        handlelength=1.8,
        columnspacing=1.4,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.17),
    )
    for text, name in zip(shown.get_texts(), names, strict=True):
        text.set_parse_math(False)
        text.set_text(name)


def logarithmic(ax: Axes, values: Array) -> None:
    """Make x logarithmic over the positive finite ``values``, at least one decade either side of one."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    shown = values[np.isfinite(values) & (values > 0)]
    low, high = (float(shown.min()), float(shown.max())) if shown.size else (1.0, 1.0)
    if high < 10 * low:
        low, high = low / 10**0.75, high * 10**0.75
    ax.set_xscale("log")
    ax.set_xlim(low / 1.15, high * 1.15)
    ax.xaxis.set_major_locator(LogLocator(numticks=8))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: power_of_ten(value)))
    ax.xaxis.set_minor_locator(NullLocator())


def powers(ax: Axes, low: float, high: float) -> None:
    """Make y logarithmic between two limits, with the labels of the other axes."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    ax.set_yscale("log")
    ax.set_ylim(low, high)
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0,) if high > 1e3 * low else (1.0, 2.0, 5.0), numticks=8))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: power_of_ten(value)))
    ax.yaxis.set_minor_locator(NullLocator())


def twin(ax: Axes, y: str, color: str) -> Axes:
    """Return axes over the same strengths with a scale of their own on the right."""
    other = ax.twinx()
    other.set_facecolor("none")
    other.spines[["top", "left", "bottom"]].set_visible(False)
    other.spines["right"].set_color(color)
    other.tick_params(which="both", colors=color, labelcolor=color, labelsize=9)
    other.set_ylabel(y, fontsize=9.5, color=color).set_parse_math(False)
    return other
