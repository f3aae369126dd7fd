"""Data to ask generalised linear models of: drawn ones of every kind, and real ones that ship with peers."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
from scipy.special import expit, softmax
from sklearn.datasets import load_breast_cancer, load_wine
from statsmodels import datasets

from glm_oracles import Glm

LOSSES = (
    "logistic",
    "multinomial",
    "poisson",
    "gamma",
    "inverse_gaussian",
    "tweedie",
    "binomial",
    "huber:1.2",
)
CONVEX = tuple(loss for loss in LOSSES if loss != "inverse_gaussian")

# Arguments of make() for every kind of problem that the core has to answer alike.
CASES: dict[str, dict[str, Any]] = {
    "precision weights": {"weights": "precision"},
    "frequency weights": {"weights": "frequency"},
    "no intercept": {"intercept": False},
    "free columns and factors": {"free": 2, "factors": True, "weights": "precision"},
    "collinear free columns": {"free": 2, "collinear_free": True},
    "penalty factors, offset": {"factors": True, "offset": True},
    "sparse": {"sparse": True},
    "wide": {"n": 25, "p": 40},
    "wide, free, precision": {"n": 25, "p": 40, "free": 1, "weights": "precision"},
    "free, no intercept": {"free": 1, "intercept": False},
}


def draw(loss: str, eta: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A response for linear predictors ``(n, c)``; every class appears."""
    kind, mean, n = loss.partition(":")[0], np.exp(eta[:, 0]), len(eta)
    if kind == "multinomial":
        y = (softmax(eta, axis=1).cumsum(axis=1)[:, :-1] < rng.random((n, 1))).sum(axis=1)
        y[: eta.shape[1]] = np.arange(eta.shape[1])
        return np.array(["ant", "bee", "cat", "dog"])[y]
    if kind == "logistic":
        y = (rng.random(n) < expit(eta[:, 0])).astype(int)
        y[:2] = 0, 1
        return y
    if kind == "binomial":
        trials = rng.integers(1, 9, n)
        hits = rng.binomial(trials, expit(eta[:, 0]))
        return np.stack([hits, trials - hits], axis=1)
    if kind == "tweedie":
        jumps = rng.poisson(mean)
        return np.where(jumps > 0, rng.gamma(np.maximum(2 * jumps, 1), 0.5), 0.0)
    if kind == "huber":
        return eta[:, 0] + rng.standard_t(2.5, n)
    ways = {
        "poisson": lambda: rng.poisson(mean).astype(float),
        "gamma": lambda: rng.gamma(4.0, mean / 4.0) + 1e-3,
        "inverse_gaussian": lambda: rng.wald(mean, 20.0),
        "squared": lambda: eta[:, 0] + rng.normal(size=n),
    }
    return ways[kind]()


def make(
    seed: int,
    loss: str,
    n: int = 50,
    p: int = 6,
    *,
    weights: str | None = None,
    free: int = 0,
    collinear_free: bool = False,
    factors: bool = False,
    intercept: bool = True,
    offset: bool | None = None,
    sparse: bool = False,
    signal: float = 1.0,
) -> Glm:
    """Correlated columns off centre and on unequal scales; the last ``free`` columns are not penalised."""
    rng = np.random.default_rng(seed)
    sizes = rng.uniform(0.3, 3.0, p)
    X = (rng.normal(size=(n, p)) @ (np.eye(p) + 0.3 / np.sqrt(p)) + 0.5 * rng.normal(size=p)) * sizes
    if sparse:
        X *= rng.random((n, p)) < 0.5
    c = 3 if loss == "multinomial" else 1
    eta = signal * (X / sizes) @ rng.normal(size=(p, c)) / np.sqrt(p)
    asked = loss == "poisson" if offset is None else offset and loss != "multinomial"  # there it says nothing
    shift = rng.uniform(-1, 1, n) if asked else None
    y = draw(loss, eta + 0.3 * intercept + (0.0 if shift is None else shift[:, None]), rng)
    d = rng.uniform(0.2, 5.0, p) if factors else np.ones(p)
    if free:
        d[-free:] = 0.0
    if collinear_free:
        X[:, -1] = 2.0 * X[:, -2] - 1.0 if intercept else 2.0 * X[:, -2]
    s = {"precision": rng.uniform(0.2, 4.0, n), "frequency": rng.integers(1, 4, n).astype(float)}
    return Glm(
        loss=loss,
        X=scipy.sparse.csr_array(X) if sparse else X,
        y=y,
        s=s.get(weights or ""),
        kind=weights or "precision",
        d=None if np.all(d == 1) else d,
        intercept=intercept,
        offset=shift,
    )


def between(loss: str) -> float:
    """What is promised of curves and γ between anchors; Huber's curvature jumps where rows pass delta."""
    return 2e-2 if loss.startswith("huber") else 1e-3


def anchors_of(path: Any, low: float = 1e-3, high: float = 1e2, most: int = 4) -> np.ndarray:
    """Some of the places where the path was solved."""
    places = np.array([anchor.alpha for anchor in path.anchors])
    places = np.sort(places[(places > low) & (places < high)])
    assert len(places) >= 2
    return places[:: -(-len(places) // most)]


# --- real data ----------------------------------------------------------------------------------------


def standardised(X) -> np.ndarray:
    X = np.asarray(X, dtype=float)
    return (X - X.mean(axis=0)) / X.std(axis=0)


def breast_cancer() -> Glm:
    """569 tumours, 30 columns, nearly separable."""
    X, y = load_breast_cancer(return_X_y=True)
    return Glm("logistic", standardised(X), y)


def wine() -> Glm:
    """178 wines of three growers, 13 columns, separable."""
    X, y = load_wine(return_X_y=True)
    return Glm("multinomial", standardised(X), y)


def spector() -> Glm:
    """32 students, 3 columns: improved or not."""
    data = datasets.spector.load_pandas()
    return Glm("logistic", standardised(data.exog), data.endog.to_numpy())


def fair(n: int = 300) -> Glm:
    """Every so-many-th of 6366 marriages, 8 columns: whether there was an affair."""
    data = datasets.fair.load_pandas()
    step = len(data.endog) // n
    y = (data.endog.to_numpy() > 0).astype(int)
    return Glm("logistic", standardised(data.exog)[::step][:n], y[::step][:n])


def randhie(n: int = 400) -> Glm:
    """Every so-many-th of 20190 insured: visits to a doctor, 9 columns."""
    data = datasets.randhie.load_pandas()
    step = len(data.endog) // n
    return Glm("poisson", standardised(data.exog)[::step][:n], data.endog.to_numpy(dtype=float)[::step][:n])


def cpunish() -> Glm:
    """Executions in 17 states, 6 columns."""
    data = datasets.cpunish.load_pandas()
    return Glm("poisson", standardised(data.exog), data.endog.to_numpy(dtype=float))


def star98() -> Glm:
    """303 school districts: pupils above and below the median, 20 columns."""
    data = datasets.star98.load_pandas()
    return Glm("binomial", standardised(data.exog), data.endog.to_numpy(dtype=float))


def scotland() -> Glm:
    """32 districts: yes votes, gamma, 7 columns."""
    data = datasets.scotland.load_pandas()
    return Glm("gamma", standardised(data.exog), data.endog.to_numpy(dtype=float))
