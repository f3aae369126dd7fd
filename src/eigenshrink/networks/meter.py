"""What a training costs, counted, and what it leaves: gradients, random numbers, the state of a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from eigenshrink.networks.batches import generators
from eigenshrink.networks.state import Dice

FORWARD = 1 / 3  # of a gradient: the model without its backward pass
PRODUCT = 1.2  # gradients of the same rows: one product with a Gauss-Newton matrix


@dataclass
class Meter:
    """Gradient evaluations, in rows.

    Attributes
    ----------
    gradients : float
        Rows that the model was called with, those without gradients as a third.
    """

    gradients: float = 0.0

    def called(self, positions: tuple[Any, ...], keywords: Mapping[str, Any]) -> None:
        """Count the rows of one call of a model: the first axis of its first tensor."""
        for value in _tensors((positions, keywords)):
            self.gradients += len(value) * (1.0 if torch.is_grad_enabled() else FORWARD)
            return


@contextmanager
def counted(model: nn.Module) -> Iterator[Meter]:
    """Count what a model is called with inside the block."""
    meter = Meter()

    def hook(module: nn.Module, positions: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        meter.called(positions, keywords)

    handle = model.register_forward_pre_hook(hook, with_kwargs=True)
    try:
        yield meter
    finally:
        handle.remove()


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        if value.ndim:
            yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _tensors(part)
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _tensors(part)


@contextmanager
def dealt(loader: Any, seed: int) -> Iterator[None]:
    """Random numbers of a seed inside the block, so that it comes out the same when it is done again.

    Those of PyTorch, of Python, and of the generators that a loader holds; afterwards all are as before.
    """
    held = [(generator, generator.get_state()) for generator in generators(loader)]
    cuda: Any = torch.cuda
    devices = list(range(cuda.device_count() if cuda.is_initialized() else 0))
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices=devices))
        for device in devices:
            with cuda.device(device):
                cuda.manual_seed(seed)
        stack.enter_context(Dice(seed))
        for generator, _ in held:
            generator.manual_seed(seed)
        try:
            yield
        finally:
            for generator, state in held:
                generator.set_state(state)


State = dict[str, Tensor]


def state_of(model: nn.Module) -> State:
    """Copies of all parameters and buffers, each tensor once."""
    return {name: tensor.detach().clone().contiguous() for name, tensor in _held(model)}


def restore(model: nn.Module, state: State) -> None:
    """Copy a state back, in place."""
    with torch.no_grad():
        for name, tensor in _held(model):
            tensor.copy_(state[name])


def finite(model: nn.Module) -> bool:
    """Whether every parameter is."""
    return all(bool(torch.isfinite(weight).all()) for weight in model.parameters())


def _held(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from model.named_parameters()
    yield from model.named_buffers()
