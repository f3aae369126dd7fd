"""Products with the curvature of a network's mean loss: Gauss-Newton matrix or Hessian (M4, M19)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, partial
from itertools import islice
from time import perf_counter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from eigenshrink.curvature import Curvature
from eigenshrink.errors import InputError
from eigenshrink.networks.batches import Batches
from eigenshrink.networks.block import BlockTimer
from eigenshrink.networks.declared import network_of
from eigenshrink.networks.determinism import check
from eigenshrink.networks.factor import factor
from eigenshrink.networks.forecast import Forecast, seconds_of
from eigenshrink.networks.linearised import KINDS, Linearised, Parts, Vectors
from eigenshrink.networks.losses.generic import GenericLoss
from eigenshrink.networks.network import Network
from eigenshrink.networks.survey import Survey, survey

Array = NDArray[np.float64]
Progress = Callable[[int, float], Any]  # products so far, seconds they took

MEMORY = 1 << 30
PAIRS = 3  # random vectors whose products are compared for noise


def curvature(
    model: nn.Module,
    loss: Any,
    loader: Any,
    kind: str = "ggn",
    *,
    memory: float = MEMORY,
    block: int | None = None,
    progress: Progress | None = None,
) -> NetworkCurvature:
    """Products with the curvature H of the mean loss at the weights of now, without penalty (M4).

    Parameters
    ----------
    model : torch.nn.Module
        It is not changed, and may be trained on afterwards: H stays that of ``w₀``.
    loss : callable
        ``loss(model(inputs), target)``, a mean, such as ``nn.CrossEntropyLoss()``. None: the one that the
        model computes itself from ``labels``.
    loader : DataLoader, list of batches, or (inputs, targets)
        Every pass must give the same rows. Batches may differ in size: the mean divides by their true
        denominators.
    kind : {"ggn", "hessian"}
        The Gauss-Newton matrix ``JᵀH_L J``, never negative where the loss is convex in the output; or the
        Hessian.
    memory : float, bytes
        What may be kept between products; batches beyond it are linearised anew in each.
    block : int, optional
        Vectors to multiply at once; None: timed when several are given first. Blocks of different size
        round differently.
    progress : callable, optional
        Called with (products so far, seconds they took) after each call of ``matvec``.

    Returns
    -------
    NetworkCurvature

    Raises
    ------
    InputError
        If an argument cannot be used, two passes over the data differ, or no way leads to the curvature.

    Notes
    -----
    About one gradient per product. Weights of 16 bits are computed with in float32; sums over batches are
    in float64. Pearlmutter (1994), Neural Computation 6(1); Schraudolph (2002), Neural Computation 14(7).

    Examples
    --------
    >>> X, y = torch.tensor([[1.0], [3.0]]), torch.tensor([[0.0], [1.0]])
    >>> H = curvature(nn.Linear(1, 1), nn.MSELoss(), (X, y))
    >>> H.dense  # 2/n Σ (x, 1)(x, 1)ᵀ
    array([[10.,  4.],
           [ 4.,  2.]])
    """
    network = network_of(model, loss, loader)
    check(network, loader)
    data = network.batches(loader)
    return network_curvature(network, data, kind, memory=memory, block=block, progress=progress)


def network_curvature(
    network: Network,
    data: Batches,
    kind: str = "ggn",
    *,
    memory: float = MEMORY,
    block: int | None = None,
    progress: Progress | None = None,
) -> NetworkCurvature:
    """The same of a model and its loss that are put together already."""
    if kind not in KINDS:
        raise InputError(
            f"curvature is {kind!r}; it must be one of {', '.join(map(repr, KINDS))}, or an operator"
        )
    if not (isinstance(memory, int | float) and memory >= 0):
        raise InputError(f"memory is {memory!r}; give the bytes that may be kept, 0 or more")
    if block is not None and not (isinstance(block, int) and block >= 1):
        raise InputError(f"block is {block!r}; give the number of vectors to multiply at once, or None")
    return NetworkCurvature(network, data, survey(network, data, kind, memory), memory, block, progress)


class NetworkCurvature(Curvature):
    """H of the mean loss of a network at ``w₀``, known by its products.

    Attributes
    ----------
    products : int
        Made so far, vectors counted.
    seconds : float
        They took; with ``products`` it says what the rest will take.
    """

    def __init__(
        self,
        network: Network,
        data: Batches,
        found: Survey,
        memory: float = MEMORY,
        block: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.network = network
        self.data = data
        self.found = found
        self.memory = memory
        self.progress = progress
        self.products = 0
        self.seconds = 0.0
        self._block = block
        single = network.parameters.dtype == torch.float32
        self.precision = np.dtype(np.float32 if single else np.float64)
        self.positive = found.way.kind == "ggn" and not isinstance(network.loss, GenericLoss)
        if self.positive and network.loss.by_row and found.way.exact:
            self.factor_rows = found.outputs

    @property
    def dim(self) -> int:
        """p: number of weights."""
        return self.network.parameters.dim

    @property
    def route(self) -> str:
        """How products are computed."""
        return self.found.way.name

    def matvec(self, v: Array) -> Array:
        """``H v`` for v of shape ``(p,)`` or ``(p, m)``; one pass over the data for all m."""
        V = np.asarray(v, dtype=np.float64)
        if V.ndim not in (1, 2) or V.shape[0] != self.dim:
            raise InputError(f"a vector has shape {V.shape} for {self.dim} weights: give (p,) or (p, m)")
        start = perf_counter()
        columns = V.reshape(self.dim, -1)
        product = self._times(columns, self.block(columns.shape[1])) / self.found.denominator
        self.products += columns.shape[1]
        self.seconds += perf_counter() - start
        if self.progress is not None:
            self.progress(self.products, self.seconds)
        return product.reshape(V.shape)

    def factor(self) -> NDArray[np.floating]:
        """B with ``H = BᵀB``, ``(r, p)``: a row for each output of each row of the data."""
        if self.factor_rows is None:
            return super().factor()
        way, found = self.found.way, self.found
        return factor(way.network, way.weights, self.data, found.denominator, self.precision)

    def block(self, vectors: int) -> int:
        """How many of so many vectors are multiplied at once."""
        if not self.found.way.blocks or vectors < 2:
            return 1
        if self._block is not None:
            return min(self._block, vectors)
        if self._timer.knows(vectors):
            return self._timer.best(vectors, _never)
        with self.found.way.ready():
            products = self._first().products
            if products is None:
                return 1
            return self._timer.best(vectors, lambda size: partial(products, self._random(size)))

    @cached_property
    def noise(self) -> float:
        """Largest ``|uᵀHv − vᵀHu| / (‖u‖ ‖Hv‖)`` of random vectors: what rounding does to H (M18)."""
        vectors = np.random.default_rng(0).standard_normal((self.dim, PAIRS))
        return asymmetry(vectors, self.matvec(vectors))

    @cached_property
    def forecast(self) -> Forecast:
        """What products will cost, measured on the first batch."""
        found, parameters = self.found, self.network.parameters
        batch = next(iter(self.data))
        share = found.rows / batch.rows
        anew = 1.0 - found.kept_rows / found.rows
        with found.way.ready():
            first, unit = self._first(), parameters.split(self._random_columns(1)[:, 0])
            product = seconds_of(lambda: first.product(unit))
            product += anew * seconds_of(lambda: found.way.linearise(batch)) if anew else 0.0
        return Forecast(
            kind=found.way.kind,
            route=self.route,
            parameters=self.dim,
            rows=found.rows,
            batches=found.batches,
            kept=len(found.kept),
            kept_bytes=found.kept_bytes,
            seconds_per_gradient=share * seconds_of(lambda: found.way.gradient(batch)),
            seconds_per_product=share * product,
        )

    def _times(self, columns: Array, size: int) -> Array:
        """Sums over batches in float64: the data outside, the vectors inside."""
        parameters = self.network.parameters
        starts = range(0, columns.shape[1], size)
        with self.found.way.ready():  # also for what is made here: outside may be inference mode
            sums = torch.zeros((columns.shape[1], self.dim), dtype=torch.float64, device=parameters.device)
            vectors = [
                parameters.split(columns[:, start] if size == 1 else columns[:, start : start + size])
                for start in starts
            ]
            for batch in self._batches():
                for start, part in zip(starts, vectors, strict=True):
                    self._multiply(sums[start : start + size], batch, part, size > 1)
        return np.asarray(sums.cpu().numpy().T)

    def _multiply(self, sums: Tensor, batch: Linearised, vectors: Vectors, many: bool) -> None:
        if not many:
            self._add(sums, batch.product(vectors))
        elif batch.products is not None:
            self._add(sums, batch.products(vectors))
        else:
            for number in range(len(sums)):
                self._add(sums[number : number + 1], batch.product([vector[number] for vector in vectors]))

    def _add(self, sums: Tensor, parts: Parts) -> None:
        for weight, part in zip(self.network.parameters.weights, parts, strict=True):
            if part is not None:
                sums[:, weight.start : weight.stop] += part.reshape(len(sums), -1).to(sums.device)

    def _batches(self) -> Iterator[Linearised]:
        """Those that are kept, then the others anew."""
        yield from self.found.kept
        if len(self.found.kept) < self.found.batches:
            for batch in islice(self.data, len(self.found.kept), None):
                yield self.found.way.linearise(batch)[0]

    def _first(self) -> Linearised:
        return self.found.kept[0] if self.found.kept else self.found.way.linearise(next(iter(self.data)))[0]

    @cached_property
    def _timer(self) -> BlockTimer:
        """Blocks may take what is kept between products, and a quarter of the default at least."""
        each = self._first().nbytes + 16 * self.dim
        return BlockTimer(max(int(max(self.memory, MEMORY / 4) // each), 1))

    def _random(self, size: int) -> list[Tensor]:
        return self.network.parameters.split(self._random_columns(size))

    def _random_columns(self, size: int) -> Array:
        return np.random.default_rng(0).standard_normal((self.dim, size))


def _never(size: int) -> Callable[[], Any]:
    """Nothing is left to be timed."""
    raise AssertionError(f"blocks of {size} vectors are known")


def asymmetry(vectors: Array, products: Array) -> float:
    """``|uᵀHv − vᵀHu| / (‖u‖ ‖Hv‖)``, the largest over all pairs of columns."""
    crossed = vectors.T @ products
    lengths = np.outer(np.linalg.norm(vectors, axis=0), np.linalg.norm(products, axis=0))
    apart = np.abs(crossed - crossed.T)
    return float(np.divide(apart, lengths, out=np.zeros_like(apart), where=lengths > 0).max())
