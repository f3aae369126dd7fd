"""Poisson negative log-likelihood of counts, of the mean or of its logarithm."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from eigenshrink.models.loss import Loss
from eigenshrink.models.poisson import POISSON
from eigenshrink.networks.losses.base import NetLoss, Product


@dataclass(frozen=True, eq=False)
class PoissonNLL(NetLoss):
    """``nn.PoissonNLLLoss``: ``exp(o) − y o``, or ``o − y log(o + eps)`` with ``log_input=False``."""

    log_input: bool = True
    full: bool = False
    eps: float = 1e-8

    modules = (nn.PoissonNLLLoss,)
    functions = (F.poisson_nll_loss,)

    @property
    def house(self) -> Loss:
        """Negative log-likelihood of counts."""
        unit = "negative log-likelihood" if self.full else "negative log-likelihood without constants"
        return replace(POISSON, name="poisson_nll", convex=False, unit=unit)

    def terms(self, output: Tensor, target: Any) -> Tensor:
        """One per output."""
        return F.poisson_nll_loss(
            output, target, log_input=self.log_input, full=self.full, eps=self.eps, reduction="none"
        )

    def counts(self, output: Tensor, target: Any) -> Tensor:
        """One each."""
        return torch.ones_like(output)

    def middle(self, output: Tensor, target: Any) -> Product:
        """``exp(o)``, or ``y / (o + eps)²``: a diagonal."""
        diagonal = output.exp() if self.log_input else target / (output + self.eps) ** 2
        return lambda vectors: diagonal * vectors
