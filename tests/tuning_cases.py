"""A problem that is solved exactly, and a small network with everything that has a state, for ``en.tune``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import eigenshrink.networks as en
from eigenshrink.networks.tuning import Tuning

LOSS = nn.MSELoss()


class Ridge:
    """Training rows, rows that judge, and the exact solution: ``L = mean (y − Xw)²``, so ``H = 2XᵀX/n``."""

    def __init__(self, seed: int = 0, n: int = 24, p: int = 5, noise: float = 2.0) -> None:
        rng = np.random.default_rng(seed)
        w = rng.standard_normal(p)
        self.X, self.V = rng.standard_normal((n, p)), rng.standard_normal((n, p))
        self.y = self.X @ w + noise * rng.standard_normal(n)
        self.v = self.V @ w + noise * rng.standard_normal(n)
        self.H, self.b = 2 * self.X.T @ self.X / n, 2 * self.X.T @ self.y / n
        self.model = nn.Linear(p, 1, bias=False, dtype=torch.float64)
        self.alphas: list[float] = []

    def weights(self, alpha: float) -> np.ndarray:
        return np.linalg.solve(self.H + alpha * np.eye(len(self.b)), self.b)

    def judged(self, alpha: float) -> float:
        return float(np.mean((self.v - self.V @ self.weights(alpha)) ** 2))

    @property
    def pairs(self) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        both = ((self.X, self.y), (self.V, self.v))
        train, judge = ((torch.from_numpy(X), torch.from_numpy(y)[:, None]) for X, y in both)
        return train, judge

    def train(self, model: nn.Module, alpha: float, effort: float) -> None:
        self.alphas.append(alpha)
        for _ in range(round(100 * effort)):
            model(torch.from_numpy(self.X))
        with torch.no_grad():
            model.weight.copy_(torch.from_numpy(self.weights(alpha))[None])

    def tune(self, **options: Any) -> Tuning:
        return en.tune(self.train, self.model, LOSS, *self.pairs, **options)


def net(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(0.2), nn.Tanh(), nn.Linear(8, 3))


def rows(seed: int, n: int = 60) -> tuple[Tensor, Tensor]:
    made = torch.Generator().manual_seed(seed)
    X = torch.randn(n, 6, generator=made)
    y = (X[:, :3] + torch.randn(n, 3, generator=made)).argmax(1)
    return X, y


TRAIN, JUDGE = rows(1), rows(2)


class Killed(Exception):
    """What no part of the program may catch."""


class Trainer:
    """SGD on shuffled rows; counts what it does, and may fail at one of its calls."""

    def __init__(self, fail: int = -1, how: Callable[[nn.Module], Any] | None = None) -> None:
        self.fail, self.how = fail, how
        self.calls, self.gradients = 0, 0

    def __call__(self, model: nn.Module, alpha: float, effort: float) -> Any:
        X, y = TRAIN
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=alpha)
        model.train()
        for _ in range(max(1, int(100 * effort))):
            for picked in torch.randperm(len(y)).split(30):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(X[picked]), y[picked]).backward()
                optimizer.step()
                self.gradients += len(picked)
        self.calls += 1
        return self.how(model) if self.how is not None and self.calls == self.fail else None


def tune(model: nn.Module, trainer: Any = None, **options: Any) -> Tuning:
    train = trainer or Trainer()
    return en.tune(train, model, nn.CrossEntropyLoss(), TRAIN, JUDGE, **{"alpha": 1e-2, **options})


def same(one: nn.Module, two: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), two.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def kill(model: nn.Module) -> None:
    with torch.no_grad():
        for weight in model.parameters():
            weight.fill_(7.0)
    raise Killed


def broken(model: nn.Module) -> None:
    with torch.no_grad():
        model[0].weight[0, 0] = math.nan


def running_away(model: nn.Module) -> None:
    with torch.no_grad():
        model[1].running_var.fill_(math.nan)


def raising(model: nn.Module) -> None:
    broken(model)
    raise FloatingPointError("loss is nan")
