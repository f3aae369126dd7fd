"""The losses of networks: one small file and one line here each.

A loss of PyTorch is known by its module or function with ``reduction="mean"``; every other callable
``(output, target) → mean`` takes the generic route.
"""

from __future__ import annotations

from dataclasses import fields
from functools import partial
from typing import Any

from torch import nn

from eigenshrink.errors import InputError
from eigenshrink.networks.losses.base import NetLoss
from eigenshrink.networks.losses.binary import BinaryCrossEntropy
from eigenshrink.networks.losses.cross_entropy import CrossEntropy
from eigenshrink.networks.losses.gaussian import GaussianNLL
from eigenshrink.networks.losses.generic import GenericLoss
from eigenshrink.networks.losses.poisson import PoissonNLL
from eigenshrink.networks.losses.squared import SquaredError

__all__ = ["LOSSES", "NetLoss", "find_loss"]

LOSSES: tuple[type[NetLoss], ...] = (CrossEntropy, SquaredError, BinaryCrossEntropy, PoissonNLL, GaussianNLL)
"""Every loss that is known in closed form."""


def find_loss(loss: Any) -> NetLoss:
    """The record of a loss of PyTorch, of a function with options set by ``partial``, or of any callable.

    Parameters
    ----------
    loss : nn.Module, callable or NetLoss
        Called with (output, target), gives the mean over a batch.

    Raises
    ------
    InputError
        If it cannot be called, or is a sum: then weight decay has another meaning (M1).
    """
    if isinstance(loss, NetLoss):
        return loss
    if loss is None or not callable(loss):
        raise InputError(f"loss is {loss!r}; give a module of torch.nn or a function of (output, target)")
    if isinstance(loss, type):
        raise InputError(f"loss is the class {loss.__name__}; give one of it: {loss.__name__}()")
    _mean(loss)
    for known in LOSSES:
        found = _as_module(known, loss) if isinstance(loss, nn.Module) else _as_function(known, loss)
        if found is not None:
            return found
    return GenericLoss(loss)


def _as_module(known: type[NetLoss], loss: nn.Module) -> NetLoss | None:
    """Of one of its modules, or a subclass that computes the same."""
    if not any(isinstance(loss, kind) and _same_forward(loss, kind) for kind in known.modules):
        return None
    options = {one.name: getattr(loss, one.name) for one in fields(known) if hasattr(loss, one.name)}
    return known(**options)


def _same_forward(loss: nn.Module, kind: type[nn.Module]) -> bool:
    return type(loss).forward is kind.forward


def _as_function(known: type[NetLoss], loss: Any) -> NetLoss | None:
    """Of one of its functions, with keywords that are all understood."""
    options = dict(loss.keywords) if isinstance(loss, partial) and not loss.args else {}
    bare = loss.func if options or isinstance(loss, partial) else loss
    options.pop("reduction", None)
    understood = options.keys() <= {one.name for one in fields(known)}
    return known(**options) if understood and any(bare is one for one in known.functions) else None


def _mean(loss: Any) -> None:
    """Refuse sums and losses without reduction."""
    reduction = getattr(loss, "reduction", None)
    if isinstance(loss, partial):
        reduction = loss.keywords.get("reduction", reduction)
    if reduction in ("sum", "none"):
        raise InputError(
            f"the loss has reduction={reduction!r}: weight_decay then weighs against the sum of a batch, and "
            "means something else for every batch size; give it with reduction='mean', and weight_decay "
            "divided by the rows of a batch if it was trained with the sum"
        )
