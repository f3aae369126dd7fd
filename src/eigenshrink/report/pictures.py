"""Figures for the page: inline SVG with live text and the page's own colours, and how to read each."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eigenshrink.plots import FIGURES, canvas
from eigenshrink.plots.reading import of_network
from eigenshrink.plots.saving import figure_of, render
from eigenshrink.report import losses
from eigenshrink.report.html import tag, text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = {
    canvas.INK: "--ink",
    canvas.MUTED: "--muted",
    canvas.GRID: "--grid",
    canvas.PAPER: "--paper",
    canvas.CHOSEN: "--chosen",
    **{color: f"--series-{place}" for place, color in enumerate(canvas.SERIES)},
}
SHAPES = {"risk": "beside", "trusted": "beside", "layers": "wide", "contour": "beside", "three_steps": "wide"}
LOCAL = ("shrinkage", "contour", "three_steps")  # pictures of one curvature
QUADRATIC = (
    "The loss here is not quadratic, so that its curvature changes with the strength: the picture shows the "
    "quadratic at the chosen strength, which has the slope and the curvature of the loss at the solution "
    "there. At that strength it is exact; w* is where that quadratic, not the loss, would be lowest."
)
TRAINED = (
    "The loss of a network is not quadratic: the picture shows the quadratic where its training stopped, "
    "which holds only at the strengths of the picture of how far the answer reaches; w* is where it would "
    "be lowest."
)
SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Caption:
    """What a picture shows, in a few words for who cannot see it, and how to read it."""

    title: str
    alternative: str
    reading: str


CAPTIONS = {
    "risk": Caption(
        "What the true error would be",
        "Curves of the estimated true error over the strength alpha, each with its minimum; the one that "
        "chose in a band, and the strengths that are as good as the best shaded.",
        "Each curve estimates the error on new rows for every strength, from the one fit; a triangle marks "
        "its lowest point, at the edge if that is at 0 or ∞. Too far left the model follows the noise, too "
        "far right it cannot follow the signal. Thick: the criterion that chose and the estimate that goes "
        "with it; criteria in another unit have the scale on the right. The band says how surely a strength "
        "is worse than the best one (1.96 standard errors of the difference, row by row, so that it closes "
        "at the best): where it reaches down to the error at the best, the strength cannot be told from it, "
        "and the background is shaded. The dotted grey line is the error on the training rows themselves: "
        "it only falls to the left, which is why it cannot choose. Thin curves whose triangles lie in the "
        "shade agree.",
    ),
    "trusted": Caption(
        "How far the answer reaches",
        "The change of the training loss over the strength alpha, as measured and as the quadratic predicts"
        " it; the strengths at which both agree are shaded.",
        "Everything here comes from one quadratic, that of the loss where the training stopped (dotted "
        "line, α₀). It is no more than a promise: so the weights that it predicts were put into the network,"
        " and the loss and its slope were measured, which also says which strength each of them belongs to."
        " In the shade the promise is kept; outside nothing is claimed. To know more there, train at the end"
        " of the shade and study again. The bars on the dots are 1.96 standard errors. Where rows judge, "
        "their loss is the line in the colour of the text: where it falls to the right, more decay helps.",
    ),
    "optimism": Caption(
        "Why the training error is not enough",
        "Training error, estimated true error and their difference over the effective number of parameters.",
        "The more parameters are in use (to the right), the better the model fits the rows that it was "
        "trained on, and the more it flatters itself: the orange line is the optimism, the true error minus "
        "the training error. The penalty stands for what is missing there. The true error is lowest where "
        "one more parameter would add as much optimism as it takes off the training error; its band is "
        "read as in the picture before. The dashed line is the chosen strength.",
    ),
    "effective_parameters": Caption(
        "How many parameters are in use",
        "The effective number of parameters over the strength alpha, falling from the rank to the free ones.",
        "γ(α) counts what is left of the model's freedom: every direction counts with the share that it"
        " keeps. Without regularisation it is the number of parameters that the data can determine; "
        "with endless strength only what is never penalised remains, such as the intercept.",
    ),
    "layers": Caption(
        "Which layers are in use, and which want more decay",
        "Bars for each layer: its weights with the effective number of them, and the slope of the validation "
        "loss in the strength of that layer alone.",
        "On the left every layer has its number of weights, and in blue how many of them are in use at the "
        "strength that is marked: what the penalty would take away is not missed. On the right is what the "
        "validation loss would gain by another decay for that layer alone: a bar to the left says raise it,"
        " one to the right lower it, per unit of log α; a grey one is within the noise of the rows that "
        "judge.",
    ),
    "shrinkage": Caption(
        "Which directions survive",
        "The share that each direction keeps over its eigenvalue, in bands kept, fading and gone.",
        "Each dot is a direction in the space of the weights. Its eigenvalue says how strongly the data"
        " determine it. Directions with an eigenvalue far above α (the dashed line) keep their weight, "
        "those far below lose it: regularisation is not uniform, it removes what the data cannot tell.",
    ),
    "density": Caption(
        "How the curvature is spread",
        "Number of directions of the weights over the curvature of the loss along them, on logarithmic axes.",
        "A direction is a mix of weights that moves as one. Along the few on the right the loss rises "
        "steeply: the data determine them, and they are kept. Along the many on the left it hardly changes:"
        " what the penalty takes away there is not missed. The strength is marked on the same axis: a "
        "direction whose curvature is α keeps half of its weight. Most directions of a network have no "
        "curvature to speak of and are counted in words.",
    ),
    "coefficients": Caption(
        "How the coefficients move",
        "Paths of the coefficients over the effective number of parameters, the largest ones named.",
        "From left (everything shrunk away) to right (no regularisation). The dashed line is the chosen"
        " strength; the names belong to the largest coefficients there. Lines that fan out or cross "
        "zero at the right belong to columns that the data cannot tell apart.",
    ),
    "contour": Caption(
        "Where loss and penalty meet",
        "Ellipses of the loss around the unregularised optimum, circles of the penalty around zero, and"
        " the path of the solution from one to the other.",
        "A plane through the weights, spanned by two of the directions above. Ellipses are lines of "
        "equal loss around w*, circles lines of equal penalty around 0. The solution w̃(α) is where an "
        "ellipse touches a circle; as α grows it moves along the black line from w* to 0, first where "
        "the loss is flat. The axes are turned within the plane to lie as near as possible to two "
        "single weights.",
    ),
    "three_steps": Caption(
        "The same in three steps",
        "Three panels: the optimum is rotated into the eigen-directions, each coordinate is scaled, and"
        " the result is rotated back.",
        "In the same plane: rotate w* into the directions in which the loss falls apart (the ellipse "
        "stands upright), scale each coordinate by λ/(λ+α), rotate back. At α = 0 the two rotations "
        "cancel. The ellipse and the circle touch in every panel, since a rotation changes no length.",
    ),
}


def picture(study: Any, name: str, **options: Any) -> str:
    """Return one figure with its title and its paragraph, as HTML."""
    caption = CAPTIONS[name]
    drawn = inline(figure_of(FIGURES[name](study, **options)), f"{name}-", caption.alternative)
    box = tag("div", drawn, class_="drawing", role="region", tabindex="0", aria_label=caption.title)
    reading = caption.reading
    if name in LOCAL:
        reading += _about_curvature(study)
    said = tag("figcaption", tag("p", tag("strong", "How to read it. "), text(reading)))
    title = tag("h3", text(caption.title))
    return tag("figure", title, box, said, id=f"figure-{name}", class_=SHAPES.get(name, "half"))


def _about_curvature(study: Any) -> str:
    """Say of which quadratic a picture is, where the loss is none."""
    if of_network(study):
        return f" {TRAINED}"
    return f" {QUADRATIC}" if losses.base(study) != losses.SQUARED else ""


def inline(figure: Figure, prefix: str, alternative: str) -> str:
    """Return a figure as an SVG element for an HTML page.

    Text stays text in the page's font, colours become the page's variables, so that dark mode and
    print need no second picture; identifiers get ``prefix``, so that pictures do not mix.
    """
    root = ET.fromstring(render(figure, "svg", text_as_text=True))
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{SVG}metadata", f"{SVG}style"):
                parent.remove(child)
    for element in root.iter():
        element.tag = str(element.tag).removeprefix(SVG)
        element.attrib = {_bare(key): _value(key, value, prefix) for key, value in element.items()}
        element.tail = None
    for size in ("width", "height", "version"):
        root.attrib.pop(size, None)
    root.attrib |= {"role": "img", "aria-label": alternative}
    return ET.tostring(root, encoding="unicode")


def _bare(key: str) -> str:
    return key.rpartition("}")[2]


def _value(key: str, value: str, prefix: str) -> str:
    name = _bare(key)
    if name == "id":
        return prefix + value
    if name == "href":
        return value.replace("#", f"#{prefix}", 1)
    if name == "d":
        return re.sub(r"(\.\d\d)\d+", r"\1", " ".join(value.split()))
    value = value.replace("url(#", f"url(#{prefix}")
    return _style(value) if name == "style" else value


def _style(value: str) -> str:
    value = re.sub(r"font: ([\d.]+px)[^;]*", r"font-size: \1", value)
    value = re.sub(r"font-family: [^;]*;? ?", "", value)
    return re.sub(r"#[0-9a-f]{6}\b", lambda found: _variable(found.group()), value)


def _variable(color: str) -> str:
    return f"var({COLOURS[color]})" if color in COLOURS else color
