"""Make the path of a fit whose curvature is known by products: whole where it is small (M19)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.fit import Fit
from eigenshrink.path.krylov import TRUST, KrylovPath
from eigenshrink.path.measured import Layer, Measure
from eigenshrink.path.quadratic import QuadraticPath
from eigenshrink.spectrum.dense import decompose_dense
from eigenshrink.spectrum.sums import WholeSums

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Effort:
    """What the path of a large model may cost.

    Attributes
    ----------
    whole : int
        Weights up to which the curvature is made as a matrix and decomposed.
    accuracy : float
        Relative error of w̃ at the strengths between ``weakest`` and ∞.
    weakest : float or None
        House units; None: a hundredth of ``α₀``, and a 1e-5 of the largest curvature without it.
    products : int
        The most products with H for the path, and again for the sums over all directions.
    probes : int or None
        Random probes of the sums; None: as many as the products allow.
    seed : int
        Of the probes.
    memory : int
        Bytes that the Krylov basis and the columns of free weights may take.
    checkpoint : Path or None
        File to write after each block, and to go on from.
    progress : callable or None
        Called with (products done, products at most, what they are for).
    """

    whole: int = 3000
    accuracy: float = 1e-6
    weakest: float | None = None
    products: int = 400
    probes: int | None = None
    seed: int = 0
    memory: int = 4 << 30
    checkpoint: Path | None = None
    progress: Callable[[int, int, str], Any] | None = None


def krylov_path(
    fit: Fit,
    layers: Sequence[Layer] = (),
    measure: Measure | None = None,
    start_loss: float = float("nan"),
    effort: Effort | None = None,
    tolerance: float = TRUST,
) -> KrylovPath:
    """Decompose a small curvature whole; of a large one keep the Krylov space of ``w₀``."""
    bare = replace(fit, sample=None, training=None, loss=None)
    spectrum = decompose_dense(bare)
    quadratic = QuadraticPath(bare, spectrum)

    def sums() -> WholeSums:
        squares = np.square(spectrum.basis)
        place = np.zeros(len(fit.penalty_factor), dtype=np.intp)
        for number, layer in enumerate(layers):
            place[layer.places] = number
        parts = np.zeros((len(layers), squares.shape[1]))
        np.add.at(parts, place[fit.penalised], squares)
        return WholeSums(spectrum.eigenvalues, parts)

    return KrylovPath(fit, quadratic, None, sums, tuple(layers), start_loss, measure, tolerance)
