"""How many parameters are still in use, for every strength (M9)."""

from __future__ import annotations

from typing import Any

from eigenshrink.report.charts import paper


def effective_parameters(study: Any) -> Any:
    """Return the empty figure."""
    made = paper.new_figure("effective_parameters", "strength α", "effective parameters γ(α)")
    below = made.varea("x", "low", "y", source=paper.source("area", "x", "low", "y"), fill_alpha=0.08)
    paper.tint(below.glyph, fill_color="series-0")
    curve = made.line("x", "y", source=paper.source("curve", "x", "y", "alpha", "gamma"), line_width=2.4)
    paper.tint(curve.glyph, line_color="series-0")
    dot = made.scatter("x", "y", source=paper.source("points", "x", "y"), size=9)
    dot.level = "overlay"
    paper.tint(dot.glyph, fill_color="ink", line_color="paper")
    paper.mark_strengths(made, study)
    rows = {"α": "alpha", "in use": "gamma"}
    paper.hover(made, [curve], rows, mode="vline", line_policy="nearest", show_arrow=False)
    return made
