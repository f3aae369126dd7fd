"""A training that has not come to rest: whether to follow what is left of its gradient (M5, M18).

The general form of M5 first goes to the minimum of the quadratic at ``α₀``. Where the loss does not change on
that way as predicted, such as along flat directions that a noisy gradient points to, the weights are taken as
they are instead, as if ``ρ = g + α₀Dw₀`` were zero: the path then goes through ``w₀`` at ``α₀`` and says what
another strength changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from eigenshrink.path.krylov import KrylovPath
from eigenshrink.path.quadratic import QuadraticPath
from eigenshrink.path.trust import holds_at_start

Array = NDArray[np.float64]

SMALL = 1e-3  # of the length of the weights: so close to rest nothing need be measured
REMARK = (
    "the training had not come to rest, and the loss does not fall towards the minimum of the quadratic as "
    "predicted: the path starts from the weights as they are"
)


def settled(path: KrylovPath, bound: Callable[[Array], Array] | None) -> KrylovPath:
    """The path from the minimum of the quadratic at ``α₀`` where that is believed, else from ``w₀``.

    Cost: two passes over the training rows, unless the training had come to rest.

    Parameters
    ----------
    path : KrylovPath
    bound : callable or None
        Of the path from ``w₀``, as in :class:`KrylovPath`.
    """
    if path.measure is None or _rests(path) or holds_at_start(path):
        return path
    fit, spectrum = path.quadratic.fit, path.spectrum
    start, free = path.start, spectrum.free
    offset = fit.weights[fit.free]
    if len(fit.free):
        offset = offset + free.onto @ fit.weights[fit.penalised]
    still = replace(
        spectrum,
        numerators=((spectrum.eigenvalues + fit.alpha) * start)[:, None],
        free=replace(free, offset=offset),
    )
    bare = replace(fit, gradient=-fit.alpha * fit.penalty_factor[:, None] * fit.weights)
    notes = replace(path.notes, remarks=(*path.notes.remarks, REMARK))
    return replace(path, quadratic=QuadraticPath(bare, still), bound=bound, rested=True, notes=notes)


def _rests(path: KrylovPath) -> bool:
    """Whether the minimum at ``α₀`` is next to the weights, by the bound ``‖ρ‖_{D⁻¹}/α₀`` (M16)."""
    fit = path.quadratic.fit
    if not fit.alpha > 0:
        return False
    pen = fit.penalised
    rho = fit.gradient + fit.alpha * fit.penalty_factor[:, None] * fit.weights
    size = float(np.linalg.norm(fit.weights[pen] / fit.scale[:, None]))
    left = float(np.linalg.norm(rho[pen] * fit.scale[:, None])) + float(np.linalg.norm(rho[fit.free]))
    return left <= SMALL * fit.alpha * size
