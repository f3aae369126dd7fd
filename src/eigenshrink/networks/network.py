"""A model, its loss and its weights as one function of the flat weights (M2)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from eigenshrink.networks.batches import Batch, Batches, batches
from eigenshrink.networks.losses import NetLoss, find_loss
from eigenshrink.networks.parameters import COARSE, Parameters


@dataclass(frozen=True, eq=False)
class Network:
    """What is differentiated: ``tensors, batch → output``, and the loss of that output.

    Attributes
    ----------
    parameters : Parameters
    loss : NetLoss
    """

    parameters: Parameters
    loss: NetLoss

    @classmethod
    def of(cls, model: nn.Module, loss: Any, keep: Collection[str] | None = None) -> Network:
        """Put together a model and its loss; only the weights named in ``keep``, where it is given."""
        return cls(Parameters.of(model, keep), find_loss(loss))

    @property
    def model(self) -> nn.Module:
        """The model itself."""
        return self.parameters.model

    def batches(self, loader: Any) -> Batches:
        """Batches where the weights are, in the type that is computed with."""
        return batches(loader, self.parameters.device, self.parameters.dtype)

    def output(self, tensors: Sequence[Tensor], batch: Batch) -> Tensor:
        """What the model gives with other weights, as one tensor; the model itself is not changed.

        Parameters
        ----------
        tensors : sequence of Tensor
            As :meth:`Parameters.split` and :meth:`Parameters.tensors` give them.
        batch : Batch
            Of :meth:`batches`.
        """
        return self.loss.arrange(self.answer(tensors, batch), batch.target)

    def answer(self, tensors: Sequence[Tensor], batch: Batch) -> Any:
        """What the model gives, as it is."""
        positions, keywords = batch.arguments
        return functional_call(self.model, self._named(tensors), positions, keywords)

    def held(self, tensors: Sequence[Tensor], work: Callable[[], Any]) -> Any:
        """Do some work while the model has other weights.

        For gradients: checkpoints run parts of the model again on the way back, outside of :meth:`answer`.
        """
        named = {f"model.{name}": tensor for name, tensor in self._named(tensors).items()}
        return functional_call(_Holder(self.model), named, (work,))

    def _named(self, tensors: Sequence[Tensor]) -> dict[str, Tensor]:
        return {**self._buffers, **self.parameters.named(tensors)}

    def total(self, tensors: Sequence[Tensor], batch: Batch) -> Tensor:
        """``L · denominator`` of a batch, differentiable."""
        return self.loss.sum(self.output(tensors, batch), batch.target)

    @cached_property
    def _buffers(self) -> dict[str, Tensor]:
        """Buffers and frozen weights of 16 bits, in 32 where weights are computed with so."""
        if not self.parameters.coarse:
            return {}
        own = {name for weight in self.parameters.weights for name in weight.names}
        named = dict(self.model.named_buffers(remove_duplicate=False))
        named |= dict(self.model.named_parameters(remove_duplicate=False))
        return {
            name: tensor.detach().to(torch.float32)
            for name, tensor in named.items()
            if name not in own and tensor.dtype in COARSE
        }


class _Holder(nn.Module):
    """A model around some work."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, work: Callable[[], Any]) -> Any:
        return work()
