"""The audit of generalised linear models on data that have nothing wrong with them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy.special import expit

import eigenshrink as es

SETS = 50
MOST_WARNED = 5  # sets of each check


def clean(loss: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows n in 100..600, columns p in 3..n/10, drawn log-uniformly.

    Linear predictors of sd 1..2, of counts half of that. Every third set has a common factor, every third
    indicators in half of the columns; every weight, or three in ten of them, are not zero.
    """
    rng = np.random.default_rng([21, seed])
    n = int(np.exp(rng.uniform(*np.log([100, 600]))))
    p = int(np.exp(rng.uniform(*np.log([3, max(4, n / 10)]))))
    X = rng.normal(size=(n, p))
    if seed % 3 == 1:
        X = np.sqrt(0.6) * X + np.sqrt(0.4) * rng.normal(size=(n, 1))
    elif seed % 3 == 2:
        X[:, : p // 2] = X[:, : p // 2] > 0
    w = rng.normal(size=p) * (rng.uniform(size=p) < (1.0 if seed % 2 else 0.3))
    w[rng.integers(p)] += 1.0
    eta = X @ w
    eta = (eta - eta.mean()) / eta.std() * rng.uniform(1, 2)
    if loss == "logistic":
        return X, (rng.random(n) < expit(eta + rng.uniform(-1, 1))).astype(int)
    return X, rng.poisson(np.exp(eta / 2 + rng.uniform(-1, 2))).astype(float)


def alarms(loss: str, seeds, spoil=lambda X, y: (X, y)) -> Counter:
    """How many of the sets each check does not pass."""
    said: Counter = Counter()
    for seed in seeds:
        audit = es.study(*spoil(*clean(loss, seed)), loss=loss).audit
        said.update((found.check, found.verdict) for found in audit if found.verdict != "pass")
    return said


@pytest.mark.parametrize("loss", ["logistic", "poisson"])
def test_clean_sets_raise_hardly_an_alarm(loss):
    said = alarms(loss, range(SETS))
    assert not [check for check, verdict in said if verdict == "fail"], said
    assert max(said.values(), default=0) <= MOST_WARNED, said
    assert sum(said.values()) <= 3 * MOST_WARNED, said


def test_the_count_can_fail():
    def spoil(X, y):
        return X, 3 * y

    assert alarms("poisson", range(6), spoil)["overdispersion", "warn"] == 6
