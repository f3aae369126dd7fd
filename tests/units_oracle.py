"""Slow and obvious minimisers of the house's objective, and data, for the tests of the converter."""

from __future__ import annotations

import numpy as np

ROWS, COLUMNS = 60, 4


def problem(loss, *, weighted=True, seed=3):
    """Return X (n, p), y and s for one loss; the columns are correlated, off centre and on unequal scales."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(ROWS, COLUMNS)) @ (np.eye(COLUMNS) + 0.4) * [1.0, 0.5, 2.0, 0.7] + [
        1.0,
        0.0,
        -0.5,
        0.2,
    ]
    eta = 0.3 * X @ [0.8, -1.0, 0.4, 0.6] - 0.2
    y = {
        "squared": lambda: 4.0 + 3.0 * eta + rng.normal(size=ROWS),
        "logistic": lambda: (rng.random(ROWS) < 1 / (1 + np.exp(-2 * eta))).astype(float),
        "multinomial": lambda: (eta + 0.7 * rng.normal(size=ROWS) > np.array([[-0.3], [0.4]])).sum(axis=0),
        "poisson": lambda: rng.poisson(np.exp(eta + 1.0)).astype(float),
        "gamma": lambda: rng.gamma(3.0, np.exp(eta) / 3.0),
        "tweedie": lambda: rng.poisson(np.exp(eta)) * rng.gamma(2.0, 0.5, size=ROWS),
    }[loss]()
    s = rng.choice([0.5, 1.0, 2.0, 3.0], size=ROWS) if weighted else np.ones(ROWS)
    return X, y, s


def _slopes(loss, y, eta, power):
    """dℓ/dη and d²ℓ/dη² of one row, ℓ half the unit deviance."""
    mean = np.exp(np.clip(eta, -30, 30))
    if loss == "logistic":
        share = 1 / (1 + np.exp(-eta))
        return share - y, share * (1 - share)
    if loss == "poisson":
        return mean - y, mean
    if loss == "gamma":
        return 1 - y / mean, y / mean
    if loss == "tweedie":  # between Poisson and gamma, 1 < power < 2
        first = mean ** (2 - power) - y * mean ** (1 - power)
        return first, (2 - power) * mean ** (2 - power) + (power - 1) * y * mean ** (1 - power)
    return eta - y, np.ones_like(eta)


def house_fit(loss, X, y, s, alpha, *, factors=None, fit_intercept=True, power=1.5):
    """Minimise ``(1/S) Σ s ℓ + (α/2) Σ d w²`` by Newton to rounding error; (p+1,), intercept last."""
    if loss == "multinomial":
        return _softmax_fit(X, y, s, alpha, fit_intercept)
    if np.ndim(y) == 2:
        fits = [
            house_fit(loss, X, column, s, alpha, factors=factors, fit_intercept=fit_intercept)
            for column in y.T
        ]
        return np.column_stack(fits)
    Z = np.column_stack([X, np.ones(len(X))]) if fit_intercept else X
    price = np.zeros(Z.shape[1])
    price[: X.shape[1]] = alpha * (np.ones(X.shape[1]) if factors is None else factors)
    v = np.zeros(Z.shape[1])
    for _ in range(100):
        slope, bend = _slopes(loss, y, Z @ v, power)
        gradient = Z.T @ (s * slope) / s.sum() + price * v
        step = np.linalg.solve((Z.T * (s * bend)) @ Z / s.sum() + np.diag(price), gradient)
        v = v - step / max(1.0, np.abs(Z @ step).max())
    assert np.abs(step).max() < 1e-13 * np.abs(v).max()
    return v


def _softmax_fit(X, y, s, alpha, fit_intercept):
    """Return (p+1, c), intercepts summing to zero since their common shift is free."""
    Z = np.column_stack([X, np.ones(len(X))]) if fit_intercept else X
    hits = np.eye(int(y.max()) + 1)[y.astype(int)]
    (q, c), W = (Z.shape[1], hits.shape[1]), np.zeros((Z.shape[1], hits.shape[1]))
    price = np.zeros((q, c))
    price[: X.shape[1]] = alpha
    for _ in range(100):
        share = np.exp(Z @ W) / np.exp(Z @ W).sum(axis=1, keepdims=True)
        gradient = Z.T @ (s[:, None] * (share - hits)) / s.sum() + price * W
        hessian = np.diag(price.ravel())
        for row, weight, prob in zip(Z, s, share, strict=True):
            bend = np.diag(prob) - np.outer(prob, prob)
            hessian += weight / s.sum() * np.kron(np.outer(row, row), bend)
        step = np.linalg.lstsq(hessian, gradient.ravel(), rcond=1e-12)[0].reshape(q, c)
        W = W - step / max(1.0, np.abs(Z @ step).max())
    assert np.abs(step).max() < 1e-12 * np.abs(W).max()
    if fit_intercept:
        W[-1] -= W[-1].mean()
    return W


def relative_error(found, expected):
    """Euclidean, of all coefficients together."""
    found, expected = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    assert found.shape == expected.shape
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


def assert_agrees(found, expected, tolerance):
    error = relative_error(found, expected)
    assert error <= tolerance, f"coefficients differ by {error:.1e}, more than {tolerance:.0e}"
