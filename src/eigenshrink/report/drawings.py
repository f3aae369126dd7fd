"""The two drawings that move with the strength: where loss and penalty meet (M10), and the three steps (M7).

Here are their places on the page, their captions and how to read each; ``browser/plane.js`` draws them.
"""

from __future__ import annotations

from eigenshrink.browser import source
from eigenshrink.report.html import tag, text

SCRIPTS = ("sheet.js", "scenes.js", "motion.js", "saving.js", "reading.js", "plane.js")
"""In this order, after ``maths.js`` and ``frame.js``; ``plane.mount`` starts them."""

BOX = "-58 -28 466 474"  # the drawing of 400 by 400 with room for numbers and names of the axes
TITLES = {"contour": "Where loss and penalty meet", "steps": "Rotate, scale, rotate back"}
READINGS = {
    "contour": (
        "Every point is a pair of weights, or of two mixes of weights: a plane through the origin of all of "
        "them. On each ellipse the loss L is the same, on each circle the penalty Ω. The best point of both "
        "together is where an ellipse touches a circle: there one cannot lower the loss without paying more "
        "penalty. Those two lines are heavy.",
        "As α grows, w̃ walks along the dark line from the star to 0. The walk is not straight: it first "
        "gives up the direction in which the ellipses are long, because there the loss hardly rises. Drag w̃ "
        "along its path, or move the strength above; the small dots are w̃ at α/10 and 10α.",
        "In a plane of two directions the fit falls apart, so that the picture is exact whatever the others "
        "do. In a plane of two weights all other weights are held as they are at this α, and the star is the "
        "best pair given them: it moves as they move. Where the loss is not quadratic, the small print says "
        "which quadratic is drawn.",
    ),
    "steps": (
        "The whole effect of α is three movements, one after the other: w̃ = Q · Λ(Λ + αI)⁻¹ · Qᵀ w*.",
        "First Qᵀ turns the star until the ellipse stands upright: now each coordinate belongs to one "
        "direction. Then each is made smaller by its own share λ/(λ+α), the two coloured bars. Then Q turns "
        "everything back. In one jump the two turns would hide each other.",
        "With α = 0 nothing is made smaller: the picture turns, and turns back. With α = ∞ nothing is left.",
    ),
}
KEYS: dict[str, tuple[str, str]] = {
    "loss": ("loss", "loss L"),
    "penalty": ("penalty", "penalty Ω"),
    "sum": ("path", "their sum"),
    "path": ("path", "w̃ from the weakest to the strongest α"),
    "believed": ("believed", "where that can be trusted"),
    "marks": ("mark", "w̃ at α/10 and 10α"),
    "dot": ("chosen", "w̃ at this α"),
}


def drawings() -> str:
    """Return both figures, empty: the scripts fill them.

    Examples
    --------
    >>> [name in drawings() for name in ("figure-contour", "figure-steps")]
    [True, True]
    """
    return contour() + "\n" + steps()


def styles() -> str:
    """Return the style of the drawings, for after that of the page, whose colours it uses."""
    return source("picture.css") + source("plane.css")


def contour() -> str:
    """Return the place of the contour picture with its list of planes and its legend (M10)."""
    label = tag("label", "Plane of", for_="plane-of")
    asked = tag(
        "div", label, tag("select", id="plane-of", data_part="planes"), class_="asked", data_part="asked"
    )
    legend = tag("p", *_legend(), class_="legend", data_part="legend")
    note = tag("p", class_="note", data_part="note")
    return _figure("contour", asked, _picture("contour"), _told("contour"), legend, note)


def steps() -> str:
    """Return the place of the three steps with their player (M7)."""
    names = {"back": "◂ Step back", "play": "Play", "on": "Step on ▸"}
    buttons = (tag("button", name, type="button", data_part=part) for part, name in names.items())
    scale = {"type": "range", "min": "0", "max": "3", "step": "0.01", "value": "3"}
    player = tag(
        "div",
        tag("div", *buttons, class_="buttons"),
        tag("label", text("Time, from 0 (the star) to 3 (w̃)"), for_="steps-time"),
        tag("input", id="steps-time", data_part="time", **scale),
        class_="player",
    )
    announced = tag("p", class_="unseen", aria_live="polite", data_part="announced")
    return _figure("steps", _picture("steps"), _told("steps"), player, announced)


def _figure(name: str, *parts: str) -> str:
    reading = "".join(tag("p", text(said)) for said in READINGS[name])
    how = tag("details", tag("summary", "How to read this"), reading)
    return tag(
        "figure",
        tag("h3", text(TITLES[name])),
        *parts,
        how,
        _behind(name),
        id=f"figure-{name}",
        class_="drawn",
    )


def _picture(name: str) -> str:
    names = {
        "id": f"{name}-picture",
        "role": "img",
        "aria_labelledby": f"{name}-told",
        "data_part": "picture",
    }
    return tag("svg", class_="picture", viewBox=BOX, **names)


def _told(name: str) -> str:
    return tag("p", id=f"{name}-told", class_="told", data_part="told")


def _legend() -> list[str]:
    """Keys of what is drawn; scripts hide those that are not, and name what only the data know."""
    keys = [_key(kind, text(said), f"key-{name}") for name, (kind, said) in KEYS.items()]
    keys.append(_key("star", tag("span", data_part="says"), "key-star"))
    keys.append(_key("held", text("w̃ of ") + tag("span", data_part="other"), "key-held"))
    keys += [_key(name, tag("span", data_part=name), f"key-{name}") for name in ("first", "second")]
    return keys


def _key(kind: str, said: str, part: str) -> str:
    return tag("span", tag("i", class_=f"key {kind}"), said, data_part=part) + " "


def _behind(name: str) -> str:
    """Return the folded table of the numbers behind a drawing, which is written while it is open."""
    heads = "".join(tag("th", head, scope="col") for head in ("what", "along"))
    head = tag("thead", tag("tr", heads, tag("th", "value", scope="col", class_="number")))
    table = tag("table", head, tag("tbody", data_part="rows"), aria_label=TITLES[name])
    box = tag("div", table, class_="scroll", role="region", tabindex="0", aria_label=TITLES[name])
    return tag("details", tag("summary", "The numbers behind this picture"), box, data_part="behind")
