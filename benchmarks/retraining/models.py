"""Small networks on the digits of scikit-learn, and how each is penalised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

CLASSES, SIDE = 10, 8


@dataclass(frozen=True)
class Rows:
    """Pictures ``(n, 8, 8)`` from 0 to 1 and their digits."""

    pictures: Tensor
    digits: Tensor

    def __len__(self) -> int:
        return len(self.digits)


@dataclass(frozen=True)
class Case:
    """A model and how it is trained: ``alpha`` is α₀; ``free``: names of what is not penalised."""

    name: str
    build: Callable[[], nn.Module]
    alpha: float
    free: tuple[str, ...] = ()
    rows: int = 300

    def made(self, seed: int = 0) -> nn.Module:
        """The model before training, in float64."""
        torch.manual_seed(seed)
        return self.build().double()


def rows(train: int, seed: int = 0) -> tuple[Rows, Rows]:
    """Rows to train on, and all others to test on."""
    data = load_digits()
    order = np.random.default_rng(seed).permutation(len(data.target))
    pictures, digits = torch.tensor(data.images / 16.0)[order], torch.tensor(data.target)[order]
    return Rows(pictures[:train], digits[:train]), Rows(pictures[train:], digits[train:])


def logistic() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, CLASSES))


def perceptron() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, 16), nn.Tanh(), nn.Linear(16, CLASSES))


def convolutions() -> nn.Module:
    return nn.Sequential(
        nn.Unflatten(1, (1, SIDE)),
        nn.Conv2d(1, 4, 3, padding=1),
        nn.SiLU(),
        nn.AvgPool2d(2),
        nn.Conv2d(4, 6, 3, padding=1),
        nn.SiLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(24, CLASSES),
    )


class Transformer(nn.Module):
    """Each line of a picture is a token: one block of attention, whose mean tells the digit."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.embed = nn.Linear(SIDE, width)
        self.place = nn.Parameter(0.1 * torch.randn(SIDE, width))
        self.block = nn.TransformerEncoderLayer(
            width, 1, 2 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, CLASSES)

    def forward(self, pictures: Tensor) -> Tensor:
        tokens: Tensor = self.block(self.embed(pictures) + self.place)
        scores: Tensor = self.head(self.norm(tokens.mean(dim=1)))
        return scores


CASES = {
    case.name: case
    for case in (
        Case("logistic regression", logistic, 1e-3, ("bias",)),
        Case("MLP", perceptron, 1e-3),
        Case("CNN", convolutions, 1e-2),
        Case("transformer", Transformer, 3e-2, rows=200),
    )
}
