"""How far the quadratic of a network holds: true changes of its loss beside predicted ones (M18)."""

from __future__ import annotations

from typing import Any

from eigenshrink.plots import criteria
from eigenshrink.report.charts import paper


def trusted(study: Any) -> Any:
    """Return the empty figure."""
    made = paper.new_figure("trusted", "strength α", f"change of the {study.path.loss.unit}", height=380)
    paper.shade(made, "trusted", "chosen", "right_diagonal_line").visible = False
    predicted = made.line("x", "y", source=paper.source("predicted", "x", "y"), line_width=1.8)
    paper.tint(predicted.glyph, line_color="series-0")
    whiskers = made.segment(
        "x", "low", "x", "high", source=paper.source("noise", "x", "low", "high"), line_width=1.4
    )
    paper.tint(whiskers.glyph, line_color="series-1")
    rows = {"α": "alpha", "measured": "change", "predicted": "predicted"}
    dots = made.scatter(
        "x", "y", source=paper.source("measured", "x", "y", *rows.values()), marker="diamond", size=10
    )
    paper.tint(dots.glyph, fill_color="series-1", line_color="paper")
    items = [("predicted by the quadratic", [predicted]), ("true change", [dots, whiskers])]
    if "validation" in study.risk:
        style = criteria.style("validation")
        judged = made.line("x", "y", source=paper.source("validation", "x", "y"), line_width=1.8)
        judged.glyph.line_dash = [5, 3]
        paper.tint(judged.glyph, line_color=paper.color_of(style["color"]))
        items.append(("change of the validation loss", [judged]))
    paper.mark_strengths(made, study)
    paper.hover(made, [dots], rows)
    paper.legend(made, items, click_policy="hide")
    return made
