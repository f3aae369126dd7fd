"""Look at a model without changing it: modes, buffers, gradients and random numbers are put back (M18)."""

from __future__ import annotations

import copy
import random
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

EXACT = "ieee"  # float32 without TF32 or bfloat16 inside


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """Put everything in evaluation mode and make it differentiable twice; put all back, also after an error.

    Inside: dropout is off and batch normalisation uses its running statistics; attention runs under the
    math kernel, which alone has second derivatives; float32 products are not rounded to TF32; autocast is
    off and gradients are on. Afterwards: the mode of each submodule, buffers, ``requires_grad``, ``.grad``
    and the random numbers of CPU and GPU are as they were.

    Parameters
    ----------
    model : nn.Module
        Its weights must not be written to inside.
    """
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        stack.enter_context(_random_kept())
        stack.enter_context(_attributes_kept(model))
        stack.enter_context(_modes_kept(model))
        stack.enter_context(_buffers_kept(model))
        stack.enter_context(_gradients_kept(model))
        stack.enter_context(_attention_by_formula())
        stack.enter_context(exact(*{weight.device.type for weight in model.parameters()} - {"meta"}))
        stack.enter_context(torch.enable_grad())
        yield


@contextmanager
def exact(*devices: str) -> Iterator[None]:
    """Compute as it is written on devices of these types: no TF32, no autocast, no inference mode."""
    with ExitStack() as stack:
        stack.enter_context(_exact_products())
        stack.enter_context(torch.inference_mode(False))
        for device in sorted(devices):
            stack.enter_context(torch.autocast(device, enabled=False))
        yield


class Dice:
    """Random numbers of a seed of its own (PyTorch on the CPU, and Python), drawn inside ``with dice:``.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int) -> None:
        self.own = torch.Generator().manual_seed(seed).get_state(), random.Random(seed).getstate()

    def __enter__(self) -> None:
        self._swap()

    def __exit__(self, *raised: object) -> None:
        self._swap()

    def _swap(self) -> None:
        """Exchange them with everybody's."""
        theirs = torch.get_rng_state(), random.getstate()
        torch.set_rng_state(self.own[0])
        random.setstate(self.own[1])
        self.own = theirs


@contextmanager
def _random_kept() -> Iterator[None]:
    cuda: Any = torch.cuda
    devices = range(cuda.device_count() if cuda.is_initialized() else 0)
    plain = random.getstate()
    with torch.random.fork_rng(devices=devices):
        try:
            yield
        finally:
            random.setstate(plain)


@contextmanager
def _quiet() -> Iterator[None]:
    """PyTorch's own forward differentiation uses what PyTorch has deprecated."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated", DeprecationWarning)
        yield


@contextmanager
def _modes_kept(model: nn.Module) -> Iterator[None]:
    """Every submodule has its own mode; those that act when it changes are told (``train``)."""
    modes = [(module, module.training) for module in model.modules()]
    try:
        model.eval()
        yield
    finally:
        if modes[0][1]:
            model.train()
        for module, mode in modes:
            module.training = mode


@contextmanager
def _attributes_kept(model: nn.Module) -> Iterator[None]:
    """What modules note of a pass, such as the last features, is that of before: tracing leaves no trace.

    Also what they put into dictionaries and lists of their own.
    """
    modules = list(model.modules())
    held = [one for module in modules for one in vars(module).values() if isinstance(one, dict | list)]
    kept = [(one, copy.copy(one)) for one in (*map(vars, modules), *held)]
    try:
        yield
    finally:
        for one, before in kept:
            one.clear()
            one.update(before) if isinstance(one, dict) else one.extend(before)


@contextmanager
def _buffers_kept(model: nn.Module) -> Iterator[None]:
    """Buffers keep their values and stay the same tensors."""
    kept = [
        (module, name, tensor, tensor.detach().clone())
        for module in model.modules()
        for name, tensor in module._buffers.items()
        if tensor is not None
    ]
    try:
        yield
    finally:
        with torch.no_grad():
            for module, name, tensor, values in kept:
                if not _same(tensor, values):
                    tensor.copy_(values)
                module._buffers[name] = tensor


def _same(tensor: Tensor, values: Tensor) -> bool:
    return tensor.shape == values.shape and bool(torch.equal(tensor, values))


@contextmanager
def _gradients_kept(model: nn.Module) -> Iterator[None]:
    """Gradients that the user has collected are not added to."""
    kept = [(weight, weight.requires_grad, weight.grad) for weight in model.parameters()]
    try:
        for weight, _, _ in kept:
            weight.grad = None
        yield
    finally:
        for weight, wanted, gradient in kept:
            weight.requires_grad_(wanted)
            weight.grad = gradient


@contextmanager
def _attention_by_formula() -> Iterator[None]:
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


@contextmanager
def _exact_products() -> Iterator[None]:
    """Float32 as it is written: by the older switches and by the newer ones, which must agree."""
    backends: Any = torch.backends
    newer: list[Any] = [
        place
        for place in (backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn, backends.mkldnn.matmul)
        if hasattr(place, "fp32_precision")
    ]
    before = [place.fp32_precision for place in newer]
    matrix, convolution = _older()
    try:
        torch.set_float32_matmul_precision("highest")
        backends.cudnn.allow_tf32 = False
        for place in newer:
            place.fp32_precision = EXACT
        yield
    finally:
        torch.set_float32_matmul_precision(matrix)
        backends.cudnn.allow_tf32 = convolution
        for place, precision in zip(newer, before, strict=True):
            place.fp32_precision = precision


def _older() -> tuple[str, bool]:
    """The older switches; who used the newer ones cannot read them and has not set them."""
    try:
        return torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    except RuntimeError:
        return "highest", True
