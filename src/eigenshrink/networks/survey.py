"""One pass over the data before the first product: which route, what the mean divides by, what is kept."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from eigenshrink.errors import InputError
from eigenshrink.networks.batches import Batch, Batches
from eigenshrink.networks.factor import WIDEST
from eigenshrink.networks.fallbacks import Differences, Twice
from eigenshrink.networks.linearised import Forward, Linearised, Route
from eigenshrink.networks.network import Network
from eigenshrink.networks.state import undisturbed

Array = NDArray[np.float64]

ROUTES: tuple[type[Route], ...] = (Forward, Twice, Differences)
FAILS = (RuntimeError, TypeError, AttributeError, AssertionError)  # PyTorch, where a route is closed


@dataclass(frozen=True, eq=False)
class Survey:
    """What one pass over the data has found.

    Attributes
    ----------
    way : Route
    closed : tuple of str
        Why faster routes could not be taken.
    denominator : float
        What the mean over all rows divides by.
    rows, batches : int
    outputs : int or None
        Of all rows; None: not so many for each row of a batch.
    kept : tuple of Linearised
        Of the first batches.
    kept_rows, kept_bytes : int
    """

    way: Route
    closed: tuple[str, ...]
    denominator: float
    rows: int
    batches: int
    outputs: int | None
    kept: tuple[Linearised, ...]
    kept_rows: int
    kept_bytes: int


def survey(network: Network, data: Batches, kind: str, memory: float) -> Survey:
    """Take the first route that works on every batch.

    Raises
    ------
    InputError
        If none does, two of them disagree, or the model gives what is not finite.
    """
    closed: list[str] = []
    _output(network, next(iter(data)), 0)  # what is wrong with the model itself is told as it is
    for way in ROUTES:
        try:
            return _pass(way(network, kind), data, memory, tuple(closed))
        except torch.OutOfMemoryError:
            raise
        except FAILS as error:
            closed.append(f"{way.name}: {str(error).strip().partition(chr(10))[0] or type(error).__name__}")
    raise InputError(
        f"no way leads to products with the {kind} of this model. "
        + "; ".join(closed)
        + ". Give an operator of "
        "your own as curvature"
    )


def _pass(way: Route, data: Batches, memory: float, closed: tuple[str, ...]) -> Survey:
    kept: list[Linearised] = []
    outputs: list[int | None] = []
    denominator, rows, batches, kept_rows, used = 0.0, 0, 0, 0, 0
    full = False
    for number, batch in enumerate(data):
        output = _output(way.network, batch, number)
        with way.ready():
            linearised, found = way.linearise(batch)
            _same_output(found, output, way.slack)
            if not number:
                _check(way, linearised, batch)
        denominator += way.network.loss.denominator(batch.target, output)
        batches, rows = batches + 1, rows + batch.rows
        outputs.append(_outputs(output, batch))
        full = full or used + linearised.nbytes > memory
        if not full:
            kept.append(linearised)
            kept_rows, used = kept_rows + batch.rows, used + linearised.nbytes
    if not denominator > 0:
        raise InputError("no target counts in the loss: all are ignored, or of classes with weight zero")
    known = [count for count in outputs if count is not None]
    total = sum(known) if len(known) == batches else None
    return Survey(way, closed, denominator, rows, batches, total, tuple(kept), kept_rows, used)


def _outputs(output: Tensor, batch: Batch) -> int | None:
    separate = output.ndim > 0 and len(output) == batch.rows > 0
    return output.numel() if separate and output[0].numel() <= WIDEST else None


def _output(network: Network, batch: Batch, number: int) -> Tensor:
    """What the model itself gives."""
    with undisturbed(network.model), torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the model says in evaluation it has said in training
        output = network.output(network.parameters.tensors(), batch)
    if not bool(output.isfinite().all()):
        raise InputError(
            f"the model gives NaN or infinity in batch {number}: "
            "its curvature is known only where the loss is finite"
        )
    return output


def _same_output(ours: Tensor, output: Tensor, slack: float) -> None:
    """A traced product holds for all batches only if the model does not branch on values."""
    apart = float((ours - output).abs().max()) if output.numel() else 0.0
    if apart > slack * (1.0 + (float(output.abs().max()) if output.numel() else 0.0)):
        raise RuntimeError("the model takes another way through its code for other rows of the same shape")


def _check(way: Route, linearised: Linearised, batch: Batch) -> None:
    """The first batch: ``uᵀHv = vᵀHu``; several vectors at once and another route find the same ``Hv``."""
    parameters = way.network.parameters
    vectors = np.random.default_rng(0).standard_normal((parameters.dim, 3))
    products = np.stack([_times(way, linearised, v) for v in vectors.T], axis=1)
    crossed = vectors.T @ products
    if np.abs(crossed - crossed.T).max() > way.slack * np.abs(crossed).max():
        raise RuntimeError(
            "its products are not symmetric: a backward of the model is not that of its forward"
        )
    if linearised.products is not None:
        many = parameters.join(linearised.products(parameters.split(vectors)))
        way.blocks = way.blocks and _near(many, products, way.slack)
    if not isinstance(way, Forward):
        return
    try:
        other = Twice(way.network, way.kind)
        with other.ready():
            second = _times(other, other.linearise(batch)[0], vectors[:, 0])
    except FAILS:
        return  # closed for this model: there is nothing to compare with
    if not _near(products[:, 0], second, way.slack):
        apart, size = np.linalg.norm(second - products[:, 0]), np.linalg.norm(second)
        raise InputError(
            f"two ways to one product with the {way.kind} differ by {apart / size:.1g} of it: "
            "an autograd.Function in the model has a jvp that does not belong to its backward"
        )


def _near(ours: Array, other: Array, slack: float) -> bool:
    return bool(np.linalg.norm(ours - other) <= slack * np.linalg.norm(other))


def _times(way: Route, linearised: Linearised, vector: Array) -> Array:
    parameters = way.network.parameters
    return parameters.join(linearised.product(parameters.split(vector)))
