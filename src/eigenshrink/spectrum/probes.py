"""Random probes of a curvature: independent Lanczos runs that share their products (M19)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.spectrum.basis import Growing
from eigenshrink.spectrum.penalised import Penalised
from eigenshrink.spectrum.quadrature import Known, Probe

Array = NDArray[np.float64]


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
        return np.array([np.bincount(self.of, row, self.count) for row in vectors]).reshape(-1, self.count)


class Run:
    """Some probes on their way: all their products are one product with H per step.

    Each has a basis of its own, made orthogonal again in full, in the complement of what is known.

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
        self.operator, self.known, self.places, self.most = operator, known, places, most
        self.signs = np.stack([_signs(seed, number, operator.dim) for number in numbers])
        block = self.signs.astype(np.float64)
        known.basis.take_out(block)
        self.sizes = np.linalg.norm(block, axis=1)
        self.bases = [Growing(operator.dim, operator.precision, most + 1) for _ in numbers]
        self.diagonal = np.zeros((len(numbers), most))
        self.beside = np.zeros((len(numbers), most))
        self.forms = np.zeros((len(numbers), places.count, most + 1))
        self.scale = float(np.abs(known.values).max(initial=0.0))
        self.steps = 0
        found = np.flatnonzero(self.sizes > 1e-6 * np.sqrt(operator.dim))
        self.sizes[self.sizes <= 1e-6 * np.sqrt(operator.dim)] = 0.0
        self._keep(found, block[found] / self.sizes[found, None])

    @property
    def alive(self) -> NDArray[np.intp]:
        """Probes whose last product led somewhere new."""
        return np.flatnonzero([basis.size > self.steps for basis in self.bases])

    def step(self) -> None:
        """One product for all that are not exhausted."""
        alive = self.alive
        block = np.stack([self.bases[j].rows[-1] for j in alive]).astype(np.float64)
        image = np.ascontiguousarray(self.operator.matvec(np.ascontiguousarray(block.T)).T)
        self.scale = max(self.scale, float(np.linalg.norm(image, axis=1).max()))
        self.known.basis.take_out(image)
        for row, j in enumerate(alive):
            self.diagonal[j, self.steps] = self.bases[j].without(image[row : row + 1])[-1, 0]
        norms = np.linalg.norm(image, axis=1)
        floor = 10 * float(np.finfo(self.operator.precision).eps) * self.scale
        room = self.operator.dim - len(self.known.values)
        on = (norms > floor) & (self.steps + 1 < room)
        self.beside[alive, self.steps] = np.where(on, norms, 0.0)
        self.steps += 1
        self._keep(alive[on], image[on] / norms[on, None])

    def _keep(self, alive: NDArray[np.intp], rows: Array) -> None:
        for j, row in zip(alive, rows, strict=True):
            self.forms[j, :, self.steps] = self.places.split(self.signs[j : j + 1] * row)[0]
            self.bases[j].add(row[None])

    def probes(self) -> tuple[Probe, ...]:
        """What they say so far."""
        found = []
        for j, size in enumerate(self.sizes):
            m = max(1, min(self.bases[j].size, self.steps))
            forms = self.forms[j, :, : m + 1]
            found.append(
                Probe(self.diagonal[j, :m].copy(), self.beside[j, :m].copy(), float(size), forms.copy())
            )
        return tuple(found)

    def state(self) -> dict[str, Array]:
        """All that the rest of the run depends on."""
        found = {f"run.basis.{j}": np.asarray(basis.rows) for j, basis in enumerate(self.bases)}
        names = ("diagonal", "beside", "forms")
        return (
            found
            | {f"run.{name}": getattr(self, name) for name in names}
            | {
                "run.numbers": np.array([self.steps, self.most]),
                "run.scale": np.array(self.scale),
            }
        )

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that was kept."""
        for name in ("diagonal", "beside", "forms"):
            setattr(self, name, state[f"run.{name}"])
        self.steps, self.most = (int(number) for number in state["run.numbers"])
        self.scale = float(state["run.scale"])
        for j in range(len(self.bases)):
            self.bases[j] = Growing(self.operator.dim, self.operator.precision, self.most + 1)
            self.bases[j].add(state[f"run.basis.{j}"])


def _signs(seed: int, number: int, p: int) -> NDArray[np.int8]:
    """A vector of ±1, by its number."""
    draws = np.random.default_rng([seed, number]).integers(0, 2, p, dtype=np.int8)
    return 2 * draws - 1
