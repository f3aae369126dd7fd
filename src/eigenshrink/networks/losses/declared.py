"""The loss that a model computes itself when it is given labels, as transformers do: recognised by value."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from eigenshrink.errors import InputError
from eigenshrink.networks.batches import Batches
from eigenshrink.networks.losses.base import NetLoss
from eigenshrink.networks.losses.binary import BinaryCrossEntropy
from eigenshrink.networks.losses.cross_entropy import CrossEntropy
from eigenshrink.networks.losses.next_token import NextToken
from eigenshrink.networks.losses.squared import SquaredError
from eigenshrink.networks.parameters import Parameters
from eigenshrink.networks.state import undisturbed

SAME = {torch.float64: 1e-9, torch.float32: 1e-4}  # relative difference of two ways to the same loss


def declared_loss(model: nn.Module, data: Batches) -> NetLoss:
    """Find the known loss that equals ``model(**batch).loss`` on the first batch.

    Tried are cross entropy of each next token, of each label, binary cross entropy and mean square.

    Parameters
    ----------
    model : nn.Module
    data : Batches
        Dicts with ``labels``.

    Raises
    ------
    InputError
        If the model gives no loss, or another one.
    """
    known = (NextToken(), CrossEntropy(), BinaryCrossEntropy(), SquaredError())
    parameters = Parameters.of(model)
    with undisturbed(model), torch.no_grad():
        batch = next(iter(data)).to(parameters.device)
        output = batch(model)
        own = getattr(output, "loss", None)
        if not isinstance(own, Tensor):
            raise InputError(
                "loss=None is for models that compute their loss from labels, and this one gives none; "
                "give loss=, such as nn.CrossEntropyLoss()"
            )
        for loss in known:
            value = _mean(loss, output, batch.target)
            if value is not None and abs(value - own.item()) <= SAME[parameters.dtype] * abs(own.item()):
                return loss
    raise InputError(
        f"the model's own loss of the first batch is {own.item():.6g}, which is none of cross entropy, that "
        "of the next token, binary cross entropy or mean square; give loss= as a function of (logits, labels)"
    )


def _mean(loss: NetLoss, output: Any, target: Any) -> float | None:
    """The loss of a batch; None where shapes do not belong to it."""
    try:
        return loss.rows(loss.arrange(output, target), target).mean
    except InputError:
        return None
