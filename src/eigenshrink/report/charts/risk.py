"""The estimates of the true error over the strength, and how sure the choice is (M14, M15)."""

from __future__ import annotations

from typing import Any

from eigenshrink.plots import criteria, reading
from eigenshrink.plots.risk import LEFT_OUT
from eigenshrink.report.charts import paper
from eigenshrink.risk import DESCRIBING, criterion_name

RIGHT = "score above its lowest point"
ROWS = {"": "what", "α": "alpha", "value": "value"}


def risk(study: Any) -> Any:
    """Return the empty figure: a line ``line-NAME`` per criterion, those of another unit on the right."""
    first, unit = study.choice.criterion, study.path.loss.unit
    names = [key for key in study.risk if key not in DESCRIBING and (key not in LEFT_OUT or key == first)]
    made = paper.new_figure("risk", "strength α", unit, height=400)
    right = [name for name in names if study.risk[name].unit != unit]
    if right:
        _right_axis(made, criteria.style(first if first in right else right[0])["color"])
    _shades(made, study)
    thick = {first, reading.quoted(study)}
    lines = {name: _line(made, name, name in right, name in thick) for name in [*names, "train"]}
    _marks(made, bool(right))
    paper.mark_strengths(made, study)
    said = [(f"{criterion_name(name)}{' (right)' if name in right else ''}", name) for name in lines]
    paper.legend(made, [(words, [lines[name]]) for words, name in said], click_policy="hide")
    paper.hover(made, list(lines.values()), ROWS, line_policy="nearest", show_arrow=False)
    return made


def _right_axis(made: Any, hexadecimal: str) -> None:
    models = paper.toolkit().models
    made.extra_y_ranges = {"rise": models.Range1d(0.0, 1.0, name="rise")}
    axis = models.LinearAxis(y_range_name="rise")
    made.add_layout(paper.label_axis(axis, "rise-axis", RIGHT, paper.color_of(hexadecimal)), "right")


def _shades(made: Any, study: Any) -> None:
    """Shade strengths as good as the best, those where a network is not believed, and the band (M15, M18)."""
    paper.shade(made, "interval", "chosen", "right_diagonal_line").visible = False
    for name in ("below", "above") if reading.of_network(study) else ():
        doubtful = paper.shade(made, f"doubtful-{name}", "muted", "left_diagonal_line")
        doubtful.visible, doubtful.fill_alpha = False, 0.0
    color = paper.color_of(criteria.style(reading.quoted(study))["color"])
    band = made.varea("x", "low", "high", source=paper.source("band", "x", "low", "high"), fill_alpha=0.18)
    paper.tint(band.glyph, fill_color=color)


def _line(made: Any, name: str, right: bool, thick: bool) -> Any:
    style = criteria.style(name)
    line = made.line(
        "x",
        "y",
        source=paper.source(f"line-{name}", "x", "y", *ROWS.values()),
        line_width=2.8 if thick else 1.4,
        line_dash=[] if thick else paper.dashes(style),
        name=f"drawn-{name}",
        **({"y_range_name": "rise"} if right else {}),
    )
    color = paper.color_of(style["color"])
    paper.note(line, color=color, side="right" if right else "left")
    paper.tint(line.glyph, line_color=color)
    return line


def _marks(made: Any, right: bool) -> None:
    """Mark lowest points, at an edge where they lie beyond it, and the current values."""
    for axis in ("left", *(["right"] if right else [])):
        options: dict[str, Any] = {"y_range_name": "rise"} if axis == "right" else {}
        least = made.scatter(
            "x",
            "y",
            source=paper.source(f"least-{axis}", "x", "y", "color", "angle", "size"),
            marker="inverted_triangle",
            angle="angle",
            size="size",
            fill_color="color",
            **options,
        )
        now = made.scatter(
            "x", "y", source=paper.source(f"points-{axis}", "x", "y", "color"), size=7, **options
        )
        now.glyph.fill_color = "color"
        now.level = "overlay"
        for drawn in (least, now):
            paper.tint(drawn.glyph, line_color="paper")
