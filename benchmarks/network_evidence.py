"""Ridge problems posed as networks: what a choice by evidence costs, the mean moving or frozen (M14)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

import eigenshrink.networks as en
from benchmarks.records import Measured, Plan, Result, Row, Shape

Array = NDArray[np.float64]

CONDITION = 1e4  # of the covariance of the columns
TRAINED = 1e-3  # weight decay of the network that is studied
GRID = np.geomspace(1e-6, 10.0, 200)  # strengths of the oracle
PRECISIONS = np.geomspace(1e-4, 1e4, 2000)  # of the prior, tried by the frozen mean


@dataclass(frozen=True)
class Ridge:
    """One draw: rows, targets with noise of one, and the excess risk of any weights."""

    X: Array
    y: Array
    true: Array
    covariance: Array

    @classmethod
    def draw(cls, rng: np.random.Generator, n: int, p: int) -> Ridge:
        turn = np.linalg.qr(rng.normal(size=(p, p)))[0]
        scale = np.geomspace(1.0, CONDITION**-0.5, p)
        X = (rng.normal(size=(n, p)) * scale) @ turn.T
        true = rng.normal(size=p)
        return cls(X, X @ true + rng.normal(size=n), true, (turn * scale**2) @ turn.T)

    def risk(self, w: Array) -> float:
        """``(w − w_true)ᵀ Σ (w − w_true)``."""
        return float((w - self.true) @ self.covariance @ (w - self.true))

    def fitted(self, alpha: float) -> Array:
        """The minimiser of MSE plus penalty: MSE is twice the house loss."""
        n, p = self.X.shape
        return np.linalg.solve(2 * self.X.T @ self.X / n + alpha * np.eye(p), 2 * self.X.T @ self.y / n)

    def studied(self) -> dict[str, float]:
        """Excess risk of each choice over that of the best strength."""
        n, p = self.X.shape
        model = nn.Linear(p, 1, bias=False, dtype=torch.float64)
        with torch.no_grad():
            model.weight.copy_(torch.from_numpy(self.fitted(TRAINED))[None])
        data = torch.from_numpy(self.X), torch.from_numpy(self.y)[:, None]
        study = en.study(model, nn.MSELoss(), data, weight_decay=TRAINED, criterion="evidence")
        best = min(self.risk(self.fitted(alpha)) for alpha in GRID)
        chosen = {
            "evidence": study.coef(),
            "GCV": study.coef(float(study.risk["gcv"].minimum.alpha)),
            "evidence with the mean frozen": self.fitted(2 * self.frozen() / n),
            "no regularisation": self.fitted(0.0),
        }
        return {name: self.risk(w) / best for name, w in chosen.items()}

    def frozen(self) -> float:
        """The precision of the prior that Laplace evidence takes after training, noise known (= 1)."""
        values = np.linalg.eigvalsh(self.X.T @ self.X)
        size = float(np.square(np.linalg.lstsq(self.X, self.y, rcond=None)[0]).sum())
        cost = 0.5 * np.log1p(values / PRECISIONS[:, None]).sum(axis=1) + 0.5 * PRECISIONS * size
        return float(PRECISIONS[np.argmin(cost)])


def evidence(plan: Plan, shape: Shape) -> Result:
    """Excess risk of the choice over the oracle's, median of the draws."""
    rng = np.random.default_rng(plan.seed)
    each = [Ridge.draw(rng, shape.n, shape.p).studied() for _ in range(shape.a)]
    numbers = []
    for name in each[0]:
        median = float(np.median([one[name] for one in each]))
        bar = 1.03 if name == "evidence" else None
        numbers.append(Measured(f"risk over the oracle's, {name}", median, "<=" if bar else "", bar))
    work = f"{shape.a} ridge problems as networks, n={shape.n}, p={shape.p}, condition {CONDITION:g}"
    return Result("network-evidence", work, tuple(numbers))


ROWS: dict[str, Row] = {"network-evidence": Row(evidence, Shape(200, 60, 200), Shape(60, 10, 3))}
