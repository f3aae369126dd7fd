"""Strengths at which a page keeps what it cannot compute again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.path import KrylovPath, QuadraticPath
from eigenshrink.plots import reading

Array = NDArray[np.float64]

LOOKS = 12  # strengths between those of the table, at which its error is measured
BESIDE = 1e-9  # relative, by which a strength stays above the weakest one


@dataclass(frozen=True, eq=False)
class Grid:
    """The strengths of a page.

    Attributes
    ----------
    alphas : (a,)
        Ascending, ``0 < α < ∞``; the chosen ones are among them.
    weakest : float
        The weakest strength that has a solution: 0, or what is typed in below it is refused.
    """

    alphas: Array
    weakest: float

    @classmethod
    def of(cls, study: Any) -> Grid:
        """Those that are worth showing, and what was chosen."""
        path = study.path
        least = path.least * (1 + 1e-3) if isinstance(path, KrylovPath) else float(path.lowest)
        shown, chosen = reading.strengths(study), np.unique(np.ravel(study.alpha).astype(np.float64))[:64]
        alphas = np.unique(np.concatenate([shown, chosen[(chosen > 0) & np.isfinite(chosen)]]))
        apart = np.append(np.diff(np.log(alphas)) > BESIDE, True)
        return cls(alphas[apart & (alphas >= least)], least)

    @cached_property
    def logs(self) -> Array:
        """Log α."""
        return np.log(self.alphas)

    @cached_property
    def between(self) -> Array:
        """Some strengths half way between two of the table, ``(m,)``."""
        middles = np.exp(0.5 * (self.logs[1:] + self.logs[:-1]))
        picked: Array = middles[np.unique(np.linspace(0, len(middles) - 1, LOOKS).astype(int))]
        return picked


def along(study: Any, alphas: Array) -> Array:
    """Log of strengths as the path has them: of a network by its quadratic, in which it is smooth."""
    path = study.path
    return np.log(path.place(alphas) if isinstance(path, KrylovPath) else alphas)


def closed(study: Any) -> bool:
    """Whether the loss is squared, so that closed forms hold at every strength."""
    return isinstance(study.path, QuadraticPath)


def by_directions(study: Any) -> bool:
    """Whether weights are sums along directions that do not change: of squared loss, and of a network."""
    return isinstance(study.path, QuadraticPath | KrylovPath)
