"""The strengths that are worth showing of a path: where something moves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eigenshrink.path import KrylovPath, Path

Array = NDArray[np.float64]

POINTS = 161
BESIDE = 10.0  # times the strengths at which a network is believed, up to which they are shown
FLAT = 1e-6  # share of the largest curvature below which directions of a network are not waited for


def shown_strengths(path: Path, chosen: Array) -> Array:
    """Strengths for display, ascending: two decades beyond the eigenvalues, at most 14 in all.

    Of a network a decade beyond the strengths at which its quadratic is believed (M18). What was chosen
    ``(t,)`` is among them, with a decade on either side.
    """
    if isinstance(path, KrylovPath):
        return _believed(path, chosen)
    chosen = chosen[(chosen > 0) & np.isfinite(chosen)]
    bottom, top = np.exp(path.span) * [0.01, 100] if path.span else (1e-3, 1.0)
    low = max(min([max(bottom, top * 1e-14), *(chosen / 10)]), path.lowest)
    high = max([top, *(chosen * 10)])
    return np.maximum(np.logspace(np.log10(low), np.log10(high), POINTS), path.lowest)


def _believed(path: KrylovPath, chosen: Array) -> Array:
    places = np.concatenate([path.trusted, [path.fit.alpha], chosen])
    places = places[(places > 0) & np.isfinite(places)]
    ends = path.trusted[0] > 0 and np.isfinite(path.trusted[1])
    if path.scales is not None and not ends:
        bottom, top = np.exp(path.scales)
        places = np.append(places, [max(bottom, FLAT * top), top])
    low, high = (places.min() / BESIDE, places.max() * BESIDE) if len(places) else (1e-3, 1.0)
    low = max(low, path.least * (1 + 1e-3))
    return np.logspace(np.log10(low), np.log10(high), POINTS).clip(low, high)
