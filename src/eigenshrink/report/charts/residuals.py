"""Residuals over what was fitted, with the pull of each row (M14)."""

from __future__ import annotations

from typing import Any

from eigenshrink.plots import reading
from eigenshrink.report import losses
from eigenshrink.report.charts import paper

ROWS = {"row": "row", "fitted": "fitted", "residual": "residual", "leverage": "leverage"}
AXES = {  # across and upwards, by what the error of a row is
    "squared": ("fitted", "fitted", "residual"),
    "mean": ("fitted", "fitted mean", "Pearson residual"),
    "classes": ("leverage", "leverage", "error of the row, √(2 × log loss)"),
}


def residuals(study: Any) -> Any:
    """Return the empty figure: rows of usual leverage as circles, those far above the mean as diamonds."""
    across, *said = AXES[errors_of(study)]
    made = paper.note(paper.new_figure("residuals", *said, logarithmic=False), across=across)
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


def errors_of(study: Any) -> str:
    """Return what the error of a row is: of a number, of a mean, or of one of several classes."""
    if reading.class_labels(study):
        return "classes"
    return "squared" if losses.base(study) == losses.SQUARED else "mean"


def has_rows(study: Any) -> bool:
    """Tell whether the rows are at hand: not where a study was loaded."""
    return reading.of_columns(study) and study.path.fit.training is not None and not study.tables
