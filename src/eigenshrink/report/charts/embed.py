"""How charts get into a page: figures as data, boxes to draw them in, and the scripts, all inline."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from eigenshrink.browser import source
from eigenshrink.errors import MissingExtra
from eigenshrink.report.html import tag

if TYPE_CHECKING:
    from eigenshrink.report.charts import Chart

SCRIPTS = (
    "figures.js",
    "charts.js",
    "charts_risk.js",
    "charts_columns.js",
    "charts_network.js",
)  # in this order


def script_and_divs(charts: Sequence[Chart]) -> tuple[str, dict[str, str]]:
    """Return the element that holds the figures as data, and for each name the box that it is drawn in.

    Nothing in the element is run: ``charts.mount`` reads it, so it stands anywhere before the page's own
    script. The same charts give the same text. A box is hidden from screen readers, for whom the page has
    ``charts.table(name)``.
    """
    items = json.dumps([_item(chart) for chart in charts], ensure_ascii=False, separators=(",", ":"))
    items = items.replace("<", "\\u003c")  # nothing in it can end the element
    script = f'<script type="application/json" id="charts">{items}</script>'
    boxes = {
        chart.name: tag("div", id=f"chart-{chart.name}", class_="chart", aria_hidden="true")
        for chart in charts
    }
    return script, boxes


def bokeh_js() -> str:
    """Return BokehJS for a script element: the core only, about 1.3 MB.

    Raises
    ------
    MissingExtra
        If bokeh is not installed.
    """
    try:
        from bokeh.resources import Resources
    except ImportError as error:
        raise MissingExtra("bokeh", "app") from error
    return str(Resources(mode="inline", components=["bokeh"], minified=True).js_raw[0])


def charts_js() -> str:
    """Return the scripts of the charts, which come after ``frame.js``, ``maths.js`` and BokehJS."""
    return "\n".join(source(name) for name in SCRIPTS)


def _item(chart: Chart) -> Any:
    from bokeh.embed import json_item

    return _renamed({**json_item(chart.figure), "target_id": f"chart-{chart.name}"}, {})


def _renamed(part: Any, names: dict[str, str]) -> Any:
    """Number models from 1 in each figure: bokeh counts them over the life of the process."""
    if isinstance(part, dict):
        return {
            key: names.setdefault(value, f"p{len(names) + 1}")
            if key in ("id", "root_id")
            else _renamed(value, names)
            for key, value in part.items()
        }
    if isinstance(part, list | tuple):
        return [_renamed(each, names) for each in part]
    return part
