"""The loss that a model computes itself when it is given labels, as transformers do: recognised by value."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from eigenshrink.errors import InputError
from eigenshrink.networks.losses import NetLoss, find_loss
from eigenshrink.networks.losses.binary import BinaryCrossEntropy
from eigenshrink.networks.losses.cross_entropy import CrossEntropy
from eigenshrink.networks.losses.next_token import NextToken
from eigenshrink.networks.losses.squared import SquaredError
from eigenshrink.networks.network import Network
from eigenshrink.networks.parameters import Parameters
from eigenshrink.networks.state import undisturbed

SAME = {torch.float64: 1e-9, torch.float32: 1e-4}  # relative difference of two ways to the same loss
KNOWN = (NextToken(), CrossEntropy(), BinaryCrossEntropy(), SquaredError())


def network_of(model: nn.Module, loss: Any, loader: Any) -> Network:
    """Put together a model and its loss; the model's own loss where ``loss`` is None.

    Parameters
    ----------
    model : nn.Module
    loss : as for :func:`eigenshrink.networks.losses.find_loss`, or None
    loader : as for :func:`eigenshrink.networks.batches.batches`

    Raises
    ------
    InputError
        If the model gives no loss, or one that is not known.
    """
    parameters = Parameters.of(model)
    return Network(parameters, declared_loss(parameters, loader) if loss is None else find_loss(loss))


def declared_loss(parameters: Parameters, loader: Any) -> NetLoss:
    """Find the known loss that equals ``model(**batch).loss`` on the first batch.

    Tried are cross entropy of each next token, of each label, binary cross entropy and mean square.

    Parameters
    ----------
    parameters : Parameters
        Of the model.
    loader : as for :func:`eigenshrink.networks.batches.batches`
        Its batches are dicts with ``labels``.

    Raises
    ------
    InputError
        If the model gives no loss, or one that is not known.
    """
    bare = Network(parameters, KNOWN[0])
    with undisturbed(parameters.model), torch.no_grad():
        batch = next(iter(bare.batches(loader)))
        output = bare.answer(parameters.tensors(), batch)
    own = getattr(output, "loss", None)
    if not isinstance(own, Tensor):
        raise InputError(
            "loss=None is for models that compute their loss from labels, and this one gives none; "
            "give loss=, such as nn.CrossEntropyLoss()"
        )
    value = own.item()
    for loss in KNOWN:
        mean = _mean(loss, output, batch.target)
        if mean is not None and abs(mean - value) <= SAME[parameters.dtype] * abs(value):
            return loss
    raise InputError(
        f"the model's own loss of the first batch is {value:.6g}, which is none of cross entropy, that of "
        "the next token, binary cross entropy or mean square; give loss= as a function of (logits, labels)"
    )


def _mean(loss: NetLoss, output: Any, target: Any) -> float | None:
    """The loss of a batch; None where shapes do not belong to it."""
    try:
        return loss.rows(loss.arrange(output, target), target).mean
    except InputError:
        return None
