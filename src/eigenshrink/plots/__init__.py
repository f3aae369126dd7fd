"""One function per picture: each reads a study, draws into axes and returns them (M7-M10, M14).

A new picture is one small file and one line in :data:`FIGURES`. matplotlib is imported when the first
one is drawn; pyplot never is, so no figure stays open and no setting of the session changes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from eigenshrink.errors import InputError
from eigenshrink.plots.coefficients import coefficients
from eigenshrink.plots.contour import contour
from eigenshrink.plots.effective_parameters import effective_parameters
from eigenshrink.plots.optimism import optimism
from eigenshrink.plots.risk import risk
from eigenshrink.plots.saving import figure_of, file_format, render
from eigenshrink.plots.shrinkage import shrinkage
from eigenshrink.plots.three_steps import three_steps

__all__ = ["FIGURES", "Plots", "save_figure"]

FIGURES: dict[str, Callable[..., Any]] = {
    "risk": risk,
    "optimism": optimism,
    "effective_parameters": effective_parameters,
    "shrinkage": shrinkage,
    "coefficients": coefficients,
    "contour": contour,
    "three_steps": three_steps,
}


class Plots:
    """The pictures of one study: ``study.plot.risk()``, ``study.plot.contour(ax=ax)``.

    Each is the function of that name in :data:`FIGURES` with the study as its first argument.
    """

    def __init__(self, study: Any) -> None:
        self._study = study

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in FIGURES:
            raise AttributeError(f"a study has no figure {name!r}: it has {', '.join(FIGURES)}")
        drawing = FIGURES[name]

        def draw(ax: Any = None, **options: Any) -> Any:
            return drawing(self._study, ax, **options)

        draw.__name__, draw.__doc__ = name, drawing.__doc__
        return draw

    def __dir__(self) -> list[str]:
        return sorted(FIGURES)


def save_figure(study: Any, name: str, path: str | Path, **options: Any) -> Path:
    """Draw one figure of a study and save it as PNG, SVG or PDF, as the ending of ``path`` says.

    Parameters
    ----------
    study : Study
    name : str
        A key of :data:`FIGURES`.
    path : path
        Replaced only when the new file is whole.
    options
        Of the figure, such as ``target=1``.

    Raises
    ------
    InputError
        If the figure or the ending is unknown, or the file cannot be written.
    """
    from eigenshrink.data.write import new_file

    if name not in FIGURES:
        raise InputError(f"figure {name!r} is not known: use {', '.join(FIGURES)}")
    format = file_format(path)
    picture = render(figure_of(FIGURES[name](study, **options)), format)
    with new_file(path) as file:
        file.write_bytes(picture)
    return Path(path)
