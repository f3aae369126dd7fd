"""Generalised cross-validation (M14; Golub, Heath & Wahba 1979, Technometrics 21(2))."""

from __future__ import annotations

import numpy as np

from eigenshrink.path import QuadraticPath
from eigenshrink.risk.curve import Array, RiskCurve, loss_curve
from eigenshrink.risk.signal import Signal


def gcv(path: QuadraticPath) -> RiskCurve:
    """``(RSS_s/2S)/(1 − γ/ν)²``, γ with intercept and free weights; O(k) per strength (M20)."""
    along = Signal.of(path)

    def evaluate(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        rss = along.total(lambda a: along.lost(a) ** 2, alphas, along.squares) + along.outside
        spare = (along.spare + along.total(along.lost, alphas)) / along.observations
        value = 0.5 * rss / spare**2
        if not slopes:
            return value, np.full_like(value, np.nan)
        rss_slope = 2 * along.total(lambda a: along.lost(a) * along.lost_slope(a), alphas, along.squares)
        spare_slope = along.total(along.lost_slope, alphas) / along.observations
        return value, 0.5 * rss_slope / spare**2 - 2 * value * spare_slope / spare

    return loss_curve("gcv", path, evaluate, along.span)
