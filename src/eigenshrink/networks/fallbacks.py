"""Routes for what has no forward mode: backward twice through a kept graph, or finite differences (M4)."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn

from eigenshrink.networks.batches import Batch
from eigenshrink.networks.linearised import Linearised, Parts, Route, Vectors, nbytes
from eigenshrink.networks.network import Network
from eigenshrink.networks.parameters import COARSE, Parameters
from eigenshrink.networks.shapes import taken_apart
from eigenshrink.networks.state import undisturbed


class OnCopy(Route):
    """Products on a copy of the model, with the weights of now and gradients of its own."""

    def __init__(self, network: Network, kind: str) -> None:
        super().__init__(copied(network), kind)
        self.weights = [*(weight.tensor for weight in self.network.parameters.weights)]

    def ready(self) -> AbstractContextManager[None]:
        """The copy is in evaluation mode."""
        return undisturbed(self.network.model)

    def output(self, batch: Batch) -> Tensor:
        """What the copy gives, differentiable."""
        return self.network.loss.arrange(batch(self.network.model), batch.target)


class Twice(OnCopy):
    """Backward twice through a kept graph: for what has no forward mode."""

    name = "backward twice"

    def linearise(self, batch: Batch) -> tuple[Linearised, Tensor]:
        """Keep the graph of the output and of its pull-back, or of the gradient."""
        kept: list[Tensor] = []
        with counted(kept):
            output = self.output(batch)
            product = (self._ggn if self.kind == "ggn" else self._hessian)(output, batch)
        rows = taken_apart((batch.inputs, batch.target))[0]
        size = nbytes([*kept, output], list(self.network.model.parameters()), rows)
        return Linearised(product, None, size), output.detach()

    def gradient(self, batch: Batch) -> Parts:
        """Backward once."""
        with self.ready():
            output = self.output(batch)
            return self._slopes(self.network.loss.sum(output, batch.target), None)

    def _ggn(self, output: Tensor, batch: Batch) -> Callable[[Vectors], Parts]:
        dual = torch.zeros_like(output, requires_grad=True)
        pulled = self._slopes(output, dual, create_graph=True)
        flat = output.detach()

        def product(vectors: Vectors) -> Parts:
            used = [(one, vector) for one, vector in zip(pulled, vectors, strict=True) if one is not None]
            ones, directions = zip(*used, strict=True)
            (along,) = torch.autograd.grad(ones, dual, directions, retain_graph=True)
            curved = self.network.loss.curve(flat, batch.target, along[None])[0]
            return self._slopes(output, curved.detach(), retain_graph=True)

        return product

    def _hessian(self, output: Tensor, batch: Batch) -> Callable[[Vectors], Parts]:
        total = self.network.loss.sum(output, batch.target)
        slopes = self._slopes(total, None, create_graph=True)

        def product(vectors: Vectors) -> Parts:
            pairs = zip(slopes, vectors, strict=True)
            used = [(one, vector) for one, vector in pairs if one is not None and one.requires_grad]
            if not used:
                return [None] * len(vectors)
            ones, directions = zip(*used, strict=True)
            return self._slopes(ones, directions, retain_graph=True)

        return product

    def _slopes(self, values: Any, directions: Any, **options: bool) -> tuple[Tensor | None, ...]:
        return torch.autograd.grad(values, self.weights, directions, allow_unused=True, **options)


class Differences(OnCopy):
    """Central differences of outputs or gradients: two more passes, a relative error of about 1e-4 or less.

    The step is a share of the length of the weights: eps^⅓, where rounding and curvature cost the same.
    """

    name = "finite differences"
    exact = False

    def __init__(self, network: Network, kind: str) -> None:
        super().__init__(network, kind)
        self.start = [tensor.detach().clone() for tensor in self.weights]
        self.reach = torch.finfo(self.network.parameters.dtype).eps ** (1 / 3) * (length(self.start) or 1.0)
        self.slack = 0.05

    def linearise(self, batch: Batch) -> tuple[Linearised, Tensor]:
        """Keep the batch."""
        product = self._ggn if self.kind == "ggn" else self._hessian
        output = self.output(batch).detach()
        kept = taken_apart((batch.inputs, batch.target))[0]
        return Linearised(lambda vectors: product(vectors, batch), None, nbytes(kept, [], kept)), output

    def gradient(self, batch: Batch) -> Parts:
        """Backward once."""
        with self.ready():
            return self._slopes(batch)

    def _ggn(self, vectors: Vectors, batch: Batch) -> Parts:
        (along,) = self._along(vectors, lambda: [self.output(batch).detach()])
        output = self.output(batch)
        curved = self.network.loss.curve(output.detach(), batch.target, cast(Tensor, along)[None])[0]
        return self._backward(output, curved.detach())

    def _hessian(self, vectors: Vectors, batch: Batch) -> Parts:
        return self._along(vectors, lambda: self._slopes(batch))

    def _slopes(self, batch: Batch) -> Parts:
        return self._backward(self.network.loss.sum(self.output(batch), batch.target), None)

    def _along(self, vectors: Vectors, values: Callable[[], Parts]) -> Parts:
        """``(f(w₀ + hv) − f(w₀ − hv)) / 2h``."""
        size = length(vectors)
        if not size:
            return [None if one is None else torch.zeros_like(one) for one in values()]
        step = self.reach / size
        try:
            self._move(vectors, step)
            ahead = values()
            self._move(vectors, -step)
            behind = values()
        finally:
            self._move(vectors, 0.0)
        pairs = zip(ahead, behind, strict=True)
        return [None if one is None or other is None else (one - other) / (2 * step) for one, other in pairs]

    def _move(self, vectors: Vectors, step: float) -> None:
        with torch.no_grad():
            for weight, start, vector in zip(self.weights, self.start, vectors, strict=True):
                weight.copy_(start + step * vector)

    def _backward(self, value: Tensor, direction: Tensor | None) -> Parts:
        """By ``.grad``: reentrant checkpoints know no other way. The copy has no gradients of its own."""
        torch.autograd.backward(value, direction)
        slopes = [weight.grad for weight in self.weights]
        for weight in self.network.model.parameters():
            weight.grad = None
        return slopes


def copied(network: Network) -> Network:
    """A copy of the model with the weights of now, those of 16 bits in 32."""
    noted = [taken_apart(list(vars(module).values()))[0] for module in network.model.modules()]
    passed = {id(one): one.detach() for tensors in noted for one in tensors if not one.is_leaf}
    model: nn.Module = copy.deepcopy(network.model, passed)  # what a pass has left refuses to be copied
    for module in model.modules():
        if isinstance(module, nn.Embedding | nn.EmbeddingBag):  # sparse gradients are not differentiated
            module.sparse = False
    with torch.no_grad():
        for tensor in [*model.parameters(), *model.buffers()]:
            tensor.data = tensor.data.float() if tensor.dtype in COARSE else tensor.data
            tensor.grad = None
    return Network(Parameters.of(model, network.parameters.names), network.loss)


@contextmanager
def counted(kept: list[Tensor]) -> Iterator[None]:
    """Note every tensor that autograd keeps for the way back."""
    lock = threading.Lock()

    def pack(tensor: Tensor) -> Tensor:
        data = tensor.detach()
        with lock:
            kept.append(data)
        return data

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        yield


def length(tensors: Vectors) -> float:
    """``‖v‖`` over all tensors."""
    return float(sum(float(tensor.double().square().sum()) for tensor in tensors) ** 0.5)
