"""Mallows' Cp, which is Stein's unbiased estimate here (M14; Mallows 1973, Technometrics 15(4))."""

from __future__ import annotations

import numpy as np

from eigenshrink.errors import InputError
from eigenshrink.path import QuadraticPath
from eigenshrink.risk.curve import Array, RiskCurve, loss_curve
from eigenshrink.risk.signal import Signal
from eigenshrink.risk.training_error import train


def cp(path: QuadraticPath) -> RiskCurve:
    """``L(w̃(α)) + φγ/S``, φ from the unpenalised fit; the error for the same X and new noise.

    Raises
    ------
    InputError
        If nothing is left over to estimate the noise from: ``ν ≤ rank``, or rows that are fitted exactly.
    """
    along = Signal.of(path)
    if "cp" not in path.available_risks:
        rank = along.free_rank + len(along.eigenvalues)
        count = min(path.sample.rows, along.observations)
        raise InputError(
            f"cp needs the noise of the unpenalised fit, whose rank is {rank}: {count:g} observations leave "
            "none over. Use criterion='evidence' or 'loo'"
        )
    noise = along.outside / along.spare  # φ/S
    training = train(path)

    def evaluate(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        value, steep = training.evaluate(alphas, slopes)
        used = along.free_rank + len(along.eigenvalues) - along.total(along.lost, alphas)
        falls = -along.total(along.lost_slope, alphas) if slopes else np.nan
        return value + noise * used, steep + noise * falls

    return loss_curve("cp", path, evaluate, along.span)
