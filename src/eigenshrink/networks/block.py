"""How many vectors to multiply at once: it is timed, never assumed, since it depends on the layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eigenshrink.networks.forecast import seconds_of

LARGEST = 64  # vectors at once
GIVE_UP = 1.5  # times the best: larger blocks are not tried


class BlockTimer:
    """The fastest number of vectors, found once for each size that is asked for.

    Parameters
    ----------
    largest : int
        That memory allows.
    """

    def __init__(self, largest: int = LARGEST) -> None:
        self.largest = min(largest, LARGEST)
        self.seconds: dict[int, float] = {}  # per vector
        self.done = False

    def best(self, vectors: int, prepare: Callable[[int], Callable[[], Any]]) -> int:
        """Of the sizes 1, 2, 4, ... up to so many vectors.

        ``prepare`` makes vectors and gives what multiplies them at once; where PyTorch cannot, that raises.
        """
        size = 1
        while size <= min(vectors, self.largest) and not self.done:
            if size not in self.seconds:
                self.seconds[size] = _measure(size, prepare(size))
                self.done = self.seconds[size] > GIVE_UP * min(self.seconds.values())
            size *= 2
        allowed = [size for size in self.seconds if size <= max(vectors, 1)]
        return min(allowed, key=lambda size: self.seconds[size], default=1)

    def knows(self, vectors: int) -> bool:
        """Whether nothing is left to be measured for so many."""
        return self.done or 2 * max(self.seconds, default=0) > min(vectors, self.largest)


def _measure(size: int, run: Callable[[], Any]) -> float:
    try:
        return seconds_of(run) / size
    except RuntimeError:
        if size == 1:
            raise
        return float("inf")
