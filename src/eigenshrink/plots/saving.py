"""Figures as files: PNG, SVG or PDF, whole or not at all."""

from __future__ import annotations

import warnings
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eigenshrink.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")
DPI = 160


def file_format(path: str | Path) -> str:
    """Return the format that the ending of ``path`` asks for."""
    ending = Path(path).suffix.lower().removeprefix(".")
    if ending in FORMATS:
        return ending
    raise InputError(f"figure file {str(path)!r}: its name must end in .png, .svg or .pdf")


def render(figure: Figure, format: str) -> bytes:
    """Return the figure as the bytes of a file; the same figure gives the same bytes.

    A letter that no installed font has is drawn as a box and is no reason for a warning.
    """
    import matplotlib

    unstamped = {"png": None, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[format]
    settings: Any = {"svg.hashsalt": "eigenshrink", "svg.fonttype": "path"}
    made = BytesIO()
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(made, format=format, dpi=DPI, metadata=unstamped)
    return made.getvalue()


def figure_of(drawn: Any) -> Figure:
    """Return the figure of what a plotting function returned: one Axes or several."""
    first = drawn[0] if isinstance(drawn, tuple) else drawn
    figure: Figure = first.get_figure(root=True)
    return figure
