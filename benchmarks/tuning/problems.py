"""Four small networks on few digits, and how they are trained: SGD with momentum, L2, a falling rate."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

CLASSES, SIDE = 10, 8
ROWS = 400  # that train, and as many that judge; all others test
BATCH, MOMENTUM = 50, 0.9
WARM = 0.05  # of a training, in which the rate rises

Pair = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Problem:
    """A model, its learning rate, and the share of labels that are drawn at random, in all rows alike."""

    name: str
    build: Callable[[], nn.Module]
    rate: float
    wrong: float = 0.0

    def model(self, seed: int) -> nn.Module:
        """Before training."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self.build()


@dataclass(frozen=True)
class Rows:
    """Pictures and digits that train, judge and test."""

    train: Pair
    judge: Pair
    test: Pair

    @classmethod
    def drawn(cls, seed: int, wrong: float) -> Rows:
        pictures, digits = _digits()
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(digits))
        drawn = np.where(
            rng.random(len(digits)) < wrong, rng.integers(0, CLASSES, len(digits)), digits[order]
        )
        X, y = torch.tensor(pictures[order], dtype=torch.float32), torch.tensor(drawn)
        cuts = slice(0, ROWS), slice(ROWS, 2 * ROWS), slice(2 * ROWS, None)
        return cls(*((X[cut], y[cut]) for cut in cuts))


@dataclass
class Trainer:
    """``train(model, alpha, effort)``, and how many gradient evaluations it has made, in rows."""

    rows: Pair
    rate: float
    epochs: int
    gradients: int = 0

    def __call__(self, model: nn.Module, alpha: float, effort: float) -> None:
        X, y = self.rows
        optimizer = torch.optim.SGD(model.parameters(), lr=self.rate, momentum=MOMENTUM, weight_decay=alpha)
        epochs = max(1, int(self.epochs * effort + 1e-9))
        steps, step = epochs * math.ceil(len(y) / BATCH), 0
        model.train()
        for _ in range(epochs):
            for picked in torch.randperm(len(y)).split(BATCH):
                optimizer.param_groups[0]["lr"] = self.rate * schedule(step, steps)
                optimizer.zero_grad()
                cross_entropy(model(X[picked]), y[picked]).backward()
                optimizer.step()
                self.gradients += len(picked)
                step += 1


def schedule(step: int, steps: int) -> float:
    """Half a cosine down to zero, after a short rise."""
    return min(1.0, (step + 1) / (WARM * steps + 1)) * 0.5 * (1 + math.cos(math.pi * step / steps))


def loss_of(model: nn.Module, rows: Pair) -> float:
    """Mean cross entropy."""
    with torch.no_grad():
        return float(cross_entropy(model(rows[0]), rows[1]))


def logistic() -> nn.Module:
    return nn.Linear(SIDE * SIDE, CLASSES)


def perceptron() -> nn.Module:
    return nn.Sequential(nn.Linear(SIDE * SIDE, 32), nn.ReLU(), nn.Linear(32, CLASSES))


def convolutions() -> nn.Module:
    return nn.Sequential(
        nn.Unflatten(1, (1, SIDE, SIDE)),
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64, CLASSES),
    )


class Transformer(nn.Module):
    """Each line of a picture is a token; the mean of one block of attention tells the digit."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.embed = nn.Linear(SIDE, width)
        self.place = nn.Parameter(0.1 * torch.randn(SIDE, width))
        self.block = nn.TransformerEncoderLayer(width, 2, 2 * width, 0.0, batch_first=True, norm_first=True)
        self.head = nn.Linear(width, CLASSES)

    def forward(self, pixels: Tensor) -> Tensor:
        tokens = self.embed(pixels.view(-1, SIDE, SIDE)) + self.place
        scores: Tensor = self.head(self.block(tokens).mean(dim=1))
        return scores


MODELS: dict[str, tuple[Callable[[], nn.Module], float]] = {
    "logistic": (logistic, 0.5),
    "MLP": (perceptron, 0.1),
    "CNN": (convolutions, 0.05),
    "transformer": (Transformer, 0.1),
}
PROBLEMS = {
    f"{name}, {wrong:.0%} wrong labels" if wrong else name: Problem(name, *built, wrong)
    for wrong in (0.0, 0.1)
    for name, built in MODELS.items()
}


@cache
def _digits() -> tuple[np.ndarray, np.ndarray]:
    data = load_digits()
    return data.data / 16.0, data.target
