"""Arrays as text that a script reads fast and exactly, infinities and gaps included."""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicHermiteSpline, CubicSpline

Array = NDArray[np.float64]


def packed(values: ArrayLike, single: bool = False) -> dict[str, Any]:
    """An array as base64 of its little-endian numbers, with its shape; ``single``: to seven digits."""
    array = np.asarray(values, dtype="<f4" if single else "<f8")
    kind = "f4" if single else "f8"
    return {kind: base64.b64encode(np.ascontiguousarray(array).tobytes()).decode(), "shape": array.shape}


def scalar(value: Any) -> float | str | None:
    """One number for JSON, which has no infinity: that is text; NaN is null."""
    number = float(value)
    if math.isnan(number):
        return None
    return number if math.isfinite(number) else ("Infinity" if number > 0 else "-Infinity")


def slopes(places: Array, values: Array) -> Array:
    """Slopes of smooth curves ``(a, ...)`` at their places, by a cubic spline; gaps stay gaps."""
    flat = values.reshape(len(values), -1)
    found = np.full(flat.shape, np.nan)
    for j, column in enumerate(flat.T):
        known = np.isfinite(column)
        if known.sum() > 1:
            found[known, j] = CubicSpline(places[known], column[known])(places[known], 1)
    return found.reshape(values.shape)


def error_between(places: Array, values: Array, steep: Array, asked: Array, truth: Array) -> float:
    """Largest error of cubic Hermite interpolation at some places, relative to the range of each curve."""
    flat, exact = values.reshape(len(values), -1), truth.reshape(len(truth), -1)
    worst = 0.0
    for column, slope, known in zip(flat.T, steep.reshape(flat.shape).T, exact.T, strict=True):
        good = np.isfinite(column) & np.isfinite(slope)
        if good.sum() < 2:
            continue
        spline = CubicHermiteSpline(places[good], column[good], slope[good], extrapolate=False)
        apart = np.abs(spline(asked) - known)
        size = float(np.ptp(column[good])) or 1.0
        worst = max(worst, float(np.nanmax(apart, initial=0.0)) / size)
    return worst
