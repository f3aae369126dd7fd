"""Slow and obvious second derivatives of the loss of a whole data set: one row at a time, backward twice."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from eigenshrink.networks.state import undisturbed

Array = NDArray[np.float64]


def weights_of(model: nn.Module) -> list[Tensor]:
    return [weight for weight in model.parameters() if weight.requires_grad]


def hessian(model: nn.Module, loss: Any, X: Any, y: Any) -> Array:
    """``∇²L`` of the mean over all rows at once."""
    with undisturbed(model):
        weights = weights_of(model)
        slope = row(loss(model(X), y), weights, create_graph=True)
        return np.stack([row(one, weights, retain_graph=True).numpy() for one in slope])


def ggn(model: nn.Module, loss: Any, X: Any, y: Any, middle: Any = None) -> Array:
    """``JᵀH_L J``, J row by row, ``H_L`` that of the mean loss in all outputs."""
    with undisturbed(model):
        output = model(X)
        J = jacobian(model, output)
        place = output.detach()
        found = torch.func.hessian(lambda values: loss(values, y))(place) if middle is None else middle(place)
        H = found.reshape(len(J), len(J)).numpy()
    return J.T @ H @ J


def jacobian(model: nn.Module, output: Tensor) -> Array:
    weights = weights_of(model)
    return np.stack([row(one, weights, retain_graph=True).numpy() for one in output.reshape(-1)])


def row(value: Tensor, weights: list[Tensor], **options: bool) -> Tensor:
    """The gradient of one number as a flat vector, zero where it does not depend on a weight."""
    if not value.requires_grad:
        return torch.zeros(sum(weight.numel() for weight in weights), dtype=weights[0].dtype)
    slopes = torch.autograd.grad(value, weights, allow_unused=True, **options)
    pairs = zip(slopes, weights, strict=True)
    return torch.cat([(torch.zeros_like(w) if s is None else s).reshape(-1) for s, w in pairs])


def in_float64(model: nn.Module) -> nn.Module:
    """The same numbers, computed with more digits."""
    return copy.deepcopy(model).double()


def error(ours: Array, exact: Array) -> float:
    """Largest difference relative to the largest entry."""
    return float(np.abs(ours - exact).max() / np.abs(exact).max())
