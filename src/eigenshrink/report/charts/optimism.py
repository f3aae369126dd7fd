"""Why the training error cannot choose: what it lacks of the true error (M1, M14)."""

from __future__ import annotations

from typing import Any

from eigenshrink.plots import criteria, reading
from eigenshrink.report.charts import paper
from eigenshrink.risk import ERRORS, criterion_name


def estimated_by(study: Any) -> str:
    """Return the estimate of the true error that is drawn; "" where nothing estimates it."""
    return next((name for name in ERRORS if name in study.risk), "")


def has_optimism(study: Any) -> bool:
    """Tell whether training error, true error and their difference are all known."""
    return reading.of_columns(study) and "optimism" in study.risk and bool(estimated_by(study))


def optimism(study: Any) -> Any:
    """Return the empty figure; its lines are called ``true``, ``train`` and ``optimism``."""
    true = estimated_by(study)
    made = paper.new_figure(
        "optimism", "effective parameters γ(α)", study.path.loss.unit, logarithmic=False, height=360
    )
    color = paper.color_of(criteria.style(true)["color"])
    band = made.varea("x", "low", "high", source=paper.source("band", "x", "low", "high"), fill_alpha=0.18)
    paper.tint(band.glyph, fill_color=color)
    said = {
        "true": (true, f"true error, estimated by {criterion_name(true)}"),
        "train": ("train", "training error"),
        "optimism": ("optimism", "optimism: the difference"),
    }
    items = []
    for name, (key, words) in said.items():
        style = criteria.style(key)
        line = made.line("x", "y", source=paper.source(name, "x", "y"), line_dash=paper.dashes(style))
        paper.note(line, key=key).name = f"drawn-{name}"
        line.glyph.line_width = 1.8 if name == "train" else 2.4
        paper.tint(line.glyph, line_color=paper.color_of(style["color"]))
        items.append((words, [line]))
    _here(made)
    paper.mark_strengths(made, study)
    paper.legend(made, items, click_policy="hide")
    return made


def _here(made: Any) -> None:
    """Mark the three errors at the current strength, and the gap between two of them."""
    gap = made.segment(
        "x", "low", "x", "high", source=paper.source("gap", "x", "low", "high"), line_width=4, line_alpha=0.6
    )
    paper.tint(gap.glyph, line_color="series-1")
    dots = made.scatter(
        "x", "y", source=paper.source("points", "x", "y", "what", "value", "alpha"), size=8, line_width=1
    )
    paper.tint(dots.glyph, fill_color="ink", line_color="paper")
    for drawn in (gap, dots):
        drawn.level = "overlay"
    paper.hover(made, [dots], {"": "what", "value": "value", "α": "alpha"})
