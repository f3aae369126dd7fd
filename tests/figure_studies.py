"""Studies of every kind to draw, each made once, and what was drawn, found by its kind."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from matplotlib.text import Annotation
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import PolynomialFeatures

import eigenshrink as es
from eigenshrink.plots import FIGURES, reading

OF_NETWORKS = (reading.of_network, reading.measured, reading.of_layers)
OF_COLUMNS = tuple(name for name, picture in FIGURES.items() if picture.of not in OF_NETWORKS)
HOSTILE = ("$\\frac$", "_hidden", "<b>&amp;", "a\nb\x00", "日本語", "x" * 60)


@cache
def diabetes():
    """Ten columns, all their terms of degree two, the target, and both lists of names."""
    loaded = load_diabetes()
    terms = PolynomialFeatures(2, include_bias=False).fit(loaded.data)
    names = [name.replace(" ", "*") for name in terms.get_feature_names_out(loaded.feature_names)]
    return loaded.data, terms.transform(loaded.data), loaded.target, list(loaded.feature_names), names


def noise(*shape):
    return np.random.default_rng(7).normal(size=shape)


def polynomial(**options):
    _, P, y, _, names = diabetes()
    return es.study(P, y, feature_names=names, **({"standardize": True} | options))


def ten(columns=slice(None), **options):
    X, _, y, names, _ = diabetes()
    return es.study(X[:, columns], y, **({"feature_names": np.array(names)[columns].tolist()} | options))


def wide():
    rows = noise(40, 300)
    return es.study(rows, rows @ noise(300) + 5 * noise(40), criterion="loo")


def several_targets():
    """A real target, one of noise (alpha infinite), one that is a column (alpha zero)."""
    _, P, y, *_ = diabetes()
    return es.study(P, np.column_stack([y, noise(len(y)), P[:, 0]]), standardize=True)


def two_targets():
    X, _, y, *_ = diabetes()
    return X, np.column_stack([y, y + 40 * noise(len(y))])


def column_of_targets():
    X, _, y, *_ = diabetes()
    return es.study(X, y[:, None])


def constant_and_equal_columns():
    X, _, y, *_ = diabetes()
    return es.study(np.column_stack([X, np.ones(len(X)), X[:, 2]]), y)


def grouped(**options):
    """Rows of eight that share a shift of their own: 30 groups."""
    rng = np.random.default_rng(5)
    group = np.repeat(np.arange(30), 8)
    X = 0.9 * rng.normal(size=(30, 12))[group] + 0.3 * rng.normal(size=(240, 12))
    y = 0.4 * X @ rng.normal(size=12) + rng.normal(size=30)[group] + 0.5 * rng.normal(size=240)
    return es.study(X, y, **({"groups": group, "standardize": True} | options))


def copies():
    X, _, y, *_ = diabetes()
    rows = np.r_[np.arange(200), np.arange(60)]
    return es.study(X[rows], y[rows])


def loaded():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.npz"
        polynomial().save(path)
        return es.load(path)


def constant_target():
    X = diabetes()[0]
    return es.study(X, np.ones(len(X)))


KINDS = {
    "polynomial": polynomial,
    "ten columns": ten,
    "wide": wide,
    "several targets": several_targets,
    "column of targets": column_of_targets,
    "alpha zero": lambda: polynomial(alpha=0.0),
    "alpha infinite": lambda: polynomial(alpha=np.inf),
    "two columns": lambda: ten([2, 8], alpha=1e-3),
    "one column": lambda: ten([2], alpha=1e-3),
    "free columns": lambda: polynomial(
        penalty_factor=np.r_[0, 0, np.ones(63)], standardize=False, alpha=1e-3
    ),
    "constant and equal columns": constant_and_equal_columns,
    "hostile names": lambda: ten(slice(6), feature_names=HOSTILE),
    "constant target": constant_target,
    "groups": grouped,
    "copies": copies,
    "held out": lambda: grouped(validation=0.25),
    "one strength": lambda: es.study(*two_targets(), per_target=False),
    "by leave-one-out": lambda: polynomial(criterion="loo"),
    "by K-fold": lambda: polynomial(criterion="kfold"),
    "by GCV": lambda: polynomial(criterion="gcv"),
    "by evidence": lambda: polynomial(criterion="evidence"),
    "strongest": lambda: polynomial(select="strongest-equivalent"),
    "loaded": loaded,
    "nothing varies": lambda: es.study(np.ones((20, 2)), noise(20)),
}


@cache
def study(kind):
    return KINDS[kind]()


def lines(ax, kind):
    return [line for line in ax.get_lines() if line.get_label() == f"_{kind}"]


def line(ax, kind):
    (found,) = lines(ax, kind)
    return found


def point(ax, kind):
    return np.ravel(line(ax, kind).get_xydata())


def words(ax):
    return [text.get_text() for text in ax.texts]


def arrow(ax, kind):
    """Tip of an arrow."""
    (found,) = [text for text in ax.texts if isinstance(text, Annotation) and text.get_label() == f"_{kind}"]
    return np.asarray(found.xy)
