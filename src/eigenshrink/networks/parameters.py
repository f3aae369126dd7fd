"""The weights of a model as one flat vector: each storage once, in the order of its parameters (M2)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from eigenshrink.errors import InputError
from eigenshrink.path.measured import Layer

Array = NDArray[np.float64]

COARSE = (torch.float16, torch.bfloat16)  # computed with in float32


@dataclass(frozen=True, eq=False)
class Weight:
    """One tensor of weights.

    Attributes
    ----------
    names : tuple of str
        Every name under which the model holds it; several where weights are tied.
    tensor : nn.Parameter
        That of the model.
    start, stop : int
        Its place in the flat vector.
    """

    names: tuple[str, ...]
    tensor: nn.Parameter
    start: int = 0
    stop: int = 0

    @property
    def dtype(self) -> torch.dtype:
        """In which it is computed with."""
        return torch.float32 if self.tensor.dtype in COARSE else self.tensor.dtype


@dataclass(frozen=True, eq=False)
class Parameters:
    """The trainable weights of a model, ``(p,)`` in float64, and the way back to tensors.

    Attributes
    ----------
    model : nn.Module
        Without the wrapper that ``torch.compile`` or data parallelism put around it.
    weights : tuple of Weight
        In the order of ``named_parameters()``; frozen ones are left out, tied ones are there once.
    """

    model: nn.Module
    weights: tuple[Weight, ...]

    @classmethod
    def of(cls, model: nn.Module, keep: Collection[str] | None = None) -> Parameters:
        """Find the trainable weights of a model, those named in ``keep`` where it is given.

        Raises
        ------
        InputError
            If nothing is trainable, or weights cannot be written as numbers side by side.
        """
        model = unwrapped(model)
        if not isinstance(model, nn.Module):
            raise InputError(f"the model is a {type(model).__name__}; it must be a torch.nn.Module")
        if isinstance(model, torch.jit.ScriptModule):
            raise InputError(
                f"the model is a {type(model).__name__}, whose weights cannot be exchanged for others: "
                "give the module that it was made of"
            )
        found: dict[tuple[object, ...], Weight] = {}
        for name, tensor in model.named_parameters(remove_duplicate=False):
            if not tensor.requires_grad:
                continue
            _usable(name, tensor)
            place = (tensor.data_ptr() or id(tensor), tensor.shape, tensor.stride(), tensor.dtype)
            known = found.get(place)
            names = (name,) if known is None else (*known.names, name)
            found[place] = Weight(names, tensor if known is None else known.tensor)
        kept = [weight for weight in found.values() if keep is None or weight.names[0] in keep]
        if not sum(weight.tensor.numel() for weight in kept):
            raise InputError(
                "the model has no trainable weights: every parameter is frozen or unused; "
                "set requires_grad_(True) on those that weight decay acts on"
            )
        _apart(kept)
        return cls(model, tuple(_placed(kept)))

    @property
    def dim(self) -> int:
        """p: number of weights."""
        return self.weights[-1].stop

    @property
    def names(self) -> tuple[str, ...]:
        """First name of each tensor."""
        return tuple(weight.names[0] for weight in self.weights)

    @property
    def device(self) -> torch.device:
        """Where the first tensor is: that is where batches are sent."""
        return self.weights[0].tensor.device

    @cached_property
    def dtype(self) -> torch.dtype:
        """The widest type that is computed with, in which inputs are given to the model."""
        return max((weight.dtype for weight in self.weights), key=lambda one: torch.finfo(one).bits)

    @cached_property
    def coarse(self) -> bool:
        """Whether some weights have 16 bits and are computed with in 32."""
        return any(weight.tensor.dtype in COARSE for weight in self.weights)

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """One for each module that owns weights itself, in flat order."""
        layers: list[Layer] = []
        for weight in self.weights:
            path = weight.names[0].rpartition(".")[0].partition(".parametrizations")[0]
            path = "" if path.startswith("parametrizations") else path
            if layers and layers[-1].name == path:
                layers[-1] = replace(layers[-1], stop=weight.stop)
            else:
                kind = type(self.model.get_submodule(path)).__name__
                layers.append(Layer(path, weight.start, weight.stop, kind))
        return tuple(replace(layer, name=layer.name or self._own_name(layer)) for layer in layers)

    def _own_name(self, layer: Layer) -> str:
        """A name for the weights of the model itself: theirs where there is one, else ``model``."""
        own = [weight for weight in self.weights if layer.start <= weight.start < layer.stop]
        return own[0].names[0] if len(own) == 1 else "model"

    def tensors(self) -> list[Tensor]:
        """The current values, not tracked by autograd, as they are computed with."""
        return [weight.tensor.detach().to(weight.dtype) for weight in self.weights]

    def named(self, tensors: Sequence[Tensor]) -> dict[str, Tensor]:
        """Tensors under all their names, for ``torch.func.functional_call``."""
        pairs = zip(self.weights, tensors, strict=True)
        return {name: tensor for weight, tensor in pairs for name in weight.names}

    def flat(self) -> Array:
        """The current values as one vector, ``(p,)``."""
        return self.join(self.tensors())

    def split(self, flat: Array) -> list[Tensor]:
        """Tensors of a flat vector ``(p,)``, or of ``m`` at once ``(p, m)``, which then lead: ``(m, ...)``.

        Each on its device and in its type; weights of 16 bits in float32, so that nothing is rounded.
        """
        if flat.shape[:1] != (self.dim,):
            raise InputError(f"flat weights must have {self.dim} numbers; got shape {flat.shape}")
        many = flat.shape[1:]
        whole = torch.from_numpy(np.require(flat, np.float64, ["C", "W"]))
        parts = []
        for weight in self.weights:
            part = whole[weight.start : weight.stop]
            part = part.T if many else part
            part = part.to(dtype=weight.dtype, device=weight.tensor.device, copy=True)
            parts.append(part.reshape(*many, *weight.tensor.shape))
        return parts

    def join(self, tensors: Sequence[Tensor | None]) -> Array:
        """One flat vector ``(p,)`` of tensors, or ``(p, m)`` where m leads in each; None is zero."""
        pairs = list(zip(self.weights, tensors, strict=True))
        many = next((t.shape[: t.ndim - w.tensor.ndim] for w, t in pairs if t is not None), torch.Size())
        flat = np.zeros((self.dim, *many))
        whole = torch.from_numpy(flat)
        for weight, tensor in pairs:
            if tensor is not None:
                part = tensor.detach()
                part = part.to_dense() if part.is_sparse else part
                part = part.reshape(*many, weight.stop - weight.start)
                whole[weight.start : weight.stop].copy_(part.T if many else part)
        return flat

    def write(self, flat: Array) -> None:
        """Copy a flat vector ``(p,)`` into the model, rounded to the type of its weights."""
        with torch.no_grad():
            for weight, tensor in zip(self.weights, self.split(flat), strict=True):
                weight.tensor.copy_(tensor)


def unwrapped(model: nn.Module) -> nn.Module:
    """The model inside ``torch.compile``, ``DataParallel`` and ``DistributedDataParallel``."""
    while True:
        inner = getattr(model, "_orig_mod", None)
        if inner is None and isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
            inner = model.module
        if not isinstance(inner, nn.Module):
            return model
        model = inner


def _usable(name: str, tensor: Tensor) -> None:
    """Refuse weights that have no numbers, or none that a vector of float64 can hold."""
    if isinstance(tensor, nn.parameter.UninitializedParameter) or tensor.is_meta:
        raise InputError(f"parameter {name!r} has no values yet: run the model on one batch first")
    if not tensor.dtype.is_floating_point:
        raise InputError(f"parameter {name!r} has type {tensor.dtype}; weights must be floating point")


def _placed(weights: Sequence[Weight]) -> list[Weight]:
    """One after the other, those without numbers left out."""
    ends = np.cumsum([0, *(weight.tensor.numel() for weight in weights)])
    places = zip(weights, pairwise(ends.tolist()), strict=True)
    return [replace(weight, start=start, stop=stop) for weight, (start, stop) in places if stop > start]


def _apart(weights: Sequence[Weight]) -> None:
    """Refuse weights that share memory without being the same tensor: no vector can hold both."""
    spans = sorted(((*_span(weight.tensor), weight.names[0]) for weight in weights), key=lambda one: one[:2])
    for (_, end, name), (start, _, other) in pairwise(spans):
        if start < end:
            raise InputError(
                f"parameters {name!r} and {other!r} share memory but are not the same tensor; "
                "tie them by using one nn.Parameter in both places"
            )


def _span(tensor: Tensor) -> tuple[int, int]:
    """First and last address, the device in front."""
    reach = sum((size - 1) * step for size, step in zip(tensor.shape, tensor.stride(), strict=True))
    start = tensor.data_ptr()
    return start, start + (reach + 1) * tensor.element_size() if tensor.numel() else start
