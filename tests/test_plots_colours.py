"""Colours that everybody can tell apart: on white and dark paper, with each kind of colour blindness."""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import combinations

import numpy as np
import pytest

from eigenshrink.plots import FIGURES, canvas
from eigenshrink.plots.criteria import STYLES
from figure_studies import lines, study

APART = 0.08  # in OKLab; Okabe & Ito's own eight come to 0.076
CONTRAST = 3.0  # of lines against paper, as WCAG 2.1 asks of graphics

# Machado, Oliveira & Fernandes (2009), IEEE TVCG 15(6): complete protan, deutan and tritan, linear RGB.
EYES = {
    "all cones": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.3039],
    ],
}
LMS = [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566]]
LMS += [[0.0883024619, 0.2817188376, 0.6299787005]]
LAB = [[0.210454255, 0.793617785, -0.004072047], [1.977998495, -2.428592205, 0.45059371]]
LAB += [[0.025904037, 0.782771766, -0.808675766]]


def linear(color):
    value = np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def seen(color, eye):
    """A colour as an eye sees it, in OKLab."""
    return LAB @ np.cbrt(LMS @ np.clip(np.asarray(EYES[eye]) @ linear(color), 0, 1))


def nearest(colors, eye):
    return min(np.linalg.norm(seen(one, eye) - seen(other, eye)) for one, other in combinations(colors, 2))


def contrast(color, paper):
    dark, light = sorted(linear(each) @ [0.2126, 0.7152, 0.0722] for each in (color, paper))
    return (light + 0.05) / (dark + 0.05)


def page(dark):
    """Colours of the series and of the paper on the page."""
    css = (files("eigenshrink.report") / "page.css").read_text(encoding="utf-8")
    sheet = css.split("@media screen and (prefers-color-scheme: dark)")[dark]
    series = re.findall(r"--series-\d: (#[0-9a-f]{6})", sheet)
    return series, re.search(r"--paper: (#[0-9a-f]{6})", sheet)[1]


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("dark", [0, 1])
def test_series_can_be_told_apart(eye, dark):
    series, paper = page(dark)
    assert len(series) == len(canvas.SERIES) == 8
    assert nearest(series, eye) > APART
    assert min(contrast(color, paper) for color in series) >= CONTRAST


def test_the_page_is_as_the_figures():
    assert page(0)[0] == list(canvas.SERIES)


def test_colours_that_look_the_same_are_seen():
    assert nearest(["#d55e00", "#5f7a1a"], "protan") < APART < nearest(["#d55e00", "#5f7a1a"], "all cones")
    assert contrast("#f0e442", "#ffffff") < CONTRAST


def test_criteria_that_can_meet_look_different():
    met = [STYLES[name]["color"] for name in STYLES if name != "optimism"]  # it is drawn without the score
    assert len(set(met)) == len(met)
    assert len({str(style["linestyle"]) for style in STYLES.values() if style["linestyle"] != "-"}) == 6


def test_named_coefficients_differ_by_colour_and_by_dashes():
    drawn = lines(FIGURES["coefficients"](study("polynomial")), "named")
    assert len({found.get_color() for found in drawn}) == 8
    assert [found.get_linestyle() for found in drawn] == ["-"] * 4 + ["--"] * 4
