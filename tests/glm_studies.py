"""Small studies of every loss, each made once, for what is written, drawn and saved of them."""

from __future__ import annotations

from functools import cache

import numpy as np

import eigenshrink as es


def rows(n, p, seed):
    return np.random.default_rng(seed).normal(size=(n, p))


def logistic(n=80, p=4, seed=1, **options):
    X, rng = rows(n, p, seed), np.random.default_rng(seed + 50)
    y = np.where(X[:, 0] - 0.5 * X[:, -1] + rng.normal(size=n) > 0, "sick", "well")
    return es.study(X, y, loss="logistic", **options)


def multinomial(n=90, p=3, seed=2, labels=("a", "b", "<b>c</b>"), **options):
    X, rng = rows(n, p, seed), np.random.default_rng(seed + 50)
    y = np.argmax(X[:, :3] + 1.2 * rng.normal(size=(n, 3)), axis=1)
    return es.study(X, np.array(labels)[y], loss="multinomial", **options)


def counts(n=120, p=4, seed=3, shape=(-1,), **options):
    X, rng = rows(n, p, seed), np.random.default_rng(seed + 50)
    exposure = rng.uniform(0.5, 3.0, n)
    y = rng.poisson(exposure * np.exp(0.5 * X[:, 0])).reshape(shape)
    return es.study(X, y, loss="poisson", offset=np.log(exposure), **options)


def positive(loss, seed=4, **options):
    X, rng = rows(100, 4, seed), np.random.default_rng(seed + 50)
    return es.study(X, np.exp(0.4 * X[:, 0]) * rng.gamma(2.0, 0.5, 100), loss=loss, **options)


def heavy_tails(**options):
    X, rng = rows(100, 4, 5), np.random.default_rng(55)
    return es.study(X, X[:, 0] + rng.standard_t(2, 100), loss="huber", **options)


def trials():
    X, rng = rows(60, 3, 6), np.random.default_rng(56)
    tried = rng.integers(3, 20, 60)
    done = rng.binomial(tried, 1 / (1 + np.exp(-X[:, 0])))
    return es.study(X, np.column_stack([done, tried - done]), loss="binomial")


def wide(loss="logistic"):
    X, rng = rows(30, 60, 7), np.random.default_rng(57)
    y = np.argmax(X[:, :3] + rng.normal(size=(30, 3)), axis=1)
    return es.study(X, y if loss == "multinomial" else y > 0, loss=loss)


def separated(**options):
    X = np.arange(12.0)[:, None] + np.zeros((1, 2)) * rows(12, 2, 8)
    X[:, 1] = rows(12, 1, 8)[:, 0]
    return es.study(X, X[:, 0] > 5, loss="logistic", **options)


KINDS = {
    "logistic": logistic,
    "multinomial": multinomial,
    "counts": counts,
    "gamma": lambda: positive("gamma"),
    "inverse Gaussian": lambda: positive("inverse_gaussian"),
    "tweedie": lambda: positive("tweedie:1.3"),
    "huber": heavy_tails,
    "trials": trials,
    "wide": wide,
    "wide multinomial": lambda: wide("multinomial"),
    "separated": separated,
    "weakest": lambda: separated(alpha=separated().path.lowest),
    "alpha zero": lambda: logistic(alpha=0.0),
    "alpha infinite": lambda: logistic(alpha=np.inf),
    "one column": lambda: logistic(p=1),
    "two classes beside": lambda: multinomial(labels=("a", "b", "b")),
    "numbers as labels": lambda: multinomial(labels=(1.0, 2.0, 7.0)),
    "truth values": lambda: es.study(rows(40, 2, 9), rows(40, 1, 10)[:, 0] > 0, loss="logistic"),
    "column of counts": lambda: counts(shape=(-1, 1)),
    "free columns": lambda: counts(penalty_factor=[0.0, 1.0, 1.0, 2.0]),
    "free columns of classes": lambda: multinomial(penalty_factor=[0.0, 1.0, 1.0]),
    "standardised": lambda: logistic(standardize=True),
    "no intercept": lambda: logistic(fit_intercept=False),
    "groups": lambda: logistic(groups=np.arange(80) // 4),
    "held out": lambda: logistic(validation=0.25),
    "weights": lambda: counts(sample_weight=np.arange(120) % 3, weight_kind="frequency"),
    "nothing varies": lambda: es.study(np.ones((20, 2)), np.arange(20) % 2, loss="logistic"),
    "nothing varies in classes": lambda: es.study(np.ones((21, 2)), np.arange(21) % 3, loss="multinomial"),
}
CLASSES = ("multinomial", "wide multinomial", "numbers as labels", "two classes beside")


@cache
def study_of(kind):
    return KINDS[kind]()
