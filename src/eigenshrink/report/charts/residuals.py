"""Residuals over what was fitted, with the pull of each row (M14)."""

from __future__ import annotations

from typing import Any

from eigenshrink.plots import reading
from eigenshrink.report.charts import paper

ROWS = {"row": "row", "fitted": "fitted", "residual": "residual", "leverage": "leverage"}


def residuals(study: Any) -> Any:
    """Return the empty figure: rows of usual leverage as circles, those far above the mean as diamonds."""
    made = paper.new_figure("residuals", "fitted", "residual", logarithmic=False)
    zero = paper.toolkit().models.Span(location=0.0, dimension="width", line_width=1, level="underlay")
    made.add_layout(paper.tint(zero, line_color="muted"))
    kinds = {"usual": ("circle", "series-0", "a row"), "pulling": ("diamond", "series-1", "a row that pulls")}
    items = []
    for name, (marker, color, words) in kinds.items():
        columns = ("x", "y", "size", *ROWS.values())
        dots = made.scatter(
            "x", "y", source=paper.source(name, *columns), marker=marker, size="size", fill_alpha=0.45
        )
        paper.tint(dots.glyph, fill_color=color, line_color=color)
        items.append((words, [dots]))
    paper.hover(made, [dots for _, (dots,) in items], ROWS)
    paper.legend(made, items, click_policy="hide")
    return made


def has_rows(study: Any) -> bool:
    """Tell whether the rows are at hand: not where a study was loaded."""
    return reading.of_columns(study) and study.path.fit.training is not None and not study.tables
