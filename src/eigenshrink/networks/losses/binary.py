"""Binary cross entropy of logits, with weights of positives and of outputs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from eigenshrink.models.logistic import LOGISTIC
from eigenshrink.models.loss import Loss
from eigenshrink.networks.losses.base import NetLoss, Product, like


@dataclass(frozen=True, eq=False)
class BinaryCrossEntropy(NetLoss):
    """``nn.BCEWithLogitsLoss``: the mean over all outputs, whatever they weigh."""

    weight: Tensor | None = None
    pos_weight: Tensor | None = None

    modules = (nn.BCEWithLogitsLoss,)
    functions = (F.binary_cross_entropy_with_logits,)

    @property
    def house(self) -> Loss:
        """Log loss of two classes."""
        weighted = self.weight is not None or self.pos_weight is not None
        unit = "weighted log loss" if weighted else "log loss"
        return replace(LOGISTIC, name="bce_with_logits", convex=False, unit=unit)

    def terms(self, output: Tensor, target: Any) -> Tensor:
        """``−w (v y log p + (1−y) log(1−p))``."""
        return F.binary_cross_entropy_with_logits(
            output,
            target.to(output.dtype),
            weight=like(self.weight, output),
            pos_weight=like(self.pos_weight, output),
            reduction="none",
        )

    def counts(self, output: Tensor, target: Any) -> Tensor:
        """One each."""
        return torch.ones_like(output)

    def middle(self, output: Tensor, target: Any) -> Product:
        """``w (1 + (v−1) y) p (1−p)``, a diagonal."""
        share = torch.sigmoid(output)
        diagonal = share * torch.sigmoid(-output)
        positive, weight = like(self.pos_weight, output), like(self.weight, output)
        if positive is not None:
            diagonal = diagonal * (1.0 + (positive - 1.0) * target)
        if weight is not None:
            diagonal = diagonal * weight
        return lambda vectors: diagonal * vectors

    def wrong(self, output: Tensor, target: Any) -> Tensor:
        """Share of outputs on the wrong side."""
        off: Tensor = (output > 0) != (target > 0.5)
        return off.reshape(len(off), -1).double().mean(1)
