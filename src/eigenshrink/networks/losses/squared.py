"""Mean squared error: ``L = Σ (output − target)² / (n t)``, twice the house's half squares."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from eigenshrink.models.loss import Loss
from eigenshrink.models.squared import SQUARED
from eigenshrink.networks.losses.base import NetLoss, Product


@dataclass(frozen=True, eq=False)
class SquaredError(NetLoss):
    """``nn.MSELoss`` of outputs and targets of one shape."""

    modules = (nn.MSELoss,)
    functions = (F.mse_loss,)
    per_count = 0.5

    @property
    def house(self) -> Loss:
        """Squared loss; L is the mean square itself."""
        return replace(SQUARED, name="mse", convex=False, unit="mean squared error")

    def terms(self, output: Tensor, target: Any) -> Tensor:
        """Squares."""
        squares: Tensor = (output - target) ** 2
        return squares

    def counts(self, output: Tensor, target: Any) -> Tensor:
        """One each."""
        return torch.ones_like(output)

    def middle(self, output: Tensor, target: Any) -> Product:
        """Twice the identity."""
        return lambda vectors: 2.0 * vectors
