"""Small models and data for the tests of networks: seeded, a few hundred weights."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from eigenshrink.networks.parameters import Parameters


@dataclass
class Case:
    """A model with its loss and its data, the rows in ragged batches."""

    model: nn.Module
    loss: Any
    X: Any
    y: Tensor
    size: int = 16

    @property
    def loader(self) -> list[tuple[Any, Tensor]]:
        return cut(self.X, self.y, self.size)


def cut(X: Any, y: Tensor, size: int = 16) -> list[tuple[Any, Tensor]]:
    return [(X[i : i + size], y[i : i + size]) for i in range(0, len(y), size)]


def shuffled(X: Tensor, y: Tensor, size: int = 16, **options: Any) -> DataLoader[Any]:
    return DataLoader(TensorDataset(X, y), batch_size=size, shuffle=True, **options)


@contextmanager
def drawn(seed: int) -> Iterator[None]:
    """Random numbers of a seed, those of the other tests left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def digits(rows: int = 70, dtype: torch.dtype = torch.float64, pooled: int = 2) -> tuple[Tensor, Tensor]:
    """Handwritten digits as images (rows, 1, 8/pooled, 8/pooled) in [0, 1], with their classes."""
    X, y = load_digits(return_X_y=True)
    images = torch.from_numpy(X[:rows] / 16.0).reshape(-1, 1, 8, 8)
    return F.avg_pool2d(images, pooled).to(dtype), torch.from_numpy(y[:rows]).long()


class Attention(nn.Module):
    """One block of a transformer: MHA, F.scaled_dot_product_attention, layer norm."""

    def __init__(self, width: int = 4, classes: int = 10) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, 2, batch_first=True)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        mixed = x + self.attention(x, x, x, need_weights=False)[0]
        mixed = mixed + F.scaled_dot_product_attention(mixed, mixed, mixed)
        return self.head(self.norm(mixed).mean(1))


class Tied(nn.Module):
    """Tokens to tokens with one matrix for the embedding and the head, ``(n, c, t)`` logits."""

    def __init__(self, tokens: int = 7, width: int = 4) -> None:
        super().__init__()
        self.embedding = nn.Embedding(tokens, width)
        self.inner = nn.Linear(width, width)
        self.head = nn.Linear(width, tokens, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.tanh(self.inner(self.embedding(x)))).movedim(-1, 1)


@dataclass
class Output:
    """What models of tokens return."""

    logits: Tensor
    loss: Tensor | None = None


class Tokens(nn.Module):
    """Called as transformers are, ``model(input_ids=..., labels=...)``; gives logits ``(n, t, c)``."""

    def __init__(self, shift: bool = True, tokens: int = 7) -> None:
        super().__init__()
        self.inside = Tied(tokens)
        self.shift = shift

    def forward(self, input_ids: Tensor, labels: Tensor | None = None) -> Output:
        logits = self.inside(input_ids).movedim(1, -1)
        if labels is None:
            return Output(logits)
        told, seen = (logits[:, :-1], labels[:, 1:]) if self.shift else (logits, labels)
        return Output(logits, F.cross_entropy(told.flatten(0, 1), seen.flatten()))


@dataclass
class Decay:
    """As read from an optimiser."""

    alpha0: float
    penalty_factor: np.ndarray


def decay(model: nn.Module, alpha: float = 0.01) -> Decay:
    return Decay(alpha, 1.0 + np.arange(Parameters.of(model).dim))


def logistic(dtype: torch.dtype = torch.float64) -> Case:
    X, y = digits(dtype=dtype)
    with drawn(1):
        return Case(nn.Sequential(nn.Flatten(), nn.Linear(16, 10)).to(dtype), nn.CrossEntropyLoss(), X, y)


def mlp(dtype: torch.dtype = torch.float64, loss: Any = None) -> Case:
    X, y = digits(dtype=dtype)
    with drawn(2):
        model = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, 10)).to(dtype)
    return Case(model, loss or nn.CrossEntropyLoss(), X, y)


def regression(outputs: int = 2, dtype: torch.dtype = torch.float64) -> Case:
    with drawn(3):
        X = torch.randn(50, 5, dtype=torch.float64)
        y = torch.sin(X[:, :outputs]) + 0.1 * torch.randn(50, outputs, dtype=torch.float64)
        model = nn.Sequential(nn.Linear(5, 6), nn.Softplus(), nn.Linear(6, outputs))
    return Case(model.to(dtype), nn.MSELoss(), X.to(dtype), y.to(dtype))


def cnn(dtype: torch.dtype = torch.float64) -> Case:
    """Convolution, batch normalisation with running statistics, dropout, a linear head."""
    X, y = digits(dtype=dtype)
    with drawn(4):
        model = nn.Sequential(
            nn.Conv2d(1, 3, 3, padding=1),
            nn.BatchNorm2d(3),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Flatten(),
            nn.Linear(48, 10),
        ).to(dtype)
        model(X)
    return Case(model, nn.CrossEntropyLoss(), X, y)


def transformer(dtype: torch.dtype = torch.float64) -> Case:
    X, y = digits(dtype=dtype)
    with drawn(5):
        model = Attention().to(dtype)
    return Case(model, nn.CrossEntropyLoss(), X.squeeze(1), y)


def tied(dtype: torch.dtype = torch.float64) -> Case:
    with drawn(6):
        X = torch.randint(7, (20, 5))
        y = (2 * X + 1) % 7
        y[0, :2] = -100
        y[17:, 1:] = -100
        model = Tied().to(dtype)
    return Case(model, nn.CrossEntropyLoss(), X, y, 8)


def tokens(shift: bool = True) -> tuple[nn.Module, list[dict[str, Tensor]]]:
    """A model that computes its own loss, and batches as it takes them."""
    case = tied()
    with drawn(7):
        model = Tokens(shift).double()
    return model, [{"input_ids": x, "labels": y} for x, y in case.loader]


def look(model: nn.Module) -> dict[str, Any]:
    """All of its state, as values."""
    return {
        "modes": [module.training for module in model.modules()],
        "buffers": [(id(b), b.tolist()) for b in model.buffers()],
        "weights": [(id(w), w.tolist()) for w in model.parameters()],
        "wanted": [w.requires_grad for w in model.parameters()],
        "gradients": [
            None if w.grad is None else (id(w.grad), w.grad.tolist()) for w in model.parameters()
        ],
        "random": (torch.get_rng_state().tolist(), random.getstate()),
        "switches": switches(),
    }  # fmt: skip


def switches() -> tuple[Any, ...]:
    backends = torch.backends
    return (
        backends.mha.get_fastpath_enabled(),
        backends.cuda.math_sdp_enabled(),
        backends.cuda.flash_sdp_enabled(),
        backends.cuda.mem_efficient_sdp_enabled(),
        backends.cuda.matmul.allow_tf32,
        backends.cudnn.allow_tf32,
        torch.get_float32_matmul_precision(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_autocast_enabled("cpu"),
    )
