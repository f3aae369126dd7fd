"""Some rows of a loader, to take a curvature from; and whether a model still looks at its inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from eigenshrink.networks.batches import Batch, Batches
from eigenshrink.path.measured import RowLosses

LEAST = 16  # rows that are taken out of a batch at once
SAME = 1e-3  # of the loss


def some_rows(data: Batches, share: float, seed: int) -> list[Batch]:
    """Draw about a share of the rows of a loader, at least 16, in one pass; each batch of at least 16 again.

    Parameters
    ----------
    data : Batches
    share : float, in (0, 1]
    seed : int
    """
    return list(_drawn(data, share, seed))


def _drawn(data: Batches, share: float, seed: int) -> Iterator[Batch]:
    rng, due, given, last = np.random.default_rng(seed), 1e-9, False, None
    for batch in data.drawn(seed):
        last, due = batch, due + share * batch.rows
        count = min(int(due), batch.rows)
        if count >= min(LEAST, batch.rows):
            yield _picked(batch, rng.permutation(batch.rows)[:count])
            given, due = True, due - count
    if not given and last is not None:
        yield _picked(last, rng.permutation(last.rows)[:LEAST])


def _picked(batch: Batch, places: NDArray[np.intp]) -> Batch:
    return Batch(_part(batch.inputs, places, batch.rows), _part(batch.target, places, batch.rows))


def _part(value: Any, places: NDArray[np.intp], rows: int) -> Any:
    """Some rows of every tensor that has as many."""
    if isinstance(value, Tensor):
        own = value.ndim > 0 and len(value) == rows
        return value[torch.as_tensor(places, device=value.device)] if own else value
    if isinstance(value, Mapping):
        return {name: _part(one, places, rows) for name, one in value.items()}
    return tuple(_part(one, places, rows) for one in value) if isinstance(value, tuple | list) else value


def shuffled(rows: list[Batch], seed: int) -> list[Batch]:
    """The same rows, each with the inputs of another one of its batch, as far as chance has it."""
    rng = np.random.default_rng(seed)
    return [Batch(_part(one.inputs, rng.permutation(one.rows), one.rows), one.target) for one in rows]


def blind(seen: RowLosses, shuffled: RowLosses) -> bool:
    """Whether a model does not look at its inputs: with those of other rows its loss is hardly larger."""
    return shuffled.mean - seen.mean <= SAME * abs(shuffled.mean)
