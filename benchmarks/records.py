"""What one row of the table is made of, and what a run is told."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field

HOLDS = {"<=": operator.le, ">=": operator.ge}


@dataclass(frozen=True)
class Plan:
    """How a run measures, the same for every row.

    ``rounds``: how often every contender runs. ``pause``: seconds of rest before each run, repeated
    while other processes compute, but at most ``patience`` seconds. ``seed``: of the data.
    """

    rounds: int = 5
    pause: float = 0.2
    patience: float = 10.0
    seed: int = 0


@dataclass(frozen=True)
class Shape:
    """Size of a problem: rows, columns, strengths, targets."""

    n: int
    p: int
    a: int
    t: int = 1

    def __str__(self) -> str:
        targets = f"{self.t} targets, " if self.t > 1 else ""
        return f"{targets}n={self.n}, p={self.p}, {self.a} α's"


@dataclass(frozen=True)
class Measured:
    """One number and the bar it is held against; without a bar it is told for information.

    ``quartiles`` and ``best`` belong to times: half of the rounds lie between the quartiles, and ``best``
    compares the fastest run of each contender, which other people's load disturbs least.
    """

    what: str
    value: float
    sense: str = ""
    bar: float | None = None
    quartiles: tuple[float, float] | None = None
    best: float | None = None

    @property
    def met(self) -> bool | None:
        return None if self.bar is None else bool(HOLDS[self.sense](self.value, self.bar))


@dataclass(frozen=True)
class Result:
    """One row of the table: the work in words, the numbers, the seconds of every run.

    ``others`` is the share of the cores that other processes used just before the runs, on average.
    """

    row: str
    work: str
    numbers: tuple[Measured, ...]
    seconds: dict[str, list[float]] = field(default_factory=dict)
    others: float | None = None


@dataclass(frozen=True)
class Row:
    """A row of the registry: how to measure it, at full size, and at the size of a test."""

    measure: Callable[[Plan, Shape], Result]
    full: Shape
    smoke: Shape
