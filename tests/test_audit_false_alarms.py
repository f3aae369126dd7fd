"""The whole audit on data that have nothing wrong with them: it must hardly ever say otherwise."""

from __future__ import annotations

from collections import Counter

import numpy as np

import eigenshrink as es

SETS = 60  # of the 200 that the bounds are meant for, to keep the time short
MOST_FAILED, MOST_WARNED = 0.01, 0.10
DESIGNS = ("independent", "one common factor", "neighbours alike")


def clean(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows n in 50..500, columns p in 3..100 (p > n too), signal to noise 0.3..5, all drawn log-uniformly.

    Gaussian columns of sd 0.7..1.4 off centre, correlated by up to 0.6; every weight, or three in ten of
    them; Gaussian noise, rows independent of each other.
    """
    rng = np.random.default_rng([20, seed])
    n, p, ratio = (np.exp(rng.uniform(*np.log(ends))) for ends in ((50, 501), (3, 101), (0.3, 5)))
    n, p, alike = int(n), int(p), rng.uniform(0, 0.6)
    X = rng.normal(size=(n, p))
    design = DESIGNS[seed % 3]
    if design == "one common factor":
        X = np.sqrt(1 - alike) * X + np.sqrt(alike) * rng.normal(size=(n, 1))
    elif design == "neighbours alike":
        X = X @ np.linalg.cholesky(alike ** np.abs(np.subtract.outer(np.arange(p), np.arange(p)))).T
    X = X * rng.uniform(0.7, 1.4, p) + rng.normal(size=p)
    w = rng.normal(size=p) * (rng.uniform(size=p) < (1.0 if seed % 2 else 0.3))
    w[rng.integers(p)] += 1.0
    signal = X @ w
    return X, signal + signal.std() / np.sqrt(ratio) * rng.normal(size=n) + rng.normal()


def alarms(seeds, spoil=lambda X: X, **more) -> tuple[float, float, Counter]:
    """Share of the sets with a fail, share with a warn, and which checks said so."""
    failed, warned, said = 0, 0, Counter()
    for seed in seeds:
        X, y = clean(seed)
        audit = es.study(spoil(X), y, **more).audit
        loud = [(found.check, found.verdict) for found in audit if found.verdict != "pass"]
        said.update(loud)
        failed += any(verdict == "fail" for _, verdict in loud)
        warned += any(verdict == "warn" for _, verdict in loud)
    return failed / len(seeds), warned / len(seeds), said


def test_clean_sets_raise_hardly_an_alarm():
    failed, warned, said = alarms(range(SETS))
    assert failed <= MOST_FAILED, said
    assert warned <= MOST_WARNED, said


def test_the_count_can_fail():
    def spoil(X):
        return X * np.r_[1000.0, np.ones(X.shape[1] - 1)]

    _, warned, said = alarms(range(9), spoil)
    assert warned == 1.0
    assert said["scale of columns", "warn"] == 9
    assert alarms(range(9), spoil, standardize=True)[2]["scale of columns", "warn"] == 0


def test_the_sets_are_what_they_are_said_to_be():
    shapes = np.array([clean(seed)[0].shape for seed in range(200)])
    assert shapes.min(axis=0)[0] >= 50
    assert shapes.min(axis=0)[1] >= 3
    assert shapes.max(axis=0)[0] <= 500
    assert shapes.max(axis=0)[1] <= 100
    assert np.any(shapes[:, 1] > shapes[:, 0])
    X, y = clean(1)
    assert np.array_equal(clean(1)[0], X)
    assert len(y) == len(X)
