"""What each chart shows and how to read it: the words of the figures on paper, and what a chart adds."""

from __future__ import annotations

from typing import Any

from eigenshrink.plots import reading as of
from eigenshrink.plots.text import plural
from eigenshrink.report import losses
from eigenshrink.report.charts.residuals import errors_of
from eigenshrink.report.pictures import CAPTIONS, QUADRATIC, TRAINED, Caption

LINES, DOTS, ROWS = 60, 500, 2000  # that are drawn at most
OWN = {
    "coefficients": Caption(
        CAPTIONS["coefficients"].title,
        "Paths of the coefficients over the strength or the effective parameters, the largest ones named.",
        "Each line is a coefficient at every strength. The dashed line is the chosen strength, the whole one "
        "the current one; the names belong to the largest coefficients at the chosen one. Over effective "
        "parameters, left is everything shrunk away and right no regularisation. Lines that fan out or cross "
        "zero where little is shrunk belong to columns that the data cannot tell apart.",
    ),
    "residuals": Caption(
        "Which rows pull, and which do not fit",
        "The residual of each row over its fitted value, larger for rows with more leverage.",
        "The size of a dot is the leverage of its row at the chosen strength, its pull on its own fit; "
        "diamonds have more than three times the mean. A diamond far from the line decides more than one row "
        "should.",
    ),
    "layers": Caption(
        "Which layers are in use",
        "Bars for each layer: its weights, and how many of them are in use.",
        "Every layer has its number of weights, and hatched in blue how many of them are in use at the "
        "current strength: what the penalty would take away is not missed. The scale is logarithmic.",
    ),
    "slopes": Caption(
        "Which layers want more decay",
        "Bars for each layer: the slope of the validation loss in the strength of that layer alone.",
        "What the validation loss would gain by another decay for one layer alone, where the training "
        "stopped: a bar to the left says raise it, one to the right lower it, per unit of log α; a grey one "
        "is within the noise of the rows that judge.",
    ),
}
RESIDUALS = {  # by what the error of a row is
    "squared": "A residual is what the model at the chosen strength leaves of the target. Where they lie "
    "around the line without a shape, the model says what there is to say; a bend or a funnel means that a "
    "term or another loss is missing.",
    "mean": "A Pearson residual is what the model at the chosen strength leaves of the target, over the "
    "spread that it expects there. Two classes, and small counts, lie on curves, one for each "
    "value of the target; a dot beyond 3 or 4 is a row that the model did not expect.",
    "classes": "Upwards is the error of each row, 0 where its own class was certain and 1.18 where it had a "
    "probability of one half; across is how strongly the row pulls its own fit.",
}
DOUBTFUL = "Where the background is hatched in grey the quadratic is not believed."
MORE = {  # what a chart can that paper cannot
    "risk": "The whole line is the current strength: click to set it. Click a name below to hide its curve.",
    "trusted": "Click to set the strength.",
    "shrinkage": "The line marks the current strength. Point at a direction to see what it is made of.",
    "coefficients": "Point at a line to see its column, search for the columns that are listed to make "
    "theirs strong; click to set the strength.",
    "optimism": "The whole line is the current strength: click to set it.",
    "effective_parameters": "The whole line is the current strength: click to set it.",
    "residuals": "Point at a dot to see its row.",
}


def caption(name: str) -> Caption:
    """Return title, alternative text and paragraph of a chart."""
    return OWN.get(name) or CAPTIONS[name]


def reading(study: Any, name: str) -> str:
    """Return how to read a chart: the paragraph, what of it is left out, and what can be done with it."""
    parts = (*_said(study, name), thinned(study, name), MORE.get(name, ""))
    return " ".join(part for part in parts if part)


def _said(study: Any, name: str) -> tuple[str, ...]:
    """Return the paragraph of a chart, with what is so of this study only."""
    said = caption(name).reading
    if name == "residuals":
        return RESIDUALS[errors_of(study)], said
    if name == "risk" and of.of_network(study):
        return said, DOUBTFUL
    return (said, _about(study)) if name == "shrinkage" else (said,)


def thinned(study: Any, name: str) -> str:
    """Say what is not drawn, where there is too much of it; "" where all is drawn."""
    weights, directions = len(study.weight_names), len(study.spectrum.eigenvalues)
    if name == "coefficients" and weights > LINES:
        what = "coefficient" if of.class_labels(study) else "column"
        return f"Of {plural(weights, what)} at most {LINES} are drawn: the largest, and those found."
    if name == "shrinkage" and directions > DOTS:
        return f"Of {plural(directions, 'direction')} {DOTS} are drawn; the counts are of all."
    if name == "residuals" and study.facts.rows > ROWS:
        drawn = "those of highest leverage and largest residual, and the rest evenly"
        return f"Of {plural(study.facts.rows, 'row')} at most {ROWS} are drawn: {drawn}."
    return ""


def _about(study: Any) -> str:
    """Say of which quadratic the eigenvalues are, where the loss is none."""
    if of.of_network(study):
        return TRAINED
    return QUADRATIC if losses.base(study) != losses.SQUARED else ""
