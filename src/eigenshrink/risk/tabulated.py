"""A curve that needs the rows, kept without them: its values and slopes on a dense table."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicHermiteSpline

from eigenshrink.risk.curve import RiskCurve
from eigenshrink.risk.minimum import Evaluate

Array = NDArray[np.float64]

STEP = 0.1  # of the table, in log α: the curve is reproduced to about 1e-7 of its range


def tabulate(curve: RiskCurve) -> dict[str, Array]:
    """Places (log α), values, slopes and the two limits of a curve, as arrays that can be saved."""
    low, high = curve.span or (0.0, 1.0)
    places = np.linspace(low, high, int((high - low) / STEP) + 2)
    values, slopes = curve.evaluate(np.exp(places)[:, None], slopes=True)
    limits, _ = curve.evaluate(np.array([[0.0], [np.inf]]), slopes=False)
    return {"places": places, "values": values, "slopes": slopes, "limits": limits}


def interpolated(table: dict[str, Array]) -> Evaluate:
    """The curve again, by cubic Hermite interpolation in log α; constant beyond the table."""
    places, limits = table["places"], table["limits"]
    spline = CubicHermiteSpline(places, table["values"], table["slopes"], axis=0)
    slope = spline.derivative()

    def at(function: CubicHermiteSpline, place: Array) -> Array:
        inside = np.clip(place, places[0], places[-1])
        result = function(inside)  # (m, c, t)
        t = result.shape[-1]
        picked = result[:, 0] if place.shape[1] == 1 else result[:, np.arange(t), np.arange(t)]
        return np.asarray(picked)

    def evaluate(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        with np.errstate(divide="ignore"):
            place = np.log(alphas)
        value = np.where(alphas == 0, limits[0], np.where(np.isinf(alphas), limits[1], at(spline, place)))
        return value, at(slope, place)

    return evaluate
