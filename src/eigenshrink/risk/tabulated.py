"""A curve that needs the rows, kept without them: its values and slopes on a dense table."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicHermiteSpline

from eigenshrink.risk.curve import RiskCurve
from eigenshrink.risk.minimum import Evaluate

Array = NDArray[np.float64]

EDGE = 1e-9  # relative, of a strength that went through its logarithm and back
FROM_ROWS = ("loo",)  # curves of a network that need its rows again
STEP = 0.1  # of the table, in log α: the curve is reproduced to about 1e-7 of its range


def tabulate(curve: RiskCurve) -> dict[str, NDArray[Any]]:
    """Places (log α), values, slopes, the two limits and the unit of a curve, as arrays to save."""
    low, high = curve.span or (0.0, 1.0)
    places = np.linspace(low, high, int((high - low) / STEP) + 2)
    values, slopes = curve.evaluate(np.exp(places)[:, None], slopes=True)
    limits, _ = curve.evaluate(np.array([[0.0], [np.inf]]), slopes=False)
    return {
        "places": places,
        "values": values,
        "slopes": slopes,
        "limits": limits,
        "unit": np.array(curve.unit),
    }


def interpolated(table: dict[str, Array]) -> Evaluate:
    """The curve again, by cubic Hermite interpolation in log α.

    Beyond the table a curve nears its limit with α or with 1/α, or grows on with log α where that is
    infinite. A target whose curve is infinite stays so.
    """
    places, limits = table["places"], table["limits"]
    finite = np.isfinite(table["values"]).all(axis=0)
    endless = np.where(np.isneginf(table["values"]).all(axis=0), -np.inf, np.inf)
    values, slopes_ = np.where(finite, table["values"], 0.0), np.where(finite, table["slopes"], 0.0)
    spline = CubicHermiteSpline(places, values, slopes_, axis=0)
    slope = spline.derivative()

    def at(function: CubicHermiteSpline, inside: Array) -> Array:
        result = function(inside)  # (m, c, t)
        t = result.shape[-1]
        picked = result[:, 0] if inside.shape[1] == 1 else result[:, np.arange(t), np.arange(t)]
        return np.asarray(picked)

    def evaluate(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        with np.errstate(divide="ignore"):
            place = np.log(alphas)
        inside = np.clip(place, places[0], places[-1])
        limit = np.where(place < places[0], limits[0], limits[1])
        straight = finite & ~np.isfinite(limit)  # no limit to near: on with the last slope
        beyond = np.where(np.isinf(place), 0.0, place - inside)
        value, moves = at(spline, inside), at(slope, inside)
        near = np.where(finite & ~straight, limit, 0.0)
        apart = (value - near) * np.exp(-np.abs(place - inside))  # one inside
        bent = np.where(place == inside, moves, -np.sign(beyond) * apart)
        result = np.where(straight, np.where(np.isinf(place), limit, value + moves * beyond), near + apart)
        return np.where(finite, result, endless), np.where(finite, np.where(straight, moves, bent), np.nan)

    return evaluate


def within(edges: tuple[float, float], evaluate: Evaluate) -> Evaluate:
    """The curve between strengths at which it is believed, NaN elsewhere (M18)."""
    low, high = edges
    if low == 0 and np.isinf(high):
        return evaluate

    def believed(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        value, steep = evaluate(np.clip(alphas, low, high), slopes)
        outside = (alphas < low * (1 - EDGE)) | (alphas > high * (1 + EDGE))
        outside = outside if outside.shape[1] == value.shape[1] else outside[:, :1]
        return np.where(outside, np.nan, value), np.where(outside, np.nan, steep)

    return believed
