"""One batch at ``w₀`` as a linear map of the weights, and the fastest route to it: forward mode (M4)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import grad, jvp, vjp, vmap

from eigenshrink.networks.batches import Batch
from eigenshrink.networks.graph import TwoParts, two_parts
from eigenshrink.networks.network import Network
from eigenshrink.networks.shapes import Kind, put_together, taken_apart
from eigenshrink.networks.state import exact, undisturbed

Vectors = Sequence[Tensor]  # one tensor per tensor of weights; m of them lead where there are several
Parts = Sequence[Tensor | None]  # None: zero

KINDS = ("ggn", "hessian")


@dataclass(frozen=True, eq=False)
class Linearised:
    """The curvature of the summed loss of one batch.

    Attributes
    ----------
    product : callable
        From one vector to ``H v``.
    products : callable or None
        From m vectors at once, leading; None: one after the other.
    nbytes : int
        What is kept for it beside the weights.
    """

    product: Callable[[Vectors], Parts]
    products: Callable[[Vectors], Parts] | None
    nbytes: int


class Route(ABC):
    """A way to the curvature of a batch.

    Attributes
    ----------
    name : str
        In words.
    weights : list of Tensor
        ``w₀``.
    blocks : bool
        Whether it multiplies several vectors at once.
    exact : bool
        Whether products are exact up to rounding.
    slack : float
        Relative error of a product that is no error of the program, for weights of the type in use.
    """

    name: str
    weights: list[Tensor]
    blocks = False
    exact = True

    def __init__(self, network: Network, kind: str) -> None:
        self.network = network
        self.kind = kind
        self.slack = 10.0 * torch.finfo(network.parameters.dtype).eps ** 0.5

    @abstractmethod
    def ready(self) -> AbstractContextManager[object]:
        """In which batches are linearised and products are made; entered once for many."""

    @abstractmethod
    def linearise(self, batch: Batch) -> tuple[Linearised, Tensor]:
        """Prepare products with the curvature of one batch; also what the model gave."""

    @abstractmethod
    def gradient(self, batch: Batch) -> Parts:
        """The gradient of the summed loss, as training computes it: what products are priced in."""


class Forward(Route):
    """``v → JᵀH_L J v`` or ``v → d∇L(w₀ + tv)/dt`` in forward mode, traced once per shape of batch.

    Batches differ only in what is computed before the vectors are met.
    """

    name = "forward mode, traced"
    blocks = True

    def __init__(self, network: Network, kind: str) -> None:
        super().__init__(network, kind)
        self.weights = [tensor.clone() for tensor in network.parameters.tensors()]
        self.devices = {tensor.device.type for tensor in self.weights}
        self.traced: dict[Kind, TwoParts] = {}

    @contextmanager
    def ready(self) -> Iterator[None]:
        """Nothing of the model is touched."""
        with torch.no_grad(), exact(*self.devices):
            yield

    def linearise(self, batch: Batch) -> tuple[Linearised, Tensor]:
        """Compute what does not depend on the vectors."""
        tensors, kind = taken_apart((batch.inputs, batch.target))
        given = [*self.weights, *tensors]
        parts = self.traced.get(kind)
        if parts is None:
            parts = self.traced[kind] = self._trace(kind, given)
        *met, output = parts.prepare(*given)
        many = vmap(parts.apply, in_dims=(0,) * len(self.weights) + (None,) * len(met))
        known = [*self.weights, *self.network.model.parameters()]
        linearised = Linearised(
            lambda vectors: parts.apply(*vectors, *met),
            (lambda vectors: many(*vectors, *met)) if parts.blocks else None,
            nbytes(met, known, tensors),
        )
        return linearised, output

    def gradient(self, batch: Batch) -> Parts:
        """Backward through the model itself."""
        weights = [tensor.detach().requires_grad_() for tensor in self.weights]
        with undisturbed(self.network.model):
            return torch.autograd.grad(self.network.total(weights, batch), weights, allow_unused=True)

    def _trace(self, kind: Kind, given: Sequence[Tensor]) -> TwoParts:
        count = len(self.weights)
        product = self._ggn if self.kind == "ggn" else self._hessian

        def traced(tangents: list[Tensor], others: list[Tensor]) -> list[Tensor]:
            inputs, target = put_together(kind, others[count:])
            return product(tuple(tangents), tuple(others[:count]), Batch(inputs, target))

        with undisturbed(self.network.model), torch.no_grad():
            vectors = [torch.ones_like(tensor) for tensor in self.weights]  # others than what they meet
            return two_parts(traced, vectors, given)

    def _ggn(self, tangents: tuple[Tensor, ...], weights: tuple[Tensor, ...], batch: Batch) -> list[Tensor]:
        def outputs(*tensors: Tensor) -> Tensor:
            return self.network.output(tensors, batch)

        output, pull = vjp(outputs, *weights)[:2]
        along = jvp(outputs, weights, tangents)[1]
        return [*pull(self.network.loss.curve(output, batch.target, along[None])[0]), output]

    def _hessian(
        self, tangents: tuple[Tensor, ...], weights: tuple[Tensor, ...], batch: Batch
    ) -> list[Tensor]:
        slope = grad(self.network.total)
        along = jvp(lambda *tensors: slope(tensors, batch), weights, tangents)[1]
        return [*along, self.network.output(weights, batch)]


def nbytes(tensors: Sequence[Tensor], known: Sequence[Tensor], rows: Sequence[Tensor] = ()) -> int:
    """Bytes of their storages, each once, those of ``known`` tensors left out.

    Of the tensors of a batch, which may be parts of all the data, their own numbers count.
    """
    own = {tensor.untyped_storage().data_ptr(): tensor.nbytes for tensor in rows}
    sizes = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors}
    shared = {tensor.untyped_storage().data_ptr() for tensor in known}
    return sum(min(size, own.get(place, size)) for place, size in sizes.items() if place not in shared)
