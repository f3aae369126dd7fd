"""Cross entropy of the token that follows: logits at t against the label at t + 1."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from eigenshrink.models.loss import Loss
from eigenshrink.networks.losses.base import Product
from eigenshrink.networks.losses.cross_entropy import CrossEntropy


@dataclass(frozen=True, eq=False)
class NextToken(CrossEntropy):
    """What causal models of ``transformers`` compute themselves, by its true number of tokens."""

    @property
    def house(self) -> Loss:
        """Log loss of tokens."""
        return replace(super().house, name="next_token", unit="log loss per token")

    def fits(self, output: Tensor, target: Any) -> None:
        """Labels are tokens."""
        super().fits(output, self._next(target))

    def terms(self, output: Tensor, target: Any) -> Tensor:
        """As cross entropy."""
        return super().terms(output, self._next(target))

    def counts(self, output: Tensor, target: Any) -> Tensor:
        """As cross entropy."""
        return super().counts(output, self._next(target))

    def observations(self, target: Any, output: Tensor) -> float:
        """As cross entropy."""
        return super().observations(self._next(target), output)

    def middle(self, output: Tensor, target: Any) -> Product:
        """As cross entropy."""
        return super().middle(output, self._next(target))

    def wrong(self, output: Tensor, target: Any) -> Tensor:
        """As cross entropy."""
        return super().wrong(output, self._next(target))

    def _next(self, target: Tensor) -> Tensor:
        """What follows each token; nothing is known of what follows the last."""
        return torch.cat([target[:, 1:], torch.full_like(target[:, :1], self.ignore_index)], dim=1)
