"""Where training with the penalty stops: the closed form of M5, or not (M3)."""

from __future__ import annotations

import numpy as np
import pytest

from eigenshrink.penalty import L2


class Ridge:
    """Half mean squared error on 60 x 4 made-up rows, and the weights that a solver says are best."""

    def __init__(self):
        rng = np.random.default_rng(11)
        self.X = rng.normal(size=(60, 4)) * [2.0, 1.0, 0.5, 0.3]
        self.y = self.X @ [1.0, -1.0, 2.0, 3.0] + rng.normal(size=60)
        self.H = self.X.T @ self.X / 60
        self.free = np.linalg.solve(self.H, self.X.T @ self.y / 60)

    def slope(self, w, rows=slice(None)):
        X, y = self.X[rows], self.y[rows]
        return X.T @ (X @ w - y) / len(y)

    def closed_form(self, alpha, d):
        return np.linalg.solve(self.H + alpha * np.diag(d), self.H @ self.free)

    def error(self, w, alpha, d):
        """Distance to the closed form, in units of what the penalty moves."""
        target = self.closed_form(alpha, d)
        return np.linalg.norm(w - target) / np.linalg.norm(self.free - target)


RIDGE = Ridge()
ALPHA, D = 0.3, np.array([1.0, 0.0, 2.0, 0.5])


def descend(momentum: float = 0.0, nesterov: bool = False, steps: int = 3000, rate: float = 0.1):
    penalty, w, before = L2(ALPHA, penalty_factor=D), np.zeros(4), np.zeros(4)
    for _ in range(steps):
        ahead = w + momentum * (w - before)
        start = ahead if nesterov else w
        moved = penalty.update(start, RIDGE.slope(start), rate)
        before, w = w, moved if nesterov else moved + (ahead - w)
    return w


@pytest.mark.parametrize(
    "how",
    [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}],
    ids=["plain", "heavy-ball", "nesterov"],
)
def test_full_batch_descent_stops_at_the_closed_form(how):
    assert RIDGE.error(descend(**how), ALPHA, D) < 1e-11


def test_error_notices_another_strength():
    assert RIDGE.error(RIDGE.closed_form(1.05 * ALPHA, D), ALPHA, D) > 1e-2
    assert RIDGE.error(RIDGE.free, ALPHA, D) == pytest.approx(1.0)


@pytest.mark.parametrize("momentum", [0.0, 0.8], ids=["plain", "heavy-ball"])
def test_stochastic_descent_with_falling_steps_reaches_the_closed_form(momentum):
    rng = np.random.default_rng(0)
    penalty, w, before = L2(ALPHA, penalty_factor=D), np.zeros(4), np.zeros(4)
    for epoch in range(600):
        rate = 0.2 * (1 - momentum) / (1 + 0.05 * epoch)
        for rows in np.split(rng.permutation(60), 5):
            moved = penalty.update(w, RIDGE.slope(w, rows), rate) + momentum * (w - before)
            before, w = w, moved
    assert RIDGE.error(w, ALPHA, D) < 1e-2


def test_descent_on_a_list_of_arrays_is_descent_on_the_vector():
    penalty = L2(ALPHA, penalty_factor=[D[:2], (D[2], float(D[3]))])
    w = [np.zeros(2), (np.float64(0), 0.0)]
    for _ in range(1500):
        slope = RIDGE.slope(np.hstack([w[0], *w[1]]))
        w = penalty.update(w, [slope[:2], (slope[2], float(slope[3]))], 0.2)
    assert RIDGE.error(np.hstack([w[0], *w[1]]), ALPHA, D) < 1e-11


def decoupled(decay: float, momentum: float) -> np.ndarray:
    """Weights pulled down beside the momentum instead of through it."""
    w, speed = np.zeros(4), np.zeros(4)
    for _ in range(4000):
        speed = momentum * speed + RIDGE.slope(w)
        w = w - 0.02 * decay * w - 0.02 * speed
    return w


def test_decoupled_decay_is_the_penalty_only_without_momentum():
    ones = np.ones(4)
    assert RIDGE.error(decoupled(ALPHA, momentum=0.0), ALPHA, ones) < 1e-11
    assert RIDGE.error(decoupled(ALPHA, momentum=0.9), ALPHA * (1 - 0.9), ones) < 1e-11
    assert RIDGE.error(decoupled(ALPHA, momentum=0.9), ALPHA, ones) > 0.5


def adam(inside: L2, decay: float = 0.0) -> np.ndarray:
    """Adam on all rows with falling steps; the penalty inside the gradient, or decay beside it (AdamW)."""
    w, mean, square = np.zeros(4), np.zeros(4), np.zeros(4)
    for t in range(1, 20001):
        slope = RIDGE.slope(w) + inside.gradient(w)
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        rate = 0.05 / (1 + 0.001 * t)
        step = (mean / (1 - 0.9**t)) / (np.sqrt(square / (1 - 0.999**t)) + 1e-8)
        w = w - rate * (step + decay * w)
    return w


def test_adam_with_the_penalty_inside_agrees_and_adamw_minimises_something_else():
    ones = np.ones(4)
    assert RIDGE.error(adam(L2(ALPHA)), ALPHA, ones) < 1e-3
    assert RIDGE.error(adam(L2(0.0), decay=ALPHA), ALPHA, ones) > 0.5
