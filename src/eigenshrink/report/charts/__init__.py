"""The linked charts of the page: one small file each, with what they show and how to read them.

A new chart is one file with a function of a study that returns an empty bokeh figure, one line in
:data:`CHARTS`, and one entry in a script of ``browser/`` that fills it. bokeh is imported when the first
figure is made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eigenshrink.plots.reading import compared, every, measured, of_columns, of_layers
from eigenshrink.report.charts.coefficients import coefficients
from eigenshrink.report.charts.effective_parameters import effective_parameters
from eigenshrink.report.charts.embed import SCRIPTS, bokeh_js, charts_js, script_and_divs
from eigenshrink.report.charts.layers import has_slopes, layers, slopes
from eigenshrink.report.charts.optimism import has_optimism, optimism
from eigenshrink.report.charts.residuals import has_rows, residuals
from eigenshrink.report.charts.risk import risk
from eigenshrink.report.charts.shrinkage import shrinkage
from eigenshrink.report.charts.trusted import trusted
from eigenshrink.report.charts.words import caption, reading

__all__ = ["CHARTS", "SCRIPTS", "Chart", "Drawing", "bokeh_js", "charts_js", "charts_of", "script_and_divs"]


@dataclass(frozen=True)
class Drawing:
    """A kind of chart, and of which studies it is one.

    Attributes
    ----------
    draw : callable
        Of a study; returns an empty bokeh figure.
    of : callable
        Whether a study has it.
    """

    draw: Callable[[Any], Any]
    of: Callable[[Any], bool]


@dataclass(frozen=True, eq=False)
class Chart:
    """A chart of one study.

    Attributes
    ----------
    name : str
        A key of :data:`CHARTS`; the script finds the figure by it.
    title, alternative, how_to_read : str
        Plain text: a heading, what is drawn for who cannot see it, a paragraph.
    figure : bokeh.plotting.figure
    """

    name: str
    title: str
    alternative: str
    how_to_read: str
    figure: Any


CHARTS: dict[str, Drawing] = {  # in the order of the page
    "risk": Drawing(risk, compared),
    "trusted": Drawing(trusted, measured),
    "shrinkage": Drawing(shrinkage, every),
    "coefficients": Drawing(coefficients, of_columns),
    "optimism": Drawing(optimism, has_optimism),
    "effective_parameters": Drawing(effective_parameters, every),
    "residuals": Drawing(residuals, has_rows),
    "layers": Drawing(layers, of_layers),
    "slopes": Drawing(slopes, has_slopes),
}


def charts_of(study: Any) -> tuple[Chart, ...]:
    """Return the charts that a study has, in the order of the page, as empty figures with their words.

    Raises
    ------
    MissingExtra
        If bokeh is not installed.
    """
    return tuple(_chart(study, name) for name, drawing in CHARTS.items() if drawing.of(study))


def _chart(study: Any, name: str) -> Chart:
    said = caption(name)
    return Chart(name, said.title, said.alternative, reading(study, name), CHARTS[name].draw(study))
