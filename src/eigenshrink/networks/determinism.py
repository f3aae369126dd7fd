"""Whether two passes over the data see the same loss: if not, no curvature can be had of it (M18).

Everything random is found by doing things twice; why is told from what the model and the loader are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd
from torch.utils.data import DataLoader, SequentialSampler, WeightedRandomSampler

from eigenshrink.errors import InputError
from eigenshrink.networks.batches import Batch, Batches
from eigenshrink.networks.losses.base import accurate
from eigenshrink.networks.measure import Pass, run
from eigenshrink.networks.network import Network
from eigenshrink.networks.state import undisturbed

Array = NDArray[np.float64]

AGREE = {torch.float64: 1e-9, torch.float32: 1e-4}  # relative difference of losses
STEEP = 10.0  # times that of gradients, which cancel in a batch
LARGEST = 1e100  # output
ROUNDINGS = 100.0  # of the largest output, that one may differ by when its row stands in another batch


def check(network: Network, loader: Any, name: str = "loader") -> Pass:
    """Go over the data twice, under different random numbers, and compare; give the first pass.

    One batch is compared with itself, outputs and gradient; whole passes by the losses of their rows after
    sorting, so that the order does not matter, or by their gradient where rows cannot be told apart.

    Parameters
    ----------
    network : Network
    loader : as for :func:`eigenshrink.networks.batches.batches`
    name : str
        What to call it.

    Raises
    ------
    InputError
        Naming what is random, and what to do about it.
    """
    data = network.batches(loader)
    _whole_batches(network.model)
    _all_rows(data.loader, name)
    weights = network.parameters.flat()
    with undisturbed(network.model):
        _same_batch(network, data)
        first = run(network, weights, data)
        _finite(first, name)
        second = run(network, weights, data.drawn(data.seed + 1), gradient=not network.loss.by_row)
        _same_passes(network, first, second, name)
        if not _same_order(network, first, second):
            again = run(network, weights, data, gradient=False)
            _kept_order(network, first, again, name)
    return first


def _whole_batches(model: nn.Module) -> None:
    """Refuse batch normalisation that has no running statistics: its loss depends on who shares a batch."""
    for name, module in model.named_modules():
        if isinstance(module, _BatchNorm) and (module.running_mean is None or module.running_var is None):
            raise InputError(
                f"module {name!r} ({type(module).__name__}) has track_running_stats=False: it normalises by "
                "the rows of a batch also in evaluation mode, so that the loss depends on how rows are "
                "batched; use running statistics, or GroupNorm or LayerNorm"
            )


def _all_rows(loader: Any, name: str) -> None:
    """Refuse loaders that leave out or repeat rows at random."""
    if not isinstance(loader, DataLoader):
        return
    sampler = loader.sampler
    random = isinstance(sampler, WeightedRandomSampler) or getattr(sampler, "replacement", False) is True
    if random:
        raise InputError(
            f"{name} draws rows with replacement ({type(sampler).__name__}): each pass has other rows; give "
            "a DataLoader over each row once, and weights of classes to the loss"
        )
    lost = dropped(loader)
    if lost and not isinstance(sampler, SequentialSampler):
        raise InputError(
            f"{name} has drop_last=True and shuffles: each pass leaves out {lost} of "
            f"{_length(sampler)} rows, others each time; set drop_last=False"
        )


def dropped(loader: Any) -> int:
    """Rows that ``drop_last`` leaves out of each pass."""
    if not isinstance(loader, DataLoader) or not loader.drop_last or not loader.batch_size:
        return 0
    return _length(loader.sampler) % loader.batch_size


def _length(sampler: Iterable[Any]) -> int:
    size = getattr(sampler, "__len__", None)
    return 0 if size is None else int(size())


def _same_batch(network: Network, data: Batches) -> None:
    """Refuse a model that answers one batch differently the second time."""
    batch = next(iter(data))
    before = torch.get_rng_state()
    one, steep = _answer(network, batch)
    drew = not torch.equal(before, torch.get_rng_state())
    two, again = _answer(network, batch)
    apart = max(_apart(one, two), _apart(steep, again)) if one.shape == two.shape else np.inf
    if apart > STEEP * _tolerance(network):
        raise InputError(f"the model answers one batch differently each time: {_why(network.model, drew)}")


def _answer(network: Network, batch: Batch) -> tuple[Array, Array]:
    """What the model gives for a batch, and the gradient of its loss, ``(p,)``."""
    tensors = [tensor.clone().requires_grad_() for tensor in network.parameters.tensors()]
    output = _output(network, tensors, batch)
    slopes: Sequence[Tensor | None] = [None] * len(tensors)
    if output.requires_grad:
        total = network.loss.sum(output, batch.target)
        slopes = torch.autograd.grad(total, tensors, allow_unused=True)
    return accurate(output.detach()).numpy(), network.parameters.join(slopes)


def _output(network: Network, tensors: list[Tensor], batch: Batch) -> Tensor:
    """Refuse a model that writes into its weights, or cannot be computed with in float32."""
    try:
        output = network.output(tensors, batch)
    except RuntimeError as error:
        if not network.parameters.coarse:
            raise
        raise InputError(
            "weights of 16 bits are computed with in float32, and so the model fails: "
            f"{str(error).partition(chr(10))[0]}; let it cast to the type of its weights, not to 16 bits"
        ) from error
    if not np.array_equal(network.parameters.join(tensors), network.parameters.flat(), equal_nan=True):
        raise InputError(
            "the model changes its weights when it is called, as nn.Embedding does with max_norm; call it on "
            "all rows until they stay, or leave this out"
        )
    return output


def _why(model: nn.Module, drew: bool) -> str:
    """What in a model is random in evaluation mode."""
    awake = [
        f"{name!r} ({type(module).__name__})"
        for name, module in model.named_modules()
        if isinstance(module, _DropoutNd | nn.RReLU) and module.training
    ]
    if awake:
        return f"{', '.join(awake)} stays in training mode after model.eval(); let it follow the mode"
    if drew:
        return (
            "it draws random numbers in evaluation mode, as F.dropout(x) does without "
            "training=self.training; let it draw only while self.training"
        )
    return (
        "it keeps something from one call to the next, or its kernels are not deterministic; switch that off"
    )


def _same_passes(network: Network, first: Pass, second: Pass, name: str) -> None:
    """Refuse two passes with other rows, other losses or another gradient."""
    if first.rows != second.rows:
        raise InputError(
            f"{name} gives {first.rows} rows in one pass and {second.rows} in the next; "
            "give one that goes over the same rows each time: without drop_last, without sampling"
        )
    one, two = _sorted(first), _sorted(second)
    far = np.abs(one - two) > _allowed(network, one, first.reach)
    if np.any(far) or _steep(network, first, second):
        before, after = first.losses.mean, second.losses.mean
        raise InputError(
            f"two passes over {name} differ: the loss is {before:.6g}, then {after:.6g}. "
            f"{_what_changes(network, first)}"
        )


def _allowed(network: Network, losses: Array, reach: float) -> Array:
    """By how much losses may differ whose outputs were rounded otherwise.

    A loss that is not negative changes by at most ``2√ℓ δ + δ²`` when its output does by δ and its curvature
    is 2, as that of a square is.
    """
    rounding = ROUNDINGS * torch.finfo(network.parameters.dtype).eps * reach
    size = np.abs(losses) + np.mean(np.abs(losses))
    allowed: Array = _tolerance(network) * size + 2.0 * np.sqrt(size) * rounding + rounding**2
    return allowed


def _steep(network: Network, first: Pass, second: Pass) -> bool:
    """Whether the gradients differ, where both are known and more than rounding."""
    loss = np.array([first.losses.mean])
    if not len(second.gradient) or np.abs(loss) <= _allowed(network, loss, first.reach):
        return False
    off = float(np.linalg.norm(first.gradient - second.gradient))
    return first.batches > 1 and off > STEEP * _tolerance(network) * first.steepness


def _what_changes(network: Network, first: Pass) -> str:
    if not network.loss.by_row:
        return (
            "Either its rows change (random augmentation or sampling: give a loader without), or the loss is "
            "no mean over rows, so that it depends on how they are batched: give the batches in a fixed order"
        )
    return (
        "The model answers one batch the same way each time, so the rows change: random augmentation or "
        "sampling in the data set; give a loader over the data as they are"
    )


def _sorted(passed: Pass) -> Array:
    """Losses in an order of their own; of batches only their mean, for they are cut differently."""
    losses = passed.losses
    if len(losses.values) != passed.rows:
        return np.array([losses.mean])
    return np.sort(losses.values * losses.weights)


def _same_order(network: Network, first: Pass, second: Pass) -> bool:
    one, two = first.losses, second.losses
    return len(one.values) == len(two.values) and _apart(one.values, two.values) <= _tolerance(network)


def _kept_order(network: Network, first: Pass, again: Pass, name: str) -> None:
    """Refuse a loader that shuffles by random numbers that are out of reach."""
    if not _same_order(network, first, again):
        more = "" if network.loss.by_row else ", and without random augmentation, if it has any"
        raise InputError(
            f"{name} shuffles by random numbers of its own, not those of PyTorch or Python, so that batches "
            f"cannot be kept; give a DataLoader with shuffle=False{more}"
        )


def _finite(first: Pass, name: str) -> None:
    bad = np.flatnonzero(~np.isfinite(first.losses.values))
    if len(bad):
        item = "row" if len(first.losses.values) == first.rows else "batch"
        raise InputError(
            f"the loss of {item} {bad[0]} of {name} is {first.losses.values[bad[0]]}: "
            "it must be finite; look at its inputs and at the weights"
        )
    if first.reach > LARGEST:
        raise InputError(
            f"the model gives {first.reach:.1g} for a row of {name}: squares of that are no numbers any "
            "more; look at its inputs and at the weights"
        )


def _apart(one: Array, two: Array) -> float:
    """Largest difference relative to the largest value; equal what is not finite in both."""
    same = np.isclose(one, two, rtol=0.0, atol=0.0, equal_nan=True)
    if bool(np.all(same)):
        return 0.0
    size = max(float(np.max(np.abs(one), initial=0.0)), float(np.max(np.abs(two), initial=0.0)))
    return float(np.max(np.abs(one - two))) / size if np.isfinite(size) else float("inf")


def _tolerance(network: Network) -> float:
    return AGREE[network.parameters.dtype]
