"""Random probes of a curvature: independent Lanczos runs that share their products (M19)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eigenshrink.spectrum.basis import Growing, take_out
from eigenshrink.spectrum.penalised import Penalised, Report
from eigenshrink.spectrum.quadrature import Known, Probe, ProbedSums, quantile

Array = NDArray[np.float64]

FIRST = 6  # probes that are started together
WANTED = 0.02  # half the reach of the interval, relative to Σ λ/(λ+α), at which no more are started
BRACKET = 0.25  # share of it that half a bracket may have
LEAST = 8  # products of a probe before its bracket is looked at
GRID = 20  # strengths at which they are judged


@dataclass(frozen=True, eq=False)
class Places:
    """Which layer every penalised weight belongs to.

    Attributes
    ----------
    of : (p_pen,) of int
    count : int
        Layers l.
    """

    of: NDArray[np.intp]
    count: int

    def split(self, vectors: Array) -> Array:
        """Sums over layers of ``(b, p_pen)``, ``(b, l)``."""
        if not self.count:
            return np.zeros((len(vectors), 0))
        return np.stack([np.bincount(self.of, row, self.count) for row in vectors])


class Run:
    """Some probes on their way: all their products are one product with H per step.

    Parameters
    ----------
    operator : Penalised
    known : Known
    places : Places
    seed : int
    numbers : sequence of int
        Of the probes: number j is the same vector however many run together.
    most : int
        Steps that there will ever be.
    """

    def __init__(
        self,
        operator: Penalised,
        known: Known,
        places: Places,
        seed: int,
        numbers: Sequence[int],
        most: int,
    ) -> None:
        self.operator, self.known, self.places = operator, known, places
        self.signs = np.stack([_signs(seed, number, operator.dim) for number in numbers])
        block = self.signs.astype(np.float64)
        for _ in range(2):
            take_out(known.rows, block)
        self.sizes = np.linalg.norm(block, axis=1)
        self.bases = [Growing(operator.dim, operator.precision, most + 1) for _ in numbers]
        self.diagonal: list[list[float]] = [[] for _ in numbers]
        self.beside: list[list[float]] = [[] for _ in numbers]
        self.forms: list[list[Array]] = [[] for _ in numbers]
        self.scale = float(np.abs(known.values).max(initial=0.0))
        alive = [j for j in range(len(numbers)) if self.sizes[j] > 1e-6 * np.sqrt(operator.dim)]
        self._keep(alive, block[alive] / self.sizes[alive, None])
        self.alive = alive

    @property
    def steps(self) -> int:
        """Products of the longest probe."""
        return max((len(each) for each in self.diagonal), default=0)

    def step(self) -> None:
        """One product for all that are not exhausted."""
        alive, epsilon = self.alive, float(np.finfo(self.operator.precision).eps)
        block = np.stack([self.bases[j].rows[-1] for j in alive]).astype(np.float64)
        image = np.ascontiguousarray(self.operator.matvec(np.ascontiguousarray(block.T)).T)
        self.scale = max(self.scale, float(np.linalg.norm(image, axis=1).max()))
        for _ in range(2):
            take_out(self.known.rows, image)
        for row, j in enumerate(alive):
            self.diagonal[j].append(float(self.bases[j].without(image[row : row + 1])[-1, 0]))
        for _ in range(2):
            take_out(self.known.rows, image)
        norms = np.linalg.norm(image, axis=1)
        room = self.operator.dim - len(self.known.values)
        on = [
            i
            for i, j in enumerate(alive)
            if norms[i] > 10 * epsilon * self.scale and self.bases[j].size < room
        ]
        for i, j in enumerate(alive):
            self.beside[j].append(float(norms[i]) if i in on else 0.0)
        self.alive = [alive[i] for i in on]
        self._keep(self.alive, image[on] / norms[on, None])

    def _keep(self, alive: Sequence[int], rows: Array) -> None:
        for form, j, row in zip(self.places.split(self.signs[list(alive)] * rows), alive, rows, strict=True):
            self.bases[j].add(row[None])
            self.forms[j].append(form)

    def probes(self) -> tuple[Probe, ...]:
        """What they say so far."""
        found = []
        for j, size in enumerate(self.sizes):
            diagonal, beside = np.array(self.diagonal[j]), np.array(self.beside[j])
            forms = np.stack(self.forms[j], axis=1) if self.forms[j] else np.zeros((self.places.count, 1))
            if not len(diagonal):
                diagonal, beside, size = np.zeros(1), np.zeros(1), 0.0
            found.append(Probe(diagonal, beside, float(size), forms))
        return tuple(found)


@dataclass(frozen=True)
class Budget:
    """What probes may cost.

    Attributes
    ----------
    products : int
    probes : int or None
        None: as many as the products and the standard error ask for.
    seed : int
    memory : int
        Bytes of their bases.
    weakest : float
        Strength down to which the sums are asked for.
    noise : float
        Absolute error of a product.
    """

    products: int
    probes: int | None
    seed: int
    memory: int
    weakest: float
    noise: float

    def strengths(self, largest: float) -> Array:
        """Where standard error and bracket are judged."""
        low = self.weakest if self.weakest > 0 else 1e-5 * largest
        return np.geomspace(max(low, 1e-300), max(10 * largest, 10 * low, 1e-299), GRID)


def probe(
    operator: Penalised,
    known: Known,
    places: Places,
    budget: Budget,
    report: Report | None = None,
    keep: Callable[[Run], None] | None = None,
) -> ProbedSums:
    """Start probes until the t-interval reaches ±4 %, so that the standard error is below 2 %.

    The first six (or as many as are asked for) go on until half a bracket is a small share of that; later
    ones make as many steps.
    """
    start = operator.products
    per = operator.dim * operator.precision.itemsize
    done: tuple[Probe, ...] = ()
    steps, together = 0, max(1, min(budget.probes or FIRST, budget.products // LEAST))

    def left() -> int:
        return budget.products - (operator.products - start)

    def sums(probes: tuple[Probe, ...]) -> ProbedSums:
        positive = operator.fit.curvature.positive
        return ProbedSums(known, probes, budget.noise, operator.products - start, positive)

    while together > 0:
        most = steps or max(1, min(left() // together, budget.memory // (per * together), operator.dim))
        together = max(1, min(together, budget.memory // (per * (most + 1))))
        run = Run(operator, known, places, budget.seed, range(len(done), len(done) + together), most)
        while run.steps < most and run.alive:
            run.step()
            if keep is not None:
                keep(run)
            if report is not None:
                report(budget.products - left(), budget.products, "sums over all directions")
            look = not steps and run.steps >= LEAST and run.steps % 4 == 0
            if look and _narrow(sums(run.probes()), budget):
                break
        done += run.probes()
        steps = max(run.steps, 1)
        together = min(left() // steps, _missing(sums(done), budget, len(done)))
    return sums(done)


def _narrow(sums: ProbedSums, budget: Budget) -> bool:
    """Whether half the bracket is a small share of the standard error that is wanted."""
    alphas = budget.strengths(_largest(sums))
    return bool(np.all(0.5 * sums.gap(alphas) <= BRACKET * WANTED * np.abs(sums.shares(alphas).value)))


def _missing(sums: ProbedSums, budget: Budget, count: int) -> int:
    """Probes that are still needed for the standard error, or those that were asked for."""
    if budget.probes is not None:
        return budget.probes - count
    found = sums.shares(budget.strengths(_largest(sums)))
    there = np.abs(found.value) > 0
    if not there.any():
        return 0
    reach = 0.5 * max(quantile(count), 2.0) * found.standard_error[there] / np.abs(found.value[there])
    share = min(float(reach.max()), 1e3) / WANTED
    return int(np.ceil(count * share**2)) - count if share > 1 else 0


def _largest(sums: ProbedSums) -> float:
    values = [np.abs(sums.known.values), *(np.abs(rule.nodes) for rule in sums.upper)]
    return max((float(each.max(initial=0.0)) for each in values), default=0.0)


def _signs(seed: int, number: int, p: int) -> NDArray[np.int8]:
    """A vector of ±1, by its number."""
    draws = np.random.default_rng([seed, number]).integers(0, 2, p, dtype=np.int8)
    return 2 * draws - 1
