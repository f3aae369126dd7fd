"""Gaussian negative log-likelihood of a model that gives means and variances."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from eigenshrink.errors import InputError
from eigenshrink.models.loss import Loss
from eigenshrink.models.squared import SQUARED
from eigenshrink.networks.losses.base import NetLoss, Product


@dataclass(frozen=True, eq=False)
class GaussianNLL(NetLoss):
    """``nn.GaussianNLLLoss`` of a model that returns ``(mean, variance)``; arranged as ``(..., 2)``.

    Its Hessian in the two is not positive, so the Gauss-Newton matrix takes the expected one (Fisher).
    """

    full: bool = False
    eps: float = 1e-6

    modules = (nn.GaussianNLLLoss,)
    functions = (F.gaussian_nll_loss,)

    @property
    def house(self) -> Loss:
        """Negative log-likelihood: the dispersion is what the model gives."""
        unit = "negative log-likelihood" if self.full else "negative log-likelihood without constants"
        return replace(SQUARED, name="gaussian_nll", convex=False, unit=unit, known_dispersion=True)

    def arrange(self, output: Any, target: Any) -> Tensor:
        """Means and variances side by side on a last axis; one variance may serve several means."""
        if not (isinstance(output, tuple | list) and len(output) == 2):
            raise InputError(
                "GaussianNLLLoss needs a model that returns (mean, variance); "
                f"it gives a {type(output).__name__}"
            )
        mean, variance = output
        if variance.ndim == mean.ndim - 1:
            variance = variance.unsqueeze(-1)
        both = torch.stack([mean, variance.expand_as(mean)], dim=-1)
        self.fits(both[..., 0], target)
        return both

    def _parts(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """Mean, and variance of at least ``eps`` whose slope is that of the variance itself."""
        mean, variance = output[..., 0], output[..., 1]
        return mean, variance + (variance.detach().clamp(min=self.eps) - variance.detach())

    def terms(self, output: Tensor, target: Any) -> Tensor:
        """``½ log v + (mean − y)² / 2v``."""
        mean, variance = self._parts(output)
        constant = 0.5 * math.log(2.0 * math.pi) if self.full else 0.0
        terms: Tensor = 0.5 * (variance.log() + (mean - target) ** 2 / variance) + constant
        return terms

    def counts(self, output: Tensor, target: Any) -> Tensor:
        """One each."""
        return torch.ones_like(output[..., 0])

    def middle(self, output: Tensor, target: Any) -> Product:
        """``1/v`` and ``1/2v²``, a diagonal: the expected Hessian."""
        _, variance = self._parts(output)
        diagonal = torch.stack([1.0 / variance, 0.5 / variance**2], dim=-1)
        return lambda vectors: diagonal * vectors
