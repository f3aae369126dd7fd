"""Times of contenders that take turns, and memory beyond what was given and returned."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmarks.quiet import wait_until_quiet
from benchmarks.records import Measured, Plan


@dataclass(frozen=True)
class Turns:
    """Seconds of every contender in every round, and how busy others were before the runs."""

    seconds: dict[str, list[float]]
    others: float | None


def take_turns(contenders: Mapping[str, Callable[[], object]], plan: Plan, rounds: int = 0) -> Turns:
    """Run every contender in every round; each round starts with another one.

    Nothing is warmed up here: every row calls its contenders once before, to check their answers.
    """
    names = list(contenders)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    others = []
    for turn in range(rounds or plan.rounds):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            gc.collect()
            others.append(wait_until_quiet(plan.pause, plan.patience))
            start = time.perf_counter()
            contenders[name]()
            seconds[name].append(time.perf_counter() - start)
    known = [share for share in others if np.isfinite(share)]
    return Turns(seconds, round(float(np.mean(known)), 3) if known else None)


def ratio(turns: Turns, over: str, under: str, sense: str = "", bar: float | None = None) -> Measured:
    """Median of the ratios ``over / under`` within each round: what slows both cancels."""
    above, below = np.array(turns.seconds[over]), np.array(turns.seconds[under])
    low, middle, high = np.quantile(above / below, [0.25, 0.5, 0.75])
    return Measured(
        what=f"{over} / {under}",
        value=float(middle),
        sense=sense,
        bar=bar,
        quartiles=(float(low), float(high)),
        best=float(above.min() / below.min()),
    )


def extra_peak(work: Callable[[], Iterable[NDArray[np.floating]]]) -> int:
    """Bytes that ``work`` allocates at its worst moment beyond the arrays it returns.

    What exists before is not counted; what stays alive in objects (a fitted study) is. Workspace that
    LAPACK allocates behind numpy is not seen.
    """
    work()  # lazy imports and caches are not what is measured
    gc.collect()
    tracemalloc.start()
    try:
        returned = list(work())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak - sum(array.nbytes for array in returned)


def difference(ours: ArrayLike, theirs: ArrayLike) -> float:
    """Largest difference of two arrays relative to the largest entry of the second."""
    a, b = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    return float(np.abs(a - b).max() / np.abs(b).max())
