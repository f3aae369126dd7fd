"""Make the path of a fit whose curvature is known by products: whole where it is small (M19)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.fit import Fit
from eigenshrink.path.forecast import WORK, Forecast, forecast
from eigenshrink.path.krylov import TRUST, KrylovPath
from eigenshrink.path.measured import Layer, Measure
from eigenshrink.path.quadratic import QuadraticPath
from eigenshrink.path.rest import settled
from eigenshrink.path.trust import calibrated
from eigenshrink.spectrum import Spectrum
from eigenshrink.spectrum.checkpoint import Checkpoint
from eigenshrink.spectrum.dense import decompose_dense
from eigenshrink.spectrum.dual_products import decompose_factor
from eigenshrink.spectrum.eliminated import eliminate
from eigenshrink.spectrum.krylov import Krylov, Limits
from eigenshrink.spectrum.lanczos import Lanczos, grow
from eigenshrink.spectrum.penalised import Penalised
from eigenshrink.spectrum.probes import Places
from eigenshrink.spectrum.probing import Budget, Probing, probe
from eigenshrink.spectrum.quadrature import Known
from eigenshrink.spectrum.record import Basis
from eigenshrink.spectrum.sums import Sums, WholeSums

Array = NDArray[np.float64]

CONVERGED = 1e-3  # relative error up to which a Ritz pair is taken for an eigenpair by the sums
TOGETHER = 16  # directions that are looked at together


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
        The most products with H for the path, and again for the sums over all directions; the columns of free
        weights come on top.
    probes : int or None
        Random probes of the sums; None: as many as the products allow.
    seed : int
        Of the probes.
    memory : int
        Bytes that the Krylov basis, the columns of free weights and the probes may take together.
    checkpoint : Path or None
        Files beside this one, such as ``run.path.npz`` of ``run.npz``, are written after each block, and gone
        on from: the rest comes out exactly the same.
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
    """Decompose a small curvature whole, or its small side; of a large one keep a Krylov space (M19).

    Parameters
    ----------
    fit : Fit
        Weights, gradient, strength and a curvature that is known by products.
    layers : sequence of Layer
        Parts that sums are split over.
    measure : Measure, optional
        The true losses.
    start_loss : float
        ``L(w₀)``.
    effort : Effort, optional
    tolerance : float
        Of M18.

    Raises
    ------
    InputError
        If the memory does not hold the shortest Krylov basis, free weights have negative curvature, or the
        checkpoint is of something else.
    """
    effort = effort or Effort()
    bare = replace(fit, sample=None, training=None, loss=None)
    planned = forecast(bare, effort.whole, effort.products, effort.memory)
    make = {"whole": _whole, "dual-products": _dual, "lanczos": _lanczos}[planned.route]
    spectrum, bound, sums, still = make(bare, layers, effort, planned, measure is not None)
    quadratic = QuadraticPath(bare, spectrum)
    path = KrylovPath(fit, quadratic, bound, sums, tuple(layers), start_loss, measure, tolerance)
    return calibrated(settled(path, still))


Bound = Callable[[Array], Array] | None
Found = tuple[Spectrum, Bound, Callable[[], Sums], Bound]
"""The spectrum, the bound of its path, the sums over it, and the bound of the path from ``w₀`` as it is."""


def _whole(fit: Fit, layers: Sequence[Layer], effort: Effort, planned: Forecast, still: bool) -> Found:
    spectrum, places = decompose_dense(fit), _places(fit, layers)

    def sums() -> WholeSums:
        return WholeSums(spectrum.eigenvalues, places.split(np.square(spectrum.basis.T)).T)

    return spectrum, None, sums, None


def _dual(fit: Fit, layers: Sequence[Layer], effort: Effort, planned: Forecast, still: bool) -> Found:
    spectrum, places = decompose_factor(fit), _places(fit, layers)

    def sums() -> WholeSums:
        parts = squares(spectrum.directions, len(spectrum.eigenvalues), places)
        return WholeSums(spectrum.eigenvalues, parts, len(places.of) - len(spectrum.eigenvalues))

    return spectrum, None, sums, None


def _lanczos(fit: Fit, layers: Sequence[Layer], effort: Effort, planned: Forecast, still: bool) -> Found:
    kept = Checkpoint(effort.checkpoint, fit, effort.accuracy, effort.weakest, still)
    eliminated = eliminate(fit, effort.memory, effort.progress, kept)
    operator = Penalised(fit, eliminated.block)
    lanczos = Lanczos(operator, Limits(effort.accuracy, effort.weakest, planned.products, still))
    krylov = grow(lanczos, effort.progress, kept)
    spectrum = _spectrum(fit, krylov, lanczos)

    sums = Estimating(lanczos, krylov, tuple(layers), effort, planned)
    return spectrum, krylov.bound, sums, krylov.still.bound


@dataclass(frozen=True, eq=False)
class Estimating:
    """Makes the sums over all directions, by probes beside those that a Krylov space knows (M19)."""

    lanczos: Lanczos
    krylov: Krylov
    layers: tuple[Layer, ...]
    effort: Effort
    planned: Forecast

    def __call__(self) -> Sums:
        """Probe within the effort; memory is what the path has left."""
        lanczos, krylov, effort, fit = self.lanczos, self.krylov, self.effort, self.lanczos.operator.fit
        places = _places(fit, self.layers)
        low = float(lanczos.limits.strengths(krylov)[0])
        left = effort.memory - self.planned.columns - lanczos.bytes - WORK * 8 * len(fit.penalty_factor)
        noise = krylov.noise * krylov.largest
        budget = Budget(effort.products, effort.probes, effort.seed, left, low, noise)
        probing = Probing(lanczos.operator, _known(krylov, lanczos, places), places, budget)
        kept = Checkpoint(effort.checkpoint, fit, effort.accuracy, effort.weakest, budget, len(krylov.values))
        return probe(probing, effort.progress, kept)


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
        floor=krylov.floor,
        free=lanczos.operator.free,
        margin=krylov.margin,
    )


def _known(krylov: Krylov, lanczos: Lanczos, places: Places) -> Known:
    """Ritz pairs that are eigenpairs."""
    good = np.flatnonzero(krylov.misses <= CONVERGED * np.abs(krylov.values))
    basis = lanczos.directions(krylov).restrict(good)
    return Known(krylov.values[good], krylov.misses[good], basis, squares(basis, len(good), places))


def squares(directions: Basis, count: int, places: Places) -> Array:
    """Share of each direction in each layer, ``(l, k)``; no array of directions is made."""
    parts = np.zeros((places.count, count))
    for start in range(0, count if places.count else 0, TOGETHER):
        picked = np.arange(start, min(start + TOGETHER, count))
        units = np.zeros((count, len(picked)))
        units[picked, picked - start] = 1.0
        parts[:, picked] = places.split(np.square(directions.back(units).T)).T
    return parts


def _places(fit: Fit, layers: Sequence[Layer]) -> Places:
    """The layer of every penalised weight."""
    place = np.zeros(len(fit.penalty_factor), dtype=np.intp)
    for number, layer in enumerate(layers):
        place[layer.places] = number
    return Places(place[fit.penalised], len(layers))
