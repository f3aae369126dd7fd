"""How many probes, and how long: sums over all directions within a budget of products (M9, M19)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.errors import InputError
from eigenshrink.spectrum.checkpoint import Checkpoint
from eigenshrink.spectrum.penalised import Penalised, Report
from eigenshrink.spectrum.probes import Places, Run
from eigenshrink.spectrum.quadrature import Known, Probe, ProbedSums, quantile

Array = NDArray[np.float64]

FIRST = 8  # probes that are started together
WANTED = 0.015  # half the reach of the interval, relative to Σ λ/(λ+α), for which more are started
BRACKET = 0.25  # share of it that half a bracket may have
FIRSTS = 0.75  # of the products that the first ones may take
LEAST = 8  # products of a probe before its bracket is looked at
EVERY = 4  # products between two looks
STEPS = 24  # products of a probe that memory is kept for, fewer probes at a time if need be
GRID = 20  # strengths at which they are judged
STAGE = "sums"


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


class Probing:
    """Probes, from the first to the last.

    The first eight go on until half a bracket is small beside the interval that is wanted, ±3 % of the sum at
    every strength, which is a standard error of 1.5 %; their spread says once how many more there must be,
    and these make as many steps. Deciding once keeps the interval honest.

    Parameters
    ----------
    operator : Penalised
    known : Known
    places : Places
    budget : Budget

    Raises
    ------
    InputError
        If the memory does not hold a single probe.
    """

    def __init__(self, operator: Penalised, known: Known, places: Places, budget: Budget) -> None:
        self.operator, self.known, self.places, self.budget = operator, known, places, budget
        self.done: tuple[Probe, ...] = ()
        self.run: Run | None = None
        self.spent = self.steps = 0
        first = max(1, min(FIRST, budget.products // LEAST))
        self.goal = budget.probes if budget.probes is not None else first
        self.decided = budget.probes is not None
        self.deciding = 0
        self.room = budget.memory // (operator.dim * operator.precision.itemsize)
        if self.room < LEAST + 1:
            needed = (LEAST + 1) * operator.dim * operator.precision.itemsize
            raise InputError(
                f"the sums over all directions need {needed / 1e9:.2g} GB beside the path, "
                f"{max(budget.memory, 0) / 1e9:.2g} GB are left: allow more memory"
            )

    @property
    def left(self) -> int:
        """Products that may still be made."""
        return self.budget.products - self.spent

    def sums(self) -> ProbedSums:
        """What all probes say so far."""
        probes = self.done + (self.run.probes() if self.run is not None else ())
        positive = self.operator.fit.curvature.positive
        deciding = min(self.deciding, len(probes)) or None
        return ProbedSums(self.known, probes, self.budget.noise, self.spent, positive, deciding)

    def ended(self) -> bool:
        """Whether there are as many as are wanted, or as the products allow."""
        if self.run is not None:
            return False
        if not self.done:
            return self.goal < 1 or self.left < 1
        if not self.decided and len(self.done) >= self.goal:
            self.deciding = len(self.done)
            self.goal, self.decided = self._goal(), True
        return len(self.done) >= self.goal or self.left < self.steps

    def step(self) -> None:
        """One product for every probe that is on its way; start some if there are none."""
        if self.run is None:
            self._start()
        run = self.run
        assert run is not None
        if run.steps < run.most and len(run.alive) and self.left >= len(run.alive):
            self.spent += len(run.alive)
            run.step()
        if run.steps >= run.most or not len(run.alive) or self.left < len(run.alive) or self._narrow(run):
            self.done += run.probes()
            self.steps = self.steps or max(1, run.steps)
            self.run = None

    def _start(self) -> None:
        numbers = range(len(self.done), self.goal)
        steps = self.steps or min(STEPS, max(1, self.left // max(1, len(numbers))), self.operator.dim)
        together = max(1, min(len(numbers), self.room // (steps + 1), self.left // max(1, self.steps)))
        share = self.left if self.decided else int(FIRSTS * self.left)
        most = self.steps or max(1, min(share // together, self.room // together - 1, self.operator.dim))
        picked = numbers[:together]
        self.run = Run(self.operator, self.known, self.places, self.budget.seed, picked, most)

    def _narrow(self, run: Run) -> bool:
        """Whether brackets are small beside the interval: the one that is wanted, or that of these probes."""
        if self.steps or run.steps < LEAST or run.steps % EVERY:
            return False
        sums = self.sums()
        alphas = self.budget.strengths(_largest(sums))
        found = sums.shares(alphas)
        enough = np.maximum(WANTED * np.abs(found.value), 2 * found.standard_error)
        return bool(np.all(0.5 * sums.gap(alphas) <= BRACKET * enough))

    def _goal(self) -> int:
        """Probes that the spread of the first ones asks for."""
        sums, count = self.sums(), len(self.done)
        found = sums.shares(self.budget.strengths(_largest(sums)))
        there = np.abs(found.value) > 0
        if not there.any():
            return count
        reach = 0.5 * max(quantile(count), 2.0) * found.standard_error[there] / np.abs(found.value[there])
        share = min(float(reach.max()), 1e3) / WANTED
        return int(np.ceil(count * share**2)) if share > 1 else count

    def state(self) -> dict[str, Array]:
        """All that the rest of the computation depends on."""
        numbers = [len(self.done), self.spent, self.steps, self.goal, self.decided, self.run is not None]
        numbers.append(self.deciding)
        found: dict[str, Array] = {"numbers": np.array(numbers)}
        for j, probe in enumerate(self.done):
            own = {"diagonal": probe.diagonal, "beside": probe.beside, "forms": probe.forms}
            found |= {f"{j}.{name}": array for name, array in own.items()}
            found[f"{j}.size"] = np.array(probe.size)
        if self.run is not None:
            found |= self.run.state()
            found["run.count"] = np.array(len(self.run.bases))
        return found

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that was kept."""
        numbers = (int(each) for each in state["numbers"])
        count, self.spent, self.steps, self.goal, decided, running, self.deciding = numbers
        self.decided = bool(decided)
        self.done = tuple(
            Probe(
                state[f"{j}.diagonal"], state[f"{j}.beside"], float(state[f"{j}.size"]), state[f"{j}.forms"]
            )
            for j in range(count)
        )
        if running:
            picked = range(count, count + int(state["run.count"]))
            self.run = Run(self.operator, self.known, self.places, self.budget.seed, picked, 1)
            self.run.restore(state)


def probe(probing: Probing, report: Report | None = None, checkpoint: Checkpoint | None = None) -> ProbedSums:
    """Make products until the probes say enough, or the products are used up.

    Parameters
    ----------
    probing : Probing
    report : callable, optional
        Called after each product with (products done, at most, what for).
    checkpoint : Checkpoint, optional
        Written after each product; what it holds is not computed again, and the rest comes out the same.
    """
    checkpoint = checkpoint or Checkpoint(None, probing.operator.fit)
    kept = checkpoint.read(STAGE)
    if kept is not None:
        probing.restore(kept)
    while not probing.ended():
        probing.step()
        checkpoint.write(STAGE, probing.state)
        if report is not None:
            report(probing.spent, probing.budget.products, "sums over all directions")
    checkpoint.write(STAGE, probing.state, last=True)
    return probing.sums()


def _largest(sums: ProbedSums) -> float:
    values = [np.abs(sums.known.values), *(np.abs(rule.nodes) for rule in sums.upper)]
    return max((float(each.max(initial=0.0)) for each in values), default=0.0)
