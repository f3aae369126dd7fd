"""Which directions survive: the share that each keeps over its eigenvalue (M7, M8)."""

from __future__ import annotations

from typing import Any

from eigenshrink.directions import GONE, KEPT
from eigenshrink.report.charts import paper

EDGE = 0.06  # room above 1 and below 0
BANDS = {  # name: low, high, colour, marker, hatch
    "kept": (KEPT, 1 + EDGE, "chosen", "circle", " "),
    "fading": (GONE, KEPT, "muted", "square", " "),
    "gone": (-EDGE, GONE, "series-1", "inverted_triangle", "/"),
}
ROWS = {"direction": "number", "eigenvalue λ": "eigenvalue", "share kept": "share", "made of": "made"}


def shrinkage(study: Any) -> Any:
    """Return the empty figure."""
    made = paper.new_figure("shrinkage", "eigenvalue λ of the curvature", "share kept, λ/(λ+α)")
    made.y_range.start, made.y_range.end = -EDGE, 1 + EDGE
    for name, (low, high, color, _, hatch) in BANDS.items():
        paper.shade(made, f"band-{name}", color, hatch, bottom=low, top=high)
        word = paper.write(made, f"word-{name}", "ink" if name == "fading" else color)
        word.text, word.y, word.text_baseline = name, 0.5 * (max(low, 0) + min(high, 1)), "middle"
        word.x = paper.side("left", 6)
        word.background_fill_alpha = 0.0
    law = made.line("x", "y", source=paper.source("law", "x", "y"), line_width=1.4)
    paper.tint(law.glyph, line_color="series-0")
    dots = [_dots(made, name) for name in BANDS]
    ring = made.scatter(
        "x", "y", source=paper.source("pointed", "x", "y"), size=17, fill_color=None, line_width=2
    )
    paper.tint(ring.glyph, line_color="ink")
    paper.mark(made, "now", "ink")
    paper.hover(made, dots, ROWS)
    return made


def _dots(made: Any, name: str) -> Any:
    *_, color, marker, _ = BANDS[name]
    columns = ("x", "y", *ROWS.values())
    dots = made.scatter(
        "x", "y", source=paper.source(name, *columns), marker=marker, size=8, fill_alpha=0.7, line_width=0.6
    )
    paper.tint(dots.glyph, fill_color=color, line_color="paper")
    return dots
