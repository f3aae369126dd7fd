"""True losses and gradients of a network at any flat weights; the model is not changed (M18)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from eigenshrink.errors import InputError
from eigenshrink.networks.batches import Batch, Batches
from eigenshrink.networks.network import Network
from eigenshrink.networks.rows import linearised
from eigenshrink.networks.state import undisturbed
from eigenshrink.path.measured import Linearised, RowLosses

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Pass:
    """What one pass over the data gave.

    Attributes
    ----------
    losses : RowLosses
        In the order of the loader.
    gradient : (p,)
        ``∇L``, empty where it was not asked for.
    used : tuple of bool
        For each tensor of weights whether the loss depends on it.
    steepness : float
        Sum over batches of the length of what each adds to the gradient: what its rounding is relative to.
    reach : float
        Largest output.
    batches, rows : int
    gradient_noise : float
        Standard error of ``‖∇L‖`` from how the batches differ: root of the summed variances of the mean; NaN
        for one batch.
    weight_sum, observations : float
        S and ν.
    """

    losses: RowLosses
    gradient: Array
    used: tuple[bool, ...]
    steepness: float
    reach: float
    batches: int
    rows: int
    weight_sum: float
    observations: float
    gradient_noise: float = float("nan")


def run(network: Network, weights: Array, data: Batches, gradient: bool = True) -> Pass:
    """Go over the data once at flat weights ``(p,)``, inside :func:`undisturbed`.

    Parameters
    ----------
    network : Network
    weights : (p,)
    data : Batches
        Of :meth:`Network.batches`.
    gradient : bool
        Also ``∇L``, by one backward pass for each batch.
    """
    tensors = [tensor.requires_grad_(gradient) for tensor in network.parameters.split(weights)]
    tally = _Tally(network)
    for batch in data:
        with torch.set_grad_enabled(gradient):
            network.held(tensors, partial(_one, tally, tensors, batch, gradient))
    return tally.passed()


def _one(tally: _Tally, tensors: Sequence[Tensor], batch: Batch, gradient: bool) -> None:
    """Count one batch."""
    network = tally.network
    output = network.output(tensors, batch)
    tally.add(output.detach(), batch)
    if gradient:
        tally.add_gradient(network.loss.sum(output, batch.target), tensors)


@dataclass(frozen=True, eq=False)
class NetworkMeasure:
    """The losses of a network on the rows it was trained on and on those that judge.

    Attributes
    ----------
    network : Network
    data : Batches
        What it was trained on.
    judging : Batches or None
        What it was not.
    """

    network: Network
    data: Batches
    judging: Batches | None = None

    @classmethod
    def of(cls, network: Network, loader: Any, val_loader: Any = None) -> NetworkMeasure:
        """Measure with one loader or two."""
        judging = None if val_loader is None else network.batches(val_loader)
        return cls(network, network.batches(loader), judging)

    @cached_property
    def judges(self) -> int:
        """Rows that judge."""
        return 0 if self.judging is None else sum(batch.rows for batch in self.judging)

    def train(self, weights: Array) -> RowLosses:
        """Losses of the rows it was trained on, without penalty."""
        return self._run(weights, self.data, gradient=False).losses

    def validation(self, weights: Array) -> RowLosses:
        """Losses of the rows that judge."""
        return self._run(weights, self._judging(), gradient=False).losses

    def train_gradient(self, weights: Array) -> Array:
        """``∇L``, ``(p,)``."""
        return self._run(weights, self.data, gradient=True).gradient

    def validation_gradient(self, weights: Array) -> Array:
        """``∇V``, ``(p,)``."""
        return self._run(weights, self._judging(), gradient=True).gradient

    def linearised(self) -> Linearised | None:
        """Outputs of all rows as functions of the weights; None where that is too large."""
        return linearised(self.network, self.data)

    def _judging(self) -> Batches:
        assert self.judging is not None
        return self.judging

    def _run(self, weights: Array, data: Batches, gradient: bool) -> Pass:
        with undisturbed(self.network.model):
            return run(self.network, weights, data, gradient)


class _Tally:
    """Sums over batches."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.losses: list[RowLosses] = []
        self.gradient = np.zeros(0)
        self.used = [False] * len(network.parameters.weights)
        self.steepness = self.reach = self.denominator = self.weight_sum = self.observations = 0.0
        self.rows, self.squares = 0, 0.0

    def add(self, output: Tensor, batch: Batch) -> None:
        loss, target = self.network.loss, batch.target
        if not batch.rows:
            raise InputError(f"batch {len(self.losses)} has no rows: leave it out of the loader")
        self.losses.append(loss.rows(output, target))
        self.reach = max(self.reach, float(output.abs().max()) if output.numel() else 0.0)
        self.denominator += loss.denominator(target, output)
        self.weight_sum += loss.weight_sum(target, output)
        self.observations += loss.observations(target, output)
        self.rows += batch.rows

    def add_gradient(self, total: Tensor, tensors: Sequence[Tensor]) -> None:
        slopes: Sequence[Tensor | None] = [None] * len(tensors)
        if total.requires_grad:
            slopes = torch.autograd.grad(total, tensors, allow_unused=True)
        self.used = [known or slope is not None for known, slope in zip(self.used, slopes, strict=True)]
        part = self.network.parameters.join(slopes)
        self.gradient = self.gradient + part if len(self.gradient) else part
        length = float(np.linalg.norm(part))
        self.steepness += length
        share = float(self.losses[-1].weights.sum())
        self.squares += length**2 / share if share > 0 else 0.0

    def passed(self) -> Pass:
        parts = self.losses
        if not self.denominator > 0:
            raise InputError("no target counts in the loss: all are ignored, or of classes with weight zero")
        wrong = None if parts[0].wrong is None else np.concatenate([_known(part.wrong) for part in parts])
        weights = np.concatenate([part.weights for part in parts])
        losses = RowLosses(np.concatenate([part.values for part in parts]), weights, wrong)
        return Pass(
            losses,
            self.gradient / self.denominator,
            tuple(self.used),
            self.steepness / self.denominator,
            self.reach,
            len(parts),
            self.rows,
            self.weight_sum,
            self.observations,
            self._noise(),
        )

    def _noise(self) -> float:
        """From ``Σ_b d_b ‖g_b − g‖²/(B−1)``, the variance of one row, over the rows."""
        count, gradient = len(self.losses), self.gradient / self.denominator
        if count < 2 or not len(gradient):
            return float("nan")
        spread = self.squares - self.denominator * float(gradient @ gradient)
        return float(np.sqrt(max(spread, 0.0) / (count - 1) / self.denominator))


def _known(wrong: Array | None) -> Array:
    assert wrong is not None
    return wrong
