"""The figures of the page that move with the strength: drawings of a plane and linked charts, in frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eigenshrink.plots.text import plural
from eigenshrink.report import drawings
from eigenshrink.report.charts import Chart, charts_of, script_and_divs
from eigenshrink.report.html import tag, text
from eigenshrink.report.live.record import TARGETS

MOVE = (
    "All of them show the strength of the slider. A click into a chart over strengths sets it; the lists at "
    "the end say which columns and directions are meant."
)


def figures(study: Any) -> tuple[str, str]:
    """Return the frames of every figure that a study has, and the element that holds the charts as data.

    Raises
    ------
    MissingExtra
        If bokeh is not installed.
    """
    charts = charts_of(study)
    data, boxes = script_and_divs(charts)
    framed = (frame(chart, boxes[chart.name]) for chart in charts)
    grid = tag("div", "\n", "\n".join([drawings.drawings(), *framed]), "\n", class_="figures")
    return tag("p", text(MOVE + _which(study.target_names)), class_="note") + grid, data


def frame(chart: Chart, box: str) -> str:
    """Return a chart with its title, how to read it, and a place for the numbers behind it."""
    how = tag("details", tag("summary", "How to read this"), tag("p", text(chart.how_to_read)))
    place = tag("div", class_="scroll", role="region", tabindex="0", aria_label=chart.title)
    behind = tag("details", tag("summary", "The numbers behind this picture"), place, data_behind=chart.name)
    said = tag("p", text(chart.alternative), class_="unseen")
    title = tag("h3", text(chart.title))
    return tag("figure", title, box, said, how, behind, id=f"figure-{chart.name}")


def _which(names: Sequence[str]) -> str:
    """Say of which targets they can be."""
    many = plural(len(names), "target")
    if len(names) > TARGETS:
        return f" They are of one target at a time, of the first {TARGETS} of {many}."
    return f" They are of one of {many} at a time." if len(names) > 1 else ""
