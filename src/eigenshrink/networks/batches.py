"""Batches of any loader: pairs, dicts as transformers take them, inputs of several tensors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from eigenshrink.errors import InputError
from eigenshrink.networks.state import Dice

WANTED = (
    "a batch is a pair (inputs, target), where inputs are a tensor, a tuple of tensors or a dict, "
    "or a dict with 'labels'"
)


@dataclass(frozen=True, eq=False)
class Batch:
    """Some rows of the data.

    Attributes
    ----------
    inputs : Tensor, tuple or dict
        What the model is called with: ``model(x)``, ``model(*x)``, ``model(**x)``.
    target : Tensor
        What the loss compares with.
    """

    inputs: Any
    target: Any

    @property
    def rows(self) -> int:
        """Number of samples: the length of the target."""
        return row_count(self.target)

    @property
    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional arguments and keywords of the model."""
        if isinstance(self.inputs, Mapping):
            return (), dict(self.inputs)
        return (tuple(self.inputs) if isinstance(self.inputs, tuple | list) else (self.inputs,)), {}

    def to(self, device: torch.device, dtype: torch.dtype | None = None) -> Batch:
        """On another device, numbers among the inputs in another type."""
        return Batch(_moved(self.inputs, device, dtype), _moved(self.target, device, None))

    def __call__(self, model: nn.Module) -> Any:
        """What the model gives for these rows."""
        positions, keywords = self.arguments
        return model(*positions, **keywords)


@dataclass(frozen=True, eq=False)
class Batches:
    """A loader that gives the same batches in the same order each time, whatever it draws.

    A loader that shuffles gets the same random numbers in each pass; nobody else's are used up.

    Attributes
    ----------
    loader : iterable
    device : torch.device or None
        Where batches are sent; None: they stay where they are.
    dtype : torch.dtype or None
        Of the numbers among the inputs; None: as they come.
    seed : int
        Of what the loader draws.
    """

    loader: Iterable[Any]
    device: torch.device | None = None
    dtype: torch.dtype | None = None
    seed: int = 0

    def __iter__(self) -> Iterator[Batch]:
        source = self.loader if isinstance(self.loader, list | tuple) else _drawn(self.loader, self.seed)
        number = -1
        for number, item in enumerate(source):
            batch = as_batch(item, number)
            yield batch if self.device is None else batch.to(self.device, self.dtype)
        if number < 0:
            raise InputError("the loader gives no batch: it has no rows, or drop_last leaves none")

    def drawn(self, seed: int) -> Batches:
        """The same loader with other random numbers."""
        return replace(self, seed=seed)


def batches(loader: Any, device: torch.device | None = None, dtype: torch.dtype | None = None) -> Batches:
    """Read a loader as often as needed: a ``DataLoader``, a list of batches, or one pair ``(X, y)``.

    Parameters
    ----------
    loader : iterable of batches, or one batch
    device, dtype : optional
        Where batches are sent, and the type of the numbers among the inputs.

    Raises
    ------
    InputError
        If it can be read only once.
    """
    if isinstance(loader, Batches):
        return replace(loader, device=device or loader.device, dtype=dtype or loader.dtype)
    if isinstance(loader, Batch) or _one_batch(loader):
        return Batches([loader], device, dtype)
    if not isinstance(loader, Iterable) or isinstance(loader, Tensor | str):
        raise InputError(f"loader is {type(loader).__name__}; give a DataLoader, a list of batches or (X, y)")
    if isinstance(loader, Iterator):
        raise InputError(
            "loader can be read only once, and every product reads all rows: "
            "give the DataLoader itself, or list(loader)"
        )
    return Batches(loader, device, dtype)


def as_batch(item: Any, number: int = 0) -> Batch:
    """One item of a loader as inputs and target.

    Raises
    ------
    InputError
        Naming the batch whose parts are not those of a batch.
    """
    if isinstance(item, Batch):
        return item
    if isinstance(item, Mapping):
        if "labels" not in item:
            raise InputError(f"batch {number} is a dict of {sorted(item)}, without 'labels'; {WANTED}")
        return Batch(dict(item), item["labels"])
    if isinstance(item, tuple | list) and len(item) == 2:
        return Batch(item[0], item[1])
    parts = f"has {len(item)} parts" if isinstance(item, tuple | list) else f"is a {type(item).__name__}"
    raise InputError(f"batch {number} {parts}; {WANTED}")


def _one_batch(loader: Any) -> bool:
    """Whether this is a batch itself: a dict, or a pair that ends with a tensor."""
    if isinstance(loader, Mapping):
        return True
    return isinstance(loader, tuple | list) and len(loader) == 2 and isinstance(loader[1], Tensor)


def row_count(target: Any) -> int:
    """Number of samples: the length of a target, of the first tensor in it where it has several."""
    if isinstance(target, Tensor):
        if target.ndim == 0:
            raise InputError("a target has no axis of rows; it must have one, as in (n,)")
        return len(target)
    parts = target.values() if isinstance(target, Mapping) else target
    if isinstance(parts, tuple | list | Mapping) or parts is not target:
        for part in parts:
            return row_count(part)
    raise InputError(f"a target is {type(target).__name__}; it must be a torch tensor")


def _moved(value: Any, device: torch.device, dtype: torch.dtype | None) -> Any:
    if isinstance(value, Tensor):
        return value.to(device, dtype if value.is_floating_point() else None)
    if isinstance(value, Mapping):
        return {name: _moved(part, device, dtype) for name, part in value.items()}
    if isinstance(value, tuple | list):
        return tuple(_moved(part, device, dtype) for part in value)
    return value


def _drawn(loader: Iterable[Any], seed: int) -> Iterator[Any]:
    """Read a loader under random numbers of its own, put away between one batch and the next."""
    before = [(generator, generator.get_state()) for generator in generators(loader)]
    dice, end = Dice(seed), object()
    try:
        _started(loader)
        for generator, _ in before:
            generator.manual_seed(seed)
        with dice:
            source = iter(loader)
            item = next(source, end)
        while item is not end:
            yield item
            with dice:
                item = next(source, end)
    finally:
        for generator, state in before:
            generator.set_state(state)


def _started(loader: Iterable[Any]) -> None:
    """Start workers that stay: the pass that starts them draws one number more than the others."""
    if isinstance(loader, DataLoader) and loader.persistent_workers and loader._iterator is None:
        with Dice(0):
            iter(loader)


def generators(loader: Any) -> list[torch.Generator]:
    """Random number generators that a loader or its samplers hold."""
    holders = [loader]
    if isinstance(loader, DataLoader):
        batch_sampler = loader.batch_sampler
        holders += [loader.sampler, batch_sampler, getattr(batch_sampler, "sampler", None)]
    found = [getattr(holder, "generator", None) for holder in holders]
    return list({id(one): one for one in found if isinstance(one, torch.Generator)}.values())
