"""Any other loss: taken as the mean over the rows of a batch, differentiated automatically."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from eigenshrink.errors import InputError
from eigenshrink.models.loss import Loss
from eigenshrink.models.squared import SQUARED
from eigenshrink.networks.batches import row_count
from eigenshrink.networks.losses.base import NetLoss, Product, logits_of
from eigenshrink.path.measured import RowLosses


@dataclass(frozen=True, eq=False)
class GenericLoss(NetLoss):
    """A callable ``(output, target) → `` mean over the rows of the target.

    Batches weigh as many rows as they have. Rows cannot be told apart, so errors of measured losses go by
    batches, and S is not known. The curvature is that of the callable: the Gauss-Newton matrix is positive
    only if the callable is convex in the output.
    """

    call: Callable[[Any, Any], Any]

    by_row = False

    @property
    def house(self) -> Loss:
        """Known by its name only."""
        name = getattr(self.call, "__name__", type(self.call).__name__)
        return replace(SQUARED, name=name, convex=False, unit="loss", known_dispersion=False)

    def fits(self, output: Tensor, target: Any) -> None:
        """Whatever the callable takes."""

    def arrange(self, output: Any, target: Any) -> Tensor:
        """One tensor."""
        return logits_of(output)

    def terms(self, output: Tensor, target: Any) -> Tensor:
        """The mean times the number of rows, ``(1,)``."""
        mean = self.call(output, target)
        if not isinstance(mean, Tensor) or mean.numel() != 1:
            got = tuple(mean.shape) if isinstance(mean, Tensor) else type(mean).__name__
            raise InputError(
                f"the loss gives {got}; it must give the mean over the rows of a batch, one number: "
                "reduction='mean', or .mean() at its end"
            )
        return mean.reshape(1) * row_count(target)

    def counts(self, output: Tensor, target: Any) -> Tensor:
        """Number of rows, ``(1,)``."""
        return torch.full((1,), float(row_count(target)), dtype=output.dtype, device=output.device)

    def weight_sum(self, target: Any, output: Tensor) -> float:
        """Not known: it need not be a log-likelihood."""
        return float("nan")

    def observations(self, target: Any, output: Tensor) -> float:
        """Number of rows."""
        return float(row_count(target))

    def rows(self, output: Tensor, target: Any) -> RowLosses:
        """One row per batch."""
        with torch.no_grad():
            count = float(row_count(target))
            return RowLosses(np.array([float(self.sum(output, target)) / count]), np.array([count]))

    def middle(self, output: Tensor, target: Any) -> Product:
        """Hessian products by differentiating the gradient along each vector."""
        slope = torch.func.grad(lambda place: self.sum(place, target))

        def along(vector: Tensor) -> Tensor:
            return cast("Tensor", torch.func.jvp(slope, (output,), (vector,))[1])

        return lambda vectors: torch.stack([along(vector) for vector in vectors])
