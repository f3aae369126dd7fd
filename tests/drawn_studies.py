"""Studies of every kind to draw in a browser, each made once, and their weights in a plane."""

from __future__ import annotations

from functools import cache

import numpy as np

import eigenshrink as es
import figure_studies
import network_studies
from drawn_pages import planes
from eigenshrink.plots import reading

LONG = "<img src=x onerror=alert(1)> " + "long" * 30


def hostile():
    X, y, *_ = figure_studies.diabetes()[0], figure_studies.diabetes()[2]
    return es.study(X[:, :3], y, feature_names=["<script>boo()</script>", LONG, "__proto__"])


def two_classes():
    X, _, y, names, _ = figure_studies.diabetes()
    return es.study(X[:, :5], (y > 140).astype(int), loss="logistic", feature_names=names[:5])


MADE = {
    "ten": lambda: figure_studies.ten(standardize=True),
    "one": lambda: figure_studies.ten([2]),
    "free": lambda: figure_studies.ten([0, 1], penalty_factor=[0, 0]),
    "targets": figure_studies.several_targets,
    "classes": two_classes,
    "network": network_studies.perceptron,
    "hostile": hostile,
}


@cache
def drawn_study(kind):
    return MADE[kind]()


def pair_of_weights(study, page, name):
    """Places of the two columns of a plane, and √d of each."""
    labels = planes(page, "columns")
    shown = next(one["label"] for one in labels if one["id"] == name).split(" and ")
    places = [list(study.weight_names).index(label) for label in shown]
    return places, np.sqrt(reading.factors(reading.seen(study, 1.0))[places])


def weights(study, alpha):
    return np.asarray(study.path.weights(alpha)).reshape(-1)
