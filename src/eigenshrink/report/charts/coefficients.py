"""How the coefficients move with the strength, or with the parameters that it leaves (M5, M9)."""

from __future__ import annotations

from typing import Any

from eigenshrink.plots.coefficients import scale_of
from eigenshrink.report.charts import paper

ROWS = {"column": "name", "at the chosen α": "chosen"}


def coefficients(study: Any) -> Any:
    """Return the empty figure."""
    made = paper.new_figure("coefficients", "strength α", scale_of(study)[1], height=380)
    zero = paper.toolkit().models.Span(location=0.0, dimension="width", line_width=1, level="underlay")
    made.add_layout(paper.tint(zero, line_color="muted"))
    columns = ("xs", "ys", "name", "chosen", "color", "dash")
    pale = made.multi_line("xs", "ys", source=paper.source("pale", *columns), name="pale-lines", line_width=1)
    paper.tint(pale.glyph, line_color="muted")
    strong = made.multi_line(
        "xs",
        "ys",
        source=paper.source("strong", *columns),
        line_color="color",
        line_dash="dash",
        line_width=2,
    )
    dots = made.scatter(
        "x", "y", source=paper.source("points", "x", "y", "name", "color"), size=7, fill_color="color"
    )
    dots.level = "overlay"
    paper.tint(dots.glyph, line_color="paper")
    _names(made)
    paper.mark_strengths(made, study)
    paper.hover(made, [pale, strong], ROWS, line_policy="nearest", show_arrow=False)
    return made


def _names(made: Any) -> None:
    """Write the names of the strong ones beside their points."""
    words = made.text(
        "x",
        "y",
        text="name",
        source=paper.source("names", "x", "y", "name", "color", "align", "offset"),
        text_color="color",
        text_align="align",
        x_offset="offset",
        text_baseline="middle",
        text_font_size=paper.FONTS["word"],
    )
    words.level = "overlay"
    paper.note(words.glyph, text_font="--font")
    words.glyph.background_fill_alpha = 0.75
    paper.tint(words.glyph, background_fill_color="paper")
