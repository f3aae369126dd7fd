"""One function per picture: each reads a study, draws into axes and returns them (M7-M10, M14, M18).

A new picture is one small file and one line in :data:`FIGURES`. matplotlib is imported when the first
one is drawn; pyplot never is, so no figure stays open and no setting of the session changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eigenshrink.errors import InputError
from eigenshrink.plots.coefficients import coefficients
from eigenshrink.plots.contour import contour
from eigenshrink.plots.density import density
from eigenshrink.plots.effective_parameters import effective_parameters
from eigenshrink.plots.layers import layers
from eigenshrink.plots.optimism import optimism
from eigenshrink.plots.reading import compared, curved, every, measured, of_columns, of_layers, of_network
from eigenshrink.plots.risk import risk
from eigenshrink.plots.saving import figure_of, file_format, render
from eigenshrink.plots.shrinkage import shrinkage
from eigenshrink.plots.three_steps import three_steps
from eigenshrink.plots.trusted import trusted

__all__ = ["FIGURES", "Picture", "Plots", "figures", "save_figure"]


@dataclass(frozen=True)
class Picture:
    """A picture, and of which studies it is one.

    Attributes
    ----------
    draw : callable
        Of a study, axes or None, and options; returns the axes.
    of : callable
        Whether a study has it.
    """

    draw: Callable[..., Any]
    of: Callable[[Any], bool]

    def __call__(self, study: Any, ax: Any = None, **options: Any) -> Any:
        """Draw it."""
        return self.draw(study, ax, **options)


FIGURES: dict[str, Picture] = {
    "risk": Picture(risk, compared),
    "trusted": Picture(trusted, measured),
    "optimism": Picture(optimism, of_columns),
    "effective_parameters": Picture(effective_parameters, every),
    "layers": Picture(layers, of_layers),
    "shrinkage": Picture(shrinkage, every),
    "density": Picture(density, of_network),
    "coefficients": Picture(coefficients, of_columns),
    "contour": Picture(contour, curved),
    "three_steps": Picture(three_steps, curved),
}


def figures(study: Any) -> tuple[str, ...]:
    """Names of the pictures that a study has, in the order of :data:`FIGURES`."""
    return tuple(name for name, picture in FIGURES.items() if picture.of(study))


class Plots:
    """The pictures of one study: ``study.plot.risk()``, ``study.plot.contour(ax=ax)``.

    Each is the function of that name in :data:`FIGURES` with the study as its first argument.
    """

    def __init__(self, study: Any) -> None:
        self._study = study

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in FIGURES or not FIGURES[name].of(self._study):
            raise AttributeError(
                f"this study has no figure {name!r}: it has {', '.join(figures(self._study))}"
            )
        drawing = FIGURES[name].draw

        def draw(ax: Any = None, **options: Any) -> Any:
            return drawing(self._study, ax, **options)

        draw.__name__, draw.__doc__ = name, drawing.__doc__
        return draw

    def __dir__(self) -> list[str]:
        return sorted(figures(self._study))


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
        If the study has no such figure, the ending is unknown, or the file cannot be written.
    """
    from eigenshrink.data.write import new_file

    if name not in figures(study):
        raise InputError(f"this study has no figure {name!r}: use {', '.join(figures(study))}")
    format = file_format(path)
    picture = render(figure_of(FIGURES[name](study, **options)), format)
    with new_file(path) as file:
        file.write_bytes(picture)
    return Path(path)
