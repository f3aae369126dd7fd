"""The error on the training rows themselves, and how optimistic it is (M1, M14)."""

from __future__ import annotations

import numpy as np

from eigenshrink.path import QuadraticPath
from eigenshrink.risk.curve import Array, RiskCurve, loss_curve
from eigenshrink.risk.gcv import gcv
from eigenshrink.risk.leave_group_out import leave_group_out
from eigenshrink.risk.loo import loo
from eigenshrink.risk.signal import Signal


def train(path: QuadraticPath) -> RiskCurve:
    """``L(w̃(α)) = RSS_s/2S``: falls towards α → 0 whatever the truth, so that it never chooses."""
    along = Signal.of(path)

    def evaluate(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        value = 0.5 * (along.total(lambda a: along.lost(a) ** 2, alphas, along.squares) + along.outside)
        if not slopes:
            return value, np.full_like(value, np.nan)
        return value, along.total(lambda a: along.lost(a) * along.lost_slope(a), alphas, along.squares)

    return loss_curve("train", path, evaluate, along.span)


def optimism(path: QuadraticPath) -> RiskCurve:
    """Estimated true error minus training error: what Ω stands for (M1); it never chooses.

    The estimate is leave-group-out where there are groups, else leave-one-out, else GCV. The optimism at
    fixed X, ``φγ/S``, is ``cp`` minus ``train``.
    """
    criterion = next(
        curve
        for name, curve in (("leave_group_out", leave_group_out), ("loo", loo), ("gcv", gcv))
        if name in path.available_risks
    )
    true, empirical = criterion(path), train(path)

    def evaluate(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        (value, steep), (fitted, falls) = true.evaluate(alphas, slopes), empirical.evaluate(alphas, slopes)
        return value - fitted, steep - falls

    return loss_curve("optimism", path, evaluate, true.span)
