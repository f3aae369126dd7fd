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
from eigenshrink.spectrum import Spectrum
from eigenshrink.spectrum.dense import decompose_dense
from eigenshrink.spectrum.eliminated import eliminate
from eigenshrink.spectrum.lanczos import Krylov, Lanczos, Limits, grow
from eigenshrink.spectrum.penalised import Penalised
from eigenshrink.spectrum.probes import Budget, Places, probe
from eigenshrink.spectrum.quadrature import Known
from eigenshrink.spectrum.sums import Sums, WholeSums

Array = NDArray[np.float64]

CONVERGED = 1e-3  # relative error up to which a Ritz pair is taken for an eigenpair by the sums
SURE = 1e-6  # relative error of w̃ below which six digits are sure


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
    effort = effort or Effort()
    bare = replace(fit, sample=None, training=None, loss=None)
    make = _whole if len(fit.penalty_factor) <= effort.whole else _lanczos
    spectrum, bound, sums = make(bare, layers, effort)
    quadratic = QuadraticPath(bare, spectrum)
    return KrylovPath(fit, quadratic, bound, sums, tuple(layers), start_loss, measure, tolerance)


Found = tuple[Spectrum, Callable[[Array], Array] | None, Callable[[], Sums]]


def _whole(fit: Fit, layers: Sequence[Layer], effort: Effort) -> Found:
    spectrum = decompose_dense(fit)
    places = _places(fit, layers)

    def sums() -> WholeSums:
        return WholeSums(spectrum.eigenvalues, places.split(np.square(spectrum.basis.T)).T)

    return spectrum, None, sums


def _lanczos(fit: Fit, layers: Sequence[Layer], effort: Effort) -> Found:
    eliminated = eliminate(fit, effort.memory, effort.progress)
    operator = Penalised(fit, eliminated.block)
    lanczos = Lanczos(operator, Limits(effort.accuracy, effort.weakest, effort.products))
    krylov = grow(lanczos, effort.progress)
    spectrum = _spectrum(fit, krylov, lanczos)

    def sums() -> Sums:
        places = _places(fit, layers)
        noise = krylov.noise * krylov.largest
        low = lanczos.limits.lowest(krylov.alpha, krylov.largest)
        budget = Budget(effort.products, effort.probes, effort.seed, effort.memory, low, noise)
        return probe(operator, _known(krylov, lanczos, places), places, budget, effort.progress)

    return spectrum, krylov.bound, sums


def _spectrum(fit: Fit, krylov: Krylov, lanczos: Lanczos) -> Spectrum:
    numerators = krylov.numerators
    level = 1e3 * krylov.noise * float(np.abs(numerators).max(initial=0.0))
    flat = (krylov.values[:, None] == 0) & (np.abs(numerators) <= level)
    return Spectrum(
        eigenvalues=krylov.values,
        directions=lanczos.directions(krylov),
        numerators=np.where(flat, 0.0, numerators),
        at=fit.alpha,
        route="lanczos",
        floor=_floor(krylov, lanczos),
        free=lanczos.operator.free,
        margin=krylov.margin,
    )


def _floor(krylov: Krylov, lanczos: Lanczos) -> float:
    """Strength below which fewer than six digits of w̃ are sure."""
    if not krylov.largest:
        return 0.0
    alphas = np.geomspace(1e-12 * krylov.largest, 1e2 * krylov.largest, 57)
    unsure = np.flatnonzero(~(krylov.bound(alphas) <= SURE * krylov.sizes(alphas)))
    return float(alphas[unsure[-1]]) if len(unsure) else 0.0


def _known(krylov: Krylov, lanczos: Lanczos, places: Places) -> Known:
    """Ritz pairs that are eigenpairs, the largest first."""
    good = np.flatnonzero(krylov.misses <= CONVERGED * np.abs(krylov.values))
    basis = lanczos.directions(krylov)
    rows = np.empty((len(good), len(places.of)), dtype=lanczos.operator.precision)
    parts = np.zeros((places.count, len(good)))
    for row, place in enumerate(good):
        unit = np.zeros((len(krylov.values), 1))
        unit[place] = 1.0
        vector = basis.back(unit).T
        rows[row] = vector[0]
        parts[:, row] = places.split(np.square(vector))[0]
    return Known(krylov.values[good], krylov.misses[good], rows, parts)


def _places(fit: Fit, layers: Sequence[Layer]) -> Places:
    """The layer of every penalised weight."""
    place = np.zeros(len(fit.penalty_factor), dtype=np.intp)
    for number, layer in enumerate(layers):
        place[layer.places] = number
    return Places(place[fit.penalised], len(layers))
