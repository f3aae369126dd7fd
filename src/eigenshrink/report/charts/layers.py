"""Which layers of a network are in use, and which want more decay (M9, M13)."""

from __future__ import annotations

from typing import Any

from eigenshrink.plots import reading
from eigenshrink.report.charts import paper

WIDE = 0.62  # height of a bar
MOST = 24  # layers that get a bar, those with most parameters in use


def _bars(name: str, x: str, *, logarithmic: bool, count: int) -> Any:
    height = 110 + 26 * min(max(count, 3), MOST)
    made = paper.new_figure(name, x, "", logarithmic=logarithmic, height=height)
    made.yaxis[0].tags = [tag for tag in made.yaxis[0].tags if not tag.startswith("axis=")]
    made.ygrid[0].visible = False
    return made


def layers(study: Any) -> Any:
    """Return the empty figure: all weights of each layer, and inside of them those in use."""
    made = _bars("layers", "weights, and how many of them are in use", logarithmic=True, count=_count(study))
    rows = {"layer": "name", "in use": "used", "weights": "weights", "‖w‖": "norm"}
    columns = ("y", "left", "right", *rows.values())
    every = made.hbar(
        "y", right="right", left="left", height=WIDE, source=paper.source("weights", *columns), line_width=1
    )
    paper.tint(every.glyph, fill_color="grid", line_color="muted")
    used = made.hbar(
        "y", right="right", left="left", height=WIDE, source=paper.source("used", *columns), line_color=None
    )
    used.glyph.hatch_pattern, used.glyph.hatch_alpha, used.glyph.hatch_scale = "right_diagonal_line", 0.4, 7
    paper.tint(used.glyph, fill_color="series-0", hatch_color="paper")
    _words(made)
    paper.hover(made, [every], rows)
    return made


def slopes(study: Any) -> Any:
    """Return the empty figure: what the validation loss says of the decay of each layer."""
    made = _bars("slopes", "slope of the validation loss in log α", logarithmic=False, count=_count(study))
    zero = paper.toolkit().models.Span(location=0.0, dimension="height", line_width=1)
    made.add_layout(paper.tint(zero, line_color="ink"))
    rows = {"layer": "name", "slope": "slope", "so": "advice"}
    bars = made.hbar(
        "y",
        right="right",
        left=0,
        height=WIDE,
        source=paper.source("bars", "y", "right", "color", *rows.values()),
    )
    bars.glyph.fill_color = "color"
    bars.glyph.line_color = None
    _words(made)
    paper.hover(made, [bars], rows)
    return made


def _words(made: Any) -> None:
    """Write beside the bars."""
    words = made.text(
        "x",
        "y",
        text="text",
        source=paper.source("words", "x", "y", "text", "align", "offset"),
        text_align="align",
        x_offset="offset",
        text_baseline="middle",
        text_font_size=paper.FONTS["word"],
    )
    paper.note(words.glyph, text_font="--font")
    paper.tint(words.glyph, text_color="ink")


def _count(study: Any) -> int:
    return len(study.path.layers)


def has_slopes(study: Any) -> bool:
    """Tell whether rows judge the decay of each layer."""
    return reading.of_layers(study) and reading.slopes(study)[0] is not None
